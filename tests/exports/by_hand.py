"""What other tools make of our exports, for a throw-away environment that has them; none is a dependency of ours.

for f in coco yolo yolo-seg yolo-pose voc cityscapes label-studio cvat; do
    dataset-dm export SET --format $f --out exports/$f
done
python -m venv tools && tools/bin/pip install datumaro faster-coco-eval label-studio-sdk pycocotools ultralytics
tools/bin/python tests/exports/by_hand.py exports
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

# format of ours → what Datumaro calls it
_DATUMARO = {
    "coco": "coco",
    "yolo": "yolo",
    "voc": "voc_instance_segmentation",
    "cityscapes": "cityscapes",
    "cvat": "cvat",
}
_ULTRALYTICS = {"yolo": "detect", "yolo-seg": "segment", "yolo-pose": "pose"}


def pycocotools(root: Path) -> str:
    """Every mask has the area that the file says."""
    from pycocotools.coco import COCO

    return _masks(COCO, root)


def faster_coco_eval(root: Path) -> str:
    """The same, by the other reader."""
    from faster_coco_eval import COCO

    return _masks(COCO, root)


def ultralytics(root: Path) -> str:
    """Its own check of data.yaml, and its data set of every split; "corrupt" files would be left out by it."""
    from ultralytics.data import YOLODataset
    from ultralytics.data.utils import check_det_dataset
    from ultralytics.utils import DEFAULT_CFG

    said = []
    for format, task in _ULTRALYTICS.items():
        data = check_det_dataset(str(root / format / "data.yaml"), autodownload=False)
        for split in ("train", "val"):
            labels = list(Path(str(data[split]).replace("images", "labels")).glob("*.txt"))
            lines = sum(len(file.read_text().splitlines()) for file in labels)
            read = YOLODataset(data[split], data=data, task=task, imgsz=128, augment=False, hyp=DEFAULT_CFG)
            objects = sum(len(label["cls"]) for label in read.labels)
            read[0]
            assert (len(read), objects) == (len(labels), lines), f"{format} {split}: {objects} of {lines} objects"
            said.append(f"{format} {split} {len(read)} images, {objects} objects")
    return "; ".join(said)


def datumaro(root: Path) -> str:
    """Images and annotations of every format that it knows."""
    import datumaro

    said = []
    for format, name in _DATUMARO.items():
        items = list(datumaro.Dataset.import_from(str(root / format), name))
        assert items and all(item.media is not None for item in items), f"{format}: no image"
        kinds = Counter(one.type.name for item in items for one in item.annotations)
        said.append(f"{format} {len(items)} images, {dict(kinds)}")
    return "; ".join(said)


def label_studio_sdk(root: Path) -> str:
    """Every prediction fits the interface, and every brush decodes to the size of its image."""
    from label_studio_sdk.converter import brush
    from label_studio_sdk.label_interface import LabelInterface

    folder = root / "label-studio"
    interface = LabelInterface((folder / "config.xml").read_text(encoding="utf-8"))
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    regions: Counter[str] = Counter()
    for prediction in (one for task in tasks for one in task["predictions"]):
        wrong = interface.validate_prediction(prediction, return_errors=True)
        assert not wrong, wrong[0]
        for region in prediction["result"]:
            regions[region["type"]] += 1
            if region["type"] == "brushlabels":
                pixels = brush.decode_rle(region["value"]["rle"])
                assert len(pixels) == 4 * region["original_width"] * region["original_height"], region["id"]
    return f"{len(tasks)} tasks, {dict(regions)}"


def _masks(reader: Callable[[str], object], root: Path) -> str:
    count = 0
    for file in sorted((root / "coco" / "annotations").glob("*.json")):
        with contextlib.redirect_stdout(io.StringIO()):
            read = reader(str(file))
        for one in read.loadAnns(read.getAnnIds()):
            assert read.annToMask(one).sum() == one["area"], f"{file.name}, annotation {one['id']}"
            count += 1
    return f"{count} masks"


def main() -> int:
    """Runs the tools that are installed; 1 when one of them rejects something."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("root", type=Path, help="folder with one export a format, named after it")
    root, wrong = parser.parse_args().root.resolve(), 0
    for tool in (pycocotools, faster_coco_eval, ultralytics, datumaro, label_studio_sdk):
        if importlib.util.find_spec(tool.__name__) is None:
            print(f"{tool.__name__:<18} not installed")
            continue
        try:
            print(f"{tool.__name__:<18} {tool(root)}")
        except Exception as error:
            wrong += 1
            print(f"{tool.__name__:<18} REJECTED: {type(error).__name__}: {error}")
    return min(wrong, 1)


if __name__ == "__main__":
    raise SystemExit(main())
