"""Interpreters: one per transformation at work, each with its level.

Levels are drawn from a counter that only grows. A transformation that starts inside another has
the higher level, so nested derivatives never confuse their perturbations, and no level is ever
used twice, so a tracer that outlives its transformation is recognised.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from pullback.core.shapes import is_inexact, shape_of
from pullback.core.tracer import Tracer, is_plain
from pullback.errors import DetachedError, LeakedTracerError, PullbackError

if TYPE_CHECKING:
    from pullback.core.primitive import Primitive

__all__ = ["FILLING", "Interpreter", "brought_back", "is_read_only", "snapshot", "with_snapshots"]

_levels = itertools.count(1)

FILLING = (
    "An array that traced values are written to is one that the function itself makes, by NumPy's "
    "functions under NumPy's name: np.zeros(n), np.empty(shape), np.array([...]), or np.array(a) "
    "of an array from outside, np.array(df.to_numpy()) of a data frame. Other arrays cannot hold "
    "them: those from outside, those of ndarray(shape), and those of a function that was bound to "
    "another name where it cannot be replaced, such as a default argument"
)
"""What an error says of arrays to write traced values to."""


def brought_back(error: ValueError, where: str) -> PullbackError | None:
    """The error of ours that NumPy has put into one of its own while it filled an array."""
    if isinstance(error.__cause__, PullbackError):
        return error.__cause__
    if str(error) == "Error setting single item of array.":  # all that is left of it
        return DetachedError(
            f"{where}: y.flat[i] = v: a value could not be stored in a plain array, which cannot "
            f"hold the derivative of a traced one. {FILLING}"
        )
    return None


class Interpreter:
    """Gives primitives their meaning at one level of transformation.

    Attributes
    ----------
    name : str
        The transformation, as it is called in error messages.
    level : int
    open : bool
        Whether the transformed function is still running.
    follows_integers : bool
        Whether integers and booleans are traced at this level too.
    """

    __slots__ = ("level", "name", "open")

    follows_integers: ClassVar[bool] = False

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

    def shape(self, tracer: Tracer) -> tuple[int, ...]:
        """The shape that the traced function sees."""
        return shape_of(tracer._value)

    def mutable(self, tracer: Tracer) -> bool:
        """Whether NumPy would have an array there rather than an immutable scalar."""
        value = tracer._value
        if type(value) is not Tracer:
            return isinstance(value, np.ndarray)
        # A scalar is neither a view nor written to; a batch tells it from an array by that alone.
        return value._mutable or tracer._alias is not None or tracer._version > 0

    def truth(self, tracer: Tracer) -> bool:
        """The value as a condition of an ``if`` or a ``while``."""
        return bool(tracer._value)

    def detached(self, tracer: Tracer, target: str) -> PullbackError:
        """The error for a value that is about to lose its history."""
        return DetachedError(
            f"{self.name}: a traced value of dtype {tracer.dtype} and shape {tracer.shape} "
            f"was about to become {target}, which cannot hold its derivative. "
            f"{FILLING}; "
            "inside the function call NumPy's functions instead of the math module's; "
            "if a constant is what you want, use pullback.stop_gradient(x)"
        )

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
        return x._snapshot()
    if is_plain(x) and not is_read_only(x):
        return x.copy(order="K")  # the layout decides what NumPy makes a view
    return x


def is_read_only(array: Any) -> bool:
    """Whether nobody can write to an array: a view is as writable as what it looks into."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


def with_snapshots(values: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
    """The arguments of a primitive, as its linear maps may keep them.

    Those that are differentiated are safe already, being values of a recorded program.
    """
    return [x if wants else snapshot(x) for x, wants in zip(values, wanted, strict=True)]
