"""A formal infinitesimal ε, by which a rule sets equal values apart.

Where eigenvalues are equal, a function of them and of their vectors may be differentiable all the
same: it is so if it does not depend on which vectors were chosen, as functions of a matrix don't.
Its derivative at a matrix A is then the limit of those at A + εB, where B sets the values apart and
leaves the vectors alone. A decomposition hands out its values as w + εβ, and the program that
follows carries the coefficient of ε along, as forward mode does. The derivative of the vectors is
of order 1/ε:

* a cotangent of the vectors has a part that must vanish for ε → 0; its coefficient of ε,
  divided by the differences of β, is what the limit needs;
* tangents are carried multiplied by ε, so that all of them are finite. What is left of a result for
  ε → 0 must vanish, and the coefficient of ε is its tangent.

What is differentiated depends on the choice of vectors, and has no derivative, if something does
not vanish that must. To find out, all is done along four directions at once, as a batch:

* two of different β (`EVEN`, `UNEVEN`), which must agree;
* two that turn the vectors of equal values and leave values alone (`TURN`, `COUNTERTURN`), along
  which the derivatives by everything but the decomposed matrix itself must not change. Each
  decomposition turns by other amounts in these two, so that there is a combination of them in which
  its own vectors rest, and only those of others turn;
* one that nothing is invariant under (`PROBE`), which tells how large rounding is in the others.

While a program is recorded nothing is known of its values, and none are set apart: see
`pullback.rules.postponed`.

One derivation is one order of ε. Where a derivative of such a derivative is wanted, or that of a
decomposition of what follows another one, higher orders would be; there values are not set apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive, bind
from pullback.core.shapes import dtype_of, is_inexact, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import in_front
from pullback.core.tracing import Interpreter, Tracer, known, strip
from pullback.errors import ArgumentValueError, DataDependenceError, NoRuleError
from pullback.transforms.batch import MAPPED, Batch
from pullback.transforms.forward import Pushforward, Sparse

__all__ = [
    "COUNTERTURN",
    "EVEN",
    "GOLDEN",
    "PROBE",
    "TURN",
    "UNEVEN",
    "Infinitesimal",
    "irrational",
    "undetermined",
]


GOLDEN = 0.5 * (1 + 5**0.5)


def irrational(shape: tuple[int, ...], dtype: Any, offset: float) -> Any:
    """Numbers of moduli between 1 and 2 without a pattern, for complex dtypes of any phase."""
    count: Any = np.arange(1, int(np.prod(shape)) + 1).reshape(shape)
    numbers = 1 + (count * GOLDEN + offset * 2**0.5) % 1
    if np.dtype(dtype).kind == "c":
        numbers = numbers * np.exp(2j * np.pi * (count * 3**0.5 % 1))
    return numbers


EVEN, UNEVEN, TURN, COUNTERTURN, PROBE = range(5)
"""The directions."""


class Infinitesimal(Pushforward):
    """Carries values to first order in ε, at a level just below that of a derivative.

    Parameters
    ----------
    derivative : Interpreter
        The pushforward or the tape whose values these are.

    Attributes
    ----------
    directions : Batch
        What the coefficients of ε for all directions are a batch of, at a level below this.
    extent : int
        The largest number of values that were set apart in one matrix.
    apart : list of Tracer
        All values that were set apart; others vary with ε because they depend on these.
    """

    __slots__ = ("apart", "directions", "extent")

    def __init__(self, derivative: Interpreter) -> None:
        super().__init__(derivative.name)
        self.level = derivative.level - 0.25
        self.directions = Batch(derivative.name, 5)
        self.directions.level = derivative.level - 0.5
        self.extent = 1
        self.apart: list[Tracer] = []

    @classmethod
    def below(cls, derivative: Any) -> Infinitesimal:
        """That of a derivative."""
        found: Infinitesimal | None = derivative.infinitesimal
        if found is None:
            found = derivative.infinitesimal = cls(derivative)
        return found

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        try:
            return super().process(primitive, args, params)
        except (NoRuleError, DataDependenceError):
            # Nobody may ask for this coefficient of ε.
            values = [x._value if _ours(x, self) else x for x in args]
            outs = primitive(*values, **params)
            return tuple(map(self._lost, outs)) if primitive.multiple else self._lost(outs)

    def _lost(self, out: Any) -> Any:
        return Tracer(self, out, np.full_like(out, np.nan)) if is_inexact(out) else out

    # -- values --------------------------------------------------------------------------------

    def moved(self, x: Any, *changes: Any) -> Any:
        """x + ε times its change along each direction."""
        return moved(x, *changes, of=self)

    def set_apart(self, w: Any, *changes: Any) -> Any:
        """The same, for the ordered values of a decomposition."""
        made = self.moved(w, *changes)
        self.apart.append(made)
        self.extent = max(self.extent, shape_of(w)[-1])
        return made

    def has_set_apart(self, w: Tracer) -> bool:
        """Whether this is what `set_apart` has returned."""
        return any(each is w for each in self.apart)

    def precedes(self, w: Tracer) -> bool:
        """Whether there may be ε in what these values were made of."""
        return self.apart[0] is not w

    def amount(self, number: int | None = None) -> float:
        """By how much a decomposition turns along `COUNTERTURN`, if it does by 1 along `TURN`."""
        return 2 + (len(self.apart) if number is None else number) * GOLDEN % 1

    def amount_of(self, w: Tracer) -> float:
        """That of the decomposition that has these values."""
        return self.amount(next(i for i, each in enumerate(self.apart) if each is w))

    def settled(self, x: Any) -> Any:
        """A value for ε → 0, which is the same for all directions."""
        return None if x is None else part(x, of=self, order=0, direction=EVEN)

    def change(self, x: Any, direction: int) -> Any:
        """The coefficient of ε in x along a direction."""
        return None if x is None else part(x, of=self, order=1, direction=direction)

    def _along(self, *columns: Any) -> Tracer:
        return Tracer(self.directions, np.stack(columns), MAPPED)

    def ran(self, *operation: Any) -> None:
        """Told of each operation; it is in the values."""

    # -- sweeps ----------------------------------------------------------------------------------

    def push(self, linear: Any, dots: Sequence[Any]) -> list[Any]:
        """The tangents of a linearisation's outputs."""
        return list(map(self.unscaled, linear.pushed(list(map(self.scaled, dots)))))

    def pull(
        self, linear: Any, seeds: Sequence[Any], *, once: bool, onto: Sequence[Any]
    ) -> list[Any]:
        """The cotangents of a linearisation's inputs.

        Seeds may have been made of the very vectors that they are for: what depends on the choice
        of these shows with others.
        """
        others = self.disturbed(seeds)
        if others:
            linear.pulled_sparse(others)
        return list(map(self.finished, linear.pulled_sparse(seeds, once=once, onto=onto)))

    # -- tangents: multiplied by ε ---------------------------------------------------------------

    def scaled(self, dot: Any) -> Any:
        """ε times a tangent, if it is not that already."""
        return dot if dot is None or _ours(dot, self) else scaled(dot, of=self)

    def made(self, dot: Any, even: Any, uneven: Any, probe: Any, amount: float) -> Any:
        """ε times the tangent of values or vectors, which has terms of order 1/ε."""
        return singular(dot, even, uneven, dot / amount, probe, of=self)

    def left(self, _value: Any, dot: Any) -> Any:
        """The tangent of a result."""
        return self.unscaled(dot)

    def unscaled(self, dot: Any) -> Any:
        """The tangent of which this is ε times; NaN where it would be infinite."""
        if dot is None:
            return None
        lead = [part(dot, of=self, order=0, direction=i) for i in (EVEN, UNEVEN, PROBE)]
        one, other, turn, counterturn, probe = (self.change(dot, i) for i in range(5))
        # In the difference, no decomposition has turned beneath the tangents that it made.
        turned = turn - counterturn
        most = self.rounding(dot) * np.abs(lead[2])
        size = self.rounding(dot) * (np.abs(probe) + np.abs(lead[2])) + self.negligible(one, probe)
        off = np.greater(np.abs(lead[0]), most) | np.greater(np.abs(lead[1]), most)
        off = off | np.greater(np.abs(turned), size)
        off = off | np.greater(np.abs(one - other), size + self.rounding(dot) * np.abs(one))
        if known(off) and not strip(off).any():
            return one
        return np.where(off, np.nan, one).astype(dtype_of(one))

    # -- cotangents ------------------------------------------------------------------------------

    def disturbed(self, seeds: Sequence[Any]) -> list[Any]:
        """Cotangents with other ratios between elements; none if there is only one element."""
        shapes = [shape_of(seed) for seed in seeds if seed is not None]
        if sum(int(np.prod(shape)) for shape in shapes) < 2:
            return []
        return [
            None if seed is None else seed * irrational(shape_of(seed), float, number)
            for number, seed in enumerate(seeds)
        ]

    def decided(self, _linear: Any, _seeds: Any, _onto: Any, found: list[Any]) -> list[Any]:
        """The cotangents of the inputs of a body that is recorded."""
        return list(map(self.finished, found))

    def finished(self, bar: Any) -> Any:
        """The cotangent of an input. It must not depend on the choice of vectors."""
        if bar is None:
            return None
        found, probe = self.settled(bar), self.change(bar, PROBE)
        turned = np.abs(self.change(bar, TURN)) + np.abs(self.change(bar, COUNTERTURN))
        size = self.rounding(found) * (np.abs(probe) + np.abs(found))
        size = size + self.negligible(found, probe)
        off = np.greater(turned, size)
        if not known(off):
            return np.where(off, np.nan, found).astype(dtype_of(found))
        if strip(off).any():
            raise undetermined("np.linalg.eigh or svd")
        return found

    def rounding(self, x: Any) -> Any:
        """What is rounding in proportion to a probe, which is small by accident sometimes."""
        return self.extent**0.5 * np.finfo(dtype_of(x)).eps ** 0.6

    def negligible(self, *arrays: Any) -> Any:
        """What is rounding beside the largest elements of these arrays.

        An element, and its probe, may both be 0 by symmetry.
        """
        largest = sum(np.max(np.abs(x), initial=0) for x in arrays)
        return 1000 * self.extent**0.5 * np.finfo(dtype_of(arrays[0])).eps * largest


