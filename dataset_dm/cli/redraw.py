"""`dataset-dm redraw ROW`: reproduce a row's image with stock diffusers, from its provenance, and compare.

With `--labels` this package reproduces the whole row, image and labels, in a batch of the original size.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from dataset_dm.checks import check_int
from dataset_dm.errors import ConfigError, DataError, ModelError, StoreError, explain

_COLUMNS = ("prompt", "provenance", "image")
# columns of images and maps → file ending
_FILES = {"image": "png", "label": "png", "annotation": "png", "depth_map": "tiff"}
_LABELS = (*_FILES, "objects")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The row, its models and the output folder."""
    parser.add_argument("source", metavar="ROW", help="dataset folder, parquet file, or JSON file of one row")
    parser.add_argument("--row", type=int, default=0, metavar="N", help="row of the folder or file (default 0)")
    parser.add_argument("--split", help="split of the folder (default: train, else the first)")
    parser.add_argument("--generator", help="where the generator is now (default: where the provenance says)")
    parser.add_argument("--adapter", help="where the adapter is now")
    parser.add_argument("--annotator", help="where the annotator is now, with --labels")
    parser.add_argument("--labels", action="store_true", help="make image and labels again by dataset-dm itself")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda …")
    parser.add_argument("--out", type=Path, default=Path("redraw"), help="folder for what is made (default redraw)")


def run(args: argparse.Namespace) -> int:
    """Reproduce and compare; 0 if the image is within 2/255 and 99.9 % of the labels are equal, else 1."""
    if args.annotator is not None and not args.labels:
        raise ConfigError("--annotator is about --labels; give both")
    record = read_row(Path(args.source).expanduser(), args.row, args.split, labels=args.labels)
    return _remake(args, record) if args.labels else _redraw(args, record)


def _redraw(args: argparse.Namespace, record: dict[str, Any]) -> int:
    """The image alone, by stock diffusers."""
    prompt, provenance = record["prompt"], record["provenance"]
    pipeline = _pipeline(args.generator, provenance)
    if args.adapter is not None:
        provenance = {**provenance, "adapter": args.adapter}
    from dataset_dm.diffusion.redraw import TOLERANCE
    from dataset_dm.labels.images import decode_png, encode_png

    seeds = provenance.get("seeds") or provenance.get("seed")
    print(f"{prompt!r}, seed {seeds}, {provenance.get('steps')} steps")
    drawn = _draw(pipeline, prompt, provenance, args.device)
    _save(args.out, "redrawn.png", encode_png(drawn))
    original = record["image"].get("bytes") if record.get("image") else None
    if original is None:
        print(f"drawn: {args.out / 'redrawn.png'} (the row holds no image to compare with)")
        return 0
    _save(args.out, "original.png", original)
    import numpy as np

    there = decode_png(original)
    if there.shape != drawn.shape:
        raise DataError(explain("image", got=drawn.shape, expected=f"the row's {there.shape}"))
    difference = np.abs(there.astype(np.int16) - drawn.astype(np.int16))
    share = float((difference > TOLERANCE).mean())
    print(f"largest difference {difference.max()}/255; above {TOLERANCE}/255: {100 * share:.3f} % of the values")
    print(f"images: {args.out / 'original.png'}, {args.out / 'redrawn.png'}")
    return 0 if difference.max() <= TOLERANCE else 1


def _remake(args: argparse.Namespace, record: dict[str, Any]) -> int:
    """Image and labels, by this package."""
    from dataset_dm.generation.reproduce import remake
    from dataset_dm.rows.compare import row_differences

    places = {"generator": args.generator, "adapter": args.adapter, "annotator": args.annotator}
    again = remake(record["provenance"], **places, device=args.device)
    found = row_differences(record, again)
    for name, ending in _FILES.items():
        for title, row in (("redrawn", again), ("original", record)):
            if (row.get(name) or {}).get("bytes") is not None:
                _save(args.out, f"{title}_{name}.{ending}", row[name]["bytes"])
    plain = {name: value for name, value in again.items() if name not in _FILES}
    _save(args.out, "redrawn.json", (json.dumps(plain, indent=1) + "\n").encode())
    print("\n".join(map(str, found)) or "made; the row holds no image and no labels to compare with")
    print(f"files: {args.out}")
    return 0 if all(one.tolerated for one in found) else 1


