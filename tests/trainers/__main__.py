"""All five trainers one after the other: `python -m tests.trainers --rows 64 --epochs 2`."""

from tests.trainers.depth import DEPTH
from tests.trainers.detection import DETECTION
from tests.trainers.instance import INSTANCE
from tests.trainers.keypoints import KEYPOINTS
from tests.trainers.semantic import SEMANTIC
from tests.trainers.training import main

main(SEMANTIC, INSTANCE, DETECTION, DEPTH, KEYPOINTS)
