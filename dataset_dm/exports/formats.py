"""All formats by name."""

from __future__ import annotations

from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.exports.base import Format
from dataset_dm.exports.cityscapes import Cityscapes
from dataset_dm.exports.coco import Coco
from dataset_dm.exports.cvat import Cvat
from dataset_dm.exports.label_studio import LabelStudio
from dataset_dm.exports.voc import Voc
from dataset_dm.exports.yolo import Yolo
from dataset_dm.exports.yolo_pose import YoloPose
from dataset_dm.exports.yolo_seg import YoloSeg

FORMATS: dict[str, Format] = {
    entry.name: entry for entry in (Coco(), Yolo(), YoloSeg(), YoloPose(), Voc(), Cityscapes(), LabelStudio(), Cvat())
}


def find_format(name: str) -> Format:
    """The format of a name; ConfigError with a suggestion when there is none."""
    if name not in FORMATS:
        expected = f"one of {', '.join(FORMATS)}"
        raise ConfigError(explain("format", got=name, expected=expected) + did_you_mean(name, FORMATS))
    return FORMATS[name]
