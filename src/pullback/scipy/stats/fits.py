"""`fit`: parameters of the greatest likelihood, as functions of the data.

SciPy fits plain numbers, and the values are its own. Where the gradient of the likelihood by the
free parameters vanishes, that is the condition of which the derivatives are taken. The ends of an
exponential or a uniform distribution and the middle of Laplace's are at data, where it doesn't:
these have formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import scipy.stats
from scipy.stats import rv_continuous

from pullback.core.shapes import Abstract
from pullback.errors import ArgumentValueError, NoRuleError
from pullback.numpy.operands import operand
from pullback.rules.implicit import solved_by
from pullback.rules.implicit.examples import are_known
from pullback.rules.implicit.later import at_run_time
from pullback.scipy.first_step import plain, serves
from pullback.scipy.stats.borrowed import public_name
from pullback.transforms.gradient import grad

__all__ = ["fit"]

_FIT = rv_continuous.fit


def _exponential(data: Any, loc: Any, scale: Any) -> tuple[Any, Any]:
    loc = np.min(data) if loc is None else loc
    return loc, np.mean(data) - loc if scale is None else scale


def _uniform(data: Any, loc: Any, scale: Any) -> tuple[Any, Any]:
    if loc is None and scale is None:
        return np.min(data), np.ptp(data)
    if scale is None:
        return loc, np.max(data) - loc
    return np.min(data) - 0.5 * (scale - np.ptp(data)), scale


def _laplace(data: Any, loc: Any, scale: Any) -> tuple[Any, Any]:
    loc = np.median(data) if loc is None else loc
    return loc, np.sum(np.abs(data - loc)) / len(data) if scale is None else scale


_BY_FORMULA: dict[str, Callable[..., tuple[Any, Any]]] = {
    "expon": _exponential,
    "uniform": _uniform,
    "laplace": _laplace,
}


@serves(_FIT)
def fit(self: Any, data: Any, *args: Any, **kwds: Any) -> Any:
    """The parameters; those that are fixed are what they are given as."""
    name = f"{public_name(self)}.fit"
    if str(kwds.get("method", "MLE")).upper() != "MLE":
        raise NoRuleError(
            f'{name}: method is {kwds["method"]!r}, and only the fit by the likelihood, "MLE", has '
            "a derivative rule in pullback; set moments equal with scipy.optimize.root instead"
        )
    data = operand(data).ravel()
    fixed = _fixed(self, kwds)
    if self.name in _BY_FORMULA and self.name in vars(scipy.stats):
        return _BY_FORMULA[self.name](data, fixed.get(0), fixed.get(1))
    count = self.numargs + 2
    free = [i for i in range(count) if i not in fixed]
    other = {key: x for key, x in kwds.items() if key not in _names(self)}
    own = plain(type(self).fit)

    def whole(z: Any, fixed: Any) -> list[Any]:
        found = dict(zip(free, z, strict=True)) | fixed
        return [found[i] for i in range(count)]

    def minus_likelihood(z: Any, data: Any, fixed: Any) -> Any:
        return -np.mean(self.logpdf(data, *whole(z, fixed)))

    def stationary(z: Any, data: Any, fixed: Any) -> Any:
        return grad(minus_likelihood)(z, data, fixed)

    def solve(data: Any, fixed: Any) -> Any:
        keywords = {_names_of(self, i)[0]: float(x) for i, x in fixed.items()}
        found = own(self, data, *args, **keywords, **other)
        return np.array([found[i] for i in free])

    given = [data, *map(operand, fixed.values())]
    try:
        if are_known(given):
            z = solved_by(stationary, solve, (data, fixed), {}, name)
        else:

            def later(values: Any) -> Any:
                at = values[0], dict(zip(fixed, values[1:], strict=True))
                return solved_by(stationary, solve, at, {}, name)

            (z,) = at_run_time(later, given, [Abstract((len(free),), np.dtype(float))])
    except ArgumentValueError as error:
        raise ArgumentValueError(
            f"{name}: the gradient of the likelihood does not vanish at the parameters that SciPy "
            "has found, so that they have no derivative by it: fix the location with floc=, or "
            "the shape at its bound, or give a start that is nearer"
        ) from error
    return tuple(whole([z[i] for i in range(len(free))], fixed))


def _names_of(distribution: Any, place: int) -> list[str]:
    """By which keywords a parameter is fixed."""
    shapes = (distribution.shapes or "").replace(",", " ").split()
    if place >= len(shapes):
        return [("floc", "fscale")[place - len(shapes)]]
    return [f"f{place}", f"f{shapes[place]}", f"fix_{shapes[place]}"]


def _names(distribution: Any) -> list[str]:
    return [each for i in range(distribution.numargs + 2) for each in _names_of(distribution, i)]


def _fixed(distribution: Any, kwds: dict[str, Any]) -> dict[int, Any]:
    """The parameters that are fixed, by their places."""
    return {
        i: kwds[each]
        for i in range(distribution.numargs + 2)
        for each in _names_of(distribution, i)
        if kwds.get(each) is not None
    }


for _each in list(vars(scipy.stats).values()):
    if isinstance(_each, rv_continuous):
        for _class in type(_each).__mro__[:-2]:
            if type(vars(_class).get("fit")) is FunctionType:
                serves(vars(_class)["fit"])(fit)
