"""The functions of `scipy.special` that are written in Python around ufuncs, served by rules.

Spherical Bessel functions, Lambert's W, Dirichlet's kernel, Legendre functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, NoRuleError
from pullback.numpy.operands import operand
from pullback.rules import legendre
from pullback.rules.integral_functions import lambertw as lambertw_rule
from pullback.rules.kernels import diric as diric_rule
from pullback.rules.spherical_bessel import SPHERICAL
from pullback.scipy.first_step import first_traced, serves
from pullback.transforms.arguments import describe

__all__ = ["diric", "lambertw", "spherical_in", "spherical_jn", "spherical_kn", "spherical_yn"]


def _whole(n: Any, function: str, argument: str) -> Any:
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
    return (slope if derivative else value)(_whole(n, name, "n"), operand(z))


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
    return lambertw_rule(operand(z), _whole(k, "lambertw", "k"), tol=float(tol))


@serves(scipy.special.diric)
def diric(x: Any, n: Any) -> Any:
    """sin(nx/2)/(n·sin(x/2)) for a whole number n."""
    if isinstance(n, Tracer) or np.ndim(n) or int(n) != n or n < 1:
        raise ArgumentTypeError(
            f"scipy.special.diric: n is {describe(n)}, wanted one whole number of at least 1 where "
            "x is being differentiated; call it once for each n"
        )
    return diric_rule(operand(x), n=int(n))


# -- Legendre functions, objects of a class of their own ------------------------------------------


def _legendre_p(n: Any, z: Any, *, diff_n: int = 0) -> Any:
    rule = legendre.legendre_p
    n = _whole(n, "legendre_p", "n")
    return np.stack([rule(n, operand(z), order=k) for k in range(diff_n + 1)])


def _assoc_legendre_p(
    n: Any, m: Any, z: Any, *, branch_cut: Any = 2, norm: bool = False, diff_n: int = 0
) -> Any:
    rule = legendre.assoc_legendre_p
    n, m = _whole(n, "assoc_legendre_p", "n"), _whole(m, "assoc_legendre_p", "m")
    options = {"branch_cut": branch_cut, "norm": norm}
    return np.stack([rule(n, m, operand(z), order=k, **options) for k in range(diff_n + 1)])


def _sph_legendre_p(n: Any, m: Any, theta: Any, *, diff_n: int = 0) -> Any:
    _no_derivatives("sph_legendre_p", diff_n)
    n, m = _whole(n, "sph_legendre_p", "n"), _whole(m, "sph_legendre_p", "m")
    return np.stack([legendre.sph_legendre_p(n, m, operand(theta))])


def _sph_harm_y(n: Any, m: Any, theta: Any, phi: Any, *, diff_n: int = 0) -> Any:
    _no_derivatives("sph_harm_y", diff_n)
    n, m = _whole(n, "sph_harm_y", "n"), _whole(m, "sph_harm_y", "m")
    return legendre.sph_harm_y(n, m, operand(theta), operand(phi))


def _no_derivatives(name: str, diff_n: int) -> None:
    if diff_n:
        raise ArgumentTypeError(
            f"scipy.special.{name}: diff_n is {diff_n!r} and an angle is being differentiated, "
            "which wants 0; take derivatives with pullback.jacobian"
        )


if hasattr(scipy.special, "legendre_p"):
    LEGENDRE: dict[str, Any] = {
        "legendre_p": _legendre_p,
        "assoc_legendre_p": _assoc_legendre_p,
        "sph_legendre_p": _sph_legendre_p,
        "sph_harm_y": _sph_harm_y,
    }
    _CALL = type(scipy.special.legendre_p).__call__

    @serves(_CALL)
    def legendre_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        """A Legendre function; those with all degrees at once are refused."""
        for name, implementation in LEGENDRE.items():
            if self is getattr(scipy.special, name, None):
                return implementation(*args, **kwargs)
        name = next(
            (name for name in ALL_DEGREES if self is getattr(scipy.special, name, None)),
            "MultiUFunc",
        )
        x: Tracer = first_traced((*args, *kwargs.values()))
        raise NoRuleError(
            f"scipy.special.{name} met a traced value of dtype {x.dtype} and shape {x.shape}, and "
            f"has no derivative rule in pullback. {INSTEAD_OF_ALL}"
        )


ALL_DEGREES = (
    "legendre_p_all", "assoc_legendre_p_all", "sph_legendre_p_all", "sph_harm_y_all",
)  # fmt: skip
INSTEAD_OF_ALL = (
    "Call the function for one degree, whose name lacks _all, with an array of degrees, as "
    "np.arange(n + 1)[:, None]"
)
