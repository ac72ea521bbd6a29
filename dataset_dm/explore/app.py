"""The explorer's window: controls at the left, a page of samples at the right. Only this file imports gradio.

It works offline: no telemetry, no web fonts, no public link.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from dataset_dm.errors import ConfigError, MissingExtra, UserError, explain
from dataset_dm.explore.images import DIFFERENCES, IMAGE, LINES, PANELS, SIDES, SKELETONS, Look
from dataset_dm.explore.index import ORDERS, Wanted
from dataset_dm.explore.page import CSS
from dataset_dm.explore.view import Explorer, Page, Request
from dataset_dm.rows import filters

ALL = "all rows"
_FONT = ("system-ui", "sans-serif")
_LAYOUT = """
.dm-bar { align-items: center; }
.dm-bar button { min-width: 112px; height: 40px; white-space: nowrap; }
.dm-bar .dm-number { max-width: 96px; }
.dm-bar .dm-number input { height: 40px; text-align: right; }
.dm-head, .dm-summary { padding: 0; }
footer { display: none !important; }
"""


def load_gradio() -> Any:
    """The module; MissingExtra when it is not installed."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read on import
    try:
        import gradio
    except ImportError as error:
        remedy = "pip install 'dataset-dm[explore]'"
        raise MissingExtra(explain("explore needs gradio, which is not installed", remedy=remedy)) from error
    return gradio


def free_port(host: str, port: int | None) -> int:
    """The port, or any free one for None; ConfigError when it is taken, or `host` is no address of this machine."""
    try:
        found = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(found[0], found[1]) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as servers do: a port that was just closed is free
            probe.bind(found[4])
            return int(probe.getsockname()[1])
    except PermissionError as error:
        raise ConfigError(explain(f"--port {port}: not allowed", remedy="take one of at least 1024")) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            remedy = "take another, or leave --port out"
            raise ConfigError(explain(f"--port {port}: is taken by another program", remedy=remedy)) from error
        expected = "an address of this machine, such as 127.0.0.1 or 0.0.0.0"
        raise ConfigError(explain("--host", got=host, expected=expected)) from error


def serve(explorer: Explorer, split: str, host: str, port: int, *, browser: bool = False) -> Any:
    """Opens the window; returns the running app, whose `block_thread()` ends with Ctrl-C.

    Raises:
        MissingExtra: gradio is not installed.
    """
    gradio = load_gradio()
    window = Window(gradio, explorer, split).blocks
    window.launch(
        server_name=host,
        server_port=port,
        share=False,
        inbrowser=browser,
        quiet=True,
        ssr_mode=False,
        footer_links=[],
        prevent_thread_lock=True,
        theme=gradio.themes.Default(font=list(_FONT), font_mono=["monospace"]),
        css=CSS + _LAYOUT,
    )
    return window


