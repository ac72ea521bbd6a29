"""Ultralytics' keypoints, reviewed."""

from pathlib import Path

import pytest

from tests.exports.reviews import Review, changed, lines_of
from tests.exports.sets import FIRST, HEIGHT, WIDTH, rows_of


def test_a_joint_that_was_moved(review: Review, hand_set: Path) -> None:
    def edit(lines: list[str]) -> list[str]:
        words = lines[0].split()
        words[5:8] = [str(17.5 / WIDTH), str(7.5 / HEIGHT), "1"]  # the nose
        return [" ".join(words), *lines[1:]]

    done, rows = review("yolo-pose", lines_of(FIRST, edit))
    assert changed(done) == {"images changed": 1, "objects changed": 1}
    before, row = rows_of(hand_set)["train"][0]["objects"], rows[0]["objects"]
    person = row["category"].index(2)
    assert row["score"][person] == 1 and row["keypoints"][person][0] == pytest.approx([17.5, 7.5, 1])
    assert row["keypoint_score"][person] == [1.0, *before["keypoint_score"][1][1:]]
    assert row["segmentation"][person] == before["segmentation"][1]
    # what the format does not hold is untouched: the dog and the cat
    assert [row["id"][row["score"].index(score)] for score in (0.875, before["score"][2])] == [
        before["id"][0], before["id"][2],
    ]  # fmt: skip
