"""COCO's 80 classes in COCO's order, with the ids that its files give them (1…90, ten numbers are left out), and the
keypoints of a person."""

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


KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # COCO's order  # fmt: skip
JOINTS = len(KEYPOINTS)

# How far apart annotators of COCO place a joint, as a share of a person's size (square root of the area).
SIGMAS = (
    .026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087, .089, .089,
)  # fmt: skip

# Pairs of joints (from 0, COCO's order): legs, hips, trunk, shoulders, arms, face, neck.
LIMBS = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6),
    (5, 7), (7, 9), (6, 8), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip


def side(joint: int) -> str:
    """ "left", "right" (the person's own) or "middle" of a joint in COCO's order: after the nose they take turns."""
    return "middle" if joint == 0 else "left" if joint % 2 else "right"


# The keypoint that each one becomes in a mirrored image: left and right change places.
MIRRORED = tuple({"left": joint + 1, "right": joint - 1}.get(side(joint), joint) for joint in range(JOINTS))
