"""COCO's 80 classes in COCO's order, with the ids that its files give them (1…90, ten numbers are left out)."""

from __future__ import annotations

_BY_ID: dict[int, str] = dict(
    enumerate(
        (
            *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light"),
            *("fire hydrant", "", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep"),
            *("cow", "elephant", "bear", "zebra", "giraffe", "", "backpack", "umbrella", "", ""),
            *("handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat"),
            *("baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "", "wine glass", "cup", "fork"),
            *("knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog"),
            *("pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "", "dining table", "", "", "toilet"),
            *("", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink"),
            *("refrigerator", "", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush"),
        ),
        start=1,
    )
)

COCO_IDS: dict[str, int] = {name: number for number, name in _BY_ID.items() if name}
COCO_CLASSES: tuple[str, ...] = tuple(COCO_IDS)
