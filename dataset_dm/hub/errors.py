"""Errors of the Hub: which are transient, the retry policy, and the message for the user."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dataset_dm.cards.private import hide_tokens
from dataset_dm.errors import HubError, UserError, explain

# 409 and 412: a concurrent commit; the others: the Hub is busy
_TRANSIENT = {408, 409, 412, 425, 429, 500, 502, 503, 504}
# Connections that broke or timed out, by name: the client's HTTP library differs between versions.
_BROKEN = {"TransportError", "ConnectionError", "TimeoutError", "Timeout", "ChunkedEncodingError", "IncompleteRead"}


@dataclass(frozen=True)
class RetryPolicy:
    """Number of attempts, and the delay between them in seconds: exponential backoff with jitter."""

    attempts: int = 8
    first_delay: float = 0.5
    max_delay: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def __iter__(self) -> Iterator[bool]:
        """Yield for each attempt whether it is the last one; sleeps before every attempt but the first."""
        for number in range(self.attempts):
            if number:
                pause = min(self.first_delay * 2 ** (number - 1), self.max_delay)
                self.sleep(pause * random.uniform(0.75, 1.25))
            yield number + 1 == self.attempts

    def call(self, what: str, action: Callable[[], object], token: str | None = None) -> object:
        """The result of `action`; HubError when the last attempt fails."""
        for last in self:
            try:
                return action()
            except Exception as error:
                if last or not is_transient(error):
                    raised = to_user_error(error, what, token)
                    if raised is error:
                        raise
                    raise raised from error
        raise AssertionError("no attempt was made")


def status_of(error: BaseException) -> int | None:
    """The HTTP status of an error or of one of its causes."""
    for one in _chain(error):
        code = getattr(getattr(one, "response", None), "status_code", None)
        if code is not None:
            return int(code)
    return None


def is_offline(error: BaseException) -> bool:
    """Whether the client runs in offline mode."""
    return any(type(one).__name__ == "OfflineModeIsEnabled" for one in _chain(error))


def is_transient(error: BaseException) -> bool:
    """Whether a retry can succeed."""
    if is_offline(error):
        return False
    status = status_of(error)
    if status is not None:
        return status in _TRANSIENT
    return any(kind.__name__ in _BROKEN for one in _chain(error) for kind in type(one).__mro__)


def to_user_error(error: BaseException, what: str, token: str | None = None) -> BaseException:
    """The HubError of one line for an error of the Hub; any other error unchanged."""
    status = status_of(error)
    if isinstance(error, UserError) or (status is None and not _of_the_hub(error)):
        return error
    if is_offline(error):
        return HubError(explain(f"{what}: this process is offline (HF_HUB_OFFLINE)", remedy="unset it to push"))
    if status == 401:
        return HubError(
            f"{what}: the Hub does not accept this token, or the repository is not yours (401); log in again with "
            "`hf auth login`, or set HF_TOKEN"
        )
    if status == 403:
        return HubError(f"{what}: this token has no right to write there (403); take a repository and a token of yours")
    if status is not None and status in _TRANSIENT:
        remedy = "uploaded content is kept: run the same command again to go on"
        return HubError(explain(f"{what}: every attempt failed, the Hub answered {status}", remedy=remedy))
    if is_transient(error):
        remedy = "check the network and run the same command again: uploaded content is kept"
        return HubError(explain(f"{what}: every attempt failed, the connection to the Hub broke", remedy=remedy))
    reason = hide_tokens(" ".join(str(error).split()), token)[:200]
    return HubError(f"{what}: {reason}")


def _of_the_hub(error: BaseException) -> bool:
    return is_transient(error) or any(
        kind.__module__.split(".")[0] == "huggingface_hub" for one in _chain(error) for kind in type(one).__mro__
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
