"""Dataset and model cards, and atomic uploads to the Hub.

>>> write_card(folder, CardFacts(name="voc_synth", config="semantic", command="dataset-dm generate voc_synth …"))
>>> push("voc16", "me/voc_synth")            # a folder that `dataset-dm generate … --out voc16` wrote
>>> push("decoder", "me/decoder")            # one that `dataset-dm train … --out decoder` wrote

Importing this is light: `datasets` and `huggingface_hub` are imported when a function is called.
"""

from dataset_dm.cards.markdown import escape
from dataset_dm.cards.models import AdapterFacts
from dataset_dm.hub.card import size_category, write_card
from dataset_dm.hub.card_facts import CardFacts
from dataset_dm.hub.errors import HubError
from dataset_dm.hub.layout import describe
from dataset_dm.hub.model_upload import write_adapter_card
from dataset_dm.hub.push import push
from dataset_dm.hub.transfer import Pushed

__all__ = [
    "AdapterFacts",
    "CardFacts",
    "HubError",
    "Pushed",
    "describe",
    "escape",
    "push",
    "size_category",
    "write_adapter_card",
    "write_card",
]
