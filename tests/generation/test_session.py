"""The flow of a shard with the embedded model: same plan, same bytes, in any process."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import CLIPConfig, CLIPImageProcessor

from dataset_dm.annotators import p_decoder
from dataset_dm.engine import Engine, Work, pending
from dataset_dm.engine.local import stores
from dataset_dm.errors import AnnotatorMismatch, ConfigError
from dataset_dm.generation import session as generation
from dataset_dm.generation.session import Session
from dataset_dm.labels.images import decode_png
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import resolve
from dataset_dm.rows.reader import Rows
from dataset_dm.store.label_codec import class_ids


def plan_of(quick: dict, **more: object) -> GenerationPlan:
    return resolve(SEMANTIC, **{key: value for key, value in {**quick, **more}.items() if key != "device"})


def files(plan: GenerationPlan) -> dict[str, bytes]:
    """Every finished shard of the plan by kind and name."""
    found = {}
    for store in stores(plan):
        for file in sorted(store.folder.glob("*/*.parquet")):
            found[f"{store.kind}/{file.parent.name}/{file.name}"] = file.read_bytes()
    return found


def fill(plan: GenerationPlan, counts: dict[str, int], **engine: object) -> int:
    with Engine(plan, device="cpu", **engine) as made:
        return made.fill(counts)


def decoded(table: pa.Table, column: str = "image") -> np.ndarray:
    return np.stack([decode_png(cell["bytes"]) for cell in table.column(column).to_pylist()])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Moves the store to a new place."""

    def move(name: str) -> Path:
        monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / name))
        return tmp_path / name

    return move


def test_a_shard_holds_its_indices_prompts_and_seeds(quick: dict) -> None:
    plan = plan_of(quick)
    fill(plan, {"train": 5})
    images, labels = (store.read("train", 1) for store in stores(plan))
    assert images.column("index").to_pylist() == labels.column("index").to_pylist() == [4, 5, 6, 7]
    assert images.column("seed").to_pylist() == [plan.sample_seed("train", i) for i in range(4, 8)]
    assert images.column("prompt").to_pylist() == [plan.prompt("train", i).text for i in range(4, 8)]
    assert decoded(images).shape == (4, 128, 128, 3) and decoded(labels, "label").shape == (4, 128, 128)
    for row in labels.to_pylist():
        assert row["classes"] == class_ids(decode_png(row["label"]["bytes"]))
        assert len(row["presence"]) == len(plan.classes) and 0 <= row["uncertain"] <= row["confidence"] + 1


def test_same_plan_same_bytes_in_any_order_and_in_another_process(quick: dict, home) -> None:
    plan, counts = plan_of(quick, batch_size=1, shard_size=2), {"train": 4, "test": 2}
    home("a")
    fill(plan, counts)
    first = files(plan)
    home("b")
    with Engine(plan, device="cpu") as engine:  # backwards
        for split, shard in (("test", 0), ("train", 1), ("train", 0)):
            engine.make(Work(split, shard, draw=True))
    assert files(plan) == first
    home("c")
    fill(plan, counts, in_worker=True)
    assert files(plan) == first
    assert len(first) == 6


def test_growth_changes_no_row(quick: dict) -> None:
    plan = plan_of(quick)
    assert fill(plan, {"train": 3}) == 1
    before = files(plan)
    assert fill(plan, {"train": 4}) == 0
    assert fill(plan, {"train": 5}) == 1
    after = files(plan)
    assert {name: after[name] for name in before} == before and len(after) == 4


def test_relabelling_draws_nothing_and_gives_the_same_labels(quick: dict) -> None:
    plan = plan_of(quick)
    fill(plan, {"train": 4})
    before = files(plan)
    image_store, label_store = stores(plan)
    drawn = image_store.file("train", 0).stat().st_mtime_ns
    label_store.file("train", 0).unlink()
    assert pending(plan, {"train": 4}) == [Work("train", 0, draw=False)]
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 4})
        assert "draw" not in engine.seconds and engine.seconds["read"] > 0
    assert files(plan) == before and image_store.file("train", 0).stat().st_mtime_ns == drawn


