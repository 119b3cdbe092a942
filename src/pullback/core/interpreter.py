"""Interpreters: one per transformation at work, each with its level.

Levels are drawn from a counter that only grows. A transformation that starts inside another has
the higher level, so nested derivatives never confuse their perturbations, and no level is ever
used twice, so a tracer that outlives its transformation is recognised.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pullback.core.shapes import is_inexact
from pullback.core.tracer import Tracer
from pullback.errors import LeakedTracerError

if TYPE_CHECKING:
    from pullback.core.primitive import Primitive

__all__ = ["Interpreter", "snapshot"]

_levels = itertools.count(1)


class Interpreter:
    """Gives primitives their meaning at one level of transformation.

    Attributes
    ----------
    name : str
        The transformation, as it is called in error messages.
    level : int
    open : bool
        Whether the transformed function is still running.
    """

    __slots__ = ("level", "name", "open")

    def __init__(self, name: str) -> None:
        self.name = name
        self.level = next(_levels)
        self.open = True

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Evaluate ``primitive(*args, **params)``, following the derivative at this level."""
        raise NotImplementedError

    def constant(self, value: Any) -> Any:
        """`value` as a result that does not vary at this level.

        Inexact arrays stay tracers, so that they can be assigned to; integers and booleans
        become plain values, so that they can index and steer control flow.
        """
        if not is_inexact(value):
            return value
        return Tracer(self, value, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the transformation: from now on its tracers are of no use."""
        self.open = False

    def require_open(self, where: str) -> None:
        """Raise `LeakedTracerError` if the transformation has ended."""
        if not self.open:
            raise LeakedTracerError(
                f"{where}: a traced value of level {self.level} was used after the "
                f"{self.name} that made it had ended. It was stored somewhere that outlives the "
                "function: a global, an attribute, an enclosing variable, a list or a cache. "
                "Return it from the function instead (has_aux=True carries extra results out), or "
                "store pullback.stop_gradient(x)"
            )


def snapshot(x: Any) -> Any:
    """`x` as it is now, safe from later writes: what a rule may keep of a constant.

    Read-only arrays are kept as they are; make large constants read-only to save the copy.
    """
    if type(x) is Tracer:
        return x.snapshot()
    if isinstance(x, np.ndarray):
        array: Any = x
        while isinstance(array, np.ndarray):  # a view is as writable as what it looks into
            if array.flags.writeable:
                return x.copy()
            array = array.base
    return x
