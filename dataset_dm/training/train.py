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

from dataset_dm.cards.private import public
from dataset_dm.decoder import PDecoder, PDecoderConfig
from dataset_dm.decoder.checkpoint import CONFIG, WEIGHTS
from dataset_dm.diffusion import DEFAULT_TIMESTEP, Backbone, feature_spec
from dataset_dm.errors import ConfigError, MissingExtra, StoreError, explain
from dataset_dm.files.atomic import write_atomically
from dataset_dm.hypercolumns import FeatureSpec
from dataset_dm.labels.tasks import DEPTH
from dataset_dm.metrics.report import finite
from dataset_dm.readers import LabelledSet
from dataset_dm.training.calibration import calibrate
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.features import FeatureStore
from dataset_dm.training.inputs import DataRequest, chosen_tasks, depth_range, feature_stores, look_through
from dataset_dm.training.loop import STATE_FOLDER, Training
from dataset_dm.training.plot import plot_history
from dataset_dm.training.state import STATE, Progress
from dataset_dm.training.validation import measure

FEATURES = "features"
# all that a training leaves in its folder; --overwrite goes no further
WRITTEN = (FEATURES, STATE_FOLDER, CONFIG, WEIGHTS, "training.json", "loss.png", "README.md")


@dataclass(frozen=True)
class TrainResult:
    """What a training left behind.

    Args:
        folder: the checkpoint.
        steps: steps done.
        finished: False if it stopped at ``stop_at``.
        figures: validation figures of the decoder that was kept: unprompted and prompted.
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
    tasks: Sequence[str] | None = None,
    num_labelled: int | None = None,
    split: str | None = None,
    validation: str | Path | None = None,
    validation_split: str | None = None,
    num_validation: int = 50,
    classes: Sequence[str] | None = None,
    on_error: str = "raise",
    depth_scale: float | None = None,
    format: str | None = None,
    seen: Sequence[str] | None = None,
    long_tail: float | None = None,
    steps: int | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    patience: int | None = None,
    evaluate_every: int | None = None,
    variants: int | None = None,
    timestep: int = DEFAULT_TIMESTEP,
    seed: int | None = None,
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
        data: "miniature", a folder in one of the known layouts, a dataset folder or a Hub id.
        out: checkpoint folder; new or empty, unless ``resume`` or ``overwrite``.
        generator: the frozen text-to-image model, by name, folder or Hub id.
        tasks: what to label (semantic, instance, depth, pose); default all that the data has labels of.
        num_labelled: take the first so many labelled images; default all (100 of Miniature).
        split: of the data; default "train".
        validation: held-out data; default every tenth training image, for Miniature its validation split.
        validation_split, num_validation: which part of it and at most how many.
        classes: class names in the order of the ids, without background; default the data's own.
        on_error, depth_scale, format: see `training.data.open_labelled`.
        seen: train on these classes alone; the others are void, and may be asked for later by their words.
        long_tail: imbalance of the number of labelled images a class; see `training.subsets.long_tail`.
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
    folder = Path(out).expanduser()
    _check(folder, resume, overwrite)
    settings = _settings(config, steps, batch, learning_rate, patience, evaluate_every, variants, seed)
    asked = DataRequest(
        data=data,
        split=split,
        classes=classes,
        num_labelled=num_labelled,
        validation=validation,
        validation_split=validation_split,
        num_validation=num_validation,
        on_error=on_error,
        depth_scale=depth_scale,
        format=format,
        seen=seen,
        long_tail=long_tail,
        seed=settings.seed,
    )
    training, held_out = asked.open()
    built = chosen_tasks(tasks, training)
    look_through(training, held_out)
    for labelled in (training, held_out):
        for reason, count in labelled.skipped.items():
            say(f"{labelled.source}: {count} left out ({reason})")
    backbone = Backbone.load(generator, dtype=dtype, device=device)
    wanted = feature_spec(backbone, timestep=timestep) if spec is None else spec(backbone)
    if not training.classes:  # depth alone: no class is asked about
        wanted = replace(wanted, attention=(), attention_heads=0, contrast=())
    _make(folder, overwrite)
    began = time.monotonic()
    stores = feature_stores(training, held_out, backbone, wanted, folder / FEATURES, settings, say)
    net = _fresh(_decoder_config(wanted, training, built, decoder or {}), stores[0], settings)
    key = {
        "generator": wanted.generator,
        "dtype": str(backbone.dtype),
        "data": training.source,
        "images": len(training),
        "validation": held_out.source,  # it chooses the weights that are kept
        "validation_images": len(held_out),
        "spec": wanted.to_dict(),
        "decoder": {name: value for name, value in net.config.to_dict().items() if name != "record"},
        "training": asdict(settings),
    }
    loop = Training(net.to(backbone.device), *stores, settings, folder, key, say)
    progress = loop.run(
        resume=resume and (folder / STATE_FOLDER / STATE).is_file(), stop_at=stop_at, cpu=backbone.device.type == "cpu"
    )
    finished = progress.step >= settings.steps or stop_at is None or progress.step < stop_at
    if not finished:
        return TrainResult(folder, progress.step, False, {})
    told = {
        "command": command,
        "generator": generator,
        "data": training.source,
        "labelled_images": len(training),
        "validation": held_out.source,
        "validation_images": len(held_out),
        "seconds": round(time.monotonic() - began, 1),
        "device": str(backbone.device),
    }
    return _finish(net, stores[1], settings, progress, public(told), key, folder, say)


def _decoder_config(
    spec: FeatureSpec, training: LabelledSet, tasks: tuple[str, ...], changes: dict[str, Any]
) -> PDecoderConfig:
    measured = {"depth_range": depth_range(training)} if DEPTH.name in tasks else {}
    return PDecoderConfig(spec=spec, classes=training.classes, tasks=tasks, **{**measured, **changes})


def _finish(
    net: PDecoder,
    held_out: FeatureStore,
    settings: TrainConfig,
    progress: Progress,
    record: dict[str, Any],
    key: dict[str, Any],
    folder: Path,
    say: Callable[[str], None],
) -> TrainResult:
    """Calibrates and measures the decoder, writes checkpoint, record and plot, removes what only training needed."""
    net.configured(**calibrate(net, held_out, settings.void_share, settings.seed))
    figures = {"unprompted": asdict(measure(net, held_out)), "prompted": asdict(measure(net, held_out, variant=1))}
    record = {
        **record,
        "steps": progress.step,
        "best_step": progress.best_step,
        "validation_figures": figures,
    }
    net.configured(record=record).to("cpu").save_pretrained(folder, half=True)
    history = json.dumps(finite({**record, **key, "history": progress.history}), indent=1) + "\n"
    write_atomically(folder / "training.json", history.encode("utf-8"))
    _plot(progress.history, folder / "loss.png", say)
    for leftover in (FEATURES, STATE_FOLDER):
        shutil.rmtree(folder / leftover, ignore_errors=True)
    return TrainResult(folder, progress.step, True, figures)


def _check(folder: Path, resume: bool, overwrite: bool) -> None:
    """Refuses to mix two trainings in one folder, and to touch what no training wrote."""
    if resume and overwrite:
        raise ConfigError("train: --resume and --overwrite contradict each other; give one of them")
    if resume and not (folder / STATE_FOLDER / STATE).is_file() and not (folder / FEATURES).is_dir():
        raise ConfigError(f"resume: there is no interrupted training in {folder}; start it without --resume")
    there = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
    if there and not resume and not overwrite:
        raise StoreError(f"output folder {folder} is not empty; give --overwrite, --resume or another folder")
    strangers = [name for name in there if name not in WRITTEN and not name.startswith(".")]
    if overwrite and strangers:
        raise StoreError(
            f"--overwrite: {folder} holds what no training wrote ({', '.join(strangers[:3])}); "
            "take another folder, or remove it yourself"
        )


def _make(folder: Path, overwrite: bool) -> None:
    """The folder, without an older training's leftovers; an older checkpoint stays until the new one is done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"output folder {folder} cannot be made ({error.strerror}); choose another one") from error
    if overwrite:
        for name in (FEATURES, STATE_FOLDER):
            shutil.rmtree(folder / name, ignore_errors=True)


def _settings(
    config: TrainConfig | None,
    steps: int | None,
    batch: int | None,
    learning_rate: float | None,
    patience: int | None,
    evaluate_every: int | None,
    variants: int | None,
    seed: int | None,
) -> TrainConfig:
    settings = config or TrainConfig()
    if seed is not None:
        settings = replace(settings, seed=seed, variants=replace(settings.variants, seed=seed))
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


def _fresh(config: PDecoderConfig, store: FeatureStore, settings: TrainConfig) -> PDecoder:
    """A new decoder: weights drawn from the seed, scaling measured on up to 64 images, every other one prompted."""
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
