"""The flow of one shard: prompts and seeds → sampler → image rows → parity pass → annotator → label rows.

Relabelling starts from stored image rows and draws nothing. Batches are always the plan's own, whatever is asked for,
so that the same plan gives the same bytes.
"""

from __future__ import annotations

import functools
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import torch

from dataset_dm import annotators
from dataset_dm.annotators.base import Annotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.diffusion import Backbone, SamplerConfig, Samples, TapRequest, sample
from dataset_dm.errors import ConfigError, explain
from dataset_dm.generation.batch import UNSAFE, Drawn, from_rows, what_is_wrong
from dataset_dm.generation.environment import environment, lacks_memory
from dataset_dm.labels.classes import asked_positions
from dataset_dm.labels.images import encode_png
from dataset_dm.labels.records import Annotation, Prompt
from dataset_dm.models.annotators import names_of
from dataset_dm.plan.generation_plan import ATTEMPTS, GenerationPlan, round_of
from dataset_dm.store.label_codec import label_rows
from dataset_dm.store.schema import IMAGE_ROWS
from dataset_dm.training.on_demand import ensure_trained


@dataclass(frozen=True, slots=True)
class Batch:
    """A finished part of a shard: `images` has the columns of IMAGE_ROWS, `labels` those of LABEL_ROWS."""

    images: pa.Table
    labels: pa.Table


