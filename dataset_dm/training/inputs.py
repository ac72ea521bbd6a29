"""Inputs of a training: labelled images, held-out ones, and the frozen generator's features of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def open_sets(data: str | Path, config: TrainConfig) -> tuple[LabelledSet, LabelledSet]:
    """(training images, held-out images).

    Held out are, by default, every tenth training image, or the validation split of Miniature.
    """
    training = _open(data, config.split, config.num_labelled, config)
    validation, part = config.validation, config.validation_split
    if validation is None and str(data) == "miniature":
        validation, part = str(data), part or "validation"
    if validation is None and part is None:
        training, held_out = split_off(training, 0.1)
    else:
        held_out = _open(data if validation is None else validation, part, config.num_validation, config)
    if held_out.classes != training.classes:
        names = sorted(set(held_out.classes) ^ set(training.classes)) or ["another order"]
        raise ConfigError(
            f"validation data has other classes than the training data ({', '.join(names)}); give --classes"
        )
    if config.seen is not None:
        training, held_out = seen_only(training, config.seen), seen_only(held_out, config.seen)
    if config.long_tail is not None:
        training = long_tail(training, config.long_tail, config.seed)
    return training, held_out


def _open(source: str | Path, split: str | None, count: int | None, config: TrainConfig) -> LabelledSet:
    return open_labelled(
        source,
        split=split,
        classes=config.classes,
        count=count,
        on_error=config.on_error,
        depth_scale=config.depth_scale,
        format=config.format,
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
        names.append(INSTANCE.name)  # poses are read inside person instances
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


def look_through(*sets: LabelledSet, say: Callable[[str], None]) -> None:
    """Reads every image once before the generator is loaded: a damaged last file must not cost an hour.

    `say` receives a line for each reason why images are left out.
    """
    for labelled in sets:
        if not isinstance(labelled, MiniatureSet):
            for index in range(len(labelled)):
                labelled[index]
    for labelled in sets:
        for reason, count in labelled.skipped.items():
            say(f"{labelled.source}: {count} left out ({reason})")


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

    changed = VariantConfig(count=settings.variants, seed=settings.seed, augment=settings.augment)
    plain = VariantConfig(count=2, seed=settings.seed, plain=True)
    train = extract(training, backbone, spec, folder / "train", changed, report=_seldom(report))
    held = extract(held_out, backbone, spec, folder / "validation", plain, report=_seldom(report))
    for store in (train, held):
        store.hold(IN_MEMORY / 2, backbone.device)
    return train, held


def _seldom(report: Callable[[int, int, float], None], seconds: float = 5.0) -> Callable[[int, int, float], None]:
    """Forwards a report every few seconds, and the last one."""
    last = [0.0]

    def passing(done: int, total: int, spent: float) -> None:
        if done == total or spent - last[0] >= seconds:
            last[0] = spent
            report(done, total, spent)

    return passing
