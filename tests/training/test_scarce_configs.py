"""Plans whose decoder is trained on few classes or few images: settings, names and one-line refusals."""

import json
from pathlib import Path

import pytest

from dataset_dm.errors import ConfigError, ModelError, UserError
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.prompts import Lines, Templates
from dataset_dm.training.on_demand import DecoderRecipe
from dataset_dm.training.scarce_configs import TRAINING, UNSEEN, rare_first, resolve_config
from dataset_dm.training.subsets import tail_order


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def plan(config: str, **asked: object) -> GenerationPlan:
    return resolve_config(recipe("voc_synth", config), asked)


def written(made: GenerationPlan) -> DecoderRecipe:
    note = Path(f"{made.annotator}.json")
    return DecoderRecipe.from_dict(json.loads(note.read_text(encoding="utf-8")))


def test_five_of_vocs_classes_are_unseen_and_all_are_labelled(home: Path) -> None:
    made = plan("zero_shot")
    assert made.classes == VOC_CLASSES and made.tasks == ("semantic",)
    assert made.prompts == Templates(VOC_CLASSES), "unseen classes are prompted like any other"
    assert Path(made.annotator) == home / "decoders" / made.annotator_hash
    found = written(made)
    assert set(VOC_CLASSES) - set(found.seen) == set(UNSEEN) and len(found.seen) == 15
    assert (found.data, found.num_labelled, found.long_tail, found.training) == ("miniature", None, None, {})
    assert found.fingerprint() == made.annotator_hash


def test_the_decoder_is_named_by_what_decides_it() -> None:
    base = plan("zero_shot").annotator_hash
    assert plan("zero_shot", unseen=UNSEEN[::-1], labelled="miniature", training={}).annotator_hash == base
    assert plan("zero_shot", seed=5, sampler={"steps": 3}, size=(64, 64)).annotator_hash == base, "images are no matter"
    others = [
        plan("zero_shot", unseen=["dog"]),
        plan("zero_shot", num_labelled=30),
        plan("zero_shot", training={"steps": 3}),
        plan("long_tail"),
        plan("long_tail", imbalance=100),
    ]
    assert len({base, *(made.annotator_hash for made in others)}) == 6


def test_a_folder_of_labelled_images_is_kept_by_its_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert written(plan("zero_shot", labelled="mine")).data == str(tmp_path / "mine")
    assert written(plan("zero_shot", training={"validation": "mine"})).training == {
        "validation": str(tmp_path / "mine")
    }


def test_own_classes_with_their_own_unseen_ones() -> None:
    made = plan("zero_shot", classes=["dog", "cat", "sheep"])
    assert written(made).seen == ("dog", "cat"), "of VOC's five one is on the list"
    assert written(plan("zero_shot", classes=["dog", "cat"], unseen=["dog"])).seen == ("cat",)


def test_rare_classes_lead_more_prompts() -> None:
    made = plan("long_tail", imbalance=100)
    shares = dict(made.prompts.weights)
    order = tail_order(VOC_CLASSES)
    assert [shares[name] for name in order] == sorted(shares.values())
    assert shares[order[0]] == pytest.approx(1) and shares[order[-1]] == pytest.approx(10)  # the root of 100
    assert plan("long_tail", rebalance=False).prompts == Templates(VOC_CLASSES)
    assert isinstance(plan("long_tail", prompts=["a dog"]).prompts, Lines), "own prompts are left as they are"
    asked = dict(plan("long_tail", class_mix={"dog": 3, "cat": 1}).prompts.weights)
    assert asked["dog"] == 3 * asked["cat"], "an own mix too"
    some = dict(plan("long_tail", imbalance=100, classes=["dog", "cat"]).prompts.weights)
    assert some == {name: shares[name] for name in ("dog", "cat")}


def test_ranks_are_those_of_the_data_where_its_classes_are_given() -> None:
    """The decoder is trained on a tail over all classes of the data, whichever of them are asked for."""
    names = ("dog", "cat", "sheep", "horse")
    every = rare_first(names, 100, seed=3)
    middle = tail_order(names, 3)[1:3]
    asked = {"imbalance": 100, "labelled": "owner/name", "classes": middle}
    some = plan("long_tail", **asked, training={"classes": names, "seed": 3})
    assert dict(some.prompts.weights) == {name: every[name] for name in middle}
    assert written(some).training == {"classes": list(names), "seed": 3}
    unknown = plan("long_tail", **asked)
    assert sorted(dict(unknown.prompts.weights).values()) == pytest.approx([1, 10]), "ranked among themselves"


def test_shares_are_the_tempered_inverse_of_the_images() -> None:
    shares = rare_first(("a", "b", "c"), 16)
    assert sorted(shares.values()) == pytest.approx([1, 2, 4])  # of 16, 4 and 1 images: 1/4, 1/2, 1


