"""`dataset-dm prompts [SOURCE]`: draw or read prompts, measure their diversity, and write them to a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_dm.arguments import read
from dataset_dm.arguments.table import SOURCES
from dataset_dm.checks import check_int
from dataset_dm.engine.progress import bar
from dataset_dm.errors import ConfigError, StoreError, explain

if TYPE_CHECKING:
    from dataset_dm.labels.records import Prompt
    from dataset_dm.prompts import Templates
    from dataset_dm.prompts.source import PromptSource

HINT = "; what was drawn is kept, run the same command again to go on"

_COUNT = 100  # prompts of a source without end
_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Source, number and destination of the prompts."""
    parser.add_argument("source", nargs="*", metavar="SOURCE", help=f"{SOURCES} (default: templates)")
    parser.add_argument("--classes", help="comma-separated class names (default: those of VOC)")
    parser.add_argument("--mix", metavar="NAME=SHARE,…", help="how often each class leads a prompt, e.g. dog=3,cat=1")
    parser.add_argument("--num", type=int, help=f"prompts (default: all lines of a file, else {_COUNT})")
    parser.add_argument("--split", default="train", help="split that they are for (default train)")
    parser.add_argument("--seed", type=int, default=0, help="the plan's seed (default 0)")
    parser.add_argument("--append-classes", action="store_true", help="end every prompt with its class names")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write them as JSON lines that --prompts reads")
    parser.add_argument("--overwrite", action="store_true", help="replace the file of --out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON too")


def run(args: argparse.Namespace) -> int:
    """Draw, report, write; 0 when all is done."""
    if args.num is not None:
        check_int("--num", args.num, 1)
    if args.out is not None and args.out.exists() and not args.overwrite:
        raise StoreError(f"--out {args.out}: exists already; take another name, or pass --overwrite")
    from dataset_dm.files.atomic import write_atomically
    from dataset_dm.plan.prompts import source_of
    from dataset_dm.prompts import Appended, Lines, diversity_of

    templates = _templates(args)
    source = source_of(read.sources("SOURCE", args.source) if args.source else None, lambda: templates)
    count = args.num or (len(source.prompts) if isinstance(source, Lines) else _COUNT)
    if args.append_classes:
        source = Appended(source, templates.classes)
    prompts = _drawn(source, args.seed, args.split, count)
    report = diversity_of(prompts, templates.classes)
    print(report.as_text())
    print("\n".join(f"  {'example' if not at else '':<12} {one.text}" for at, one in enumerate(prompts[:_SHOWN])))
    if args.json is not None:
        write_atomically(args.json, (json.dumps(report.to_dict(), indent=1) + "\n").encode())
    if args.out is not None:
        write_atomically(args.out, "".join(map(_line, prompts)).encode())
        print(f"  {'file':<12} {args.out}")
    return 0


def _templates(args: argparse.Namespace) -> Templates:
    from dataset_dm.labels.vocabulary import VOC_CLASSES
    from dataset_dm.prompts import Templates

    names = None if args.classes is None else [name.strip() for name in args.classes.split(",") if name.strip()]
    if names == []:
        raise ConfigError(explain("--classes", got=args.classes, expected="names such as dog,chair"))
    weights = None if args.mix is None else read.shares("--mix", args.mix)
    return Templates(tuple(dict.fromkeys(names or VOC_CLASSES)), weights=weights)


def _drawn(source: PromptSource, seed: int, split: str, count: int) -> list[Prompt]:
    from dataset_dm.prompts import prepare

    with bar(count, "prompt", "drawing", delay=1, leave=False) as shown:  # none where nothing is drawn
        prepare(source, seed, {split: count}, report=shown.update)
    return [source.prompt(seed, split, index) for index in range(count)]


def _line(prompt: Prompt) -> str:
    item = {"prompt": prompt.text, **({} if prompt.classes is None else {"classes": list(prompt.classes)})}
    return json.dumps(item, ensure_ascii=False) + "\n"
