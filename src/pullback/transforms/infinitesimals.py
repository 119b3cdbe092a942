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

What does not vanish is what depends on the choice. Whether a tangent vanishes to rounding is judged
by a probe that takes the same path through the program: a perturbation that nothing is invariant
under.

One derivation is one order of ε. Where a derivative of such a derivative is wanted, or that of a
decomposition of what follows another one, higher orders would be; there values are not set apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.interpreter import Interpreter
from pullback.core.primitive import Primitive, bind
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracer import Tracer, known, strip
from pullback.errors import NoRuleError
from pullback.transforms.forward import Pushforward

__all__ = ["Infinitesimal", "dual", "first_order", "standard"]


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
    extent : int
        The largest number of values that were set apart in one matrix.
    apart : list of Tracer
        All values that were set apart; others vary with ε because they depend on these.
    """

    __slots__ = ("apart", "extent", "probe")

    probe: Infinitesimal

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
        return found

    def set_apart(self, w: Any, changes: Any) -> Any:
        """w + ε times the changes, for the ordered values of a decomposition."""
        made = dual(w, changes, of=self)
        self.apart.append(made)
        self.extent = max(self.extent, shape_of(w)[-1])
        return made

    def has_set_apart(self, w: Tracer) -> bool:
        """Whether this is what `set_apart` has returned."""
        return any(each is w for each in self.apart)

    def settled(self, x: Any) -> Any:
        """A value for ε → 0."""
        return None if x is None else standard(x, of=self)

    def scaled(self, dot: Any) -> Any:
        """ε times a tangent, if it is not that already."""
        if dot is None or (type(dot) is Tracer and dot._interpreter in (self, self.probe)):
            return dot
        return dual(np.zeros(shape_of(dot), dtype_of(dot)), dot, of=self)

    def unscaled(self, dot: Any) -> Any:
        """The tangent of which this is ε times; NaN where it would be infinite."""
        if dot is None:
            return None
        probe, dot = first_order(dot, of=self.probe), standard(dot, of=self.probe)
        leading, dot = standard(dot, of=self), first_order(dot, of=self)
        # A probe is small by accident sometimes, so more than rounding is allowed for.
        rounding = self.extent * np.finfo(dtype_of(dot)).eps ** 0.6
        infinite = ~np.less_equal(np.abs(leading), rounding * np.abs(probe))
        if known(infinite) and not strip(infinite).any():
            return dot
        return np.where(infinite, np.nan, dot).astype(dtype_of(dot))


class Part(Primitive):
    """Takes apart, or puts together, what is carried to first order in ε.

    The infinitesimal is the parameter `of`. Levels above it are asked first; below it there are
    the coefficients.
    """

    def __call__(self, *args: Any, of: Infinitesimal) -> Any:
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


def _ours(x: Any, of: Infinitesimal) -> bool:
    return type(x) is Tracer and x._interpreter is of


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

dual = Part("dual", lambda x, y, *, of: Tracer(of, x, y), batch=_batch)
"""``dual(x, y, of=infinitesimal)``: x + εy."""