def _draw(pipeline: str, prompt: str, provenance: dict[str, Any], device: str) -> Any:
    """The image; the tiles of a mosaic are drawn one by one and put together."""
    from dataset_dm.diffusion.redraw import redraw

    if not provenance.get("splice"):
        return redraw(pipeline, prompt, provenance, device=device)
    from dataset_dm.labels.records import Annotation
    from dataset_dm.prompts.source import SEPARATOR
    from dataset_dm.rows.splice import Part, grid_of, splice

    rows, columns = grid_of(provenance["splice"])
    prompts, seeds = prompt.split(SEPARATOR), provenance.get("seeds") or ()
    if not len(prompts) == len(seeds) == rows * columns:
        expected = f"one of each for the {rows * columns} tiles"
        raise DataError(explain("mosaic", got=f"{len(prompts)} prompts and {len(seeds)} seeds", expected=expected))
    tiles = [
        redraw(pipeline, text, {**provenance, "seed": seed}, device=device)
        for text, seed in zip(prompts, seeds, strict=True)
    ]
    nothing = Annotation(confidence=1.0)
    parts = [Part(image=tile, annotation=nothing, prompt="", index=number) for number, tile in enumerate(tiles)]
    return splice(parts, (rows, columns)).image


def read_row(source: Path, row: int, split: str | None = None, *, labels: bool = False) -> dict[str, Any]:
    """Prompt, provenance, image and optionally labels of one row; DataError if it is missing or lacks provenance."""
    check_int("--row", row, error=DataError)
    columns = (*_COLUMNS, *_LABELS) if labels else _COLUMNS
    record = _from_json(source) if source.suffix == ".json" else _from_parquet(_files(source, split), row, columns)
    if not isinstance(record.get("provenance"), dict):
        record["provenance"] = None
    elif record.get("prompt") is None:  # of provenance alone
        record["prompt"] = _prompt(record["provenance"])
    if not isinstance(record.get("prompt"), str) or record["provenance"] is None:
        expected = "a prompt and a provenance, as `dataset-dm generate` writes them"
        raise DataError(explain(f"row of {source}", got=sorted(record), expected=expected))
    image = record.get("image")
    if image is not None and not (isinstance(image, dict) and isinstance(image.get("bytes"), (bytes, type(None)))):
        remedy = "leave the image out of a JSON file: it is then drawn and not compared"
        raise DataError(explain(f"row of {source}: image", got=image, expected="an image's bytes", remedy=remedy))
    return record


def _prompt(provenance: dict[str, Any]) -> str | None:
    from dataset_dm.prompts.source import SEPARATOR

    prompts = provenance.get("prompts")
    return SEPARATOR.join(one["text"] for one in prompts) if prompts else None


def _from_json(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(explain(f"{file}: cannot be read as JSON ({error})")) from error
    if isinstance(record, dict) and "provenance" not in record and "seed" in record:
        record = {"prompt": record.get("prompt"), "provenance": record}
    return record if isinstance(record, dict) else {}


def _files(source: Path, split: str | None) -> list[Path]:
    if source.is_file():
        return [source]
    folders = {inner.parent.name: inner.parent for inner in sorted(source.glob("*/*.parquet"))}
    chosen = split or ("train" if "train" in folders else next(iter(folders), None))
    if chosen not in folders:
        known = ", ".join(folders) or "none"
        raise DataError(explain(f"{source}: no parquet files of split {chosen!r}", remedy=f"splits here: {known}"))
    return sorted(folders[chosen].glob("*.parquet"))


def _from_parquet(files: list[Path], row: int, columns: tuple[str, ...]) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    left = row
    for file in files:
        try:
            reader = pq.ParquetFile(file)
            for group in range(reader.num_row_groups):
                here = reader.metadata.row_group(group).num_rows
                if left < here:
                    there = list(dict.fromkeys(name for name in columns if name in reader.schema_arrow.names))
                    return reader.read_row_group(group, columns=there).slice(left, 1).to_pylist()[0]
                left -= here
        except (OSError, pa.ArrowException) as error:
            raise DataError(explain(f"{file}: cannot be read as parquet ({error})")) from error
    raise DataError(explain("--row", got=row, expected=f"less than the {row - left} rows there are"))


def _pipeline(given: str | None, provenance: dict[str, Any]) -> str:
    """The generator's folder or id; ModelError if its weights differ from the row's."""
    from dataset_dm.models.generators import find_generator

    if provenance.get("annotator") == "truth":
        raise DataError(explain("row: a render of the miniature world, not drawn by a generator"))
    name, revision = provenance.get("generator"), provenance.get("revision")
    source = find_generator(given or (f"{name}@{revision}" if revision else name))
    wanted = provenance.get("generator_hash")
    if wanted and source.fingerprint() != wanted:
        what = f"generator {source.name!r}: its hash is {source.fingerprint()}, the row was drawn by {wanted}"
        raise ModelError(explain(what, remedy="give the place of the right one with --generator"))
    return source.name if source.path is None else str(source.path)


def _save(folder: Path, name: str, data: bytes) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    except OSError as error:
        raise StoreError(explain(f"--out {folder}: cannot be written ({error.strerror})")) from error
