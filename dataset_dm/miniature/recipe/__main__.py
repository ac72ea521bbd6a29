"""Train Miniature: `python -m dataset_dm.miniature.recipe STAGE …`, or `dataset-dm miniature STAGE …`.

Stages, in order; each resumes where it stopped when it is called again:

    render       scenes of the pretraining range, as chunks on disk
    judge        the segmenter that only measures
    autoencoder  images <-> latents
    generator    denoiser and text encoder, on (latents, caption) pairs
    export       the trained parts as a StableDiffusionPipeline folder in half precision
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dataset_dm.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    render = stages.add_parser("render", help="render the scenes to train on")
    render.add_argument("--scenes", type=_count, default=200_000)
    render.add_argument("--workers", type=_count, default=2)
    render.add_argument("--seed", type=int, default=0)
    judge = stages.add_parser("judge", help="train the judge")
    _training(judge, scenes=40_000, steps=12_000, batch=64, lr=2e-3)
    autoencoder = stages.add_parser("autoencoder", help="train the autoencoder")
    _training(autoencoder, scenes=40_000, steps=20_000, batch=32, lr=1e-3)
    autoencoder.add_argument("--crop", type=_count, help="train on crops of this side (for CPUs)")
    generator = stages.add_parser("generator", help="train denoiser and text encoder")
    _training(generator, scenes=200_000, steps=40_000, batch=256, lr=6e-4, ema_decay=0.9995)
    stages.add_parser("export", help="write the pipeline folder").add_argument("--out", type=Path, required=True)
    for stage in stages.choices.values():
        stage.add_argument("--runs", type=Path, default=Path("runs/miniature"), help="folder of scenes and states")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number of at least 1")
    return int(text)


def _training(
    parser: argparse.ArgumentParser, *, scenes: int, steps: int, batch: int, lr: float, ema_decay: float = 0.999
) -> None:
    parser.add_argument("--scenes", type=_count, default=scenes, help="train on the first N scenes; waits for them")
    parser.add_argument("--steps", type=_count, default=steps)
    parser.add_argument("--batch", type=_count, default=batch)
    parser.add_argument("--lr", "--learning-rate", type=float, default=lr)
    parser.add_argument("--ema-decay", "--ema", type=float, default=ema_decay)
    parser.add_argument("--warmup", type=_count, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=_count, default=1000)
    parser.add_argument("--seconds", type=float, help="train for so long instead of for --steps")
    parser.add_argument("--device", default=None)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--compile", action="store_true", help="torch.compile: pays on a GPU")
    parser.add_argument("--init-from", type=Path, help="start from this folder's weights with a fresh optimizer")


def run(args: argparse.Namespace) -> int:
    """Run one stage; returns the exit code."""
    from dataset_dm.miniature.recipe import stages

    return getattr(stages, args.stage)(args)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m dataset_dm.miniature.recipe", description=__doc__.split("\n")[0])
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
