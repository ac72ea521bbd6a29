"""What goes wrong between here and the Hub: what passes by itself, and what it is called for the user."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dataset_dm.cards.private import hide_tokens
from dataset_dm.errors import HubError, UserError, explain

# 409 and 412: somebody else committed meanwhile; the rest: the Hub is busy
_PASSING = {408, 409, 412, 425, 429, 500, 502, 503, 504}
# Names, since the client's own library has changed between versions: a connection that broke, timed out or was cut.
_BROKEN = {"TransportError", "ConnectionError", "TimeoutError", "Timeout", "ChunkedEncodingError", "IncompleteRead"}


@dataclass(frozen=True)
class Patience:
    """How often something is tried, and how long is waited in between (seconds, doubling, a little uneven)."""

    tries: int = 8
    first: float = 0.5
    longest: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def __iter__(self) -> Iterator[bool]:
        """Yields once a try: whether it is the last one. Waits before all but the first."""
        for number in range(self.tries):
            if number:
                pause = min(self.first * 2 ** (number - 1), self.longest)
                self.sleep(pause * random.uniform(0.75, 1.25))
            yield number + 1 == self.tries

    def call(self, what: str, action: Callable[[], object], token: str | None = None) -> object:
        """The action's result; HubError when it fails for good."""
        for last in self:
            try:
                return action()
            except Exception as error:
                if last or not passes(error):
                    told = translate(error, what, token)
                    if told is error:
                        raise
                    raise told from error
        raise AssertionError("no try was made")


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an error, or what caused it, is about."""
    for one in _chain(error):
        code = getattr(getattr(one, "response", None), "status_code", None)
        if code is not None:
            return int(code)
    return None


def is_offline(error: BaseException) -> bool:
    """Whether the client was told not to go online."""
    return any(type(one).__name__ == "OfflineModeIsEnabled" for one in _chain(error))


def passes(error: BaseException) -> bool:
    """Whether trying again can help."""
    if is_offline(error):
        return False
    status = status_of(error)
    if status is not None:
        return status in _PASSING
    return any(kind.__name__ in _BROKEN for one in _chain(error) for kind in type(one).__mro__)


def translate(error: BaseException, what: str, token: str | None = None) -> BaseException:
    """The one line for the user; errors that are no affair of the Hub's come back as they are."""
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
    if status is not None and status in _PASSING:
        remedy = "what was uploaded is kept: run the same command again to go on"
        return HubError(explain(f"{what}: the Hub answered {status} again and again", remedy=remedy))
    if passes(error):
        remedy = "check the network and run the same command again: what was uploaded is kept"
        return HubError(explain(f"{what}: the connection to the Hub broke again and again", remedy=remedy))
    reason = hide_tokens(" ".join(str(error).split()), token)[:200]
    return HubError(f"{what}: {reason}")


def _of_the_hub(error: BaseException) -> bool:
    return passes(error) or any(
        kind.__module__.split(".")[0] == "huggingface_hub" for one in _chain(error) for kind in type(one).__mro__
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
