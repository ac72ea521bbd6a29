"""Diversity of prompts: distinct-n, exact and near duplicates, balance of the classes.

print(diversity_of(prompts, classes).as_text())
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dataset_dm.labels.classes import find_classes
from dataset_dm.labels.records import Prompt

NEAR = 0.8  # least overlap of near duplicates
_ORDERS = (1, 2, 3)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """Results of `diversity_of`; shares are 0..1.

    Args:
        prompts: number of prompts.
        words: mean words per prompt.
        distinct: n → unique n-grams of words over all n-grams (Li et al. 2016, "distinct-n"). It falls as prompts are
            added: compare equal numbers of prompts.
        duplicates: share of prompts equal to an earlier one except for case and punctuation.
        near_duplicates: share that overlap with an earlier one by `NEAR` or more; includes the duplicates.
        classes: class → prompts that name it, by descending count.
        unnamed: share of prompts that name no class.
        evenness: entropy of the class counts divided by that of a uniform distribution; 0 for a single class.
    """

    prompts: int
    words: float
    distinct: dict[int, float]
    duplicates: float
    near_duplicates: float
    classes: dict[str, int]
    unnamed: float
    evenness: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    def as_text(self) -> str:
        """A few lines for people."""
        lines = [
            ("prompts", f"{self.prompts:,}, {self.words:.1f} words each"),
            ("distinct", ", ".join(f"{n}: {share:.3f}" for n, share in self.distinct.items())),
            ("duplicates", f"{self.duplicates:.1%} exact, {self.near_duplicates:.1%} with near ones"),
        ]
        if self.classes:
            shown = [f"{name} {count:,}" for name, count in self.classes.items() if count]
            never = [name for name, count in self.classes.items() if not count]
            lines.append(("classes", ", ".join(shown) or "none"))
            lines += [("never", ", ".join(never))] if never else []
            lines += [("evenness", f"{self.evenness:.3f}"), ("no class", f"{self.unnamed:.1%} of the prompts")]
        return "\n".join(f"  {name:<12} {text}" for name, text in lines)


def diversity_of(prompts: Iterable[Prompt], classes: Sequence[str] = ()) -> Diversity:
    """The diversity of some prompts. Classes of a prompt without a class list are found in its text.

    Raises:
        ValueError: no prompts.
    """
    given = list(prompts)
    if not given:
        raise ValueError("diversity: got no prompts, expected at least one")
    worded = [_words(prompt.text) for prompt in given]
    texts = Counter(worded)
    copies = len(given) - len(texts)
    named = [
        [name for name in (find_classes(one.text, classes) if one.classes is None else one.classes) if name in classes]
        for one in given
    ]
    counts = Counter({name: 0 for name in classes})
    counts.update(name for names in named for name in names)
    return Diversity(
        prompts=len(given),
        words=sum(map(len, worded)) / len(given),
        distinct={n: _distinct(worded, n) for n in _ORDERS},
        duplicates=copies / len(given),
        near_duplicates=(copies + _near(list(texts))) / len(given),
        classes=dict(counts.most_common()),
        unnamed=sum(not names for names in named) / len(given),
        evenness=_evenness(list(counts.values())),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


def _runs(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def _distinct(worded: Sequence[Sequence[str]], n: int) -> float:
    runs = [run for words in worded for run in _runs(words, n)]
    return len(set(runs)) / len(runs) if runs else 0.0


def _near(texts: Sequence[tuple[str, ...]]) -> int:
    """Number of texts that overlap with an earlier one, by the Jaccard index of their words and word pairs.

    Two sets that overlap by t share one of the (1 - t) n + 1 rarest members of each (prefix filter, Bayardo et al.
    2007). Only texts that share such a member are compared, so the count is exact.
    """
    parts = [set(words) | set(_runs(words, 2)) for words in texts]
    seen = Counter(part for one in parts for part in one)
    rarity = {part: place for place, (part, _) in enumerate(reversed(seen.most_common()))}
    numbered = [{rarity[part] for part in one} for one in parts]
    earlier: dict[int, list[int]] = defaultdict(list)
    found = 0
    for at, one in enumerate(numbered):
        prefix = sorted(one)[: len(one) - math.ceil(NEAR * len(one) - 1e-9) + 1]
        candidates = {other for part in prefix for other in earlier[part]}
        found += _has_near(one, (numbered[other] for other in candidates))
        for part in prefix:
            earlier[part].append(at)
    return found


def _has_near(one: set[int], others: Iterable[set[int]]) -> bool:
    least = NEAR * len(one) - 1e-9
    for other in others:
        if least <= len(other) and NEAR * len(other) - 1e-9 <= len(one):  # no overlap is larger than the sizes allow
            both = len(one & other)
            if both >= NEAR * (len(one) + len(other) - both) - 1e-9:
                return True
    return False


def _evenness(counts: Sequence[int]) -> float:
    total = sum(counts)
    if len(counts) < 2 or not total:
        return 1.0 if total else 0.0
    entropy = -sum(count / total * math.log(count / total) for count in counts if count)
    return entropy / math.log(len(counts))
