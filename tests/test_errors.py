"""Exceptions: the tree in the docstring is the tree; messages are one line."""

import doctest
import inspect
import pickle
import re

import pytest

from dataset_dm import errors
from dataset_dm.errors import ConfigError, DatasetDMError, UserError, did_you_mean, explain

TREE = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, DatasetDMError)]


def test_docstring_draws_every_exception() -> None:
    drawn = re.findall(r"^(?:[│ ]*[├└]── )?(\w+)(?: |$)", errors.__doc__.split("```")[1], flags=re.MULTILINE)
    assert sorted(drawn) == sorted(cls.__name__ for cls in TREE)


def test_examples_in_docstrings() -> None:
    outcome = doctest.testmod(errors)
    assert outcome.attempted == 3 and outcome.failed == 0


@pytest.mark.parametrize("cls", TREE)
def test_exceptions_survive_the_way_between_processes(cls: type[DatasetDMError]) -> None:
    again = pickle.loads(pickle.dumps(cls("folder: not empty")))
    assert type(again) is cls and str(again) == "folder: not empty"


@pytest.mark.parametrize("cls", [cls for cls in TREE if cls is not DatasetDMError])
def test_users_catch_value_error_and_the_command_line_exits_with_2(cls: type[UserError]) -> None:
    assert issubclass(cls, ValueError) and cls.exit_code == 2


@pytest.mark.parametrize(
    ("cls", "familiar"),
    [
        (errors.StoreError, OSError),
        (errors.MissingExtra, ImportError),
        (errors.UnknownDatasetError, FileNotFoundError),
        (errors.AnnotatorMismatch, errors.ModelError),
        (errors.GeneratorError, errors.ModelError),
    ],
)
def test_familiar_handlers_catch_them_too(cls: type[Exception], familiar: type[Exception]) -> None:
    with pytest.raises(familiar):
        raise cls("why")


def test_explain_says_only_what_it_was_told() -> None:
    assert explain("no prompts") == "no prompts"
    assert explain("size", got=None) == "size: got None"
    assert explain("size", expected="two multiples of 8") == "size: expected two multiples of 8"
    assert explain("size", got=(7, 8), remedy="try (8, 8)") == "size: got (7, 8); try (8, 8)"


def test_explain_stays_one_short_line() -> None:
    line = explain("classes", got=["a\nb", *range(1000)], expected="names")
    assert "\n" not in line and "…, expected names" in line and len(line) < 160


def test_did_you_mean() -> None:
    assert did_you_mean("Guidence", ["steps", "guidance"]) == "; did you mean 'guidance'?"
    assert did_you_mean("pottedplant", ["Potted Plant", "person"]) == "; did you mean 'Potted Plant'?"
    assert did_you_mean("forklift", ["steps", "guidance"]) == ""
    assert did_you_mean("steps", []) == ""


def test_an_error_reads_as_its_message() -> None:
    with pytest.raises(ConfigError) as caught:
        raise ConfigError(explain("num_images", got=0, expected="at least 1"))
    assert str(caught.value) == "num_images: got 0, expected at least 1"
