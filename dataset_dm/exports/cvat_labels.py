"""The labels of a CVAT task: as JSON for its constructor, and as the head of annotations.xml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from dataset_dm.labels.coco import KEYPOINTS, LIMBS

SCORE, CROWD = "score", "crowd"
SKELETON = "person keypoints"  # CVAT wants a label of its own for skeletons
# how the constructor draws the skeleton, percent of its square, in COCO's order
_PLACES = (
    *((50, 12), (53, 9), (47, 9), (57, 11), (43, 11), (62, 26), (38, 26), (68, 42), (32, 42)),
    *((71, 57), (29, 57), (58, 56), (42, 56), (59, 75), (41, 75), (60, 94), (40, 94)),
)


def constructor(names: Sequence[str], people: bool) -> list[dict[str, Any]]:
    """One label per name, and the skeleton of people; the JSON that the raw view of the constructor takes."""
    attributes = [_attribute(SCORE, "text", [""]), _attribute(CROWD, "checkbox", ["false"])]
    labels: list[dict[str, Any]] = [{"name": name, "type": "any", "attributes": attributes} for name in names]
    if people:
        joints = [{"name": joint, "type": "points", "attributes": []} for joint in KEYPOINTS]
        labels.append({"name": SKELETON, "type": "skeleton", "attributes": [], "sublabels": joints, "svg": _svg()})
    return labels


def meta(labels: Sequence[Mapping[str, Any]], splits: Sequence[str]) -> Element:
    """The head of annotations.xml, from which other tools (Datumaro) read classes and splits.

    Args:
        labels: from `constructor`; the points of a skeleton become labels with a parent.
        splits: names of the subsets. Only exports of projects have subsets, so this is written as one.
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
    entry = SubElement(listed, "label")
    _add(entry, {key: label[key] for key in ("name", "type")})
    attributes = SubElement(entry, "attributes")
    for attribute in label["attributes"]:
        _add(SubElement(attributes, "attribute"), attribute)
    return entry


def _add(parent: Element, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        SubElement(parent, key).text = "\n".join(value) if isinstance(value, list) else str(value)


def _attribute(name: str, kind: str, values: list[str]) -> dict[str, Any]:
    return {"name": name, "input_type": kind, "mutable": False, "default_value": values[0], "values": values}


def _svg() -> str:
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
