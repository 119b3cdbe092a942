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

All this is done for two directions β at once, as a batch. The derivative does not exist, and what
is differentiated depends on the choice of the vectors, if what must vanish does not, or if the two
directions do not agree. Whether a tangent vanishes to rounding is judged by a probe that takes the
same path through the program: a perturbation that nothing is invariant under.

One derivation is one order of ε. Where a derivative of such a derivative is wanted, or that of a
decomposition of what follows another one, higher orders would be; there values are not set apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.interpreter import Interpreter
from pullback.core.primitive import Primitive, bind
from pullback.core.shapes import dtype_of, is_inexact, shape_of
from pullback.core.tracer import Tracer, known, strip
from pullback.errors import DataDependenceError, NoRuleError
from pullback.transforms.batch import MAPPED, Batch
from pullback.transforms.forward import Pushforward

__all__ = ["GOLDEN", "Infinitesimal", "dual", "first_order", "irrational", "standard"]


GOLDEN = 0.5 * (1 + 5**0.5)


def irrational(shape: tuple[int, ...], dtype: Any, offset: float) -> Any:
    """Numbers of moduli between 1 and 2 without a pattern, for complex dtypes of any phase."""
    count: Any = np.arange(1, int(np.prod(shape)) + 1).reshape(shape)
    numbers = 1 + (count * GOLDEN + offset * 2**0.5) % 1
    if np.dtype(dtype).kind == "c":
        numbers = numbers * np.exp(2j * np.pi * (count * 3**0.5 % 1))
    return numbers


class Infinitesimal(Pushforward):
    """Carries values to first order in ε, at a level just below that of a derivative.

    Parameters
    ----------
    derivative : Interpreter
        The pushforward or the tape whose values these are.

    Attributes
    ----------
    probe : Infinitesimal
        Another one, between this and the derivative, for the perturbation that tangents are
        compared with.
    directions : Batch
        What the coefficients of ε for two directions are a batch of, at a level below this.
    extent : int
        The largest number of values that were set apart in one matrix.
    apart : list of Tracer
        All values that were set apart; others vary with ε because they depend on these.
    """

    __slots__ = ("apart", "directions", "extent", "probe")

    probe: Infinitesimal
    directions: Batch

    def __init__(self, derivative: Interpreter, distance: float) -> None:
        super().__init__(derivative.name)
        self.level = derivative.level - distance
        self.extent = 1
        self.apart: list[Tracer] = []

    @classmethod
    def below(cls, derivative: Any) -> Infinitesimal:
        """That of a derivative."""
        found: Infinitesimal | None = derivative.infinitesimal
        if found is None:
            found = derivative.infinitesimal = cls(derivative, 0.5)
            found.probe = cls(derivative, 0.25)
            found.directions = Batch(derivative.name, 2)
            found.directions.level = derivative.level - 0.75
        return found

    def set_apart(self, w: Any, *directions: Any) -> Any:
        """w + εβ for two directions β, for the ordered values of a decomposition."""
        made = dual(w, Tracer(self.directions, np.stack(directions), MAPPED), of=self)
        self.apart.append(made)
        self.extent = max(self.extent, shape_of(w)[-1])
        return made

    def has_set_apart(self, w: Tracer) -> bool:
        """Whether this is what `set_apart` has returned."""
        return any(each is w for each in self.apart)

    def precedes(self, w: Tracer) -> bool:
        """Whether there may be ε in what these values were made of."""
        return self.apart[0] is not w

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        try:
            return super().process(primitive, args, params)
        except (NoRuleError, DataDependenceError):
            # Nobody may ask for this coefficient of ε.
            values = [x._value if _ours(x, self) else x for x in args]
            outs = primitive(*values, **params)
            return tuple(map(self._lost, outs)) if primitive.multiple else self._lost(outs)

    def _lost(self, out: Any) -> Any:
        return dual(out, np.full_like(out, np.nan), of=self) if is_inexact(out) else out

    def settled(self, x: Any) -> Any:
        """A value for ε → 0, which is the same for both directions."""
        return None if x is None else self.along(standard(x, of=self))[0]

    def scaled(self, dot: Any) -> Any:
        """ε times a tangent, if it is not that already."""
        if dot is None or (type(dot) is Tracer and dot._interpreter in (self, self.probe)):
            return dot
        return dual(np.zeros(shape_of(dot), dtype_of(dot)), dot, of=self)

    def unscaled(self, dot: Any) -> Any:
        """The tangent of which this is ε times; NaN where it would be infinite."""
        if dot is None:
            return None
        size = np.abs(self.along(first_order(dot, of=self.probe))[0])
        dot = standard(dot, of=self.probe)
        leading, both = standard(dot, of=self), first_order(dot, of=self)
        one, other = self.along(both)
        # A probe is small by accident sometimes, so more than rounding is allowed for.
        rounding = self.extent**0.5 * np.finfo(dtype_of(dot)).eps ** 0.6
        finite, also = self.along(np.less_equal(np.abs(leading), rounding * size))
        close = np.less_equal(np.abs(one - other), rounding * (size + np.abs(one)))
        exists = finite & also & (close | np.equal(one, other))
        if known(exists) and strip(exists).all():
            return one
        return np.where(exists, one, np.nan).astype(dtype_of(dot))

    def disturbed(self, seeds: Sequence[Any]) -> list[Any]:
        """Cotangents with other ratios between elements; none if there is only one element."""
        shapes = [shape_of(seed) for seed in seeds if seed is not None]
        if sum(int(np.prod(shape)) for shape in shapes) < 2:
            return []
        return [
            None if seed is None else seed * irrational(shape_of(seed), float, number)
            for number, seed in enumerate(seeds)
        ]

    def along(self, x: Any) -> tuple[Any, Any]:
        """What x is for either direction."""
        return first(x, of=self.directions), second(x, of=self.directions)


class Part(Primitive):
    """Takes apart, or puts together, what is carried to first order in ε.

    The infinitesimal, or its directions, is the parameter `of`. Levels above it are asked first;
    below it there are the coefficients.
    """

    def __call__(self, *args: Any, of: Interpreter) -> Any:
        level = 0.0
        for x in args:
            if type(x) is Tracer:
                x._refresh()
                level = max(level, x._interpreter.level)
        return bind(self, args, {"of": of}) if level > of.level else self.value(*args, of=of)

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
    fronts = [
        x if one else np.broadcast_to(x, (size, *shape_of(x)))
        for x, one in zip(values, mapped, strict=True)
    ]
    return primitive(*fronts, **params)


def _ours(x: Any, of: Interpreter) -> bool:
    return type(x) is Tracer and x._interpreter is of


def _example(x: Any, of: Interpreter, number: int) -> Any:
    if not _ours(x, of):
        return x
    return x._value[number] if x._payload is MAPPED else x._value


standard = Part("standard_part", lambda x, *, of: x._value if _ours(x, of) else x, batch=_batch)
"""``standard(x, of=infinitesimal)``: x for ε → 0."""

first_order = Part(
    "first_order",
    lambda x, *, of: (
        x._payload
        if _ours(x, of) and x._payload is not None
        else np.zeros(shape_of(x), dtype_of(x))
    ),
    batch=_batch,
)
"""``first_order(x, of=infinitesimal)``: the coefficient of ε in x."""

first = Part("first", lambda x, *, of: _example(x, of, 0), batch=_batch)
second = Part("second", lambda x, *, of: _example(x, of, 1), batch=_batch)

dual = Part("dual", lambda x, y, *, of: Tracer(of, x, y), batch=_batch)
"""``dual(x, y, of=infinitesimal)``: x + εy."""
