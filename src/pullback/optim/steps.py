"""A step of training: the objective's value and gradient, and what a method makes of them."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.tracing import is_plain
from pullback.core.validation import name_of
from pullback.optim.methods import Method
from pullback.transforms.gradient import value_and_grad

__all__ = ["Step", "compiled_step", "eager_step", "steady"]

Step = Callable[[Any, Any, tuple[Any, ...]], tuple[Any, Any, Any]]
"""Of parameters, state and batch: the objective before the step, parameters and state after it.

What comes after a step whose objective isn't finite is of no use.
"""


def eager_step(objective: Callable[..., Any], method: Method) -> Step:
    """A step as Python takes it."""
    evaluate = value_and_grad(objective)

    def step(params: Any, state: Any, batch: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        value, gradient = evaluate(params, *batch)
        if np.isfinite(value):
            params, state = method.update(gradient, state, params)
        return value, params, state

    return step


def compiled_step(objective: Callable[..., Any], method: Method) -> Step:
    """The same as machine code, in which nothing of the user's is written to.

    The numbers that the method's schedule gives are arguments: a schedule is a function of Python.
    """
    evaluate = value_and_grad(objective)

    def step(numbers: Any, params: Any, state: Any, *batch: Any) -> tuple[Any, Any, Any]:
        value, gradient = evaluate(params, *batch)
        return value, *_holding(method, numbers).update(gradient, state, params)

    step.__name__ = step.__qualname__ = f"train of {name_of(objective)}"
    # The compiler is loaded when it is asked for: LLVM takes a moment.
    native = importlib.import_module("pullback.compiler.compiled").compile(step)

    def taken(params: Any, state: Any, batch: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        out: tuple[Any, Any, Any] = native(method.scheduled(state), params, state, *batch)
        return out

    return taken


def steady(params: Any) -> Any:
    """Parameters of the kinds that a step gives, so that one recording serves the first one too."""

    def kept(leaf: Any) -> Any:
        is_array = type(leaf) is np.ndarray or is_plain(leaf, np.generic)
        return np.asarray(leaf, order="C") if is_array else leaf

    return trees.map_tree(kept, params)


def _holding(method: Method, numbers: dict[str, Any]) -> Method:
    """The method with these in place of its own attributes."""
    twin = copy.copy(method)
    for name, number in numbers.items():
        object.__setattr__(twin, name, number)  # methods are frozen
    return twin
