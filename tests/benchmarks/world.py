"""What the world is like, in figures: `python -m tests.benchmarks.world --scenes 2500`.

Prints fill, overlap, hidden and cut shares, class frequencies, scenes per second on one core, and how much a classifier
that sees one pixel's colour (and place) at a time can tell: it must not tell much.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.geometry import Rendering, Scene
from dataset_dm.miniature.world.outline import bounds, figure_points, project, turned
from dataset_dm.miniature.world.render import render
from dataset_dm.miniature.world.scene import STYLES, compose
from dataset_dm.miniature.world.splits import index_of

CLASSES = 1 + len(VOC_CLASSES)


@dataclass
class Tally:
    """Running lists over scenes (`fill`, `overlap`, ...) and over objects (`visible`, `hidden`, `cut`, ...)."""

    fill: list[float] = field(default_factory=list)
    count: list[int] = field(default_factory=list)
    overlap: list[bool] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    visible: list[float] = field(default_factory=list)
    hidden: list[float] = field(default_factory=list)
    cut: list[bool] = field(default_factory=list)
    class_id: list[int] = field(default_factory=list)

    def add(self, scene: Scene, rendering: Rendering) -> None:
        self.fill.append(float((rendering.instance_map > 0).mean()))
        self.count.append(len(scene.bodies))
        self.overlap.append(touching(rendering.instance_map))
        self.kind.append(scene.setting.kind)
        for row, body in enumerate(scene.bodies):
            self.visible.append(float((rendering.instance_map == row + 1).mean()))
            self.class_id.append(body.class_id)
            points = turned(figure_points(body.figure), body.yaw) * body.scale + np.asarray(body.position)
            box = bounds(project(points, scene.camera)[0])
            self.cut.append(bool((box[:2] < -0.01).any() or (box[2:] > 1.01).any()))


def touching(instance_map: np.ndarray) -> bool:
    """Whether two objects' visible pixels are neighbours (4-neighbourhood)."""
    for first, second in ((instance_map[:, 1:], instance_map[:, :-1]), (instance_map[1:], instance_map[:-1])):
        if ((first > 0) & (second > 0) & (first != second)).any():
            return True
    return False


def hidden_shares(scene: Scene, rendering: Rendering) -> list[float]:
    """Share of each body that others hide: rendered alone against rendered together."""
    shares = []
    for row, body in enumerate(scene.bodies):
        alone = render(Scene(scene.camera, scene.light, scene.setting, (body,)), rendering.class_map.shape)
        area = max(int((alone.instance_map == 1).sum()), 1)
        shares.append(1.0 - float((rendering.instance_map == row + 1).sum()) / area)
    return shares


