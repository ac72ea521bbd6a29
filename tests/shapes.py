"""Array shapes in signatures, checked while tests run.

:func:`install` makes every function and dataclass of ``dataset_dm`` whose annotations name a jaxtyping array
(``Float[Tensor, "b c h w"]``) check these arguments and its return value; axis names are bound for one call. Other
annotations are not looked at, and functions without arrays are left as they are.

jaxtyping's own import hook wraps every function, resolves annotations while a module is still being read, and drops
those it cannot resolve, as names that are imported under ``TYPE_CHECKING``; hence this one.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

import jaxtyping
from jaxtyping import AbstractArray, AbstractDtype, jaxtyped

Check = Callable[[Any], str]  # of a value: "" or what is wrong with it

_DTYPES = {
    name: value
    for name, value in vars(jaxtyping).items()
    if inspect.isclass(value) and issubclass(value, AbstractDtype)
}
_WORD = re.compile(r"[A-Za-z_]\w*")


class ShapeError(TypeError):
    """An array has another type or shape than the signature says."""


def check_arrays(function: Callable, names: Mapping[str, Any] | None = None) -> Callable:
    """``function`` with its arrays checked, or ``function`` itself if its annotations name none.

    Args:
        function: annotated, with strings or with types.
        names: what its annotations may name; the function's globals unless given.
    """
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"check_arrays: got {function!r}, expected a function")
    names = function.__globals__ if names is None else names
    annotated = function.__annotations__.items()
    hints = {name: hint for name, text in annotated if (hint := _resolve(text, names)) is not None}
    checks = {name: check for name, hint in hints.items() if (check := _check(hint)) is not None}
    returned = None if _is_generator(function) else checks.pop("return", None)
    checks.pop("return", None)
    if not checks and returned is None:
        return function
    arguments = _arguments(function, checks)

    passed: set[tuple] = set()  # whether arrays fit depends on their forms alone

    def check_arguments(args: tuple, kwargs: dict) -> None:
        for name, values, check in arguments:
            for value in values(args, kwargs):
                if wrong := check(value):
                    raise ShapeError(_message(function, f"argument {name!r}", value, hints[name], wrong))

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        given = tuple([_form(values(args, kwargs)) for _, values, _ in arguments])
        if given not in passed:
            with jaxtyped("context"):
                check_arguments(args, kwargs)
            passed.add(given)
        result = function(*args, **kwargs)
        if returned is not None and (given, _form(result)) not in passed:
            with jaxtyped("context"):
                check_arguments(args, kwargs)  # binds the axes
                if wrong := returned(result):
                    raise ShapeError(_message(function, "its return value", result, hints["return"], wrong))
            passed.add((given, _form(result)))
        return result

    return checked


def install(package: str = "dataset_dm") -> None:
    """Check the arrays of every module of ``package`` that is imported from now on."""
    early = [name for name in sys.modules if name == package or name.startswith(f"{package}.")]
    if early:
        raise RuntimeError(f"shapes: {', '.join(early)} were imported before the check; install it first")
    sys.meta_path.insert(0, _Finder(package))


def wrap_module(module: types.ModuleType) -> None:
    """Replace the functions and methods that ``module`` defines by checked ones, and check its dataclasses' fields."""
    for name, value in list(vars(module).items()):
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            _wrap_class(value, vars(module))
        elif (checked := _wrap(value, vars(module))) is not value:
            setattr(module, name, checked)