class Window:
    """The controls, and their actions.

    Args:
        gradio: the module.
        explorer: draws the pages.
        split: shown first.
    """

    def __init__(self, gradio: Any, explorer: Explorer, split: str) -> None:
        self.gradio, self.explorer = gradio, explorer
        self.filters: dict[str, Any] = {}  # controls that select rows
        self.looks: dict[str, Any] = {}  # controls of the drawing
        self.rules: dict[str, Any] = {}
        title = " and ".join(opened.title for opened in (explorer.one, explorer.other) if opened is not None)
        with gradio.Blocks(title=f"{title} · dataset-dm", analytics_enabled=False, fill_width=True) as self.blocks:
            self.head = gradio.HTML(self._head(split), elem_classes="dm-head")
            with gradio.Row():
                with gradio.Column(scale=1, min_width=280):
                    self._looks(split)
                    self._filters(split)
                with gradio.Column(scale=5, min_width=480):
                    self._bar()
                    self.shown = gradio.HTML()
            self._wire()

    def _looks(self, split: str) -> None:
        gradio, panels, lines = self.gradio, self.explorer.panels(split), self.explorer.lines(split)
        label = next(name for name in panels if name != IMAGE)
        # gradio would translate a plain "image" by a key of its own
        choices = [(f"plain {IMAGE}" if name == IMAGE else name, name) for name in PANELS if name in panels]
        compared = [name for name in panels if name in (label, DIFFERENCES)]
        two = self.explorer.other is not None
        with gradio.Group():
            chosen = [IMAGE, *(compared if two else [label])]
            self.looks["panels"] = gradio.CheckboxGroup(choices, value=chosen, label="Panels")
            if lines:
                self.looks["lines"] = gradio.CheckboxGroup(
                    [name for name in LINES if name in lines],
                    value=[name for name in lines if name == SKELETONS or "classes" not in panels],
                    label="Drawn over them",
                )
            self.looks["side"] = gradio.Dropdown(list(SIDES), value="medium", label="Size")
            self.looks["per_page"] = gradio.Dropdown([6, 12, 24, 48], value=12, label="Samples on a page")

    def _filters(self, split: str) -> None:
        gradio, index = self.gradio, self.explorer.index(split)
        with gradio.Group():
            if len(self.explorer.one.splits) > 1:
                self.filters["split"] = gradio.Dropdown(list(self.explorer.one.splits), value=split, label="Split")
            if index.class_counts():
                self.filters["classes"] = gradio.Dropdown(
                    self._classes(split), multiselect=True, label="Classes", info="any, unless some are chosen"
                )
                self.filters["every"] = gradio.Checkbox(False, label="all of them in one image")
            if index.known("confidence").size:
                self.filters["low"] = gradio.Slider(0, 1, 0, step=0.01, label="Least confidence")
                self.filters["high"] = gradio.Slider(0, 1, 1, step=0.01, label="Most confidence")
                self.filters["order"] = gradio.Dropdown(list(ORDERS), value=ORDERS[0], label="Order")
            if any(index.prompts):
                self.filters["text"] = gradio.Textbox("", label="Words of the prompt", placeholder="type, then Enter")
        if index.rules():
            with gradio.Accordion("What a filter would drop", open=False):
                for name in index.rules():
                    info = filters.KNOWN[name].help
                    self.rules[name] = gradio.Textbox("", label=name, info=info, placeholder="off")
                self.filters["reason"] = gradio.Radio([ALL], value=ALL, label="Show")

    def _bar(self) -> None:
        gradio = self.gradio
        with gradio.Row(elem_classes="dm-bar"):
            self.back = gradio.Button("◀ Previous", scale=0, elem_id="dm-back")
            self.next = gradio.Button("Next ▶", scale=0, elem_id="dm-next")
            number = {"container": False, "show_label": False, "elem_classes": "dm-number", "elem_id": "dm-number"}
            self.looks["page"] = gradio.Number(1, label="Page", precision=0, minimum=1, scale=0, min_width=96, **number)
            self.summary = gradio.HTML(elem_id="dm-summary", elem_classes="dm-summary")

    def _wire(self) -> None:
        controls = {**self.filters, **self.rules, **self.looks}
        outputs = [self.shown, self.summary, self.looks["page"]]
        outputs += [self.filters["reason"]] if "reason" in self.filters else []

        def on(trigger: Callable[..., Any], turn: int | None) -> None:
            """Shows the page `turn` pages ahead when `trigger` fires; the first page for None."""

            def show(values: Mapping[Any, Any]) -> list[Any]:
                return self._show({name: values[control] for name, control in controls.items()}, turn)

            # a progress sign on the samples only, not on every field that changes
            progress = {"show_progress": "minimal", "show_progress_on": [self.shown]}
            trigger(
                show, set(controls.values()), outputs, trigger_mode="always_last", api_visibility="private", **progress
            )

        on(self.blocks.load, 0)
        on(self.back.click, -1)
        on(self.next.click, 1)
        for name, control in controls.items():
            moved = control.release if name in ("low", "high") else control.input
            on(control.submit if name in ("text", "page") else moved, 0 if name in self.looks else None)
        if "split" in self.filters and "classes" in self.filters:
            classes = self.filters["classes"]
            self.filters["split"].input(
                lambda split: (self.gradio.Dropdown(self._classes(split), value=[]), self._head(split)),
                [self.filters["split"]],
                [classes, self.head],
                api_visibility="private",
                show_progress="hidden",
            )

    def _show(self, values: Mapping[str, Any], turn: int | None) -> list[Any]:
        """The page of the controls' values; the message of a UserError takes the place of the samples."""
        asked = self._request(values, turn)
        has_reason = "reason" in self.filters
        try:
            page = self.explorer.page(asked)
        except UserError as error:
            message = f'<div class="dm-none">{escape(str(error))}</div>'
            return [message, "", self.gradio.skip(), *([self.gradio.skip()] if has_reason else [])]
        choices = [(f"{ALL} ({page.total:,})", ALL)]
        choices += [(f"{reason} ({count:,})", reason) for reason, count in page.reasons.items()]
        reason = asked.wanted.reason or ALL
        if reason not in (ALL, *page.reasons):
            choices.append((f"{reason} (0)", reason))
        return [
            page.html,
            _summary(page),
            page.page,
            *([self.gradio.Radio(choices, value=reason)] if has_reason else []),
        ]

    def _request(self, values: Mapping[str, Any], turn: int | None) -> Request:
        reason = values.get("reason", ALL)
        return Request(
            split=self.explorer.one.split(values.get("split")),
            wanted=Wanted(
                classes=tuple(values.get("classes") or ()),
                every=bool(values.get("every")),
                confidence=(float(values.get("low", 0)), float(values.get("high", 1))),
                reason=None if reason in (None, ALL) else reason,
                text=values.get("text") or "",
                order=values.get("order") or ORDERS[0],
            ),
            look=Look(
                panels=tuple(values["panels"] or ()),
                lines=tuple(values.get("lines") or ()),
                side=SIDES[values["side"]],
            ),
            rules={name: _number(values[name]) for name in self.rules if values[name].strip()},
            page=1 if turn is None else int(values["page"] or 1) + turn,
            per_page=int(values["per_page"]),
        )

    def _classes(self, split: str) -> list[tuple[str, int]]:
        """(name and rows, id) of every class that occurs."""
        names = self.explorer.one.class_names
        counts = self.explorer.index(split).class_counts()
        return [(f"{names[i] if i < len(names) else f'class {i}'} ({count:,})", i) for i, count in counts.items()]

    def _head(self, split: str) -> str:
        """Title, annotators and number of images, and the samples that were left out when the set was generated."""
        explorer, index = self.explorer, self.explorer.index(split)
        images = f"{escape(split)}, {len(index):,} images"
        if explorer.other is not None:
            parts = [f"<b>{mark}</b> {escape(name)}" for mark, name in explorer.annotators(split).items()]
            parts.append(images)
        else:
            parts = [f"<b>{escape(explorer.one.title)}</b>", images]
            parts += [f"labelled by {escape(index.annotator)}"] if index.annotator else []
        if explorer.one.dropped:
            left_out = ", ".join(f"{escape(reason)} {count:,}" for reason, count in explorer.one.dropped.items())
            parts.append(f"left out when it was made: {left_out}")
        return " · ".join(parts)


def _number(text: str) -> float | str:
    """The number of a text; any other text unchanged, which the filter refuses with a message."""
    try:
        return float(text)
    except ValueError:
        return text


def _summary(page: Page) -> str:
    found = f"{page.found:,} of {page.total:,} samples" if page.found != page.total else f"{page.total:,} samples"
    return f"page {page.page:,} of {page.pages:,} · {found}"