def undetermined(name: str) -> ArgumentValueError:
    """The error for what depends on the vectors that a function chose for equal values."""
    return ArgumentValueError(
        f"{name}: the derivative of the vectors is asked for where some of the values are equal to "
        "rounding, so that the vectors are not determined. First derivatives of what does not "
        "depend on their choice are known there (functions of the matrix, projectors), second "
        "ones, and those of a decomposition of what follows another one, are not; use the values "
        "alone, or a function of the matrix that needs no decomposition (inv, solve, matrix_power)"
    )


class Part(Primitive):
    """Takes apart, or puts together, what is carried to first order in ε.

    The infinitesimal is the parameter `of`. Levels above it are asked first; below it there are the
    coefficients.
    """

    def __call__(self, *args: Any, of: Infinitesimal, **params: Any) -> Any:
        level = 0.0
        for x in args:
            if type(x) is Tracer:
                x._refresh()
                level = max(level, x._interpreter.level)
        if level > of.level:
            return bind(self, args, {"of": of, **params})
        return self.value(*args, of=of, **params)

    def no_rule(self, parents: Sequence[Any]) -> NoRuleError:
        return NoRuleError(
            "np.linalg.eigh or svd: the derivative of a function of the vectors is taken where "
            "some of the values are equal to rounding, and is to be differentiated or recorded "
            "once more. There only first derivatives are known; take higher ones by finite "
            "differences, or at a matrix with different values"
        )

    def no_shape(self) -> NoRuleError:
        return self.no_rule(())


