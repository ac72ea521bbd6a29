"""What goes into a training: labelled images, held-out ones, and the frozen generator's features of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset_dm.diffusion import Backbone
from dataset_dm.errors import ConfigError, DataError, explain
from dataset_dm.hypercolumns import FeatureSpec
from dataset_dm.labels.tasks import INSTANCE, POSE, TASKS, task
from dataset_dm.readers import LabelledSet, open_labelled, split_off
from dataset_dm.readers.miniature import MiniatureSet
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.features import FeatureStore, VariantConfig, extract
from dataset_dm.training.subsets import long_tail, seen_only

IN_MEMORY = 6e9  # bytes of features that are held in memory; beyond, they are read from disk as needed


@dataclass(frozen=True, kw_only=True)
class DataRequest:
    """Which labelled images a training is to see; the fields are arguments of `train_decoder`."""

    data: str | Path
    split: str | None = None
    classes: Sequence[str] | None = None
    num_labelled: int | None = None
    validation: str | Path | None = None
    validation_split: str | None = None
    num_validation: int = 50
    on_error: str = "raise"
    depth_scale: float | None = None
    format: str | None = None
    seen: Sequence[str] | None = None
    long_tail: float | None = None
    seed: int = 0

    def open(self) -> tuple[LabelledSet, LabelledSet]:
        """(training images, held-out images)."""
        count = self.num_labelled
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise ConfigError(explain("num_labelled", got=count, expected="a whole number of at least 1"))
        held = self.num_validation
        if isinstance(held, bool) or not isinstance(held, int) or held < 1:
            raise ConfigError(explain("num_validation", got=held, expected="a whole number of at least 1"))
        training = self._one(self.data, self.split, count)
        validation, part = self.validation, self.validation_split
        if validation is None and str(self.data) == "miniature":
            validation, part = self.data, part or "validation"
        if validation is None and part is None:
            training, held_out = split_off(training, 0.1)
        else:
            held_out = self._one(self.data if validation is None else validation, part, self.num_validation)
        if held_out.classes != training.classes:
            names = sorted(set(held_out.classes) ^ set(training.classes)) or ["another order"]
            raise ConfigError(
                f"validation data has other classes than the training data ({', '.join(names)}); give --classes"
            )
        if self.seen is not None:
            training, held_out = seen_only(training, self.seen), seen_only(held_out, self.seen)
        if self.long_tail is not None:
            training = long_tail(training, self.long_tail, self.seed)
        return training, held_out

    def _one(self, source: str | Path, split: str | None, count: int | None) -> LabelledSet:
        return open_labelled(
            source,
            split=split,
            classes=self.classes,
            count=count,
            on_error=self.on_error,
            depth_scale=self.depth_scale,
            format=self.format,
        )


def chosen_tasks(asked: Sequence[str] | None, training: LabelledSet) -> tuple[str, ...]:
    """The heads to train: those asked for, or all that the data has labels of, in the order of `tasks.TASKS`.

    Raises:
        ConfigError: an unknown task, none, a task that the data has no labels of, or poses without instances.
    """
    kinds = training.kinds
    if asked is None:
        return tuple(name for name in TASKS if name in kinds)
    names = [task(name).name for name in asked]
    if POSE.name in names and INSTANCE.name not in names:
        names.append(INSTANCE.name)  # poses hang on the people found
    if not names:
        raise ConfigError(explain("tasks", got=list(asked), expected=f"at least one of {', '.join(kinds)}"))
    for name in names:
        if name not in kinds:
            what = f"tasks: {training.source} has no labels for {name!r}"
            raise ConfigError(
                explain(what, expected=f"some of {', '.join(kinds)}", remedy="give --task, or other data")
            )
    return tuple(name for name in TASKS if name in names)


def depth_range(training: LabelledSet) -> tuple[float, float]:
    """Nearest and farthest known depth of a set, in metres.

    Raises:
        DataError: no depth is known anywhere.
    """
    near, far = float("inf"), 0.0
    for index in range(len(training)):
        depth = training[index].depth
        known = depth[depth > 0] if depth is not None else np.zeros(0)
        if known.size:
            near, far = min(near, float(known.min())), max(far, float(known.max()))
    if not far:
        raise DataError(f"{training.source}: no pixel has a known depth; check --depth-scale and the files")
    return near, max(far, near * 1.01)


def look_through(*sets: LabelledSet) -> None:
    """Reads every image once before the generator is loaded: a fault in the last file must not cost an hour."""
    for labelled in sets:
        if not isinstance(labelled, MiniatureSet):
            for index in range(len(labelled)):
                labelled[index]


def feature_stores(
    training: LabelledSet,
    held_out: LabelledSet,
    backbone: Backbone,
    spec: FeatureSpec,
    folder: Path,
    settings: TrainConfig,
    say: Callable[[str], None],
) -> tuple[FeatureStore, FeatureStore]:
    """Features for training (all variants) and of held-out images (unprompted, and prompted on the plain image)."""

    def report(done: int, total: int, seconds: float) -> None:
        left = int(seconds / done * (total - done))
        say(f"features {done}/{total}  {done / seconds:.1f}/s  ETA {left // 60}:{left % 60:02d}")

    plain = VariantConfig(count=2, seed=settings.seed, plain=True)
    train = extract(training, backbone, spec, folder / "train", settings.variants, report=_seldom(report))
    held = extract(held_out, backbone, spec, folder / "validation", plain, report=_seldom(report))
    for store in (train, held):
        store.hold(IN_MEMORY / 2, backbone.device)
    return train, held


def _seldom(report: Callable[[int, int, float], None], seconds: float = 5.0) -> Callable[[int, int, float], None]:
    """Passes on one report in a while, and the last."""
    last = [0.0]

    def passing(done: int, total: int, spent: float) -> None:
        if done == total or spent - last[0] >= seconds:
            last[0] = spent
            report(done, total, spent)

    return passing
