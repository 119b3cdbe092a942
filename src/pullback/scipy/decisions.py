"""Decisions for SciPy's functions that have no rule of ours: see `pullback.numpy.decisions`."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any

from pullback.core.tracing import Tracer
from pullback.errors import NoRuleError
from pullback.numpy.decisions import Kind, decide
from pullback.scipy.constants import constant_call
from pullback.scipy.first_step import first_traced, give_first_step

__all__ = ["constant", "passed", "refused", "refusing"]


def constant(module: ModuleType, names: str, reason: str) -> None:
    """State that nothing that these functions take can be differentiated, as a number of points."""
    decide(module, names, Kind.CONSTANT, reason)


def passed(module: ModuleType, names: str, reason: str = "") -> None:
    """State that SciPy's own code of these functions runs on traced values, and what makes it."""
    decide(module, names, Kind.PASSED, reason)


def refused(module: ModuleType, names: str, instead: str) -> None:
    """State that these functions are refused, and what to use `instead`, in sentences.

    Those that are written in Python raise before their code runs.
    """
    decide(module, names, Kind.REFUSED, instead)
    for name in names.split():
        function = getattr(module, name, None)
        if type(function) is FunctionType:
            give_first_step(function, refusing(function, f"{module.__name__}.{name}", instead))


def refusing(function: FunctionType, name: str, instead: str) -> Any:
    """What a function of this public name does with traced values, if it is to raise an error."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        out = constant_call(function, args, kwargs)
        if out is not NotImplemented:
            return out
        x: Tracer = first_traced((*args, *kwargs.values()))
        raise NoRuleError(
            f"{name} met a traced value of dtype {x.dtype} and shape {x.shape}, and has no "
            f"derivative rule in pullback. {instead}"
        )

    return refuse
