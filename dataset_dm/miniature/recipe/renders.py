"""Rendered scenes on disk: what Miniature and its judge are trained on.

Scenes are rendered in chunks by worker processes; a chunk is published by a rename, so a training may start on the
first chunks while later ones are made, and a broken-off rendering goes on where it stopped.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Renders:
    """images: uint8 (n, h, w, 3) without sensor noise; classes: uint8 (n, h, w); captions: n tuples of strings."""

    images: list[np.ndarray]
    classes: list[np.ndarray]
    captions: list[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.captions)


def render_chunk(folder: str, seed: int, chunk: int, first: int) -> int:
    """Render scenes first + chunk * CHUNK … of the pretraining range into `folder`; returns the chunk's number."""
    from dataset_dm.miniature.world import sample

    target = Path(folder, f"{chunk:05d}")
    if target.exists():
        return chunk
    images, classes, captions = [], [], []
    for index in range(first + chunk * CHUNK, first + (chunk + 1) * CHUNK):
        scene, rendering = sample(seed, index)
        images.append(rendering.clean)
        classes.append(rendering.class_map)
        captions.append(scene.captions)
    part = target.with_suffix(".part")
    part.mkdir(parents=True, exist_ok=True)
    np.save(part / "images.npy", np.stack(images))
    np.save(part / "classes.npy", np.stack(classes))
    (part / "captions.json").write_text(json.dumps(captions))
    part.rename(target)
    return chunk


def render_all(folder: Path, seed: int, scenes: int, workers: int) -> None:
    """Render at least `scenes` scenes of the pretraining range with `workers` processes, in order of chunks."""
    from dataset_dm.miniature.world.splits import index_of

    folder.mkdir(parents=True, exist_ok=True)
    chunks, start, first = -(-scenes // CHUNK), time.monotonic(), index_of("pretrain", 0)
    with ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(render_chunk, str(folder), seed, chunk, first) for chunk in range(chunks)]
        for done, job in enumerate(as_completed(jobs), 1):
            job.result()
            rate = done * CHUNK / (time.monotonic() - start)
            print(f"rendered {done * CHUNK}/{chunks * CHUNK} scenes, {rate:.0f}/s", flush=True)


def wait_for(folder: Path, scenes: int, poll_seconds: float = 2.0) -> Renders:
    """The first `scenes` scenes of `folder`, memory-mapped, once they are all there."""
    chunks = [folder / f"{chunk:05d}" for chunk in range(-(-scenes // CHUNK))]
    said = float("-inf")
    while missing := sum(not chunk.exists() for chunk in chunks):
        if time.monotonic() - said > 60:
            said = time.monotonic()
            there = (len(chunks) - missing) * CHUNK
            what = f"waiting for {scenes} scenes in {folder}, {there} are there"
            print(f"{what}; `dataset-dm miniature render` makes them", flush=True)
        time.sleep(poll_seconds)
    return Renders(
        images=[np.load(chunk / "images.npy", mmap_mode="r") for chunk in chunks],
        classes=[np.load(chunk / "classes.npy", mmap_mode="r") for chunk in chunks],
        captions=[tuple(texts) for chunk in chunks for texts in json.loads((chunk / "captions.json").read_text())],
    )
