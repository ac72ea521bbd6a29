"""Prompts from files and lists, and their errors."""

from pathlib import Path

import pytest

from dataset_dm.errors import PromptError
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts import Lines, read_prompts, source_from_dict


def write(folder: Path, content: str | bytes, name: str = "prompts.txt") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_text_lines_go_round_and_name_no_classes(tmp_path: Path) -> None:
    lines = read_prompts(write(tmp_path, "\ufeffa dog\r\n\r\n  two cats  \n"))
    assert lines.prompts == (Prompt("a dog"), Prompt("two cats"))
    assert [lines.prompt(0, "train", i).text for i in range(5)] == ["a dog", "two cats", "a dog", "two cats", "a dog"]


def test_only_line_feeds_end_a_line(tmp_path: Path) -> None:
    lines = read_prompts(write(tmp_path, "a dog\u2028and a cat\na\x0cb\x85c\r\n"))
    assert [one.text for one in lines.prompts] == ["a dog\u2028and a cat", "a\x0cb\x85c"]


def test_jsonl_names_classes(tmp_path: Path) -> None:
    content = '{"prompt": "a dog on a sofa", "classes": ["dog", "sofa"]}\n\n{"prompt": "a street"}\n'
    expected = (Prompt("a dog on a sofa", ("dog", "sofa")), Prompt("a street", None))
    assert read_prompts(write(tmp_path, content, "prompts.jsonl")).prompts == expected
    assert read_prompts(write(tmp_path, content)).prompts == expected  # the content tells, whatever the name


def test_lists_of_texts_and_dicts() -> None:
    lines = read_prompts(["a dog", {"prompt": "a cat", "classes": ["cat"]}])
    assert lines == Lines((Prompt("a dog"), Prompt("a cat", ("cat",))))
    assert source_from_dict(lines.to_dict()) == lines


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("\n  \n", "empty"),
        (b"a dog\na caf\xe9\n", r"line 2: byte 0xe9 is not UTF-8.*save the file as UTF-8"),
        ('{"prompt": "a dog"\n', "line 1: .*expected JSON"),
        ('{"prompt": "a dog"}\n{"promt": "a cat"}\n', "line 2: unknown key 'promt'.*did you mean 'prompt'"),
        ('{"classes": ["dog"]}\n', 'line 1: "prompt": got None, expected a text'),
        ('{"prompt": "a dog", "classes": "dog"}\n', "line 1: .*expected a list of class names"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    file = write(tmp_path, content)
    with pytest.raises(PromptError, match=message) as caught:
        read_prompts(file)
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_and_an_empty_list(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="cannot be read .*check the path"):
        read_prompts(tmp_path / "nowhere.txt")
    with pytest.raises(PromptError, match="at least one prompt"):
        read_prompts([])
    with pytest.raises(PromptError, match=r"prompts\[1\]: got 5"):
        read_prompts(["a dog", 5])  # type: ignore[list-item]
