"""The adjoint of a linear function, made from the function alone.

The adjoint gᵀ of g is taken in the real inner product ⟨a, b⟩ = Re Σ conj(a)·b. As g is linear, it
is its own derivative at every point, and gᵀ is its pullback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.adjoint import Missing
from pullback.core.running import run
from pullback.core.shapes import Abstract, astype, dtype_of, shape_of
from pullback.core.tracing import is_plain
from pullback.errors import ArgumentValueError
from pullback.transforms.arguments import lower
from pullback.transforms.linearization import Linearization
from pullback.transforms.support import point_of
from pullback.transforms.tape import Node, Tape

__all__ = ["transposed"]

Spaces = Sequence[Abstract | None]
Function = Callable[[Sequence[Any]], Sequence[Any]]

_DISAGREE = 0.1
"""What part of the terms' magnitudes ⟨g(p), z⟩ and ⟨p, gᵀz⟩ differ by if g isn't linear.

For a square it is a third of them at least. Where g is so ill-conditioned that rounding errors
make up this much, no digit of its adjoint is right.
"""


def transposed(
    function: Function,
    domain: Spaces,
    codomain: Spaces,
    settle: Callable[[Any, tuple[int, ...], np.dtype[Any]], Any],
    where: str,
) -> Callable[[Sequence[Any]], list[Any]]:
    """The adjoint of a linear function from arrays of the domain to arrays of the codomain.

    Function and adjoint take and return sequences, in which `None` stands for zero; a space is
    `None` where there never is an array. `settle`, which is `fit` or `expand`, brings a result to
    the shape and dtype of its space. The adjoint raises `ArgumentValueError` if a result of the
    function has the wrong shape, or if the function turns out not to be linear.

    The function is recorded on a tape at a point and pulled back through; if that fails, it is
    applied to every unit array of the domain. A new recording is made for each application, so that
    nothing outlives the transformations that are at work.
    """

    def settled(xs: Sequence[Any]) -> list[Any]:
        found: list[Any] = []
        for out, space in zip(function(xs), codomain, strict=True):
            if out is None or space is None:
                found.append(None)
                continue
            try:
                found.append(settle(out, space.shape, space.dtype))
            except ValueError as error:
                raise ArgumentValueError(
                    f"{where} returned an array of shape {shape_of(out)}, wanted {space.shape}"
                ) from error
        return found

    def transpose(bars: Sequence[Any]) -> list[Any]:
        if all(bar is None for bar in bars):
            return [None] * len(domain)
        points = [None if space is None else point_of(space) for space in domain]
        with np.errstate(all="ignore"):
            try:
                outs, found = _recorded(settled, points, bars, where)
            except Exception:
                outs, found = settled(points), _dense(settled, domain, bars)
            _require_linear(points, found, outs, bars, where)
        return found

    return transpose


Missing.transposition = staticmethod(transposed)


def _recorded(
    function: Function, points: Sequence[Any], bars: Sequence[Any], where: str
) -> tuple[list[Any], list[Any]]:
    """The function's value at a point, and its pullback there."""
    with Tape(where) as tape:
        inputs = [None if point is None else tape.input(point) for point in points]
        lowered = [lower(out, tape, where) for out in run(tape, function, (inputs,))]
    nodes: list[Node] = [x._payload for x in inputs if x is not None]
    linearization = Linearization(nodes, [payload for _, payload in lowered], tape)
    remaining = iter(linearization.pull(bars, once=True))
    found = [None if point is None else next(remaining) for point in points]
    return [value for value, _ in lowered], found


def _dense(function: Function, domain: Spaces, bars: Sequence[Any]) -> list[Any]:
    """The adjoint from what the function makes of every unit array."""
    found: list[Any] = []
    for position, space in enumerate(domain):
        if space is None:
            found.append(None)
            continue

        def products(unit: complex, position: int = position, space: Abstract = space) -> Any:
            columns = []
            for place in range(space.size):
                x = np.zeros(space.shape, space.dtype)
                x.flat[place] = unit
                columns.append(
                    function([x[()] if i == position else None for i in range(len(domain))])
                )
            return _inner(columns, bars, space)

        bar = products(1)
        if space.dtype.kind == "c":
            bar = bar + 1j * products(1j)
        found.append(astype(bar, space.dtype))
    return found


def _inner(columns: Sequence[Sequence[Any]], bars: Sequence[Any], space: Abstract) -> Any:
    """⟨Jeₖ, z⟩ for each k, in the shape of the space, from the columns Jeₖ."""
    total: Any = np.zeros(space.shape, np.zeros((), space.dtype).real.dtype)
    for position, bar in enumerate(bars):
        rows = [column[position] for column in columns]
        like = next((row for row in rows if row is not None), None)
        if bar is None or like is None:
            continue
        zero = np.zeros(shape_of(like), dtype_of(like))
        matrix = np.stack([zero if row is None else row for row in rows])
        term = np.tensordot(np.conj(matrix), bar, axes=len(shape_of(bar)))
        total = total + np.reshape(np.real(term), space.shape)
    return total


def _require_linear(
    points: Sequence[Any],
    found: Sequence[Any],
    outs: Sequence[Any],
    bars: Sequence[Any],
    where: str,
) -> None:
    """Raise unless ⟨g(p), z⟩ = ⟨p, gᵀz⟩, as far as all of it is plain numbers."""
    sides = []
    magnitude = 0.0
    for row, others in ((outs, bars), (points, found)):
        side = 0.0
        for a, b in zip(row, others, strict=True):
            if a is None or b is None:
                continue
            if not is_plain(a, _PLAIN) or not is_plain(b, _PLAIN):
                return
            terms = np.real(np.conj(a) * b)
            side += float(np.sum(terms, dtype=np.float64))
            magnitude += float(np.sum(np.abs(terms), dtype=np.float64))
        sides.append(side)
    if np.isfinite(magnitude) and abs(sides[0] - sides[1]) > _DISAGREE * magnitude:
        raise ArgumentValueError(
            f"{where} is not linear: its adjoint there gives ⟨p, gᵀz⟩ = {sides[1]:.6g}, and the "
            f"function ⟨g(p), z⟩ = {sides[0]:.6g}; a linear map multiplies its argument by what "
            "depends on the primals only"
        )


_PLAIN = (np.ndarray, np.generic, float, complex)
