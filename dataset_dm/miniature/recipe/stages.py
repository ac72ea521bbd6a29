"""The stages of the recipe, wired: arguments in, weights in the runs folder out."""

from __future__ import annotations

import argparse
import json

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
from dataset_dm.miniature.recipe.text_to_image import encode_latents, tokenize, train_text_to_image
from dataset_dm.miniature.recipe.tokenizer import train_tokenizer
from dataset_dm.miniature.recipe.trainer import Schedule
from dataset_dm.models.device import resolve_device
from dataset_dm.models.reference import is_pipeline

TOKENIZER_SCENES = 8192


def render(args: argparse.Namespace) -> int:
    render_all(args.runs / "renders", args.seed, args.scenes, args.workers)
    return 0


def judge(args: argparse.Namespace) -> int:
    device, options = _setup(args)
    net = Judge.load(args.init_from).net if args.init_from else JudgeNet()
    batches = Batches(wait_for(args.runs / "renders", args.scenes), device, with_classes=True)
    train_judge(net, batches, _schedule(args), args.runs / "judge", **options)
    Judge(net).save(args.runs / "judge" / "final")
    return 0


def autoencoder(args: argparse.Namespace) -> int:
    _check_init(args)
    device, options = _setup(args)
    vae = AutoencoderKL.from_pretrained(args.init_from / "vae") if args.init_from else models.autoencoder()
    batches = Batches(wait_for(args.runs / "renders", args.scenes), device)
    train_autoencoder(vae, batches, _schedule(args), args.runs / "autoencoder", crop=args.crop, **options)
    vae.save_pretrained(args.runs / "autoencoder" / "final")
    return 0


def generator(args: argparse.Namespace) -> int:
    _check_init(args)
    device, options = _setup(args)
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
    unet = UNet2DConditionModel.from_pretrained(args.init_from / "unet") if args.init_from else models.unet()
    text = models.text_encoder(tokenizer)
    if args.init_from:
        text = CLIPTextModel.from_pretrained(args.init_from / "text_encoder")
    tokens = tokenize(renders.captions, tokenizer).to(latents.device)
    empty = tokenize([("",)], tokenizer)[0, 0]
    schedule = _schedule(args, ema=args.ema)
    folder = args.runs / "generator"
    train_text_to_image(unet, text, latents, tokens, empty, scale, schedule, folder, device, **options)
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


def _setup(args: argparse.Namespace) -> tuple[torch.device, dict]:
    device = resolve_device(args.device or "auto")
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    torch.manual_seed(args.seed)  # initial weights
    options = {"precision": args.precision, "compile": args.compile, "resume": True}
    return device, options


def _schedule(args: argparse.Namespace, ema: float = 0.999) -> Schedule:
    return Schedule(
        steps=args.steps,
        batch=args.batch,
        lr=args.lr,
        warmup=args.warmup,
        ema=ema,
        seed=args.seed,
        save_every=args.save_every,
        seconds=args.seconds,
    )
