"""The conditions that come along with a generator, named on the cards of everything that comes of it."""

from __future__ import annotations

# part of a generator's name → the licence its makers give it, and what it says in short; the first that fits counts
_CONDITIONS = (
    ("miniature", "Apache-2.0", "the embedded model was trained on rendered scenes alone"),
    ("flux.1-schnell", "Apache-2.0", "no conditions on what it draws"),
    ("flux.1-dev", "FLUX.1 [dev] Non-Commercial License", "it limits commercial use and training of rival models"),
    ("stable-diffusion-3", "Stability AI Community License", "it limits commercial use by revenue"),
    ("stable-diffusion-xl", "CreativeML Open RAIL++-M", "its list of uses that are not allowed goes for images too"),
    ("sdxl-turbo", "Stability AI licence of SDXL Turbo", "it limits commercial use"),
    ("stable-diffusion-2", "CreativeML Open RAIL++-M", "its list of uses that are not allowed goes for images too"),
    ("stable-diffusion", "CreativeML OpenRAIL-M", "its list of uses that are not allowed goes for images too"),
    ("pixart", "CreativeML Open RAIL++-M", "its list of uses that are not allowed goes for images too"),
)


def conditions(generator: object) -> str:
    """One sentence on the terms of a generator, by its name; for an unknown one, where to look."""
    name = str(generator).lower()
    for part, licence, says in _CONDITIONS:
        if part in name:
            return f"The generator is published under {licence}; {says}. Its own text is what counts."
    return "The generator's terms are on its model page; they may limit what its images can be used for."
