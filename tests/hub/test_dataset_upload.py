"""Pushes that are refused: one line each, and the Hub as it was."""

import re
from pathlib import Path

import pytest

from dataset_dm.errors import UserError
from dataset_dm.hub import HubError
from tests.hub.loopback import LoopbackHub
from tests.hub.reading import head_of
from tests.hub.stores import make_store, push


def test_other_columns_are_refused_unless_replaced(logged_in: LoopbackHub, tmp_path: Path) -> None:
    push(make_store(tmp_path / "set"), "me/voc_synth")
    before = logged_in.dataset("me/voc_synth").branches["main"]
    other = make_store(tmp_path / "depth", "depth", train=3)
    for name in ("plan.json", "drops.json"):
        (other / name).write_text((other / name).read_text().replace('"depth": {', '"semantic": {'))
    with pytest.raises(
        UserError, match="config 'semantic' there has column 'label', which this set does not have"
    ) as error:
        push(other, "me/voc_synth")
    assert "\n" not in str(error.value) and "--replace" in str(error.value)
    assert logged_in.dataset("me/voc_synth").branches["main"] == before
    pushed = push(other, "me/voc_synth", replace=True)
    assert "semantic/test-00000-of-00001.parquet" in pushed.removed  # it had the old columns
    assert "depth_map" in {column["name"] for column in head_of(logged_in)["dataset_info"][0]["features"]}


def test_data_that_no_card_lists_is_not_hidden(logged_in: LoopbackHub, tmp_path: Path) -> None:
    from huggingface_hub import HfApi

    api = HfApi()
    api.create_repo("me/voc_synth", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"a,b\n", path_in_repo="a.csv", repo_id="me/voc_synth", repo_type="dataset")
    with pytest.raises(UserError, match="holds data that dataset-dm did not upload"):
        push(make_store(tmp_path / "set"), "me/voc_synth")


def test_private_and_public(logged_in: LoopbackHub, tmp_path: Path) -> None:
    store = make_store(tmp_path / "set")
    push(store, "me/hidden", private=True)
    assert logged_in.dataset("me/hidden").private
    push(store, "lab/open")
    with pytest.raises(HubError, match="it exists and is public"):
        push(store, "lab/open", private=True)


class TestBadInput:
    """One line each, nothing written."""

    @pytest.mark.parametrize("name", ["me/a/b", "me/bad name", "me/..x", "x" * 97, ""])
    def test_invalid_name(self, logged_in: LoopbackHub, tmp_path: Path, name: str) -> None:
        self.refused(logged_in, tmp_path, name, "push: REPO: got .*expected owner/name")

    def test_no_token(self, logged_in: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HF_TOKEN")
        self.refused(logged_in, tmp_path, "me/voc_synth", "no token for the Hub; log in")

    def test_wrong_token(self, logged_in: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
        self.refused(logged_in, tmp_path, "me/voc_synth", "does not know this token")

    def test_somebody_else_s(self, logged_in: LoopbackHub, tmp_path: Path) -> None:
        self.refused(logged_in, tmp_path, "other/voc_synth", "belongs to another owner: expected me or lab as owner")

    def test_no_right_to_write(self, logged_in: LoopbackHub, tmp_path: Path) -> None:
        logged_in.fail("403", on="POST /api/repos/create", times=9)
        self.refused(logged_in, tmp_path, "me/voc_synth", "no right to write there")

    @staticmethod
    def refused(hub: LoopbackHub, tmp_path: Path, name: str, message: str) -> None:
        store = make_store(tmp_path / "set")
        with pytest.raises(HubError, match=message) as error:
            push(store, name)
        assert "\n" not in str(error.value) and not re.search("hf_[a-z]{30}", str(error.value))
        assert not hub.repos and not hub.objects

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            ("missing", "STORE: got '.*', expected a folder that"),
            ("foreign", "no plan.json in it; give a folder that"),
            ("cut", "is not a complete parquet file"),
            ("empty", "no split in it"),
            ("plan", "plan.json is not one that dataset-dm"),
        ],
    )
    def test_stores(self, logged_in: LoopbackHub, tmp_path: Path, damage: str, message: str) -> None:
        store = make_store(tmp_path / "set", train=2)
        file = store / "train" / "00000.parquet"
        if damage == "missing":
            store = tmp_path / "nowhere"
        elif damage == "foreign":
            (store / "plan.json").unlink()
        elif damage == "cut":
            file.write_bytes(file.read_bytes()[:500])
        elif damage == "empty":
            file.unlink()
        else:
            (store / "plan.json").write_text("[]")
        with pytest.raises(UserError, match=message) as error:
            push(store, "me/voc_synth")
        assert "\n" not in str(error.value) and not logged_in.repos
