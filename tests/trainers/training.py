"""What the scripts of this folder share: a set, a model, `transformers.Trainer`, and the losses that come out."""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import datasets
import torch
import transformers
from datasets import load_dataset
from torch import nn
from transformers import PrinterCallback, Trainer, TrainingArguments, set_seed

import dataset_dm  # noqa: F401  registers the names

Batch = dict[str, list[Any]]  # column → its values in some rows
SIDE = 64  # pixels a model sees: half of a row's, which shows that boxes and points follow a resized picture
BATCH = 8


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A kind of model and how it is fed.

    Args:
        task: what it learns.
        dataset: the generated set it is meant for.
        config: the config of that set, and of `dataset_dm/miniature`.
        class_names: the set's class names in the order of their ids, from where the example scripts take them.
        network: an untrained model of these classes.
        inputs: some rows as they come → the model's inputs, a list each with one entry a row.
        collate: rows of inputs → one batch of tensors.
        usable: rows that can be trained on; None: all.
        trainer: the Trainer; another class than transformers' own where the model knows no loss.
        idle: parameters that the architecture leaves out of its own loss.
    """

    task: str
    dataset: str
    config: str
    class_names: Callable[[Any], Sequence[str]]
    network: Callable[[Sequence[str]], nn.Module]
    inputs: Callable[[Batch], Batch]
    collate: Callable[[list[dict[str, Any]]], dict[str, Any]]
    usable: Callable[[Any], bool] | None = None
    trainer: type[Trainer] = Trainer
    idle: tuple[str, ...] = ()

    def prepared(self, rows: datasets.Dataset | datasets.IterableDataset) -> Any:
        """The set with rows of inputs, made when they are read, for both kinds of set."""
        if self.usable is not None:
            rows = rows.filter(self.usable, input_columns=["objects"])
        if isinstance(rows, datasets.Dataset):
            return rows.with_transform(self.inputs)
        return rows.map(self.inputs, batched=True, batch_size=BATCH, remove_columns=list(rows.features))


def image_processor(model: str, **settings: Any) -> Any:
    """The one of a kind of model that needs no torchvision; transformers before 5 has no others under that name."""
    kinds = (f"{model}ImageProcessorPil", f"{model}ImageProcessor")
    return next(getattr(transformers, kind) for kind in kinds if hasattr(transformers, kind))(**settings)


def stacked(rows: list[dict[str, Any]], *names: str) -> dict[str, torch.Tensor]:
    """Tensors of equal shape as one tensor with a first axis more."""
    return {name: torch.stack([torch.as_tensor(row[name]) for row in rows]) for name in names}


def train(recipe: Recipe, rows: Any, *, steps: int, rate: float = 2e-3) -> tuple[nn.Module, list[float]]:
    """The trained model and the loss of every step.

    Args:
        rows: a split, map-style or streaming; a stream starts anew when it is through.
        steps: of `BATCH` rows each.
        rate: AdamW's, constant.
    """
    set_seed(0)
    model = recipe.network(recipe.class_names(rows))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=BATCH,
            max_steps=steps,
            learning_rate=rate,
            lr_scheduler_type="constant",
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,  # the transform needs columns that the model does not know
            dataloader_pin_memory=False,
            average_tokens_across_devices=False,  # there are none; some losses do not bear being scaled in place
            use_cpu=True,
        )
        trainer = recipe.trainer(
            model=model, args=arguments, train_dataset=recipe.prepared(rows), data_collator=recipe.collate
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return model, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def epochs_of(losses: Sequence[float], epochs: int) -> list[float]:
    """The mean loss of each of `epochs` equal parts."""
    length = len(losses) // epochs
    return [math.fsum(losses[start : start + length]) / length for start in range(0, length * epochs, length)]


def main(*recipes: Recipe) -> None:
    """Train on a generated set (or on renders: --dataset dataset_dm/miniature), map-style and streaming."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--dataset", help="default: the generated set of that task")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=2)
    asked = parser.parse_args()
    steps = asked.epochs * math.ceil(asked.rows / BATCH)
    for recipe in recipes:
        for streaming in (False, True):
            name = asked.dataset or recipe.dataset
            rows = load_dataset(name, recipe.config, split="train", num_images=asked.rows, streaming=streaming)
            losses = epochs_of(train(recipe, rows, steps=steps)[1], asked.epochs)
            falls = "falls" if losses[-1] < losses[0] else "DOES NOT FALL"
            said = " ".join(f"{loss:.3f}" for loss in losses)
            print(
                f"{recipe.task:10} {'stream' if streaming else 'map':6} loss of the epochs: {said}  {falls}", flush=True
            )
