"""People's joints: OKS AP, calibration of single joints, the worst images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import PERSON
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.matching import match
from dataset_dm.metrics.pose import CLOSE, Poses, similarity
from dataset_dm.metrics.truth import Truth
from dataset_dm.metrics.worst_images import Worst
from dataset_dm.visualization.sheet import Row


@dataclass
class PoseFigures:
    """Sums over images; `names` are the classes, background first, "person" among them.

    A joint's score is the chance that it lies where it is said to, given that the person is there: it is held against
    truth for people whose mask was found (IoU of at least 0.5), joints that the labels place in the image. One that
    truly lies outside of the image is wrong wherever it was put.
    """

    names: Sequence[str]
    poses: Poses = field(init=False)
    reliability: Reliability = field(default_factory=Reliability)
    worst: Worst = field(default_factory=Worst)

    def __post_init__(self) -> None:
        if PERSON not in self.names:
            raise ValueError(f"figures of joints: no class {PERSON!r} among {', '.join(self.names)}")
        self.poses = Poses(list(self.names).index(PERSON))

    def add(
        self, image: UInt8[np.ndarray, "h w 3"], annotation: Annotation, truth: Truth, prompt: str, index: int
    ) -> None:
        """Count image `index`.

        Raises:
            ValueError: the annotation or the truth has no keypoints.
        """
        objects, true = annotation.objects, truth.instances
        if objects is None or true is None:
            raise ValueError(
                "figures of joints: no objects, or no true instances; annotate with the tasks instance and pose"
            )
        self.poses.add(objects, true)
        score = self._closeness(objects, true)
        row = Row(image, prompt=prompt, index=index, note=f"OKS {score:.2f}", objects=objects,
                  truth_objects=true, kinds=("pose",))  # fmt: skip
        self.worst.add(score, index, row)

    def figures(self) -> dict[str, float]:
        """OKS AP and the ECE of the joints' scores."""
        precision = self.poses.precision()
        return {
            "oks_ap": precision.ap,
            "oks_ap50": precision.ap50,
            "oks_ap75": precision.ap75,
            "keypoint_ece": self.reliability.ece(),
        }

    def _closeness(self, objects: Instances, true: Instances) -> float:
        """Counts the joints of the people found; mean OKS of the true people with joints, 0 for one that was missed."""
        assert objects.keypoints is not None and objects.keypoint_scores is not None and true.keypoints is not None
        labelled = (true.keypoints[..., 2] > 0) & (true.classes == self.poses.person)[:, None]
        closeness = np.zeros(len(true))
        for i, j in enumerate(match(objects, true).truth):
            if j < 0 or not labelled[j].any():
                continue
            near = similarity(objects.keypoints[i], true.keypoints[j], float(true.areas[j]))
            claimed = objects.keypoints[i, :, 2] > 0
            confidence = np.minimum(objects.keypoint_scores[i].astype(float), 1.0)
            self.reliability.add(confidence[claimed], (labelled[j] & (near >= CLOSE))[claimed])
            closeness[j] = near[labelled[j]].mean()
        people = labelled.any(1)
        return float(closeness[people].mean()) if people.any() else float("nan")