class Session:
    """The models of a plan, loaded when first needed, and the flow through them.

    Args:
        plan: what to make.
        device: "auto", "cpu", "cuda", …

    Attributes:
        seconds: stage → seconds spent: load, draw, read, label, encode.
        halved: the smallest batch that lack of memory forced, None if none did; reset at the start of a shard.
    """

    def __init__(self, plan: GenerationPlan, device: str = "auto") -> None:
        self.plan, self.device = plan, device
        self.seconds: dict[str, float] = defaultdict(float)
        self.halved: int | None = None

    @functools.cached_property
    def backbone(self) -> Backbone:
        """The generator."""
        with self._timed("load"):
            hashes = (self.plan.generator_hash, self.plan.adapter_hash)
            return _backbone(self.plan.generator_reference, self.plan.adapter, self.plan.dtype, self.device, hashes)

    @functools.cached_property
    def annotator(self) -> Annotator:
        """The annotator, trained now if it is one trained on demand, checked against the generator."""
        for name in names_of(self.plan.annotator):
            ensure_trained(name, device=self.device)
        backbone = self.backbone  # first: it refuses a device that is not there
        with self._timed("load"):
            annotator = _annotator(self.plan.annotator_reference, self.device, self.plan.annotator_hash)
        annotator.check_generator(backbone.fingerprint, self.plan.generator)
        return annotator

    def batches(self, split: str, shard: int, stored: pa.Table | None = None) -> Iterator[Batch]:
        """The batches of a shard, in index order; see `batch`."""
        self.halved = None
        for number in range(self.plan.batches_per_shard):
            yield self.batch(split, shard, number, stored)

    def batch(self, split: str, shard: int, number: int, stored: pa.Table | None = None) -> Batch:
        """One batch of a shard; it does not depend on the others.

        Args:
            split, shard: which one; the split may be a later round of one, see `plan.in_round`.
            number: of the batch in its shard, from 0.
            stored: the shard's image rows, when they exist already: then only labels are made, and `Batch.images` is a
                slice.
        """
        plan, annotator = self.plan, self.annotator  # a decoder for another generator is refused before any drawing
        start = number * plan.batch_size
        part = plan.shard_indices(shard)[start : start + plan.batch_size]
        if stored is None:
            drawn = self._draw(split, part, levels=annotator.levels)
            images = self._image_rows(part, drawn)
        else:
            images = stored.slice(start, plan.batch_size)
            drawn = from_rows(images)
        return Batch(images, self._label_rows(part, self._annotate_within_memory(drawn)))

    def environment(self) -> dict[str, Any]:
        """What equal bytes depend on besides the plan: device model, dtype, batch, threads, library versions."""
        return environment(self.plan, self.backbone.device)

    def _draw(self, split: str, indices: Sequence[int], levels: Sequence[str]) -> Drawn:
        prompts = [self.plan.prompt(split, index) for index in indices]
        first = round_of(split)[1] * ATTEMPTS
        drawn = self._sample(split, indices, prompts, first, levels)
        for attempt in range(first + 1, first + ATTEMPTS):
            again = [position for position, wrong in enumerate(drawn.unusable) if wrong]
            if not again:
                break
            resampled = self._sample(split, [indices[i] for i in again], [prompts[i] for i in again], attempt, levels)
            drawn.replace(again, resampled)
        drawn.make_finite()
        return drawn

    def _sample(
        self, split: str, indices: Sequence[int], prompts: list[Prompt], attempt: int, levels: Sequence[str]
    ) -> Drawn:
        plan = self.plan
        seeds = [plan.sample_seed(split, index, attempt) for index in indices]
        with self._timed("draw"):
            samples = self._sample_within_memory([prompt.text for prompt in prompts], seeds, tuple(levels))
        wrong = what_is_wrong(samples.images, samples.latents, samples.unsafe)
        attempts = [attempt] * len(prompts)
        return Drawn(prompts, seeds, attempts, samples.images, samples.latents, wrong, samples.levels)

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
        except (RuntimeError, MemoryError) as error:
            half = self._halve(len(texts), error)
        first = self._sample_within_memory(texts[:half], seeds[:half], levels)
        second = self._sample_within_memory(texts[half:], seeds[half:], levels)
        return Samples(
            images=torch.cat([first.images, second.images]),
            latents=torch.cat([first.latents, second.latents]),
            unsafe=[*first.unsafe, *second.unsafe],
            levels={name: torch.cat([first.levels[name], second.levels[name]]) for name in first.levels},
        )

    def _annotate_within_memory(self, drawn: Drawn) -> list[Annotation]:
        """As for the sampler; labels of an image do not depend on its neighbours."""
        try:
            return self._annotate(drawn)
        except (RuntimeError, MemoryError) as error:
            half = self._halve(len(drawn.prompts), error)
        first, second = drawn.part(slice(None, half)), drawn.part(slice(half, None))
        return [*self._annotate_within_memory(first), *self._annotate_within_memory(second)]

    def _halve(self, count: int, error: Exception) -> int:
        """How many of `count` images come first when all need too much memory; ConfigError for a single one.

        Any other error is raised again.
        """
        if not lacks_memory(error):
            raise error
        plan, device = self.plan, self.backbone.device
        if count == 1:
            what = f"size {plan.size}: {device} has too little memory for one {plan.dtype} image"
            raise ConfigError(explain(what, remedy="take a smaller size, float16 or another device")) from error
        torch.cuda.empty_cache()
        half = count // 2
        self.halved = min(half, self.halved or half)
        warnings.warn(
            f"{device} has too little memory for {plan.batch_size} images at once: such shards are made in smaller "
            "batches and marked; they agree with what they would have been within 2/255, not to the last bit",
            UserWarning,
            stacklevel=2,
        )
        return half

    def _annotate(self, drawn: Drawn) -> list[Annotation]:
        plan = self.plan
        named = [asked_positions(prompt, plan.classes) for prompt in drawn.prompts]
        with self._timed("read"):
            batch = ImageBatch(
                images=drawn.images,
                latents=drawn.latents,
                prompts=[prompt.text for prompt in drawn.prompts],
                seeds=drawn.seeds,
                named=named,
                levels=drawn.levels,
            )
            # a prompt that names no class may show any
            requested = [positions or list(range(len(plan.classes))) for positions in named]
            asked = AnnotationRequest(
                batch=batch, classes=plan.classes, requested=requested, tasks=plan.tasks, size=plan.size
            )
            request = self.annotator.read(asked, self.backbone if self.annotator.needs_generator else None)
        with self._timed("label"):
            return self.annotator.annotate(request)

    def _image_rows(self, indices: Sequence[int], drawn: Drawn) -> pa.Table:
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
                "unsafe": [wrong == UNSAFE for wrong in drawn.unusable],
                "unusable": drawn.unusable,
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
