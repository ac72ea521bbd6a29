"""Hugging Face datasets: every set this package generates can be trained on again, and so can others' columns."""

from io import BytesIO

import datasets
import numpy as np
import pytest
from PIL import Image

import dataset_dm  # noqa: F401  (registers the names)
from dataset_dm.errors import DataError
from dataset_dm.labels import rle
from dataset_dm.labels.instances import IGNORED
from dataset_dm.readers import SampleError, open_labelled
from dataset_dm.readers.hub import as_rows
from tests.readers.little_sets import HEIGHT, STANDING, WIDTH, millimetres, sample_image

RENDERS = 4  # of the validation split, whose second shows a person


def generated(tmp_path, config):
    """A set of exact renders in the columns of the generated sets, as a folder of parquet."""
    made = datasets.load_dataset(
        "dataset_dm/miniature", config, splits={"validation": RENDERS}, cache_dir=str(tmp_path / "cache")
    )
    folder = tmp_path / config
    folder.mkdir()
    made["validation"].to_parquet(folder / "train.parquet")
    return open_labelled(folder)


def test_a_generated_set_of_all_kinds_is_read_back_exactly(tmp_path):
    found, truth = generated(tmp_path, "all"), open_labelled("miniature", split="validation", count=RENDERS)
    assert found.classes == truth.classes and found.kinds == truth.kinds and len(found) == RENDERS
    poses = 0
    for i in range(RENDERS):
        mine, real = found[i], truth[i]
        assert np.array_equal(mine.image, real.image) and mine.caption == real.caption
        assert np.array_equal(mine.label, real.label) and np.array_equal(mine.depth, real.depth)
        assert np.array_equal(mine.instances.map, real.instances.map)
        assert np.array_equal(mine.instances.classes, real.instances.classes)
        assert np.array_equal(mine.instances.keypoints, real.instances.keypoints)
        poses += int(real.instances.keypoints.any())
    assert poses, "or nothing was tested"


@pytest.mark.parametrize(
    ("config", "kinds"),
    [
        ("semantic", ("semantic",)),
        ("instance", ("semantic", "instance")),
        ("keypoints", ("semantic", "instance", "pose")),
        ("depth", ("depth",)),
    ],
)
def test_each_config_gives_its_kinds(tmp_path, config, kinds):
    found, truth = generated(tmp_path, config), open_labelled("miniature", split="validation", count=RENDERS)
    assert found.kinds == kinds
    sample, real = found[3], truth[3]
    assert (sample.label is None) == (config == "depth") and (sample.depth is None) == (config != "depth")
    if config != "depth":
        assert found.classes == truth.classes and np.array_equal(sample.label, real.label)
    if "instance" in kinds:
        assert np.array_equal(sample.instances.map, real.instances.map)


FORM = np.zeros((HEIGHT, WIDTH), bool)
FORM[1:4, 2:6] = True
OTHER = np.zeros((HEIGHT, WIDTH), bool)
OTHER[3:6, 5:8] = True
OBJECTS = [
    {"id": 1, "bbox": [2.0, 1.0, 4.0, 3.0], "category": 1, "iscrowd": 0, "segmentation": rle.encode(FORM)},
    {"id": 2, "bbox": [5.0, 3.0, 3.0, 3.0], "category": 0, "iscrowd": 0, "segmentation": rle.encode(OTHER)},
]
NAMES = ["person", "dog"]
SEGMENTATION = {"size": datasets.Sequence(datasets.Value("int32")), "counts": datasets.Value("string")}


def folder_of(root, rows, features):
    root.mkdir(exist_ok=True)
    table = {name: [row.get(name) for row in rows] for name in features}
    datasets.Dataset.from_dict(table, features=datasets.Features(features)).to_parquet(root / "train.parquet")
    return root


def objects_features(**more):
    return {
        "id": datasets.Value("int64"),
        "bbox": datasets.Sequence(datasets.Value("float32")),
        "category": datasets.ClassLabel(names=NAMES),
        "iscrowd": datasets.Value("int8"),
        "segmentation": SEGMENTATION,
        **more,
    }


