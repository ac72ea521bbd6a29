"""The words that this project leaves out, and how often each file still says them: ``python -m tests.words [PATH …]``.

One word for one thing, plain technical English: each entry of :data:`LEFT_OUT` names what is said instead. Names,
docstrings, comments, messages and pages are read alike; ``snake_case`` and ``CamelCase`` count as separate words.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("dataset_dm", "builders", "cards", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
SUFFIXES = (".py", ".md", ".jinja", ".cfg", ".toml")
# what these files say is about the words themselves
OWN = ("tests/words.py", "tests/test_words.py")

# pattern in running text → what to say
LEFT_OUT = {
    r"pictur(?:es?|ed|ing)": "image",
    r"labellers?": "annotator",
    r"things?": "instance (of a class), object",
    r"anew": "resample, again",
    r"(?<!make )(?<!makes )(?<!making )(?:un)?sure(?:r|st|ness)?": "confidence, confident",
    r"nats?": "log-odds, logits",
    r"heed(?:s|ed|ing)?": "confidence, attention",
    r"blind(?:ly|ness)?": "unprompted",
    r"informed": "prompted",
    r"told(?! apart)": "prompted",
    r"whoever|whosoever|nobody|anybody": "name the part that acts",
    r"(?:has|have|had) it made by": "requeue",
    r"(?:goes|go|went) back": "requeue, returns",
    r"fulfil(?:s|led|ling|ment)?": "ensure_trained",
    r"promis(?:es?|ed|ing)": "state; register_lazy_decoder",
    r"cargo": "upload",
    r"patien(?:ce|t)": "retry policy",
    r"nothing was (?:started|drawn|written|done)": "No-op.",
    r"known by now": "Cached: called once per shard.",
    r"gone": "missing, deleted, lost",
}
# pattern of names in source, the folders where it is looked for → what to say
_TRAINING = ("training", "adaptation", "optimization", "miniature/recipe", "evaluation", "cli")
NAMES = {
    r"\bwhole\(": (("",), "check_int"),
    r"\b(?:average|clip|bad)\s*[:=](?!=)|\.(?:average|clip|bad)\b(?!\()": (
        _TRAINING,
        "ema_decay, max_grad_norm, evals_since_best",
    ),
    r"\.(?:cannot|holds|held)\b|\b(?:cannot|holds|held)\s*[:=](?!=)": (
        ("exports", "cli"),
        "unsupported, supports, round_trip",
    ),
}
# file, pattern of a line that may keep its word, why
EXCEPTIONS = (
    ("dataset_dm/training/config.py", r"^RENAMED = ", "settings of earlier versions"),
    ("dataset_dm/training/segmenter.py", r"^RENAMED = ", "settings of earlier versions"),
    ("dataset_dm/cli/train.py", r"patience", "an option of earlier versions"),
    ("tests/training/test_on_demand.py", r"patience", "a setting of earlier versions"),
    ("tests/training/test_scarce_configs.py", r"patience", "a setting of earlier versions"),
    ("tests/training/test_train.py", r"patience", "a setting of earlier versions"),
    ("tests/training/test_segmenter.py", r"heed", "a setting of earlier versions"),
    ("tests/annotators/test_segmenter_with_teacher.py", r'"nats"', "a key in segmenters of earlier versions"),
    ("dataset_dm/prompts/templates.py", r"^PREFIXES = ", "prompts: another wording draws other images"),
    ("dataset_dm/prompts/language_model.py", r'^    "25 words', "prompts: their fingerprint covers the instruction"),
    ("tests/prompts/test_llm_local.py", r'^    "captions of', "words of the templates"),
    ("tests/prompts/test_templates.py", r'^        0: "a picture of', "a prompt of the templates"),
    ("dataset_dm/miniature/world/captions.py", r'^    "a picture of",$', "captions: the generator was trained on them"),
    ("cards/measured.py", r"^_READINGS = ", "keys in checkpoints of earlier versions"),
    ("dataset_dm/training/features.py", r'^    settings\["informed"\]', "a key of stored features"),
    ("dataset_dm/annotators/__init__.py", r'"nats"', "a key in segmenters of earlier versions"),
    (
        "dataset_dm/prompts/language_model.py",
        r'"25 words. It names every thing',
        "a fingerprint covers the instruction",
    ),
    ("dataset_dm/rows/exclusions.py", r'^    how = {"bits"', "a key of stored lists"),
    ("tests/rows/test_exclusions.py", r"found\(\)\.how == ", "a key of stored lists"),
    ("dataset_dm/readers/hub_columns.py", r"^IMAGE_COLUMNS = ", "a name that columns of others have"),
)


def texts(*roots: str) -> Iterator[tuple[str, str]]:
    """Path below the repository and text of every file that is read."""
    for root in roots:
        start = ROOT / root
        for path in sorted(start.rglob("*")) if start.is_dir() else [start] * start.exists():
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in SUFFIXES and name not in OWN and "/weights/" not in name:
                yield name, path.read_text(encoding="utf-8")


def found_in(name: str, text: str) -> list[tuple[int, str]]:
    """Line number and word of everything in a file that is left out."""
    hits = []
    for number, line in enumerate(text.splitlines(), 1):
        if any(name == file and re.search(pattern, line) for file, pattern, _ in EXCEPTIONS):
            continue
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", line).replace("_", " ")
        hits += [(number, match[0].lower()) for match in _RUNNING.finditer(words)]
        for pattern, (folders, _) in NAMES.items():
            if name.endswith(".py") and any(name.startswith(f"dataset_dm/{folder}") for folder in folders):
                hits += [(number, match) for match in re.findall(pattern, line)]
    return hits


def counts(*roots: str) -> Counter[str]:
    """File → how many words it says that are left out."""
    return Counter({name: len(hits) for name, text in texts(*roots) if (hits := found_in(name, text))})


_RUNNING = re.compile(rf"\b(?:{'|'.join(LEFT_OUT)})\b", re.IGNORECASE)


def main(paths: list[str]) -> None:
    """Counts per file, most first; with paths, every line that says such a word."""
    for name, text in texts(*paths):
        for number, word in found_in(name, text):
            print(f"{name}:{number}: {word}: {text.splitlines()[number - 1].strip()}")
    if not paths:
        for roots in (PRODUCT, ("tests",)):
            found = counts(*roots)
            for name, count in found.most_common():
                print(f"{count:5}  {name}")
            print(f"{sum(found.values()):5}  all of {', '.join(roots)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