def test_other_classes_relabel_the_same_images(quick: dict) -> None:
    prompts = ["a photo of a dog and a cat", "a red car"]
    plan = plan_of(quick, prompts=prompts, classes=["dog", "cat", "car"])
    other = plan_of(quick, prompts=prompts, classes=["cat", "dog", "car"])
    fill(plan, {"train": 4})
    fill(other, {"train": 4})
    assert plan.image_fingerprint == other.image_fingerprint
    first, second = (stores(one)[1].read("train", 0) for one in (plan, other))
    swapped = np.array([0, 2, 1, 3], dtype=np.uint8)  # cat and dog have changed places
    np.testing.assert_array_equal(swapped[decoded(first, "full")], decoded(second, "full"))
    presence = np.array(first.column("presence").to_pylist())
    np.testing.assert_allclose(presence[:, [1, 0, 2]], second.column("presence").to_pylist(), atol=1e-6)


def test_a_batch_of_n_is_n_batches_of_one_within_two_of_255(quick: dict) -> None:
    tables = {}
    for batch in (1, 4):
        plan = plan_of(quick, batch_size=batch)
        fill(plan, {"train": 4})
        tables[batch] = [store.read("train", 0) for store in stores(plan)]
    difference = np.abs(decoded(tables[1][0]).astype(int) - decoded(tables[4][0]).astype(int))
    assert difference.max() <= 2
    assert (decoded(tables[1][1], "full") == decoded(tables[4][1], "full")).mean() >= 0.999


def test_the_manifest_says_what_bytes_depend_on(quick: dict) -> None:
    plan = plan_of(quick)
    fill(plan, {"train": 1})
    for store in stores(plan):
        ((name, facts),) = store.manifest()["environments"].items()
        assert {"device", "dtype", "batch", "threads", "versions"} == set(facts)
        assert facts["threads"] == torch.get_num_threads() and facts["batch"] == 2
        assert store.made("train", 0) == {"environment": name}
        assert store.manifest()["plan"]["seed"] == 0


def test_force_makes_every_shard_again_once(quick: dict) -> None:
    plan = plan_of(quick)
    fill(plan, {"train": 4})
    before, store = files(plan), stores(plan)[0]
    made = store.file("train", 0).stat().st_mtime_ns
    assert fill(plan, {"train": 4}, overwrite=True) == 1
    assert store.file("train", 0).stat().st_mtime_ns > made and files(plan) == before


def test_rows_carry_what_makes_them_again(quick: dict) -> None:
    plan = plan_of(quick)
    fill(plan, {"train": 4})
    with Engine(plan) as engine:
        table = Rows(plan, recipe("voc_synth").features).table("train", 3, *engine.read("train", 0))
    assert table.num_rows == 3
    row = table.to_pylist()[2]
    assert row["provenance"]["index"] == 2 and row["provenance"]["seed"] == plan.sample_seed("train", 2)
    assert (row["provenance"]["steps"], row["provenance"]["guidance"]) == (1, 2.0)
    assert row["prompt"] == plan.prompt("train", 2).text


def test_blacked_out_images_are_resampled_then_dropped(quick: dict) -> None:
    """With diffusers' own checker, which here flags every image."""
    plan = plan_of(quick, shard_size=2)
    session = Session(plan, "cpu")
    pipe = session.backbone.pipe
    size = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    vision = {**size, "image_size": 32, "patch_size": 16}
    checker = StableDiffusionSafetyChecker(CLIPConfig(text_config=size, vision_config=vision, projection_dim=8))
    checker.concept_embeds_weights.data.fill_(-2.0)  # every cosine exceeds this threshold
    try:
        pipe.safety_checker = checker.eval()
        pipe.feature_extractor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
        (batch,) = session.batches("train", 0)
    finally:
        pipe.safety_checker = pipe.feature_extractor = None
    assert batch.images.column("unsafe").to_pylist() == [True, True]
    assert batch.images.column("unusable").to_pylist() == ["unsafe", "unsafe"]
    assert batch.images.column("attempt").to_pylist() == [2, 2]
    assert batch.images.column("seed").to_pylist() == [plan.sample_seed("train", i, 2) for i in range(2)]
    from dataset_dm.rows.filters import from_dict

    rows = Rows(plan, recipe("voc_synth").features, from_dict(None))
    assert rows.table("train", 2, batch.images, batch.labels).num_rows == 0
    assert rows.dropped == {"unsafe": 2}


