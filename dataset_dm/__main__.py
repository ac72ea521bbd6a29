"""`python -m dataset_dm script.py args…` runs a script with the plugin on, otherwise like `python script.py args…`."""

import sys
from pathlib import Path
from types import ModuleType

_USAGE = "usage: python -m dataset_dm script.py [argument …]   (the tools are: dataset-dm --help)"


def main(argv: list[str]) -> None:
    """Run `argv[0]` as `__main__`; a missing script is one line and exit code 2."""
    if not argv or argv[0] in ("-h", "--help"):
        print(_USAGE, file=sys.stdout if argv else sys.stderr)
        raise SystemExit(0 if argv else 2)
    script = Path(argv[0])
    if not script.is_file():
        print(f"python -m dataset_dm: no script {argv[0]!r}; {_USAGE}", file=sys.stderr)
        raise SystemExit(2)
    sys.argv = argv
    if not getattr(sys.flags, "safe_path", False):  # as `python script.py`: its folder, not the current one
        sys.path[0] = str(script.resolve().parent)
    code = compile(script.read_bytes(), argv[0], "exec", dont_inherit=True)
    # The module is not removed: threads, atexit functions and pickles look names up in sys.modules["__main__"].
    module = ModuleType("__main__")
    module.__dict__.update(__file__=argv[0], __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = module
    exec(code, module.__dict__)


if __name__ == "__main__":
    main(sys.argv[1:])
