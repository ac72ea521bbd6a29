"""Samples as HTML: panels side by side, then number, figures, prompt, legend, and further details on request.

All text of a set is escaped. Colours follow the theme of the page.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from PIL import Image

from dataset_dm.labels.vocabulary import VOID
from dataset_dm.visualization.overlay import display_colours

Legend = Sequence[tuple[int | None, str]]  # (class id of the swatch or None, words), as in `visualization.legend`

CSS = """
.dm-page { display: flex; flex-wrap: wrap; gap: 16px; align-items: stretch; }
.dm-page, .dm-keys { --dm-ink: var(--body-text-color, #1e262e); color: var(--dm-ink);
  --dm-faint: color-mix(in srgb, var(--dm-ink) 68%, transparent); }
.dm-keys { display: flex; flex-wrap: wrap; gap: 12px; align-items: center; margin-bottom: 12px; }
.dm-keys img { background: #fff; padding: 4px 10px; border-radius: 4px; margin: 0; }
.dm-card { border: 1px solid var(--border-color-primary, #d9dee3); border-radius: 8px; padding: 12px; max-width: 100%;
  box-sizing: border-box; background: var(--background-fill-primary, #fff); }
.dm-panels { display: flex; flex-wrap: wrap; gap: 6px; }
.dm-panels figure { margin: 0; max-width: 100%; }
.dm-panels figcaption { font-size: 13px; line-height: 20px; color: var(--dm-faint); }
.dm-panels img { display: block; max-width: 100%; height: auto; border-radius: 2px; margin: 0; }
.dm-facts { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-top: 8px; font-size: 13px; color: var(--dm-faint); }
.dm-facts b { color: var(--dm-ink); font-weight: 600; }
.dm-facts .dm-alert { color: #b3261e; font-weight: 600; }
.dark .dm-facts .dm-alert { color: #ff8a80; }
.dm-prompt { margin-top: 4px; font-size: 15px; line-height: 1.4; overflow-wrap: anywhere; }
.dm-legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-top: 4px; font-size: 13px; }
.dm-legend i { display: inline-block; width: 11px; height: 11px; margin-right: 6px; border-radius: 2px;
  border: 1px solid rgba(0, 0, 0, .45); vertical-align: -1px; box-sizing: content-box; }
.dm-legend i.dm-void { background: repeating-linear-gradient(-45deg, #cdcdcd 0 3px, #787878 3px 5px); }
.dm-legend em { font-style: normal; color: var(--dm-faint); }
.dm-legend em.dm-mark { font-weight: 600; }
.dm-more { display: flex; flex-wrap: wrap; gap: 4px 24px; margin-top: 6px; font-size: 13px; }
.dm-more details[open] { flex-basis: 100%; }
.dm-more summary { cursor: pointer; color: var(--dm-faint); }
.dm-more table { border-collapse: collapse; margin: 4px 0; }
.dm-more table, .dm-more tr, .dm-more td { border: 0 !important; }
.dm-more td { padding: 1px 14px 1px 0; vertical-align: top; overflow-wrap: anywhere; color: var(--dm-ink); }
.dm-more td:first-child { color: var(--dm-faint); white-space: nowrap; }
.dm-none { padding: 48px 0; text-align: center; }
"""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One sample, ready to be shown.

    Args:
        number: number of the row.
        panels: (title, image), all of one size.
        prompt: its text.
        facts: short words such as "confidence 0.91".
        alert: emphasized words, such as the reason for which the row would be dropped.
        legends: annotator ("" for a single one) → meaning of its colours.
        details: title → (name, value) of further facts.
    """

    number: int
    panels: Sequence[tuple[str, Image.Image]]
    prompt: str = ""
    facts: Sequence[str] = ()
    alert: str = ""
    legends: Mapping[str, Legend] = field(default_factory=dict)
    details: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def page_html(cards: Sequence[Card], keys: Sequence[tuple[str, Image.Image]] = ()) -> str:
    """All cards in a grid; `keys` are (description, image) of keys to colours, shown above."""
    if not cards:
        return '<div class="dm-none">No sample passes these filters.</div>'
    top = "".join(_image(key, title) for title, key in keys)
    head = f'<div class="dm-keys">{top}</div>' if top else ""
    return f'{head}<div class="dm-page">{"".join(card_html(card) for card in cards)}</div>'


def card_html(card: Card) -> str:
    """One card, as wide as its panels side by side."""
    figures = "".join(_figure(title, panel, card.number) for title, panel in card.panels)
    width = sum(panel.width + 6 for _, panel in card.panels) - 6
    facts = "".join(f"<span>{escape(fact)}</span>" for fact in card.facts)
    alert = f'<span class="dm-alert">{escape(card.alert)}</span>' if card.alert else ""
    parts = [
        f'<div class="dm-panels">{figures}</div>',
        f'<div class="dm-facts"><b>#{card.number}</b>{facts}{alert}</div>',
        f'<div class="dm-prompt">{escape(card.prompt)}</div>' if card.prompt else "",
        *(_legend(mark, entries) for mark, entries in card.legends.items()),
        _details(card.details),
    ]
    return f'<article class="dm-card" style="width: {width + 26}px">{"".join(parts)}</article>'


def plain_details(value: Any, path: str = "") -> list[tuple[str, str]]:
    """(name, value) of everything in nested dicts and lists that is not None, in its order.

    >>> plain_details({"seed": 7, "size": [4, 5], "adapter": None})
    [('seed', '7'), ('size', '4, 5')]
    """
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [entry for name, inner in value.items() for entry in plain_details(inner, f"{path}.{name}".strip("."))]
    if isinstance(value, (list, tuple)):
        return [(path, ", ".join("–" if entry is None else _short(entry) for entry in value))] if value else []
    return [(path, _short(value))]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _details(details: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    def block(title: str, entries: Sequence[tuple[str, str]]) -> str:
        rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in entries)
        return f"<details><summary>{escape(title)}</summary><table>{rows}</table></details>"

    blocks = "".join(block(title, entries) for title, entries in details.items() if entries)
    return f'<div class="dm-more">{blocks}</div>' if blocks else ""


def _legend(mark: str, entries: Legend) -> str:
    lead = f'<em class="dm-mark">{escape(mark)}</em>' if mark else ""
    words = "".join(
        f"<em>{escape(text)}</em>" if i is None else f"<span>{_swatch(i)}{escape(text)}</span>" for i, text in entries
    )
    return f'<div class="dm-legend">{lead}{words}</div>' if words else ""


def _swatch(class_id: int) -> str:
    if class_id == VOID:
        return '<i class="dm-void"></i>'
    red, green, blue = (int(value) for value in display_colours()[class_id % 256])
    return f'<i style="background: rgb({red}, {green}, {blue})"></i>'


def _figure(title: str, panel: Image.Image, number: int) -> str:
    drawn = _image(panel, f"{title} of sample {number}")
    return f"<figure><figcaption>{escape(title)}</figcaption>{drawn}</figure>"


def _image(image: Image.Image, title: str) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=1)  # served locally: time counts more than size
    text = base64.b64encode(buffer.getvalue()).decode()
    size = f'width="{image.width}" height="{image.height}"'
    return f'<img src="data:image/png;base64,{text}" alt="{escape(title)}" {size}>'
