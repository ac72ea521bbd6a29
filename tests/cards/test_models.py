"""Model cards of decoders and adapters."""

import json

from dataset_dm.cards.models import AdapterFacts, adapter_card, decoder_card
from dataset_dm.miniature import WEIGHTS


def test_the_card_of_the_shipped_decoder() -> None:
    config = json.loads((WEIGHTS / "decoder" / "config.json").read_text())
    card = decoder_card(config, "me/decoder")
    assert card.data.library_name == "dataset-dm" and card.data.pipeline_tag == "image-segmentation"
    assert {"object-detection", "depth-estimation", "keypoint-detection"} <= set(card.data.tags)
    text = str(card)
    assert 'annotator="me/decoder"' in text and f"`{config['spec']['generator']}`" in text
    assert "| figure | unprompted | prompted |" in text and f"{config['void_below']:.2f} is labelled 255" in text


def test_the_card_of_an_adapter() -> None:
    facts = AdapterFacts(
        name="red_tree",
        generator="owner/model",
        command="train --data /home/me/trees",
        prompt="a <red> tree",
        images=12,
        settings={"rank": 4},
        license="cc-by-4.0",
        limits=("seen in autumn only",),
    )
    card = adapter_card(facts, "me/red_tree")
    assert card.data.base_model == "owner/model" and card.data.license == "cc-by-4.0"
    text = str(card)
    assert "trained on 12 photos" in text and "a &lt;red&gt; tree" in text and "| rank | 4 |" in text
    assert "/home/me" not in text and "- seen in autumn only" in text


def test_a_local_generator_is_no_base_model() -> None:
    facts = AdapterFacts(name="a", generator="miniature", command="", prompt="a dog", images=3)
    assert adapter_card(facts).data.base_model is None
    assert "none was given. The generator is published under Apache-2.0" in str(adapter_card(facts))
