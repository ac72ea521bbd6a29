"""Runs over renders and generated images: pictures, truth and labels stay together; batches do not matter."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dataset_dm.annotators.base import Pictures
from dataset_dm.decoder import PDecoder, PDecoderConfig
from dataset_dm.diffusion import Backbone, SamplerConfig, decode_latents, encode_images, feature_spec, to_uint8
from dataset_dm.evaluation import autoencoder, labels, overhead, prompt_adherence, sources, task_cost
from dataset_dm.evaluation.labels import measure_labels
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC, TASKS
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.depth import DepthErrors
from dataset_dm.metrics.groups import Split
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.miniature.judge import Judge, JudgeNet
from dataset_dm.miniature.world import labelled
from dataset_dm.plan.resolve import resolve


class Threshold:
    """An annotator whose answer can be worked out from the picture: bright pixels are cars, others background."""

    name, fingerprint, classes, tasks = "threshold", "0" * 16, VOC_CLASSES, ("semantic", "depth")

    levels = ()

    def __init__(self) -> None:
        self.requests: list[object] = []

    def look(self, backbone: Backbone, pictures: Pictures, classes: Sequence[str]) -> Pictures:
        return pictures

    def annotate(
        self,
        seen: Pictures,
        classes: Sequence[str],
        requested: Sequence[Sequence[int]] | None = None,
        size: tuple[int, int] | None = None,
        *,
        tasks: Sequence[str] | None = None,
        keep_probability: bool = False,
    ) -> list[Annotation]:
        self.requests.append(requested)
        full = bright(seen.images.numpy())
        sure = np.ones(full.shape[1:], np.float32)
        more = {"probability": sure, "depth": 5 * sure, "depth_confidence": sure}
        return [Annotation(confidence=1.0, label=each, full=each, **more) for each in full]


def bright(images: np.ndarray) -> np.ndarray:
    return np.where(images[..., 0] > 128.5, 7, 0).astype(np.uint8)


@pytest.fixture(scope="module")
def judge() -> Judge:
    torch.manual_seed(0)
    return Judge(JudgeNet())


def test_renders_are_the_test_split_in_order() -> None:
    batches = list(sources.renders(5, 2))
    assert [len(batch.pictures) for batch in batches] == [2, 2, 1]
    scene, rendering = labelled("test", 3)
    assert np.array_equal(batches[1].pictures.images[1].numpy(), rendering.image)
    assert np.array_equal(batches[1].truth[1], rendering.class_map)
    assert np.array_equal(batches[1].clean[1], rendering.clean)
    assert batches[1].pictures.prompts[1] == scene.captions[0]
    assert batches[1].pictures.named[1] == sorted({body.class_id - 1 for body in scene.bodies})


def test_labels_meet_their_own_truth(backbone: Backbone) -> None:
    annotator = Threshold()
    blind, informed = labels.on_renders(backbone, annotator, sources.renders(5, 2), 5, informed=(False, True))
    expected, errors = Confusion(21), DepthErrors()
    for i in range(5):
        _, rendering = labelled("test", i)
        expected.add(bright(rendering.image), rendering.class_map)
        errors.add(np.full_like(rendering.depth, 5), rendering.depth)
    for run in (blind, informed):
        assert np.array_equal(run.tasks["semantic"].every.matrix, expected.matrix)
        assert run.figures()["depth_rel"] == pytest.approx(errors.figures()["rel"])
    assert annotator.requests[0] is None  # blind: not told which classes
    assert annotator.requests[1] == [list(positions) for positions in next(sources.renders(2, 2)).pictures.named]


def test_what_a_pass_is_told_changes_what_it_reads(backbone: Backbone) -> None:
    torch.manual_seed(0)
    decoder = PDecoder(PDecoderConfig(spec=feature_spec(backbone), classes=VOC_CLASSES, width=32, instance_width=32))
    from dataset_dm.annotators.p_decoder import PDecoderAnnotator

    annotator = PDecoderAnnotator(decoder, name="random", fingerprint="0" * 16)
    batch = next(sources.renders(2, 2))

    def labelled_by(informed: bool, levels: dict[str, torch.Tensor] | None = None) -> list[Annotation]:
        pictures = replace(labels.told(batch.pictures, informed=informed), levels=levels)
        return labels.label(
            annotator, batch.pictures, annotator.look(backbone, pictures, VOC_CLASSES), informed=informed
        )

    told, blind = labelled_by(True), labelled_by(False)
    levels = annotator.look(backbone, batch.pictures, VOC_CLASSES).levels
    again = labelled_by(False, {name: levels[name] for name in annotator.levels})
    assert told[0].probability is not None and told[0].probability.shape == (128, 128)
    assert np.array_equal(blind[0].probability, again[0].probability)
    assert not np.array_equal(told[0].probability, blind[0].probability)


def test_autoencoder_figures_by_hand(backbone: Backbone, judge: Judge) -> None:
    fidelity, worst = autoencoder.measure(backbone, judge, sources.renders(2, 2), 2)
    batch = next(sources.renders(2, 2))
    copies = to_uint8(decode_latents(backbone, encode_images(backbone, batch.pictures.images))).numpy()
    errors = ((copies.astype(float) - batch.clean) ** 2).mean(axis=(1, 2, 3))
    assert fidelity.psnr == pytest.approx([10 * np.log10(255**2 / e) for e in errors])
    assert fidelity.figures()["psnr_db_of_pooled_error"] == pytest.approx(10 * np.log10(255**2 / errors.mean()))
    assert worst[0].index == int(errors.argmax())
    seen, truth = judge.segment(batch.pictures.images).numpy(), batch.truth
    assert np.array_equal(fidelity.originals.matrix, _confusion(seen, truth).matrix)
    assert np.array_equal(
        fidelity.copies.matrix, _confusion(judge.segment(torch.from_numpy(copies)).numpy(), truth).matrix
    )


def test_psnr_by_hand() -> None:
    assert autoencoder.psnr(255**2) == 0 and autoencoder.psnr(255**2 / 100) == pytest.approx(20)
    assert autoencoder.psnr(0) == float("inf")


def _confusion(prediction: np.ndarray, truth: np.ndarray) -> Confusion:
    confusion = Confusion(21)
    confusion.add(prediction, truth)
    return confusion


def test_judge_as_truth_of_itself_is_perfect(judge: Judge) -> None:
    finds = prompt_adherence.in_renders(judge, sources.renders(2, 2), 2)
    assert sum(finds.images.values()) == 2
    run = labels.judge_on_renders(judge, sources.renders(2, 1), 2)
    batches = list(sources.renders(2, 1))  # one by one on both sides: rounding depends on the batch
    said = np.concatenate([judge.segment(batch.pictures.images).numpy() for batch in batches])
    expected = _confusion(said, np.concatenate([batch.truth for batch in batches]))
    assert np.array_equal(run.tasks["semantic"].every.matrix, expected.matrix)


def test_drawn_asks_for_what_the_prompt_names(backbone: Backbone) -> None:
    first, second = sources.drawn(backbone, 3, 2, sampler=SamplerConfig(steps=1, guidance=0.0))
    assert len(first) == 2 and len(second) == 1
    for prompt, named in zip([*first.prompts, *second.prompts], [*first.named, *second.named], strict=True):
        assert [VOC_CLASSES[i] for i in named] and len(named) in (1, 2), prompt
    assert len({*first.seeds, *second.seeds}) == 3


@pytest.fixture
def plan(backbone: Backbone, generator_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A plan of shards of two images, one step each, with a random decoder."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    torch.manual_seed(0)
    config = PDecoderConfig(spec=feature_spec(backbone), classes=VOC_CLASSES, width=32, instance_width=32)
    PDecoder(config).save_pretrained(tmp_path / "decoder")
    asked = {"generator": str(generator_folder), "annotator": str(tmp_path / "decoder"), "shard_size": 2}
    return resolve(SEMANTIC, **asked, sampler={"steps": 1, "guidance": 0.0})


def test_generated_images_come_from_the_store(backbone: Backbone, judge: Judge, plan, tmp_path: Path) -> None:
    first = list(sources.stored(plan, 3, device="cpu"))
    assert [len(batch) for batch in first] == [2, 1]
    assert first[0].prompts[1] == plan.prompt("train", 1).text
    assert [VOC_CLASSES[i] for i in first[0].named[0]] == list(plan.prompt("train", 0).classes)
    assert first[1].seeds == [plan.sample_seed("train", 2)]
    from dataset_dm.annotators import load

    annotator = load(plan.annotator, device="cpu")
    outcome = measure_labels(backbone, annotator, judge, count=3, batch=2, on_renders=False, plan=plan, device="cpu")
    assert 0 <= outcome.report.figures["generated_miou"] <= 1
    assert outcome.report.figures["generated_one_class_found"] is not None
    outcome.save(tmp_path / "report")
    written = {file.name for file in (tmp_path / "report").iterdir()}
    assert {"report.json", "report.md", "confusion_generated.png", "calibration.png", "worst_generated.png"} <= written


@pytest.fixture
def everything(backbone: Backbone, tmp_path: Path) -> Path:
    """A random decoder with heads for all tasks."""
    torch.manual_seed(0)
    more = {"classes": VOC_CLASSES, "tasks": tuple(TASKS), "width": 32, "instance_width": 32}
    PDecoder(PDecoderConfig(spec=feature_spec(backbone), **more)).save_pretrained(tmp_path / "all")
    return tmp_path / "all"


def test_all_tasks_on_renders(backbone: Backbone, everything: Path, tmp_path: Path) -> None:
    from dataset_dm.annotators import load

    annotator = load(str(everything), device="cpu")
    outcome = measure_labels(
        backbone, annotator, None, count=3, batch=3, split=Split(unseen=(6, 11), tail=(6,)), device="cpu"
    )
    figures = outcome.report.figures
    for told in ("blind", "informed"):
        for name in ("miou", "boundary_f", "ece", "mask_ap", "box_ap75", "depth_rel", "depth_delta1"):
            assert figures[f"renders_{told}_{name}"] >= 0, name
        assert {f"renders_{told}_{name}" for name in ("oks_ap", "keypoint_ece", "object_ece", "depth_ece")} <= set(
            figures
        )
        assert {f"renders_{told}_{name}_miou" for name in ("seen", "unseen", "harmonic")} <= set(figures)
    assert any("unseen classes: car, dog" in note for note in outcome.report.notes)
    outcome.save(tmp_path / "report")
    written = {file.name for file in (tmp_path / "report").iterdir()}
    assert {"worst_renders.png", "worst_instances.png", "worst_keypoints.png", "worst_depth.png"} <= written
    parts = ("", "_instances", "_keypoints", "_depth")
    assert {f"calibration{part}.png" for part in parts} <= written


def test_cost_of_tasks_draws_the_same_images(plan, everything: Path, tmp_path: Path) -> None:
    asked = {"generator": plan.generator, "annotator": str(everything), "shard_size": 2}
    few, many = (
        resolve(tasks, **asked, sampler={"steps": 1, "guidance": 0.0}) for tasks in (SEMANTIC, [*TASKS.values()])
    )
    assert few.image_fingerprint == many.image_fingerprint
    cost = task_cost.measure(few, many, 2, device="cpu")
    assert len(cost.few) == len(cost.many) == 2 and min(cost.few + cost.many) > 0
    assert cost.few_stages["label"] > 0 and cost.many_stages["draw"] > 0
    assert not (tmp_path / "home").exists()


def test_cost_of_tasks_by_hand() -> None:
    cost = task_cost.TaskCost(2, ("semantic",), ("semantic", "depth"), [10.0, 10.0, 10.0], [11.0, 12.0, 10.5])
    cost.few_stages, cost.many_stages = {"draw": 27.0, "label": 3.0}, {"draw": 28.0, "label": 4.5}
    figures = cost.figures()
    assert figures["few_seconds_an_image"] == 5 and figures["many_seconds_an_image"] == 5.5
    assert figures["extra"] == pytest.approx(0.1) and figures["extra_median_of_rounds"] == pytest.approx(0.1)
    assert figures["extra_of_stages"] == pytest.approx(1.5 / 30)


def test_speed_measures_both_ways_and_leaves_nothing(plan, tmp_path: Path) -> None:
    result = overhead.measure(plan, 2, device="cpu")
    assert len(result.plain) == len(result.ours) == 2 and min(result.plain + result.ours) > 0
    assert result.figures()["ratio"] == pytest.approx(sum(result.ours) / sum(result.plain))
    assert result.stages["draw"] > 0 and not (tmp_path / "home").exists()
