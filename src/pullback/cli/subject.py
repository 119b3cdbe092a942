"""A function and its arguments, from the words of a command line."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pullback.cli.codes import UsageError
from pullback.core.creation import require_shape
from pullback.core.validation import shown

__all__ = ["load_function", "primals_from"]

EXAMPLE = 'write MODULE:FUNCTION or FILE.py:FUNCTION, for example "numpy:tanh"'


# -- the function -----------------------------------------------------------------------------


def load_function(name: str) -> Callable[..., Any]:
    """The function that ``MODULE:FUNCTION`` or ``FILE.py:FUNCTION`` names.

    Modules are found as Python finds them, and in the current directory. The part after the colon
    may have dots.
    """
    source, colon, path = name.rpartition(":")
    if not (colon and source and path):
        raise UsageError(f"{shown(name)} does not name a function; {EXAMPLE}")
    found: Any = _load_module(source)
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            raise UsageError(f"{source} has no {path!r}{_suggestion(found, attribute)}; {EXAMPLE}")
        found = getattr(found, attribute)
    if not callable(found):
        raise UsageError(
            f"{name} is of type {type(found).__name__}, wanted a function of arrays; {EXAMPLE}"
        )
    return found  # type: ignore[no-any-return]


def _load_module(source: str) -> ModuleType:
    file = Path(source)
    try:
        if file.suffix == ".py":
            return _load_file(file)
        if str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
        return importlib.import_module(source)
    except UsageError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (source == error.name or source.startswith(f"{error.name}.")):
            raise UsageError(
                f"there is no module {error.name!r}, installed or in {Path.cwd()}; {EXAMPLE}"
            ) from error
        raise UsageError(f"importing {source} failed: {error}; install what it needs") from error
    except SyntaxError as error:
        raise UsageError(
            f"{source} is not Python: {error}; mend it, or name another module"
        ) from error
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"importing {source} raised {type(error).__name__}: {error}\n"
            'What a script does belongs under: if __name__ == "__main__" '
            "(--traceback shows where it failed)."
        ) from error


def _load_file(file: Path) -> ModuleType:
    if not file.is_file():
        raise UsageError(f"there is no file {file}; {EXAMPLE}")
    name = file.stem if file.stem not in sys.modules else str(file.resolve())
    specification = importlib.util.spec_from_file_location(name, file)
    if specification is None or specification.loader is None:
        raise UsageError(f"{file} cannot be imported; {EXAMPLE}")
    module = importlib.util.module_from_spec(specification)
    # Dataclasses and pickles look a module up by its name; a script finds its neighbours.
    sys.modules[name] = module
    sys.path.insert(0, str(file.resolve().parent))
    specification.loader.exec_module(module)
    return module


def _suggestion(found: Any, attribute: str) -> str:
    names = [name for name in dir(found) if callable(getattr(found, name, None))]
    close = difflib.get_close_matches(attribute, names, n=3)
    return f" (is it {' or '.join(close)}?)" if close else ""


# -- its arguments ----------------------------------------------------------------------------


def primals_from(
    given: Sequence[tuple[str, str]],
    *,
    dtype: str = "float64",
    keep_integers: bool = False,
    seed: int = 0,
) -> tuple[Any, ...]:
    """The arguments that ``--at`` and ``--shape`` describe, in their order.

    `given` are pairs of an option and its text. Numbers become arrays of the `dtype`, but those
    without a point stay integers, which are not differentiated, with `keep_integers`.
    """
    if not given:
        raise UsageError(
            "at which point? A derivative is checked at arguments: give each by --at, for example "
            '--at "[0.5, -2.0]", or random ones by --shape, for example --shape 3,4'
        )
    kind = _inexact(dtype)
    rng = np.random.default_rng(seed)
    primals: list[Any] = []
    for option, text in given:
        if option == "--shape":
            primals.append(_random(_shape(text), kind, rng))
        elif text.endswith((".npy", ".npz")):
            primals += _stored(Path(os.path.expanduser(text)))
        else:
            primals += [_arrays(value, kind, keep_integers) for value in _literals(text)]
    return tuple(primals)


def _inexact(dtype: str) -> np.dtype[Any]:
    try:
        kind = np.dtype(dtype)
    except Exception:  # whatever NumPy raises for what is no dtype
        kind = np.dtype(object)
    if kind.kind not in "fc":
        raise UsageError(
            f"--dtype is {shown(dtype)}, wanted float64, float32, complex128 or complex64: nothing "
            "else can be differentiated"
        )
    return kind


def _shape(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.strip("()[] ").split(",") if part.strip()]
    if not all(part.isascii() and part.isdecimal() and len(part) <= 18 for part in parts):
        raise UsageError(
            f"--shape is {shown(text)}, wanted whole numbers: 3,4 for a matrix, () for a scalar"
        )
    return require_shape(tuple(map(int, parts)), "pullback check", "--shape")


def _random(shape: tuple[int, ...], kind: np.dtype[Any], rng: np.random.Generator) -> Any:
    values = rng.normal(size=shape)
    if kind.kind == "c":
        values = values + 1j * rng.normal(size=shape)
    return np.asarray(values, dtype=kind)


def _stored(file: Path) -> list[Any]:
    """The array in a file .npy, or the arrays in a file .npz, in the order of the file."""
    try:
        if file.exists() and not file.is_file():
            raise UsageError(f"--at {file} is not a file; name a file .npy or .npz")
        stored = np.load(file, allow_pickle=False)
    except FileNotFoundError as error:
        raise UsageError(f"--at {file}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"--at {file} cannot be read as NumPy arrays: {error}") from error
    if isinstance(stored, np.ndarray):
        return [stored]
    with stored:
        return [stored[name] for name in stored.files]


def _literals(text: str) -> tuple[Any, ...]:
    try:
        # The trailing comma makes a tuple of one value as of several.
        values = ast.literal_eval(f"({text.strip().rstrip(',')},)")
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise UsageError(
            f"--at {shown(text)} is not made of Python numbers, lists, tuples and dicts; write for "
            'example --at "1.0, [1.0, 2.0]", or name a file .npy'
        ) from error
    return tuple(values)


def _arrays(value: Any, kind: np.dtype[Any], keep_integers: bool) -> Any:
    """Lists and numbers as arrays; tuples and dicts as containers of them."""
    if isinstance(value, tuple):
        return tuple(_arrays(part, kind, keep_integers) for part in value)
    if isinstance(value, dict):
        return {name: _arrays(part, kind, keep_integers) for name, part in value.items()}
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise UsageError(
            f"--at: {value!r} is not an array: its rows differ in length; a container of several "
            "arrays is written with parentheses"
        ) from error
    if array.dtype.kind not in "biufc":
        raise UsageError(f"--at: {value!r} is not an array of numbers")
    if array.dtype.kind == "b" or (array.dtype.kind in "iu" and keep_integers):
        return array
    if array.dtype.kind == "c" and kind.kind != "c":
        kind = np.result_type(kind, np.complex64)
    return array.astype(kind)
