"""The trained annotator on the embedded generator's own features."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dataset_dm.annotators import load
from dataset_dm.annotators.base import Annotator
from dataset_dm.annotators.p_decoder import PDecoderAnnotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.decoder import PDecoder, PDecoderConfig
from dataset_dm.diffusion import feature_spec
from dataset_dm.errors import AnnotatorMismatch
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world import labelled

CLASSES = ("car", "dog", "dining table", "person")
SMALL = {"width": 16, "finest_width": 8, "instance_width": 16}


@pytest.fixture(scope="module")
def annotator(backbone, tmp_path_factory) -> PDecoderAnnotator:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("decoder")
    decoder = PDecoder(PDecoderConfig(spec=feature_spec(backbone), classes=CLASSES, **SMALL))
    with torch.no_grad():
        for parameter in decoder.parameters():  # an untrained net is too even to tell classes apart
            parameter.add_(0.1 * torch.randn_like(parameter))
    decoder.configured(void_below=0.3).save_pretrained(folder)
    return load(str(folder), device="cpu")


@pytest.fixture(scope="module")
def every_annotator(every_head) -> PDecoderAnnotator:
    return load(every_head, device="cpu")


def read(annotator, backbone, indices, classes=CLASSES, **asked) -> AnnotationRequest:
    images = torch.from_numpy(np.stack([labelled("test", i)[1].image for i in indices]))
    count = len(images)
    # a prompt that names a class but says nothing of it: no contrast evidence is read
    batch = ImageBatch(images=images, prompts=["a photo"] * count, seeds=list(indices), named=[[0]] * count)
    return annotator.read(AnnotationRequest(batch=batch, classes=classes, **asked), backbone)


def test_it_is_an_annotator(annotator):
    assert isinstance(annotator, Annotator) and annotator.needs_generator
    assert annotator.classes == CLASSES and len(annotator.fingerprint) == 16


def test_fault_2_every_class_gets_labels_and_a_presence(annotator, backbone):
    for found in annotator.annotate(read(annotator, backbone, [0, 1])):
        assert found.label.shape == (128, 128) and found.label.dtype == np.uint8
        assert found.presence.shape == (4,) and ((found.presence > 0) & (found.presence < 1)).all()
        assert set(np.unique(found.full)) <= {0, 1, 2, 3, 4}
        assert found.uncertain == pytest.approx((found.label == 255).mean()) and 0 < found.confidence <= 1
        assert (found.label[found.label != 255] == found.full[found.label != 255]).all()


def test_a_permuted_class_list_permutes_the_labels(annotator, backbone):
    order = [2, 0, 3, 1]
    names = [CLASSES[i] for i in order]
    straight = annotator.annotate(read(annotator, backbone, [3]))[0]
    turned = annotator.annotate(read(annotator, backbone, [3], names))[0]
    ids = np.array([0, *(order.index(i) + 1 for i in range(4))], np.uint8)
    assert (turned.full == ids[straight.full]).mean() > 0.999 and len(np.unique(straight.full)) > 1
    np.testing.assert_allclose(turned.presence, straight.presence[order], atol=1e-4)


def test_known_words_are_those_it_was_trained_on_in_any_wording(annotator):
    asked = ("automobile", "car", "diningtable", "table", "sofa", "people carrier")
    assert annotator.known(asked).tolist() == [False, True, True, True, False, False]


def test_one_pass_reads_every_kind_and_leaves_out_what_was_not_asked_for(every_annotator, backbone):
    request = read(every_annotator, backbone, [0, 1], VOC_CLASSES)
    whole = every_annotator.annotate(request)
    for found in whole:
        assert found.label is not None and found.objects is not None and found.depth.shape == (128, 128)
        assert (
            found.objects.masks.shape == (len(found.objects), 128, 128)
            and found.objects.masks.sum(0).max(initial=0) <= 1
        )
        assert found.objects.keypoints.shape == (len(found.objects), 17, 3)
        assert (np.diff(found.objects.scores) <= 0).all() and 0 <= found.depth_confidence.min() <= 1
    maps = every_annotator.annotate(replace(request, tasks=["semantic"]))
    assert all(np.array_equal(one.full, other.full) for one, other in zip(maps, whole, strict=True))
    assert maps[0].objects is None and maps[0].depth is None
    depth = every_annotator.annotate(replace(request, tasks=["depth"]))[0]
    assert depth.label is None and depth.presence is None and np.allclose(depth.depth, whole[0].depth, rtol=1e-4)
    assert depth.confidence == pytest.approx(depth.depth_confidence[depth.depth > 0].mean(), rel=1e-4)


def test_keypoints_belong_to_people_alone(every_annotator, backbone):
    request = read(every_annotator, backbone, range(6), VOC_CLASSES, tasks=["instance", "pose"])
    for found in every_annotator.annotate(request):
        others = found.objects.classes != VOC_CLASSES.index("person") + 1
        assert not found.objects.keypoints[others].any() and not found.objects.keypoint_scores[others].any()


def test_shuffled_and_single_images_get_the_same_labels(annotator, backbone):
    together, shuffled, alone = (
        annotator.annotate(read(annotator, backbone, indices)) for indices in ([5, 6, 7], [7, 5, 6], [7])
    )
    assert (together[2].label == shuffled[0].label).mean() >= 0.999
    assert (together[2].label == alone[0].label).mean() >= 0.999


def test_restricting_leaves_only_what_was_asked_for(annotator, backbone):
    request = read(annotator, backbone, [0, 1], requested=[[1], [1]])
    strict = PDecoderAnnotator(annotator.decoder, name="x", fingerprint="y", unasked=0.0)
    for found in strict.annotate(request):
        assert set(np.unique(found.full)) <= {0, 2}
    free = PDecoderAnnotator(annotator.decoder, name="x", fingerprint="y", unasked=1.0)
    free = free.annotate(request)
    assert set(np.unique([each.full for each in free])) - {0, 2}


def test_labels_can_have_another_size(annotator, backbone):
    found = annotator.annotate(read(annotator, backbone, [0], size=(64, 96)))[0]
    assert found.label.shape == found.full.shape == (64, 96)


def test_a_list_of_another_length_is_refused(annotator, backbone):
    with pytest.raises(ValueError, match="4 classes, the list has 1"):
        annotator.annotate(replace(read(annotator, backbone, [0]), classes=("car",)))


def test_another_generator_is_refused_before_and_after(annotator, backbone):
    annotator.check_generator(backbone.fingerprint, "miniature")
    with pytest.raises(AnnotatorMismatch, match=f"{backbone.fingerprint}.*'?other with hash ffff"):
        annotator.check_generator("ffff", "other")
    request = read(annotator, backbone, [0])
    other = replace(request.reading, spec=replace(request.reading.spec, timestep=7))
    with pytest.raises(AnnotatorMismatch, match="timestep: wanted 100, got 7"):
        annotator.annotate(replace(request, reading=other))


def test_a_request_that_was_not_read_is_refused(annotator, backbone):
    with pytest.raises(ValueError, match="got reading NoneType, expected Features; call `read` first"):
        annotator.annotate(replace(read(annotator, backbone, [0]), reading=None))
