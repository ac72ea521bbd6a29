"""What lies on the loopback hub, read by the tests."""

from __future__ import annotations

from collections.abc import Callable

import yaml

from tests.hub.loopback import LoopbackHub


def head_of(hub: LoopbackHub, name: str = "me/voc_synth", revision: str = "main") -> dict:
    return yaml.safe_load(card_of(hub, name, revision).split("---")[1])


def card_of(hub: LoopbackHub, name: str = "me/voc_synth", revision: str = "main") -> str:
    return hub.content("datasets", name, "README.md", revision).decode()


def edit_card(hub: LoopbackHub, change: Callable[[str], str]) -> None:
    from huggingface_hub import HfApi

    text = change(card_of(hub)).encode()
    HfApi().upload_file(path_or_fileobj=text, path_in_repo="README.md", repo_id="me/voc_synth", repo_type="dataset")
