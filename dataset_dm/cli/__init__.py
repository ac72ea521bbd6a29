"""`dataset-dm`: one file a verb. A verb's module is imported when it is called, so that help comes at once.

A verb's module has `add_arguments(parser)` and `run(args) -> int`; it may have `HINT`, said after Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import argparse
import importlib
import keyword
import logging
import os
import sys
import warnings
from typing import Any, NoReturn

from dataset_dm.errors import UserError, did_you_mean

VERBS = {
    "generate": "make a labelled dataset out of text",
    "relabel": "label a set's images anew, by another labeller or by one trained on them; nothing is drawn",
    "preview": "draw a sheet of images and labels",
    "duplicates": "find pictures that nearly repeat others or given photos, and leave them out",
    "prompts": "draw prompts, say how varied they are, write them to a file",
    "explore": "page through a set in the browser, compare labellers",
    "export": "write a set in another tool's or trainer's format",
    "import": "bring corrected labels back as a new version of a set",
    "push": "put a set on the Hub",
    "status": "what the store holds of a set, what is missing, how fast it goes",
    "verify": "read every stored shard and say which are damaged",
    "gc": "delete stored shards of plans that are no longer wanted",
    "train": "train a decoder on labelled images",
    "evaluate": "measure labels, images and speed",
    "redraw": "make a row again from its provenance: the image by stock diffusers, or image and labels",
    "miniature": "train the embedded generator and its judge",
}
INTERRUPTED = 130  # as shells have it: 128 + SIGINT
# Set before torch is imported, unless the user did. Threads that wait by spinning make a busy machine three to four
# times slower (measured: two threads, two cores, one other process); notices on import are not for our users.
ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "TRANSFORMERS_VERBOSITY": "error"}


def main(argv: list[str] | None = None) -> int:
    """Runs one command line; returns the exit code: 0, 2 for a mistake of the user's, 130 after Ctrl-C."""
    words = sys.argv[1:] if argv is None else list(argv)
    if not words or words[0] in ("-h", "--help"):
        print(_help(), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] == "--version":
        from dataset_dm import __version__

        print(f"dataset-dm {__version__}")
        return 0
    verb = words[0]
    if verb not in VERBS:
        known = ", ".join(VERBS)
        return _fail(f"unknown command {verb!r}; expected one of {known}{did_you_mean(verb, VERBS)}")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    file = f"{verb}_" if keyword.iskeyword(verb) else verb  # no module can be called import
    module = importlib.import_module(f"dataset_dm.cli.{file}")
    parser = Parser(prog=f"dataset-dm {verb}", description=_sentence(module.__doc__ or VERBS[verb]))
    module.add_arguments(parser)
    args = parser.parse_args(words[1:])
    return _run(module, args)


def _run(module: Any, args: argparse.Namespace) -> int:
    from dataset_dm.engine.termination import tidy_termination

    hint = getattr(module, "HINT", "")
    with warnings.catch_warnings(), tidy_termination(hint):
        warnings.showwarning = _say_warning
        try:
            return module.run(args) or 0
        except KeyboardInterrupt:
            print(f"\ninterrupted{hint}", file=sys.stderr)
            return INTERRUPTED
        except Exception as error:
            ours = _user_error(error)
            if ours is None:
                raise
            return _fail(str(ours), ours.exit_code)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Exits with 2."""
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            options = [option for action in self._actions for option in action.option_strings]
            message = f"unknown argument {unknown}{did_you_mean(unknown.split('=')[0].split(' ')[0], options)}"
        self.exit(2, f"error: {self.prog}: {message} (see {self.prog} --help)\n")


def _help() -> str:
    lines = [f"  {name:<10} {text}" for name, text in VERBS.items()]
    return "\n".join(
        [
            "usage: dataset-dm COMMAND …",
            "",
            "Text in, labelled dataset out.",
            "",
            "commands:",
            *lines,
            "",
            "example: dataset-dm generate voc_synth --num-images 16 --out voc16",
            "details: dataset-dm COMMAND --help",
        ]
    )


def _sentence(doc: str) -> str:
    return doc.strip().splitlines()[0].replace("`", "")


def _fail(message: str, code: int = 2) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code


def _user_error(error: BaseException | None) -> UserError | None:
    """The user's mistake behind an exception, or a full disk; `datasets` wraps what builders raise."""
    from dataset_dm.files.atomic import disk_full

    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, UserError):
            return error
        if isinstance(error, OSError) and (full := disk_full(error)) is not None:
            return full
        seen.add(id(error))
        error = error.__cause__
    return None


def _say_warning(message: Warning | str, category: type[Warning], *place: Any) -> None:
    """Warnings for users in one line, into `--log` too; those for developers not at all."""
    from tqdm import tqdm

    from dataset_dm.engine.journal import tell

    if issubclass(category, UserWarning):
        text = " ".join(str(message).split())
        tqdm.write(f"warning: {text}", file=sys.stderr)  # there may be a bar
        tell("warning", text, level=logging.WARNING)
