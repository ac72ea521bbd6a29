"""`dataset-dm generate NAME [CONFIG]`: draw images out of text, label them, write a dataset folder."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm import __version__
from dataset_dm.cli import engine_options, prompt_options, scarce_options
from dataset_dm.cli.summary import Facts, summary
from dataset_dm.errors import ConfigError, DataError, explain
from dataset_dm.models.annotators import JOIN, names_of
from dataset_dm.rows.filters import KNOWN, from_dict, resamples

if TYPE_CHECKING:
    from dataset_dm.plan.configs import Recipe
    from dataset_dm.plan.generation_plan import GenerationPlan
    from dataset_dm.rows.reader import Rows
    from dataset_dm.store.output_folder import OutFolder

HINT = (
    ": finished shards are kept; run the same command again to go on (with --resume if its --out folder exists already)"
)
_ANNOTATOR = "a decoder's folder or Hub id[@revision], p_decoder, attention, or several joined by ' + '"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to make, how, and where to."""
    parser.add_argument("name", metavar="NAME", help="voc_synth, coco_synth or nyu_synth")
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        help="the kind of labels, such as semantic, instance, keypoints, depth, all (default: the set's first)",
    )
    parser.add_argument("--num-images", metavar="N", help="rows of split train (default 64)")
    parser.add_argument("--split", metavar="NAME=N", action="append", help="a split and its rows; may be repeated")
    parser.add_argument("--prompts", metavar="SOURCE", action="append", help=f"{prompt_options.KINDS}; may be repeated")
    parser.add_argument("--append-classes", action="store_true", help="end every prompt with the words of its classes")
    parser.add_argument("--class-mix", metavar="NAME=SHARE,…", help="how often each class leads, as dog=3,cat=1")
    parser.add_argument("--classes", metavar="A,B", help="class names, comma-separated (default: the annotator's)")
    parser.add_argument("--generator", metavar="ID", help="folder or Hub id[@revision] of a text-to-image pipeline")
    parser.add_argument("--annotator", metavar="ID", help=_ANNOTATOR)
    parser.add_argument("--adapter", metavar="ID", help="a LoRA file, folder or id")
    parser.add_argument("--size", metavar="HxW", help="height and width in pixels (default: the generator's own)")
    parser.add_argument("--steps", metavar="N", help="sampling steps (default: the generator's own)")
    parser.add_argument("--guidance", metavar="G", help="guidance scale, or none (default: the generator's own)")
    parser.add_argument("--scheduler", metavar="NAME", help="a scheduler class of diffusers")
    parser.add_argument("--seed", metavar="S", help="seed of the whole set (default 0)")
    parser.add_argument("--dtype", help="float32 (default), float16 or bfloat16")
    parser.add_argument("--batch-size", metavar="N", help="images drawn together")
    parser.add_argument("--shard-size", metavar="N", help="images of one stored shard: whole batches (default 16)")
    engine_options.add_arguments(parser)
    parser.add_argument("--splice", metavar="NxM", help="make every row a mosaic of N rows and M columns of samples")
    for name, known in KNOWN.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="N" if known.whole else "P", help=known.title)
    parser.add_argument(
        "--on-drop", metavar="WHAT", help="rows that a filter leaves out: keep_fewer (default), or resample them"
    )
    scarce_options.add_arguments(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to write; without it only the store is filled")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with, or let grow, the set in --out")
    again.add_argument("--overwrite", action="store_true", help="replace the set in --out")


@dataclass(frozen=True)
class Request:
    """What a command line asks for, checked: the config, its plan, rows a split, its filters and what follows them."""

    chosen: Recipe
    plan: GenerationPlan
    counts: dict[str, int]
    bounds: dict[str, Any]
    resample: bool = False

    def rows(self) -> Rows:
        """What turns shards into the tables of this set, near-duplicates not yet left out."""
        from dataset_dm.rows.reader import Rows

        keep = from_dict(self.bounds, [task.name for task in self.chosen.tasks])
        return Rows(self.plan, self.chosen.features, keep, self.resample)


def run(args: argparse.Namespace) -> int:
    """Checks everything, makes what is missing, writes the folder, prints the summary."""
    asked = request(args)
    with engine_options.listening(args):
        produce(args, asked)
    return 0


def request(args: argparse.Namespace) -> Request:
    """Of the arguments of `add_arguments`; raises UserError for anything that cannot be made."""
    from dataset_dm.plan.configs import recipe
    from dataset_dm.plan.resolve import resolve_splits
    from dataset_dm.training.scarce_configs import resolve_config

    chosen = recipe(args.name, args.config)
    if chosen.dataset == "miniature":
        remedy = f"load it with load_dataset('dataset_dm/miniature', '{chosen.config}')"
        raise ConfigError(explain("miniature is rendered, not generated", remedy=remedy))
    counts = resolve_splits(_whole(args.num_images), _splits(args.split), chosen.splits)
    bounds = {name: _number(getattr(args, name)) for name in KNOWN if getattr(args, name) is not None}
    from_dict(bounds, [task.name for task in chosen.tasks])
    resample = resamples(args.on_drop)
    plan = resolve_config(chosen, {**_asked(args), **scarce_options.asked(args)})
    engine_options.chosen(args)  # a mistake is said before anything is touched
    if args.out is None and (args.resume or args.overwrite):
        raise ConfigError("--resume and --overwrite are about --out; give --out DIR too")
    return Request(chosen, plan, counts, bounds, resample)


