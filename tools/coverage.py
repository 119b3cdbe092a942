"""Write `docs/coverage.md`: what is decided for each public function of NumPy's and SciPy's.

    python tools/coverage.py

The names are those of the libraries' own lists. What is decided for a function is what serves it,
or is stated next to what would (`pullback.numpy.decisions`).
"""

from __future__ import annotations

import importlib
from collections import Counter, defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy
from numpy.testing.overrides import (
    get_overridable_numpy_array_functions,
    get_overridable_numpy_ufuncs,
)

import pullback  # noqa: F401 which enters what it serves
from pullback.core.primitive import Primitive
from pullback.numpy.decisions import Decision, Kind, decision_of, decisions
from pullback.numpy.protocol import array_functions, creation_functions
from pullback.rules.registration import array_ufuncs, ufunc_behind
from pullback.scipy.advice import for_scipy
from pullback.scipy.first_step import compiled, served

__all__ = ["MODULES", "PAGE", "decided", "overridable", "public", "table", "text", "versions"]

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"

NUMPY = (
    "numpy", "numpy.linalg", "numpy.fft", "numpy.emath", "numpy.lib.stride_tricks",
    "numpy.polynomial", "numpy.polynomial.polynomial", "numpy.polynomial.chebyshev",
    "numpy.polynomial.legendre", "numpy.polynomial.laguerre", "numpy.polynomial.hermite",
    "numpy.polynomial.hermite_e", "numpy.polynomial.polyutils", "numpy.lib.recfunctions",
    "numpy.strings", "numpy.char",
)  # fmt: skip
SCIPY = (
    "scipy.fft", "scipy.fftpack", "scipy.linalg", "scipy.special", "scipy.stats", "scipy.signal",
    "scipy.sparse", "scipy.sparse.linalg", "scipy.spatial", "scipy.spatial.distance",
    "scipy.spatial.transform",
    "scipy.integrate", "scipy.interpolate", "scipy.ndimage", "scipy.optimize",
    "scipy.cluster.hierarchy", "scipy.cluster.vq",
)  # fmt: skip
MODULES = NUMPY + SCIPY

_UNLISTED = {"numpy.lib.stride_tricks": ["as_strided", "sliding_window_view"]}
"""What is public in modules that have no list."""

_OLD_NAMES = {"numpy.row_stack": "numpy.vstack"}
"""Public names that are deprecated, and the functions that they stand for."""

_UNDECIDED = Decision(None, "")  # type: ignore[arg-type]


def _module(name: str) -> Any:
    return np.emath if name == "numpy.emath" else importlib.import_module(name)


def public(name: str) -> dict[str, Any]:
    """The public functions of a module; of SciPy's and of series classes too, but for errors."""
    module = _module(name)
    names = _UNLISTED.get(name) or module.__all__
    found = {each: getattr(module, each) for each in sorted(set(names))}
    with_classes = name in SCIPY or name == "numpy.polynomial"
    return {
        each: value
        for each, value in found.items()
        if callable(value)
        and not isinstance(value, ModuleType)
        and f"{name}.{each}" not in _OLD_NAMES
        and not (isinstance(value, type) and (not with_classes or issubclass(value, Exception)))
    }


def overridable() -> set[Any]:
    """What NumPy lets other libraries override, private functions and doubles left out."""
    for name in NUMPY:
        _module(name)
    functions: set[Any] = get_overridable_numpy_array_functions()
    functions = functions | get_overridable_numpy_ufuncs()
    with_like: set[Any] = {
        np.eye, np.identity, np.fromfunction, np.full, np.ones, np.tri, np.require, np.genfromtxt,
        np.loadtxt,
    }  # fmt: skip
    doubles = {function.__name__ for function in with_like}

    def is_public(function: Any) -> bool:
        name = function.__name__
        if isinstance(function, np.ufunc):  # others are what functions of text are made of
            return function in (getattr(np, name, None), getattr(np.strings, name, None))
        return not name.startswith("_") and (function in with_like or name not in doubles)

    return set(filter(is_public, functions))


