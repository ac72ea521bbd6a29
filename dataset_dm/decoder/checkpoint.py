"""A decoder on disk and on the Hub: `config.json` and `model.safetensors`, no code runs on loading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from huggingface_hub import ModelCard, ModelHubMixin
from jaxtyping import Shaped
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from dataset_dm.cards.models import decoder_card
from dataset_dm.cards.private import hide_tokens
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.errors import ModelError, UserError
from dataset_dm.files.atomic import write_atomically
from dataset_dm.models.reference import find, split_revision

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
# unused parameters of older checkpoints
_UNUSED = ("semantic_head.gate",)
Model = TypeVar("Model", bound="PretrainedDecoder")


class PretrainedDecoder(ModelHubMixin):
    """huggingface_hub's model mixin with one config, safetensors weights and a model card.

    For a ``torch.nn.Module`` that is built from one :class:`PDecoderConfig` and keeps it as ``config``.
    """

    config: PDecoderConfig

    def save_pretrained(
        self,
        folder: str | Path,
        *,
        half: bool = False,
        card: bool = False,
        push_to_hub: bool = False,
        repo_id: str | None = None,
        **push_options: Any,
    ) -> Path:
        """Writes ``config.json`` and ``model.safetensors`` into ``folder`` and returns it.

        Args:
            half: store floats as float16; no measurable loss for a decoder.
            card: write a model card beside them, unless one is there.
            push_to_hub, repo_id, push_options: also push it; see :meth:`push_to_hub`.
        """
        folder = write_checkpoint(folder, self.config, self.state_dict(), half=half)
        if card and not (folder / CARD).exists():
            self.generate_model_card(repo_id=repo_id).save(folder / CARD)
        if push_to_hub:
            self.push_to_hub(repo_id or folder.name, half=half, **push_options)
        return folder

    def push_to_hub(self, repo_id: str, *, half: bool = False, **push_options: Any) -> str:
        """Pushes weights, config and a model card in one commit; an existing card is kept.

        Args:
            repo_id: "owner/name"; without an owner, the user's own.
            push_options: ``private``, ``token``, ``branch``, ``create_pr``, ``commit_message``, as in huggingface_hub.

        Returns:
            The commit's address.
        """
        from tempfile import TemporaryDirectory

        from huggingface_hub import HfApi

        api = HfApi(token=push_options.pop("token", None))
        private, branch = push_options.pop("private", None), push_options.pop("branch", None)
        repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        with TemporaryDirectory() as folder:
            kept = api.file_exists(repo_id, CARD, revision=branch)
            write_checkpoint(folder, self.config, self.state_dict(), half=half)
            if not kept:
                self.generate_model_card(repo_id=repo_id).save(Path(folder) / CARD)
            message = push_options.pop("commit_message", "Push decoder")
            pushed = api.upload_folder(
                repo_id=repo_id, folder_path=folder, revision=branch, commit_message=message, **push_options
            )
        return str(pushed)

    def generate_model_card(self, *, repo_id: str | None = None, **unused: Any) -> ModelCard:
        """The card: what it reads, how it was trained, what was measured, its limits."""
        return decoder_card(self.config.to_dict(), repo_id)

    @classmethod
    def from_pretrained(
        cls: type[Model],
        source: str | Path,
        *,
        device: torch.device | str = "cpu",
        revision: str | None = None,
        **hub_options: Any,
    ) -> Model:
        """Loads a checkpoint folder or Hub id (optionally ``id@revision``) in eval mode, as float32.

        Args:
            revision: branch, tag or commit of a Hub id; the same as ``id@revision``.
            hub_options: ``token``, ``cache_dir``, ``force_download``, ``local_files_only``, as in huggingface_hub.

        Raises:
            ModelError: not found, not a decoder, or weights that are not safetensors or do not fit.
        """
        local = revision is None or Path(source).exists()  # a folder has no revisions
        source = str(source) if local else f"{source}@{revision}"
        config, weights = read_checkpoint(source, **hub_options)
        decoder = cls(config)
        missing = sorted(set(decoder.state_dict()) ^ set(weights))
        if missing:
            raise ModelError(
                f"decoder {source!r}: weights and config.json do not fit, {missing[0]!r} is on one side only"
            )
        decoder.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
        )
        return decoder.to(device).eval()


def write_checkpoint(
    folder: str | Path, config: PDecoderConfig, weights: Mapping[str, Shaped[Tensor, "*_"]], *, half: bool = False
) -> Path:
    """Writes both files, each through a temporary name, and returns the folder.

    Args:
        half: store floats as float16; no measurable loss for a decoder.
    """
    folder = Path(folder)
    kept = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    if half:
        kept = {name: value.half() if value.is_floating_point() else value for name, value in kept.items()}
    write_atomically(folder / WEIGHTS, save(kept))
    text = json.dumps(config.to_dict(), indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / CONFIG, text.encode("utf-8"))
    return folder


def read_checkpoint(source: str | Path, **hub_options: Any) -> tuple[PDecoderConfig, dict[str, Shaped[Tensor, "*_"]]]:
    """Config and weights of a folder or Hub id; ModelError with one line when they cannot be read."""
    folder = locate_checkpoint(source, **hub_options)
    if not (folder / CONFIG).is_file():
        raise ModelError(f"decoder {str(source)!r}: no {CONFIG} in it; expected a folder written by `dataset-dm train`")
    if not (folder / WEIGHTS).is_file():
        raise ModelError(f"decoder {str(source)!r}: no {WEIGHTS} in it; only safetensors are loaded, never pickle")
    try:
        config = PDecoderConfig.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except (UserError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"decoder {str(source)!r}: {CONFIG} cannot be read: {error}") from error
    try:
        weights = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"decoder {str(source)!r}: {WEIGHTS} cannot be read: {error}; fetch or train it again"
        ) from error
    return config, {name: value for name, value in weights.items() if name not in _UNUSED}


def locate_checkpoint(source: str | Path, **hub_options: Any) -> Path:
    """The local folder of a path or Hub id (``id@revision``), downloaded unless offline mode forbids it.

    Args:
        hub_options: ``token``, ``cache_dir``, ``force_download``, ``local_files_only``, as in huggingface_hub.
    """
    if not hub_options:  # the commit is looked up once a process, and the same one is in the fingerprint
        found = find(str(source), what="decoder")
        if found.path is not None:
            return found.path
        name, revision = found.name, found.revision
    elif Path(source).exists():
        return Path(source)
    else:
        name, revision = split_revision(str(source))
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=[CONFIG, WEIGHTS], **hub_options))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = hide_tokens(" ".join(str(error).split()), hub_options.get("token"))[:160]
        raise ModelError(f"decoder {str(source)!r}: neither a folder nor available on the Hub ({reason})") from error


def checkpoint_hash(source: str | Path) -> str:
    """16 hex digits that fix the decoder's bytes: the annotator's share of a label fingerprint."""
    return find(str(source), what="decoder").fingerprint()
