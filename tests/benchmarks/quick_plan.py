"""A plan of the embedded model that is quick to make, for measurements about the engine rather than the model."""

import os
from pathlib import Path

from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import resolve
from dataset_dm.store.plans import stores

# the embedded models
QUICK = {"generator": "miniature", "annotator": "miniature"}


def quick_plan(*, steps: int, batch: int, shard: int) -> GenerationPlan:
    """Semantic labels by the embedded generator and decoder."""
    sampler = {"steps": steps, "guidance": 2.0}
    return resolve(SEMANTIC, sampler=sampler, batch_size=batch, shard_size=shard, **QUICK)


def files(plan: GenerationPlan, home: Path) -> dict[str, bytes]:
    """Every finished shard of the plan in a store, by kind and name."""
    os.environ["DATASET_DM_HOME"] = str(home)
    return {
        f"{store.kind}/{split}/{shard}": store.data(split, shard)
        for store in stores(plan)
        for split in store.splits()
        for shard in store.finished(split)
    }
