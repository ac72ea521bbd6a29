"""The tokens of each class in a text, by the tokenizer's own offsets.

    class_spans(backbone, "a hot dog on a bench", ["bench", "hot dog"])      # in a caption
    for text, spans in class_prompts(backbone, ["hot dog", "pizza"]): ...    # in the class names alone

Counting words does not work: "aeroplane car" may be four tokens, and "fire hydrant" is one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataset_dm.errors import ConfigError, GeneratorError, explain
from dataset_dm.labels.classes import Mention, class_list, mentions

if TYPE_CHECKING:
    from dataset_dm.diffusion.backbone import Backbone


@dataclass(frozen=True, slots=True)
class Span:
    """One mention of a class.

    Args:
        name: the class.
        begin, end: its characters [begin, end) in the text.
        tokens: positions of its tokens among the text states of `Backbone.encode_text`, ascending, not empty.
    """

    name: str
    begin: int
    end: int
    tokens: tuple[int, ...]


def class_spans(backbone: Backbone, text: str, classes: Sequence[str]) -> tuple[Span, ...]:
    """Every mention of the classes in a text, from left to right, as `labels.classes.mentions` finds them.

    A mention is left out if the text encoder cuts off one of its tokens: a part of "hot dog" is another class.

    Raises:
        GeneratorError: the tokenizer gives no offsets.

    Example:
        >>> [span.name for span in class_spans(backbone, "two dogs by a car", ["car", "dog"])]  # doctest: +SKIP
        ['dog', 'car']
    """
    return _spans(backbone, text, mentions(text, classes))


def class_prompts(backbone: Backbone, classes: Sequence[str]) -> list[tuple[str, tuple[Span, ...]]]:
    """Texts of class names alone, with the tokens of each: one text where they fit, else several.

    Every class is in exactly one of the texts, in the order of the list.

    Raises:
        ConfigError: no classes, or one that is too long or without a token.
        GeneratorError: the tokenizer gives no offsets.
    """
    if isinstance(classes, str) or not classes:
        raise ConfigError(explain("classes", got=classes, expected="a list of at least one name"))
    texts = []
    left = list(classes)
    while left:
        text, placed = class_list(left)
        spans = _spans(backbone, text, placed)
        # a text is cut at its end
        read = next((at for at, mention in enumerate(placed) if mention.name not in _names(spans)), len(left))
        if not read:
            expected = f"a name of one to {backbone.max_tokens - 2} tokens"
            raise ConfigError(explain("class name", got=left[0], expected=expected))
        if read < len(left):
            text, placed = class_list(left[:read])
            spans = _spans(backbone, text, placed)
        texts.append((text, spans))
        left = left[read:]
    return texts


def tokens_of(spans: Sequence[Span], name: str) -> tuple[int, ...]:
    """The positions of all tokens of one class, every mention together, ascending; () when it is not mentioned."""
    return tuple(sorted({at for span in spans if span.name == name for at in span.tokens}))


def own_positions(backbone: Backbone, text: str, begin: int, end: int) -> list[int]:
    """Positions of the tokens of the characters [begin, end) of a text, in the text before any cut.

    Raises:
        GeneratorError: the tokenizer gives no offsets.
    """
    return _overlapping(_offsets(backbone, text), begin, end)


def _spans(backbone: Backbone, text: str, placed: Sequence[Mention]) -> tuple[Span, ...]:
    offsets = _offsets(backbone, text)
    ending = next((at for at, place in enumerate(reversed(offsets)) if place is not None), 0)
    # a text that is cut keeps its end token
    read = len(offsets) if len(offsets) <= backbone.max_tokens else backbone.max_tokens - ending
    found = []
    for mention in placed:
        tokens = _overlapping(offsets, mention.begin, mention.end)
        if tokens and tokens[-1] < read:
            found.append(Span(mention.name, mention.begin, mention.end, tuple(tokens)))
    return tuple(found)


def _names(spans: Sequence[Span]) -> set[str]:
    return {span.name for span in spans}


def _offsets(backbone: Backbone, text: str) -> list[tuple[int, int] | None]:
    """Character range of every token of the uncut text; None for special tokens."""
    tokenizer = backbone.pipe.tokenizer
    if not tokenizer.is_fast:
        raise GeneratorError(
            f"generator {backbone.source!r}: its tokenizer gives no offsets; save it with tokenizer.json"
        )
    coded = tokenizer(
        text, return_offsets_mapping=True, return_special_tokens_mask=True, truncation=False, verbose=False
    )
    places = zip(coded["offset_mapping"], coded["special_tokens_mask"], strict=True)
    return [None if special else tuple(place) for place, special in places]


def _overlapping(offsets: Sequence[tuple[int, int] | None], begin: int, end: int) -> list[int]:
    return [at for at, place in enumerate(offsets) if place is not None and place[0] < end and place[1] > begin]
