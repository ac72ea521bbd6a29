"""The classes and the prompts of a request, checked and resolved to a prompt source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from dataset_dm.arguments.declare import Spelling, python
from dataset_dm.errors import ConfigError, PromptError, did_you_mean, explain
from dataset_dm.labels.classes import find_classes
from dataset_dm.labels.vocabulary import BACKGROUND, MOST_IDS, WORDS
from dataset_dm.models.generators import MINIATURE
from dataset_dm.models.reference import Source
from dataset_dm.prompts import SOURCES, Appended, Templates, at_home, mix_of, named_source, read_prompts
from dataset_dm.prompts.cached_source import Composed
from dataset_dm.prompts.source import PromptSource


def resolve_classes(
    classes: tuple[str, ...] | None, default: tuple[str, ...], generator: Source, spelling: Spelling = python
) -> tuple[str, ...]:
    """The class names that are labelled: those given, else the default.

    Raises ConfigError for names that come twice or that the generator cannot draw as far as that is known.
    """
    if classes is None:
        return default
    what = spelling("classes")
    for position, name in enumerate(classes):
        if name in classes[:position]:
            raise ConfigError(explain(what, got=name, expected="every name once"))
        if name.lower() == BACKGROUND:
            raise ConfigError(explain(what, got=name, expected="names without background, which is always id 0"))
        if generator.name == MINIATURE:
            _check_drawable(name, spelling)
    if len(classes) > MOST_IDS:
        raise ConfigError(explain(what, got=f"{len(classes)} names", expected=f"at most {MOST_IDS}"))
    return classes


def _is_drawable(name: str) -> bool:
    """Whether the embedded generator was trained on the class, by this or another of its words."""
    return bool(find_classes(name, tuple(WORDS)))


def _check_drawable(name: str, spelling: Spelling) -> None:
    """The embedded generator was trained on a small world: of other classes its images show nothing to label."""
    if not _is_drawable(name):
        words = [word for entry in WORDS.values() for word in entry.singular]
        known = ", ".join(WORDS)
        raise ConfigError(
            f"{spelling('classes')}: unknown class {name!r}; the miniature generator draws {known}"
            + (
                did_you_mean(name, [*WORDS, *words])
                or f"; give another {_given(spelling, 'generator')} for other classes"
            )
        )


def resolve_prompts(
    given: object,
    classes: tuple[str, ...],
    generator: Source,
    prompting: Mapping[str, Any],
    *,
    append_classes: bool = False,
    class_mix: Mapping[str, float] | None = None,
    spelling: Spelling = python,
) -> PromptSource:
    """The source of prompts: see `source_of`; by default templates over the classes.

    Args:
        classes: those that are labelled; prompts may name no others.
        prompting: settings of the templates beyond the classes.
        append_classes: whether every prompt ends with the words of its classes, see `Appended`.
        class_mix: class → share of the prompts that it leads, see `Templates`; None: all alike.
        spelling: how messages name the arguments.

    Raises ConfigError or PromptError.
    """
    prompting = {**prompting, **({} if class_mix is None else {"weights": tuple(class_mix.items())})}
    source = source_of(given, lambda: _templates(classes, generator, prompting), classes, spelling)
    if class_mix is not None and not any(one.weights == prompting["weights"] for one in mixes(source)):
        remedy = "leave it out: it weighs templates, captions and what a language model writes, as they are named here"
        raise ConfigError(explain(f"{spelling('class_mix')}: the prompts given are drawn as they are", remedy=remedy))
    return Appended(source, classes) if append_classes and not isinstance(source, Appended) else source


def mixes(source: PromptSource) -> Iterator[Templates]:
    """The templates that decide which classes a source's prompts show; none for texts that are drawn as they are."""
    if isinstance(source, Composed):
        for one, _ in source.shares({}):
            yield from mixes(one)
    elif isinstance(source, Templates):
        yield source
    elif getattr(source, "mix", None) is not None:
        yield source.mix


def source_of(
    given: object,
    templates: Callable[[], Templates],
    classes: tuple[str, ...] | None = None,
    spelling: Spelling = python,
) -> PromptSource:
    """The source that a request means.

    Args:
        given: None for the templates, a source, a name (see `named`), a file, a list of texts, or a mix: a list of
            {"source": any of these, "weight": …}.
        templates: the default prompts.
        classes: those that prompts may say to show; None allows any.
        spelling: how messages name the arguments.

    Raises ConfigError, PromptError or ModelError.
    """
    if isinstance(given, SOURCES):
        return given
    if given is None:
        return templates()
    if isinstance(given, str) and (named := named_source(given, templates())) is not None:
        return named
    # prompts are read more than once, a dict is one prompt, a set has another order in every process
    one_shot = isinstance(given, (Iterator, Mapping, Set, bytes))
    if one_shot or not isinstance(given, (str, Path, Iterable)):
        expected = "a file of prompts or a list of texts, or of sources such as {'source': 'templates', 'weight': 0.3}"
        raise ConfigError(explain(spelling("prompts"), got=given, expected=expected))
    if isinstance(given, Sequence) and any(isinstance(item, Mapping) and "source" in item for item in given):
        return mix_of(given, lambda one: source_of(one, templates, classes, spelling))
    lines = read_prompts(given)
    for line in lines.prompts if classes is not None else ():
        for name in line.classes or ():
            if name not in classes:
                what = f"prompt {line.text!r}: unknown class {name!r}, expected one of {', '.join(classes)}"
                raise PromptError(what + (did_you_mean(name, classes) or f"; add it to {_given(spelling, 'classes')}"))
    return lines


def _templates(classes: tuple[str, ...], generator: Source, prompting: Mapping[str, Any]) -> Templates:
    drawable = tuple(name for name in classes if generator.name != MINIATURE or _is_drawable(name))
    # a label space may be larger than what the generator was trained on
    subset = {"prompted": drawable} if drawable and drawable != classes else {}
    if subset and prompting.get("places"):  # Templates do not filter classes that are given by places
        subset = {"prompted": tuple(name for name in drawable if at_home(name, prompting["places"]))}
    return Templates(classes, **{**subset, **prompting})


def _given(spelling: Spelling, name: str) -> str:
    """An argument that is to be given: "classes=", "--classes"."""
    return f"{name}=" if spelling(name) == name else spelling(name)
