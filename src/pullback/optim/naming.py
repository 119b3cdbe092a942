"""Methods by their names."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pullback.core.validation import require_instance, require_word
from pullback.errors import ArgumentTypeError
from pullback.optim.methods import Adam, AdamW, Method, Momentum, SteepestDescent
from pullback.optim.minimization import METHODS, minimizer
from pullback.optim.modified import Clipped, Decayed
from pullback.optim.schedules import Schedule

__all__ = ["DESCENT", "called", "changed"]

DESCENT: dict[str, Callable[..., Method]] = {
    "sgd": lambda rate=1e-2: SteepestDescent(rate),
    "momentum": lambda rate=1e-2: Momentum(rate),
    "nesterov": lambda rate=1e-2: Momentum(rate, nesterov=True),
    "adam": Adam,
    "adamw": AdamW,
}
"""The descent methods that have a name, as functions of the learning rate."""

_OTHERWISE = {"l-bfgs": "L-BFGS-B", "lbfgs": "L-BFGS-B", "steepest descent": "sgd"}
"""What else they are called."""


def called(method: Any, where: str, learning_rate: float | Schedule | None = None) -> Method | str:
    """A descent method, by its name too, or the name of one of SciPy's as SciPy writes it."""
    wanted = "a descent method such as pullback.optim.Adam(1e-3), or the name of a method"
    require_instance(method, str | Method, where, "method", wanted)
    if isinstance(method, str):
        word = _OTHERWISE.get(method.lower(), method).lower()
        if word in DESCENT:
            return DESCENT[word]() if learning_rate is None else DESCENT[word](learning_rate)
        if word not in map(str.lower, METHODS):
            near = word if difflib.get_close_matches(word, DESCENT, 1) else method
            require_word(near, [*DESCENT, *METHODS], where, "method")
        method = minimizer(word, where)
    if learning_rate is not None:
        has = "has one of its own" if isinstance(method, Method) else "searches along lines"
        raise ArgumentTypeError(
            f"{where}: learning_rate is given, and the method {method} {has}; write the method by "
            "its name, method='adam', or leave the learning rate out"
        )
    return method  # type: ignore[no-any-return]


def changed(method: Any, clip: float | None = None, weight_decay: float | None = None) -> Method:
    """The method, of a clipped gradient and with decay of the weights where that is asked for.

    `AdamW` decays by itself.
    """
    if weight_decay is not None:
        own = isinstance(method, AdamW)
        method = (
            replace(method, weight_decay=weight_decay) if own else Decayed(method, weight_decay)
        )
    return method if clip is None else Clipped(method, clip)