class _Finder(MetaPathFinder):
    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if fullname != self.package and not fullname.startswith(f"{self.package}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            _check_after(spec.loader)
        return spec


def _check_after(loader: Loader) -> None:
    read = loader.exec_module

    def exec_module(module: types.ModuleType) -> None:
        read(module)
        wrap_module(module)

    loader.exec_module = exec_module


def _wrap(value: Any, names: Mapping[str, Any]) -> Any:
    """A checked stand-in for a function, method, property or cached function; ``value`` itself where none is needed."""
    if isinstance(value, types.FunctionType):
        return check_arrays(value, names)
    if isinstance(value, (staticmethod, classmethod)):
        checked = _wrap(value.__func__, names)
        return value if checked is value.__func__ else type(value)(checked)
    if isinstance(value, property):
        checked = _wrap(value.fget, names)
        return value if checked is value.fget else property(checked, value.fset, value.fdel, value.__doc__)
    if isinstance(value, functools.cached_property):
        value.func = _wrap(value.func, names)
    elif hasattr(value, "cache_parameters"):
        checked = _wrap(value.__wrapped__, names)
        return value if checked is value.__wrapped__ else functools.lru_cache(**value.cache_parameters())(checked)
    return value


def _wrap_class(cls: type, names: Mapping[str, Any]) -> None:
    for name, value in list(vars(cls).items()):
        if inspect.isclass(value) and value.__qualname__ == f"{cls.__qualname__}.{name}":
            _wrap_class(value, names)
        elif (checked := _wrap(value, names)) is not value:
            setattr(cls, name, checked)


def _is_generator(function: Callable) -> bool:
    return inspect.isgeneratorfunction(inspect.unwrap(function))


def _arguments(function: Callable, checks: Mapping[str, Check]) -> list[tuple[str, Callable, Check]]:
    """Name, a reader of its values from (args, kwargs), and check of every parameter that has a check."""
    parameters = inspect.signature(function).parameters
    found = []
    for at, (name, parameter) in enumerate(parameters.items()):
        if name not in checks:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            values = functools.partial(_rest, at)
        elif parameter.kind is parameter.VAR_KEYWORD:
            values = functools.partial(_others, frozenset(parameters))
        else:
            last = parameter.kind is parameter.KEYWORD_ONLY
            values = functools.partial(_one, sys.maxsize if last else at, name)
        found.append((name, values, checks[name]))
    return found


def _form(value: Any) -> Any:
    """What tells whether a value fits an annotation: type, dtype and shape of an array, these of all in a container."""
    if isinstance(shape := getattr(value, "shape", None), tuple):
        return type(value), getattr(value, "dtype", None), tuple(shape)
    if isinstance(value, Mapping):
        return type(value), tuple([_form(part) for part in value.values()])
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return type(value), tuple([_form(part) for part in value])
    return type(value)


def _one(at: int, name: str, args: tuple, kwargs: dict) -> tuple:
    return (args[at],) if at < len(args) else (kwargs[name],) if name in kwargs else ()


def _rest(at: int, args: tuple, kwargs: dict) -> tuple:
    return args[at:]


def _others(known: frozenset[str], args: tuple, kwargs: dict) -> list:
    return [value for name, value in kwargs.items() if name not in known]


def _resolve(hint: Any, names: Mapping[str, Any]) -> Any:
    """The annotation as a type if it mentions an array, else None."""
    if not isinstance(hint, str):
        return hint if any(_arrays(hint)) else None
    names = _Names(names)
    if not any(names.is_array(word) for word in _WORD.findall(hint)):
        return None
    resolved = eval(hint, {}, names)
    return resolved if any(_arrays(resolved)) else None


class _Names(dict):
    """The names of a module; what it imports for annotations alone is looked up here, and anything else is Any."""

    def is_array(self, word: str) -> bool:
        """Is ``word`` a dtype of jaxtyping or an alias of an array type?"""
        value = self.get(word, _DTYPES.get(word))
        return value is not None and (value is _DTYPES.get(word) or any(_arrays(value)))

    def __missing__(self, name: str) -> Any:
        if name in _DTYPES:
            return _DTYPES[name]
        if name in ("np", "torch"):
            return importlib.import_module({"np": "numpy"}.get(name, name))
        for module in ("builtins", "typing", "collections.abc", "torch"):
            if hasattr(found := importlib.import_module(module), name):
                return getattr(found, name)
        return Any


def _arrays(hint: Any) -> Iterator[type]:
    """The array types that an annotation mentions."""
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        yield hint
    elif isinstance(hint, typing.ForwardRef):
        return
    else:
        for part in typing.get_args(hint):
            yield from _arrays(part)


def _check(hint: Any) -> Check | None:
    """What tells whether a value fits ``hint``, or None if ``hint`` says nothing of arrays that can be checked."""
    if not any(_arrays(hint)):
        return None
    if inspect.isclass(hint):
        return functools.partial(_array, hint)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _check(parts[0])
    if origin in (typing.Union, types.UnionType):
        return functools.partial(_union, parts, [_check(part) for part in parts])
    if origin is tuple and parts[-1] is not Ellipsis:
        return functools.partial(_tuple, [_check(part) for part in parts])
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        check = _check(parts[1])
        return None if check is None else lambda value: _each(check, value.values())
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        check = _check(parts[0])
        return None if check is None else lambda value: _each(check, value)
    return None  # iterators would be used up


def _array(hint: Any, value: Any) -> str:
    return "" if isinstance(value, hint) else hint.__instancecheck_str__(value) or "does not fit"


def _union(parts: Sequence[Any], checks: Sequence[Check | None], value: Any) -> str:
    reasons = []
    for part, check in zip(parts, checks, strict=True):
        if check is not None:
            reasons.append(check(value) if value is not None else "None")
        elif _is_plain(value, part):
            return ""
        if reasons and not reasons[-1]:
            return ""
    return "; ".join(reasons)


def _is_plain(value: Any, part: Any) -> bool:
    """Does ``value`` fit a part of a union that names no array? Strict for None and for arrays only."""
    if value is None or part is type(None):
        return value is None and part is type(None)
    return not hasattr(value, "shape") or (inspect.isclass(part) and isinstance(value, part))


def _tuple(checks: Sequence[Check | None], value: Any) -> str:
    if not isinstance(value, tuple) or len(value) != len(checks):
        return f"not a tuple of {len(checks)}"
    return next((wrong for check, part in zip(checks, value, strict=True) if check and (wrong := check(part))), "")


def _each(check: Check, values: Any) -> str:
    return next((wrong for value in values if (wrong := check(value))), "")


def _message(function: Callable, what: str, value: Any, hint: Any, wrong: str) -> str:
    shape = f"{value.dtype} {tuple(value.shape)}" if hasattr(value, "shape") else type(value).__name__
    expected = hint.__name__ if inspect.isclass(hint) else str(hint)
    return f"{function.__module__}.{function.__qualname__}: {what} is {shape}, expected {expected}: {wrong}"
