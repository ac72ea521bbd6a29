"""`dataset-dm generate NAME [CONFIG]`: draw images out of text, label them, write a dataset folder."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.cli import scarcity
from dataset_dm.errors import ConfigError, DataError, explain
from dataset_dm.filters import KNOWN, from_dict

if TYPE_CHECKING:
    from dataset_dm.catalogue import Recipe
    from dataset_dm.folder import OutFolder
    from dataset_dm.plan import GenerationPlan
    from dataset_dm.rows import Rows

HINT = (
    ": finished shards are kept; run the same command again to go on (with --resume if its --out folder exists already)"
)
_PREVIEW_ROWS = 12
# figures of the quality column that the summary shows: their names here, and how they are written
_FIGURES = (
    ("confidence", "confidence", "{:.3f} on average"),
    ("uncertain", "void pixels", "{:.1%}"),
    ("object_confidence", "objects", "mean score {:.3f}"),
    ("keypoint_confidence", "keypoints", "mean score {:.3f}"),
    ("depth_confidence", "depth", "mean confidence {:.3f}"),
)


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
    parser.add_argument("--prompts", metavar="FILE", help='text lines, or JSONL {"prompt": …, "classes": […]}')
    parser.add_argument("--classes", metavar="A,B", help="class names, comma-separated (default: the annotator's)")
    parser.add_argument("--generator", metavar="ID", help="folder or Hub id[@revision] of a text-to-image pipeline")
    parser.add_argument("--annotator", metavar="ID", help="folder or Hub id[@revision] of a trained decoder")
    parser.add_argument("--adapter", metavar="ID", help="a LoRA file, folder or id")
    parser.add_argument("--size", metavar="HxW", help="height and width in pixels (default: the generator's own)")
    parser.add_argument("--steps", metavar="N", help="sampling steps (default: the generator's own)")
    parser.add_argument("--guidance", metavar="G", help="guidance scale, or none (default: the generator's own)")
    parser.add_argument("--scheduler", metavar="NAME", help="a scheduler class of diffusers")
    parser.add_argument("--seed", metavar="S", help="seed of the whole set (default 0)")
    parser.add_argument("--dtype", help="float32 (default), float16 or bfloat16")
    parser.add_argument("--batch-size", metavar="N", help="images drawn together")
    parser.add_argument("--shard-size", metavar="N", help="images of one stored shard: whole batches (default 16)")
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1 …")
    parser.add_argument("--splice", metavar="NxM", help="make every row a mosaic of N rows and M columns of samples")
    for name, known in KNOWN.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="N" if known.whole else "P", help=known.title)
    scarcity.add_arguments(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to write; without it only the store is filled")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with, or let grow, the set in --out")
    again.add_argument("--overwrite", action="store_true", help="replace the set in --out")


def run(args: argparse.Namespace) -> int:
    """Checks everything, makes what is missing, writes the folder, prints the summary."""
    from dataset_dm.catalogue import recipe
    from dataset_dm.request import resolve_splits
    from dataset_dm.rows import Rows
    from dataset_dm.training.scarcity import resolve_config

    start = time.perf_counter()
    chosen = recipe(args.name, args.config)
    if chosen.dataset == "miniature":
        remedy = f"load it with load_dataset('dataset_dm/miniature', '{chosen.config}')"
        raise ConfigError(explain("miniature is rendered, not generated", remedy=remedy))
    counts = resolve_splits(_whole(args.num_images), _splits(args.split), chosen.splits)
    bounds = {name: _number(getattr(args, name)) for name in KNOWN if getattr(args, name) is not None}
    keep = from_dict(bounds, [task.name for task in chosen.tasks])
    plan = resolve_config(chosen, {**_asked(args), **scarcity.asked(args)})
    rows = Rows(plan, chosen.features, keep)
    if args.out is None:
        if args.resume or args.overwrite:
            raise ConfigError("--resume and --overwrite are about --out; give --out DIR too")
        seconds, made = _make(plan, counts, args.device)
        facts = _Facts(rows)
        for split, count in counts.items():
            for table in facts.watch(_tables(rows, split, count)):
                del table
    else:
        from dataset_dm.folder import OutFolder

        identity = {"dataset": chosen.dataset, "config": chosen.config, "labels": plan.label_fingerprint()}
        if plan.splice is not None:
            identity["splice"] = list(plan.splice)
        with OutFolder(args.out, identity, resume=args.resume, overwrite=args.overwrite) as out:
            seconds, made = _make(plan, counts, args.device)
            facts = _write(out, chosen, rows, counts)
    seconds["total"] = time.perf_counter() - start
    print(_summary(facts, rows, counts, made, seconds, args.out))
    return 0


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    """The plan's arguments, numbers read where they are numbers; what is not is refused by the plan, in its words."""
    sampler = {"steps": _whole(args.steps), "guidance": _number(args.guidance), "scheduler": args.scheduler}
    sampler = {name: value for name, value in sampler.items() if value is not None}
    classes = None if args.classes is None else [name.strip() for name in args.classes.split(",") if name.strip()]
    return {
        "generator": args.generator,
        "annotator": args.annotator,
        "adapter": args.adapter,
        "prompts": args.prompts,
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


def _make(plan: GenerationPlan, counts: dict[str, int], device: str) -> tuple[dict[str, float], int]:
    """Fills the store, with a progress bar; returns seconds a stage and the number of samples made."""
    from dataset_dm.engine import Engine, pending

    work = pending(plan, counts)
    if not work:
        return {}, 0
    from tqdm import tqdm

    total = len(work) * plan.shard_size
    # no bar of its own thread, and a rate that starts when the models are loaded and the first batch is there
    with Engine(plan, device=device) as engine, tqdm(total=total, unit="image", desc="drawing and labelling") as bar:
        engine.fill(counts, report=bar.update)
        return dict(engine.seconds), total


def _tables(rows: Rows, split: str, count: int) -> Iterator[Any]:
    from dataset_dm.engine import Engine

    with Engine(rows.plan) as engine:
        for shard in rows.plan.shards(count):
            yield rows.table(split, count, *engine.read(split, shard))


class _Facts:
    """What the summary and the preview need, gathered while rows pass by."""

    def __init__(self, rows: Rows) -> None:
        # a set without classes in its columns has none on its card
        speaks = bool({"classes", "objects"} & set(rows.schema.names))
        self.names = ("background", *rows.plan.classes) if speaks else ()
        self.rows = 0
        self.classes: Counter[int] = Counter()
        self.quality: dict[str, list[float]] = defaultdict(list)
        self.shown: list[dict[str, Any]] = []

    def watch(self, tables: Iterator[Any]) -> Iterator[Any]:
        from dataset_dm.rows import shown_classes

        for table in tables:
            self.rows += table.num_rows
            for ids in shown_classes(table):
                self.classes.update(ids)
            for quality in table.column("quality").to_pylist():
                for name, value in quality.items():
                    if isinstance(value, float):
                        self.quality[name].append(value)
            if len(self.shown) < _PREVIEW_ROWS:
                self.shown += table.slice(0, _PREVIEW_ROWS - len(self.shown)).to_pylist()
            yield table

    def mean(self, name: str) -> float:
        """Mean of one figure of the quality column, over the rows that have it."""
        return sum(self.quality[name]) / len(self.quality[name])


def _write(out: OutFolder, chosen: Recipe, rows: Rows, counts: dict[str, int]) -> _Facts:
    from dataset_dm.hub import CardFacts, write_card

    facts = _Facts(rows)
    for split, count in counts.items():
        before = rows.dropped.copy()
        if not out.write_split(split, facts.watch(_tables(rows, split, count)), rows.schema):
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
            classes=facts.names,
            dropped=dict(rows.dropped),
            dropped_objects=dict(rows.dropped_objects),
        ),
    )
    out.publish()
    return facts


