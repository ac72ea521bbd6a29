"""Ultralytics' polygons, reviewed."""

import numpy as np

from tests.exports.reviews import Review, changed, consistent, lines_of
from tests.exports.sets import EMPTY, HEIGHT, WIDTH


def test_a_polygon_drawn_by_hand(review: Review) -> None:
    corners = np.array([[12, 2], [16, 2], [16, 6], [12, 6]]) / (WIDTH, HEIGHT)
    line = " ".join(map(str, [1, *corners.ravel()]))
    done, rows = review("yolo-seg", lines_of(EMPTY, lambda lines: [line]))
    assert changed(done) == {"images changed": 1, "objects added": 1, "class maps changed": 1}
    consistent(rows[1])
    assert rows[1]["objects"]["bbox"] == [[12, 2, 4, 4]] and rows[1]["classes"] == [2]
