"""The judge: a segmenter trained on tens of thousands of labelled renders.

It only measures images and labels; it never makes, filters or trains any of them.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dataset_dm.errors import ModelError
from dataset_dm.models.device import resolve_device
from dataset_dm.models.embedded import WEIGHTS

WIDTHS = (24, 40, 64, 96, 128)


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.GroupNorm(8, outputs) for _ in range(2))
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Float[Tensor, "b _ h w"]) -> Float[Tensor, "b c h w"]:
        y = F.silu(self.norms[0](self.first(x)))
        return F.silu(self.norms[1](self.second(y)) + self.skip(x))


class JudgeNet(nn.Module):
    """A U-Net: images (b, inputs, h, w) in [-1, 1], sides multiples of 16 -> class logits (b, classes, h, w)."""

    def __init__(self, num_classes: int = 21, widths: tuple[int, ...] = WIDTHS, inputs: int = 3):
        super().__init__()
        self.down = nn.ModuleList(_Block(a, b) for a, b in zip((inputs, *widths[:-1]), widths, strict=True))
        self.up = nn.ModuleList(_Block(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.head = nn.Conv2d(widths[0], num_classes, 1)

    def forward(self, images: Float[Tensor, "b _ h w"]) -> Float[Tensor, "b k h w"]:
        x, skips = images, []
        for block in self.down:
            x = block(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        for block, skip in zip(self.up, skips[-2::-1], strict=True):
            x = block(torch.cat([F.interpolate(x, scale_factor=2.0, mode="bilinear"), skip], dim=1))
        return self.head(x)


class Judge:
    """Class maps and probabilities of images by the trained judge."""

    def __init__(self, net: JudgeNet, device: str | torch.device = "cpu"):
        self.device = resolve_device(device)
        self.net = net.to(self.device).eval()

    @classmethod
    def load(cls, folder: str | Path | None = None, device: str | torch.device = "cpu") -> Judge:
        """Load the judge from `folder` (default: the shipped one); ModelError when it is not there."""
        if folder is None:
            folder = WEIGHTS / "judge"
        path = Path(folder, "model.safetensors")
        if not path.is_file():
            raise ModelError(f"no judge at {folder}: expected {path.name}; train one with `dataset-dm miniature judge`")
        config = json.loads(Path(folder, "config.json").read_text())
        net = JudgeNet(config["num_classes"], tuple(config["widths"]))
        net.load_state_dict({key: value.float() for key, value in load_file(path).items()})
        return cls(net, device)

    def save(self, folder: str | Path) -> None:
        """Write config.json and model.safetensors (half precision) to `folder`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "num_classes": self.net.head.out_channels,
            "widths": [block.first.out_channels for block in self.net.down],
        }
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        state = {key: value.detach().half().cpu().contiguous() for key, value in self.net.state_dict().items()}
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})

    @torch.inference_mode()
    def probabilities(self, images: UInt8[Tensor, "b h w 3"]) -> Float[Tensor, "b k h w"]:
        """Probabilities of the classes, background first."""
        x = images.to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        return self.net(x).softmax(dim=1)

    def segment(self, images: UInt8[Tensor, "b h w 3"]) -> UInt8[Tensor, "b h w"]:
        """Class maps; 0 is background."""
        return self.probabilities(images).argmax(dim=1).to(torch.uint8)
