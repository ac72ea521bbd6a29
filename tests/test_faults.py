"""Twelve faults of the public DatasetDM code, one test each: that ours does not have it.

Compact on purpose; the details are tested beside the parts.
"""

import multiprocessing
from collections.abc import Sequence
from dataclasses import replace
from inspect import unwrap
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pytest
import torch

from dataset_dm.annotators.p_decoder import PDecoderAnnotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.decoder.losses import LossConfig, decoder_loss
from dataset_dm.decoder.targets import Targets
from dataset_dm.diffusion import (
    Backbone,
    TapRequest,
    encode_classes,
    encode_images,
    feature_spec,
    read_features,
    tap,
)
from dataset_dm.diffusion.features import to_pixels
from dataset_dm.engine import pending
from dataset_dm.engine.local import stores
from dataset_dm.errors import ConfigError
from dataset_dm.hypercolumns import Features
from dataset_dm.labels import rle
from dataset_dm.labels.images import decode_depth, decode_png, encode_png
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation, arrow_schema, features, semantic_features
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world import labelled
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.postprocess.semantic import annotate
from dataset_dm.prompts import Templates
from dataset_dm.readers import LabelledImage, open_labelled
from dataset_dm.rows.filters import Drop, from_dict
from dataset_dm.store.label_codec import each, from_row, label_rows
from dataset_dm.training.augment import fit
from tests.decoder.conftest import make_decoder, make_features
from tests.readers.little_sets import write_voc

TWO = (64, 64)


def plan_of(**changes: object) -> GenerationPlan:
    """A plan of which nothing is loaded."""
    plain = {
        **{
            "tasks": ("semantic",),
            "seed": 0,
            "prompts": Templates(VOC_CLASSES),
            "size": (128, 128),
            "dtype": "float32",
        },
        **{"generator": "g", "generator_revision": None, "generator_hash": "0", "adapter": None, "adapter_hash": None},
        **{"steps": 1, "guidance": None, "scheduler": None, "batch_size": 4, "shard_size": 16},
        **{"annotator": "a", "annotator_revision": None, "annotator_hash": "1", "classes": VOC_CLASSES},
    }
    return GenerationPlan(**{**plain, **changes})


def renders(backbone: Backbone, indices: Sequence[int], classes: Sequence[str], prompts: Sequence[str]) -> Features:
    """The embedded generator's features of some renders."""
    images = torch.from_numpy(np.stack([labelled("test", index)[1].image for index in indices]))
    spec = replace(feature_spec(backbone), contrast=())
    text = encode_classes(backbone, list(classes))
    return read_features(backbone, encode_images(backbone, images), prompts, text, spec, list(indices), images=images)


def test_fault_01_class_ids_round_trip(tmp_path: Path) -> None:
    """There every COCO class became class 1, and the VOC class was always the first."""
    label = np.repeat(np.arange(21, dtype=np.uint8)[:, None], 4, axis=1)
    masks = np.stack([label == number for number in (7, 20)])
    instances = Instances.from_masks(masks=masks, classes=np.array([7, 20]), scores=np.ones(2, np.float32))
    row = label_rows([3], [Annotation(confidence=1.0, label=label, full=label, objects=instances)]).to_pylist()[0]
    names = features(semantic_features(VOC_CLASSES))["classes"].feature.names
    assert [names[number] for number in row["classes"]] == list(VOC_CLASSES)
    assert np.array_equal(decode_png(row["label"]["bytes"]), label)
    assert [VOC_CLASSES[instance["category"]] for instance in each(row["objects"])] == ["car", "tvmonitor"]
    assert [each(row["objects"])[1]["segmentation"]["counts"]] == [rle.encode(label == 20)["counts"]]
    picture = decode_png(row["annotation"]["bytes"])
    assert picture[7, 0].tolist() == [7, 1, 0] and picture[20, 0].tolist() == [20, 2, 0]
    read = open_labelled(write_voc(tmp_path / "voc"))
    assert read.classes == ("forklift", "pallet")
    assert set(np.unique(read[0].label[(read[0].image == (200, 60, 20)).all(-1)])) == {1}, "a forklift is class 1"
    assert set(np.unique(read[0].label[(read[0].image == (30, 90, 160)).all(-1)])) - {255} == {2}


def request(found: Features, words: tuple[str, ...], requested: list[list[int]] | None = None) -> AnnotationRequest:
    """A request that a decoder has read; the images themselves are not needed any more."""
    images = torch.zeros(found.batch, *found.image_size, 3, dtype=torch.uint8)
    batch = ImageBatch(images=images, prompts=[""] * found.batch, seeds=[0] * found.batch, named=[()] * found.batch)
    return AnnotationRequest(batch=batch, classes=words, requested=requested, reading=found)


