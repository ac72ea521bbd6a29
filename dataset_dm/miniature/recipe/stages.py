"""The stages of the recipe, wired: arguments in, weights in the runs folder out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from dataset_dm.errors import ModelError, explain
from dataset_dm.miniature.judge import Judge, JudgeNet
from dataset_dm.miniature.recipe import models
from dataset_dm.miniature.recipe.autoencoder import train_autoencoder
from dataset_dm.miniature.recipe.batches import Batches
from dataset_dm.miniature.recipe.judging import train_judge
from dataset_dm.miniature.recipe.renders import render_all, wait_for
from dataset_dm.miniature.recipe.text_to_image import Latents, encode_latents, tokenize, train_text_to_image
from dataset_dm.miniature.recipe.tokenizer import train_tokenizer
from dataset_dm.miniature.recipe.trainer import LOG_EVERY
from dataset_dm.models.device import resolve_device
from dataset_dm.models.reference import is_pipeline
from dataset_dm.optimization.config import LoopConfig
from dataset_dm.optimization.randomness import seeded

TOKENIZER_SCENES = 8192


def render(args: argparse.Namespace) -> int:
    render_all(args.runs / "renders", args.seed, args.scenes, args.workers)
    return 0


def judge(args: argparse.Namespace) -> int:
    device = _setup(args)
    net = Judge.load(args.init_from).net if args.init_from else _fresh(args, JudgeNet)
    batches = Batches(wait_for(args.runs / "renders", args.scenes), device, with_classes=True)
    train_judge(net, batches, _config(args), args.runs / "judge", compiled=args.compile)
    Judge(net).save(args.runs / "judge" / "final")
    return 0


def autoencoder(args: argparse.Namespace) -> int:
    _check_init(args)
    device = _setup(args)
    vae = _network(args, AutoencoderKL, "vae", models.autoencoder)
    batches = Batches(wait_for(args.runs / "renders", args.scenes), device)
    folder = args.runs / "autoencoder"
    train_autoencoder(vae, batches, _config(args), folder, crop=args.crop, compiled=args.compile)
    vae.save_pretrained(folder / "final")
    return 0


def generator(args: argparse.Namespace) -> int:
    _check_init(args)
    device = _setup(args)
    vae_folder = args.runs / "autoencoder" / "final"
    if not vae_folder.exists() and args.init_from:
        vae_folder = args.init_from / "vae"
    if not vae_folder.exists():
        raise ModelError(f"no autoencoder in {args.runs}; run the stage `autoencoder` first, or pass --init-from")
    vae = AutoencoderKL.from_pretrained(vae_folder)
    renders = wait_for(args.runs / "renders", args.scenes)
    tokenizer = _tokenizer(args, renders.captions)
    latents, scale = encode_latents(vae, Batches(renders, device), args.precision)
    if args.init_from:  # the denoiser knows the old scale; a fresh estimate would shift it by a few per mille
        scale = json.loads((args.init_from / "vae" / "config.json").read_text())["scaling_factor"]
    print(f"{latents.shape[1]} scenes encoded, scaling factor {scale:.4f}", flush=True)
    unet = _network(args, UNet2DConditionModel, "unet", models.unet)
    text = _network(args, CLIPTextModel, "text_encoder", lambda: models.text_encoder(tokenizer))
    tokens = tokenize(renders.captions, tokenizer).to(latents.device)
    empty = tokenize([("",)], tokenizer)[0, 0]
    folder, data = args.runs / "generator", Latents(latents=latents, tokens=tokens, empty=empty, scale=scale)
    train_text_to_image(unet, text, data, _config(args), folder, device, compiled=args.compile)
    unet.save_pretrained(folder / "unet")
    text.save_pretrained(folder / "text_encoder")
    tokenizer.save_pretrained(folder / "tokenizer")
    vae.register_to_config(scaling_factor=scale)
    vae.save_pretrained(folder / "vae")
    return 0


def export(args: argparse.Namespace) -> int:
    folder = args.runs / "generator"
    if not (folder / "unet").is_dir():
        raise ModelError(f"no trained generator in {args.runs}; run the stage `generator` to its end first")
    pipe = models.pipeline(
        AutoencoderKL.from_pretrained(folder / "vae"),
        UNet2DConditionModel.from_pretrained(folder / "unet"),
        CLIPTextModel.from_pretrained(folder / "text_encoder"),
        CLIPTokenizer.from_pretrained(folder / "tokenizer"),
    )
    models.save_pipeline(pipe, args.out)
    size = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
    print(f"wrote {args.out}, {size / 1e6:.1f} MB")
    return 0


def _tokenizer(args: argparse.Namespace, captions: list[tuple[str, ...]]) -> CLIPTokenizer:
    """The tokenizer to go on with, or a new one; written at once, so that a resumed run reads tokens alike."""
    folder = args.runs / "generator" / "tokenizer"
    source = args.init_from / "tokenizer" if args.init_from else folder
    if source.exists():
        return CLIPTokenizer.from_pretrained(source)
    tokenizer = train_tokenizer(text for texts in captions[:TOKENIZER_SCENES] for text in texts)
    tokenizer.save_pretrained(folder)
    return tokenizer


def _check_init(args: argparse.Namespace) -> None:
    """ModelError unless --init-from, if given, is a pipeline folder."""
    if args.init_from and not is_pipeline(args.init_from):
        raise ModelError(
            explain("--init-from", got=str(args.init_from), expected="a folder written by the stage export")
        )


def _setup(args: argparse.Namespace) -> torch.device:
    device = resolve_device(args.device or "auto")
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    return device


def _network(args: argparse.Namespace, kind: Any, part: str, build: Callable[[], Any]) -> Any:
    """The network to start from: a part of --init-from, or a fresh one."""
    return kind.from_pretrained(args.init_from / part) if args.init_from else _fresh(args, build)


def _fresh(args: argparse.Namespace, build: Callable[[], Any]) -> Any:
    """A network whose initial weights follow from --seed."""
    with seeded(args.seed, torch.device("cpu")):
        return build()


def _config(args: argparse.Namespace) -> LoopConfig:
    return LoopConfig(
        steps=args.steps,
        batch=args.batch,
        learning_rate=args.lr,
        warmup=args.warmup,
        min_lr_rate=0.02,
        weight_decay=0.01,
        beta2=0.99,
        ema_decay=args.ema_decay,
        evaluate_every=LOG_EVERY,
        save_every=args.save_every,
        precision=args.precision,
        seconds=args.seconds,
        seed=args.seed,
    )
