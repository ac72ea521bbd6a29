"""`dataset-dm miniature STAGE`: train the embedded generator and its judge, stage by stage."""

from __future__ import annotations

import argparse

HINT = ": the last saved state is kept; run the same command again to go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The recipe's own."""
    from dataset_dm.miniature.recipe import __main__ as recipe

    recipe.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Runs one stage."""
    from dataset_dm.miniature.recipe import __main__ as recipe

    return recipe.run(args)
