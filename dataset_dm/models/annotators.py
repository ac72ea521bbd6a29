"""Finds annotators and reads what they say of themselves, without torch and without their weights.

A plan names one annotator as it is, several joined by " + ": `names_of` takes such a name apart again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_dm.errors import AnnotatorMismatch, ConfigError, ModelError, did_you_mean, explain
from dataset_dm.labels.classes import wordings
from dataset_dm.labels.tasks import POSE, SEMANTIC, TASKS
from dataset_dm.labels.vocabulary import PERSON
from dataset_dm.models.attention_settings import ATTENTION, AttentionSettings
from dataset_dm.models.embedded import locate
from dataset_dm.models.generators import MINIATURE
from dataset_dm.models.reference import Source, find, model_name

# the default decoder, by what it is
P_DECODER = "p_decoder"
SEGFORMER = "segformer"  # how transformers calls the network in a segmenter's config
JOIN = " + "


@dataclass(frozen=True, slots=True)
class AnnotatorInfo:
    """An annotator as a request sees it.

    Args:
        name, revision: what opens it again, see `annotators.load`.
        hash: 16 hex digits over its weights and settings.
        classes: the classes it was trained on; empty for one that knows any.
        tasks: the kinds of label it reads.
        closed_vocabulary: whether it labels no class but those.
        parts: of a combined one, else empty.
    """

    name: str
    revision: str | None
    hash: str
    classes: tuple[str, ...]
    tasks: tuple[str, ...]
    closed_vocabulary: bool = False
    parts: tuple[AnnotatorInfo, ...] = ()

    @property
    def reference(self) -> str:
        """`name` or `name@revision`."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"


def find_annotator(given: object, generator: Source) -> AnnotatorInfo:
    """The annotator that a user asks for; AnnotatorMismatch when it was trained for another generator.

    Args:
        given: "p_decoder", "attention", a decoder's or segmenter's folder or Hub id; a dict of a name with settings
            such as {"name": "attention", "power": 2}; a list of such, or their names joined by " + ", whose labels are
            compared. A `Source` is a decoder.
        generator: the model that draws the images.

    Raises ConfigError or ModelError, each one line.
    """
    if isinstance(given, str) and len(names := names_of(given)) > 1:
        given = names
    if isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        return _combined(given, generator)
    if isinstance(given, Mapping):
        return _with_settings(given, generator)
    if isinstance(given, Source):
        return _trained(given, generator, given)
    name = model_name("annotator", given)
    settings = attention_settings(name)
    return _trained(find_trained(name), generator, given) if settings is None else _attention(settings)


def names_of(annotator: str) -> list[str]:
    """The names of the annotators that are joined in one; an existing path is never taken apart."""
    if JOIN not in annotator or Path(annotator).expanduser().exists():
        return [annotator]
    return [name.strip() for name in annotator.split(JOIN)]


def combined_hash(hashes: Sequence[str]) -> str:
    """16 hex digits over those of the parts, in their order: the first one's labels have precedence."""
    return hashlib.sha256(f"combined:{JOIN.join(hashes)}".encode()).hexdigest()[:16]


def attention_settings(name: str) -> AttentionSettings | None:
    """The settings in "attention" or "attention:{…}"; None for any other name. Raises ConfigError for wrong ones."""
    if name.partition(":")[0] != ATTENTION or Path(name).exists():
        return None
    return AttentionSettings.from_name(name)


def find_trained(name: str) -> Source:
    """The decoder or segmenter of that name, folder or Hub id; ModelError with a suggestion when there is none."""
    known = {MINIATURE: Path(locate(MINIATURE, "decoder"))}
    there = Path(name).expanduser().exists()
    if name == P_DECODER and not there:
        name = MINIATURE
    if name in known or there or "/" in name:
        return find(name, what="annotator", known=known)
    expected = f"'{P_DECODER}', '{ATTENTION}', an existing path or a Hub id such as 'owner/name@revision'"
    close = did_you_mean(name, (P_DECODER, ATTENTION, MINIATURE)) or "; check the spelling of the path"
    raise ModelError(explain("annotator", got=name, expected=expected) + close)


def is_segmenter(config: object) -> bool:
    """Whether a config.json is that of a segmenter of transformers rather than of a decoder of ours."""
    return isinstance(config, dict) and config.get("model_type") == SEGFORMER


