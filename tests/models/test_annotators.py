"""Annotators by name, and every refusal in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dataset_dm.errors import ConfigError, ModelError, UserError
from dataset_dm.models.annotators import (
    AnnotatorInfo,
    combined_hash,
    find_annotator,
    known_classes,
    names_of,
    segmenter_classes,
)
from dataset_dm.models.attention_settings import AttentionSettings
from dataset_dm.models.generators import find_generator

# another power than the default: defaults may change, what names mean does not
POWER = AttentionSettings().power
OTHER = POWER + 1
DECODER = {"classes": ["cat", "dog"], "spec": {}, "tasks": ["semantic", "depth"]}
SEGMENTER = {"model_type": "segformer", "id2label": {"0": "background", "2": "airplane", "1": "dog", "10": "sofa"}}


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    """A decoder, one without class maps, a segmenter: of each what a request reads."""
    made = {"decoder": DECODER, "depth": {**DECODER, "tasks": ["depth"]}, "segmenter": SEGMENTER}
    for name, config in made.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        (tmp_path / name / "model.safetensors").write_bytes(name.encode())
    return {name: str(tmp_path / name) for name in made}


def found(given: object) -> AnnotatorInfo:
    return find_annotator(given, find_generator("miniature"))


def test_the_default_decoder_has_two_names() -> None:
    assert found("p_decoder") == found("miniature") and found("p_decoder").name == "miniature"


def test_attention_needs_no_files() -> None:
    plain = found("attention")
    assert (plain.name, plain.revision, plain.classes, plain.tasks) == ("attention", None, (), ("semantic",))
    assert plain.hash == AttentionSettings().fingerprint() and found({"name": "attention", "power": POWER}) == plain
    powerful = found({"name": "attention", "power": OTHER})
    assert powerful.name == f'attention:{{"power":{OTHER}}}' and powerful.hash != plain.hash
    assert found(powerful.name) == powerful


def test_a_list_is_one_annotator_by_its_parts(folders: dict[str, str]) -> None:
    both = found([folders["decoder"], {"name": "attention", "power": OTHER}])
    assert both.name == f'{folders["decoder"]} + attention:{{"power":{OTHER}}}' and both.revision is None
    assert found(both.name) == both and found(names_of(both.name)) == both
    assert both.hash == combined_hash([part.hash for part in both.parts])
    assert both.hash != found(["attention", folders["decoder"]]).hash, "the first part has precedence"
    assert both.classes == ("cat", "dog") and both.tasks == ("semantic", "depth")
    assert found(["attention"]) == found("attention"), "a list of one is that one"


def test_a_path_that_holds_the_joint_is_one_name(tmp_path: Path) -> None:
    (tmp_path / "a + b").mkdir()
    assert names_of(str(tmp_path / "a + b")) == [str(tmp_path / "a + b")] and names_of("a + b") == ["a", "b"]


def test_a_segmenter_says_its_classes_in_the_order_of_their_ids(folders: dict[str, str]) -> None:
    assert segmenter_classes(SEGMENTER) == ("dog", "airplane", "sofa")
    one = found(folders["segmenter"])
    assert one.classes == ("dog", "airplane", "sofa") and one.tasks == ("semantic",) and one.closed_vocabulary
    # of a decoder's classes those that the segmenter knows, in any wording
    assert found([folders["decoder"], folders["segmenter"]]).classes == ("dog",)


def test_classes_are_known_in_any_wording() -> None:
    assert known_classes(["sofa", "aeroplane", "cow"], ["dog", "airplane", "couch"]) == [2, 1, None]
    assert known_classes([], ["dog"]) == [] and known_classes(["dog"], []) == [None]


BAD = [
    ("attnetion", ModelError, "got 'attnetion', expected 'p_decoder', 'attention', an existing.*did you mean 'attent"),
    ("p-decoder", ModelError, "did you mean 'p_decoder'"),
    ([], ConfigError, r"got \[\], expected at least one annotator"),
    (["p_decoder", "miniature"], ConfigError, "got 'miniature', expected every annotator once"),
    (["attention", {"name": "attention", "power": POWER}], ConfigError, "every annotator once"),
    (["attention", ["p_decoder", "attention"]], ConfigError, "one annotator an entry"),
    ({"name": "attention", "pwer": 2}, ConfigError, "unknown setting 'pwer'; did you mean 'power'"),
    ({"name": "attention", "power": -1}, ConfigError, "power: got -1, expected a whole number from 0 on"),
    (
        {"name": "attention", "foreground": 0.2, "background": 0.5},
        ConfigError,
        "background: got 0.5, expected at most foreground",
    ),
    ({"name": "p_decoder", "power": 2}, ConfigError, "'p_decoder': it has no settings; leave 'power' out"),
    ({"power": 2}, ConfigError, "expected a name with settings"),
    ("attention:{power}", ConfigError, "expected attention or attention:{settings as JSON}"),
    ("attention + ", ConfigError, "got '', expected a name"),
    (5, ConfigError, "got 5, expected a name, a path or a Hub id"),
    ([None], ConfigError, "got None"),
]


@pytest.mark.parametrize(("given", "kind", "said"), BAD)
def test_refusals_are_one_line(given: object, kind: type[UserError], said: str) -> None:
    with pytest.raises(kind, match=said) as caught:
        found(given)
    assert "\n" not in str(caught.value)


def test_a_part_without_class_maps_is_refused(folders: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="it reads no class maps; leave it out"):
        found([folders["depth"], "attention"])


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="expected a decoder folder.*or a segmenter of `dataset-dm relabel`"):
        found(str(tmp_path))


def test_no_torch_is_needed() -> None:
    code = """
import sys
from dataset_dm.plan.resolve import resolve
from dataset_dm.labels.tasks import SEMANTIC
resolve(SEMANTIC, annotator=["p_decoder", "attention"], append_classes=True)
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
