"""Spans: the tokens of a class are found by the tokenizer's offsets, never by counting words."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from dataset_dm.diffusion import Backbone
from dataset_dm.diffusion.spans import Span, class_prompts, class_spans, own_positions, tokens_of
from dataset_dm.errors import ConfigError

# "dog", "plan", "plant" and "pot" become pieces; "aeroplane", "hydrant" and "pizza" do not become words
CORPUS = "dog dogs hot dog planet plan plan plant pot potted tv car cars car person bench fire aero monitor".split() * 9

CASES = {
    "aeroplane car": ["aeroplane", "car"],
    "aeroplane person dog": ["aeroplane", "person", "dog"],
    "fire hydrant bench": ["fire hydrant", "bench"],
    "hot dog pizza": ["hot dog", "pizza"],
    "potted plant tv monitor": ["potted plant", "tv monitor"],
}


def clip_tokenizer(folder: Path) -> CLIPTokenizer:
    """A byte-pair tokenizer in CLIP's manner, learnt from a few words, so that most words are several tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer = normalizers.Lowercase()
    words = pre_tokenizers.Split(Regex(r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), behavior="removed", invert=True)
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    size = 2 * len(alphabet) + 40
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False
    )
    learner.train_from_iterator([" ".join(CORPUS)], trainer)
    merges = [" ".join(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    pieces = [*alphabet, *(f"{one}</w>" for one in alphabet), *(pair.replace(" ", "") for pair in merges)]
    vocabulary = {piece: at for at, piece in enumerate([*pieces, "<|startoftext|>", "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}')
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)


@pytest.fixture(scope="module", params=["embedded", "clip"])
def reader(
    request: pytest.FixtureRequest, generator_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Backbone:
    """A generator with its own tokenizer, and one with a tokenizer in CLIP's manner."""
    loaded = Backbone.load(generator_folder, device="cpu")
    if request.param == "clip":
        loaded.pipe.tokenizer = clip_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return loaded


def by_words(reader: Backbone, text: str, first: int, count: int) -> tuple[int, ...]:
    """Where the tokens of `count` words from the `first` are, when every word is tokenised alone (1 for the start)."""
    lengths = [len(reader.pipe.tokenizer(word, add_special_tokens=False)["input_ids"]) for word in text.split()]
    begin = 1 + sum(lengths[:first])
    return tuple(range(begin, begin + sum(lengths[first : first + count])))


def tokens(spans: Sequence[Span]) -> list[tuple[str, tuple[int, ...]]]:
    return [(span.name, span.tokens) for span in spans]


def test_words_are_several_tokens(reader: Backbone) -> None:
    """The cases below would prove nothing otherwise."""
    for text in ("fire hydrant", "pizza", "potted plant monitor pizza"):
        assert reader.token_count(text) - 2 > len(text.split()), text


@pytest.mark.parametrize(("text", "classes"), CASES.items())
def test_class_lists_read_the_right_spans(reader: Backbone, text: str, classes: list[str]) -> None:
    expected, at = [], 0
    for name in classes:
        count = len(name.split())
        expected.append((name, by_words(reader, text, at, count)))
        at += count
    assert tokens(class_spans(reader, text, classes[::-1])) == expected
    [(joined, spans)] = class_prompts(reader, classes)
    assert joined == text and tokens(spans) == expected


def test_captions_plurals_and_repeated_words(reader: Backbone) -> None:
    text = "two dogs and a dog near cars ; dog car"
    words = text.split()
    expected = [
        ("dog", by_words(reader, text, words.index("dogs"), 1)),
        ("dog", by_words(reader, text, words.index("dog"), 1)),
        ("car", by_words(reader, text, words.index("cars"), 1)),
        ("dog", by_words(reader, text, words.index(";") + 1, 1)),
        ("car", by_words(reader, text, words.index(";") + 2, 1)),
    ]
    spans = class_spans(reader, text, ["car", "dog"])
    assert tokens(spans) == expected
    assert tokens_of(spans, "car") == (*expected[2][1], *expected[4][1])
    assert tokens_of(spans, "boat") == ()


def test_a_name_inside_a_longer_name_or_word_is_not_read(reader: Backbone) -> None:
    text = "hot dog and dog with plant in planet"
    spans = class_spans(reader, text, ["dog", "plant", "plan"])
    assert tokens(spans) == [("dog", by_words(reader, text, 3, 1)), ("plant", by_words(reader, text, 5, 1))]
    both = class_spans(reader, text, ["dog", "hot dog"])
    assert tokens(both)[0] == ("hot dog", by_words(reader, text, 0, 2))


def test_one_word_for_two_names_in_the_file(reader: Backbone) -> None:
    """Hyphens, capitals and VOC's joined spelling do not move the tokens."""
    spans = class_spans(reader, "A Potted-Plant", ["pottedplant"])
    plain = own_positions(reader, "A Potted-Plant", 2, 14)
    assert tokens(spans) == [("pottedplant", tuple(plain))]
    assert plain == list(range(2, reader.token_count("A Potted-Plant") - 1))


def test_names_of_other_scripts(reader: Backbone) -> None:
    text = "на улице собака и кошка"
    assert tokens(class_spans(reader, text, ["кошка", "собака"])) == [
        ("собака", by_words(reader, text, 2, 1)),
        ("кошка", by_words(reader, text, 4, 1)),
    ]
    # three bytes a sign; without blanks the signs are found one by one
    (dog, cat) = class_spans(reader, "狗和猫", ["猫", "狗"])
    assert (dog.name, dog.begin, dog.end, cat.name, cat.begin, cat.end) == ("狗", 0, 1, "猫", 2, 3)
    assert dog.tokens == (1, 2, 3) and cat.tokens == (7, 8, 9)


def test_mentions_beyond_the_limit_are_absent(reader: Backbone) -> None:
    assert reader.max_tokens == 77
    one = reader.token_count("x x") - reader.token_count("x")
    pad = "x " * (72 // one)
    assert reader.token_count(f"{pad}dog") == 75  # start, 72 of padding, one for the dog, end: two more have room
    assert tokens_of(class_spans(reader, f"{pad}dog dog dog dog", ["dog"]), "dog") == (73, 74, 75)
    assert reader.encode_text([f"{pad}dog dog dog"]).shape[1] == 77  # 76 is the end token
    # "hot dog" of which only a part is read is something else
    cut = f"{pad}dog dog hot dog"
    with pytest.warns(UserWarning, match="its end is cut off"):
        reader.encode_text([cut])
    assert tokens_of(class_spans(reader, cut, ["hot dog"]), "hot dog") == ()


def test_a_long_class_list_is_several_texts(reader: Backbone) -> None:
    classes = [f"object {letter}q" for letter in "abcdefghijklmnopqrstuvwxyz"]
    texts = class_prompts(reader, classes)
    assert len(texts) > 1
    assert [span.name for _, spans in texts for span in spans] == classes
    for text, spans in texts:
        assert reader.token_count(text) <= 77
        for span in spans:
            assert span.tokens == tuple(own_positions(reader, text, span.begin, span.end))
            assert text[span.begin : span.end] == span.name


def test_neighbours_in_a_class_list_are_not_one_name(reader: Backbone) -> None:
    """ "teddy bear" is no class here, though the list reads so."""
    [(text, spans)] = class_prompts(reader, ["teddy", "bear", "hot", "dog"])
    assert text == "teddy bear hot dog"
    assert tokens(spans) == [(name, by_words(reader, text, at, 1)) for at, name in enumerate(text.split())]


@pytest.mark.parametrize("classes", [[], "car", ["car", "  "], ["dog", "car " * 100]])
def test_bad_class_lists(reader: Backbone, classes: list[str]) -> None:
    with pytest.raises(ConfigError, match="class"):
        class_prompts(reader, classes)
