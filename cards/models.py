"""Model cards of decoders and adapters, from their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

from dataset_dm.cards.licences import conditions
from dataset_dm.cards.markdown import code, escape, plain
from dataset_dm.cards.measured import figures
from dataset_dm.cards.private import public
from dataset_dm.cards.sections import seal

if TYPE_CHECKING:
    from huggingface_hub import ModelCard

# task → its name on the Hub
CATEGORIES = {
    "semantic": "image-segmentation",
    "instance": "object-detection",
    "depth": "depth-estimation",
    "pose": "keypoint-detection",
}
# key of a decoder's record → its name on the card
_SHOWN = {
    "generator": "generator",
    "data": "labelled images from",
    "labelled_images": "labelled images",
    "validation": "held out for the figures",
    "validation_images": "held out, images",
    "steps": "steps",
    "best_step": "best step",
    "seconds": "seconds",
    "device": "device",
}


@dataclass(frozen=True, kw_only=True)
class AdapterFacts:
    """Facts for the card of an adapter.

    Args:
        name: of the adapter.
        generator: its text-to-image model: Hub id or "miniature".
        command: the command that trained it.
        prompt: the instance prompt.
        images: number of training images.
        settings: rank, steps, learning rate …
        license: an SPDX id.
        limits: sentences to add to the card's limits.
    """

    name: str
    generator: str
    command: str
    prompt: str
    images: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    license: str | None = None
    limits: Sequence[str] = ()


def decoder_card(config: Mapping[str, Any], repo: str | None = None) -> ModelCard:
    """The card of a decoder.

    Args:
        config: its config.json, as `PDecoderConfig.to_dict` writes it.
        repo: its id on the Hub; None for a folder.
    """
    record, spec, tasks = public(config.get("record") or {}), config["spec"], list(config["tasks"])
    head = {
        "library_name": "dataset-dm",
        "tags": ["dataset-dm", "p-decoder", "synthetic-data", *[CATEGORIES[task] for task in tasks[1:]]],
        "pipeline_tag": CATEGORIES[tasks[0]],
    }
    return _card(
        "decoder.md.jinja",
        head,
        repo=repo,
        tasks=tasks,
        classes=[escape(name) for name in config["classes"]],
        generator=escape(record.get("generator") or "the generator"),
        generator_hash=escape(spec["generator"]),
        levels=len(spec["levels"]),
        timestep=spec["timestep"],
        size=f"{spec['native_size'][0]} x {spec['native_size'][1]}",
        command=code(str(record.get("command") or "")),
        settings=[(name, escape(plain(record[key]))) for key, name in _SHOWN.items() if record.get(key) is not None],
        measured=_escaped(figures(config, tasks)),
        conditions=conditions(record.get("generator")),
        void_below=f"{config['void_below']:.2f}" if config.get("void_below") else None,
    )


def adapter_card(facts: AdapterFacts, repo: str | None = None) -> ModelCard:
    """The card of an adapter (a LoRA)."""
    head = {
        "library_name": "diffusers",
        "tags": ["dataset-dm", "lora", "text-to-image", "template:sd-lora"],
        "license": facts.license,
        # a Hub id alone names the model to others; a local folder does not
        "base_model": facts.generator if facts.generator.count("/") == 1 else None,
    }
    return _card(
        "adapter.md.jinja",
        {key: value for key, value in head.items() if value is not None},
        repo=repo,
        name=escape(facts.name),
        generator=escape(facts.generator),
        prompt=escape(facts.prompt),
        images=f"{facts.images:,}",
        command=code(facts.command),
        settings=[(escape(key), escape(plain(public(value)))) for key, value in facts.settings.items()],
        license=facts.license,
        conditions=conditions(facts.generator),
        limits=[escape(line) for line in facts.limits],
    )


def _card(template: str, head: Mapping[str, Any], **shown: Any) -> ModelCard:
    from huggingface_hub import ModelCard, ModelCardData

    text = resources.files("dataset_dm.cards").joinpath(template).read_text(encoding="utf-8")
    card = ModelCard.from_template(ModelCardData(**head), template_str=text, **shown)
    return ModelCard(seal(str(card)))


def _escaped(measured: dict[str, Any] | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    return {**measured, "data": escape(measured["data"] or "held-out images"), "images": measured["images"] or "some"}
