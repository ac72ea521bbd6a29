"""Options that measurements share: defaults, errors in one line, and the plan they ask for."""

import argparse

import pytest

from dataset_dm.evaluation.options import SHARED, add_options, count, plan_of, seed


def test_shared_options_and_their_defaults() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, *SHARED)
    args = parser.parse_args([])
    assert (args.num, args.batch, args.seed, args.append_classes, args.out) == (500, 16, 0, False, None)
    assert (args.generator, args.annotator, args.judge, args.device) == ("miniature", "miniature", None, "auto")
    with pytest.raises(SystemExit):
        few = argparse.ArgumentParser()
        add_options(few, "num")
        few.parse_args(["--batch", "3"])


def test_numbers() -> None:
    assert (count("3"), seed("0")) == (3, 0)
    for read, text, least in ((count, "0", 1), (count, "1.5", 1), (seed, "-1", 0), (seed, "x", 0)):
        with pytest.raises(
            argparse.ArgumentTypeError, match=f"got '{text}', expected a whole number of at least {least}"
        ):
            read(text)


def test_the_plan_has_what_was_asked_for(models: dict[str, str]) -> None:
    args = argparse.Namespace(**models, seed=7)
    plan = plan_of(args, classes=["dog", "cat"])
    assert (plan.seed, plan.classes, plan.tasks) == (7, ("dog", "cat"), ("semantic",))