def produce(args: argparse.Namespace, asked: Request) -> None:
    """Makes what is missing, writes the folder, prints the summary."""
    from dataset_dm.rows.exclusions import read_exclusions

    start = time.perf_counter()
    chosen, plan, counts = asked.chosen, asked.plan, asked.counts
    rows = replace(asked.rows(), excluded=read_exclusions(plan).rows)
    if args.out is None:
        seconds, made = engine_options.fill(plan, counts, args, rows)
        facts = Facts(rows)
        for split, count in counts.items():
            for table in facts.watch(tables(rows, split, count)):
                del table
    else:
        from dataset_dm.store.output_folder import OutFolder

        identity = {"dataset": chosen.dataset, "config": chosen.config, "labels": plan.label_fingerprint}
        if plan.splice is not None:
            identity["splice"] = list(plan.splice)
        with OutFolder(args.out, identity, resume=args.resume, overwrite=args.overwrite) as out:
            seconds, made = engine_options.fill(plan, counts, args, rows)
            facts = _write(out, chosen, rows, counts)
    seconds["total"] = time.perf_counter() - start
    print(summary(facts, rows, counts, made, seconds, args.out))


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    """The plan's arguments, numbers read where they are numbers; what is not is refused by the plan, in its words."""
    sampler = {"steps": _whole(args.steps), "guidance": _number(args.guidance), "scheduler": args.scheduler}
    sampler = {name: value for name, value in sampler.items() if value is not None}
    classes = None if args.classes is None else [name.strip() for name in args.classes.split(",") if name.strip()]
    return {
        "generator": args.generator,
        "annotator": args.annotator,
        "adapter": args.adapter,
        "prompts": prompt_options.asked_prompts(args.prompts),
        "append_classes": args.append_classes or None,
        "class_mix": prompt_options.class_mix("--class-mix", args.class_mix),
        "classes": classes,
        "sampler": sampler or None,
        "size": args.size,
        "seed": _whole(args.seed),
        "dtype": args.dtype,
        "batch_size": _whole(args.batch_size),
        "shard_size": _whole(args.shard_size),
        "splice": args.splice,
    }


def _splits(given: list[str] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    splits: dict[str, Any] = {}
    for text in given:
        name, equals, count = text.partition("=")
        if not equals or name in splits:
            expected = "NAME=N such as train=1000, every name once"
            raise ConfigError(explain("--split", got=text, expected=expected))
        splits[name] = _whole(count)
    return splits


def _whole(text: str | None) -> int | str | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return text


def _number(text: str | None) -> float | str | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def tables(rows: Rows, split: str, count: int) -> Iterator[Any]:
    """The rows of a split, shard by shard, out of the store; StoreError for one that is not there."""
    from dataset_dm.engine import Engine
    from dataset_dm.plan.generation_plan import in_round

    with Engine(rows.plan) as engine:
        for shard in rows.plan.shards(count):
            later = partial(lambda shard, number: engine.read(in_round(split, number), shard), shard)
            yield rows.table(split, count, *engine.read(split, shard), later)


def _write(out: OutFolder, chosen: Recipe, rows: Rows, counts: dict[str, int]) -> Facts:
    from dataset_dm.hub import CardFacts, write_card

    facts = Facts(rows)
    for split, count in counts.items():
        before = rows.dropped.copy()
        if not out.write_split(split, facts.watch(tables(rows, split, count)), rows.schema):
            reasons = ", ".join(f"{reason} {number}" for reason, number in (rows.dropped - before).items())
            what = f"split {split}: all {count} rows were left out by the filters ({reasons})"
            raise DataError(explain(what, remedy="loosen the filters or make more images"))
    title = f"{chosen.dataset} · {chosen.config} · {facts.rows:,} images"
    _draw_preview(facts, out.partial / "preview.png", title)
    write_card(
        out.partial,
        CardFacts(
            name=chosen.dataset,
            config=chosen.config,
            command=shlex.join(["dataset-dm", *sys.argv[1:]]),
            settings=_settings(rows.plan),
            plan=rows.plan.to_dict(),
            classes=facts.names,
            dropped=dict(rows.dropped),
            dropped_objects=dict(rows.dropped_objects),
            listed=rows.listed,
        ),
    )
    out.publish()
    return facts


def _draw_preview(facts: Facts, file: Path, title: str) -> None:
    from dataset_dm.visualization.sheet import read_row, sheet

    shown = [read_row(record, record["provenance"]["index"]) for record in facts.shown]
    sheet(shown, list(facts.names), title).save(file, format="PNG")


def _settings(plan: GenerationPlan) -> dict[str, Any]:
    """What decided the pixels, for the card."""
    return {
        "generator": f"{_short(plan.generator)} ({plan.generator_hash})",
        "revision": plan.generator_revision,
        "adapter": plan.adapter,
        "annotator": f"{JOIN.join(map(_short, names_of(plan.annotator)))} ({plan.annotator_hash})",
        "steps": plan.steps,
        "guidance": plan.guidance,
        "scheduler": plan.scheduler,
        "size": f"{plan.size[0]} x {plan.size[1]}",
        **({} if plan.splice is None else {"splice": f"{plan.splice[0]} x {plan.splice[1]}"}),
        "dtype": plan.dtype,
        "seed": plan.seed,
        "images": plan.image_fingerprint,
        "labels": plan.label_fingerprint,
        "made with": f"dataset-dm {__version__}",
    }


def _short(name: str) -> str:
    """The last part of a path or Hub id."""
    return Path(name).name or name
