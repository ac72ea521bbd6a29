"""Miniature's own byte-pair tokenizer, trained on captions, in CLIP's file format."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from dataset_dm.miniature.recipe.models import MAX_TOKENS

START, END = "<|startoftext|>", "<|endoftext|>"
# Few merges on purpose: rare words, class names among them, then consist of several tokens as they do in CLIP.
NUM_MERGES = 320


def train_tokenizer(captions: Iterable[str], num_merges: int = NUM_MERGES) -> CLIPTokenizer:
    """Learn byte-pair merges from `captions`; any text tokenises with the result (bytes are its base)."""
    merges = _learn_merges(captions, num_merges)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = alphabet + [f"{letter}</w>" for letter in alphabet] + ["".join(pair) for pair in merges] + [START, END]
    vocabulary = {word: i for i, word in enumerate(words)}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
        Path(folder, "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        Path(folder, "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": MAX_TOKENS})
        )
        return CLIPTokenizer.from_pretrained(folder, model_max_length=MAX_TOKENS)


def _learn_merges(captions: Iterable[str], num_merges: int) -> list[tuple[str, str]]:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=2 * len(alphabet) + num_merges,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner.train_from_iterator(captions, trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    return [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in merges[:num_merges]]