def test_fault_02_every_requested_class_is_labelled() -> None:
    """There only the prompted class was labelled, and every other object became background."""
    decoder, found, words = make_decoder(), make_features(2), tuple("abcde")
    logits, presence = decoder(found).semantic.logits, decoder(found).semantic.presence
    assert logits.shape[:2] == (2, 6) and presence.shape == (2, 5)
    turned = decoder(found.select_classes([3, 1, 0, 2, 4])).semantic.logits
    torch.testing.assert_close(turned, logits[:, [0, 4, 2, 1, 3, 5]], atol=1e-4, rtol=1e-3)
    free = PDecoderAnnotator(decoder, name="x", fingerprint="y", unasked=1.0)
    restricted, any_class = free.annotate(request(found, words, [[0], [0]])), free.annotate(request(found, words))
    for one, other in zip(restricted, any_class, strict=True):
        assert np.array_equal(one.full, other.full)
        assert set(np.unique(one.full)) - {0, 1}, "what the prompt does not name is labelled all the same"


def test_fault_03_void_stays_void_and_labels_are_resized_by_nearest() -> None:
    """There 255 became background, and label maps were resized bilinearly."""
    label = np.zeros((40, 60), np.uint8)
    label[10:30, 10:40], label[:5] = 20, 255
    small = fit(LabelledImage("x", np.zeros((40, 60, 3), np.uint8), label), TWO)
    assert set(np.unique(small.label)) == {0, 20, 255}
    output = make_decoder(tasks=("semantic",))(make_features(1))
    logits = output.semantic.logits.detach().requires_grad_()
    truth = torch.zeros(1, 64, 64, dtype=torch.long)
    truth[:, 32:] = 255
    free = replace(output, semantic=replace(output.semantic, logits=logits))
    decoder_loss(free, Targets(labels=truth), LossConfig())["loss"].backward()
    assert logits.grad[:, :, :32].abs().min() > 0 and not logits.grad[:, :, 32:].any()


def test_fault_04_one_preprocessing_for_all() -> None:
    """There depth images came in [0, 1] and pose images as BGR."""
    red = np.zeros((1, 2, 2, 3), np.uint8)
    red[..., 0] = 255
    assert to_pixels(torch.from_numpy(red))[0, :, 0, 0].tolist() == [1.0, -1.0, -1.0]
    with pytest.raises(ConfigError, match="expected uint8 of shape .b, H, W, 3., RGB"):
        unwrap(to_pixels)(torch.rand(1, 2, 2, 3))
    assert decode_png(encode_png(red[0]))[0, 0].tolist() == [255, 0, 0]


def test_fault_05_depth_is_metres_in_float32_and_zero_is_unknown() -> None:
    """There depth had 8 bits: steps of 4 to 31 cm."""
    metres = np.array([[0.0, 0.1234567, 9.9999, 10.0001, 79.123]], np.float32)
    found = Annotation(confidence=1.0, depth=metres, depth_confidence=np.full((1, 5), 0.5, np.float32))
    row = label_rows([0], [found]).to_pylist()[0]
    back = from_row(row)
    assert back.depth.dtype == np.float32 and back.depth.tolist() == metres.tolist()
    assert back.depth_confidence.tolist() == [[0.0, 0.5, 0.5, 0.5, 0.5]]
    column = datasets.Image().encode_example({"bytes": row["depth"]["bytes"], "path": None})
    assert np.array_equal(np.asarray(datasets.Image().decode_example(column)), metres), "as a user reads it"
    assert np.array_equal(decode_depth(row["depth"]["bytes"]), metres)


def test_fault_06_holes_and_disjoint_parts_survive() -> None:
    """There a mask was its largest contour."""
    mask = np.zeros((12, 16), bool)
    mask[1:8, 1:8], mask[3:5, 3:5], mask[9:11, 12:15] = True, False, True
    form = rle.encode(mask)
    assert np.array_equal(rle.decode(form), mask) and form["size"] == [12, 16]
    assert rle.decode(form).sum() == 49 - 4 + 6 and rle.box(mask) == (1.0, 1.0, 14.0, 10.0)
    found = Annotation(
        confidence=1.0, objects=Instances.from_masks(masks=mask[None], classes=np.array([1]), scores=np.ones(1))
    )
    assert np.array_equal(from_row(label_rows([0], [found]).to_pylist()[0]).objects.masks[0], mask)


def test_fault_07_labels_do_not_depend_on_their_order(tmp_path: Path) -> None:
    """There the decoder stayed in training mode, so that dropout and batch statistics moved the labels."""
    words = tuple("abcde")
    make_decoder(dropout=0.5).train().save_pretrained(tmp_path)
    annotator = PDecoderAnnotator.load(str(tmp_path), device="cpu")
    assert not any(part.training for part in annotator.decoder.modules())
    found = make_features(3)
    straight, turned = (annotator.annotate(request(one, words)) for one in (found, found.select([2, 0, 1])))
    for position, one in zip((2, 0, 1), turned, strict=True):
        assert (one.label == straight[position].label).mean() >= 0.999
    assert len(np.unique([one.full for one in straight])) > 1


