"""The classes and the prompts of a request, checked and resolved to a prompt source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from dataset_dm.errors import ConfigError, PromptError, did_you_mean, explain
from dataset_dm.labels.classes import find_classes
from dataset_dm.labels.vocabulary import BACKGROUND, MOST_IDS, WORDS
from dataset_dm.models.generators import MINIATURE
from dataset_dm.models.reference import Source
from dataset_dm.prompts import SOURCES, Appended, Templates, at_home, mix_of, named_source, read_prompts
from dataset_dm.prompts.cached_source import Composed
from dataset_dm.prompts.source import PromptSource


def resolve_classes(given: object, default: tuple[str, ...], generator: Source) -> tuple[str, ...]:
    """The class names that are labelled: those given, else the default.

    Raises ConfigError for anything but names, each once, that the generator can draw as far as that is known.
    """
    if given is None:
        return default
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    if not is_list or not given or not all(isinstance(name, str) and name.strip() for name in given):
        raise ConfigError(explain("classes", got=given, expected="a list of class names such as ['dog', 'chair']"))
    classes = tuple(name.strip() for name in given)
    for position, name in enumerate(classes):
        if name in classes[:position]:
            raise ConfigError(explain("classes", got=name, expected="every name once"))
        if name.lower() == BACKGROUND:
            raise ConfigError(explain("classes", got=name, expected="names without background, which is always id 0"))
        if generator.name == MINIATURE:
            _check_drawable(name)
    if len(classes) > MOST_IDS:
        raise ConfigError(explain("classes", got=f"{len(classes)} names", expected=f"at most {MOST_IDS}"))
    return classes


def _is_drawable(name: str) -> bool:
    """Whether the embedded generator has learnt the class, by this or another of its words."""
    return bool(find_classes(name, tuple(WORDS)))


def _check_drawable(name: str) -> None:
    """The embedded generator has seen a small world: asking it for anything else would yield labels of nothing."""
    if not _is_drawable(name):
        words = [word for entry in WORDS.values() for word in entry.singular]
        known = ", ".join(WORDS)
        raise ConfigError(
            f"classes: unknown class {name!r}; the miniature generator draws {known}"
            + (did_you_mean(name, [*WORDS, *words]) or "; give another generator= for other classes")
        )


def resolve_prompts(
    given: object,
    classes: tuple[str, ...],
    generator: Source,
    prompting: Mapping[str, Any],
    *,
    append_classes: object = False,
    class_mix: object = None,
) -> PromptSource:
    """The source of prompts: see `source_of`; by default templates over the classes.

    Args:
        classes: those that are labelled; prompts may name no others.
        prompting: what the templates are told beyond the classes.
        append_classes: whether every prompt ends with the words of its classes, see `Appended`.
        class_mix: class → share of the prompts that it leads, see `Templates`; None: all alike.

    Raises ConfigError or PromptError.
    """
    if not isinstance(append_classes, bool):
        raise ConfigError(explain("append_classes", got=append_classes, expected="True or False"))
    prompting = {**prompting, **({} if class_mix is None else {"weights": _checked_mix(class_mix)})}
    source = source_of(given, lambda: _templates(classes, generator, prompting), classes)
    if class_mix is not None and not any(one.weights == prompting["weights"] for one in mixes(source)):
        remedy = "leave it out: it weighs templates, captions and what a language model writes, as they are named here"
        raise ConfigError(explain("class_mix: the prompts given are drawn as they are", remedy=remedy))
    return Appended(source, classes) if append_classes and not isinstance(source, Appended) else source


def _checked_mix(given: object) -> tuple[tuple[str, float], ...]:
    if not isinstance(given, Mapping) or not given:
        raise ConfigError(explain("class_mix", got=given, expected="shares such as {'dog': 3, 'cat': 1}"))
    return tuple(given.items())


def mixes(source: PromptSource) -> Iterator[Templates]:
    """The templates that say which classes a source's prompts show; none for texts that are drawn as they are."""
    if isinstance(source, Composed):
        for one, _ in source.shares({}):
            yield from mixes(one)
    elif isinstance(source, Templates):
        yield source
    elif getattr(source, "mix", None) is not None:
        yield source.mix


def source_of(
    given: object, templates: Callable[[], Templates], classes: tuple[str, ...] | None = None
) -> PromptSource:
    """The source that a request means.

    Args:
        given: None for the templates, a source, a name (see `named`), a file, a list of texts, or a mix: a list of
            {"source": any of these, "weight": …}.
        templates: the default prompts.
        classes: those that prompts may say to show; None lets them say any.

    Raises ConfigError, PromptError or ModelError.
    """
    if isinstance(given, SOURCES):
        return given
    if given is None:
        return templates()
    if isinstance(given, str) and (named := named_source(given, templates())) is not None:
        return named
    # a plan is made more than once, a dict is one prompt, a set has another order in every process
    one_shot = isinstance(given, (Iterator, Mapping, Set, bytes))
    if one_shot or not isinstance(given, (str, Path, Iterable)):
        expected = "a file of prompts or a list of texts, or of sources such as {'source': 'templates', 'weight': 0.3}"
        raise ConfigError(explain("prompts", got=given, expected=expected))
    if isinstance(given, Sequence) and any(isinstance(item, Mapping) and "source" in item for item in given):
        return mix_of(given, lambda one: source_of(one, templates, classes))
    lines = read_prompts(given)
    for line in lines.prompts if classes is not None else ():
        for name in line.classes or ():
            if name not in classes:
                what = f"prompt {line.text!r}: unknown class {name!r}, expected one of {', '.join(classes)}"
                raise PromptError(what + (did_you_mean(name, classes) or "; add it to classes="))
    return lines


def _templates(classes: tuple[str, ...], generator: Source, prompting: Mapping[str, Any]) -> Templates:
    drawable = tuple(name for name in classes if generator.name != MINIATURE or _is_drawable(name))
    # a label space may be larger than what the generator has learnt to draw
    subset = {"prompted": drawable} if drawable and drawable != classes else {}
    if subset and prompting.get("places"):  # classes that are named keep out none that is not at home there
        subset = {"prompted": tuple(name for name in drawable if at_home(name, prompting["places"]))}
    return Templates(classes, **{**subset, **prompting})