def _batch(
    primitive: Primitive, size: int, mapped: Sequence[bool], values: Sequence[Any], params: Any
) -> Any:
    fronts = (in_front(x, size, mapped=one) for x, one in zip(values, mapped, strict=True))
    return primitive(*fronts, **params)


_STRUCTURE = Opaque(batching=_batch)


def _ours(x: Any, of: Interpreter) -> bool:
    return type(x) is Tracer and x._interpreter is of


def _plain(dot: Any) -> Any:
    """A coefficient of ε, whether or not it has strong zeros."""
    return dot.dot if type(dot) is Sparse else dot


def _part(x: Any, *, of: Infinitesimal, order: int, direction: int) -> Any:
    if _ours(x, of):
        x = _plain(x._payload) if order else x._value
    elif order:
        x = None
    if x is None:
        return None
    if not _ours(x, of.directions):
        return x
    return x._value[direction] if x._payload is MAPPED else x._value


def _part_or_zeros(x: Any, **params: Any) -> Any:
    found = _part(x, **params)
    return np.zeros(shape_of(x), dtype_of(x)) if found is None else found


def _moved(x: Any, *changes: Any, of: Infinitesimal) -> Any:
    return Tracer(of, x, of._along(*changes))


def _scaled(dot: Any, *, of: Infinitesimal) -> Any:
    none = np.zeros(shape_of(dot), dtype_of(dot))
    # The last directions tell how this contribution changes when vectors turn.
    return Tracer(of, of._along(none, none, dot, dot, dot), of._along(dot, dot, none, none, none))


def _singular(
    dot: Any, even: Any, uneven: Any, counterturn: Any, probe: Any, *, of: Infinitesimal
) -> Any:
    none = np.zeros(shape_of(dot), dtype_of(dot))
    leading = of._along(even, uneven, dot, counterturn, probe)
    return Tracer(of, leading, of._along(dot, dot, none, none, none))


part = Part("part", _part_or_zeros, _STRUCTURE)
"""``part(x, of=infinitesimal, order=0 or 1, direction=number)``"""

moved = Part("moved", _moved, _STRUCTURE)
scaled = Part("scaled", _scaled, _STRUCTURE)
singular = Part("singular", _singular, _STRUCTURE)
