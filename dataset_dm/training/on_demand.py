"""Decoders that are trained when their labels are first asked for: `$DATASET_DM_HOME/decoders/<fingerprint>/`.

A plan names such a decoder by what it is trained on, before it exists. So reading a finished set again needs neither
the decoder nor torch; the first process that labels, a worker included, trains it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dataset_dm.errors import ConfigError, explain
from dataset_dm.files.atomic import locked, store_error, write_atomically
from dataset_dm.files.home import home
from dataset_dm.models.reference import Source
from dataset_dm.training.config import TrainConfig, with_settings

# Raised by hand when the same recipe trains another decoder than before.
DECODER_VERSION = 3
# those settings of a training that say how its labelled images are read
_READING = ("split", "classes", "on_error", "depth_scale", "format")
_MINUTES = "by default about 15 minutes on two cores with the embedded generator"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderRecipe:
    """What a decoder is trained on.

    Args:
        generator: what opens the generator again; `generator_hash` tells its weights.
        data: the labelled images, as `open_labelled` takes them. A changed folder of the same name is not noticed.
        num_labelled: the first so many of them; None: the data's own default.
        tasks: names of the heads.
        classes: what it is to label, seen or not, in label order.
        seen: the classes it is trained on; None: all.
        long_tail: imbalance of the labelled images, see `subsets.long_tail`; None: as they come.
        training: further settings of `TrainConfig`, JSON-ready.
    """

    generator: str
    generator_hash: str
    data: str
    num_labelled: int | None
    tasks: tuple[str, ...]
    classes: tuple[str, ...]
    seen: tuple[str, ...] | None = None
    long_tail: float | None = None
    training: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "training": dict(self.training)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> DecoderRecipe:
        """The inverse of `to_dict`."""
        lists = {name: tuple(plain[name]) for name in ("tasks", "classes", "seen") if plain[name] is not None}
        return cls(**{**plain, **lists})

    def config(self) -> TrainConfig:
        """The settings of its training."""
        own = {"tasks": self.tasks, "num_labelled": self.num_labelled, "seen": self.seen, "long_tail": self.long_tail}
        return with_settings(None, {**self.training, **own})

    def fingerprint(self) -> str:
        """16 hex digits over all that decides the weights, but for what lies in the folders of labelled images.

        Neither where the generator lies nor what is labelled is part of it.
        """
        parts = {name: value for name, value in self.to_dict().items() if name not in ("generator", "classes")}
        text = json.dumps({"version": DECODER_VERSION, **parts}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class LazyDecoder(Source):
    """An annotator that may not exist yet; a plan accepts it in place of a name."""

    recipe: DecoderRecipe

    def fingerprint(self) -> str:
        """That of the recipe: the weights may not exist yet."""
        return self.recipe.fingerprint()

    def read_json(self, file: str) -> dict[str, Any] | None:
        """What the decoder's config will say of its classes, heads and generator."""
        if file != "config.json":
            return None
        recipe = self.recipe
        spec = {"generator": recipe.generator_hash}
        return {"classes": list(recipe.classes), "tasks": list(recipe.tasks), "spec": spec}


def register_lazy_decoder(recipe: DecoderRecipe) -> LazyDecoder:
    """The decoder of a recipe, trained or not; the recipe is written beside its folder, for the process that trains it.

    Until it is trained the last recipe of a name counts: two of one name may differ in what the name does not cover.
    """
    folder = home() / "decoders" / recipe.fingerprint()
    note = _note(folder)
    text = (json.dumps(recipe.to_dict(), indent=1) + "\n").encode("utf-8")
    # a finished set can be read from a store that cannot be written: nothing is written without need
    if not note.is_file() or (not folder.is_dir() and note.read_bytes() != text):
        write_atomically(note, text)
    return LazyDecoder(str(folder), None, folder, recipe)


def ensure_trained(annotator: str, *, device: str = "auto", say: Callable[[str], None] | None = None) -> None:
    """Trains the registered decoder called `annotator` unless it exists. No-op for any other annotator.

    An interrupted training is resumed; of two processes one trains and the other waits.

    Args:
        annotator: name in a plan.
        device: where to train.
        say: takes the notice and the progress lines; default standard error.
    """
    folder = Path(annotator)
    note = _note(folder)
    if folder.is_dir() or not folder.is_absolute() or not note.is_file():
        return
    recipe = DecoderRecipe.from_dict(json.loads(note.read_text(encoding="utf-8")))
    say = say or _print
    with locked(home() / "locks" / f"decoder-{folder.name}.lock"):
        if folder.is_dir():
            return
        say(f"training a decoder {_of(recipe)}, once ({_MINUTES}); it is kept in {folder}")
        _train(recipe, folder, device, say)


def _train(recipe: DecoderRecipe, folder: Path, device: str, say: Callable[[str], None]) -> None:
    from dataset_dm.training import train_decoder

    part = folder.with_name(f"{folder.name}.part")
    _check_classes(recipe)
    options = {
        "config": recipe.config(),
        "device": device,
        "command": f"on demand: {json.dumps(recipe.to_dict(), sort_keys=True)}",
        "say": say,
    }
    try:
        begun = (part / "state").is_dir() or (part / "features").is_dir()
        # a training killed after its end and before its folder is renamed left neither, and is repeated
        train_decoder(recipe.data, recipe.generator, part, **options, resume=begun, overwrite=not begun)
    except ConfigError as error:
        if not str(error).startswith("resume:"):
            raise
        # begun by another version: its state is of no use
        shutil.rmtree(part)
        train_decoder(recipe.data, recipe.generator, part, **options)
    try:
        os.replace(part, folder)
    except OSError as error:
        raise store_error(folder, error) from error


def _check_classes(recipe: DecoderRecipe) -> None:
    """ConfigError unless the data has the classes that the plan was made for."""
    from dataset_dm.readers import open_labelled

    how = {name: recipe.training[name] for name in _READING if name in recipe.training}
    known = set(open_labelled(recipe.data, **how).classes)
    wanted = recipe.classes if recipe.seen is None else recipe.seen
    if missing := [name for name in wanted if name not in known]:
        remedy = "give classes= by the names of the labelled images"
        what = f"labelled images {recipe.data!r} have no class {missing[0]!r}"
        raise ConfigError(explain(what, expected=f"some of {', '.join(sorted(known))}", remedy=remedy))


def _of(recipe: DecoderRecipe) -> str:
    kind = f"on {len(recipe.seen)} seen classes" if recipe.seen else f"on a long tail of {recipe.long_tail:g}:1"
    return f"{kind} of labelled images {recipe.data!r}"


def _note(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _print(line: str) -> None:
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)  # the caller may be showing a bar
    sys.stderr.flush()
