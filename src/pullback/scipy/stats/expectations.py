"""Sums and integrals over the support of a distribution that have no closed form.

Their values are SciPy's. A derivative with respect to the shapes is the integral of the
derivative of what is integrated, as the ends of the support either do not move or have density
zero there; with respect to the upper end of an integral it is what is integrated, by the
fundamental theorem.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.integrate
import scipy.special
import scipy.stats

from pullback.rules.registration import elementwise
from pullback.scipy.stats.borrowed import canonical, traceable
from pullback.scipy.stats.slopes import slope

__all__ = ["entropy", "integrated_cdf", "moment"]


@dataclass(frozen=True)
class Integrand:
    """What is summed or integrated over the support of a distribution.

    Attributes
    ----------
    distribution
    kind : int or str
        The order of a moment, ``"entropy"``, or ``"cdf"``, which is the density itself up to x.
    along : tuple of int
        The shapes with respect to which it is differentiated, one after the other.
    """

    distribution: Any
    kind: int | str
    along: tuple[int, ...] = ()

    @property
    def discrete(self) -> bool:
        return isinstance(self.distribution, scipy.stats.rv_discrete)

    def __call__(self, x: Any, *shapes: Any) -> Any:
        if self.along:
            before = replace(self, along=self.along[:-1])
            place = self.along[-1]
            return slope(
                lambda s: before(x, *shapes[:place], s, *shapes[place + 1 :]), shapes[place]
            )
        p = self.density(x, *shapes)
        if self.kind == "cdf":
            return p
        return scipy.special.entr(p) if self.kind == "entropy" else x**self.kind * p

    def density(self, x: Any, *shapes: Any) -> Any:
        """The density, or the probability of x."""
        stand_in = traceable(self.distribution)
        return (stand_in._pmf if self.discrete else stand_in._pdf)(x, *shapes)

    def within(self, x: Any, *shapes: Any) -> Any:
        """What is integrated, and 0 where the density has vanished, or x is no number any more."""
        density = self.density(x, *shapes)
        return np.where(np.isfinite(x) & (density > 0), self(x, *shapes), 0.0)

    def plainly(self, *shapes: Any) -> Any:
        """What SciPy says that it is, for one element of each shape."""
        d = self.distribution
        if self.kind == "entropy":
            return d._entropy(*shapes)
        if self.kind == "cdf":
            return d._cdf(*shapes)
        return d._munp(self.kind, *shapes)


def _total(*args: Any, of: Integrand) -> Any:
    """The sum or integral of an integrand over the support, or up to the first argument."""
    dtype = np.float64
    arrays = np.broadcast_arrays(*args)
    flat = [np.asarray(a, dtype).ravel() for a in arrays]
    compute = of.plainly if not of.along else lambda *each: _differentiated(of, *each)
    values = [compute(*each) for each in zip(*flat, strict=True)]
    return np.asarray(values, dtype).reshape(np.shape(arrays[0]))[()]


def _integral(of: Integrand, low: float, high: float, shapes: Any) -> Any:
    shapes = tuple(map(float, shapes))
    return scipy.integrate.tanhsinh(of.within, low, high, args=shapes, rtol=1e-13).integral


_MOST_TERMS = 1_000_000


def _differentiated(of: Integrand, *args: Any) -> Any:
    upper = ()
    if of.kind == "cdf":
        upper, args = args[:1], args[1:]
    d = of.distribution
    with np.errstate(all="ignore"):
        if not np.all(d._argcheck(*args)):
            return np.nan
        low, high = d._get_support(*args)
        if of.discrete:
            middle, last = d.ppf([0.5, 1 - 1e-15], *args)
            width = min(3 * (last - middle) + 50, _MOST_TERMS / 2)
            high = min(high, middle + width, *map(math.floor, upper))
            k = np.arange(max(low, middle - width), high + 1)
            return np.sum(of(k, *(np.full(k.shape, a) for a in args)))
        cuts = [low, *d.ppf([0.05, 0.5, 0.95], *args), high]
        if upper:
            near = 1e-3 * (1 + abs(upper[0]))
            cuts = [low, *(each for each in cuts[1:] if upper[0] - each > near), upper[0]]
        return sum(_integral(of, a, b, args) for a, b in itertools.pairwise(cuts) if a < b)


@elementwise(_total, name="expectation_total")
def total(_y: Any, *args: Any, of: Integrand) -> Any:
    """y = ∫ g(x, θ) dx over the support: ∂y/∂θ = ∫ ∂g/∂θ dx; ∂y/∂b = g(b, θ) at an upper end b."""
    ends = 1 if of.kind == "cdf" else 0
    shapes = args[ends:]

    def by_shape(place: int) -> Any:
        return lambda: total(*args, of=replace(of, along=(*of.along, place)))

    by_end = [None if of.discrete else lambda: of(*args)] * ends
    return (*by_end, *(by_shape(i) for i in range(len(shapes))))


def moment(distribution: Any, order: int, *shapes: Any) -> Any:
    """The moment of an order about zero."""
    of = Integrand(canonical(distribution), order)
    return total(*shapes, of=of) if shapes else of.plainly()


def entropy(distribution: Any, *shapes: Any) -> Any:
    """The entropy, in units of e."""
    of = Integrand(canonical(distribution), "entropy")
    return total(*shapes, of=of) if shapes else of.plainly()


def integrated_cdf(distribution: Any, x: Any, *shapes: Any) -> Any:
    """The probability of at most x, where SciPy integrates the density."""
    return total(x, *shapes, of=Integrand(canonical(distribution), "cdf"))
