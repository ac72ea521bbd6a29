"""Text of a command line as the values that Python would give."""

import pytest

from dataset_dm.arguments import read
from dataset_dm.errors import ConfigError


def test_numbers_stay_text_where_they_are_none() -> None:
    assert [read.whole("--n", text) for text in ("3", "3.5", "x")] == [3, "3.5", "x"]
    assert [read.number("--n", text) for text in ("3", "3.5", "none")] == [3, 3.5, "none"]
    assert [read.plain("--n", text) for text in ("3", ".5", '{"a": 1}', "x")] == [3, 0.5, {"a": 1}, "x"]


def test_lists_and_pairs() -> None:
    assert read.names("--classes", "dog, cat,") == ["dog", "cat"]
    assert read.counts("--split", ["train=3", "test=x"]) == {"train": 3, "test": "x"}
    assert read.shares("--class-mix", "dog=3,cat=.5") == {"dog": 3.0, "cat": 0.5}
    assert read.sources("--prompts", ["file.txt"]) == "file.txt"
    mix = read.sources("--prompts", ["openai:a=b=0.7", "templates=0.3"])
    assert mix == [{"source": "openai:a=b", "weight": 0.7}, {"source": "templates", "weight": 0.3}]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: read.counts("--split", ["train"]), "--split: got 'train', expected NAME=N"),
        (lambda: read.counts("--split", ["a=1", "a=2"]), "every name once"),
        (lambda: read.shares("--class-mix", "dog"), "--class-mix: got 'dog', expected NAME=SHARE"),
        (lambda: read.sources("--prompts", ["a", "b=1"]), "--prompts: got 'a', expected SOURCE=SHARE"),
    ],
)
def test_mistakes_name_the_option(call, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        call()
