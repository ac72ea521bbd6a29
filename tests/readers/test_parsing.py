"""Folders of images and parsing masks."""

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import DataError
from dataset_dm.readers import SampleError, open_labelled
from tests.readers.little_sets import HEIGHT, WIDTH, sample_image


def mask() -> np.ndarray:
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[1:3, 2:5], ids[4] = 1, 2
    return ids


def write(root, masks="segm", ending="_segm", below=""):
    for folder in ("images", masks):
        (root / folder / below).mkdir(parents=True)
    for name in ("a", "b"):
        sample_image().save(root / "images" / below / f"{name}.jpg")
        Image.fromarray(mask()).save(root / masks / below / f"{name}{ending}.png")
    (root / "class_names.txt").write_text("background\ntop\nskirt\n")
    return root


@pytest.mark.parametrize(("masks", "ending"), [("segm", "_segm"), ("masks", "")])
def test_masks_beside_images_are_paired(tmp_path, masks, ending):
    found = open_labelled(write(tmp_path, masks, ending))
    assert found.classes == ("top", "skirt") and found.names == ["a", "b"] and found.kinds == ("semantic",)
    assert np.array_equal(found[1].label, mask())


def test_splits_may_lie_below(tmp_path):
    write(tmp_path, below="train")
    write(tmp_path, below="val")
    assert open_labelled(tmp_path).source.endswith(" train")
    assert open_labelled(tmp_path, split="val").source.endswith(" val")
    with pytest.raises(DataError, match="no split 'vall'; there are: train, val; did you mean 'val'"):
        open_labelled(tmp_path, split="vall")


def test_names_must_be_known(tmp_path):
    root = write(tmp_path)
    (root / "class_names.txt").unlink()
    with pytest.raises(DataError, match="no class_names.txt; write one name a line"):
        open_labelled(root)
    assert open_labelled(root, classes=["top", "skirt"]).classes == ("top", "skirt")


@pytest.mark.parametrize(("folder", "said"), [("images", "sample 'a' has no image"), ("segm", "image 'a' has no mask")])
def test_a_missing_partner_is_named(tmp_path, folder, said):
    next((write(tmp_path) / folder).glob("a*")).unlink()
    with pytest.raises(SampleError, match=said):
        open_labelled(tmp_path)


def test_an_unknown_class_and_another_size_are_named(tmp_path):
    file = write(tmp_path) / "segm" / "a_segm.png"
    Image.fromarray(mask() + 7).save(file)
    with pytest.raises(SampleError, match="image 'a': mask has class 7, the task has 0..2 and 255"):
        open_labelled(tmp_path)[0]
    Image.fromarray(mask().T).save(file)
    with pytest.raises(SampleError, match="image 'a': mask is 6×8, its image 8×6"):
        open_labelled(tmp_path)[0]