def with_objects(root, *images, **more):
    """A set whose rows hold these lists of objects."""
    features = {"image": datasets.Image(), "objects": [objects_features(**more)]}
    return folder_of(root, [{"image": sample_image(), "objects": instances} for instances in images], features)


def changed(**fields):
    return [{**OBJECTS[0], **fields}]


def test_a_list_of_dicts_is_read_and_the_class_map_follows(tmp_path):
    found = open_labelled(with_objects(tmp_path / "set", OBJECTS, []))
    assert found.classes == ("person", "dog") and found.kinds == ("semantic", "instance")
    sample = found[0]
    assert sample.instances.classes.tolist() == [2, 1]
    # at (3, 5) the smaller one, the person, keeps its pixel
    assert sample.label[3, 5] == 1 and (sample.label == 2).sum() == 11 and (sample.label == 1).sum() == 9
    assert not found[1].label.any() and len(found[1].instances) == 0


def test_lists_and_dicts_are_the_same_instances():
    columns = {"id": [1, 2], "segmentation": {"size": [[6, 8], [6, 8]], "counts": ["a", "b"]}, "score": None}
    expected = [
        {"id": 1, "segmentation": {"size": [6, 8], "counts": "a"}},
        {"id": 2, "segmentation": {"size": [6, 8], "counts": "b"}},
    ]
    assert as_rows(columns) == as_rows(expected) == expected
    assert as_rows(None) == as_rows([]) == as_rows({"id": [], "segmentation": {"size": [], "counts": []}}) == []


def test_crowds_are_ignored(tmp_path):
    sample = open_labelled(with_objects(tmp_path / "set", [{**OBJECTS[0], "iscrowd": 1}]))[0]
    assert (sample.label[FORM] == 255).all() and (sample.instances.map[FORM] == IGNORED).all()
    assert len(sample.instances) == 0


@pytest.mark.parametrize(("dtype", "x"), [("int32", 1.5), ("float32", 1.0)])
def test_whole_keypoints_are_pixels_and_others_are_places(tmp_path, dtype, x):
    points = np.array(STANDING).reshape(17, 3).tolist()
    features = {"keypoints": datasets.Sequence(datasets.Sequence(datasets.Value(dtype)))}
    instances = [{**instance, "keypoints": points} for instance in OBJECTS]
    found = open_labelled(with_objects(tmp_path / "set", instances, **features))
    assert found.kinds == ("semantic", "instance", "pose")
    assert found[0].instances.keypoints[1, 1].tolist() == [x, x, 2]
    assert not found[0].instances.keypoints[0].any(), "a dog has none"


def test_sixteen_keypoints_are_named(tmp_path):
    features = {"keypoints": datasets.Sequence(datasets.Sequence(datasets.Value("float32")))}
    root = with_objects(tmp_path / "set", changed(category=0, keypoints=[[1, 1, 2]] * 16), **features)
    with pytest.raises(SampleError, match=r"train\[0\], object 0: 16 keypoints, expected 17"):
        open_labelled(root)[0]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"bbox": [2.0, 1.0, -4.0, 3.0]}, r"box: got \[2.0, 1.0, -4.0, 3.0\], expected"),
        ({"bbox": [6.0, 1.0, 4.0, 3.0]}, r"box: got \[6.0"),
        ({"segmentation": None}, "no segmentation"),
        ({"segmentation": {"size": [6, 8], "counts": "00"}}, "segmentation .*runs add up"),
        ({"segmentation": {"size": [3, 2], "counts": rle.encode(FORM[:3, :2])["counts"]}}, "segmentation is 2×3"),
        ({"category": None}, "category: got None, expected one of the 2 classes"),
    ],
)
def test_a_broken_object_is_named_and_skipped_when_asked(tmp_path, fields, said):
    root = with_objects(tmp_path / "set", changed(**fields), OBJECTS)
    with pytest.raises(SampleError, match=rf"train\[0\], object 0: {said}"):
        open_labelled(root)[0]
    rest = open_labelled(root, on_error="skip")
    assert len(rest) == 1 and sum(rest.skipped.values()) == 1 and len(rest[0].instances) == 2


