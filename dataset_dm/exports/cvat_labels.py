"""The labels of a CVAT task: as the raw view of its constructor takes them, and as its XML repeats them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from dataset_dm.labels.coco import KEYPOINTS, LIMBS

SCORE, CROWD = "score", "crowd"
SKELETON = "person keypoints"  # in CVAT a label is either of skeletons or of other shapes
# how the constructor draws the skeleton, percent of its square, in COCO's order
_PLACES = (
    *((50, 12), (53, 9), (47, 9), (57, 11), (43, 11), (62, 26), (38, 26), (68, 42), (32, 42)),
    *((71, 57), (29, 57), (58, 56), (42, 56), (59, 75), (41, 75), (60, 94), (40, 94)),
)


def constructor(names: Sequence[str], people: bool) -> list[dict[str, Any]]:
    """One label a name, and the skeleton of people."""
    attributes = [_attribute(SCORE, "text", [""]), _attribute(CROWD, "checkbox", ["false"])]
    labels: list[dict[str, Any]] = [{"name": name, "type": "any", "attributes": attributes} for name in names]
    if people:
        joints = [{"name": joint, "type": "points", "attributes": []} for joint in KEYPOINTS]
        labels.append({"name": SKELETON, "type": "skeleton", "attributes": [], "sublabels": joints, "svg": _picture()})
    return labels


def meta(labels: Sequence[Mapping[str, Any]], splits: Sequence[str]) -> Element:
    """The head of annotations.xml, by which other tools (Datumaro) know classes and splits.

    Args:
        labels: what `constructor` gives; the points of a skeleton become labels with a parent.
        splits: names of the subsets. Images have a subset in exports of projects alone, so this says it is one.
    """
    head = Element("meta")
    project = SubElement(head, "project")
    listed = SubElement(project, "labels")
    for label in labels:
        _label(listed, label)
        for point in label.get("sublabels", ()):
            SubElement(_label(listed, point), "parent").text = label["name"]
    subsets = SubElement(project, "subsets")
    for split in splits:
        SubElement(subsets, "subset").text = split
    return head


def _label(listed: Element, label: Mapping[str, Any]) -> Element:
    one = SubElement(listed, "label")
    SubElement(one, "name").text = label["name"]
    SubElement(one, "type").text = label["type"]
    attributes = SubElement(one, "attributes")
    for attribute in label["attributes"]:
        entry = SubElement(attributes, "attribute")
        for key, value in attribute.items():
            SubElement(entry, key).text = "\n".join(value) if isinstance(value, list) else str(value)
    return one


def _attribute(name: str, kind: str, values: list[str]) -> dict[str, Any]:
    return {"name": name, "input_type": kind, "mutable": False, "default_value": values[0], "values": values}


def _picture() -> str:
    lines = [
        f'<line x1="{_PLACES[a][0]}" y1="{_PLACES[a][1]}" x2="{_PLACES[b][0]}" y2="{_PLACES[b][1]}" stroke="black" '
        f'stroke-width="0.5" data-type="edge" data-node-from="{a + 1}" data-node-to="{b + 1}"></line>'
        for a, b in LIMBS
    ]
    circles = [
        f'<circle r="1.5" cx="{x}" cy="{y}" stroke="black" stroke-width="0.1" fill="#b3b3b3" '
        f'data-type="element node" data-element-id="{i}" data-node-id="{i}" data-label-name="{joint}"></circle>'
        for i, ((x, y), joint) in enumerate(zip(_PLACES, KEYPOINTS, strict=True), start=1)
    ]
    return "".join([*lines, *circles])