def _draw_preview(facts: _Facts, file: Path, title: str) -> None:
    from dataset_dm.preview import read_row, sheet

    shown = [read_row(record, record["provenance"]["index"]) for record in facts.shown]
    sheet(shown, list(facts.names), title).save(file, format="PNG")


def _settings(plan: GenerationPlan) -> dict[str, Any]:
    """What decided the pixels, for the card."""
    return {
        "generator": f"{Path(plan.generator).name or plan.generator} ({plan.generator_hash})",
        "revision": plan.generator_revision,
        "adapter": plan.adapter,
        "annotator": f"{Path(plan.annotator).name or plan.annotator} ({plan.annotator_hash})",
        "steps": plan.steps,
        "guidance": plan.guidance,
        "scheduler": plan.scheduler,
        "size": f"{plan.size[0]} x {plan.size[1]}",
        **({} if plan.splice is None else {"splice": f"{plan.splice[0]} x {plan.splice[1]}"}),
        "dtype": plan.dtype,
        "seed": plan.seed,
        "images": plan.image_fingerprint(),
        "labels": plan.label_fingerprint(),
    }


def _summary(
    facts: _Facts, rows: Rows, counts: dict[str, int], made: int, seconds: dict[str, float], out: Path | None
) -> str:
    from dataset_dm.engine.local import stores

    asked = ", ".join(f"{split} {count:,}" for split, count in counts.items())
    lines = [("images", f"{facts.rows:,} ({asked})")]
    if rows.dropped:
        lines.append(("left out", ", ".join(f"{reason} {number:,}" for reason, number in rows.dropped.items())))
    lines.append(("made now", f"{made:,}" if made else "none, all were in the store"))
    if rows.dropped_objects:
        lines.append(("objects out", ", ".join(f"{why} {number:,}" for why, number in rows.dropped_objects.items())))
    lines += [(title, shape.format(facts.mean(name))) for name, title, shape in _FIGURES if facts.quality[name]]
    stages = [f"{stage} {spent:.1f} s" for stage, spent in seconds.items() if stage != "total"]
    lines.append(("time", f"{seconds['total']:.1f} s" + (f" ({', '.join(stages)})" if stages else "")))
    lines += [("store", str(store.folder)) for store in stores(rows.plan)]
    if out is not None:
        lines.append(("folder", str(out)))
    body = "\n".join(f"  {name:<12} {text}" for name, text in lines)
    if not facts.names:
        return body
    shown = [f"{facts.names[i]} {number:,}" for i, number in facts.classes.most_common()]
    return f"{body}\n  {'classes':<12} {_wrapped(shown)}"


def _wrapped(words: list[str], width: int = 100) -> str:
    """Comma-separated words on as many lines as they need, indented below the summary's second column."""
    import textwrap

    return "\n".join(textwrap.wrap(", ".join(words) or "none", width, subsequent_indent=" " * 15))