def test_boxes_alone_are_no_labels_for_a_decoder(tmp_path):
    fields = {"bbox": datasets.Sequence(datasets.Value("float32")), "category": datasets.ClassLabel(names=NAMES)}
    features = {"image": datasets.Image(), "objects": [fields]}
    rows = [{"image": sample_image(), "objects": [{"bbox": [0, 0, 1, 1], "category": 0}]}]
    with pytest.raises(DataError, match=r"objects: got \['bbox', 'category'\], expected a field 'segmentation'"):
        open_labelled(folder_of(tmp_path / "set", rows, features))
    mask = Image.fromarray(FORM.astype(np.uint8))
    found = open_labelled(
        folder_of(tmp_path / "two", [{**rows[0], "label": mask}], {**features, "label": datasets.Image()}),
        classes=NAMES,
    )
    assert found.kinds == ("semantic",) and np.array_equal(found[0].label, FORM)


def annotated(root, colours, ids):
    features = {
        "image": datasets.Image(),
        "annotation": datasets.Image(),
        "semantic_class_to_id": {name: datasets.Value("int64") for name in ids},
    }
    row = {"image": sample_image(), "annotation": Image.fromarray(colours), "semantic_class_to_id": ids}
    return folder_of(root, [row], features)


def test_a_coloured_annotation_holds_classes_and_instances(tmp_path):
    colours = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    colours[FORM] = (18, 4, 0)
    colours[OTHER] = (5, 9, 0)
    found = open_labelled(annotated(tmp_path / "set", colours, {"background": 0, "dog": 18, "person": 5}))
    assert found.classes == ("person", "dog") and found.kinds == ("semantic", "instance")
    sample = found[0]
    assert np.array_equal(sample.label, np.where(OTHER, 1, np.where(FORM, 2, 0)))
    assert sample.instances.classes.tolist() == [2, 1] and np.array_equal(sample.instances.map == 2, OTHER)
    colours[0, 0] = (77, 1, 0)
    with pytest.raises(SampleError, match="mask has class 77"):
        open_labelled(annotated(tmp_path / "two", colours, {"background": 0, "dog": 18, "person": 5}))[0]


def test_some_of_the_own_classes_may_be_chosen_by_name(tmp_path):
    found = open_labelled(with_objects(tmp_path / "set", OBJECTS), classes=["dog"])
    assert found.classes == ("dog",) and found[0].instances.classes.tolist() == [1]
    assert np.array_equal(found[0].label, FORM)


def depth_set(root, image, **more):
    out = BytesIO()
    image.save(out, **more)
    features = {"image": datasets.Image(), "depth_map": datasets.Image()}
    return folder_of(root, [{"image": sample_image(), "depth_map": {"bytes": out.getvalue(), "path": None}}], features)


def test_depth_maps_in_metres_and_in_millimetres(tmp_path):
    metres = np.full((HEIGHT, WIDTH), 3.25, np.float32)
    found = open_labelled(depth_set(tmp_path / "a", Image.fromarray(metres), format="TIFF"))
    assert found.kinds == ("depth",) and found.classes == () and np.array_equal(found[0].depth, metres)
    small = depth_set(tmp_path / "b", Image.fromarray(millimetres()), format="PNG")
    assert open_labelled(small)[0].depth.max() == 2.5
    assert open_labelled(small, depth_scale=1 / 5000)[0].depth.max() == 0.5
    metres[1, 1] = np.nan
    broken = depth_set(tmp_path / "c", Image.fromarray(metres), format="TIFF")
    with pytest.raises(SampleError, match=r"train\[0\]: depth is nan in row 1, column 1"):
        open_labelled(broken)[0]


def test_a_set_without_any_label_is_refused(tmp_path):
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)}
    with pytest.raises(DataError, match=r"columns: got \['image', 'label'\], expected a label column"):
        open_labelled(folder_of(tmp_path / "set", [{"image": sample_image(), "label": 1}], features))


def test_an_empty_mask_cell_is_named(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    rows = {"image": [Image.new("RGB", (4, 4))], "label": [None]}
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Image()})
    datasets.Dataset.from_dict(rows, features=features).to_parquet(folder / "train.parquet")
    with pytest.raises(DataError, match=r"train\[0\]: column 'label' is empty"):
        open_labelled(folder, classes=["a"])[0]
