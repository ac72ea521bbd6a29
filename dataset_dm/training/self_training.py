"""Segmenters of generated sets: `$DATASET_DM_HOME/segmenters/<fingerprint>/`, each trained once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dataset_dm.annotators.segmenter import write_segmenter
from dataset_dm.files.atomic import locked, store_error
from dataset_dm.files.home import home
from dataset_dm.models.device import resolve_device
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.training.generated import read_generated
from dataset_dm.training.segmenter import SegmenterConfig, train_segmenter

# Raised by hand when the same labels and settings train another segmenter than before.
SEGMENTER_VERSION = 3


def segmenter_folder(
    plan: GenerationPlan, split: str, count: int, config: SegmenterConfig, filters: Mapping[str, Any] | None = None
) -> Path:
    """Where the segmenter of these labels is or will be, if their annotator is its teacher."""
    return _folder(_of(plan, split, count, config, filters, plan))


def ensure_segmenter(
    plan: GenerationPlan,
    split: str,
    count: int,
    config: SegmenterConfig,
    *,
    teacher: GenerationPlan | None = None,
    filters: Mapping[str, Any] | None = None,
    device: str = "auto",
    report: Callable[[int], None] | None = None,
) -> Path:
    """The folder of the segmenter of a set, trained now unless it is there; of two processes one trains.

    The folder is complete or missing.

    Args:
        plan: its labels must be in the store.
        split, count: the rows that it is trained on.
        teacher: the plan of the first labels, whose annotator counts beside the segmenter; None is `plan`.
        filters: rows that they drop are not trained on.
        report: called with 1 after every step.
    """
    teacher = plan if teacher is None else teacher
    trained_on = _of(plan, split, count, config, filters, teacher)
    folder = _folder(trained_on)
    with locked(home() / "locks" / f"segmenter-{folder.name}.lock"):
        if folder.is_dir():
            return folder
        device = str(resolve_device(device))
        trained = train_segmenter(read_generated(plan, split, count, filters), config, device=device, report=report)
        settings = {
            "temperature": trained.temperature,
            "void_below": trained.void_below,
            # the annotator's name may be a path, which must not decide the hash of what is trained here
            "trained_on": {**trained_on, "annotator_hash": plan.annotator_hash},
        }
        if config.teacher_weight:
            how = {"teacher_weight": config.teacher_weight, "hash": teacher.annotator_hash}
            settings["teacher"] = {"annotator": teacher.annotator_reference, **how}
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
    plan: GenerationPlan,
    split: str,
    count: int,
    config: SegmenterConfig,
    filters: Mapping[str, Any] | None,
    teacher: GenerationPlan,
) -> dict[str, Any]:
    """All that decides the weights, and the teacher."""
    return {
        "version": SEGMENTER_VERSION,
        "labels": plan.label_fingerprint,
        "split": split,
        "samples": count * plan.samples_per_row,
        "filters": dict(filters or {}),
        "settings": config.to_dict(),
        "teacher": teacher.annotator_hash if config.teacher_weight else None,
    }


def _folder(parts: Mapping[str, Any]) -> Path:
    return home() / "segmenters" / hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
