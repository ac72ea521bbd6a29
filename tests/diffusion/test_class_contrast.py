"""Contrast evidence: what naming a class explains, on the shipped generator."""

import pytest
import torch

from dataset_dm.diffusion import encode_classes, encode_images, feature_spec, read_features
from dataset_dm.diffusion.class_contrast import _maps, read_contrast
from dataset_dm.hypercolumns import CONTRAST_MAPS
from dataset_dm.labels.vocabulary import VOC_CLASSES, display_name

NAMES = tuple(display_name(name) for name in VOC_CLASSES)


def ask(backbone, latents, names, seeds):
    """Contrast at t = 100 with the attention of the default layers."""
    layers = feature_spec(backbone).attention
    return read_contrast(backbone, latents, encode_classes(backbone, list(names)), (100,), seeds, layers)


@pytest.fixture(scope="module")
def maps(backbone, renders):
    return ask(backbone, encode_images(backbone, renders[0]), NAMES, [1, 2, 3, 4])


def test_the_class_that_is_shown_explains_the_image_best(backbone, maps, renders):
    whole = maps[:, :, 2, 0, 0]  # gain over the whole image
    rank = [(whole[row] > whole[row, shown]).sum().item() for row, shown in enumerate(renders[1])]
    assert maps.shape == (4, 20, feature_spec(backbone, contrast=(100,)).contrast_maps, 16, 16)
    assert sum(place < 5 for place in rank) >= 3  # by chance one of four


def test_the_class_list_may_be_permuted_and_cut(backbone, renders, maps):
    latents = encode_images(backbone, renders[0])
    some = [7, 0, 19]
    again = ask(backbone, latents, [NAMES[i] for i in some], [1, 2, 3, 4])
    assert torch.equal(again, maps[:, some])


def test_the_pass_that_names_a_class_attends_to_it(maps, renders):
    """Mean attention under the shown object, against the other classes: better than the middle of the list."""
    attended = maps[:, :, CONTRAST_MAPS:].mean(2)
    rank = []
    for row, shown in enumerate(renders[1]):
        cells = attended[row].flatten(1).amax(1)
        rank.append((cells > cells[shown]).sum().item())
    assert sum(place < 7 for place in rank) >= 3  # by chance one or two of four


def test_samples_do_not_mix(backbone, renders, maps):
    latents = encode_images(backbone, renders[0][2:3])
    alone = ask(backbone, latents, NAMES[:3], [3])
    assert torch.allclose(alone[0], maps[2, :3], atol=2e-2)  # roots of small differences of rounded errors


def test_maps_by_hand():
    gain, change = torch.zeros(1, 5, 5), torch.full((1, 5, 5), 4.0)
    gain[0, 2, 2] = -25.0
    cell, around, whole, changed = _maps(gain, change)[0]
    assert cell[2, 2] == -5 and cell[0, 0] == 0
    assert around[2, 2] == -1  # the 5 x 5 mean is -1, its signed root -1
    assert torch.all(whole == -1)
    assert torch.all(changed == 2)


def test_contrast_is_read_for_unprompted_samples_only(backbone, renders):
    spec = feature_spec(backbone, contrast=(100,))
    latents = encode_images(backbone, renders[0][:2])
    text = encode_classes(backbone, NAMES[:2])
    read = read_features(
        backbone, latents, ["a photo", "a photo of a dog"], text, spec, [1, 2], unprompted=[True, False]
    )
    assert read.contrast.shape == (2, 2, CONTRAST_MAPS + len(spec.attention), 16, 16)
    assert read.contrast[0].isfinite().all() and read.contrast[1].isnan().all()
    assert (
        read_features(backbone, latents, ["", ""], text, feature_spec(backbone, contrast=()), [1, 2]).contrast is None
    )
