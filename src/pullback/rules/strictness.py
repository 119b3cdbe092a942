"""`strict`: a context in which no derivative is taken at a singular point."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ContextDecorator
from typing import Any, Self

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract
from pullback.core.singular import SingularPoint, watch
from pullback.core.structure import Opaque
from pullback.core.structure.axes import Marks, Params, Row, in_front, meeting
from pullback.core.tracing import known, strip
from pullback.errors import SingularPointError
from pullback.graph.places import user_line
from pullback.rules.registration import rule

__all__ = ["guard", "is_strict", "strict", "tie"]

_depths: dict[int, int] = {}
"""How many of these contexts each thread is in, by its identifier."""

_lock = threading.Lock()


def is_strict() -> bool:
    """Whether this thread is inside `strict`."""
    return threading.get_ident() in _depths


class strict(ContextDecorator):  # noqa: N801
    """A context in which a derivative at a singular point raises.

    A singular point is a kink (|x| at 0, a tie of two maxima, a hinge at its margin), a pole of the
    derivative (√x at 0) or a jump. Outside of this context pullback takes there what
    `docs/singular_points.md` lists, one value by convention.

    Raises
    ------
    SingularPointError
        From what is differentiated inside, by this thread, in any mode: where a singular point is
        met with a tangent or cotangent that isn't zero. The message names the function, the
        elements and the line of the program.

    Notes
    -----
    A singular point in the branch of `numpy.where` that was not taken is none: the cotangent is
    zero there. A pole, or the kink of a norm, raises unless nothing depends on the element; a kink
    or a jump between smooth pieces raises where the number is other than zero. A function that is
    locally constant, such as `numpy.floor`, raises at a jump in reverse mode whatever the
    cotangent, which it does not ask for.

    A tangent meets ties sooner than a cotangent: of a sorted array it meets all that are equal,
    whatever is read afterwards. Equal eigenvalues and singular values are not looked for, as
    functions of a matrix have derivatives there, nor is a condition of the program's own, such as
    ``x > 0``.

    What is recorded inside (the bodies of loops and of `checkpoint`, and `trace`) checks its values
    whenever it runs. What was recorded before, outside, does not.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> float(pb.grad(np.abs)(0.0))
    0.0
    >>> with pb.strict():
    ...     pb.grad(np.abs)(0.0)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    pullback.errors.SingularPointError: absolute: x = 0 is a kink ...
    """

    __slots__ = ()

    def __enter__(self) -> Self:
        _enter(1)
        return self

    def __exit__(self, *_: object) -> None:
        _enter(-1)


def _enter(step: int) -> None:
    thread = threading.get_ident()
    with _lock:
        _depths[thread] = _depths.get(thread, 0) + step
        if not _depths[thread]:
            del _depths[thread]
        watch.looks = _look if _depths else None


def _look(primitive: Primitive, out: Any, args: Row, params: Params) -> _Points | None:
    """The singular points that these arguments are at, or may be at where they are not known."""
    if not primitive.singular_points or not is_strict():
        return None
    found = []
    for point in primitive.singular_points:
        with np.errstate(all="ignore"):
            mask = point.at(*args, **params)
        if not known(mask) or np.any(strip(mask)):
            found.append((point, mask))
    return _Points(primitive, found, user_line()) if found else None


class _Points:
    """The singular points that the arguments of a primitive are at, and the user's line."""

    def __init__(
        self, primitive: Primitive, found: list[tuple[SingularPoint, Any]], line: str
    ) -> None:
        self.primitive = primitive
        self.found = found
        self.line = line

    def pushed(self, dots: Row, supports: Row) -> list[Any]:
        """The tangents, checked."""
        return [
            None if dot is None else self._checked(dot, support, [position], whole=True)
            for position, (dot, support) in enumerate(zip(dots, supports, strict=True))
        ]

    def pulled(self, bar: Any, support: Any, wanted: Row) -> Any:
        """The cotangent, checked."""
        positions = [i for i, want in enumerate(wanted) if want is not None]
        if isinstance(bar, list):
            return [None if x is None else self._checked(x, None, positions) for x in bar]
        return self._checked(bar, support, positions)

    def refused(self) -> None:
        """Raise, as there is no cotangent to check."""
        for point, mask in self.found:
            if known(mask):
                raise SingularPointError(_message(self._words(point), strip(mask)))

    def _checked(
        self, x: Any, support: Any, positions: Sequence[int], *, whole: bool = False
    ) -> Any:
        for point, mask in self.found:
            if not any(map(point.concerns, positions)):
                continue
            if point.is_piecewise_linear:
                live: Any = np.not_equal(x, 0)
            else:
                live = True if support is None else support.array
            if point.whole and whole:
                mask, live = np.any(mask), np.any(live)
            x = _guarded(x, np.logical_and(mask, live), self._words(point))
        return x

    def _words(self, point: SingularPoint) -> tuple[str, str]:
        what = (
            f"{self.primitive.name}: {point.place} is a {point.kind}, where the derivative "
            f"{_DOES[point.kind]}, and it was met{self.line}"
        )
        remedy = (
            "Move the argument off it, choose what is differentiated with np.where, or leave "
            "pullback.strict() for the value that docs/singular_points.md lists"
        )
        return what, remedy


_DOES = {
    "kink": "differs from side to side",
    "pole": "is infinite or undefined",
    "jump": "does not exist",
}


def _guarded(x: Any, mask: Any, words: tuple[str, str]) -> Any:
    """`x`, after a look at the mask, now or when the graph that is being recorded runs."""
    if not known(mask):
        return guard(x, mask, words=words)
    plain = strip(mask)
    if np.any(plain):
        raise SingularPointError(_message(words, plain))
    return x


def _message(words: tuple[str, str], mask: Any) -> str:
    places = np.argwhere(mask)
    if not np.ndim(mask):
        return f"{words[0]}. {words[1]}"
    listed = ", ".join(str(tuple(map(int, place))) for place in places[:3])
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return f"{words[0]}, at the elements {listed}{more} of {np.shape(mask)}. {words[1]}"


def _guard(x: Any, mask: Any, *, words: tuple[str, str]) -> Any:
    if np.any(mask):
        raise SingularPointError(_message(words, mask))
    return x if hasattr(x, "dtype") else np.asarray(x)[()]


def _guard_batch(primitive: Primitive, size: int, mapped: Marks, values: Any, params: Any) -> Any:
    return primitive(in_front(values[0], size, mapped=mapped[0]), values[1], **params)


def _names(args: Any, outs: Any, _params: Any) -> Any:
    return [*meeting(args[:1], ()), (None,) * len(args[1])], meeting(outs, ())


def _like_the_first(_primitive: Primitive, x: Any, _mask: Any, **_: Any) -> Abstract:
    return Abstract.of(x)


@rule(_guard, Opaque(_like_the_first, _guard_batch, names=_names))
def guard(_y: Any, _x: Any, _mask: Any, *, words: tuple[str, str]) -> Any:
    """y = x, if the mask holds nowhere; otherwise it raises."""
    return 1, None


def _tie(x: Any, _tied: Any) -> Any:
    return x if hasattr(x, "dtype") else np.asarray(x)[()]


@rule(_tie, Opaque(_like_the_first, _guard_batch, names=_names))
def tie(_y: Any, _x: Any, _tied: Any) -> Any:
    """y = x, which was chosen among equal elements where `tied` holds: ∂y/∂x = 1."""
    return 1, None


tie.singular_at(
    "a choice among equal elements",
    lambda _x, tied: np.not_equal(tied, 0),
    (1.0, 1.0), (1.0, None), (0.0, None),
)  # fmt: skip