def decided(module: str, name: str, function: Any) -> Decision | None:
    """What is decided for a function; `None` if nothing is."""
    path = f"{module}.{name}"
    if path in decisions:
        return decisions[path]
    behind = ufunc_behind(function) if callable(function) else function
    if isinstance(behind, np.ufunc):
        entry = array_ufuncs.get(behind)
        if isinstance(entry, Primitive) and entry.is_constant:
            return Decision(Kind.CONSTANT, "locally constant")
        if entry is not None:
            return Decision(Kind.DIFFERENTIABLE)
        own = decisions.get(f"numpy.{name}") if module.startswith("numpy") else None
        return own or decision_of(path)
    if _is_in(function, compiled):
        return Decision(Kind.REFUSED, f"in C in this release of SciPy. {for_scipy(path)}")
    for entries in (array_functions, creation_functions, served):
        if _is_in(function, entries):
            return _elsewhere(function) or Decision(Kind.DIFFERENTIABLE)
    return decision_of(path)


def _is_in(function: Any, entries: Any) -> bool:
    try:
        return function in entries
    except TypeError:
        return False


def _elsewhere(function: Any) -> Decision | None:
    """What is stated for a function under the name that it has in its own module."""
    return decisions.get(f"{function.__module__}.{function.__name__}")


def table() -> dict[str, dict[str, Decision]]:
    """For each module the decisions by name; `_UNDECIDED` where there is none."""
    return {
        module: {
            name: decided(module, name, function) or _UNDECIDED
            for name, function in public(module).items()
        }
        for module in MODULES
    }


def versions() -> str:
    """The releases that the page is of."""
    numpy, scipys = (each.__version__.split(".")[:2] for each in (np, scipy))
    return f"NumPy {'.'.join(numpy)} and SciPy {'.'.join(scipys)}"


def text() -> str:
    """The page."""
    rows = table()
    scores = {
        module: Counter(each.kind for each in found.values()) for module, found in rows.items()
    }
    head = HEAD.format(versions=versions())
    lines = [_score(module, scores[module]) for module in MODULES]
    total: Counter[Any] = sum(scores.values(), Counter())
    lines.append(_score("in all", total))
    sections = "".join(f"\n## {module}\n\n{TABLE}{_rows(found)}" for module, found in rows.items())
    return head + "\n".join(lines) + "\n" + sections


def _score(module: str, score: Counter[Any]) -> str:
    numbers = " | ".join(str(score[kind] or "") for kind in Kind)
    return f"| {module} | {score.total()} | {numbers} |"


def _rows(found: dict[str, Decision]) -> str:
    groups: defaultdict[Decision, list[str]] = defaultdict(list)
    for name, decision in found.items():
        groups[decision].append(name)
    return "".join(_row(decision, groups[decision]) for decision in sorted(groups, key=_order))


def _order(decision: Decision) -> tuple[int, str]:
    kinds = list(Kind)
    return (kinds.index(decision.kind) if decision.kind else len(kinds), decision.reason)


def _row(decision: Decision, names: list[str]) -> str:
    kind = decision.kind or "undecided"
    return f"| {kind} | {' '.join(names)} | {decision.reason.replace('|', chr(92) + '|')} |\n"


TABLE = "| what | functions | why, or what to use |\n| --- | --- | --- |\n"

HEAD = """\
# Coverage

Written by `python tools/coverage.py` from what is served and what is stated beside it; don't edit
it. These are the public functions of {versions}, by their own lists. Conventions, accuracy and
examples: [NumPy's and SciPy's functions](numpy_scipy.md).

* **differentiable**: pullback has rules for it, forward and reverse.
* **constant**: its derivative is zero wherever it has one, or nothing that it takes has one.
* **passed through**: the library's own code runs on traced values.
* **refused**: it raises an error that says what to use.

| module | functions | differentiable | constant | passed through | refused |
| --- | --- | --- | --- | --- | --- |
"""

if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
