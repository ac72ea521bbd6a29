"""`dataset-dm train`: labelled images and a frozen generator in, a decoder checkpoint out."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from dataset_dm.cards.private import public
from dataset_dm.decoder import PDecoder, PDecoderConfig
from dataset_dm.decoder.checkpoint import CONFIG, WEIGHTS
from dataset_dm.diffusion import DEFAULT_TIMESTEP, Backbone, feature_spec
from dataset_dm.errors import ConfigError, MissingExtra, StoreError
from dataset_dm.files.atomic import write_atomically
from dataset_dm.labels.tasks import DEPTH
from dataset_dm.metrics.report import finite
from dataset_dm.optimization.randomness import seeded
from dataset_dm.optimization.state import STATE, Progress
from dataset_dm.readers import LabelledSet
from dataset_dm.training.calibration import calibrate
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.features import FeatureStore
from dataset_dm.training.inputs import chosen_tasks, depth_range, feature_stores, look_through, open_sets
from dataset_dm.training.loop import STATE_FOLDER, Training
from dataset_dm.training.plot import plot_history
from dataset_dm.training.validation import measure

FEATURES = "features"
# every file and folder that a training writes; --overwrite deletes nothing else
WRITTEN = (FEATURES, STATE_FOLDER, CONFIG, WEIGHTS, "training.json", "loss.png", "README.md")


@dataclass(frozen=True)
class TrainResult:
    """Result of a training.

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
    data: str | Path,
    generator: str,
    out: str | Path,
    config: TrainConfig | None = None,
    *,
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    stop_at: int | None = None,
    command: str = "",
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> TrainResult:
    """Train a decoder on labelled images and a frozen generator; writes its checkpoint with record, curves and plot.

    torch's global random state is unchanged.

    Args:
        data: "miniature", a folder in one of the known layouts, a dataset folder or a Hub id.
        generator: the frozen text-to-image model, by name, folder or Hub id.
        out: checkpoint folder; new or empty, unless `resume` or `overwrite`.
        config: all settings that decide the weights.
        device: where the generator and the decoder compute.
        resume: continue an interrupted training in `out`.
        overwrite: delete what an earlier training wrote to `out`.
        stop_at: stop after this step, as if interrupted.
        command: recorded in the checkpoint.
        say: receives progress lines.

    Returns:
        The folder, the steps done, and the held-out figures, `unprompted` and `prompted`.

    Raises:
        ConfigError: settings out of range, or `resume` without an interrupted training.
        DataError: labelled images that are missing, damaged or inconsistent.
        ModelError: the generator cannot be loaded.
        DivergedError: the loss is no longer finite.
        StoreError: `out` cannot be written, or is not empty.

    Examples:
        >>> config = TrainConfig(steps=1, variants=1, num_labelled=2, num_validation=2)
        >>> result = train_decoder("miniature", "miniature", "decoder", config, say=lambda line: None)
        >>> result.steps, sorted(result.figures)
        (1, ['prompted', 'unprompted'])
    """
    folder, settings = Path(out).expanduser(), config or TrainConfig()
    _check(folder, resume, overwrite)
    sets = open_sets(data, settings)
    tasks = chosen_tasks(settings.tasks, sets[0])
    look_through(*sets, say=say)
    backbone, began = Backbone.load(generator, dtype=settings.dtype, device=device), time.monotonic()
    loop = _prepare(sets, tasks, backbone, settings, folder, overwrite, say)
    progress = loop.run(resume=resume and (folder / STATE_FOLDER / STATE).is_file(), stop_at=stop_at)
    if stop_at is not None and stop_at <= progress.step < settings.steps:
        return TrainResult(folder, progress.step, False, {})
    seconds = round(time.monotonic() - began, 1)
    return _finish(loop, progress, command=command, generator=generator, seconds=seconds, device=str(backbone.device))


def _prepare(
    sets: tuple[LabelledSet, LabelledSet],
    tasks: tuple[str, ...],
    backbone: Backbone,
    settings: TrainConfig,
    folder: Path,
    overwrite: bool,
    say: Callable[[str], None],
) -> Training:
    """Makes the folder, extracts the features and builds a new decoder: a training that can be run."""
    training, held_out = sets
    spec = feature_spec(backbone, timestep=DEFAULT_TIMESTEP if settings.timestep is None else settings.timestep)
    if not training.classes:  # depth alone: no class is asked about
        spec = replace(spec, attention=(), attention_heads=0, contrast=())
    _make(folder, overwrite)
    stores = feature_stores(training, held_out, backbone, spec, folder / FEATURES, settings, say)
    measured = {"depth_range": depth_range(training)} if DEPTH.name in tasks else {}
    options = {**measured, **(settings.decoder or {})}
    config = PDecoderConfig(spec=spec, classes=training.classes, tasks=tasks, **options)
    net = _new_decoder(config, stores[0], settings.seed)
    key = {
        "generator": spec.generator,
        "dtype": str(backbone.dtype),
        "data": training.source,
        "images": len(training),
        "validation": held_out.source,  # it chooses the weights that are kept
        "validation_images": len(held_out),
        "spec": spec.to_dict(),
        "decoder": {name: value for name, value in net.config.to_dict().items() if name != "record"},
        "training": asdict(settings),
    }
    return Training(net.to(backbone.device), *stores, settings, folder, key, say)


def _finish(loop: Training, progress: Progress, **run: Any) -> TrainResult:
    """Calibrates and measures the decoder, writes checkpoint, record and plot, removes what only training needed."""
    net, held_out, folder = loop.decoder, loop.validation, loop.folder
    net.configured(**calibrate(net, held_out, loop.config.void_share, loop.config.seed))
    figures = {"unprompted": asdict(measure(net, held_out)), "prompted": asdict(measure(net, held_out, variant=1))}
    record = {
        **public({**run, "data": loop.key["data"], "validation": loop.key["validation"]}),
        "labelled_images": loop.key["images"],
        "validation_images": loop.key["validation_images"],
        "steps": progress.step,
        "best_step": progress.best_step,
        "validation_figures": figures,
    }
    net.configured(record=record).to("cpu").save_pretrained(folder, half=True)
    history = json.dumps(finite({**record, **loop.key, "history": progress.history}), indent=1) + "\n"
    write_atomically(folder / "training.json", history.encode("utf-8"))
    _plot(progress.history, folder / "loss.png", loop.say)
    for leftover in (FEATURES, STATE_FOLDER):
        shutil.rmtree(folder / leftover, ignore_errors=True)
    return TrainResult(folder, progress.step, True, figures)


def _check(folder: Path, resume: bool, overwrite: bool) -> None:
    """StoreError or ConfigError where two trainings would mix in one folder, or other files would be deleted."""
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


def _new_decoder(config: PDecoderConfig, store: FeatureStore, seed: int) -> PDecoder:
    """A new decoder: weights drawn from the seed, scaling measured on up to 64 images, every other one prompted."""
    with seeded(seed, torch.device("cpu")):
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