def test_too_little_memory_halves_the_batch_and_marks_that_shard_alone(
    quick: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, fitting = Session(plan_of(quick, shard_size=2), "cpu"), [1]

    def scarce(backbone: object, texts: list[str], *rest: object, **more: object) -> object:
        if len(texts) > fitting[0]:
            raise torch.OutOfMemoryError("scarce")
        return draw(backbone, texts, *rest, **more)

    draw = generation.sample
    monkeypatch.setattr(generation, "sample", scarce)
    with pytest.warns(UserWarning, match="cpu has too little memory for 2 images at once: .*marked.*within 2/255"):
        (batch,) = session.batches("train", 0)
    assert batch.images.num_rows == 2 and session.halved == 1
    fitting[0] = 2
    list(session.batches("train", 1))
    assert session.halved is None
    fitting[0] = 0
    one = "size .128, 128.: cpu has too little memory for one float32 image; take a smaller size"
    with pytest.warns(UserWarning, match="for 2 images at once"), pytest.raises(ConfigError, match=one):
        list(session.batches("train", 2))


def test_too_little_memory_for_labels_halves_the_pass_and_reads_the_same(
    quick: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(plan_of(quick, shard_size=2), "cpu")
    (whole,) = session.batches("train", 0)

    def scarce(backbone: object, latents: torch.Tensor, *rest: object, **more: object) -> object:
        if len(latents) > 1:
            raise torch.OutOfMemoryError("scarce")
        return read(backbone, latents, *rest, **more)

    read = p_decoder.read_features
    monkeypatch.setattr(p_decoder, "read_features", scarce)
    with pytest.warns(UserWarning, match="too little memory"):
        (halved,) = session.batches("train", 0, whole.images)
    assert session.halved == 1 and halved.labels.column("index").to_pylist() == [0, 1]
    assert (decoded(halved.labels, "full") == decoded(whole.labels, "full")).mean() >= 0.999


def test_an_error_that_is_not_about_memory_is_raised_as_it_is(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(plan_of(quick, shard_size=2), "cpu")

    def broken(*rest: object, **more: object) -> object:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(generation, "sample", broken)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        list(session.batches("train", 0))
    assert session.halved is None


def test_a_long_prompt_is_named(quick: dict) -> None:
    long = "a photo of a dog " * 40
    with pytest.warns(UserWarning, match="prompt 'a photo of a dog .*its end is cut off"):
        fill(plan_of(quick, prompts=[long.strip()], shard_size=2), {"train": 1})


def test_a_generator_that_was_swapped_meanwhile_is_noticed(quick: dict) -> None:
    plan = plan_of(quick)
    session = Session(plan, "cpu")
    with pytest.raises(AnnotatorMismatch, match="it was trained for the generator with hash"):
        session.annotator.check_generator("0" * 16, "other")


def test_nan_and_plain_images_are_resampled_then_dropped_and_stay_readable(
    quick: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The generator's own images, some of them spoilt: the first sample at once for all attempts, the second once."""
    plan = plan_of(quick, shard_size=2)
    session, drawn = Session(plan, "cpu"), []
    (sound,) = session.batches("train", 0)
    draw = generation.sample

    def spoilt(backbone: object, texts: list[str], seeds: list[int], *rest: object, **more: object) -> object:
        samples = draw(backbone, texts, seeds, *rest, **more)
        drawn.append(list(seeds))
        samples.latents[0, 0, 3, 3] = float("nan")
        if len(drawn) == 1:
            samples.images[1] = 7
        return samples

    monkeypatch.setattr(generation, "sample", spoilt)
    (batch,) = session.batches("train", 0)
    seed = plan.sample_seed
    assert drawn == [[seed("train", 0), seed("train", 1)], [seed("train", 0, 1), seed("train", 1, 1)],
                     [seed("train", 0, 2)]]  # fmt: skip
    first, second = batch.images.to_pylist()
    assert (first["unusable"], first["unsafe"], first["attempt"]) == ("not_finite", False, 2)
    assert (second["unusable"], second["attempt"], second["seed"]) == (None, 1, seed("train", 1, 1))
    assert not np.frombuffer(first["latents"], np.float32).any() and not decode_png(first["image"]["bytes"]).any()
    assert sound.images.column("unusable").to_pylist() == [None, None]
    (again,) = session.batches("train", 0, batch.images)
    assert again.labels.equals(batch.labels), "relabelling reads the same"


def test_a_later_round_goes_on_with_the_attempts_of_the_split(quick: dict) -> None:
    plan = plan_of(quick, shard_size=2)
    session = Session(plan, "cpu")
    (first,), (second,) = session.batches("train", 0), session.batches("train.1", 0)
    assert second.images.column("attempt").to_pylist() == [3, 3]
    assert second.images.column("seed").to_pylist() == [plan.sample_seed("train", i, 3) for i in range(2)]
    assert second.images.column("prompt").equals(first.images.column("prompt"))
    assert not second.images.column("image").equals(first.images.column("image"))
