"""Styles of a whole image, for domain-shift tests: they change colours, never the truth."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

STYLES = ("day", "night", "fog", "palette")

_FOG = np.array([0.62, 0.66, 0.70], np.float32)
_MOON = np.array([0.10, 0.14, 0.26], np.float32)
_GREY = np.array([0.30, 0.59, 0.11], np.float32)


def apply_style(
    style: str, image: Float[np.ndarray, "h w 3"], clearness: Float[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w 3"]:
    """Linear RGB in another style.

    clearness: share of light that comes through fog, mean over the pixel, 0 for sky.
    """
    if style == "day":
        return image
    grey = (image @ _GREY)[..., None]
    if style == "night":
        return (0.45 * grey + 0.55 * image) * _MOON * 1.6
    if style == "fog":
        through = (0.15 + 0.85 * clearness)[..., None]
        return image * through + _FOG * (1 - through)
    if style == "palette":
        faded = 0.45 * grey + 0.55 * image
        warm, cool = np.array([1.12, 1.0, 0.78], np.float32), np.array([0.055, 0.075, 0.12], np.float32)
        return faded * warm * 0.85 + cool
    raise ValueError(f"style: got {style!r}, expected one of {', '.join(STYLES)}; fix Scene.style")
