"""`dataset-dm verify`: every way a shard can be bad is found, and mended."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_dm.labels.images import decode_png, encode_png
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import stores
from tests.cli.store import call, copy_store, make_store, shard_file

Change = Callable[[dict], None]


@pytest.fixture(scope="module")
def made(models: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[GenerationPlan, Path]:
    home = tmp_path_factory.mktemp("store") / "home"
    return make_store(models, home), home


@pytest.fixture
def plan(made: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GenerationPlan:
    copy_store(made[1], tmp_path / "home", monkeypatch)
    return made[0]


def rewrite(plan: GenerationPlan, kind: str, change: Change) -> None:
    """Changes the second row of the first shard and takes its record away, as if it had been made so."""
    file = shard_file(plan, kind, "train", 0)
    table = pq.read_table(io.BytesIO(file.read_bytes()))
    rows = table.to_pylist()
    change(rows[1])
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)
    file.with_suffix(".json").unlink()


def test_a_good_store_is_good(plan: GenerationPlan, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("verify") == 0
    assert capsys.readouterr().out == "6 files of 1 plans read: no bad shards\n"
    for file in Path(stores(plan)[0].folder).rglob("*.json"):
        file.unlink() if file.name != "manifest.json" else None
    assert call("verify") == 0, "a kill between a shard and its record is no fault"


def wrong_ids(row: dict) -> None:
    label = decode_png(row["full"]["bytes"]).copy()
    label[0, 0] = 200
    row["full"]["bytes"] = encode_png(label)


def cut(row: dict) -> None:
    row["image"]["bytes"] = row["image"]["bytes"][:-300]


def small(row: dict) -> None:
    row["image"]["bytes"] = encode_png(np.zeros((8, 8, 3), np.uint8))


CHANGES: list[tuple[str, Change, str]] = [
    ("images", cut, "index 1: image cannot be decoded"),
    ("images", small, "its image is not RGB of the plan's size"),
    ("images", lambda row: row.update(seed=5), "its seed is not the plan's"),
    ("images", lambda row: row.update(prompt="a spoon"), "its prompt is not the plan's"),
    ("images", lambda row: row.update(index=7), "has 2 rows, not those of the indices of shard 0"),
    ("images", lambda row: row.update(latents=row["latents"][:-4]), "its latents are not of their shape"),
    ("labels", wrong_ids, r"full has class .200., expected 0..80"),
    ("labels", lambda row: row.update(classes=[81]), "classes are not in 1..80"),
    ("labels", lambda row: row.update(confidence=float("nan")), "a confidence is not in 0..1"),
    ("labels", lambda row: row["depth"].update(bytes=b"TIFF"), "depth cannot be decoded"),
]


@pytest.mark.parametrize(("kind", "change", "said"), CHANGES)
def test_what_is_wrong_is_named(
    plan: GenerationPlan, kind: str, change: Change, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(plan, kind, change)
    assert call("verify") == 1
    out = capsys.readouterr().out
    assert re.search(f"bad: {plan.label_fingerprint}: {kind}/train/00000.parquet: .*{said}", out), out
    assert "6 files of 1 plans read: 1 bad shards\nrun the same command with --repair" in out


def test_columns_are_those_of_this_version_or_an_earlier_one(
    plan: GenerationPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shard_file(plan, "labels", "train", 0)
    file.with_suffix(".json").unlink()
    table = pq.read_table(io.BytesIO(file.read_bytes()))
    pq.write_table(table.drop_columns([name for name in table.column_names if name == "agreement"]), file)
    assert call("verify") == 0
    pq.write_table(table.drop_columns(["full"]), file)
    assert call("verify") == 1
    assert "its columns are not those of labels (full)" in capsys.readouterr().out


def test_repaired_shards_are_equal_byte_by_byte(plan: GenerationPlan, capsys: pytest.CaptureFixture[str]) -> None:
    names = [("images", "train", 0), ("images", "test", 0), ("labels", "train", 1)]
    paths = [shard_file(plan, *name) for name in names]
    before = [path.read_bytes() for path in paths]
    drawn = shard_file(plan, "images", "train", 1).stat().st_mtime_ns
    paths[0].write_bytes(before[0][:-1000])
    paths[1].write_bytes(b"PAR1 something else PAR1")
    flipped = bytearray(before[2])
    flipped[len(flipped) // 2] ^= 1
    paths[2].write_bytes(bytes(flipped))
    assert call("verify", "--device", "cpu") == 1
    out = capsys.readouterr().out
    assert out.count("its checksum is not that of the") == 3 and "3 bad shards" in out
    assert call("verify", "--repair", "--device", "cpu") == 0
    assert "3 bad shards, 3 repaired" in capsys.readouterr().out
    assert [path.read_bytes() for path in paths] == before
    assert shard_file(plan, "images", "train", 1).stat().st_mtime_ns == drawn, "good images are not drawn again"
    assert call("verify") == 0


def test_a_missing_manifest_is_reported(plan: GenerationPlan, capsys: pytest.CaptureFixture[str]) -> None:
    (stores(plan)[1].folder / "manifest.json").unlink()
    assert call("verify", plan.label_fingerprint) == 2
    assert "holds no plan that can be read" in capsys.readouterr().out
