"""`dataset-dm train` on labelled images with a fault: one line, exit code 2, nothing written."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from dataset_dm import cli
from tests.readers.little_sets import write_voc


def without_a_mask(voc: Path) -> None:
    (voc / "SegmentationClass" / "002.png").unlink()


def with_an_unknown_id(voc: Path) -> None:
    (voc / "class_names.txt").write_text("background\nforklift\n")


def with_a_mask_of_another_size(voc: Path) -> None:
    file = voc / "SegmentationClass" / "001.png"
    Image.open(BytesIO(file.read_bytes())).resize((30, 20)).save(file)


def with_a_truncated_image(voc: Path) -> None:
    file = voc / "JPEGImages" / "003.png"
    file.write_bytes(file.read_bytes()[:90])


FAULTS = [
    (without_a_mask, "image '002' has no mask"),
    (with_an_unknown_id, "image '000': mask has class 2, the task has 0..1"),
    (with_a_mask_of_another_size, "image '001': mask is 30×20, its image 60×40"),
    (with_a_truncated_image, "image '003': image cannot be read"),
]


@pytest.mark.parametrize(("spoil", "said"), FAULTS, ids=[spoil.__name__ for spoil, _ in FAULTS])
def test_faulty_images_are_named_before_the_generator_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None], said: str
) -> None:
    voc = write_voc(tmp_path / "voc")
    spoil(voc)
    out = tmp_path / "decoder"
    assert cli.main(["train", "--data", str(voc), "--out", str(out), "--generator", "never-looked-at"]) == 2
    output = capsys.readouterr()
    assert said in output.err and output.err.count("\n") == 1 and not output.out
    assert not out.exists()
