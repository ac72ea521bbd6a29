"""Segmenters of generated sets: `$DATASET_DM_HOME/segmenters/<fingerprint>/`, each trained once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from dataset_dm.annotators.segmenter import write_segmenter
from dataset_dm.files import locked, store_error
from dataset_dm.home import home
from dataset_dm.plan import GenerationPlan
from dataset_dm.training.generated import read_generated
from dataset_dm.training.segmenter import SegmenterConfig, train_segmenter

# Raised by hand when the same labels and settings train another segmenter than before.
SEGMENTER_VERSION = 2


def segmenter_folder(
    plan: GenerationPlan, split: str, count: int, config: SegmenterConfig, filters: Mapping[str, Any] | None = None
) -> Path:
    """Where the segmenter of these labels lies, or would."""
    return home() / "segmenters" / _fingerprint(_of(plan, split, count, config, filters))


def ensure_segmenter(
    plan: GenerationPlan,
    split: str,
    count: int,
    config: SegmenterConfig,
    *,
    filters: Mapping[str, Any] | None = None,
    device: str = "auto",
    report: Callable[[int], None] | None = None,
) -> Path:
    """The folder of the segmenter of a set, trained now unless it is there; of two processes one trains.

    It is there whole or not at all.

    Args:
        plan: its labels must be in the store.
        split, count: the rows that it is trained on.
        filters: rows that they drop are not trained on.
        report: told after every step.
    """
    folder = segmenter_folder(plan, split, count, config, filters)
    with locked(home() / "locks" / f"segmenter-{folder.name}.lock"):
        if folder.is_dir():
            return folder
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        trained = train_segmenter(read_generated(plan, split, count, filters), config, device=device, report=report)
        settings = {
            "temperature": trained.temperature,
            "void_below": trained.void_below,
            # the annotator's name may be a path, which must not decide the hash of what is trained here
            "trained_on": {**_of(plan, split, count, config, filters), "annotator_hash": plan.annotator_hash},
        }
        part = folder.with_name(f".{folder.name}.part")
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            write_segmenter(part, trained.net, settings)
            os.replace(part, folder)
        except OSError as error:
            raise store_error(folder, error) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def _of(
    plan: GenerationPlan, split: str, count: int, config: SegmenterConfig, filters: Mapping[str, Any] | None
) -> dict[str, Any]:
    """All that decides the weights."""
    return {
        "version": SEGMENTER_VERSION,
        "labels": plan.label_fingerprint(),
        "split": split,
        "samples": count * plan.samples_per_row,
        "filters": dict(filters or {}),
        "settings": config.to_dict(),
    }


def _fingerprint(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
