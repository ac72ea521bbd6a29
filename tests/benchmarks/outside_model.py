"""Share of the time that is not spent in the model: `python -m tests.benchmarks.outside_model`.

One engine in this process makes shards; the first is not counted. Two shares of the wall time are printed. By stages:
all but drawing (sampling and VAE), the parity pass, and the annotator with its postprocessing. By networks, which is
stricter: all but the calls of text encoder, UNet, VAE and decoder themselves, so that the sampler's own arithmetic,
postprocessing and every conversion count as outside.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from typing import Any

import torch

from dataset_dm.engine import Engine
from dataset_dm.generation.session import Session
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.resolve import resolve_recipe

IN_THE_MODEL = ("draw", "read", "label")


class Stopwatch:
    """Seconds within the calls of some networks."""

    def __init__(self, networks: dict[str, torch.nn.Module]) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        for name, network in networks.items():
            network.register_forward_pre_hook(lambda *call, name=name: self._enter(name))
            network.register_forward_hook(lambda *call, name=name: self._leave(name))

    def _enter(self, name: str) -> None:
        self.seconds[name] -= _now()

    def _leave(self, name: str) -> None:
        self.seconds[name] += _now()


def networks(session: Session) -> dict[str, Any]:
    """What computes: top-level parts that do not call one another."""
    pipe = session.backbone.pipe
    found = {"text encoder": pipe.text_encoder, "UNet": pipe.unet}
    found |= {"VAE decoder": pipe.vae.decoder, "VAE encoder": pipe.vae.encoder}
    decoder = getattr(session.annotator, "decoder", None)
    return found if decoder is None else {**found, "decoder": decoder}


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def main(words: list[str] | None = None) -> int:
    """Prints both shares and where the time went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--dataset", default="voc_synth")
    parser.add_argument("--config", help="such as all (default: the set's first)")
    parser.add_argument("--steps", type=int, help="of the sampler (default: the generator's own)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args(words)
    plan = resolve_recipe(recipe(args.dataset, args.config), sampler={"steps": args.steps} if args.steps else None)
    with tempfile.TemporaryDirectory(prefix="outside_model_") as folder:
        os.environ["DATASET_DM_HOME"] = folder
        with Engine(plan, device=args.device, engine={"threads": args.threads}) as engine:
            engine.fill({"train": plan.shard_size})
            stopwatch, before = Stopwatch(networks(engine._maker.session())), dict(engine.seconds)
            start = _now()
            engine.fill({"train": (1 + args.shards) * plan.shard_size})
            wall = _now() - start
            stages = {name: spent - before.get(name, 0.0) for name, spent in engine.seconds.items()}
    inside, computed = sum(stages[name] for name in IN_THE_MODEL), sum(stopwatch.seconds.values())
    print(f"{args.shards} shards of {plan.shard_size}, {plan.steps} steps, tasks {', '.join(plan.tasks)}: {wall:.2f} s")
    for title, parts in (("stages", stages), ("networks", stopwatch.seconds)):
        ordered = sorted(parts.items(), key=lambda part: -part[1])
        print(f"{title}: " + ", ".join(f"{name} {spent:.2f} s ({spent / wall:.1%})" for name, spent in ordered))
    print(f"not in the model, by stages: {1 - inside / wall:.2%}; by networks: {1 - computed / wall:.2%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