def segmenter_classes(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in a segmenter's id2label in the order of their ids, without that of id 0, background."""
    names = config.get("id2label") or {}
    return tuple(name for _, name in sorted((int(number), name) for number, name in names.items()))[1:]


def known_classes(asked: Sequence[str], trained: Sequence[str]) -> list[int | None]:
    """For each class asked for its position among those that were trained, in any wording; None where it is not."""
    positions: dict[str, int] = {}
    for names in (trained, *wordings(trained)):  # a class's own name comes before another's further wording
        for at, word in enumerate(names):
            positions.setdefault(word, at)
    spelt = zip(asked, *wordings(asked), strict=True)
    return [next((positions[word] for word in words if word in positions), None) for words in spelt]


def positions_of(asked: Sequence[str], trained: Sequence[str], annotator: str) -> list[int]:
    """`known_classes` of an annotator with a closed vocabulary: ModelError for the first class that it lacks."""
    found = known_classes(asked, trained)
    for name, position in zip(asked, found, strict=True):
        if position is None:
            what = f"annotator {annotator!r}: it does not know the class {name!r}"
            raise ModelError(explain(what, expected=f"some of {', '.join(trained)}{did_you_mean(name, trained)}"))
    return [position for position in found if position is not None]


def check_tasks(tasks: Sequence[str], annotator: AnnotatorInfo, classes: Sequence[str]) -> None:
    """Whether the annotator can read these kinds of labels of these classes.

    Raises ModelError when it lacks a head, or has a closed vocabulary and other classes are asked for; ConfigError
    when poses are asked for without the class person, and for several annotators without class maps to compare.
    """
    lacking = [name for name in tasks if name not in annotator.tasks]
    if lacking:
        what = f"annotator {annotator.name!r}: it reads {', '.join(annotator.tasks)}"
        expected = f"one that reads {', '.join(tasks)} ({', '.join(lacking)} is missing)"
        remedy = "take another config, or train such a decoder: dataset-dm train --task … --out decoder/"
        raise ModelError(f"{what}, expected {expected}; {remedy}")
    if annotator.parts and SEMANTIC.name not in tasks:
        remedy = "take one annotator, or a config with class maps such as semantic or all"
        what = f"annotator {annotator.name!r}: several annotators are compared by their class maps"
        raise ConfigError(explain(what, got=list(tasks), expected=f"{SEMANTIC.name} among them", remedy=remedy))
    for part in annotator.parts or (annotator,):
        if part.closed_vocabulary:
            positions_of(classes, part.classes, part.name)
    if POSE.name in tasks and PERSON not in classes:
        expected = f"a list that holds {PERSON!r}, since keypoints are those of people"
        raise ConfigError(explain("classes", got=list(classes), expected=expected))


def _combined(given: Sequence[object], generator: Source) -> AnnotatorInfo:
    """Of class maps all parts have one; other kinds of label are read by the first part that can."""
    if not given:
        expected = f"at least one annotator such as ['{P_DECODER}', '{ATTENTION}']"
        raise ConfigError(explain("annotator", got=given, expected=expected))
    parts: list[AnnotatorInfo] = []
    for one in given:
        part = find_annotator(one, generator)
        if part.parts:
            raise ConfigError(explain("annotator", got=one, expected="one annotator an entry of the list"))
        if part.hash in [other.hash for other in parts]:
            raise ConfigError(explain("annotator", got=one, expected="every annotator once"))
        if JOIN in part.reference:
            remedy = f"rename it: {JOIN.strip()!r} between spaces joins the names of several annotators"
            raise ConfigError(explain("annotator", got=one, expected="a path that can be joined", remedy=remedy))
        if SEMANTIC.name not in part.tasks:
            remedy = "leave it out: several annotators are compared by their class maps"
            raise ModelError(explain(f"annotator {part.name!r}: it reads no class maps", remedy=remedy))
        parts.append(part)
    if len(parts) == 1:
        return parts[0]
    tasks = tuple(task for task in TASKS if any(task in part.tasks for part in parts))
    name = JOIN.join(part.reference for part in parts)
    digest = combined_hash([part.hash for part in parts])
    return AnnotatorInfo(name, None, digest, _common_classes(parts), tasks, parts=tuple(parts))


def _common_classes(parts: Sequence[AnnotatorInfo]) -> tuple[str, ...]:
    """The first list of classes, without those that a part with a closed vocabulary lacks."""
    common = next((part.classes for part in parts if part.classes), ())
    for part in parts:
        if part.closed_vocabulary:
            known = known_classes(common, part.classes)
            common = tuple(name for name, at in zip(common, known, strict=True) if at is not None)
    return common


def _with_settings(given: Mapping[str, Any], generator: Source) -> AnnotatorInfo:
    if not isinstance(given.get("name"), str):
        expected = f"a name with settings such as {{'name': '{ATTENTION}', 'power': 2}}"
        raise ConfigError(explain("annotator", got=dict(given), expected=expected))
    settings = {key: value for key, value in given.items() if key != "name"}
    if given["name"].strip() == ATTENTION:
        return _attention(AttentionSettings.from_dict(settings))
    found = find_annotator(given["name"], generator)
    if settings:
        remedy = f"leave {', '.join(map(repr, settings))} out"
        raise ConfigError(explain(f"annotator {given['name']!r}: it has no settings", remedy=remedy))
    return found


def _attention(settings: AttentionSettings) -> AnnotatorInfo:
    return AnnotatorInfo(settings.name, None, settings.fingerprint(), (), (SEMANTIC.name,))


def _trained(source: Source, generator: Source, given: object) -> AnnotatorInfo:
    """A trained annotator, a folder or Hub id: its config.json tells which kind."""
    config = source.read_json("config.json")
    if is_segmenter(config):
        classes = segmenter_classes(config)
        return AnnotatorInfo(
            source.name, source.revision, source.fingerprint(), classes, (SEMANTIC.name,), closed_vocabulary=True
        )
    config = config if isinstance(config, dict) else {}
    classes, spec = config.get("classes"), config.get("spec")
    if not isinstance(classes, list) or not isinstance(spec, dict):
        expected = "a decoder folder written by `dataset-dm train` (config.json and model.safetensors)"
        raise ModelError(
            explain("annotator", got=given, expected=f"{expected}, or a segmenter of `dataset-dm relabel`")
        )
    trained_for = spec.get("generator")
    if generator.content is not None and trained_for not in (None, generator.content):
        what = f"annotator {source.name!r}: it was trained for the generator with hash {trained_for}"
        remedy = "take that generator, or train a decoder for this one: dataset-dm train --generator … --out decoder/"
        got = f"{generator.name} with hash {generator.content}"
        raise AnnotatorMismatch(explain(what, got=got, remedy=remedy))
    tasks = tuple(config.get("tasks", (SEMANTIC.name,)))
    return AnnotatorInfo(source.name, source.revision, source.fingerprint(), tuple(classes), tasks)
