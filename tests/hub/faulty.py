"""Pushes under random faults: the short version is a test, the long one a measurement.

HF_HUB_OFFLINE=0 python -m tests.hub.faulty --tries 500
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import sys
import tempfile
from pathlib import Path

from tests.hub.loopback import TOKENS, LoopbackHub

ANYWHERE = ("503", "500", "429", "reset", "slow")
# request → what may befall it besides; a lost answer only where something was done
PLACES = {
    "GET /api/whoami": (),
    "POST /api/repos/create": ("lost",),
    "GET /api/datasets/[^/]+/[^/]+(/revision|$)": ("truncate",),
    "/tree/": ("truncate",),
    "GET .*/resolve/": ("truncate",),
    "/preupload/": ("truncate",),
    "/objects/batch": ("truncate",),
    "PUT /lfs": ("lost",),
    "POST /lfs-verify": ("lost",),
    "POST .*/commit/": ("409", "412", "lost", "truncate"),
}
FAULTS = (1, 5)  # at least and at most so many befall one push


def one_push(hub: LoopbackHub, stores: list[Path], chance: random.Random) -> list[tuple[str, str]]:
    """Pushes the stores one after the other under random faults; the repository loads whole all the way.

    Returns:
        The faults that happened. AssertionError when a push ended otherwise than complete.
    """
    from tests.hub.stores import push

    name, before = "me/voc_synth", None
    hub.faults.happened.clear()
    for store in stores:
        for _ in range(chance.randint(*FAULTS)):
            place = chance.choice(list(PLACES))
            kind = chance.choice([*ANYWHERE, *PLACES[place]])
            hub.fail(kind, on=place, after=chance.randint(0, 1), seconds=0.02)
        commits = set(hub.dataset(name).commits) if before else set()
        push(store, name)
        hub.heal()
        rows = whole(hub, name)
        expected = {split.name: rows_in(split) for split in sorted(store.iterdir()) if split.is_dir()}
        assert rows == expected, (rows, expected)
        for commit in set(hub.dataset(name).commits) - commits - {first_commit(hub, name)}:
            assert whole(hub, name, commit) in (expected, before), "a commit in between holds half"
        before = expected
    return list(hub.faults.happened)


def whole(hub: LoopbackHub, name: str, revision: str = "main") -> dict[str, int]:
    """Split → rows of a repository, read from the very files that its card names; AssertionError if they disagree."""
    import fnmatch

    import pyarrow.parquet as pq
    import yaml

    files = hub.dataset(name).files(revision)
    head = yaml.safe_load(hub.content("datasets", name, "README.md", revision).decode().split("---")[1])
    said = {split["name"]: split["num_examples"] for info in head["dataset_info"] for split in info["splits"]}
    found: dict[str, int] = {}
    for entry in (entry for config in head["configs"] for entry in config["data_files"]):
        paths = fnmatch.filter(files, entry["path"])
        counts = {path.rpartition("-of-")[2] for path in paths}
        assert counts == {f"{len(paths):05d}.parquet"}, f"{entry['path']}: {paths}"
        contents = [hub.content("datasets", name, path, revision) for path in paths]
        assert all(
            hashlib.sha256(content).hexdigest() == files[path].sha256
            for path, content in zip(paths, contents, strict=True)
        )
        found[entry["split"]] = sum(pq.ParquetFile(io.BytesIO(content)).metadata.num_rows for content in contents)
    assert found == said, (found, said)
    return found


def rows_in(folder: Path) -> int:
    """Rows of a split's folder."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(file).num_rows for file in folder.glob("*.parquet"))


def first_commit(hub: LoopbackHub, name: str) -> str:
    """The empty beginning of a repository."""
    return next(iter(hub.dataset(name).commits))


def main() -> int:
    """Runs many pushes, each into a new repository, and says how many ended complete and loadable."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--tries", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with LoopbackHub() as hub, tempfile.TemporaryDirectory() as scratch:
        os.environ |= {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": f"{scratch}/hf_home",
            "HF_TOKEN": next(iter(TOKENS)),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
        from huggingface_hub.utils import _http

        from tests.hub.conftest import _Hurried
        from tests.hub.stores import make_store

        _http.time = _Hurried()  # the client's own pauses are not what is measured
        stores = [
            make_store(Path(scratch) / "few", train=[2, 2], test=2),
            make_store(Path(scratch) / "many", train=[2, 4], test=2),
        ]
        complete, faults = 0, 0
        for number in range(args.tries):
            hub.repos.clear()
            hub.objects.clear()
            try:
                faults += len(one_push(hub, stores, random.Random(args.seed + number)))
                complete += 1
            except Exception as error:
                print(f"seed {args.seed + number}: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"{complete}/{args.tries} pairs of pushes ended complete and loadable, {faults} faults befell them")
    return 0 if complete == args.tries else 1


if __name__ == "__main__":
    raise SystemExit(main())
