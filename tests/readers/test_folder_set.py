"""Images paired with labels by file name, in whatever splits."""

import pytest
from PIL import Image

from dataset_dm.errors import DataError
from dataset_dm.readers import SampleError, open_labelled
from dataset_dm.readers.folder_set import Pairing
from tests.readers.little_sets import millimetres, sample_image


@pytest.mark.parametrize(("folder", "said"), [("color", "sample '00001' has no image"), ("depth", "has no depth")])
def test_a_missing_partner_is_named(nyu, folder, said):
    next((nyu / folder).glob("00001.*")).unlink()
    with pytest.raises(SampleError, match=f"{said}.*{folder}/00001"):
        open_labelled(nyu)


def test_pairs_are_found_by_number_and_split(tmp_path):
    for split, count in (("train", 2), ("val", 1)):
        for folder in ("rgb", "depth"):
            (tmp_path / split / folder).mkdir(parents=True)
        for i in range(count):
            sample_image().save(tmp_path / split / "rgb" / f"rgb_{i:04d}.png")
            Image.fromarray(millimetres()).save(tmp_path / split / "depth" / f"sync_depth_{i:04d}.png")
    assert len(open_labelled(tmp_path)) == 2 and len(open_labelled(tmp_path, split="val")) == 1
    with pytest.raises(DataError, match="no split 'vla'; there are: train, val; did you mean 'val'"):
        open_labelled(tmp_path, split="vla", format="nyu")


def test_a_train_split_is_preferred_wherever_splits_lie(tmp_path):
    pairing = Pairing(what="mask", images=("images",), labels=("masks",), types=(".png",))
    assert pairing.find(tmp_path, None) is None and not pairing.fits(tmp_path)
    for split in ("val", "train"):
        for folder, file in (("images", "img_1.jpg"), ("masks", "sub_1_mask.png"), ("masks", "img_1.png")):
            (tmp_path / folder / split).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / split / file).touch()
    entries, split = pairing.find(tmp_path, None)
    assert split == "train" and pairing.fits(tmp_path)
    assert [entry.name for entry in entries] == ["1", "sub_1"]
    assert entries[0].files == {
        "image": tmp_path / "images" / "train" / "img_1.jpg",
        "mask": tmp_path / "masks" / "train" / "img_1.png",
    }
    assert entries[1].files["image"] == tmp_path / "images" / "train" / "sub_1.jpg", "missing: an error on reading"
    with pytest.raises(DataError, match="no split 'vall'; there are: train, val; did you mean 'val'"):
        pairing.find(tmp_path, "vall")
