"""Classes by words: own tokens by offsets, each class alone."""

import pytest
import torch

from dataset_dm.diffusion import Backbone, encode_classes
from dataset_dm.diffusion.class_text import own_positions
from dataset_dm.errors import ConfigError

CLASSES = ["aeroplane", "car", "tv monitor", "potted plant", "fire hydrant", "hot dog"]


def test_own_tokens_are_found_by_characters_not_by_words(backbone: Backbone) -> None:
    tokenizer = backbone.pipe.tokenizer
    cases = [("aeroplane car", "car"), ("hot dog pizza", "hot dog"), ("a potted plant tv monitor", "tv monitor")]
    for text, name in cases:
        begin = text.index(name)
        positions = own_positions(backbone, text, begin, begin + len(name))
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode([ids[at] for at in positions]).strip() == name
        # the rest of the text keeps the rest of the tokens, start and end aside
        assert len(positions) == len(tokenizer(name)["input_ids"]) - 2


def test_tokens_mean_and_mask_agree(backbone: Backbone) -> None:
    text = encode_classes(backbone, CLASSES)
    states = backbone.encode_text(["potted plant"])[0]
    count = backbone.token_count("potted plant") - 2
    assert count > 1, "the test needs a class of several tokens"
    row = CLASSES.index("potted plant")
    assert int(text.mask[row].sum()) == count
    assert torch.equal(text.own_tokens(row), states[1 : 1 + count])
    assert torch.allclose(text.mean[row], states[1 : 1 + count].mean(0))
    assert torch.equal(text.null, states[0])


def test_permuting_and_extending_the_list_is_exact(backbone: Backbone) -> None:
    order = [3, 0, 5, 1]
    whole = encode_classes(backbone, CLASSES)
    fresh = Backbone.load(backbone.folder, device="cpu")  # nothing remembered
    part = encode_classes(fresh, [CLASSES[i] for i in order])
    assert torch.equal(part.mean, whole.mean[order])
    for row, i in enumerate(order):
        assert torch.equal(part.own_tokens(row), whole.own_tokens(i))
    assert whole.select(order).names == part.names


@pytest.mark.parametrize("classes", [[], "car", [""], ["  "], [3], ["car " * 100]])
def test_bad_class_lists(backbone: Backbone, classes: object) -> None:
    with pytest.raises(ConfigError, match="class"):
        encode_classes(backbone, classes)
