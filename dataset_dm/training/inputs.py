"""What goes into a training: labelled images, held-out ones, and the frozen generator's features of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dataset_dm.diffusion import Backbone
from dataset_dm.errors import ConfigError, explain
from dataset_dm.hypercolumns import FeatureSpec
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.data import LabelledSet, open_labelled, split_off
from dataset_dm.training.data.miniature import MiniatureSet
from dataset_dm.training.features import FeatureStore, VariantConfig, extract

IN_MEMORY = 6e9  # bytes of features that are held in memory; beyond, they are read from disk as needed


def labelled_sets(
    data: str | Path,
    split: str | None,
    classes: Sequence[str] | None,
    count: int | None,
    validation: str | Path | None,
    validation_split: str | None,
    num_validation: int,
) -> tuple[LabelledSet, LabelledSet]:
    """(training images, held-out images) of a request; the arguments are those of `train_decoder`."""
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise ConfigError(explain("num_labelled", got=count, expected="a whole number of at least 1"))
    training = open_labelled(data, split=split, classes=classes, count=count)
    if validation is None and str(data) == "miniature":
        validation, validation_split = data, validation_split or "validation"
    if validation is None and validation_split is None:
        return split_off(training, 0.1)
    source = data if validation is None else validation
    held_out = open_labelled(source, split=validation_split, classes=classes, count=num_validation)
    if held_out.classes != training.classes:
        names = sorted(set(held_out.classes) ^ set(training.classes)) or ["another order"]
        raise ConfigError(
            f"validation data has other classes than the training data ({', '.join(names)}); give --classes"
        )
    return training, held_out


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
    """Features for training (all variants) and of held-out images (blind, and informed on the plain image)."""

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
