"""Readers of labelled images: ids, void, and one clear line for each fault."""

import json
from io import BytesIO

import datasets
import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import DataError
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world import labelled
from dataset_dm.readers import open_labelled, split_off
from dataset_dm.readers.miniature import balanced


def test_fault_1_class_ids_and_void_survive_reading(voc):
    found = open_labelled(voc)
    assert found.classes == ("forklift", "pallet") and len(found) == 4
    sample = found[1]
    assert sample.image.shape == (40, 60, 3) and sample.image.dtype == sample.label.dtype == np.uint8
    assert np.unique(sample.label).tolist() == [0, 1, 2, 255]
    assert (sample.label == 1).sum() == 22 * 16 and (sample.label == 255).sum() == 40
    assert sample.image[sample.label == 1][0].tolist() == [200, 60, 20], "RGB, not BGR"


def test_image_sets_choose_the_split(voc):
    lists = voc / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("002\n000\n")
    (lists / "val.txt").write_text("003\n")
    assert open_labelled(voc).names == ["002", "000"]
    assert open_labelled(voc, split="val").names == ["003"]
    with pytest.raises(DataError, match="no split 'vall'.*train, val"):
        open_labelled(voc, split="vall")


def test_a_split_without_a_list_is_not_all_images(voc):
    with pytest.raises(DataError, match="no split 'val'.*there are: none"):
        open_labelled(voc, split="val")


def test_two_splits_are_two_sources(voc):
    lists = voc / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for name in ("train", "val"):
        (lists / f"{name}.txt").write_text("000\n")
    assert open_labelled(voc).source != open_labelled(voc, split="val").source, "features of one are not the other's"


def test_without_a_list_the_classes_are_those_of_voc(voc):
    (voc / "class_names.txt").unlink()
    assert open_labelled(voc).classes == tuple(VOC_CLASSES)


def test_an_image_without_its_mask_is_named(voc):
    (voc / "SegmentationClass" / "002.png").unlink()
    with pytest.raises(DataError, match="image '002' has no mask"):
        open_labelled(voc)


def test_an_id_outside_the_list_is_named(voc):
    (voc / "class_names.txt").write_text("background\nforklift\n")
    with pytest.raises(DataError, match="image '000': mask has class 2, the task has 0..1 and 255"):
        open_labelled(voc)[0]


def test_a_mask_of_another_size_is_named(voc):
    file = voc / "SegmentationClass" / "001.png"
    Image.open(BytesIO(file.read_bytes())).resize((30, 20)).save(file)
    with pytest.raises(DataError, match="image '001': mask is 30×20, its image 60×40"):
        open_labelled(voc)[1]


@pytest.mark.parametrize("folder", ["JPEGImages", "SegmentationClass"])
def test_a_truncated_file_is_named(voc, folder):
    file = voc / folder / "003.png"
    file.write_bytes(file.read_bytes()[:90])
    with pytest.raises(DataError, match="image '003': (image|mask) cannot be read") as caught:
        open_labelled(voc)[3]
    assert "\n" not in str(caught.value)


def test_a_coloured_mask_is_refused(voc):
    file = voc / "SegmentationClass" / "001.png"
    Image.open(BytesIO(file.read_bytes())).convert("RGB").save(file)
    with pytest.raises(DataError, match="mode RGB, expected a palette or grey"):
        open_labelled(voc)[1]


def test_grey_and_rotated_photographs_are_read_upright(voc):
    file = voc / "JPEGImages" / "000.png"
    grey = Image.open(BytesIO(file.read_bytes())).convert("L").transpose(Image.Transpose.ROTATE_90)
    exif = grey.getexif()
    exif[0x0112] = 6  # "turn right by 90° to see it upright"
    grey.save(voc / "JPEGImages" / "000.jpg", exif=exif)
    file.unlink()
    assert open_labelled(voc)[0].image.shape == (40, 60, 3)


def test_nothing_there_is_one_line(tmp_path):
    with pytest.raises(DataError, match="expected 'miniature', a VOC folder"):
        open_labelled(tmp_path / "nowhere")
    (tmp_path / "JPEGImages").mkdir()
    with pytest.raises(DataError, match="no folder SegmentationClass"):
        open_labelled(tmp_path)


