"""The terms of generators, shown on the cards of datasets, decoders and adapters made with them."""

from __future__ import annotations

# part of a generator's name, its licence, the terms in short; the first match counts
_CONDITIONS = (
    ("miniature", "Apache-2.0", "the embedded model was trained on rendered scenes alone"),
    ("flux.1-schnell", "Apache-2.0", "no conditions on generated images"),
    ("flux.1-dev", "FLUX.1 [dev] Non-Commercial License", "it limits commercial use and training of rival models"),
    ("stable-diffusion-3", "Stability AI Community License", "it limits commercial use by revenue"),
    ("stable-diffusion-xl", "CreativeML Open RAIL++-M", "its list of prohibited uses covers generated images"),
    ("sdxl-turbo", "Stability AI licence of SDXL Turbo", "it limits commercial use"),
    ("stable-diffusion-2", "CreativeML Open RAIL++-M", "its list of prohibited uses covers generated images"),
    ("stable-diffusion", "CreativeML OpenRAIL-M", "its list of prohibited uses covers generated images"),
    ("pixart", "CreativeML Open RAIL++-M", "its list of prohibited uses covers generated images"),
)


def conditions(generator: object) -> str:
    """One sentence on the terms of a generator, by name; for an unknown one, where to find them."""
    name = str(generator).lower()
    for part, licence, says in _CONDITIONS:
        if part in name:
            return f"The generator is published under {licence}; {says}. The licence text itself is decisive."
    return "The generator's terms are on its model page; they may limit what its images can be used for."
