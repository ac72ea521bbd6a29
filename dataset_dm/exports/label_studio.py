"""Label Studio: `tasks.json` with the labels as predictions, `config.xml` for the project, images in `images/<split>/`.

An object is a brush region, or a rectangle where it has no mask; its keypoints are points whose parent it is. The
choices hidden and crowd are per region. Void pixels are one more brush region; a set without objects has one brush
region per class. Submitted annotations, exported as JSON, are imported; a task without one stays as it was. Percentages
are of the sides of the image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Bool

from dataset_dm.errors import DataError, explain
from dataset_dm.exports import label_studio_rle
from dataset_dm.exports.base import Reviewed, by_name, read_json, save_image, save_json
from dataset_dm.exports.label_studio_regions import CONTROLS, CROWD, HIDDEN, Region, labels_of
from dataset_dm.exports.regions import VOID_REGION, RegionFormat, void_of
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import DEPTH, LOOSE_BOXES, SIDE_MAPS
from dataset_dm.exports.xml_files import text_of
from dataset_dm.labels.coco import KEYPOINTS
from dataset_dm.labels.file_instance import FileInstance, Size

_TASKS = "tasks.json"
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")  # Label Studio puts this before the name of an uploaded file
_POINT = 0.5  # percent: drawn size of a keypoint


class LabelStudio(RegionFormat):
    """Replaced by the list of what it does not support."""

    name = "label-studio"
    title = "Label Studio JSON"
    unsupported = (SIDE_MAPS, LOOSE_BOXES, DEPTH)
    notes = (
        "serve the folder with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT set to it, add its folder images as local storage, paste config.xml, "
        "then import tasks.json",
    )

    def write(
        self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]
    ) -> list[dict[str, Any]]:
        tasks = []
        for sample in samples:
            file = f"images/{split}/{sample.file}"
            save_image(folder / "images" / split, sample)
            data = {"image": f"/data/local-files/?d={file}", "split": split, "index": sample.index}
            prediction = {"model_version": "dataset_dm", "result": self._result(sample, classes)}
            tasks.append({"data": data, "predictions": [prediction]})
        return tasks

    def finish(self, folder: Path, parts: Mapping[str, list[dict[str, Any]]], classes: Sequence[str]) -> None:
        save_json(folder / _TASKS, [task for part in parts.values() for task in part])
        (folder / "config.xml").write_text(_config(classes), encoding="utf-8")

    def reread(self, sample: Sample, classes: Sequence[str]) -> Labels:
        return labels_of(self._result(sample, classes), sample.size, sample.name, classes)

    def read(self, path: Path, classes: Sequence[str]) -> Reviewed:
        """The submitted tasks of a JSON export: the newest annotation of each that was not cancelled."""
        file = _find(path)
        tasks = read_json(file)
        if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
            raise DataError(explain(f"{file}: content", expected="a list of tasks, Label Studio's export as JSON"))
        found = by_name(
            ((_stem(task, file), task.get("id"), result) for task in tasks if (result := _submitted(task)) is not None),
            file,
        )
        if not found:
            remedy = "submit tasks in Label Studio and export them as JSON"
            raise DataError(explain(f"{file}: none of {len(tasks)} tasks was reviewed", remedy=remedy))
        return Reviewed(found, partial(labels_of, classes=classes))

    def _result(self, sample: Sample, classes: Sequence[str]) -> list[Region]:
        regions = [
            region
            for place, instance in self.regions(sample, classes)
            for region in _regions(instance, f"o{place}", classes[instance.category], sample.size)
        ]
        void = void_of(sample.labels)
        if void is not None:
            regions.append(_region("void", "brushlabels", _brush(void), VOID_REGION, sample.size))
        return regions


def _regions(instance: FileInstance, name: str, label: str, size: Size) -> list[Region]:
    """The regions of one object."""
    masked = instance.mask is not None
    kind = "brushlabels" if masked else "rectanglelabels"
    value = _brush(instance.mask) if masked else _rectangle(instance, size)
    regions = [_region(name, kind, value, label, size, score=instance.score)]
    if instance.crowd:
        regions.append(_region(name, "choices", value, CROWD, size))
    points = np.zeros((0, 3)) if instance.keypoints is None else instance.keypoints
    for joint, (x, y, v) in enumerate(points.tolist()):
        if v > 0:
            here = {"x": 100 * x / size[1], "y": 100 * y / size[0], "width": _POINT}
            score = None if instance.keypoint_scores is None else float(instance.keypoint_scores[joint])
            own = f"{name}-{KEYPOINTS[joint]}"
            regions.append(_region(own, "keypointlabels", here, KEYPOINTS[joint], size, parent=name, score=score))
            if v == 1:
                regions.append(_region(own, "choices", here, HIDDEN, size, parent=name))
    return regions


def _region(
    name: str,
    kind: str,
    value: Mapping[str, Any],
    label: str,
    size: Size,
    parent: str | None = None,
    score: float | None = None,
) -> Region:
    return {
        "id": name,
        "from_name": CONTROLS[kind],
        "to_name": "image",
        "type": kind,
        "original_width": size[1],
        "original_height": size[0],
        "image_rotation": 0,
        "value": {**value, kind: [label]},
        **({} if parent is None else {"parentID": parent}),
        **({} if score is None else {"score": score}),
    }


def _brush(mask: Bool[np.ndarray, "H W"]) -> dict[str, Any]:
    return {"format": "rle", "rle": label_studio_rle.encode(mask)}


def _rectangle(instance: FileInstance, size: Size) -> dict[str, Any]:
    x, y, w, h = instance.bounds
    height, width = size
    sides = {"x": x / width, "y": y / height, "width": w / width, "height": h / height}
    return {**{name: 100 * share for name, share in sides.items()}, "rotation": 0}


def _submitted(task: Mapping[str, Any]) -> list[Region] | None:
    """The regions of a task's newest annotation; None when there is none."""
    done = [entry for entry in task.get("annotations") or () if not entry.get("was_cancelled")]
    return list(max(done, key=lambda entry: str(entry.get("updated_at") or ""))["result"]) if done else None


