"""The labels of a CVAT task cover what its file uses."""

import json
from pathlib import Path
from xml.etree import ElementTree


def test_cvat_labels_cover_what_the_file_uses(exports: dict[str, Path]) -> None:
    labels = {one["name"]: one for one in json.loads((exports["cvat"] / "labels.json").read_text())}
    root = ElementTree.parse(exports["cvat"] / "annotations.xml").getroot()
    assert root.findtext("version") == "1.1" and [one.get("id") for one in root.iter("image")] == ["0", "1", "2", "3"]
    for shape in (shape for image in root.iter("image") for shape in image):
        assert shape.get("label") in labels
        if shape.tag == "skeleton":
            points = [point.get("label") for point in shape]
            assert points == [one["name"] for one in labels[shape.get("label")]["sublabels"]]
    declared = {one.findtext("name"): one for one in root.iterfind("meta/project/labels/label")}
    assert {name for name, one in declared.items() if one.find("parent") is None} == set(labels)
    assert [name for name, one in declared.items() if one.findtext("parent") == "person keypoints"] == points
    assert [one.text for one in declared["dog"].iterfind("attributes/attribute/name")] == ["score", "crowd"]
    subsets = [one.text for one in root.iterfind("meta/project/subsets/subset")]
    assert subsets == ["train", "validation"] and {one.get("subset") for one in root.iter("image")} == set(subsets)
    svg = ElementTree.fromstring(f"<svg>{labels['person keypoints']['svg']}</svg>")
    assert len(svg.findall("circle")) == 17 and len(svg.findall("line")) == 19
