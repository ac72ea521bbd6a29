"""The check of array shapes finds what it is there to find."""

import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.shapes import ShapeError, check_arrays, install, wrap_module

MODULE = """
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool, Float, Int
    from torch import Tensor
    from nowhere import Unknown


def transposed(x: Float[Tensor, "h w"], sizes: Unknown = None) -> Float[Tensor, "w h"]:
    return x.T


def wrong_return(x: Float[Tensor, "h w"]) -> Float[Tensor, "w h"]:
    return x


def pair(mask: Bool[np.ndarray, "h w"], *, depth: Float[np.ndarray, "h w"] | None = None) -> None:
    return None


def several(masks: Sequence[Bool[np.ndarray, "h w"]], named: Mapping[str, Int[np.ndarray, " n"]]) -> tuple[int, int]:
    return 0, 0


def both() -> tuple[Float[Tensor, " n"], Int[Tensor, " n"]]:
    return torch.zeros(2), torch.zeros(3, dtype=torch.int64)


def rows(x: Float[Tensor, "n d"]) -> Iterator[Float[Tensor, " d"]]:
    yield from x


def stacked(*parts: Float[Tensor, " n"], **more: Float[Tensor, " n"]) -> None:
    return None


def scale(factor: float | Float[Tensor, ""]) -> None:
    return None


@torch.no_grad()
def frozen(x: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    return 2 * x


@contextmanager
def inside(x: Float[Tensor, "h w"]) -> Iterator[Float[Tensor, "h w"]]:
    yield x


def plain(x: int, text: Unknown) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Sample:
    image: Float[Tensor, "c h w"]
    mask: Bool[Tensor, "h w"] | None = None

    def scaled(self, by: Float[Tensor, " c"]) -> Float[Tensor, "c h w"]:
        return self.image * by[:, None, None]

    @property
    def flat(self) -> Float[Tensor, "c n"]:
        return self.image

    @classmethod
    def empty(cls, like: Float[Tensor, "c h w"]) -> Sample:
        return cls(image=like)


@cache
def table(n: int) -> Float[Tensor, "n n"]:
    return torch.zeros(n, n + 1)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A package that is imported with the check installed."""
    (tmp_path / "shaped").mkdir()
    (tmp_path / "shaped" / "__init__.py").write_text("")
    (tmp_path / "shaped" / "arrays.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    install("shaped")
    import shaped.arrays

    yield shaped.arrays
    for name in ("shaped", "shaped.arrays"):
        del sys.modules[name]


def refused(match: str):
    return pytest.raises(ShapeError, match=match)


def test_right_shapes_pass(module) -> None:
    assert module.transposed(torch.zeros(2, 3)).shape == (3, 2)
    module.pair(np.zeros((2, 3), bool), depth=np.zeros((2, 3)))
    module.pair(np.zeros((2, 3), bool))
    module.several([np.zeros((2, 3), bool)] * 2, {"a": np.zeros(4, int), "b": np.zeros(4, int)})
    assert [row.shape for row in module.rows(torch.zeros(2, 3))] == [(3,), (3,)]
    module.scale(2.0)
    module.scale(torch.tensor(2.0))
    module.stacked(torch.zeros(2), torch.zeros(2), c=torch.zeros(2))
    with module.inside(torch.zeros(2, 3)) as x:
        assert x.shape == (2, 3)


def test_wrong_rank_type_and_dtype(module) -> None:
    with refused(r"shaped.arrays.transposed: argument 'x' is torch.float32 \(2, 3, 4\), expected .*h w"):
        module.transposed(torch.zeros(2, 3, 4))
    with refused("argument 'x'"):
        module.transposed(np.zeros((2, 3)))
    with refused("argument 'x' is torch.int64"):
        module.transposed(x=torch.zeros(2, 3, dtype=torch.int64))
    with refused("argument 'factor'"):
        module.scale(torch.zeros(3))


def test_an_axis_has_one_size_in_a_call(module) -> None:
    with refused(r"argument 'depth' is float64 \(2, 4\).*dimension w is 4.*existing value of 3"):
        module.pair(np.zeros((2, 3), bool), depth=np.zeros((2, 4)))
    with refused("argument 'masks' is list"):
        module.several([np.zeros((2, 3), bool), np.zeros((3, 2), bool)], {})
    with refused("argument 'named' is dict"):
        module.several([], {"a": np.zeros(4, int), "b": np.zeros(5, int)})
    with refused("argument 'parts'"):
        module.stacked(torch.zeros(2), torch.zeros(3))
    with refused("argument 'more'"):
        module.stacked(torch.zeros(2), c=torch.zeros(3))


def test_a_call_that_fits_vouches_for_its_own_shapes_only(module) -> None:
    for _ in range(2):
        module.transposed(torch.zeros(2, 3))
        module.several(deque([np.zeros((2, 3), bool)] * 2), {})
        with refused("argument 'x'"):
            module.transposed(torch.zeros(2, 3, dtype=torch.int64))
        with refused("argument 'masks' is deque"):
            module.several(deque([np.zeros((2, 3), bool), np.zeros((2, 4), bool)]), {})


def test_what_is_returned(module) -> None:
    with refused(r"wrong_return: its return value is torch.float32 \(2, 3\)"):
        module.wrong_return(torch.zeros(2, 3))
    with refused("both: its return value is tuple"):
        module.both()
    with refused("table: its return value"):
        module.table(2)


def test_under_decorators(module) -> None:
    with refused("frozen: argument 'x'"):
        module.frozen(torch.zeros(2))
    with refused("inside: argument 'x'"), module.inside(torch.zeros(2)):
        pass
    assert not module.frozen(torch.zeros(2, 3, requires_grad=True)).requires_grad


def test_dataclasses(module) -> None:
    sample = module.Sample(image=torch.zeros(3, 4, 5), mask=torch.zeros(4, 5, dtype=torch.bool))
    assert module.Sample.empty(sample.image).mask is None
    with refused("Sample.*argument 'mask'.*dimension w is 6"):
        module.Sample(image=torch.zeros(3, 4, 5), mask=torch.zeros(4, 6, dtype=torch.bool))
    with refused("Sample.scaled: argument 'by'|Sample.scaled: its return value"):
        sample.scaled(torch.zeros(2, 1))
    with refused("Sample.flat"):
        _ = sample.flat
    with refused("Sample.empty"):
        module.Sample.empty(torch.zeros(2))


def test_functions_without_arrays_are_left_as_they_are(module) -> None:
    assert not hasattr(module.plain, "__wrapped__")
    assert check_arrays(refused) is refused
    before = module.transposed
    wrap_module(type(sys)("elsewhere"))
    assert module.transposed is before


def test_installed_too_late() -> None:
    with pytest.raises(RuntimeError, match="pytest"):
        install("pytest")
