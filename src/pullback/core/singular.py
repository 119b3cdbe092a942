"""Singular points: where a function has no derivative, or an infinite one, and what is taken there.

A primitive states its own, as data; `docs/singular_points.md` is written from them, and
`pullback.strict` looks for them while derivatives are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

__all__ = ["Met", "SingularPoint", "Watch", "watch"]


@dataclass(frozen=True)
class SingularPoint:
    """A kind of singular points of a function.

    Parameters
    ----------
    place : str
        Where they are, in the function's own symbols.
    at : callable
        ``at(*args, **params)`` tells for each element whether it is one.
    example : tuple
        Arguments at such a point.
    first, second : tuple of float
        The first and second derivatives that are taken there, for each argument that is
        differentiated; NaN among the second ones for one that isn't finite.
    kind : {"kink", "pole", "jump"}
        Whether the slope jumps, or is infinite or undefined, or the function itself jumps.
    arguments : tuple of int, optional
        Which arguments it concerns; by default all.
    params : dict
        Static parameters of the example.
    whole : bool
        Whether an element of the result depends on several of the arguments.
    """

    place: str
    at: Callable[..., Any]
    example: tuple[Any, ...]
    first: tuple[Any, ...]
    second: tuple[Any, ...]
    kind: str = "kink"
    arguments: tuple[int, ...] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    whole: bool = False

    @property
    def is_piecewise_linear(self) -> bool:
        """Whether it is a kink or a jump between smooth pieces."""
        bends = [x for row in self.second if row is not None for x in np.ravel(row)]
        return self.kind != "pole" and bool(np.isfinite(bends).all())

    def concerns(self, position: int) -> bool:
        """Whether the derivative for this argument is singular."""
        return self.arguments is None or position in self.arguments


class Met(Protocol):
    """The singular points that the arguments of a primitive are at."""

    def pushed(self, dots: Sequence[Any], supports: Sequence[Any]) -> list[Any]:
        """The tangents, checked."""

    def pulled(self, bar: Any, support: Any, wanted: Sequence[Any]) -> Any:
        """The cotangent, checked."""

    def refused(self) -> None:
        """Raise, as there is nothing to check."""


Watch = Callable[[Any, Any, Sequence[Any], dict[str, Any]], Met | None]


class watch:  # noqa: N801
    """Who is told of the point at which a primitive is differentiated.

    Attributes
    ----------
    looks : callable or None
        ``looks(primitive, out, args, params)``; `None` where nobody wants to know.
    """

    looks: Watch | None = None
