"""What the source looks like from outside: sizes, mirrors among the tests, shapes in signatures.

``python -m tests.structure`` lists everything that ``tests/test_structure.py`` counts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("dataset_dm", "builders", "cards")
LINES_OF_A_FILE, LINES_OF_A_FUNCTION, PARAMETERS = 300, 60, 10
# a module of at most this many lines is tested through those that use it
LINES_WITHOUT_A_MIRROR = 60
_ARRAYS = {"Tensor", "ndarray", "NDArray", "ArrayLike"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> list[tuple[PurePosixPath, int, ast.Module]]:
    """Path below the repository, number of lines and syntax tree of every product module."""
    found = []
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        found.append((PurePosixPath(path.relative_to(ROOT).as_posix()), source.count("\n"), ast.parse(source)))
    return found


def functions() -> Iterator[tuple[str, _Function]]:
    """Where every function stands, ``path:line name``, and its syntax tree."""
    for path, _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, _Function):
                yield f"{path}:{node.lineno} {node.name}", node


def mirrors(path: PurePosixPath) -> list[PurePosixPath]:
    """Where the tests of a module may be: ``dataset_dm/store/shards.py`` → ``tests/store/test_shards.py``.

    Those of a package's ``__init__`` carry the name of the package or are called ``test_init.py``.
    """
    below = path.relative_to("dataset_dm") if path.parts[0] == "dataset_dm" else path
    names = (
        ["init", below.parent.name or "dataset_dm"] if path.stem == "__init__" else [path.stem.lstrip("_").rstrip("_")]
    )
    return ["tests" / below.parent / f"test_{name}.py" for name in names]


def without_mirror() -> list[str]:
    """Modules of more than :data:`LINES_WITHOUT_A_MIRROR` lines that no test file is named after."""
    return [
        f"{path}: no {mirrors(path)[-1]}"
        for path, lines, _ in modules()
        if lines > LINES_WITHOUT_A_MIRROR and not any((ROOT / mirror).is_file() for mirror in mirrors(path))
    ]


def loose_modules() -> list[str]:
    """Modules at the top of the package, outside any room."""
    return sorted(path.name for path in (ROOT / "dataset_dm").glob("*.py"))


def long_files() -> list[str]:
    """Files of more than :data:`LINES_OF_A_FILE` lines."""
    return [f"{path}: {lines} lines" for path, lines, _ in modules() if lines > LINES_OF_A_FILE]


def long_functions() -> list[str]:
    """Functions of more than :data:`LINES_OF_A_FUNCTION` lines, docstring included."""
    sizes = [(where, node.end_lineno - node.lineno + 1) for where, node in functions()]
    return [f"{where}: {lines} lines" for where, lines in sizes if lines > LINES_OF_A_FUNCTION]


def many_parameters() -> list[str]:
    """Functions of more than :data:`PARAMETERS` parameters, ``self`` and ``cls`` aside."""
    sizes = [(where, len(_parameters(node))) for where, node in functions()]
    return [f"{where}: {count} parameters" for where, count in sizes if count > PARAMETERS]


def without_shapes() -> list[str]:
    """Public functions and methods whose annotations name an array type but not its axes."""
    found = []
    for path, _, tree in modules():
        if not any(part.startswith("_") and part != "__init__.py" for part in path.parts):
            found += [f"{path}:{node.lineno} {node.name}" for node in _public(tree) if lacks_shapes(node)]
    return found


def lacks_shapes(function: _Function) -> bool:
    """Is a parameter or the return value of ``function`` an array without ``Float[Tensor, "…"]`` around it?"""
    hints = [parameter.annotation for parameter in _parameters(function)] + [function.returns]
    return any(_bare_array(hint) for hint in hints if hint is not None)


def _bare_array(hint: ast.AST) -> bool:
    if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        return _bare_array(ast.parse(hint.value, mode="eval").body)
    if isinstance(hint, ast.Subscript) and isinstance(hint.slice, ast.Tuple) and len(hint.slice.elts) == 2:
        axes = hint.slice.elts[1]
        if isinstance(axes, ast.Constant) and isinstance(axes.value, str):
            return False  # jaxtyping's form: an array type and its axes
    name = hint.id if isinstance(hint, ast.Name) else hint.attr if isinstance(hint, ast.Attribute) else None
    return name in _ARRAYS or any(_bare_array(part) for part in ast.iter_child_nodes(hint))


def _public(body: ast.Module | ast.ClassDef) -> Iterator[_Function]:
    for node in body.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _public(node)
        elif isinstance(node, _Function) and (not node.name.startswith("_") or node.name == "__call__"):
            yield node


def _parameters(function: _Function) -> list[ast.arg]:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    collected = [parameter for parameter in (given.vararg, given.kwarg) if parameter is not None]
    return [parameter for parameter in named if parameter.arg not in ("self", "cls")] + collected


CHECKS = (without_mirror, loose_modules, long_files, long_functions, many_parameters, without_shapes)


def main() -> None:
    """Print what each check finds, and how many."""
    for check in CHECKS:
        found = check()
        print(f"{check.__name__}: {len(found)}", *found, sep="\n  ", end="\n\n")


if __name__ == "__main__":
    main()
