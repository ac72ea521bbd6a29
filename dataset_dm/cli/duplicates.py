"""`dataset-dm duplicates NAME [CONFIG]`: find images of a set that nearly repeat others or given photos."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.checks import check_int
from dataset_dm.cli import generate
from dataset_dm.engine.progress import bar
from dataset_dm.errors import ConfigError, DataError, StoreError, explain

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt64

    from dataset_dm.builders.generate import Request
    from dataset_dm.rows.exclusions import Exclusions

HINT = ": the list is as it was before"

_SHOWN = 5
_MAKE = "make them first: dataset-dm generate with the same arguments"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `generate` say which set; nothing is drawn."""
    generate.add_arguments(parser)
    how = parser.add_argument_group(
        "near-duplicates",
        "of images that are alike the first stays; the others are left out whenever the set is read, until the list "
        "is made again or cleared, and are never drawn again",
    )
    how.add_argument("--against", metavar="DIR", type=Path, help="photos that no image of the set may repeat")
    how.add_argument("--distance", metavar="N", type=int, help="bits of 256 that may differ (0 to 32, default 20)")
    how.add_argument("--dry-run", action="store_true", help="only say what would be left out")
    how.add_argument("--clear", action="store_true", help="remove the list: nothing is left out any more")


def run(args: argparse.Namespace) -> int:
    """Hash every image, write the list, print what is on it."""
    from dataset_dm.rows.exclusions import clear_exclusions, find_near, write_exclusions
    from dataset_dm.rows.near_duplicates import DISTANCE, FARTHEST

    distance = DISTANCE if args.distance is None else args.distance
    check_int("--distance", distance, 0, FARTHEST)
    if args.out is not None:
        raise ConfigError("--out is about generate; leave it out, and run generate with it afterwards")
    asked = generate.request(args)
    if asked.plan.splice is not None:
        remedy = "leave it out: a mosaic with a tile that is on the list is left out as a whole"
        raise ConfigError(explain("--splice: single images are compared, not mosaics", remedy=remedy))
    if args.clear:
        clear_exclusions(asked.plan)
        print("the list is deleted; nothing is left out as a near-duplicate")
        return 0
    photos = {} if args.against is None else photo_hashes(args.against)
    _check_made(asked)
    found = find_near(_hashes(asked), photos, distance)
    place = None if args.dry_run else write_exclusions(asked.plan, found)
    print(_said(found, place))
    return 0


def photo_hashes(folder: Path) -> dict[str, UInt64[np.ndarray, " 4"]]:
    """Path within the folder → hash, of every image file below it; DataError when there is none or one is damaged."""
    from dataset_dm.readers.images import IMAGE_TYPES, read_image
    from dataset_dm.rows.near_duplicates import perceptual_hash

    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in IMAGE_TYPES and file.is_file())
    if not files:
        expected = f"a folder with files such as {', '.join(IMAGE_TYPES)}"
        raise DataError(explain(f"--against {folder}: no photo in it", expected=expected))
    return {str(file.relative_to(folder)): perceptual_hash(read_image(file, f"--against {file}")) for file in files}


def _check_made(asked: Request) -> None:
    """StoreError when shards are missing: nothing is drawn here."""
    from dataset_dm.engine import Engine, pending
    from dataset_dm.engine.resample import later_rounds

    missing = len(pending(asked.plan, asked.counts))
    if not missing:
        with Engine(asked.plan) as engine:
            missing = len(next(later_rounds(engine, asked.rows(), asked.counts), ()))
    if missing:
        raise StoreError(explain(f"duplicates: {missing} shards of the set are not in the store", remedy=_MAKE))


def _hashes(asked: Request) -> Iterator[tuple[str, int, Any]]:
    """(split or round, index, hash) of every image that the set shows, whatever the present list says."""
    from dataset_dm.labels.images import decode_png
    from dataset_dm.plan.generation_plan import ATTEMPTS, in_round
    from dataset_dm.rows.near_duplicates import perceptual_hash

    rows = asked.rows()
    with bar(sum(asked.counts.values()), "image", "looking", delay=1, leave=False) as shown:
        for split in asked.counts:
            for table in asked.tables(rows, split):
                columns = (table.column(name).to_pylist() for name in ("image", "provenance"))
                for image, origin in zip(*columns, strict=True):
                    name = in_round(split, origin["attempt"] // ATTEMPTS)
                    yield name, origin["index"], perceptual_hash(decode_png(image["bytes"]))
                shown.update(table.num_rows)


def _said(found: Exclusions, place: object) -> str:
    reasons = Counter(reason for rows in found.rows.values() for reason in rows.values())
    against = f", {found.how['photos']:,} photos" if found.how["photos"] else ""
    lines = [
        ("looked at", f"{found.how['pictures']:,} images{against}"),
        ("left out", ", ".join(f"{reason} {number:,}" for reason, number in reasons.items()) or "none"),
    ]
    pairs = [f"{split}/{index} is like {one}" for split, rows in found.like.items() for index, one in rows.items()]
    lines += [("" if at else "such as", pair) for at, pair in enumerate(pairs[:_SHOWN])]
    lines.append(("list", "not written (--dry-run)" if place is None else str(place)))
    return "\n".join(f"  {name:<12} {text}" for name, text in lines)
