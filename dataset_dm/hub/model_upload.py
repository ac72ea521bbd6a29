"""A decoder or an adapter on its way: weights, config and a card."""

from __future__ import annotations

import json
from pathlib import Path

from dataset_dm.cards.models import AdapterFacts, adapter_card, decoder_card
from dataset_dm.errors import DataError, ModelError, explain
from dataset_dm.hub.readme import renewed, split_card
from dataset_dm.hub.remote import Remote
from dataset_dm.hub.transfer import Item, Load

CARD, CONFIG, WEIGHTS, LORA = "README.md", "config.json", "model.safetensors", "pytorch_lora_weights.safetensors"


def is_model(folder: Path) -> bool:
    """Whether the folder holds a decoder or an adapter."""
    return (folder / LORA).is_file() or all((folder / name).is_file() for name in (CONFIG, WEIGHTS))


def write_adapter_card(folder: Path | str, facts: AdapterFacts) -> Path:
    """Writes README.md beside an adapter's weights and returns its path."""
    path = Path(folder) / CARD
    path.write_text(str(adapter_card(facts)), encoding="utf-8")
    return path


class ModelCargo:
    """A folder of `dataset-dm train`, or a LoRA as diffusers saves it; nothing else of the folder goes along.

    Args:
        folder: where it lies. Its README.md goes along; a decoder without one gets a card, an adapter needs one.
        renew_card: draw parts of the card again though people edited them.
        license: an SPDX id for the head of the card.

    Raises:
        ModelError: the config is no decoder's, or an adapter has no card.
    """

    kind = "model"
    texts = (CARD,)

    def __init__(self, folder: Path, *, renew_card: bool = False, license: str | None = None) -> None:
        self.folder, self.renew_card, self.license = folder, renew_card, license
        self.adapter = (folder / LORA).is_file()
        self.title = f"Push {'adapter' if self.adapter else 'decoder'}"

    def load(self, remote: Remote) -> Load:
        """Card and weights, given what is there."""
        head, body = split_card(remote.texts.get(CARD, b"").decode("utf-8", "replace"))
        card, notes = renewed(body, self._card(remote.id), renew=self.renew_card)
        if head:  # what people wrote there: licence, tags
            card = head + split_card(card)[1]
        if self.license:
            card = _licensed(card, self.license)
        names = (LORA,) if self.adapter else (CONFIG, WEIGHTS)
        items = {CARD: Item(card.encode())} | {name: Item(self.folder / name) for name in names}
        return Load(items, notes=tuple(notes))

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
    """The card with that licence in its head."""
    from huggingface_hub import ModelCard

    named = ModelCard(card, ignore_metadata_errors=True)
    named.data.license = license
    return str(named)


def no_such_store(folder: Path) -> DataError:
    """The one line for something that is neither a set nor a model."""
    expected = "a folder that `dataset-dm generate … --out DIR` or `dataset-dm train … --out DIR` wrote"
    return DataError(explain("push: STORE", got=str(folder), expected=expected))