def test_fault_08_a_batch_is_so_many_times_one(backbone: Backbone) -> None:
    """There features were right at batch 1 only."""
    prompts = ["a dog", "two cars on a street", ""]
    together = renders(backbone, [0, 1, 2], ["dog", "car"], prompts)
    for row, prompt in enumerate(prompts):
        alone = renders(backbone, [row], ["dog", "car"], [prompt])
        for name, level in alone.levels.items():
            torch.testing.assert_close(together.levels[name][row], level[0], atol=2e-3, rtol=1e-3)
        torch.testing.assert_close(together.class_attention[row], alone.class_attention[0], atol=2e-3, rtol=1e-3)


def test_fault_09_every_layer_is_supervised() -> None:
    """There only the last layer of the decoder had a loss."""
    output = make_decoder().train()(make_features(1))
    truth = torch.zeros(1, 64, 64, dtype=torch.long)
    truth[:, 8:40, 8:40] = 2
    inner = output.semantic.aux
    assert len(inner) >= 2
    loss = decoder_loss(output, Targets(labels=truth), LossConfig())["loss"]
    assert all(
        gradient is not None and gradient.any() for gradient in torch.autograd.grad(loss, inner, allow_unused=True)
    )


def test_fault_10_only_what_is_read_is_captured(backbone: Backbone) -> None:
    """There all attention was kept, self-attention included: 2.73 GiB an image, of which 63 MB were used."""
    found = renders(backbone, [0], ["dog", "car"], ["a dog"])
    assert set(found.levels) == set(found.spec.names())
    sides = (found.class_attention.shape[-2] * found.class_attention.shape[-1],)
    assert found.class_attention.shape[:2] == (1, 2), "a class, not a token, has a map"
    assert all(level.shape[-2:] != 2 * sides for level in found.levels.values()), "no map of pixels against pixels"
    kept = sum(value.numel() for value in found.levels.values()) + found.class_attention.numel()
    assert kept * 4 < 20e6
    with tap(backbone, TapRequest(levels=("unet.mid",))) as taps, torch.no_grad():
        latents = torch.zeros(1, backbone.pipe.unet.config.in_channels, 16, 16)
        backbone.pipe.unet(latents, 1, encoder_hidden_states=backbone.encode_text(["a dog"]))
    assert list(taps.levels) == ["unet.mid"] and not taps.evidence


def test_fault_11_seed_and_prompt_come_from_the_index() -> None:
    """There every worker seeded alike, and the workers repeated each other's prompts."""
    plan = plan_of()

    def made(shards: Sequence[int]) -> dict[int, tuple[int, str]]:
        indices = [index for shard in shards for index in plan.shard_indices(shard)]
        return {index: (plan.sample_seed("train", index), plan.prompt("train", index).text) for index in indices}

    first, second, alone = made([0, 2, 4]), made([1, 3, 5]), made([5, 4, 3, 2, 1, 0])
    assert first | second == alone and not first.keys() & second.keys()
    assert len({seed for seed, _ in alone.values()}) == 96
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        assert pool.apply(plan.sample_seed, ("train", 40)) == plan.sample_seed("train", 40), "in a worker too"


def test_fault_12_filters_uncertainty_metadata_and_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There was no filter, no uncertainty, no metadata and no way to go on with a broken-off run."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path))
    schema = arrow_schema(semantic_features(VOC_CLASSES))
    assert {"confidence", "uncertain", "presence"} <= {field.name for field in schema.field("quality").type}
    known = {field.name for field in schema.field("provenance").type}
    assert {"index", "seed", "generator_hash", "annotator_hash", "steps", "guidance"} <= known
    chances = torch.tensor([0.9, 0.6]).view(1, 1, 1, 2)
    row = {"unusable": None, "confidence": 0.4, "uncertain": 0.5, "classes": [1]}
    verdicts = [keep(row) for keep in from_dict({"min_confidence": 0.5})]
    assert Drop("low_confidence") in verdicts
    unsure = annotate(torch.cat([chances, 1 - chances], 1), torch.ones(1, 1), void_below=0.7)[0]
    assert unsure.label.tolist() == [[0, 255]] and unsure.uncertain == 0.5
    plan = plan_of()
    for store in stores(plan):
        store.write("train", 1, pa.table({"index": [16]}), {})
    assert [(work.shard, work.draw) for work in pending(plan, {"train": 40})] == [(0, True), (2, True)]
