"""Upload of a decoder or an adapter: weights, config and a card."""

from __future__ import annotations

import json
from pathlib import Path

from dataset_dm.cards.models import AdapterFacts, adapter_card, decoder_card
from dataset_dm.errors import DataError, ModelError, explain
from dataset_dm.hub.readme import renewed, split_card
from dataset_dm.hub.remote import Remote
from dataset_dm.hub.transfer import Content, Item

CARD, CONFIG, WEIGHTS, LORA = "README.md", "config.json", "model.safetensors", "pytorch_lora_weights.safetensors"


def is_model(folder: Path) -> bool:
    """Whether the folder holds a decoder or an adapter."""
    return (folder / LORA).is_file() or all((folder / name).is_file() for name in (CONFIG, WEIGHTS))


def write_adapter_card(folder: Path | str, facts: AdapterFacts) -> Path:
    """Write README.md beside the weights of an adapter; returns its path."""
    path = Path(folder) / CARD
    path.write_text(str(adapter_card(facts)), encoding="utf-8")
    return path


class ModelUpload:
    """A folder of `dataset-dm train`, or a LoRA as diffusers saves it; other files of the folder are not uploaded.

    Args:
        folder: with its README.md, if there is one; a decoder without one gets a card, an adapter needs one.
        renew_card: replace parts of the card that were edited by hand.
        license: an SPDX id for the head of the card.

    Raises:
        ModelError: the config is not a decoder's, or an adapter has no card.
    """

    kind = "model"
    texts = (CARD,)

    def __init__(self, folder: Path, *, renew_card: bool = False, license: str | None = None) -> None:
        self.folder, self.renew_card, self.license = folder, renew_card, license
        self.adapter = (folder / LORA).is_file()
        self.title = f"Push {'adapter' if self.adapter else 'decoder'}"

    def content(self, remote: Remote) -> Content:
        """Card and weights, merged with the present repository."""
        head, body = split_card(remote.texts.get(CARD, b"").decode("utf-8", "replace"))
        card, notes = renewed(body, self._card(remote.id), renew=self.renew_card)
        if head:  # keeps edits such as licence and tags
            card = head + split_card(card)[1]
        if self.license:
            card = _licensed(card, self.license)
        names = (LORA,) if self.adapter else (CONFIG, WEIGHTS)
        items = {CARD: Item(card.encode())} | {name: Item(self.folder / name) for name in names}
        return Content(items, notes=tuple(notes))

    def _card(self, repo: str) -> str:
        own = self.folder / CARD
        if own.is_file():
            return own.read_text(encoding="utf-8")
        if self.adapter:
            raise ModelError(explain(f"{self.folder}: the adapter has no README.md", remedy="write one beside it"))
        try:
            config = json.loads((self.folder / CONFIG).read_text(encoding="utf-8"))
            return str(decoder_card(config, repo))
        except (ValueError, KeyError, TypeError) as error:
            remedy = "give a folder that `dataset-dm train --out DIR` wrote"
            raise ModelError(explain(f"{self.folder / CONFIG}: not the config of a decoder", remedy=remedy)) from error


def _licensed(card: str, license: str) -> str:
    """The card with the licence in its head."""
    from huggingface_hub import ModelCard

    named = ModelCard(card, ignore_metadata_errors=True)
    named.data.license = license
    return str(named)


def not_a_store(folder: Path) -> DataError:
    """The error for a folder that is neither a set nor a model."""
    expected = "a folder that `dataset-dm generate … --out DIR` or `dataset-dm train … --out DIR` wrote"
    return DataError(explain("push: STORE", got=str(folder), expected=expected))
