"""Decoders that are trained when first asked for: once, resumed, and never for anything else."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_dm.errors import ConfigError, ModelError
from dataset_dm.models.generators import find_generator
from dataset_dm.training import train_decoder
from dataset_dm.training.on_demand import DecoderRecipe, ensure_trained, register_lazy_decoder

SMALL = {"width": 16, "finest_width": 8, "instance_width": 16}
TINY = {"steps": 2, "batch": 2, "evaluate_every": 1, "variants": 1, "num_validation": 2, "decoder": SMALL}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def recipe() -> DecoderRecipe:
    return DecoderRecipe(
        generator="miniature",
        generator_hash=find_generator("miniature").fingerprint(),
        data="miniature",
        num_labelled=2,
        tasks=("semantic",),
        classes=("dog", "cat", "person"),
        seen=("person", "dog"),
        training=TINY,
    )


def test_a_registered_decoder_is_written_down_and_not_trained(recipe: DecoderRecipe, home: Path) -> None:
    decoder = register_lazy_decoder(recipe)
    assert [file.name for file in (home / "decoders").iterdir()] == [f"{recipe.fingerprint()}.json"]
    config = decoder.read_json("config.json")
    assert config["classes"] == ["dog", "cat", "person"] and config["tasks"] == ["semantic"]
    assert config["spec"]["generator"] == recipe.generator_hash
    assert decoder.fingerprint() == recipe.fingerprint() == register_lazy_decoder(recipe).fingerprint()
    note = json.loads((home / "decoders" / f"{recipe.fingerprint()}.json").read_text())
    assert DecoderRecipe.from_dict(note) == recipe


def test_the_last_recipe_of_a_name_counts(recipe: DecoderRecipe, home: Path) -> None:
    """A mistake that the name does not cover must not outlive its correction."""
    wrong = replace(recipe, seen=None, long_tail=4.0, classes=("airplane", "dog"), generator="/moved/away")
    right = replace(wrong, classes=("aeroplane", "dog"), generator="miniature")
    note = home / "decoders" / f"{wrong.fingerprint()}.json"
    decoder = register_lazy_decoder(wrong)
    with pytest.raises(ConfigError, match="have no class 'airplane'"):
        ensure_trained(decoder.name, device="cpu", say=lambda line: None)
    assert (
        register_lazy_decoder(right).name == decoder.name
        and DecoderRecipe.from_dict(json.loads(note.read_text())) == right
    )
    register_lazy_decoder(replace(right, generator="/moved/away"))
    with pytest.raises(ModelError, match="/moved/away"):
        ensure_trained(decoder.name, device="cpu", say=lambda line: None)
    register_lazy_decoder(right)
    assert DecoderRecipe.from_dict(json.loads(note.read_text())) == right
    written = note.stat()
    register_lazy_decoder(right)
    assert (note.stat().st_ino, note.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns), "equal: not written"
    Path(decoder.name).mkdir()
    register_lazy_decoder(wrong)
    assert DecoderRecipe.from_dict(json.loads(note.read_text())) == right, "a trained decoder keeps its own"


def test_the_name_covers_all_that_decides_the_weights(recipe: DecoderRecipe) -> None:
    changes = [
        {"generator_hash": "0"},
        {"data": "elsewhere"},
        {"num_labelled": 3},
        {"tasks": ("semantic", "depth")},
        {"seen": ("dog", "person")},  # their order is that of the ids
        {"seen": None, "long_tail": 10.0},
        {"training": {**TINY, "steps": 3}},
    ]
    names = {replace(recipe, **change).fingerprint() for change in changes}
    assert len(names | {recipe.fingerprint()}) == len(changes) + 1
    assert replace(recipe, generator="/another/place").fingerprint() == recipe.fingerprint()
    assert replace(recipe, classes=("dog", "person")).fingerprint() == recipe.fingerprint(), "labelled, not trained on"


def test_other_annotators_are_left_alone(tmp_path: Path) -> None:
    lines: list[str] = []
    for name in ("miniature", "owner/name@abc", str(tmp_path), str(tmp_path / "nowhere")):
        ensure_trained(name, say=lines.append)
    assert lines == []


def test_it_is_trained_once_and_by_one(recipe: DecoderRecipe, home: Path) -> None:
    """Two that ask at once: one trains, the other waits and finds it."""
    from dataset_dm.decoder import PDecoder

    decoder, lines = register_lazy_decoder(recipe), []
    both = [
        threading.Thread(target=ensure_trained, args=(decoder.name,), kwargs={"device": "cpu", "say": lines.append})
    ]
    both.append(
        threading.Thread(target=ensure_trained, args=(decoder.name,), kwargs={"device": "cpu", "say": lines.append})
    )
    for one in both:
        one.start()
    for one in both:
        one.join()
    notices = [line for line in lines if line.startswith("training a decoder")]
    assert len(notices) == 1 and "about 15 minutes" in notices[0] and "2 seen classes" in notices[0]
    made = PDecoder.from_pretrained(decoder.name)
    assert made.config.classes == ("person", "dog") and made.config.tasks == ("semantic",)
    assert not list((home / "decoders").glob("*.part"))
    lines.clear()
    ensure_trained(decoder.name, say=lines.append)
    assert lines == []


def test_an_interrupted_training_is_resumed(recipe: DecoderRecipe) -> None:
    decoder, lines = register_lazy_decoder(recipe), []

    def interrupt(line: str) -> None:
        if line.startswith("step 1/2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_trained(decoder.name, device="cpu", say=interrupt)
    assert not Path(decoder.name).exists(), "half a decoder is never found"
    ensure_trained(decoder.name, device="cpu", say=lines.append)
    assert (Path(decoder.name) / "model.safetensors").is_file()
    assert not any(line.startswith("features") for line in lines), "what was read of the generator is kept"


def test_what_another_version_left_behind_is_started_again(recipe: DecoderRecipe) -> None:
    decoder, lines = register_lazy_decoder(recipe), []
    part = Path(f"{decoder.name}.part")
    other = replace(recipe.config(), learning_rate=0.5)  # as if the default had been another one
    train_decoder("miniature", "miniature", part, other, device="cpu", stop_at=1, say=lines.append)
    assert (part / "state").is_dir()
    ensure_trained(decoder.name, device="cpu", say=lines.append)
    assert (Path(decoder.name) / "model.safetensors").is_file() and not part.exists()


def test_a_training_killed_just_before_the_end_is_done_again(recipe: DecoderRecipe) -> None:
    """Its features and its state are deleted, the folder has not got its name yet."""
    decoder = register_lazy_decoder(recipe)
    part = Path(f"{decoder.name}.part")
    part.mkdir()
    for name in ("config.json", "model.safetensors", "training.json"):
        (part / name).write_bytes(b"half")
    ensure_trained(decoder.name, device="cpu", say=lambda line: None)
    assert json.loads((Path(decoder.name) / "config.json").read_text()) and not part.exists()


def test_names_of_earlier_versions_are_still_read(recipe: DecoderRecipe) -> None:
    old = replace(recipe, training={**TINY, "patience": 3})
    with pytest.warns(DeprecationWarning, match="patience is called early_stop_evals now"):
        config = old.config()
    assert config.early_stop_evals == 3 and config.steps == 2 and config.tasks == ["semantic"]


def test_labelled_images_without_the_classes_are_refused_in_one_line(recipe: DecoderRecipe) -> None:
    decoder = register_lazy_decoder(replace(recipe, seen=("dog", "forklift")))
    with pytest.raises(ConfigError, match="labelled images 'miniature' have no class 'forklift', expected|: expected"):
        ensure_trained(decoder.name, device="cpu", say=lambda line: None)
    assert not Path(decoder.name).exists()
