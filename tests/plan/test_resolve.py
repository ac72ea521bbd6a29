"""From arguments to a plan: defaults, equal spellings, and every refusal in one line."""

import json
import shutil
from pathlib import Path

import pytest

from dataset_dm.errors import AnnotatorMismatch, ConfigError, GeneratorError, ModelError, PromptError, UserError
from dataset_dm.labels.coco import COCO_CLASSES
from dataset_dm.labels.tasks import DEPTH, INSTANCE, POSE, SEMANTIC, TASKS
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.captions import SETTINGS
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import plan_from_dict
from dataset_dm.plan.resolve import ENDLESS, resolve, resolve_recipe, resolve_splits
from dataset_dm.prompts import Appended, Templates

CONFIGS = ("model_index.json", "unet/config.json", "vae/config.json", "scheduler/scheduler_config.json")


def plan(models: dict[str, str], **asked: object):
    return resolve(SEMANTIC, **{**models, **asked})


@pytest.fixture
def copy(generator_folder: Path, tmp_path: Path) -> Path:
    """A pipeline of which nobody needs the real weights."""
    for name in CONFIGS:
        (tmp_path / "pipe" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(generator_folder / name, tmp_path / "pipe" / name)
    for part in ("unet", "vae", "text_encoder"):
        (tmp_path / "pipe" / part).mkdir(exist_ok=True)
        (tmp_path / "pipe" / part / "model.safetensors").write_bytes(part.encode())
    return tmp_path / "pipe"


@pytest.fixture
def decoder(tmp_path: Path) -> Path:
    """An annotator that fits every generator."""
    (tmp_path / "decoder").mkdir()
    (tmp_path / "decoder" / "config.json").write_text(json.dumps({"classes": ["cat", "dog"], "spec": {}}))
    (tmp_path / "decoder" / "model.safetensors").write_bytes(b"weights")
    return tmp_path / "decoder"


def test_defaults(models: dict[str, str]) -> None:
    made = plan(models)
    assert made.classes == VOC_CLASSES and made.prompts == Templates(VOC_CLASSES)
    assert (made.size, made.dtype, made.seed) == ((128, 128), "float32", 0)
    assert (made.batch_size, made.shard_size) == (16, 16)


def test_a_default_that_is_spelt_out_is_the_same_plan(models: dict[str, str]) -> None:
    made = plan(models)
    sampler = {"steps": made.steps, "guidance": made.guidance, "scheduler": made.scheduler}
    spelt = plan(
        models, size=[128, 128], seed=0, sampler=sampler, batch_size=16, shard_size=16, classes=list(VOC_CLASSES)
    )
    assert spelt == made


def test_a_generator_may_say_how_it_is_sampled(copy: Path, decoder: Path) -> None:
    asked = {"generator": str(copy), "annotator": str(decoder)}
    assert (plan(asked).steps, plan(asked).guidance) == (30, 7.5)
    (copy / "sampler.json").write_text(json.dumps({"steps": 12, "guidance": 3}))
    assert (plan(asked).steps, plan(asked).guidance) == (12, 3.0)
    assert (plan(asked, sampler={"steps": 5}).steps, plan(asked, sampler={"steps": 5}).guidance) == (5, 3.0)
    for word in (None, "none", "None"):
        assert plan(asked, sampler={"guidance": word}).guidance is None


def test_the_defaults_are_those_of_the_sampler_itself(backbone, models: dict[str, str]) -> None:
    from dataset_dm.diffusion import default_sampler

    own = default_sampler(backbone)
    assert (plan(models).steps, plan(models).guidance) == (own.steps, own.guidance)


@pytest.mark.parametrize(("size", "batch"), [((128, 128), 16), ((512, 512), 4), ((1024, 1024), 1), ((512, 768), 2)])
def test_larger_pictures_come_in_smaller_batches(copy: Path, decoder: Path, size: tuple[int, int], batch: int) -> None:
    made = plan({"generator": str(copy), "annotator": str(decoder)}, size=size)
    assert (made.size, made.batch_size) == (size, batch)


def test_sizes_may_be_written_as_text(models: dict[str, str]) -> None:
    assert plan(models, size="96x160").size == (96, 160)


BAD = [
    ({"num": 1}, ConfigError, "unknown argument 'num'"),
    ({"genrator": "x"}, ConfigError, "did you mean 'generator'"),
    ({"generator": "nowhere"}, GeneratorError, "got 'nowhere', expected 'miniature', an existing path or a Hub id"),
    ({"generator": 5}, ConfigError, "generator: got 5"),
    ({"annotator": "nowhere"}, ModelError, "annotator: got 'nowhere'"),
    ({"adapter": "nowhere.safetensors"}, ModelError, "adapter: got 'nowhere.safetensors'"),
    ({"seed": -1}, ConfigError, "seed: got -1, expected a whole number of at least 0"),
    ({"seed": 1.5}, ConfigError, "seed: got 1.5"),
    ({"size": (100, 100)}, ConfigError, "expected .height, width. in multiples of"),
    ({"size": "big"}, ConfigError, "size: got 'big'"),
    ({"size": (0, 128)}, ConfigError, "size: got"),
    ({"size": "²x128"}, ConfigError, "size: got '²x128'"),
    ({"sampler": {"step": 3}}, ConfigError, "unknown key 'step'.*did you mean 'steps'"),
    ({"sampler": 20}, ConfigError, "sampler: got 20, expected a dict"),
    ({"sampler": {"steps": 0}}, ConfigError, "steps: got 0, expected a whole number of at least 1"),
    ({"sampler": {"guidance": "high"}}, ConfigError, "guidance: got 'high'"),
    ({"sampler": {"guidance": float("nan")}}, ConfigError, "guidance: got nan"),
    ({"sampler": {"scheduler": 3}}, ConfigError, "scheduler: got 3"),
    ({"dtype": "float8"}, ConfigError, "dtype: got 'float8', expected float32 or float16 or bfloat16"),
    ({"batch_size": 5}, ConfigError, "batch_size: got 5, expected a divisor of shard_size=16"),
    ({"batch_size": True}, ConfigError, "batch_size: got True"),
    ({"splice": (2,)}, ConfigError, r"splice: got \(2,\), expected .rows, columns. of tiles, each 1 to 8, such as"),
    ({"splice": (0, 2)}, ConfigError, "splice: got"),
    ({"splice": "2x9"}, ConfigError, "splice: got '2x9'"),
    ({"splice": 2}, ConfigError, "splice: got 2"),
    ({"splice": (2, 3), "shard_size": 16}, ConfigError, "shard_size: got 16, expected a multiple of the 6 tiles"),
    ({"append_classes": "yes"}, ConfigError, "append_classes: got 'yes', expected True or False"),
    ({"classes": []}, ConfigError, "classes: got .., expected a list of class names"),
    ({"classes": "dog"}, ConfigError, "classes: got 'dog', expected a list"),
    ({"classes": ["dog", "dog"]}, ConfigError, "classes: got 'dog', expected every name once"),
    ({"classes": ["background"]}, ConfigError, "without background"),
    ({"prompts": 3}, ConfigError, "prompts: got 3"),
    ({"class_mix": {"dgo": 3}}, PromptError, "weights: got 'dgo', expected aeroplane or .*; did you mean 'dog'"),
    ({"class_mix": {"dog": -1}}, PromptError, "weight of dog: got -1, expected a number of at least 0"),
    ({"class_mix": ["dog"]}, ConfigError, "class_mix: got .'dog'., expected shares such as"),
    (
        {"class_mix": {"dog": 3}, "prompts": ["a dog"]},
        ConfigError,
        "class_mix: the prompts given are drawn as they are",
    ),
    ({"prompts": [{"source": "templates", "weight": 0}]}, PromptError, "weight of a source: got 0"),
    ({"prompts": {"prompt": "a dog"}}, ConfigError, "prompts: got .*expected a file of prompts or a list of texts"),
    ({"prompts": iter(["a dog"])}, ConfigError, "prompts: got .*expected a file of prompts or a list of texts"),
    ({"prompts": {"a dog", "a cat"}}, ConfigError, "prompts: got .*expected a file of prompts or a list of texts"),
    ({"prompts": ["a cat", "a | b"], "splice": "1x2"}, PromptError, "prompt 'a | b': ' | ' stands between the prompts"),
    ({"prompts": "nowhere.txt"}, PromptError, "nowhere.txt: cannot be read"),
    ({"prompts": [{"prompt": "a dgo", "classes": ["dgo"]}]}, PromptError, "unknown class 'dgo'.*did you mean 'dog'"),
]


@pytest.mark.parametrize(("asked", "kind", "said"), BAD, ids=[said for _, _, said in BAD])
def test_bad_arguments_are_one_clear_line(
    models: dict[str, str], asked: dict, kind: type[UserError], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught:
        plan(models, **asked)
    assert "\n" not in str(caught.value)


def test_the_embedded_generator_refuses_what_it_cannot_draw(models: dict[str, str]) -> None:
    asked = {"generator": "miniature", "annotator": models["annotator"]}
    with pytest.raises(ConfigError, match="unknown class 'dgo'.*did you mean 'dog'"):
        plan(asked, classes=["dgo"])
    with pytest.raises(ConfigError, match="unknown class 'forklift'.*give another generator= for other classes"):
        plan(asked, classes=["car", "forklift"])


def test_a_folder_that_is_no_pipeline(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="expected a folder saved by diffusers"):
        resolve(SEMANTIC, generator=str(tmp_path))


def test_pickled_weights_are_refused(copy: Path) -> None:
    (copy / "unet" / "model.safetensors").rename(copy / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(
        GeneratorError, match=r"'unet' has pickled weights only .\.bin., .*save it again .*safe_serialization"
    ):
        resolve(SEMANTIC, generator=str(copy))


def test_a_decoder_for_another_generator_is_refused_before_anything_is_loaded(
    copy: Path, models: dict[str, str]
) -> None:
    with pytest.raises(AnnotatorMismatch, match="trained for the generator with hash .*got .*train a decoder"):
        resolve(SEMANTIC, generator=str(copy), annotator=models["annotator"])


def test_a_folder_that_is_no_decoder(models: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a decoder folder written by `dataset-dm train`"):
        plan(models, annotator=str(tmp_path))
    (tmp_path / "config.json").write_text('["a", "list"]')
    with pytest.raises(ModelError, match="expected a decoder folder written by `dataset-dm train`"):
        plan(models, annotator=str(tmp_path))


@pytest.mark.parametrize(
    ("splice", "pair", "shard", "batch"),
    [
        ((2, 2), (2, 2), 16, 16),
        ("2x2", (2, 2), 16, 16),
        ([1, 3], (1, 3), 18, 9),
        ("3X3", (3, 3), 18, 9),
        ((8, 8), (8, 8), 64, 16),
        ("1x1", None, 16, 16),
    ],
)
def test_mosaics_fill_whole_shards(
    models: dict[str, str], splice: object, pair: tuple[int, int] | None, shard: int, batch: int
) -> None:
    made = plan(models, splice=splice)
    assert (made.splice, made.shard_size, made.batch_size) == (pair, shard, batch)


def test_an_annotator_without_the_head_is_refused(decoder: Path, copy: Path) -> None:
    asked = {"generator": str(copy), "annotator": str(decoder)}
    said = "it reads semantic, expected one that reads instance, pose .instance, pose is missing.; take another config"
    with pytest.raises(ModelError, match=said) as caught:
        resolve((POSE, INSTANCE), **asked)
    assert "\n" not in str(caught.value)


def with_heads(decoder: Path, *tasks: str, classes: tuple[str, ...] = ("cat", "dog")) -> None:
    config = {"classes": list(classes), "spec": {}, "tasks": list(tasks)}
    (decoder / "config.json").write_text(json.dumps(config))


def test_tasks_come_in_one_order(decoder: Path, copy: Path) -> None:
    with_heads(decoder, *TASKS, classes=("person",))
    made = resolve((POSE, INSTANCE, SEMANTIC), generator=str(copy), annotator=str(decoder))
    assert made.tasks == ("semantic", "instance", "pose")
    assert resolve(DEPTH, generator=str(copy), annotator=str(decoder)).tasks == ("depth",)


def test_keypoints_need_people(decoder: Path, copy: Path) -> None:
    with_heads(decoder, *TASKS)
    asked = {"generator": str(copy), "annotator": str(decoder)}
    with pytest.raises(ConfigError, match="classes: got .*'cat', 'dog'.*expected a list that holds 'person'"):
        resolve((INSTANCE, POSE), **asked)
    made = resolve_recipe(recipe("coco_synth", "keypoints"), **asked)
    assert all(made.prompt("train", index).classes[0] == "person" for index in range(40))
    assert {len(made.prompt("train", index).classes) for index in range(40)} == {1, 2}


def test_coco_labels_80_classes_and_prompts_those_that_can_be_drawn(
    decoder: Path, copy: Path, models: dict[str, str]
) -> None:
    with_heads(decoder, *TASKS)
    chosen = recipe("coco_synth", "instance")
    embedded = resolve_recipe(chosen, generator="miniature", annotator=str(decoder))
    other = resolve_recipe(chosen, generator=str(copy), annotator=str(decoder))
    assert embedded.classes == other.classes == COCO_CLASSES
    named = {name for index in range(200) for name in embedded.prompt("train", index).classes}
    assert named == {
        *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "boat", "bird", "cat", "dog", "horse"),
        *("sheep", "cow", "bottle", "chair", "couch", "potted plant", "dining table", "tv"),
    }
    assert other.prompts == Templates(COCO_CLASSES)
    own = resolve_recipe(chosen, generator="miniature", annotator=str(decoder), classes=["couch", "dog"])
    assert own.classes == ("couch", "dog") and own.prompts == Templates(("couch", "dog"))


def test_nyu_is_indoors(decoder: Path, copy: Path) -> None:
    with_heads(decoder, *TASKS, classes=VOC_CLASSES)
    made = resolve_recipe(recipe("nyu_synth"), generator="miniature", annotator=str(decoder))
    for index in range(60):
        assert any(made.prompt("train", index).text.endswith(words) for words in SETTINGS["room"])


def test_nyu_prompts_of_coco_s_names_are_indoors_too(decoder: Path, copy: Path) -> None:
    with_heads(decoder, *TASKS, classes=COCO_CLASSES)
    made = resolve_recipe(recipe("nyu_synth"), generator="miniature", annotator=str(decoder))
    prompts = [made.prompt("train", index) for index in range(100)]
    assert all(one.text.endswith(tuple(SETTINGS["room"])) for one in prompts)
    named = {name for one in prompts for name in one.classes}
    assert {"couch", "chair", "cat"} <= named and not {"airplane", "boat", "cow"} & named


def test_a_labeller_of_depth_alone_needs_no_classes(decoder: Path, copy: Path) -> None:
    config = json.loads((decoder / "config.json").read_text())
    (decoder / "config.json").write_text(json.dumps({**config, "classes": [], "tasks": ["depth"]}))
    rooms = resolve_recipe(recipe("nyu_synth"), generator=str(copy), annotator=str(decoder))
    assert rooms.tasks == ("depth",) and rooms.prompt("train", 0).text


def test_splits() -> None:
    default = {"train": 64, "validation": 16}
    assert resolve_splits(None, None, default) == default
    assert resolve_splits(5, None, default) == {"train": 5, "validation": 16}
    assert resolve_splits(None, {"night": 3}, default) == {"night": 3}
    assert resolve_splits(ENDLESS, None, default) == {"train": ENDLESS, "validation": 16}
    assert resolve_splits(None, {"train": None, "test": 2}, default) == {"train": ENDLESS, "test": 2}


@pytest.mark.parametrize(
    ("num_images", "splits", "said"),
    [
        ("abc", None, "num_images: got 'abc', expected a whole number of at least 1"),
        ("5", None, "num_images: got '5'"),
        (0, None, "num_images: got 0"),
        (-3, None, "num_images: got -3"),
        (True, None, "num_images: got True"),
        (2.0, None, "num_images: got 2.0"),
        (5, {"train": 5}, "give one"),
        (None, {}, "splits: got {}"),
        (None, ["train"], "splits: got"),
        (None, {"train": 0}, r"splits\['train'\]: got 0"),
        (None, {"all": 5}, "splits: name: got 'all'"),
        (None, {"a/b": 5}, "splits: name: got 'a/b'"),
        (None, {"train\n": 5}, "splits: name: got 'train"),
    ],
)
def test_bad_counts(num_images: object, splits: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve_splits(num_images, splits, {"train": 64})


def test_every_labeller_has_the_same_images(models: dict[str, str]) -> None:
    base = plan(models)
    for annotator in ("attention", [models["annotator"], "attention"], {"name": "attention", "power": 2}):
        made = plan(models, annotator=annotator)
        assert made.image_fingerprint == base.image_fingerprint
        assert made.label_fingerprint != base.label_fingerprint
        assert plan_from_dict(json.loads(json.dumps(made.to_dict()))) == made
        assert plan(models, annotator=made.annotator) == made, "a plan's own name opens it again"


def test_a_labeller_must_read_what_the_config_wants(models: dict[str, str], decoder: Path, copy: Path) -> None:
    with pytest.raises(ModelError, match="'attention': it reads semantic, expected one that reads semantic, instance"):
        resolve((SEMANTIC, INSTANCE), **{**models, "annotator": "attention"})
    asked = {"generator": str(copy), "annotator": [str(decoder), "attention"]}
    assert resolve(SEMANTIC, **asked).tasks == ("semantic",)
    config = {"classes": ["cat", "dog"], "spec": {}, "tasks": ["semantic", "depth"]}
    (decoder / "config.json").write_text(json.dumps(config))
    assert resolve((SEMANTIC, DEPTH), **asked).tasks == ("semantic", "depth"), "depth is read by the first that can"
    with pytest.raises(ConfigError, match="compared by their class maps: got .'depth'., expected semantic among them"):
        resolve(DEPTH, **asked)


def test_a_segmenter_labels_its_own_classes_only(copy: Path, decoder: Path) -> None:
    config = {"model_type": "segformer", "id2label": {"0": "background", "1": "cat", "2": "airplane"}}
    (decoder / "config.json").write_text(json.dumps(config))
    asked = {"generator": str(copy), "annotator": str(decoder)}
    assert plan(asked).classes == ("cat", "airplane")
    assert plan(asked, classes=["aeroplane"]).classes == ("aeroplane",)
    with pytest.raises(ModelError, match="it does not know the class 'zebra': expected some of cat, airplane"):
        plan(asked, classes=["cat", "zebra"])


def test_class_names_are_appended_to_any_source(models: dict[str, str]) -> None:
    for more in ({}, {"prompts": ["a dog beside a car", "a sunset"]}, {"classes": ["car", "dog"]}):
        without, appended = plan(models, **more), plan(models, append_classes=True, **more)
        assert plan(models, append_classes=False, **more) == without
        assert appended.prompts == Appended(without.prompts, without.classes)
        assert appended.image_fingerprint != without.image_fingerprint
        assert plan_from_dict(json.loads(json.dumps(appended.to_dict()))) == appended
    assert plan(models, prompts=["a dog beside a car"], append_classes=True).prompt("train", 0).text == (
        "a dog beside a car; car dog"
    )
    once = plan(models, append_classes=True)
    assert plan(models, prompts=once.prompts, append_classes=True) == once, "names are appended once"


def test_a_class_mix_weighs_whatever_follows_templates(models: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("a street\n")
    shares = {"dog": 3, "cat": 1}
    alone = plan(models, class_mix=shares)
    assert alone.prompts == Templates(VOC_CLASSES, weights=shares)
    parts = [{"source": "templates"}, {"source": str(file)}]
    mixed = plan(models, class_mix=shares, append_classes=True, prompts=parts)
    led = [one.classes[0] for one in (mixed.prompt("train", index) for index in range(40)) if one.classes]
    assert len(led) == 20 == led.count("dog") + led.count("cat") and led.count("dog") > 10
    written = plan(models, class_mix=shares, prompts="openai:tiny")
    assert written.prompts.mix == alone.prompts
    assert len({one.image_fingerprint for one in (alone, mixed, written, plan(models))}) == 4
