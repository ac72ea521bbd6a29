"""The project says one word for one thing. ``python -m tests.words`` shows where it does not."""

import re

import pytest

from tests.words import EXCEPTIONS, PRODUCT, ROOT, counts, found_in

# lowered as words are replaced, never raised; the aim is 0
CEILING = 18
CEILING_OF_TESTS = 250


@pytest.mark.parametrize(
    "roots, ceiling", [(PRODUCT, CEILING), (("tests",), CEILING_OF_TESTS)], ids=["product", "tests"]
)
def test_no_more_words_that_are_left_out(roots: tuple[str, ...], ceiling: int) -> None:
    found = counts(*roots)
    worst = ", ".join(f"{name} {count}" for name, count in found.most_common(5))
    assert sum(found.values()) <= ceiling, f"more than before; python -m tests.words PATH shows them; most in: {worst}"


@pytest.mark.parametrize(
    "line, words",
    [
        ("# the labeller draws each picture anew", ["labeller", "picture", "anew"]),
        ("class BestThing:", ["thing"]),
        ("things_of_a_row = 3", ["things"]),
        ("raise ModelError('nobody knows')", ["nobody"]),
        ("make sure that nothing and everything is there", []),
        ("the surest are kept", ["surest"]),
        ("classes are told apart", []),
        ("steps = whole('steps', steps, 1)", ["whole("]),
        ("average: float = 0.999", ["average:"]),
        ("np.clip(x, 0, 1)", []),
        ("FORMATS[name].cannot", []),  # a name in exports/ alone
    ],
)
def test_what_is_found_in_a_line(line: str, words: list[str]) -> None:
    assert [word for _, word in found_in("dataset_dm/training/config.py", line)] == words


def test_names_of_exports() -> None:
    assert found_in("dataset_dm/exports/base.py", "x\nFORMATS[name].cannot") == [(2, ".cannot")]


@pytest.mark.parametrize("file, pattern, reason", EXCEPTIONS)
def test_every_exception_is_still_there(file: str, pattern: str, reason: str) -> None:
    assert reason
    assert re.search(pattern, (ROOT / file).read_text(), re.MULTILINE), (
        f"{pattern} is not in {file}: drop the exception"
    )
