"""What is decided for each public function of NumPy's and SciPy's, next to what serves it.

A function is differentiable, constant (its derivative is zero wherever it has one, or nothing that
it takes can be differentiated), passed through (its library's own code runs on traced values), or
refused with an error that says what to use. What serves a function says by that that it is
differentiable; every other decision is stated with its reason. :mod:`tools.coverage` makes
``docs/coverage.md`` of them, and a test enumerates the libraries' own lists, so that a new release
of one cannot add a silent gap.

Modules that are served as a whole or not at all have one decision for all their functions.
"""

from __future__ import annotations

from enum import StrEnum
from types import ModuleType
from typing import NamedTuple

__all__ = ["Decision", "Kind", "decide", "decide_module", "decision_of", "decisions"]


class Kind(StrEnum):
    """What a function is to derivatives."""

    DIFFERENTIABLE = "differentiable"
    CONSTANT = "constant"
    PASSED = "passed through"
    REFUSED = "refused"


class Decision(NamedTuple):
    """What is decided for a function, and why, or what to use instead, in words."""

    kind: Kind
    reason: str = ""


decisions: dict[str, Decision] = {}
"""By public name, as ``scipy.linalg.schur``."""


def decide(module: ModuleType | str, names: str, kind: Kind, reason: str = "") -> None:
    """State what is decided for functions and classes of a module, by name, with spaces between.

    A name that the module does not have is one that another release has.
    """
    prefix = module if isinstance(module, str) else module.__name__
    for name in names.split():
        path = f"{prefix}.{name}"
        if path in decisions:
            raise ValueError(f"{path} is decided already: {decisions[path]}")
        decisions[path] = Decision(kind, reason)


_modules: dict[str, Decision] = {}
"""For all functions of a module that have no decision of their own, by the module's name."""


def decide_module(name: str, kind: Kind, reason: str) -> None:
    """State what is decided for all functions of a module that nothing else is stated for."""
    if name in _modules:
        raise ValueError(f"{name} is decided already: {_modules[name]}")
    _modules[name] = Decision(kind, reason)


def decision_of(path: str) -> Decision | None:
    """What is stated for a function of this public name, or else for all of its module."""
    return decisions.get(path) or _modules.get(path.rpartition(".")[0])
