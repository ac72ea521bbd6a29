"""Finds classes in plain text: whole words, plurals, known synonyms; the longest words win."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from dataset_dm.labels.records import Prompt
from dataset_dm.labels.vocabulary import WORDS

# Words of other objects that contain a class name; they and their plurals are skipped unless they are a class.
_OTHER_OBJECTS = ("hot dog", "prairie dog", "cat litter", "car park", "horse chestnut", "teddy bear")

_WORD = re.compile(r"[^\s_\-‐-―]+")
# scripts without blanks between words (Thai to Khmer, kana, Han): there a name is found inside a run of letters
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)

_IRREGULAR = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "goose": "geese",
    "foot": "feet",
    "tooth": "teeth",
    "ox": "oxen",
    "knife": "knives",
    "shelf": "shelves",
    "wolf": "wolves",
    "leaf": "leaves",
    "loaf": "loaves",
    "calf": "calves",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "sheep": "sheep",
    "fish": "fish",
    "deer": "deer",
    "scissors": "scissors",
    "skis": "skis",
}


def plural(noun: str) -> str:
    """The plural of an English noun or noun phrase (its last word changes).

    >>> [plural(noun) for noun in ("car", "bus", "dining table", "puppy", "sheep", "person")]
    ['cars', 'buses', 'dining tables', 'puppies', 'sheep', 'people']
    """
    head, space, word = noun.rpartition(" ")
    if word in _IRREGULAR:
        return f"{head}{space}{_IRREGULAR[word]}"
    if re.search(r"(s|x|z|ch|sh)$", word):
        return f"{noun}es"
    if re.search(r"[^aeiou]y$", word):
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def forms(name: str) -> tuple[str, ...]:
    """All spellings, in lower case, that name the class: itself, spaced, plural, and the known synonyms."""
    base = " ".join(re.split(r"[\s_]+", name.strip().lower()))
    found = {base, plural(base)}
    known = _known(base)
    if known is not None:
        words = WORDS[known]
        found.update(word.lower() for word in (*words.singular, *words.plural, *words.also))
    return tuple(sorted(found))


def singular_and_plural(name: str) -> tuple[str, str]:
    """The words for one and for several, as prompts write them: ("dining table", "dining tables")."""
    known = _known(name.strip().lower())
    if known is not None and name.strip().lower() == known:
        return WORDS[known].singular[0], WORDS[known].plural[0]
    base = " ".join(re.split(r"[\s_]+", name.strip()))
    return base, plural(base)


def world_name(name: str) -> str:
    """What the embedded world calls the class: "airplane" is "aeroplane"; a name that it does not know is unchanged."""
    return _known(" ".join(re.split(r"[\s_]+", name.strip().lower()))) or name


def class_words(names: Sequence[str]) -> list[str]:
    """Class names as a text encoder should read them: "diningtable" is written "dining table"."""
    return [singular_and_plural(name)[0] for name in names]


def wordings(names: Sequence[str]) -> list[list[str]]:
    """The class list in all its wordings, the usual one first: "aeroplane" is "airplane" and "plane" too.

    >>> wordings(["diningtable", "dog"])
    [['dining table', 'dog'], ['table', 'dog']]
    """
    words = [_words(name) for name in names]
    return [[each[turn % len(each)] for each in words] for turn in range(max(map(len, words), default=1))]


def _words(name: str) -> tuple[str, ...]:
    known = _known(name.strip().lower())
    first = singular_and_plural(name)[0]
    return (first,) if known is None else tuple(dict.fromkeys((first, *WORDS[known].singular)))


@dataclass(frozen=True, slots=True)
class Mention:
    """A class named in a text: the characters [begin, end) of the text as it was given."""

    name: str
    begin: int
    end: int


def mentions(text: str, classes: Sequence[str]) -> tuple[Mention, ...]:
    """Every place where a text names one of the classes, from left to right; the places do not overlap.

    Case, hyphens and runs of blanks do not matter; a name inside a longer name does not count. A word that means two
    classes of the list is a mention of both.

    >>> [(one.name, one.begin, one.end) for one in mentions("Two Dogs, a hot dog", ["dog"])]
    [('dog', 4, 8)]
    """
    pattern, owner = _matcher(tuple(classes))
    plain, places = _aligned(text)
    return tuple(
        Mention(name, places[match.start()][0], places[match.end() - 1][1])
        for match in pattern.finditer(plain)
        for name in owner.get(match.group(0), ())
    )


def find_classes(text: str, classes: Sequence[str]) -> tuple[str, ...]:
    """The classes that a text names, in the order of `classes`; see `mentions`.

    >>> find_classes("Two people, a dining-table and hot dogs", ["dog", "person", "diningtable"])
    ('person', 'diningtable')
    """
    pattern, owner = _matcher(tuple(classes))
    found: set[str] = set()
    for match in pattern.finditer(_plain(text)):
        found.update(owner.get(match.group(0), ()))
    return tuple(name for name in classes if name in found)


def class_list(classes: Sequence[str]) -> tuple[str, tuple[Mention, ...]]:
    """The class names one after the other, as a text encoder should read them, and where each of them stands.

    The places are known by construction: no name is taken for a part of its neighbours, as "hot" and "dog" could be.

    >>> class_list(["diningtable", "dog"])[0]
    'dining table dog'
    """
    words, placed, at = class_words(classes), [], 0
    for name, word in zip(classes, words, strict=True):
        placed.append(Mention(name, at, at + len(word)))
        at += len(word) + 1
    return " ".join(words), tuple(placed)


@functools.lru_cache(maxsize=64)
def _matcher(classes: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, tuple[str, ...]]]:
    """One pattern of all spellings, longest first, and who owns each spelling.

    A synonym yields to a class of that very name: with both "car" and "taxi" in the list, "taxi" is not a car.
    """
    own = {spelling: name for name in classes for spelling in (_plain(name), plural(_plain(name)))}
    owner: dict[str, tuple[str, ...]] = {}
    for name in classes:
        for spelling in map(_plain, forms(name)):
            if own.get(spelling, name) == name:
                owner[spelling] = (*owner.get(spelling, ()), name)
    spellings = sorted({*owner, *_OTHER_OBJECTS, *map(plural, _OTHER_OBJECTS)}, key=len, reverse=True)
    runs = itertools.groupby(spellings, key=_unspaced_ends)  # a look-around apiece would be slow to compile
    return re.compile("|".join(_whole(list(run), *ends) for ends, run in runs)), owner


def _unspaced_ends(spelling: str) -> tuple[bool, bool]:
    return bool(_UNSPACED.match(spelling[0])), bool(_UNSPACED.match(spelling[-1]))


def _whole(spellings: Sequence[str], unspaced_begin: bool, unspaced_end: bool) -> str:
    """The pattern of spellings that are no part of a longer word, where their script sets words apart."""
    letter = rf"[\w{_marks()}]"
    before = "" if unspaced_begin else rf"(?<!{letter})"
    after = "" if unspaced_end else rf"(?!{letter})"
    return f"{before}(?:{'|'.join(map(re.escape, spellings))}){after}"


def _plain(text: str) -> str:
    if text.isascii():  # most texts are, and this is ten times as fast
        return " ".join(_WORD.findall(text)).lower()
    return _aligned(text)[0]


def _aligned(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text as it is compared, and for each of its characters where in `text` it comes from.

    Letters and their marks are composed and case is folded, which may change their number; runs of what stands between
    words become one blank.
    """
    plain: list[str] = []
    places: list[tuple[int, int]] = []
    for word in _WORD.finditer(text):
        if plain:
            plain.append(" ")
            places.append((word.start(), word.start()))
        for letter in _letter().finditer(text, word.start(), word.end()):
            folded = unicodedata.normalize("NFC", letter.group(0)).casefold()
            plain.append(folded)
            places += [letter.span()] * len(folded)
    return "".join(plain), places


@functools.cache
def _marks() -> str:
    """The accents and vowel signs of all scripts, as the inside of a character class: `\\w` leaves them out."""
    return "".join(chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M")


@functools.cache
def _letter() -> re.Pattern[str]:
    """A character with its marks."""
    return re.compile(rf".[{_marks()}]*", re.DOTALL)


@functools.cache
def _by_word() -> dict[str, str]:
    return {word: name for name, words in WORDS.items() for word in (name, *words.singular, *words.plural)}


def _known(base: str) -> str | None:
    """The entry of the table of words that a class name belongs to."""
    return _by_word().get(base)


def asked_positions(prompt: Prompt, classes: Sequence[str]) -> list[int]:
    """Positions in `classes` that a prompt asks for, ascending; empty when it names none.

    >>> asked_positions(Prompt("a dog and two cats"), ["cat", "dog", "car"])
    [0, 1]
    """
    named = find_classes(prompt.text, classes) if prompt.classes is None else prompt.classes
    return [position for position, name in enumerate(classes) if name in named]
