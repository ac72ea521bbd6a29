"""Generated sets as labelled images."""

import numpy as np

from dataset_dm.engine import Engine
from dataset_dm.labels.images import encode_png
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.plan.resolve import resolve
from dataset_dm.training.generated import GeneratedSet, read_generated


def test_a_part_has_the_images_at_its_positions() -> None:
    images = [np.full((2, 2, 3), grey, np.uint8) for grey in (10, 20, 30)]
    labels = [np.full((2, 2), number, np.uint8) for number in (0, 1, 255)]
    pngs = (tuple(encode_png(pixels) for pixels in pixels_of) for pixels_of in (images, labels))
    part = GeneratedSet(("dog",), *pngs, ((), (0,), (0,))).part([2, 1])
    assert len(part) == 2 and part.named == ((0,), (0,))
    assert [image.image[0, 0, 0] for image in part] == [30, 20] and [image.label[0, 0] for image in part] == [255, 1]


def test_rows_of_the_store_are_read_with_the_classes_of_their_prompts(quick: dict[str, object]) -> None:
    asked = {name: value for name, value in quick.items() if name != "device"}
    plan = resolve(SEMANTIC, **{**asked, "shard_size": 2})
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 2})
    images = read_generated(plan, "train", 2)
    assert len(images) == 2 and images.classes == plan.classes
    assert images[0].image.shape == (128, 128, 3) and images[0].label.shape == (128, 128)
    prompts = [sorted(plan.prompt("train", index).classes) for index in range(2)]
    assert [sorted(plan.classes[i] for i in named) for named in images.named] == prompts
