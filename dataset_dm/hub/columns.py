"""The meaning of columns and configs, by name: for cards."""

from __future__ import annotations

from typing import Any

# column → its meaning, the same for every builder
MEANINGS = {
    "image": "RGB",
    "label": "class of every pixel, a one-channel PNG: 0 background, 255 void (low confidence)",
    "classes": "classes in the label, in the order of the class list",
    "image_id": "number of the image within its split",
    "prompt": "the text the image was generated from",
    "quality": "confidence of each kind of label, 0..1; uncertain is the share of void pixels; agreement the IoU of "
    "the masks of several annotators, by class; null: not read",
    "provenance": "what reproduces image and labels: index, seed, prompts, generator, sampler, annotator, classes …",
    "width": "pixels",
    "height": "pixels",
    "objects": "lists, one entry an object: bbox is x, y, width, height in pixels, tight on the mask; segmentation is "
    "COCO's compressed run lengths; category counts from 0; score is 0..1; keypoints are 17 x (x, y, v) in COCO's "
    "order, v 0 not in the image, 1 occluded, 2 visible",
    "annotation": "RGB PNG: red is the class id (0 background), green the number of the object in objects, from 1",
    "semantic_class_to_id": "class name → id in the red channel of annotation",
    "depth_map": "metres along the optical axis, a float32 TIFF; 0 unknown",
}
# config → task names of the Hub, and the name of its labels on cards
TASK_CATEGORIES: dict[str, tuple[tuple[str, ...], str]] = {
    "semantic": (("image-segmentation",), "class masks"),
    "instance": (("image-segmentation", "object-detection"), "instances and boxes"),
    "keypoints": (("keypoint-detection", "object-detection"), "human keypoints"),
    "depth": (("depth-estimation",), "metric depth"),
    "all": (
        ("image-segmentation", "object-detection", "keypoint-detection", "depth-estimation"),
        "class masks, instances, keypoints and depth",
    ),
}
_OTHER_CONFIG = (("image-segmentation",), "class masks")  # such as zero_shot


def tasks_of(config: str) -> tuple[tuple[str, ...], str]:
    """The Hub's task names of a config, and the name of its labels."""
    return TASK_CATEGORIES.get(config, _OTHER_CONFIG)


def column_type(name: str, kind: Any) -> str:
    """A feature in short; `semantic_class_to_id` without its fields."""
    return "struct of int64" if name == "semantic_class_to_id" else _type_name(kind)


def _type_name(kind: Any) -> str:
    """A feature in short: image, string, list of class labels, a struct's fields."""
    if isinstance(kind, dict):
        return "struct of " + ", ".join(kind)
    if isinstance(kind, list):  # datasets before 4 writes lists so
        return f"list of {_type_name(kind[0])}"
    inner = getattr(kind, "feature", None)
    if inner is not None:
        return f"list of {_type_name(inner)}"
    return getattr(kind, "dtype", None) if type(kind).__name__ == "Value" else type(kind).__name__
