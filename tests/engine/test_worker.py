"""A worker's answers to requests, without a process around them."""

import io
import json
import warnings

import pytest

from dataset_dm.engine.work import Work
from dataset_dm.engine.worker import attempt, serve
from tests.engine.conftest import plan_of


class Scripted:
    """A maker whose outcome is known."""

    def __init__(self, outcome: object) -> None:
        self.outcome, self.seconds, self.works = outcome, {"draw": 1.5}, []

    def attempt(self, work: Work, progress) -> str:
        self.works.append(work)
        progress(2)
        warnings.warn("its end is cut off", UserWarning, stacklevel=1)
        warnings.warn("for developers", DeprecationWarning, stacklevel=1)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


REQUEST = {"split": "train", "shard": 3, "draw": False, "redo": True}


@pytest.mark.filterwarnings("default")  # as in a worker process
def test_an_answer_holds_the_outcome_the_seconds_and_the_warnings_for_users() -> None:
    maker, batches = Scripted("made"), []
    answer = attempt(maker, REQUEST, batches.append)
    assert answer == {"outcome": "made", "seconds": {"draw": 1.5}, "warnings": ["its end is cut off"]}
    assert maker.works == [Work("train", 3, draw=False, redo=True)] and batches == [2]


@pytest.mark.filterwarnings("default")
def test_an_error_is_answered_by_its_name_and_message() -> None:
    answer = attempt(Scripted(ValueError("no such class")), REQUEST, lambda rows: None)
    assert answer == {"error": "ValueError", "message": "no such class", "warnings": ["its end is cut off"]}


def test_requests_are_served_until_their_stream_ends(quick: dict) -> None:
    """The embedded model makes one shard of two images, then finds it there."""
    plan = plan_of(quick, shard_size=2)
    request = {"split": "train", "shard": 0, "draw": True, "redo": False}
    lines = [{"plan": plan.to_dict(), "device": "cpu"}, request, request]
    answers = []
    serve(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)), answers.append)
    assert [answer["outcome"] for answer in answers if "outcome" in answer] == ["made", "there"]
    assert {"rows": 2} in answers
