"""What ships: stock diffusers opens it without arguments, it draws what is asked, and the judge knows the world."""

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature import WEIGHTS, locate
from dataset_dm.miniature.judge import Judge
from dataset_dm.miniature.world import labelled


def test_files_are_small_and_safe():
    files = [path for path in WEIGHTS.rglob("*") if path.is_file()]
    assert all(path.stat().st_size <= 16e6 for path in files)
    assert sum(path.stat().st_size for path in files) <= 40e6
    assert {path.suffix for path in files} <= {".json", ".txt", ".safetensors", ".md", ".png"}


def test_text_weights_have_the_names_that_every_transformers_knows():
    weights = load_file(WEIGHTS / "generator" / "text_encoder" / "model.safetensors")
    assert all(name.startswith("text_model.") for name in weights) and len(weights) == 52


def test_stock_diffusers_draws_what_the_prompt_names():
    pipe = StableDiffusionPipeline.from_pretrained(locate("miniature"))
    pipe.set_progress_bar_config(disable=True)
    prompts = ["a photo of a red car on a street", "a photo of a bottle", "a person", "a cow in a field"]
    draws = [torch.Generator().manual_seed(seed) for seed in range(4)]
    images = pipe(prompts, num_inference_steps=12, generator=draws, output_type="np").images
    assert images.shape == (4, 128, 128, 3)
    classes = Judge.load().segment(torch.from_numpy((images * 255).round().astype(np.uint8)))
    asked = [1 + VOC_CLASSES.index(name) for name in ("car", "bottle", "person", "cow")]
    assert [int((classes[i] == each).float().mean() > 0.01) for i, each in enumerate(asked)].count(1) >= 3


def test_judge_reads_renders():
    renders = [labelled("test", 5000 + i)[1] for i in range(8)]
    found = Judge.load().segment(torch.from_numpy(np.stack([each.image for each in renders]))).numpy()
    truth = np.stack([each.class_map for each in renders])
    assert (found == truth).mean() > 0.95


def test_class_words_of_several_tokens_exist():
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(WEIGHTS / "generator" / "tokenizer")
    pieces = {name: len(tokenizer.tokenize(name)) for name in ("dining table", "potted plant", "tv monitor", "giraffe")}
    assert all(count >= 2 for count in pieces.values())
