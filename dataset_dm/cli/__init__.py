"""`dataset-dm`: one file a verb, imported when the verb is called, so that `--help` is fast.

A verb's module has `add_arguments(parser)` and `run(args) -> int`, and may have `HINT`, printed after an interruption.
"""

from __future__ import annotations

import argparse
import importlib
import keyword
import logging
import os
import sys
import warnings
from dataclasses import dataclass
from typing import Any, NoReturn

from dataset_dm.errors import UserError, did_you_mean

INTERRUPTED = 130  # 128 + SIGINT, as in shells
# Set before torch is imported, unless the user did. Threads that wait by spinning make a busy machine three to four
# times slower (measured: two threads, two cores, one other process); import notices of transformers are hidden.
ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "TRANSFORMERS_VERBOSITY": "error"}


@dataclass(frozen=True)
class Verb:
    """A command of `dataset-dm`: its group and its line in `--help`."""

    group: str
    text: str


# Groups and verbs stand in the order in which `--help` shows them.
VERBS = {
    "generate": Verb("make", "generate a labelled dataset from text"),
    "prompts": Verb("make", "draw prompts, measure how varied they are, write them to a file"),
    "relabel": Verb(
        "label", "relabel stored images with another annotator, or with a segmenter trained on their labels"
    ),
    "preview": Verb("look", "write a sheet of images and their labels"),
    "explore": Verb("look", "page through a set in the browser, compare annotators"),
    "duplicates": Verb("look", "find images that nearly repeat others or given photos, and leave them out"),
    "train": Verb("train", "train a decoder on labelled images"),
    "miniature": Verb("train", "train Miniature, the embedded generator, and its judge"),
    "evaluate": Verb("measure", "measure labels, images and speed"),
    "push": Verb("share", "upload a set, a decoder or an adapter to the Hub"),
    "export": Verb("share", "write a set in the format of another tool or trainer"),
    "import": Verb("share", "read corrected labels back as a new version of a set"),
    "status": Verb("look after", "show what the store holds of a set, what is missing, and the rate"),
    "verify": Verb("look after", "read every stored shard, report damaged ones, repair them"),
    "gc": Verb("look after", "delete stored shards of plans that are no longer wanted"),
    "redraw": Verb("look after", "reproduce a row from its provenance and compare it"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command line; returns the exit code: 0, 2 for a UserError, 130 after Ctrl-C."""
    words = sys.argv[1:] if argv is None else list(argv)
    if not words or words[0] in ("-h", "--help"):
        print(_help(), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] == "--version":
        from dataset_dm.registry import __version__

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
    parser = Parser(prog=f"dataset-dm {verb}", description=_sentence(module.__doc__ or VERBS[verb].text))
    module.add_arguments(parser)
    args = parser.parse_args(words[1:])
    return _run(module, args)


def _run(module: Any, args: argparse.Namespace) -> int:
    from dataset_dm.engine.termination import tidy_termination

    hint = getattr(module, "HINT", "")
    with warnings.catch_warnings(), tidy_termination(hint):
        warnings.showwarning = _show_warning
        try:
            return module.run(args) or 0
        except KeyboardInterrupt:
            print(f"\ninterrupted{hint}", file=sys.stderr)
            return INTERRUPTED
        except Exception as error:
            known = _user_error(error)
            if known is None:
                raise
            return _fail(str(known), known.exit_code)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            options = [option for action in self._actions for option in action.option_strings]
            message = f"unknown argument {unknown}{did_you_mean(unknown.split('=')[0].split(' ')[0], options)}"
        self.exit(2, f"error: {self.prog}: {message} (see {self.prog} --help)\n")


def _help() -> str:
    lines = ["usage: dataset-dm COMMAND …", "", "Text in, labelled dataset out."]
    for group in dict.fromkeys(verb.group for verb in VERBS.values()):
        lines += ["", f"{group}:"]
        lines += [f"  {name:<10} {verb.text}" for name, verb in VERBS.items() if verb.group == group]
    example = "dataset-dm generate voc_synth --num-images 16 --out voc16"
    return "\n".join([*lines, "", f"example: {example}", "details: dataset-dm COMMAND --help"])


def _sentence(doc: str) -> str:
    return doc.strip().splitlines()[0].replace("`", "")


def _fail(message: str, code: int = 2) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code


def _user_error(error: BaseException | None) -> UserError | None:
    """The UserError behind an exception, or a full disk; `datasets` wraps what builders raise."""
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


def _show_warning(message: Warning | str, category: type[Warning], *place: Any) -> None:
    """Print warnings for users in one line and write them to `--log`; hide those for developers."""
    from tqdm import tqdm

    from dataset_dm.engine.journal import tell

    if issubclass(category, UserWarning):
        text = " ".join(str(message).split())
        tqdm.write(f"warning: {text}", file=sys.stderr)  # there may be a bar
        tell("warning", text, level=logging.WARNING)
