"""Exceptions, and how their messages are worded.

```
DatasetDMError
└── UserError (also ValueError)            the user can correct it; the command line prints one line and exits with 2
    ├── ConfigError                        an argument or a config: unknown, of a wrong type, out of range
    ├── PromptError                        a prompt, a prompt file, a class that no prompt can show
    ├── ModelError                         a model folder or id that cannot be used
    │   ├── GeneratorError                 …the text-to-image pipeline
    │   └── AnnotatorMismatch              …a decoder trained for another generator, level set or t
    ├── DataError                          labelled images to train on or to measure with
    ├── DivergedError                      a training whose loss or gradients are not finite
    ├── HubError                           the Hub cannot be reached, or refuses what was asked of it
    ├── StoreError (also OSError)          the shard store or an output folder: not empty, not writable, disk full
    ├── MissingExtra (also ImportError)    an optional dependency that is not installed
    └── UnknownDatasetError (also FileNotFoundError)   an unknown name under `dataset_dm/`
```

Every message is one line: what, got, expected, remedy. `explain` builds it:

>>> explain("num_images", got="abc", expected="a whole number of at least 1", remedy="pass num_images=64")
"num_images: got 'abc', expected a whole number of at least 1; pass num_images=64"
"""

from collections.abc import Iterable

_LONGEST_VALUE = 120  # characters of a value in a message
_UNSET = object()  # None is a value that users pass


class DatasetDMError(Exception):
    """Base of all exceptions that this package raises deliberately."""


class UserError(DatasetDMError, ValueError):
    """A mistake in the request; `exit_code` is the exit code of the command line."""

    exit_code = 2


class ConfigError(UserError):
    """An argument or a config is unknown, of a wrong type or out of range."""


class PromptError(UserError):
    """A prompt or a prompt file cannot be used."""


class ModelError(UserError):
    """A model folder or id cannot be used."""


class GeneratorError(ModelError):
    """The text-to-image pipeline is missing, incomplete, pickled or of an unknown family."""


class AnnotatorMismatch(ModelError):
    """The annotator was trained for another generator, level set, noise level or class-text style."""


class DataError(UserError):
    """Labelled images given for training or measuring are missing, damaged or inconsistent."""


class DivergedError(UserError):
    """A training's loss or gradients are not finite."""


class HubError(UserError):
    """The Hub cannot be reached, or refuses what was asked of it."""


class StoreError(UserError, OSError):
    """The shard store or an output folder cannot be read or written."""


class MissingExtra(UserError, ImportError):
    """An optional dependency is not installed; the message names the extra."""


class UnknownDatasetError(UserError, FileNotFoundError):
    """Neither this package, nor the current folder, nor the Hub has a dataset of that name."""


def explain(what: str, *, got: object = _UNSET, expected: str = "", remedy: str = "") -> str:
    """One line for the user: the subject, the value, what was expected, the remedy.

    `got` is shown as a shortened repr; `what` may include the place ("sample 12: mask"). Empty parts are omitted.
    """
    said = []
    if got is not _UNSET:
        value = " ".join(repr(got).split())
        said.append(f"got {value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + '…'}")
    if expected:
        said.append(f"expected {expected}")
    line = f"{what}: {', '.join(said)}" if said else what
    return f"{line}; {remedy}" if remedy else line


def reason_of(error: BaseException, longest: int = 200) -> str:
    """The message of a library's error on one line, cut to `longest` characters; its type if it has no message.

    >>> reason_of(OSError("no such\\n  file"))
    'no such file'
    """
    return " ".join(str(error).split())[:longest] or type(error).__name__


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'steps'?"` for the known word closest to `word`, "" when none is close: append it to a message.

    >>> "SamplerConfig: unknown key 'step'" + did_you_mean("step", ["steps", "guidance"])
    "SamplerConfig: unknown key 'step'; did you mean 'steps'?"
    """
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(str(word).lower(), by_lower, n=1)
    return f"; did you mean '{by_lower[close[0]]}'?" if close else ""
