"""The direction of a linear map that was not given, made from the one that was.

The pushforward and the pullback of a map are adjoint, so that either can be had from the other by
transposing a linear function of arrays. How that is done is the business of the transforms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from pullback.core.shapes import Abstract, dtype_of, expand, fit
from pullback.core.tracing import Tracer
from pullback.core.validation import refuse, require_text
from pullback.errors import ArgumentTypeError, NoRuleError

__all__ = ["Missing", "directions", "from_pullback", "from_pushforward", "require_spaces"]

Spaces = list[Abstract | None]
Output = Abstract | Sequence[Abstract]
"""Shape and dtype of a primitive's output, or of each of several."""


class Missing:
    """What stands in the place of a direction that was not given.

    Parameters
    ----------
    owner : str
        The class of the map.
    direction : {"pushforward", "pullback"}

    Attributes
    ----------
    transposition : callable
        ``transposition(function, domain, codomain, settle, where)`` makes the adjoint of a linear
        function of several arrays. The transforms provide it.
    """

    __slots__ = ("direction", "owner")

    transposition: ClassVar[Callable[..., Callable[[Sequence[Any]], list[Any]]]]

    def __init__(self, owner: str, direction: str) -> None:
        self.owner = owner
        self.direction = direction

    def __call__(self, *_: Any) -> Any:
        raise NoRuleError(
            f"{self.owner}.{self.direction}: this map was given its other direction alone, and the "
            "shapes that a transpose needs are not known here; the rule of a pullback.primitive "
            f"may leave out a direction, and by hand {self.owner}(...).between(x, y) makes it, for "
            "an argument like x and an output like y"
        )

    def __repr__(self) -> str:
        return "None"


def directions(owner: str, pushforward: Any, pullback: Any) -> tuple[Any, Any]:
    """The two functions of a map, of which at least one must be given."""
    if pushforward is None and pullback is None:
        raise ArgumentTypeError(
            f"{owner}: got neither a pushforward nor a pullback, wanted at least one of them: "
            f"{owner}(pushforward=lambda x_dot: ..., pullback=lambda y_bar: ...)"
        )
    if not callable(pushforward) and pushforward is not None:
        raise _no_direction(owner, "pushforward", pushforward)
    if not callable(pullback) and pullback is not None:
        raise _no_direction(owner, "pullback", pullback)
    return (
        Missing(owner, "pushforward") if pushforward is None else pushforward,
        Missing(owner, "pullback") if pullback is None else pullback,
    )


def _no_direction(owner: str, direction: str, given: Any) -> ArgumentTypeError:
    usage = f"write {owner}({direction}=lambda x: ...)"
    return refuse(owner, direction, given, "a function", usage)


def require_spaces(xs: Any, y: Any, owner: str, where: Any) -> None:
    """Raise unless these are arrays, or shapes and dtypes; `None` may stand for an argument."""
    require_text(where, f"{owner}.between", "where")
    if not isinstance(xs, tuple | list):
        raise refuse(f"{owner}.between", "xs", xs, "a list with an entry for each argument")
    outputs = y if isinstance(y, tuple | list) else (y,)
    for argument, row in (("an argument", xs), ("the output", outputs)):
        for each in row:
            if not isinstance(each, _SPACES) and not (each is None and argument == "an argument"):
                raise refuse(
                    f"{owner}.between", argument, each, "an array, or a pullback.ShapeDtype"
                )


_SPACES = (Abstract, Tracer, np.ndarray, np.generic, float, int, complex)


def from_pullback(
    pullback: Callable[[Any], Sequence[Any]],
    xs: Sequence[Abstract | None],
    y: Output,
    where: str,
) -> Callable[..., Any]:
    """The pushforward whose adjoint this is.

    Parameters
    ----------
    pullback : callable
        Returns a cotangent for each argument.
    xs : sequence of (Abstract or None)
        Shapes and dtypes of the arguments; `None` for one that is not differentiated.
    y : Abstract or tuple of Abstract
    where : str
        What to call the map in messages.
    """
    several = isinstance(y, tuple | list)

    def back(bars: Sequence[Any]) -> Sequence[Any]:
        return pullback(list(bars) if several else bars[0])

    transpose = Missing.transposition(back, _spaces(y), _spaces(xs), fit, f"{where}: the pullback")

    def pushforward(*dots: Any) -> Any:
        found = transpose(dots)
        return tuple(found) if several else found[0]

    return pushforward


def from_pushforward(
    pushforward: Callable[..., Any],
    xs: Sequence[Abstract | None],
    y: Output,
    where: str,
) -> Callable[[Any], list[Any]]:
    """The pullback, with a cotangent for each argument, whose adjoint this is; likewise."""
    several = isinstance(y, tuple | list)
    ys = _spaces(y)

    def forth(dots: Sequence[Any]) -> Sequence[Any]:
        found = pushforward(*dots)
        if found is None:
            return (None,) * len(ys)
        row: Sequence[Any] = found if several else (found,)
        return row

    transpose = Missing.transposition(forth, _spaces(xs), ys, expand, f"{where}: the pushforward")
    return lambda y_bar: transpose(y_bar if several else (y_bar,))


def _spaces(each: Any) -> Spaces:
    """Of one value or several, those that have tangents."""
    row = each if isinstance(each, tuple | list) else (each,)
    return [x if x is not None and dtype_of(x).kind in "fc" else None for x in row]
