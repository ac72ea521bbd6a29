"""Regions of Label Studio: keypoints and choices."""

from typing import Any

from tests.exports.reviews import Review, changed, of_json


def test_joints_and_states_in_label_studio(review: Review) -> None:
    def edit(tasks: Any) -> None:
        result = tasks[0]["annotations"][0]["result"]
        result[:] = [one for one in result if not (one["type"] == "choices" and one["id"] == "o2-left_wrist")]
        cat = next(one for one in result if one["id"] == "o3")
        result.append({**cat, "type": "choices", "from_name": "state", "value": {"choices": ["crowd"]}})

    done, rows = review("label-studio", of_json("tasks.json", edit))
    assert changed(done)["objects changed"] == 2
    objects = rows[0]["objects"]
    person, cat = objects["category"].index(2), objects["category"].index(0)
    assert objects["keypoints"][person][9][2] == 2 and objects["iscrowd"][cat] == 1
