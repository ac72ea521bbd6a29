"""The card of a set whose labels people corrected: what was known stays, and it says that people were at work."""

import shutil
from pathlib import Path

import yaml

from dataset_dm.exports import import_set
from dataset_dm.hub import CardFacts, write_card
from dataset_dm.hub.card_facts import read_facts
from tests.exports.sets import CLASSES

MADE = CardFacts(
    name="hand",
    config="all",
    command="dataset-dm generate hand all",
    settings={"generator": "owner/stable-diffusion-xl (0)", "made with": "dataset-dm 0"},
    classes=("background", *CLASSES),
    dropped={"low_confidence": 1},
    limits=("Only tame cats.",),
    license="cc-by-4.0",
    plan={"seed": 7},
)


def card(folder: Path) -> tuple[dict, str]:
    text = (folder / "README.md").read_text(encoding="utf-8")
    return yaml.safe_load(text.split("---")[1]), text


def test_what_was_known_of_the_set_stays(hand_set: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(hand_set, tmp_path / "set")
    write_card(tmp_path / "set", MADE)
    head, text = card(tmp_path / "set")
    assert "no person annotated them" in text and head["annotations_creators"] == ["machine-generated"]

    import_set(exports["coco"], "coco", str(tmp_path / "set"), tmp_path / "v2")
    head, text = card(tmp_path / "v2")
    known = read_facts(tmp_path / "v2")
    assert (known.plan, known.license, known.dropped, known.limits) == (
        MADE.plan,
        MADE.license,
        MADE.dropped,
        MADE.limits,
    )
    assert known.settings.items() >= {**MADE.settings, "reviewed by": "COCO JSON", "rows reviewed": 4}.items()
    assert known.command.splitlines()[0] == MADE.command and len(known.command.splitlines()) == 2
    assert "Open RAIL++-M" in text  # the generator's terms
    assert "no person annotated them" not in text and "People reviewed the labels of 4 of the 4 images" in text
    assert head["annotations_creators"] == ["machine-generated", "other"]


def test_a_set_that_says_nothing_of_itself(hand_set: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    import_set(exports["voc"], "voc", str(hand_set), tmp_path / "v2")
    assert read_facts(tmp_path / "v2").settings["reviewed by"] == "PASCAL VOC"
    assert "People reviewed the labels of 4 of the 4 images" in card(tmp_path / "v2")[1]
