"""Whole numbers of the command line; argparse prints what is wrong after the option's name."""

from __future__ import annotations

import argparse


def count(text: str) -> int:
    """At least 1."""
    return _whole(text, 1)


def seed(text: str) -> int:
    """At least 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number of at least {least}")
    return value
