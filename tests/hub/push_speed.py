"""How long a push takes beside plain `upload_folder` of the same folder, to a hub on the loopback interface.

HF_HUB_OFFLINE=0 python -m tests.hub.push_speed --rows 1000 --rounds 5
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.hub.loopback import TOKENS, LoopbackHub


def make_folder(folder: Path, rows: int, pixels: int) -> Path:
    """A finished folder of square pictures of noise, as large as PNG makes them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dataset_dm.hub import CardFacts, write_card
    from dataset_dm.labels.images import encode_png
    from tests.annotations import CLASSES
    from tests.hub.stores import COMMAND, SETTINGS, table

    draw = np.random.default_rng(0)
    made = pa.concat_tables([table("semantic", 80)] * -(-rows // 80)).slice(0, rows).combine_chunks()
    place = made.schema.get_field_index("image")
    pictures = [
        {"bytes": encode_png(draw.integers(0, 256, (pixels, pixels, 3), np.uint8)), "path": None} for _ in range(rows)
    ]
    made = made.set_column(place, made.schema.field(place), pa.array(pictures, made.schema.field(place).type))
    (folder / "train").mkdir(parents=True)
    with pq.ParquetWriter(folder / "train" / "00000.parquet", made.schema, compression="none") as writer:
        for start in range(0, rows, 100):
            writer.write_table(made.slice(start, 100))
    names = ("background", *CLASSES)
    facts = CardFacts(name="voc_synth", config="semantic", command=COMMAND, settings=SETTINGS, classes=names)
    write_card(folder, facts)
    return folder


def plain(folder: Path) -> None:
    """What people do by hand."""
    from huggingface_hub import HfApi

    HfApi().create_repo("me/plain", repo_type="dataset")
    HfApi().upload_folder(repo_id="me/plain", folder_path=folder, repo_type="dataset")


def ours(folder: Path) -> None:
    """The same by our push."""
    from dataset_dm.hub import push

    push(folder, "me/ours")


def main() -> int:
    """Alternates the two and says their times and ratio."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--pixels", type=int, default=128, help="width and height of a picture")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with LoopbackHub() as hub, tempfile.TemporaryDirectory() as scratch:
        os.environ |= {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": f"{scratch}/hf_home",
            "HF_TOKEN": next(iter(TOKENS)),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
        folder = make_folder(Path(scratch) / "set", args.rows, args.pixels)
        size = sum(file.stat().st_size for file in folder.rglob("*.parquet")) / 1e6
        ways: dict[str, Callable[[Path], None]] = {"upload_folder": plain, "push": ours}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(args.rounds + 1):
            for name, way in ways.items():
                hub.repos.clear()
                hub.objects.clear()
                start = time.perf_counter()
                way(folder)
                if number:  # the first round imports what it needs
                    seconds[name].append(time.perf_counter() - start)
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        for name, times in seconds.items():
            print(f"{name:<14} median {medians[name]:.3f} s of {', '.join(f'{t:.3f}' for t in times)}")
        print(f"ratio {medians['push'] / medians['upload_folder']:.3f} ({args.rows:,} rows, {size:.0f} MB)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