class PixelClassifier:
    """Class counts for each cell of quantised colour, and with `places` > 1 of the pixel's place too."""

    def __init__(self, levels: int, places: int, balanced: bool = False) -> None:
        self.levels, self.places, self.balanced = levels, places, balanced
        self.counts = np.zeros((levels**3 * places**2, CLASSES), dtype=np.int64)

    def cells(self, image: np.ndarray) -> np.ndarray:
        """Cell of every pixel: uint8 (h, w, 3) -> int (h, w)."""
        height, width = image.shape[:2]
        step = 256 // self.levels
        colour = (image // step).astype(np.int64) @ np.array([self.levels**2, self.levels, 1])
        row = np.arange(height)[:, None] * self.places // height
        column = np.arange(width)[None] * self.places // width
        return (colour * self.places + row) * self.places + column

    def fit(self, rendering: Rendering) -> None:
        flat = self.cells(rendering.image) * CLASSES + rendering.class_map
        self.counts += np.bincount(flat.ravel(), minlength=self.counts.size).reshape(self.counts.shape)

    def table(self) -> np.ndarray:
        """Most likely class of every cell; balanced: with equal prior for every class."""
        counts = self.counts + self.counts.sum(0) * 1e-6
        return (counts / counts.sum(0) if self.balanced else counts).argmax(1)

    def confusion(self, renderings: list[Rendering]) -> np.ndarray:
        """Confusion (truth, guess) over renderings."""
        table, total = self.table(), np.zeros(CLASSES**2, dtype=np.int64)
        for rendering in renderings:
            guess = table[self.cells(rendering.image)]
            total += np.bincount((rendering.class_map * CLASSES + guess).ravel(), minlength=CLASSES**2)
        return total.reshape(CLASSES, CLASSES)


def mean_iou(confusion: np.ndarray) -> float:
    """Mean over classes of intersection over union, in percent."""
    hit = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - hit
    return float(100.0 * (hit / np.maximum(union, 1)).mean())


def _stream(split: str, scenes: int, style: str, size: int) -> Iterator[tuple[Scene, Rendering]]:
    for i in range(scenes):
        scene = compose(0, index_of(split, i), style)
        yield scene, render(scene, (size, size))


def _report(tally: Tally) -> None:
    fill, visible = np.array(tally.fill), np.array(tally.visible)
    print(f"fill: mean {fill.mean():.3f}; deciles {np.quantile(fill, np.linspace(0, 1, 11)).round(3).tolist()}")
    print(f"fill in 3..50 %: {np.mean((fill >= 0.03) & (fill <= 0.5)):.3f}")
    print(
        f"objects a scene: {np.bincount(tally.count)[1:].tolist()}; two objects touch in {np.mean(tally.overlap):.3f}"
    )
    print(
        f"visible share of an object: 1st percentile {np.quantile(visible, 0.01):.4f}, median {np.median(visible):.3f}"
    )
    print(f"visible >= 1.2 %: {np.mean(visible >= 0.012):.4f}, >= 3 %: {np.mean(visible >= 0.03):.3f}")
    print(f"cut by the frame: {np.mean(tally.cut):.3f}")
    if tally.hidden:
        hidden = np.array(tally.hidden)
        print(f"hidden: mean {hidden.mean():.3f}, > 65 %: {np.mean(hidden > 0.65):.4f}")
    kinds, times = np.unique(tally.kind, return_counts=True)
    print("settings:", ", ".join(f"{kind} {n / len(fill):.2f}" for kind, n in zip(kinds, times, strict=True)))
    ids = np.array(tally.class_id)
    for class_id, name in enumerate(VOC_CLASSES, start=1):
        own = ids == class_id
        area = visible[own].mean() if own.any() else 0.0
        print(f"  {name:12s} {own.mean():.4f} of the objects, mean visible share {area:.3f}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Figures of the miniature world.")
    parser.add_argument("--scenes", type=int, default=2500, help="renders; four fifths fit the colour classifiers")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--style", choices=STYLES, default="day")
    parser.add_argument("--hidden", type=int, default=150, help="scenes whose objects are also rendered alone")
    options = parser.parse_args(arguments)

    # colour only; colour and an 8 x 8 grid of places; colour with classes weighted alike
    classifiers = {
        "colour": PixelClassifier(16, 1),
        "colour and place": PixelClassifier(8, 8),
        "colour, balanced": PixelClassifier(16, 1, balanced=True),
    }
    tally, held_out = Tally(), []
    spent, train = 0.0, options.scenes * 4 // 5
    for split, scenes in (("train", train), ("test", options.scenes - train)):
        started = time.process_time()
        for done, (scene, rendering) in enumerate(_stream(split, scenes, options.style, options.size)):
            spent += time.process_time() - started
            tally.add(scene, rendering)
            if split == "test":
                held_out.append(rendering)
                if done < options.hidden:
                    tally.hidden.extend(hidden_shares(scene, rendering))
            else:
                for classifier in classifiers.values():
                    classifier.fit(rendering)
            started = time.process_time()
    print(f"compose + render: {options.scenes / spent:.1f} scenes/s of CPU time at {options.size}²")
    _report(tally)
    prior = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    for rendering in held_out:
        prior[:, 0] += np.bincount(rendering.class_map.ravel(), minlength=CLASSES)
    print(f"mIoU over {CLASSES} classes on {len(held_out)} renders: always background {mean_iou(prior):.2f}")
    for name, classifier in classifiers.items():
        print(f"  {name}: {mean_iou(classifier.confusion(held_out)):.2f}")


if __name__ == "__main__":
    main()
