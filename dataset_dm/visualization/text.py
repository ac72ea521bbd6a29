"""Text in images: one font, lines that fit."""

from __future__ import annotations

import math

from PIL import ImageFont


def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own scalable font: the same on every machine."""
    return ImageFont.load_default(size)  # type: ignore[return-value]


def wrap(text: str, face: ImageFont.FreeTypeFont, width: float, most: int) -> list[str]:
    """Words on at most `most` lines of `width` pixels; what is left over ends in an ellipsis."""
    lines: list[str] = []
    words = " ".join(text.split()).split(" ") if text.strip() else []
    while words and len(lines) < most:
        line = words.pop(0)
        while words and face.getlength(f"{line} {words[0]}") <= width:
            line += f" {words.pop(0)}"
        lines.append(fit(line if len(lines) < most - 1 else " ".join([line, *words]), face, width))
    return lines


def fit(text: str, face: ImageFont.FreeTypeFont, width: float) -> str:
    """The text, cut with an ellipsis when it is longer than `width` pixels."""
    if face.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest head that fits
        middle = math.ceil((low + high) / 2)
        low, high = (middle, high) if face.getlength(text[:middle].rstrip() + "…") <= width else (low, middle - 1)
    return text[:low].rstrip() + "…"
