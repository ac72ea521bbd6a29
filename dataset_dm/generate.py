"""The flow of one shard: prompts and seeds → sampler → image rows → parity pass → annotator → label rows.

Relabelling starts from stored image rows and draws nothing. Batches are always the plan's own, whatever is asked for,
so that the same plan gives the same bytes.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from dataset_dm import annotators
from dataset_dm.annotators.base import Annotator, Pictures
from dataset_dm.diffusion import Backbone, SamplerConfig, Samples, TapRequest, sample
from dataset_dm.environment import environment
from dataset_dm.errors import ConfigError, explain
from dataset_dm.label_rows import label_rows
from dataset_dm.miniature import locate
from dataset_dm.plan import GenerationPlan
from dataset_dm.png import decode_png, encode_png
from dataset_dm.prompts import find_classes
from dataset_dm.records import Annotation, Prompt
from dataset_dm.shard_schema import IMAGE_ROWS
from dataset_dm.training.on_demand import fulfil

# A picture that the pipeline's safety checker blacked out is drawn anew with the next seed, so many times in all.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """A finished part of a shard: `images` has the columns of IMAGE_ROWS, `labels` those of LABEL_ROWS."""

    images: pa.Table
    labels: pa.Table


@dataclass(slots=True)
class _Drawn:
    """One batch after the sampler; `levels` are the VAE-decoder maps recorded on the way, None when read from rows."""

    prompts: list[Prompt]
    seeds: list[int]
    attempts: list[int]
    images: torch.Tensor
    latents: torch.Tensor
    unsafe: list[bool]
    levels: dict[str, torch.Tensor] | None


class Session:
    """The models of a plan, loaded when first needed, and the flow through them.

    Args:
        plan: what to make.
        device: "auto", "cpu", "cuda", …

    Attributes:
        seconds: stage → seconds spent: load, draw, read, label, encode.
        halved: the smallest batch that lack of memory forced in the present shard, None if none did.
    """

    def __init__(self, plan: GenerationPlan, device: str = "auto") -> None:
        self.plan, self.device = plan, device
        self.seconds: dict[str, float] = defaultdict(float)
        self.halved: int | None = None

    @functools.cached_property
    def backbone(self) -> Backbone:
        """The generator."""
        with self._timed("load"):
            source = locate(self.plan.generator_reference)
            hashes = (self.plan.generator_hash, self.plan.adapter_hash)
            return _backbone(source, self.plan.adapter, self.plan.dtype, self.device, hashes)

    @functools.cached_property
    def annotator(self) -> Annotator:
        """The labeller, trained now if it is a promised one, checked against the generator."""
        fulfil(self.plan.annotator, device=self.device)
        with self._timed("load"):
            annotator = _annotator(self.plan.annotator_reference, self.device, self.plan.annotator_hash)
        annotator.check_generator(self.backbone.fingerprint, self.plan.generator)
        return annotator

    def batches(self, split: str, shard: int, stored: pa.Table | None = None) -> Iterator[Batch]:
        """The batches of a shard, in index order.

        Args:
            split, shard: which one.
            stored: its image rows, when they exist already: then only labels are made, and `Batch.images` are slices.
        """
        self.halved = None
        plan, annotator = self.plan, self.annotator  # a decoder for another generator is refused before any drawing
        indices = plan.shard_indices(shard)
        for start in range(0, plan.shard_size, plan.batch_size):
            part = indices[start : start + plan.batch_size]
            if stored is None:
                drawn = self._draw(split, part, levels=annotator.levels)
                images = self._image_rows(part, drawn)
            else:
                images = stored.slice(start, plan.batch_size)
                drawn = _from_rows(images, [plan.prompt(split, index) for index in part])
            yield Batch(images, self._label_rows(part, self._annotate_within_memory(drawn)))

    def environment(self) -> dict[str, Any]:
        """What equal bytes depend on besides the plan: device model, dtype, batch, threads, library versions."""
        return environment(self.plan, self.backbone.device)

    def _draw(self, split: str, indices: Sequence[int], levels: Sequence[str]) -> _Drawn:
        prompts = [self.plan.prompt(split, index) for index in indices]
        drawn = self._sample(split, indices, prompts, 0, levels)
        for attempt in range(1, ATTEMPTS):
            again = [position for position, unsafe in enumerate(drawn.unsafe) if unsafe]
            if not again:
                break
            anew = self._sample(split, [indices[i] for i in again], [prompts[i] for i in again], attempt, levels)
            _replace(drawn, again, anew)
        return drawn

    def _sample(
        self, split: str, indices: Sequence[int], prompts: list[Prompt], attempt: int, levels: Sequence[str]
    ) -> _Drawn:
        plan = self.plan
        seeds = [plan.sample_seed(split, index, attempt) for index in indices]
        with self._timed("draw"):
            samples = self._sample_within_memory([prompt.text for prompt in prompts], seeds, tuple(levels))
        attempts = [attempt] * len(prompts)
        return _Drawn(prompts, seeds, attempts, samples.images, samples.latents, list(samples.unsafe), samples.levels)

    def _sample_within_memory(self, texts: list[str], seeds: list[int], levels: tuple[str, ...]) -> Samples:
        """One batch; when the device has too little memory, its two halves, and the shard is marked."""
        try:
            return sample(
                self.backbone,
                texts,
                seeds,
                SamplerConfig(steps=self.plan.steps, guidance=self.plan.guidance, scheduler=self.plan.scheduler),
                size=self.plan.size,
                taps=TapRequest(levels=levels) if levels else None,
            )
        except torch.OutOfMemoryError as error:
            half = self._halve(len(texts), error)
        first = self._sample_within_memory(texts[:half], seeds[:half], levels)
        second = self._sample_within_memory(texts[half:], seeds[half:], levels)
        return Samples(
            images=torch.cat([first.images, second.images]),
            latents=torch.cat([first.latents, second.latents]),
            unsafe=[*first.unsafe, *second.unsafe],
            levels={name: torch.cat([first.levels[name], second.levels[name]]) for name in first.levels},
        )

    def _annotate_within_memory(self, drawn: _Drawn) -> list[Annotation]:
        """As for the sampler; labels of a picture do not depend on its neighbours."""
        try:
            return self._annotate(drawn)
        except torch.OutOfMemoryError as error:
            half = self._halve(len(drawn.prompts), error)
        first, second = _part(drawn, slice(None, half)), _part(drawn, slice(half, None))
        return [*self._annotate_within_memory(first), *self._annotate_within_memory(second)]

    def _halve(self, count: int, error: Exception) -> int:
        """How many of `count` pictures come first when all need too much memory; ConfigError for a single one."""
        if count == 1:
            plan, device = self.plan, self.backbone.device
            what = f"size {plan.size}: {device} has too little memory for one {plan.dtype} image"
            raise ConfigError(explain(what, remedy="take a smaller size, float16 or another device")) from error
        torch.cuda.empty_cache()
        half = count // 2
        self.halved = min(half, self.halved or half)
        return half

    def _annotate(self, drawn: _Drawn) -> list[Annotation]:
        plan = self.plan
        named = [named_positions(prompt, plan.classes) for prompt in drawn.prompts]
        with self._timed("read"):
            pictures = Pictures(
                images=drawn.images,
                latents=drawn.latents,
                prompts=[prompt.text for prompt in drawn.prompts],
                seeds=drawn.seeds,
                named=named,
                levels=drawn.levels,
            )
            seen = self.annotator.look(self.backbone, pictures, plan.classes)
        with self._timed("label"):
            # a prompt that names no class may show any
            requested = [positions or list(range(len(plan.classes))) for positions in named]
            return self.annotator.annotate(seen, plan.classes, requested, plan.size, tasks=plan.tasks)

    def _image_rows(self, indices: Sequence[int], drawn: _Drawn) -> pa.Table:
        height, width = self.plan.size
        count = len(indices)
        with self._timed("encode"):
            columns = {
                "index": list(indices),
                "attempt": drawn.attempts,
                "seed": drawn.seeds,
                "prompt": [prompt.text for prompt in drawn.prompts],
                "requested": [None if one.classes is None else list(one.classes) for one in drawn.prompts],
                "image": [{"bytes": encode_png(image), "path": None} for image in drawn.images.numpy()],
                "latents": [latent.contiguous().view(torch.uint8).numpy().tobytes() for latent in drawn.latents],
                "latents_dtype": [str(drawn.latents.dtype).removeprefix("torch.")] * count,
                "latents_shape": [list(drawn.latents.shape[1:])] * count,
                "width": [width] * count,
                "height": [height] * count,
                "unsafe": drawn.unsafe,
            }
            return pa.Table.from_pydict(columns, schema=IMAGE_ROWS)

    def _label_rows(self, indices: Sequence[int], found: list[Annotation]) -> pa.Table:
        with self._timed("encode"):
            return label_rows(indices, found)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start


def named_positions(prompt: Prompt, classes: Sequence[str]) -> list[int]:
    """Positions in `classes` that a prompt asks for; empty when it names none."""
    named = find_classes(prompt.text, classes) if prompt.classes is None else prompt.classes
    return [position for position, name in enumerate(classes) if name in named]


@functools.lru_cache(maxsize=1)
def _backbone(source: str, adapter: str | None, dtype: str, device: str, hashes: tuple[str | None, ...]) -> Backbone:
    """The last generator used stays in memory: load_dataset is often called again with other counts or seeds.

    `hashes` tell it from other weights that lay in the same place.
    """
    return Backbone.load(source, adapter=adapter, dtype=dtype, device=device)


@functools.lru_cache(maxsize=2)
def _annotator(source: str, device: str, content: str) -> Annotator:
    """As for the generator."""
    return annotators.load(source, device=device)


def _part(drawn: _Drawn, wanted: slice) -> _Drawn:
    """Some samples of a batch."""
    return _Drawn(
        drawn.prompts[wanted],
        drawn.seeds[wanted],
        drawn.attempts[wanted],
        drawn.images[wanted],
        drawn.latents[wanted],
        drawn.unsafe[wanted],
        None if drawn.levels is None else {name: level[wanted] for name, level in drawn.levels.items()},
    )


def _replace(drawn: _Drawn, positions: list[int], anew: _Drawn) -> None:
    """Puts samples that were drawn anew in their places."""
    at = torch.tensor(positions)
    drawn.images[at], drawn.latents[at] = anew.images, anew.latents
    for name, level in (drawn.levels or {}).items():
        level[at.to(level.device)] = (anew.levels or {})[name]
    for row, position in enumerate(positions):
        drawn.seeds[position], drawn.attempts[position] = anew.seeds[row], anew.attempts[row]
        drawn.unsafe[position] = anew.unsafe[row]


def _from_rows(rows: pa.Table, prompts: list[Prompt]) -> _Drawn:
    """A batch as it was after the sampler, from its stored rows."""
    columns = {name: rows.column(name).to_pylist() for name in rows.column_names if name != "image"}
    images = np.stack([decode_png(image["bytes"]) for image in rows.column("image").to_pylist()])
    latents = [
        torch.frombuffer(bytearray(data), dtype=getattr(torch, dtype)).reshape(shape)
        for data, dtype, shape in zip(
            columns["latents"], columns["latents_dtype"], columns["latents_shape"], strict=True
        )
    ]
    return _Drawn(
        prompts,
        columns["seed"],
        columns["attempt"],
        torch.from_numpy(images),
        torch.stack(latents),
        columns["unsafe"],
        None,
    )
