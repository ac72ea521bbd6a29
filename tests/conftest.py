"""Fixtures for all tests: the shipped generator, loaded once. No test reaches for the network."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import shapes

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before huggingface_hub is imported
# not the user's own: what another version of `datasets` left there could not be read
_CACHE = tempfile.TemporaryDirectory(prefix="dataset_dm_tests_", ignore_cleanup_errors=True)
os.environ["HF_DATASETS_CACHE"] = _CACHE.name
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: spinning threads slow a busy machine threefold
if (processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))) > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))  # they share the cores

shapes.install()


@pytest.fixture(scope="session")
def generator_folder() -> Path:
    """The folder of the embedded generator."""
    from dataset_dm.miniature import locate

    return Path(locate("miniature"))


@pytest.fixture(scope="session")
def backbone(generator_folder: Path):
    """The embedded generator in float32 on the CPU; frozen, so that all tests may share it."""
    from dataset_dm.diffusion import Backbone

    return Backbone.load(generator_folder, device="cpu")


@pytest.fixture(scope="session")
def models(generator_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What to ask for: the shipped generator and decoder by name."""
    from dataset_dm.miniature import WEIGHTS

    if (WEIGHTS / "decoder" / "config.json").is_file():
        return {"generator": "miniature", "annotator": "miniature"}
    import torch

    from dataset_dm.decoder import PDecoder, PDecoderConfig
    from dataset_dm.diffusion import Backbone, feature_spec
    from dataset_dm.labels.vocabulary import VOC_CLASSES

    torch.manual_seed(0)
    spec = feature_spec(Backbone.load(generator_folder, device="cpu"))
    folder = tmp_path_factory.mktemp("decoder")
    PDecoder(PDecoderConfig(spec=spec, classes=VOC_CLASSES)).save_pretrained(folder)
    return {"generator": str(generator_folder), "annotator": str(folder)}


@pytest.fixture(scope="session")
def every_head(backbone, generator_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of an untrained decoder of all tasks for the embedded generator: what it reads is noise, but real."""
    import torch

    from dataset_dm.decoder import PDecoder, PDecoderConfig
    from dataset_dm.diffusion import feature_spec
    from dataset_dm.labels.tasks import TASKS
    from dataset_dm.labels.vocabulary import VOC_CLASSES

    torch.manual_seed(0)
    config = PDecoderConfig(spec=feature_spec(backbone), classes=VOC_CLASSES, tasks=tuple(TASKS))
    folder = tmp_path_factory.mktemp("every_head")
    PDecoder(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def segmenter_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An untrained SegFormer of VOC's classes, as `dataset-dm relabel` saves one."""
    import torch

    from dataset_dm.annotators.segmenter import write_segmenter
    from dataset_dm.labels.vocabulary import VOC_CLASSES
    from dataset_dm.training.segmenter import build

    folder = tmp_path_factory.mktemp("segmenter")
    torch.manual_seed(0)
    write_segmenter(folder, build(VOC_CLASSES, (128, 128)), {"temperature": 0.5, "void_below": 0.06})
    return str(folder)


@pytest.fixture(scope="session")
def lora(generator_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA for the embedded generator's UNet, saved the way diffusers' training scripts save it."""
    peft = pytest.importorskip("peft")
    import torch
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers

    from dataset_dm.diffusion import Backbone

    unet = Backbone.load(generator_folder, device="cpu").pipe.unet
    torch.manual_seed(0)
    unet.add_adapter(peft.LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v"]))
    layers = convert_state_dict_to_diffusers(peft.get_peft_model_state_dict(unet))
    folder = tmp_path_factory.mktemp("lora")
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers)
    return folder / "pytorch_lora_weights.safetensors"


@pytest.fixture
def quick(models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Arguments of a small and fast set: one step, two batches of two a shard; the store is the test's own."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    return {**models, "sampler": {"steps": 1, "guidance": 2.0}, "batch_size": 2, "shard_size": 4, "device": "cpu"}


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch computes with one thread, as workers with `threads=1` do: equal bytes need equal threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def copied(generator_folder: Path, tmp_path: Path) -> Path:
    """A copy of the embedded generator that a test may damage."""
    return Path(shutil.copytree(generator_folder, tmp_path / "generator"))


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """A small VOC folder with the classes forklift and pallet."""
    from tests.readers.little_sets import write_voc

    return write_voc(tmp_path / "voc")
