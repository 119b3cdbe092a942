"""The functions of `scipy.special` that are written in Python around ufuncs, served by rules.

Spherical Bessel functions, Lambert's W, Dirichlet's kernel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError
from pullback.numpy.operands import operand
from pullback.rules.special.integral_functions import lambertw as lambertw_rule
from pullback.rules.special.kernels import diric as diric_rule
from pullback.rules.special.spherical_bessel import SPHERICAL
from pullback.scipy.first_step import serves
from pullback.transforms.arguments import describe

__all__ = [
    "diric",
    "lambertw",
    "spherical_in",
    "spherical_jn",
    "spherical_kn",
    "spherical_yn",
    "whole",
]


def whole(n: Any, function: str, argument: str) -> Any:
    """What is constant by nature: whole numbers, of the type that SciPy takes."""
    if isinstance(n, Tracer) and dtype_of(n).kind not in "iu":
        raise ArgumentTypeError(
            f"scipy.special.{function}: {argument} is {describe(n)}, wanted whole numbers, which "
            f"are constant; convert it with {argument}.astype(int) of a value that is not "
            "differentiated, or detach it with pullback.stop_gradient"
        )
    return n if isinstance(n, Tracer) else np.asarray(n)[()]


def _spherical(name: str, n: Any, z: Any, derivative: bool) -> Any:
    value, slope = SPHERICAL[name]
    return (slope if derivative else value)(whole(n, name, "n"), operand(z))


@serves(scipy.special.spherical_jn)
def spherical_jn(n: Any, z: Any, derivative: bool = False) -> Any:
    """jₙ(z), or its derivative."""
    return _spherical("spherical_jn", n, z, derivative)


@serves(scipy.special.spherical_yn)
def spherical_yn(n: Any, z: Any, derivative: bool = False) -> Any:
    """yₙ(z), or its derivative."""
    return _spherical("spherical_yn", n, z, derivative)


@serves(scipy.special.spherical_in)
def spherical_in(n: Any, z: Any, derivative: bool = False) -> Any:
    """iₙ(z), or its derivative."""
    return _spherical("spherical_in", n, z, derivative)


@serves(scipy.special.spherical_kn)
def spherical_kn(n: Any, z: Any, derivative: bool = False) -> Any:
    """kₙ(z), or its derivative."""
    return _spherical("spherical_kn", n, z, derivative)


@serves(scipy.special.lambertw)
def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """The branch k of the inverse of w·eʷ, a complex number."""
    return lambertw_rule(operand(z), whole(k, "lambertw", "k"), tol=float(tol))


@serves(scipy.special.diric)
def diric(x: Any, n: Any) -> Any:
    """sin(nx/2)/(n·sin(x/2)) for a whole number n."""
    if isinstance(n, Tracer) or np.ndim(n) or int(n) != n or n < 1:
        raise ArgumentTypeError(
            f"scipy.special.diric: n is {describe(n)}, wanted one whole number of at least 1 where "
            "x is being differentiated; call it once for each n"
        )
    return diric_rule(operand(x), n=int(n))