def _stem(task: Mapping[str, Any], file: Path) -> str:
    image = (task.get("data") or {}).get("image")
    if not isinstance(image, str):
        raise DataError(explain(f"{file}: task {task.get('id')} without data.image", expected="its image's address"))
    return _UPLOADED.sub("", Path(image.split("?d=")[-1].split("?")[0]).stem)


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    files = [path / _TASKS] if (path / _TASKS).is_file() else sorted(path.glob("[!.]*.json"))
    if len(files) != 1:
        got = ", ".join(file.name for file in files) or "none"
        raise DataError(explain(f"{path}: JSON files", got=got, expected="one, or the path of one"))
    return files[0]


def _config(classes: Sequence[str]) -> str:
    """The configuration of the project's labelling interface."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name="image", value="$image", zoom="true")
    tags = {
        "BrushLabels": (CONTROLS["brushlabels"], "Label", [*classes, VOID_REGION], {}),
        "RectangleLabels": (CONTROLS["rectanglelabels"], "Label", classes, {}),
        "KeyPointLabels": (CONTROLS["keypointlabels"], "Label", KEYPOINTS, {}),
        "Choices": (CONTROLS["choices"], "Choice", (HIDDEN, CROWD), {"perRegion": "true", "choice": "multiple"}),
    }
    for tag, (name, inner, values, more) in tags.items():
        control = ElementTree.SubElement(view, tag, name=name, toName="image", **more)
        for place, value in enumerate(values):
            # by this index the tool orders keypoints when it exports them
            order = {"model_index": str(place)} if values is KEYPOINTS else {}
            ElementTree.SubElement(control, inner, value=value, **order)
    return text_of(view)
