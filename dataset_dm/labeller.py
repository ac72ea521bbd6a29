"""Finds an annotator and reads what it says of itself, without torch and without its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dataset_dm.errors import AnnotatorMismatch, ConfigError, ModelError, explain
from dataset_dm.generators import MINIATURE, model_name
from dataset_dm.miniature import locate
from dataset_dm.records import PERSON
from dataset_dm.sources import Source, find
from dataset_dm.tasks import POSE, SEMANTIC


@dataclass(frozen=True, slots=True)
class Labeller:
    """An annotator as a request sees it: where it lies, the classes it was trained on, the heads it has."""

    source: Source
    classes: tuple[str, ...]
    tasks: tuple[str, ...]


def find_labeller(given: object, generator: Source) -> Labeller:
    """The labeller; AnnotatorMismatch when it was trained for another generator."""
    known = {MINIATURE: Path(locate(MINIATURE, "decoder"))}
    source = given if isinstance(given, Source) else find(model_name("annotator", given), what="annotator", known=known)
    config = source.read_json("config.json")
    config = config if isinstance(config, dict) else {}
    classes, spec = config.get("classes"), config.get("spec")
    if not isinstance(classes, list) or not isinstance(spec, dict):
        expected = "a decoder folder written by `dataset-dm train` (config.json and model.safetensors)"
        raise ModelError(explain("annotator", got=given, expected=expected))
    trained_for = spec.get("generator")
    if generator.path is not None and trained_for not in (None, generator.fingerprint()):
        what = f"annotator {source.name!r}: it was trained for the generator with hash {trained_for}"
        remedy = "take that generator, or train a decoder for this one: dataset-dm train --generator … --out decoder/"
        got = f"{generator.name} with hash {generator.fingerprint()}"
        raise AnnotatorMismatch(explain(what, got=got, remedy=remedy))
    return Labeller(source, tuple(classes), tuple(config.get("tasks", (SEMANTIC.name,))))


def check_tasks(tasks: Sequence[str], annotator: Labeller, classes: Sequence[str]) -> None:
    """ModelError when the labeller lacks a head; ConfigError when poses are asked for and nobody can have one."""
    lacking = [name for name in tasks if name not in annotator.tasks]
    if lacking:
        what = f"annotator {annotator.source.name!r}: it reads {', '.join(annotator.tasks)}"
        expected = f"one that reads {', '.join(tasks)} ({', '.join(lacking)} is missing)"
        remedy = "take another config, or train such a decoder: dataset-dm train --task … --out decoder/"
        raise ModelError(f"{what}, expected {expected}; {remedy}")
    if POSE.name in tasks and PERSON not in classes:
        expected = f"a list that holds {PERSON!r}, since keypoints are those of people"
        raise ConfigError(explain("classes", got=list(classes), expected=expected))
