"""Checks return the value or say in one line what was wrong with it."""

import doctest
import math

import numpy as np
import pytest

from dataset_dm import checks
from dataset_dm.checks import check_bool, check_choice, check_int, check_keys, check_number
from dataset_dm.errors import ConfigError, DataError


@pytest.mark.parametrize("value", [1, 7, np.int64(7)])
def test_whole_numbers_pass_as_int(value: object) -> None:
    assert check_int("steps", value, 1) == value and type(check_int("steps", value, 1)) is int


@pytest.mark.parametrize("value", [0, True, "5", 1.0, None, 10**30, np.float32(2)])
def test_anything_else_is_one_line(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^steps: got .*, expected a whole number from 1 to 99; take 20$"):
        check_int("steps", value, 1, 99, remedy="take 20")


def test_without_a_maximum_and_with_another_error() -> None:
    assert check_int("seed", 10**30) == 10**30
    with pytest.raises(DataError, match="of at least 0"):
        check_int("seed", -1, error=DataError)


@pytest.mark.parametrize("value", [0, 0.5, 1, np.float64(0.25)])
def test_numbers_pass_as_float(value: object) -> None:
    assert check_number("share", value, 0, 1) == value and type(check_number("share", value, 0, 1)) is float


@pytest.mark.parametrize("value", [-0.1, 1.1, True, "0.5", None, math.nan, math.inf])
def test_numbers_out_of_range_or_of_another_type(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^share: got .*, expected a number from 0 to 1$"):
        check_number("share", value, 0, 1)


def test_an_excluded_minimum() -> None:
    assert check_number("rate", 1e-9, 0, above=True) == 1e-9
    with pytest.raises(ConfigError, match="expected a number above 0$"):
        check_number("rate", 0, 0, above=True)


def test_choices_booleans_and_keys() -> None:
    assert check_choice("dtype", "float16", ("float32", "float16")) == "float16"
    with pytest.raises(ConfigError, match="expected float32 or float16; did you mean 'float32'"):
        check_choice("dtype", "float23", ("float32", "float16"))
    assert check_bool("flag", False) is False
    with pytest.raises(ConfigError, match="flag: got 1, expected True or False"):
        check_bool("flag", 1)
    check_keys("sampler", ["steps"], ("steps", "guidance"))
    with pytest.raises(
        ConfigError, match="sampler: unknown key 'step'; expected steps, guidance; did you mean 'steps'"
    ):
        check_keys("sampler", ["step"], ("steps", "guidance"))


def test_examples() -> None:
    assert doctest.testmod(checks).failed == 0
