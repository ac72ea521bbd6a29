"""Finds classes in plain text: whole words, plurals, known synonyms; the longest words win."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from dataset_dm.miniature.world import WORDS

# Words of other things that hold a class name; they and their plurals are passed over unless they are a class.
_OTHER_THINGS = ("hot dog", "prairie dog", "cat litter", "car park", "horse chestnut", "teddy bear")

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


def find_classes(text: str, classes: Sequence[str]) -> tuple[str, ...]:
    """The classes that a text names, in the order of `classes`.

    Case, hyphens and runs of blanks do not matter; a name inside a longer name does not count:

    >>> find_classes("Two people, a dining-table and hot dogs", ["dog", "person", "diningtable"])
    ('person', 'diningtable')
    """
    pattern, owner = _matcher(tuple(classes))
    found: set[str] = set()
    for match in pattern.finditer(_plain(text)):
        found.update(owner.get(match.group(0), ()))
    return tuple(name for name in classes if name in found)


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
    spellings = sorted({*owner, *_OTHER_THINGS, *map(plural, _OTHER_THINGS)}, key=len, reverse=True)
    alternatives = "|".join(re.escape(spelling) for spelling in spellings)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)"), owner


def _plain(text: str) -> str:
    return " ".join(re.split(r"[\s_\-‐-―]+", text.lower().strip()))


@functools.cache
def _by_word() -> dict[str, str]:
    return {word: name for name, words in WORDS.items() for word in (name, *words.singular, *words.plural)}


def _known(base: str) -> str | None:
    """The entry of the table of words that a class name belongs to."""
    return _by_word().get(base)
