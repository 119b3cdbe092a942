"""Equal eigenvalues and singular values: what is well defined there, and what depends on a choice.

Vectors of equal values are any basis of their space. The derivative of a function that does not
depend on it (a function of a matrix, a projector, a part of low rank) takes more than values and
vectors at a point: how the cotangent of the vectors changes as the values part. So values that are
equal are set apart by a formal infinitesimal, wᵢ + εi, in the direction of the vectors that
were chosen, and the terms of a rule that are divided by differences are split in two: those of
different values, and those of equal ones, which are of order 1/ε; see
`pullback.transforms.infinitesimals`.

So that a function that does depend on the choice shows it, and is not stationary by accident, as
Σ vᵢⱼ³ is at vectors that are unit vectors, a derivative goes on with the basis turned by fixed,
irrational angles.

Values are equal if they differ by no more than 4nε times the largest, or are linked by such, for n
values and the spacing ε of numbers at 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.linear import Linear
from pullback.core.running import thread
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracer import Tracer, known, strip
from pullback.errors import ArgumentValueError
from pullback.transforms.forward import Pushforward
from pullback.transforms.infinitesimals import Infinitesimal, dual, first_order, standard
from pullback.transforms.tape import Tape

__all__ = [
    "apart",
    "equal",
    "may_separate",
    "parts",
    "require_determined",
    "separated",
    "turn",
    "vanishing",
]


# -- which values are equal -----------------------------------------------------------------------


def _tiny(w: Any) -> Any:
    """What differences between values are rounding, for each matrix."""
    largest = np.max(np.abs(w), axis=-1, keepdims=True, initial=0)
    return 4 * shape_of(w)[-1] * np.finfo(dtype_of(w)).eps * largest


def equal(w: Any) -> Any:
    """Which pairs i ≠ j of ordered values are equal, (…, n, n)."""
    steps = np.greater(np.abs(w[..., 1:] - w[..., :-1]), _tiny(w))
    first = np.zeros((*shape_of(w)[:-1], min(shape_of(w)[-1], 1)), bool)
    group = np.cumsum(np.concatenate([first, steps], axis=-1), axis=-1)
    off = ~np.eye(shape_of(w)[-1], dtype=bool)
    return off & np.equal(group[..., :, None], group[..., None, :])


def vanishing(s: Any) -> Any:
    """Which singular values are 0, (…, n)."""
    return np.less_equal(s, _tiny(s))


# -- setting them apart ---------------------------------------------------------------------------


def may_separate(interpreter: Any, a: Any, w: Any, params: dict[str, Any]) -> bool:
    """Whether a derivative can and need set equal values of a matrix `a` apart.

    It can't while elements are not known, or where derivatives outside this one follow the matrix.
    It need not where there is no use for the vectors.
    """
    if type(interpreter) not in (Pushforward, Tape) or not shape_of(w)[-1] or not known(w):
        return False
    if not params.get("vectors", True) and not _within(interpreter):
        return False
    while type(a) is Tracer:
        if a._payload is not None and isinstance(a._interpreter, Pushforward | Tape):
            return False
        a = a._value
    return True


def apart(interpreter: Any, w: Any, changes: Any) -> Any:
    """w + εβ, for β in `changes`."""
    return Infinitesimal.below(interpreter).set_apart(w, changes.astype(dtype_of(w)))


def _within(interpreter: Any) -> bool:
    """Whether a derivative is taken inside that of the interpreter, whose rules use the vectors."""
    stack = thread.stack
    inner = stack[stack.index(interpreter) + 1 :] if interpreter in stack else stack
    return any(type(each) in (Pushforward, Tape) for each in inner)


def turn(same: Any, dtype: Any, offset: float = 0.0) -> Any:
    """A unitary matrix that mixes the vectors of equal values, (…, n, n): two reflections."""
    n = shape_of(same)[-1]
    eye = np.eye(n)
    member = np.any(same, axis=-1)[..., None]
    block = member & (same | eye.astype(bool))
    turned = eye
    for number in (0.0, 1.0):
        u = _irrational((n,), dtype, 2 * offset + number)
        u = u if number else u * (-1.0) ** np.arange(n)
        length = np.sum(np.where(block, (u * np.conj(u)).real, 0), axis=-1)[..., None]
        outer = u[:, None] * np.conj(u)
        turned = turned @ (eye - np.where(block, 2 * outer / np.where(member, length, 1), 0))
    return turned.astype(dtype)


_GOLDEN = 0.5 * (1 + 5**0.5)


def _irrational(shape: tuple[int, ...], dtype: Any, offset: float) -> Any:
    """Numbers of moduli between 1 and 2 without a pattern, for complex dtypes of any phase."""
    count: Any = np.arange(1, int(np.prod(shape)) + 1).reshape(shape)
    numbers = 1 + (count * _GOLDEN + offset * 2**0.5) % 1
    if np.dtype(dtype).kind == "c":
        numbers = numbers * np.exp(2j * np.pi * (count * 3**0.5 % 1))
    return numbers


ROUNDING = 1000
"""How many times n times the spacing of numbers a term may be off and count as zero."""


# -- rules ----------------------------------------------------------------------------------------


def parts(w: Any) -> tuple[Infinitesimal | None, Any, Any]:
    """By what values were set apart, if they were; the values; and what ε comes with."""
    of = w._interpreter if type(w) is Tracer else None
    if not isinstance(of, Infinitesimal) or not of.has_set_apart(w):
        return None, w, None
    return of, standard(w, of=of), first_order(w, of=of)


def require_determined(name: str, factors: Any) -> None:
    """Raise where a rule would divide by the difference of equal values."""
    if known(factors) and np.isnan(strip(factors)).any():
        raise _undetermined(name)


def _undetermined(name: str) -> ArgumentValueError:
    return ArgumentValueError(
        f"{name}: the derivative of the vectors is asked for where some of the values are equal to "
        "rounding, so that the vectors are not determined. First derivatives of what does not "
        "depend on their choice are known there (functions of the matrix, projectors), second "
        "ones, and those of a decomposition of what follows another one, are not; use the values "
        "alone, or a function of the matrix that needs no decomposition (inv, solve, matrix_power)"
    )


def separated(
    name: str, of: Infinitesimal, w: Any, position: int, regular: Linear, singular: Linear
) -> Linear:
    """The map of a decomposition some of whose values were set apart.

    Parameters
    ----------
    name : str
        Of the function, for messages.
    of : Infinitesimal
    w : array
        The values.
    position : int
        Of the values among the outputs.
    regular, singular : Linear
        The terms that are finite, and the coefficients of 1/ε, which concern the vectors alone.
    """
    n = shape_of(w)[-1]
    scale = np.max(np.abs(w), axis=-1, initial=0)
    rounding = ROUNDING * n * np.finfo(dtype_of(w)).eps

    def pushforward(a_dot: Any) -> Any:
        a_dot = of.unscaled(a_dot)
        found, infinite = regular.pushforward(a_dot), singular.pushforward(a_dot)
        size: Any = 0
        for number, leading in enumerate(infinite):
            if number != position:
                size = np.maximum(size, _largest(leading))
        outs = []
        for number, (x, leading) in enumerate(zip(found, infinite, strict=True)):
            values = number == position
            scaled = dual(np.zeros_like(x) if values else leading, x, of=of)
            trailing = shape_of(x)[-1:] if values else shape_of(x)[-2:]
            noise = _irrational(trailing, dtype_of(x), number)
            size_here = (size * scale)[..., None] if values else size[..., None, None]
            probe = (np.zeros_like(x) + size_here * noise).astype(dtype_of(x))
            outs.append(dual(scaled, probe, of=of.probe))
        return tuple(outs)

    def pullback(bars: Any) -> Any:
        settled = [None if bar is None else standard(bar, of=of) for bar in bars]
        a_bar = regular.pullback(settled)
        if any(bar is not None for i, bar in enumerate(bars) if i != position):
            infinite = _of_vectors(singular.pullback, settled, position)
            size: Any = 0
            for number, bar in enumerate(settled):
                if bar is not None:
                    factor = scale if number == position else 1
                    size = size + factor * _largest(bar, 1 if number == position else 2)
            off = np.greater(np.abs(infinite), rounding * size[..., None, None])
            if known(off) and strip(off).any():
                raise _undetermined(name)
            changes = [None if bar is None else first_order(bar, of=of) for bar in bars]
            change = _of_vectors(singular.pullback, changes, position)
            lost = np.isnan(change) & ~np.isnan(infinite)
            if known(lost) and strip(lost).any():
                raise _undetermined(name)
            a_bar = a_bar + change
            a_bar = np.where(off, np.nan, a_bar).astype(dtype_of(a_bar))
        # How it changes with ε is not known; what precedes could ask for it.
        return dual(a_bar, np.full_like(a_bar, np.nan), of=of)

    return Linear(pushforward, pullback)


def _of_vectors(pullback: Callable[[Any], Any], bars: list[Any], position: int) -> Any:
    return pullback([None if i == position else bar for i, bar in enumerate(bars)])


def _largest(x: Any, rank: int = 2) -> Any:
    """The largest modulus in each matrix, or vector."""
    return np.max(np.abs(x), axis=tuple(range(-rank, 0)), initial=0)
