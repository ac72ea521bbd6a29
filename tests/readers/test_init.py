"""`open_labelled`: the layout is recognised by its files; damaged samples raise, or are left out and counted."""

from collections import Counter

import pytest
from PIL import Image

from dataset_dm.errors import ConfigError, DataError
from dataset_dm.readers import open_labelled, split_off
from tests.readers.little_sets import coco_content, instance, millimetres, write_coco, write_keypoints


def damaged_coco(root):
    """Six images, of which the last two are fine."""
    content = coco_content()
    content["images"] = [{"id": i, "file_name": f"{i}.jpg", "width": 8, "height": 6} for i in range(6)]
    content["annotations"] = [
        instance(1, 0, 1, [2, 1, -2, 4]),
        instance(2, 1, 99, [0, 0, 2, 2]),
        instance(3, 2, 1, [0, 0, 2, 2]),
        instance(4, 3, 1, [0, 0, 9, 9]),
        instance(5, 4, 1, [0, 0, 2, 2]),
        instance(6, 5, 18, [0, 0, 2, 2]),
    ]
    write_coco(root, content)
    (root / "train2017" / "2.jpg").unlink()
    return root


def test_damaged_samples_raise_by_default(tmp_path):
    with pytest.raises(DataError, match="sample '2.jpg' has no image"):
        open_labelled(damaged_coco(tmp_path))


def test_the_good_rest_is_kept_only_when_asked_and_the_others_are_counted(tmp_path):
    found = open_labelled(damaged_coco(tmp_path), on_error="skip")
    assert [found[i].name for i in range(len(found))] == ["4.jpg", "5.jpg"]
    assert found.skipped == Counter({"box outside the image": 2, "unknown class": 1, "missing file": 1})
    assert found.kinds == ("semantic", "instance") and found.classes == ("person", "dog")
    part, _ = split_off(found, 0.5)
    assert (part.skipped, part.kinds) == (found.skipped, found.kinds), "a part still tells"


def test_so_many_means_so_many_good_ones(tmp_path):
    found = open_labelled(damaged_coco(tmp_path), on_error="skip", count=1)
    assert len(found) == 1 and found[0].name == "4.jpg"


def test_another_rest_is_another_source(tmp_path, coco):
    broken = open_labelled(damaged_coco(tmp_path / "broken"), on_error="skip")
    assert "less 4 damaged" in broken.source
    whole = open_labelled(coco, on_error="skip")
    assert whole.source == open_labelled(coco).source and whole.skipped == Counter() and len(whole) == 3


def test_nothing_left_is_an_error(nyu):
    for file in (nyu / "depth").iterdir():
        file.write_bytes(b"")
    with pytest.raises(DataError, match="not one sample can be read .3 × damaged file.; the last: image '00002'"):
        open_labelled(nyu, on_error="skip")


def test_every_kind_of_damage_is_skipped_in_folders_too(nyu):
    Image.fromarray(millimetres()[:2]).save(nyu / "depth" / "00000.png")
    (nyu / "color" / "00002.jpg").unlink()
    found = open_labelled(nyu, on_error="skip")
    assert len(found) == 1 and found.skipped == Counter({"wrong size": 1, "missing file": 1})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"on_error": "skipp"}, "on_error: got 'skipp', expected raise or skip; did you mean 'skip'"),
        ({"format": "ocoo"}, "format: got 'ocoo', expected voc or cityscapes or coco.*; did you mean 'coco'"),
        ({"depth_scale": float("nan")}, "depth_scale: got nan"),
        ({"depth_scale": True}, "depth_scale: got True"),
    ],
)
def test_unknown_options_are_named(coco, asked, said):
    with pytest.raises(ConfigError, match=said):
        open_labelled(coco, **asked)


def test_keypoints_of_a_json_beside_do_not_need_all_people(coco):
    write_keypoints(coco)
    assert open_labelled(coco, classes=["dog"]).kinds == ("semantic", "instance"), "a dog has no pose"


def test_every_tenth_image_is_held_out_and_none_is_in_both(voc):
    found = open_labelled("miniature", count=25)
    train, held = split_off(found, 0.1)
    assert (len(train), len(held)) == (23, 2)
    assert not set(train.positions) & set(held.positions)
    train, held = split_off(open_labelled(voc), 0.1)
    assert (len(train), len(held)) == (3, 1)
