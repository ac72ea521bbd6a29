"""`dataset-dm redraw`: stock diffusers draws a row's image again, from its provenance alone."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from dataset_dm import cli
from dataset_dm.labels.images import decode_png

SMALL = ["--batch-size", "4", "--shard-size", "4"]


@pytest.fixture
def made(models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    chosen = ["--generator", models["generator"], "--annotator", models["annotator"], "--device", "cpu", *SMALL]
    asked = ["--num-images", "3", "--steps", "3", "--scheduler", "EulerAncestralDiscreteScheduler", "--seed", "5"]
    assert cli.main(["generate", "voc_synth", *chosen, *asked, "--out", str(tmp_path / "set")]) == 0
    return tmp_path / "set"


def redrawn(folder: Path) -> np.ndarray:
    return decode_png((folder / "redrawn.png").read_bytes()).astype(int)


def test_a_row_of_a_folder(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["redraw", str(made), "--row", "2", "--out", str(tmp_path / "again")]) == 0
    assert "largest difference" in capsys.readouterr().out
    row = pq.read_table(made / "train" / "00000.parquet").to_pylist()[2]
    assert (tmp_path / "again" / "original.png").read_bytes() == row["image"]["bytes"]
    assert np.abs(redrawn(tmp_path / "again") - decode_png(row["image"]["bytes"])).max() <= 2


def test_provenance_and_prompt_are_enough(made: Path, tmp_path: Path) -> None:
    row = pq.read_table(made / "train" / "00000.parquet").to_pylist()[1]
    file = tmp_path / "row.json"
    file.write_text(json.dumps({"prompt": row["prompt"], "provenance": row["provenance"]}))
    assert cli.main(["redraw", str(file), "--out", str(tmp_path / "again")]) == 0
    assert np.abs(redrawn(tmp_path / "again") - decode_png(row["image"]["bytes"])).max() <= 2
    row["provenance"]["seed"] += 1
    file.write_text(json.dumps({"prompt": row["prompt"], "provenance": row["provenance"]}))
    assert cli.main(["redraw", str(file), "--out", str(tmp_path / "other")]) == 0
    assert np.abs(redrawn(tmp_path / "other") - redrawn(tmp_path / "again")).max() > 2


def test_labels_too_from_provenance_alone(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "nothing"))
    assert cli.main(["redraw", str(made), "--row", "1", "--labels", "--out", str(tmp_path / "again")]) == 0
    said = capsys.readouterr().out
    assert "image: the same to the last byte" in said and "label: the same to the last byte" in said
    row = pq.read_table(made / "train" / "00000.parquet").to_pylist()[1]
    for name in ("image", "label"):
        for title in ("redrawn", "original"):
            assert (tmp_path / "again" / f"{title}_{name}.png").read_bytes() == row[name]["bytes"]
    assert json.loads((tmp_path / "again" / "redrawn.json").read_text())["quality"] == row["quality"]
    file = tmp_path / "row.json"
    file.write_text(json.dumps({"provenance": row["provenance"]}))
    assert cli.main(["redraw", str(file), "--labels", "--out", str(tmp_path / "alone")]) == 0
    assert "no labels to compare with" in capsys.readouterr().out
    assert (tmp_path / "alone" / "redrawn_label.png").read_bytes() == row["label"]["bytes"]
    assert cli.main(["redraw", str(file), "--out", str(tmp_path / "stock")]) == 0  # nor does stock diffusers
    assert cli.main(["redraw", str(file), "--annotator", "attention", "--out", str(tmp_path / "x")]) == 2
    assert "--annotator is about --labels" in capsys.readouterr().err
    del row["provenance"]["tasks"]
    file.write_text(json.dumps({"provenance": row["provenance"]}))
    assert cli.main(["redraw", str(file), "--labels", "--out", str(tmp_path / "x")]) == 2
    assert "provenance: no tasks" in capsys.readouterr().err and not (tmp_path / "x").exists()


def test_a_mosaic(made: Path, tmp_path: Path, models: dict[str, str]) -> None:
    chosen = ["--generator", models["generator"], "--annotator", models["annotator"], "--device", "cpu", *SMALL]
    asked = ["--num-images", "2", "--steps", "1", "--splice", "1x2", "--out", str(tmp_path / "mosaics")]
    assert cli.main(["generate", "voc_synth", *chosen, *asked]) == 0
    assert cli.main(["redraw", str(tmp_path / "mosaics"), "--row", "1", "--out", str(tmp_path / "again")]) == 0
    row = pq.read_table(tmp_path / "mosaics" / "train" / "00000.parquet").to_pylist()[1]
    assert row["provenance"]["splice"] == "1x2" and len(set(row["provenance"]["seeds"])) == 2
    assert np.abs(redrawn(tmp_path / "again") - decode_png(row["image"]["bytes"])).max() <= 2


def test_other_weights_and_rows_that_are_not_there(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = pq.read_table(made / "train" / "00000.parquet").to_pylist()[0]

    def written(more: dict, **provenance: object) -> str:
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        plain = {"prompt": row["prompt"], "provenance": {**row["provenance"], **provenance}}
        file.write_text(json.dumps({**plain, **more}))
        return str(file)

    bad = [
        ([written({"image": "dog.png"})], "image: got 'dog.png', expected an image's bytes; leave the image out"),
        ([written({}, splice="2xtwo")], "provenance: splice: got '2xtwo', expected rows x columns such as '2x2'"),
    ]
    row["provenance"]["generator_hash"] = "0" * 16
    file = tmp_path / "row.json"
    file.write_text(json.dumps({"prompt": row["prompt"], "provenance": row["provenance"]}))
    for words, said in (
        ([str(file)], "the row was drawn by 0000000000000000"),
        *bad,
        ([str(made), "--row", "3"], "--row: got 3, expected less than the 3 rows there are"),
        ([str(made), "--row", "-1"], "--row: got -1"),
        ([str(made), "--split", "test"], "no parquet files of split 'test'; splits here: train"),
        ([str(made / "README.md")], "cannot be read as parquet"),
    ):
        assert cli.main(["redraw", *words, "--out", str(tmp_path / "again")]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "again").exists()