def test_with_an_annotator_of_ones_own_nothing_is_registered(models: dict[str, str], home: Path) -> None:
    made = plan("zero_shot", annotator=models["annotator"], generator=models["generator"])
    assert made.annotator == models["annotator"] and made.classes == VOC_CLASSES and not home.exists()
    tail = plan("long_tail", annotator=models["annotator"], generator=models["generator"])
    assert len(dict(tail.prompts.weights)) == 20 and not home.exists()


def test_other_configs_are_resolved_as_ever(models: dict[str, str], home: Path) -> None:
    from dataset_dm.plan.resolve import resolve_recipe

    assert plan("semantic", **models) == resolve_recipe(recipe("voc_synth", "semantic"), **models)
    assert not home.exists()


def test_settings_of_a_training_are_those_of_the_decoder() -> None:
    earlier = ("steps", "batch", "learning_rate", "evaluate_every", "variants", "timestep", "seed", "decoder",
               "split", "classes", "on_error", "depth_scale", "format", "validation", "validation_split",
               "num_validation")  # fmt: skip
    assert set(earlier) <= set(TRAINING) and not {"tasks", "seen", "long_tail", "num_labelled"} & set(TRAINING)


def test_a_name_of_an_earlier_version_is_understood(home: Path) -> None:
    with pytest.warns(DeprecationWarning, match="training: patience is called early_stop_evals now"):
        old = plan("zero_shot", training={"patience": 2})
    assert written(old).training == {"early_stop_evals": 2}


BAD = [
    ("zero_shot", {"unseen": ["shep"]}, "unseen: got 'shep', expected one of .*did you mean 'sheep'"),
    ("zero_shot", {"unseen": []}, "unseen: got .., expected a list of class names"),
    ("zero_shot", {"unseen": VOC_CLASSES}, "expected at least one class that is seen"),
    (
        "zero_shot",
        {"classes": ["dog", "cat"]},
        "unseen: expected at least one of the classes; name classes of yours such as unseen=",
    ),
    ("zero_shot", {"imbalance": 3}, "voc_synth zero_shot: imbalance is an argument of long_tail"),
    ("semantic", {"labelled": "x"}, "voc_synth semantic: labelled is an argument of zero_shot and long_tail"),
    ("long_tail", {"imbalance": 0.5}, "imbalance: got 0.5, expected a number of at least 1"),
    ("long_tail", {"imbalance": "ten"}, "imbalance: got 'ten'"),
    ("long_tail", {"rebalance": "no"}, "rebalance: got 'no', expected True or False"),
    ("zero_shot", {"labelled": 3}, "labelled: got 3, expected 'miniature', a folder or a Hub id"),
    ("zero_shot", {"num_labelled": 0}, "num_labelled: got 0"),
    ("zero_shot", {"training": 400}, "training: got 400, expected a dict such as"),
    ("zero_shot", {"training": {"step": 4}}, "training: unknown key 'step'.*did you mean 'steps'"),
    ("zero_shot", {"training": {"steps": "4"}}, "training: steps: got '4'"),
    ("zero_shot", {"training": {"decoder": {"width": VOC_CLASSES.index}}}, "expected plain numbers, texts and dicts"),
    ("zero_shot", {"unseen": 5}, "unseen: got 5, expected a list of class names"),
    (
        "zero_shot",
        {"training": {"learning_rate": "fast"}},
        "training: learning_rate: got 'fast', expected a number above",
    ),
    ("zero_shot", {"training": {"learning_rate": 0}}, "training: learning_rate: got 0, expected"),
    ("zero_shot", {"training": {"learning_rate": True}}, "training: learning_rate: got True, expected"),
    ("zero_shot", {"training": {"learning_rate": float("inf")}}, "training: learning_rate: got inf, expected"),
    ("zero_shot", {"training": {"depth_scale": -1}}, "training: depth_scale: got -1, expected a number above 0"),
    ("zero_shot", {"training": {"decoder": 5}}, "training: decoder: got 5, expected a dict"),
    ("zero_shot", {"training": {"classes": 5}}, "training: classes: got 5, expected a list of class names"),
    ("zero_shot", {"training": {"classes": "dog"}}, "training: classes: got 'dog', expected a list of class names"),
    ("zero_shot", {"training": {"classes": [1]}}, "training: classes: got .1., expected a list of class names"),
    ("zero_shot", {"training": {"split": 5}}, "training: split: got 5, expected a text"),
    ("zero_shot", {"training": {"validation": 5}}, "training: validation: got 5, expected 'miniature', a folder"),
    ("zero_shot", {"classes": ["forklift", "sheep"]}, "unknown class 'forklift'"),
]


@pytest.mark.parametrize(("config", "asked", "said"), BAD, ids=[said for _, _, said in BAD])
def test_bad_arguments_are_one_line_and_register_nothing(config: str, asked: dict, said: str, home: Path) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        plan(config, **asked)
    assert "\n" not in str(caught.value) and isinstance(caught.value, UserError)
    assert not home.exists()


def test_a_wrong_annotator_is_refused_with_its_name() -> None:
    with pytest.raises(ModelError, match="annotator: got 'nowhere'"):
        plan("zero_shot", annotator="nowhere")
