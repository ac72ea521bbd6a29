"""Class evidence: classes are independent, hidden words, missing attention."""

from dataclasses import replace

import pytest
import torch

from dataset_dm.decoder.evidence import hide_words


@torch.inference_mode()
def test_a_class_without_words_is_recognised_by_its_evidence():
    text, kept = torch.randn(4000, 3), 0
    hidden = hide_words(text, 0.25)
    kept = (hidden != 0).any(1).float().mean().item()
    assert 0.7 < kept < 0.8 and torch.equal(hidden[hidden.any(1)], text[hidden.any(1)])


@torch.inference_mode()
def test_attention_counts(decoder, features):
    other = replace(features, class_attention=features.class_attention.flip(1))
    assert not torch.allclose(decoder(features).semantic.logits, decoder(other).semantic.logits, atol=1e-3)


def test_missing_attention_is_named(decoder, features):
    with pytest.raises(ValueError, match="class attention"):
        decoder(replace(features, class_attention=None))
