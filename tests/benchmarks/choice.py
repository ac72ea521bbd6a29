"""Settings chosen by name on the command line of an ablation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataset_dm.checks import check_choice


def chosen(names: Sequence[str] | None, settings: Sequence[Any]) -> list[Any]:
    """The settings of these `name`s, all for None; ConfigError for a name that none has."""
    known = {setting.name: setting for setting in settings}
    return [known[check_choice("--only", name, known)] for name in names or known]
