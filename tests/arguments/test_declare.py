"""An argument is declared once: options, config, check, plan, fingerprint and provenance follow from its field."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from dataset_dm.arguments.declare import argument, checked, command_line, entries, python, with_arguments
from dataset_dm.checks import check_int
from dataset_dm.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
TABLE = "dataset_dm/arguments/table.py"
# the one line that declares an argument, and the field that it is put before
GRAIN = (
    '    grain: float = argument(0.0, help="strength of film grain", metavar="G", '
    'check=partial(check_number, minimum=0), part="images", column="float64", read=read.number, example=0.5)\n'
)
BEFORE = "    dtype: str = argument(\n"

FOLLOWS = """
import json, sys
from dataclasses import fields
from datasets import load_dataset
import dataset_dm
from dataset_dm import cli
from dataset_dm.builders.voc_synth import VocSynth
from dataset_dm.errors import ConfigError
from dataset_dm.labels.provenance import PROVENANCE
from dataset_dm.plan.generation_plan import plan_from_dict
from dataset_dm.plan.resolve import resolve_recipe
from dataset_dm.plan.configs import recipe

cache, quick = sys.argv[1], json.loads(sys.argv[2])
def built(**asked):
    return VocSynth(cache_dir=cache, **quick, **asked)
def refused(call):
    try:
        call()
    except ConfigError as error:
        return str(error)
plain, same, grainy = built(), built(grain=0), built(grain=0.25)
plan = grainy.config.plan()
rows = load_dataset("dataset_dm/voc_synth", split="train", num_images=1, grain=0.25, cache_dir=cache, **quick)
print(json.dumps({
    "same": [plain.cache_dir == same.cache_dir, plain.config.plan() == same.config.plan()],
    "plain": plain.config.plan().image_fingerprint,
    "grainy": plan.image_fingerprint,
    "written": ["grain" in plain.config.plan().to_dict(), plan_from_dict(plan.to_dict()) == plan],
    "refused": [refused(lambda: built(grain=-1))],
    "provenance": [list(PROVENANCE)[-1], rows[0]["provenance"]["grain"]],
    "cli": cli.main(["generate", "voc_synth", "--grain", "-1"]),
}))
"""


def test_a_new_argument_touches_one_line(quick: dict, tmp_path: Path) -> None:
    """In a copy of the package with one line more; without the option every fingerprint stays what it was."""
    package = tmp_path / "package"
    for source in [*ROOT.glob("dataset_dm/**/*"), *ROOT.glob("builders/*"), *ROOT.glob("cards/*")]:
        if source.is_file() and "__pycache__" not in source.parts:
            copy = package / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(source)
    init, table = package / "dataset_dm" / "__init__.py", package / TABLE
    for file in (init, table):  # links lead back to the checkout
        text = file.read_text(encoding="utf-8")
        file.unlink()
        file.write_text(text, encoding="utf-8")
    assert text.count(BEFORE) == 1
    table.write_text(text.replace(BEFORE, GRAIN + BEFORE), encoding="utf-8")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *words], cwd=package, capture_output=True, text=True, timeout=300)

    shown = run("-m", "dataset_dm.cli", "generate", "--help")
    assert "--grain G" in shown.stdout and "strength of film grain" in shown.stdout, shown.stderr
    done = run("-c", FOLLOWS, str(tmp_path / "cache"), json.dumps(quick))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["same"] == [True, True] and found["written"] == [False, True]
    assert found["refused"] == ["grain: got -1, expected a number of at least 0; pass for example grain=0.5"]
    said = "error: --grain: got -1, expected a number of at least 0; pass for example --grain 0.5"
    assert found["cli"] == 2 and said in done.stderr
    assert found["provenance"] == ["grain", 0.25]
    without = FOLLOWS.split("def refused")[0] + "print(built().config.plan().image_fingerprint)"
    here = subprocess.run(
        [sys.executable, "-c", without, str(tmp_path / "cache"), json.dumps(quick)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert here.stdout.strip() == found["plain"] != found["grainy"]


@dataclass(frozen=True, kw_only=True)
class Film:
    """A table of a test."""

    iso: int = argument(100, check=partial(check_int, minimum=25), example=400)
    roll: str | None = argument(option="--of-roll")


def test_every_argument_is_checked_or_has_its_default() -> None:
    assert checked(Film, {"iso": None}) == {"iso": 100, "roll": None}
    assert checked(Film, {"iso": 50, "roll": "a"}) == {"iso": 50, "roll": "a"}
    with pytest.raises(ConfigError, match="unknown argument 'isso'; expected one of iso, roll; did you mean 'iso'"):
        checked(Film, {"isso": 1})


def test_messages_spell_an_argument_as_the_caller_does() -> None:
    option = command_line(Film)
    assert (python("iso"), python("iso", 5), option("iso"), option("iso", 5)) == ("iso", "iso=5", "--iso", "--iso 5")
    assert option("roll", ["a", "b"]) == "--of-roll a,b" and option("size", 5) == "size=5"
    for spelling, said in ((python, "^iso: got 3, .*iso=400$"), (option, "^--iso: got 3, .*--iso 400$")):
        with pytest.raises(ConfigError, match=said):
            entries(Film)["iso"].checked(3, spelling)


def test_a_class_gets_the_fields_that_it_lacks() -> None:
    @dataclass
    @with_arguments(of=(Film,))
    class Camera:
        iso: int = 64

    assert Camera() == Camera(iso=64, roll=None)