def test_miniature_is_the_worlds_own_truth():
    found = open_labelled("miniature", count=3)
    scene, rendering = labelled("train", 2)
    assert len(found) == 3 and found.classes == tuple(VOC_CLASSES)
    assert np.array_equal(found[2].label, rendering.class_map) and found[2].caption == scene.captions[0]
    with pytest.raises(DataError, match="did you mean 'validation'"):
        open_labelled("miniature", split="validaton")
    with pytest.raises(DataError, match="classes of miniature: got .*leave --classes out"):
        open_labelled("miniature", classes=["forklift"])


def test_the_labelled_renders_are_chosen_in_balance():
    chosen = balanced("train", 24)
    assert chosen == tuple(sorted(set(chosen))) and balanced("train", 9) == chosen[:9]
    shown = np.zeros(20, int)
    for number in chosen:
        rendering = labelled("train", number)[1]
        shown += np.isin(np.arange(1, 21), rendering.class_map)
    person = VOC_CLASSES.index("person")
    others = np.delete(shown, person)
    first = [labelled("train", i)[1].class_map for i in range(24)]
    assert others.min() >= 1 and shown[person] > sum((each == person + 1).any() for each in first)
    assert open_labelled("miniature", count=24).source != open_labelled("miniature", split="test", count=24).source
    found = open_labelled("miniature", count=24)
    assert np.array_equal(found[23].label, labelled("train", chosen[23])[1].class_map)


def dataset_folder(root, names, labels):
    """A folder as `dataset-dm generate --out` writes it: parquet with embedded images."""
    rows = {
        "image": [Image.fromarray(np.full((6, 8, 3), 10 * i, np.uint8)) for i in range(len(labels))],
        "label": [Image.fromarray(np.asarray(label, np.uint8)) for label in labels],
    }
    features = {"image": datasets.Image(), "label": datasets.Image()}
    if names:
        rows["classes"] = [[1]] * len(labels)
        features["classes"] = datasets.Sequence(datasets.ClassLabel(names=names))
    root.mkdir()
    datasets.Dataset.from_dict(rows, features=datasets.Features(features)).to_parquet(root / "train.parquet")
    return root


def test_a_hugging_face_dataset_is_read(tmp_path):
    label = np.zeros((6, 8))
    label[2:, 3:], label[0] = 1, 255
    found = open_labelled(dataset_folder(tmp_path / "set", ["background", "forklift"], [label, label]))
    assert found.classes == ("forklift",) and len(found) == 2
    assert np.array_equal(found[1].label, label) and found[1].image[0, 0].tolist() == [10, 10, 10]


def test_class_names_come_from_id2label_too_and_without_background_all_ids_move_up(tmp_path):
    folder = dataset_folder(tmp_path / "set", None, [[[0, 1, 255]] * 6])
    with pytest.raises(DataError, match="--classes"):
        open_labelled(folder)
    (folder / "id2label.json").write_text(json.dumps({"0": "wall", "1": "floor"}))
    found = open_labelled(folder)
    assert found.classes == ("wall", "floor")


def test_ids_move_up_without_background(tmp_path):
    label = np.zeros((6, 8))
    label[:, 4:], label[0] = 1, 255
    folder = dataset_folder(tmp_path / "set", ["wall", "floor"], [label])
    assert np.unique(open_labelled(folder)[0].label).tolist() == [1, 2, 255]


def test_an_empty_mask_cell_is_named(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    rows = {"image": [Image.new("RGB", (4, 4))], "label": [None]}
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Image()})
    datasets.Dataset.from_dict(rows, features=features).to_parquet(folder / "train.parquet")
    with pytest.raises(DataError, match=r"train\[0\]: column 'label' is empty"):
        open_labelled(folder, classes=["a"])[0]


def test_every_tenth_image_is_held_out_and_none_is_in_both(voc):
    found = open_labelled("miniature", count=25)
    train, held = split_off(found, 0.1)
    assert (len(train), len(held)) == (23, 2)
    assert not set(train.positions) & set(held.positions)
    train, held = split_off(open_labelled(voc), 0.1)
    assert (len(train), len(held)) == (3, 1)
