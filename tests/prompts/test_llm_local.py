"""A language model of transformers: a tiny GPT-2 with random weights continues captions, deterministic for a seed."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from dataset_dm.errors import ModelError, PromptError
from dataset_dm.prompts import LanguageModel, LocalModel, Templates, named_source, source_from_dict
from dataset_dm.prompts.llm import Ask

MIX = Templates(("cat", "dog"))
CORPUS = (
    "captions of photographs one a line photo picture an image of dog cat and near beside two in the grass sleeping"
)
TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% endfor %} answer"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = Tokenizer(models.WordLevel(unk_token="in"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.train_from_iterator([CORPUS], trainers.WordLevelTrainer(special_tokens=["<end>"], show_progress=False))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>")
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=256, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    saved = tmp_path_factory.mktemp("gpt2")
    GPT2LMHeadModel(config).save_pretrained(saved)
    tokenizer.save_pretrained(saved)
    return saved


def ask(text: str) -> Ask:
    return Ask(("dog",), ("dog",), text)


def test_it_continues_the_templates(folder: Path, own_home: Path) -> None:
    source = LanguageModel(writer=LocalModel.find(str(folder), {"max_new_tokens": 8}), mix=MIX, block=4)
    for index in range(4):
        begun, written = MIX.prompt(0, "train", index), source.prompt(0, "train", index)
        assert written.text.startswith(begun.text) and len(written.text) > len(begun.text)
        assert written.classes[: len(begun.classes)] == begun.classes
    assert source_from_dict(json.loads(json.dumps(source.to_dict()))).to_dict() == source.to_dict()


def test_one_seed_gives_the_same_words_and_leaves_torch_alone(folder: Path) -> None:
    writer = LocalModel.find(str(folder), {"max_new_tokens": 12})
    asks = [ask("a photo of a dog"), ask("an image of two dog near a cat")]
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = writer.write("", asks, 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert writer.write("", asks, 1) == first
    assert writer.write("", asks, 2) != first
    assert [text.startswith(one.beginning) for text, one in zip(first, asks, strict=True)] == [True, True]


def test_padding_of_a_batch_changes_no_answer(folder: Path) -> None:
    writer = LocalModel.find(str(folder), {"max_new_tokens": 6, "do_sample": False})
    asks = [ask("a photo of a dog"), ask("an image of two dog near a cat beside the grass")]
    assert writer.write("", asks, 0) == [writer.write("", [one], 0)[0] for one in asks]


def test_a_chat_model_is_asked(folder: Path, tmp_path: Path) -> None:
    chat = tmp_path / "chat"
    chat.mkdir()
    for file in folder.iterdir():
        (chat / file.name).write_bytes(file.read_bytes())
    (chat / "chat_template.jinja").write_text(TEMPLATE)
    found = LocalModel.find(str(chat), {"max_new_tokens": 6})
    assert found.fingerprint != LocalModel.find(str(folder)).fingerprint  # what it is asked decides what it writes
    [text] = found.write("captions", [ask("a photo of a dog")], 0)
    assert text and not text.startswith("a photo of a dog")  # words of its own only
    assert set(text.split()) <= set(CORPUS.split())


def test_the_weights_are_part_of_the_plain_form(folder: Path, tmp_path: Path) -> None:
    before = LocalModel.find(str(folder))
    other = shutil.copytree(folder, tmp_path / "other")
    model = GPT2LMHeadModel.from_pretrained(folder)
    model.save_pretrained(other)
    assert LocalModel.find(str(other)).fingerprint == before.fingerprint
    model.transformer.ln_f.bias.data += 1
    model.save_pretrained(other)
    assert LocalModel.find(str(other)).fingerprint != before.fingerprint
    (other / "tokenizer.json").unlink()
    assert LocalModel.find(str(other)).fingerprint != before.fingerprint
    source = named_source(f"transformers:{folder}", MIX)
    assert isinstance(source, LanguageModel) and source.writer == before


def test_a_model_with_code_of_its_own_is_refused(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(folder, own)
    config = json.loads((own / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"}}
    (own / "config.json").write_text(json.dumps(config))
    (own / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(PromptError, match="cannot be opened"):
        LocalModel.find(str(own)).write("", [ask("a dog")], 0)
    assert not (tmp_path / "ran").exists()


def test_unusable_models(folder: Path, tmp_path: Path, own_home: Path) -> None:
    with pytest.raises(ModelError, match="language model: got '/no/where'"):
        LocalModel.find("/no/where")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PromptError, match="cannot be opened .*safetensors") as caught:
        LocalModel.find(str(tmp_path / "empty")).write("", [ask("a dog")], 0)
    assert "\n" not in str(caught.value)
    with pytest.raises(PromptError, match="temprature.*check its options"):
        LocalModel.find(str(folder), {"temprature": 1.0}).write("", [ask("a dog")], 0)
    with pytest.raises(PromptError, match="option 'input_ids' is set by the package"):
        LocalModel.find(str(folder), {"input_ids": [1]})
