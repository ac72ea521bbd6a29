"""`dataset-dm train`: labelled images and a frozen generator in, a decoder checkpoint out."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dataset_dm.decoder import PDecoder, PDecoderConfig
from dataset_dm.diffusion import DEFAULT_TIMESTEP, Backbone, feature_spec
from dataset_dm.errors import ConfigError, MissingExtra, StoreError, explain
from dataset_dm.files import write_atomically
from dataset_dm.hypercolumns import FeatureSpec
from dataset_dm.miniature import locate
from dataset_dm.tasks import task as task_called
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.data import LabelledSet, open_labelled, split_off
from dataset_dm.training.features import FeatureStore, VariantConfig, extract
from dataset_dm.training.loop import STATE_FOLDER, Training
from dataset_dm.training.plot import plot_history
from dataset_dm.training.state import STATE
from dataset_dm.training.validation import calibrate, measure

FEATURES = "features"
IN_MEMORY = 6e9  # bytes of features that are held in memory; beyond, they are read from disk as needed


@dataclass(frozen=True)
class TrainResult:
    """What a training left behind.

    Args:
        folder: the checkpoint.
        steps: steps done.
        finished: False if it stopped at ``stop_at``.
        figures: validation figures of the decoder that was kept: blind and informed.
    """

    folder: Path
    steps: int
    finished: bool
    figures: dict[str, dict[str, float]]


def train_decoder(
    *,
    data: str | Path,
    out: str | Path,
    generator: str = "miniature",
    task: str = "semantic",
    num_labelled: int | None = None,
    split: str | None = None,
    validation: str | Path | None = None,
    validation_split: str | None = None,
    num_validation: int = 50,
    classes: Sequence[str] | None = None,
    steps: int | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    patience: int | None = None,
    evaluate_every: int | None = None,
    variants: int | None = None,
    timestep: int = DEFAULT_TIMESTEP,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "float32",
    resume: bool = False,
    overwrite: bool = False,
    stop_at: int | None = None,
    config: TrainConfig | None = None,
    decoder: dict[str, Any] | None = None,
    spec: Callable[[Backbone], FeatureSpec] | None = None,
    command: str = "",
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> TrainResult:
    """Trains a decoder and writes its checkpoint with record, curves and plot.

    Args:
        data: "miniature", a VOC folder, a dataset folder or a Hub id.
        out: checkpoint folder; new or empty, unless ``resume`` or ``overwrite``.
        generator: the frozen text-to-image model, by name, folder or Hub id.
        task: what to label; "semantic".
        num_labelled: take the first so many labelled images; default all (100 of Miniature).
        split: of the data; default "train".
        validation: held-out data; default every tenth training image, for Miniature its validation split.
        validation_split, num_validation: which part of it and at most how many.
        classes: class names in the order of the ids, without background; default the data's own.
        steps, batch, learning_rate, patience, evaluate_every, variants, seed: shortcuts into ``config``.
        timestep: noise level at which the generator is read.
        device, dtype: where and how the generator computes.
        resume: go on with an interrupted training in ``out``.
        overwrite: throw away what is in ``out``.
        stop_at: stop after this step, as if interrupted.
        config: all training settings.
        decoder: fields of PDecoderConfig that differ from the defaults.
        spec: which maps to read; default ``feature_spec``.
        command: recorded in the checkpoint.
        say: takes progress lines.

    Raises:
        ConfigError, DataError, ModelError, StoreError: one line each.
    """
    if task_called(task).name != "semantic":
        raise ConfigError(explain("task", got=task, expected="'semantic', the one task that can be trained by now"))
    folder = Path(out).expanduser()
    _check(folder, resume, overwrite)
    settings = _settings(config, steps, batch, learning_rate, patience, evaluate_every, variants, seed)
    training, held_out = _data(data, split, classes, num_labelled, validation, validation_split, num_validation)
    _look_through(training, held_out)
    backbone = Backbone.load(locate(generator), dtype=dtype, device=device)
    wanted = feature_spec(backbone, timestep=timestep) if spec is None else spec(backbone)
    _make(folder)
    began = time.monotonic()
    stores = _features(training, held_out, backbone, wanted, folder / FEATURES, settings, say)
    net = _fresh(PDecoderConfig(spec=wanted, classes=training.classes, **(decoder or {})), stores[0], settings)
    key = {
        "generator": wanted.generator,
        "data": training.source,
        "images": len(training),
        "spec": wanted.to_dict(),
        "decoder": {name: value for name, value in net.config.to_dict().items() if name != "record"},
        "training": asdict(settings),
    }
    loop = Training(net.to(backbone.device), *stores, settings, folder, key, say)
    progress = loop.run(
        resume=resume and (folder / STATE_FOLDER / STATE).is_file(), stop_at=stop_at, cpu=backbone.device.type == "cpu"
    )
    finished = progress.step >= settings.steps or stop_at is None
    if not finished:
        return TrainResult(folder, progress.step, False, {})
    temperature, void_below = calibrate(net, stores[1], settings.void_share, settings.seed)
    net.configured(temperature=temperature, void_below=void_below)
    figures = {"blind": asdict(measure(net, stores[1]))}
    if stores[1].variants > 1:
        figures["informed"] = asdict(measure(net, stores[1], variant=1))
    record = {
        "command": command,
        "generator": generator,
        "data": training.source,
        "labelled_images": len(training),
        "validation": held_out.source,
        "validation_images": len(held_out),
        "steps": progress.step,
        "best_step": progress.best_step,
        "seconds": round(time.monotonic() - began, 1),
        "device": str(backbone.device),
        "validation_figures": figures,
    }
    net.configured(record=record).to("cpu").save_pretrained(folder, half=True)
    history = json.dumps({**record, **key, "history": progress.history}, indent=1) + "\n"
    write_atomically(folder / "training.json", history.encode("utf-8"))
    _plot(progress.history, folder / "loss.png", say)
    for leftover in (FEATURES, STATE_FOLDER):
        shutil.rmtree(folder / leftover, ignore_errors=True)
    return TrainResult(folder, progress.step, True, figures)


def _check(folder: Path, resume: bool, overwrite: bool) -> None:
    """Refuses to mix two trainings in one folder."""
    if resume and overwrite:
        raise ConfigError("train: --resume and --overwrite contradict each other; give one of them")
    if resume and not (folder / STATE_FOLDER / STATE).is_file() and not (folder / FEATURES).is_dir():
        raise ConfigError(f"resume: there is no interrupted training in {folder}; start it without --resume")
    if not resume and folder.is_dir() and any(folder.iterdir()):
        if not overwrite:
            raise StoreError(f"output folder {folder} is not empty; give --overwrite, --resume or another folder")
        for name in (FEATURES, STATE_FOLDER):
            shutil.rmtree(folder / name, ignore_errors=True)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"output folder {folder} cannot be made ({error.strerror}); choose another one") from error


def _settings(
    config: TrainConfig | None,
    steps: int | None,
    batch: int | None,
    learning_rate: float | None,
    patience: int | None,
    evaluate_every: int | None,
    variants: int | None,
    seed: int,
) -> TrainConfig:
    settings = config or TrainConfig(seed=seed, variants=VariantConfig(seed=seed))
    given = {
        "steps": steps,
        "batch": batch,
        "learning_rate": learning_rate,
        "patience": patience,
        "evaluate_every": evaluate_every,
    }
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    if variants is not None:
        if variants < 1:
            raise ConfigError(explain("training: variants", got=variants, expected="a whole number of at least 1"))
        settings = replace(settings, variants=replace(settings.variants, count=variants))
    return settings


def _data(
    data: str | Path,
    split: str | None,
    classes: Sequence[str] | None,
    count: int | None,
    validation: str | Path | None,
    validation_split: str | None,
    num_validation: int,
) -> tuple[LabelledSet, LabelledSet]:
    """(training images, held-out images)."""
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


def _look_through(*sets: LabelledSet) -> None:
    """Reads every image once before the generator is loaded: a fault in the last file must not cost an hour."""
    for labelled in sets:
        if not labelled.source.startswith("miniature"):
            for index in range(len(labelled)):
                labelled[index]


def _features(
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


def _fresh(config: PDecoderConfig, store: FeatureStore, settings: TrainConfig) -> PDecoder:
    """A new decoder, its weights drawn from the seed, its scaling measured on up to 64 plain training images."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        net = PDecoder(config)
    some = [(image, image % store.variants) for image in range(min(64, store.images))]
    net.fit_scaling(store.batch(some)[0])
    return net


def _plot(history: list[dict[str, float]], path: Path, say: Callable[[str], None]) -> None:
    if not history:
        return
    try:
        plot_history(history, path)
    except MissingExtra as error:  # the curves are in training.json all the same
        say(str(error))
