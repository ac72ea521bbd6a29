"""What columns and configs mean, by their names: for cards."""

from __future__ import annotations

from typing import Any

# What a column means, by its name, whatever the builder.
MEANINGS = {
    "image": "the picture, RGB",
    "label": "class of every pixel, a one-channel PNG: 0 background, 255 void (unsure)",
    "classes": "classes that the label shows, in the order of the class list",
    "image_id": "number of the picture within its split",
    "prompt": "the text it was drawn from",
    "quality": "how sure the labeller was, each 0..1; uncertain is the share of void pixels; agreement the IoU of "
    "several labellers' masks a class; null: not read",
    "provenance": "what makes picture and labels again: index, seed, prompts, generator, sampler, annotator, classes …",
    "width": "pixels",
    "height": "pixels",
    "objects": "lists, one entry an object: bbox is x, y, width, height in pixels, tight on the mask; segmentation is "
    "COCO's compressed run lengths; category counts from 0; score is 0..1; keypoints are 17 x (x, y, v) in COCO's "
    "order, v 0 not in the picture, 1 hidden, 2 seen",
    "annotation": "RGB PNG: red is the class id (0 background), green the number of the object in objects, from 1",
    "semantic_class_to_id": "class name → id in the red channel of annotation",
    "depth_map": "metres along the optical axis, a float32 TIFF; 0 unknown",
}
# config → the Hub's names for its tasks, and what the card calls its labels
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
_OTHER_CONFIG = (("image-segmentation",), "class masks")  # zero_shot, say


def tasks_of(config: str) -> tuple[tuple[str, ...], str]:
    """The Hub's task names of a config, and what its labels are called."""
    return TASK_CATEGORIES.get(config, _OTHER_CONFIG)


def column_type(name: str, kind: Any) -> str:
    """A feature in short; the struct with a field a class would be too long."""
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
