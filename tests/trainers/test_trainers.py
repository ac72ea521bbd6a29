"""Every trainer learns: gradients reach all of the model, and a handful of rows is learnt by heart."""

from __future__ import annotations

import math
from collections.abc import Callable

import datasets
import pytest
import torch
from datasets import load_dataset
from torch.utils.data import DataLoader
from transformers import set_seed

import dataset_dm  # noqa: F401  registers the names
from tests.trainers.depth import DEPTH
from tests.trainers.detection import DETECTION
from tests.trainers.instance import INSTANCE
from tests.trainers.keypoints import KEYPOINTS
from tests.trainers.semantic import SEMANTIC
from tests.trainers.training import BATCH, Recipe, epochs_of, train

RECIPES = (SEMANTIC, INSTANCE, DETECTION, DEPTH, KEYPOINTS)
each_trainer = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.task)
# PyTorch and transformers talk among themselves
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    """Rows with every column; eight of them show people."""
    cache = tmp_path_factory.mktemp("cache")
    return load_dataset("dataset_dm/miniature", "all", split="train", num_images=48, cache_dir=str(cache))


@each_trainer
def test_a_few_rows_are_learnt_by_heart(recipe: Recipe, renders: datasets.Dataset) -> None:
    usable = [index for index, row in enumerate(renders["objects"]) if recipe.usable is None or recipe.usable(row)]
    rows = renders.select(usable[:BATCH])
    model, losses = train(recipe, rows, steps=12)
    assert len(losses) == 12 and all(map(math.isfinite, losses))
    first, *_, last = epochs_of(losses, 4)
    assert last < 0.93 * first
    set_seed(0)
    before = dict(recipe.network(recipe.class_names(rows)).named_parameters())
    still = [name for name, value in model.named_parameters() if torch.equal(value, before[name])]
    assert [name for name in still if not any(idle in name for idle in recipe.idle)] == []


@each_trainer
def test_a_stream_is_trained_on(recipe: Recipe) -> None:
    few = 16 if recipe.usable is None else 32  # of which some are usable; less than three batches: it starts anew
    rows = load_dataset("dataset_dm/miniature", recipe.config, split="train", num_images=few, streaming=True)
    _, losses = train(recipe, rows, steps=3)
    assert len(losses) == 3 and all(map(math.isfinite, losses))


@each_trainer
def test_generated_rows_are_accepted(recipe: Recipe, generated: datasets.DatasetDict) -> None:
    _, (loss,) = train(recipe, generated["train"], steps=1)
    assert math.isfinite(loss)


@pytest.mark.parametrize("recipe", [INSTANCE, DETECTION], ids=lambda recipe: recipe.task)
def test_pictures_without_objects_are_accepted(recipe: Recipe, load: Callable[..., datasets.DatasetDict]) -> None:
    rows = load(filters={"min_score": 1.0})["train"]
    assert len(rows) == 4 and not any(row["id"] for row in rows["objects"])
    _, (loss,) = train(recipe, rows, steps=1)
    assert math.isfinite(loss)


def test_a_plain_loop_without_a_trainer(generated: datasets.DatasetDict) -> None:
    """The README's loop: formatted tensors are uint8 [3 h w] and [1 h w], which `DataLoader` puts together."""
    set_seed(0)
    rows = generated["train"].select_columns(["image", "label"]).with_format("torch")
    model = SEMANTIC.network(SEMANTIC.class_names(generated["train"]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(6):
        for batch in DataLoader(rows, batch_size=4, shuffle=True):
            loss = model(batch["image"] / 255, labels=batch["label"].squeeze(1).long()).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
