"""CVAT's file, reviewed."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from dataset_dm.labels import rle
from tests.exports.reviews import Review, changed, consistent
from tests.exports.sets import LAST, two_people


def test_cvat_rounds_and_a_polygon_takes_the_place_of_a_mask(review: Review) -> None:
    def correct(folder: Path) -> None:
        file = folder / "annotations.xml"
        text = re.sub(r'points="([\d.]+),([\d.]+)"', lambda m: f'points="{float(m[1]):.2f},{float(m[2]):.2f}"',
                      file.read_text())  # fmt: skip
        root = ElementTree.fromstring(text)
        image = next(one for one in root.iter("image") if LAST in one.get("name"))
        left = image.find("mask")
        polygon = ElementTree.Element("polygon", {"label": "person", "points": "0,4;5,4;5,18;0,18", "group_id": "1"})
        image.insert(0, polygon)
        image.remove(left)
        file.write_text(ElementTree.tostring(root, encoding="unicode"))

    done, rows = review("cvat", correct)
    assert changed(done) == {"images changed": 1, "objects changed": 1, "class maps changed": 1}
    consistent(rows[2])
    assert rows[2]["objects"]["bbox"] == [[0, 4, 5, 14], [5, 2, 6, 16]]
    np.testing.assert_array_equal(rle.decode(rows[2]["objects"]["segmentation"][1]), two_people().objects.masks[1])
