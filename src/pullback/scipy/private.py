"""The names of SciPy's that are not public and that pullback reads: one table, checked on use.

Private names move between releases. What serves a function by one asks for it here; where it has
moved, that function is refused by its public name, and everything else works.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import scipy

from pullback.errors import NoRuleError

__all__ = ["PRIVATE", "moved", "needed", "private"]

PRIVATE: dict[str, str] = {}
"""For each private path, ``module:qualified name``, which public functions are served by it."""

moved: dict[str, str] = {}
"""Those that were asked for and are not there, with what is not served therefore."""


def private(path: str) -> Any:
    """The object at this path of the table, or `None` where the running SciPy has it elsewhere."""
    module, _, name = path.partition(":")
    try:
        return functools.reduce(getattr, name.split("."), importlib.import_module(module))
    except (ImportError, AttributeError):
        moved[path] = PRIVATE[path]
        return None


def needed(path: str) -> Any:
    """The object at this path; an error that names what is served by it where that is elsewhere."""
    found = private(path)
    if found is None:
        raise NoRuleError(
            f"{PRIVATE[path]} met a traced value, and has no derivative rule in pullback. SciPy "
            f"{scipy.__version__} has not got {path.replace(':', '.')}, of which it is made: use "
            "another release of SciPy, or write the function with NumPy's functions"
        )
    return found
