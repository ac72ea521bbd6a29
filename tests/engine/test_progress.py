"""Progress: moving on a terminal, lines in a file."""

import io

import pytest

from dataset_dm.engine.progress import bar


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    with bar(40, "image", "drawing") as moving:
        for _ in range(20):
            moving.update(3)
            moving.update(-1)  # a shard that is requeued takes its progress with it
    return stream.getvalue()


def test_in_a_file_there_are_few_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(io.StringIO(), monkeypatch)
    assert "\r" not in text and text.endswith("\n")
    lines = text.splitlines()
    assert lines[0].startswith("drawing: 0/40 (0 %)") and lines[-1].startswith("drawing: 40/40 (100 %)")
    assert len(lines) <= 3


def test_on_a_terminal_one_line_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(Terminal(), monkeypatch)
    assert text.startswith("\r") and "40/40" in text.rpartition("\r")[2]


def test_a_kind_that_is_switched_off_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    datasets.disable_progress_bars()
    try:
        with bar(4, " images", "drawing", kind=datasets.utils.tqdm) as off:
            off.update(4)
    finally:
        datasets.enable_progress_bars()
    assert stream.getvalue() == ""
