"""The right-hand side of a differential equation, at many points at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.running import untraced
from pullback.core.shapes import dtype_of, is_inexact, shape_of
from pullback.errors import ArgumentValueError
from pullback.numpy.operands import joined
from pullback.scipy.integrate.values import array_of, replaying
from pullback.transforms.batch import vmap
from pullback.transforms.forward import pushforward

__all__ = ["Field", "as_complex", "as_real", "known_slopes", "slopes"]


def as_real(y: Any) -> Any:
    """Complex components as real ones, all real parts first."""
    return np.concatenate([np.real(y), np.imag(y)], axis=-1)


def as_complex(u: Any) -> Any:
    """The inverse of `as_real`."""
    half = shape_of(u)[-1] // 2
    return u[..., :half] + 1j * u[..., half:]


class Field:
    """f(t, y) for states of real components.

    Parameters
    ----------
    f : callable
        ``f(t, y)``, as the user has it but for further arguments.
    name : str
        The function of SciPy's, for messages.
    size : int
        How many components the user's states have.
    is_complex : bool
        Whether those are complex; they are twice as many real ones here.
    """

    def __init__(
        self, f: Callable[..., Any], name: str, size: int, *, is_complex: bool = False
    ) -> None:
        self.f = f
        self.name = name
        self.size = size
        self.is_complex = is_complex
        self.vectorises = True
        self.known: Field | None = None
        """The same on plain numbers, without a tracer in it, if it is known as a graph."""

    def __call__(self, t: Any, y: Any) -> Any:
        out = array_of(self.f(t, as_complex(y) if self.is_complex else y))
        if shape_of(out) != (self.size,):
            if shape_of(out) not in ((), (1,)):
                raise ArgumentValueError(
                    f"{self.name}: the right-hand side returned an array of shape {shape_of(out)}, "
                    f"wanted ({self.size},), the shape of the state"
                )
            out = np.broadcast_to(out, (self.size,))
        if not is_inexact(out):
            out = out + 0.0
        if not self.is_complex and dtype_of(out).kind == "c":
            raise ArgumentValueError(
                f"{self.name}: the right-hand side is complex and the initial state is real; make "
                "that complex too, y0.astype(complex)"
            )
        return as_real(out) if self.is_complex else out

    def at(self, t: Any, y: Any) -> Any:
        """Its values at times of shape (n,) and states of shape (n, d)."""
        with replaying():
            if self.vectorises:
                try:
                    return vmap(self)(t, y)
                except Exception:
                    self.vectorises = False  # it asks for a number itself
            return joined([self(t[k], y[k]) for k in range(shape_of(y)[0])])


def known_slopes(field: Field, t: Any, y: Any, ground: Any) -> Any:
    """The numbers of ∂f/∂y, of shape (..., n, d, d), at times and states as `Field.at` has them."""
    if field.known is None:
        return ground.plain(slopes(lambda x: field.at(t, x), y))
    known, times = field.known, ground.plain(t)
    return untraced(slopes, (lambda x: known.at(times, x), ground.plain(y)), {})


def slopes(step: Callable[[Any], Any], y: Any) -> Any:
    """∂step/∂y of shape (n, d, d), for what acts on each of the states y of shape (n, d)."""
    count, size = shape_of(y)

    def along(direction: Any) -> Any:
        dots = np.broadcast_to(direction, (count, size))
        return pushforward(step, (y,), (dots,))[1]

    return np.moveaxis(vmap(along)(np.eye(size)), 0, -1)
