"""The Legendre functions of `scipy.special`, objects of a class of their own (since SciPy 1.15)."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, NoRuleError
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand
from pullback.rules.special import legendre
from pullback.scipy.decisions import refused
from pullback.scipy.first_step import first_traced, serves
from pullback.scipy.special.wrappers import whole

__all__ = ["ALL_DEGREES", "INSTEAD_OF_ALL"]

ALL_DEGREES = (
    "legendre_p_all", "assoc_legendre_p_all", "sph_legendre_p_all", "sph_harm_y_all",
)  # fmt: skip
INSTEAD_OF_ALL = (
    "Call the function for one degree, whose name lacks _all, with an array of degrees, as "
    "np.arange(n + 1)[:, None]"
)


def _legendre_p(n: Any, z: Any, *, diff_n: int = 0) -> Any:
    rule = legendre.legendre_p
    n = whole(n, "legendre_p", "n")
    return np.stack([rule(n, operand(z), order=k) for k in range(diff_n + 1)])


def _assoc_legendre_p(
    n: Any, m: Any, z: Any, *, branch_cut: Any = 2, norm: bool = False, diff_n: int = 0
) -> Any:
    rule = legendre.assoc_legendre_p
    n, m = whole(n, "assoc_legendre_p", "n"), whole(m, "assoc_legendre_p", "m")
    options = {"branch_cut": branch_cut, "norm": norm}
    return np.stack([rule(n, m, operand(z), order=k, **options) for k in range(diff_n + 1)])


def _sph_legendre_p(n: Any, m: Any, theta: Any, *, diff_n: int = 0) -> Any:
    _no_derivatives("sph_legendre_p", diff_n)
    n, m = whole(n, "sph_legendre_p", "n"), whole(m, "sph_legendre_p", "m")
    return np.stack([legendre.sph_legendre_p(n, m, operand(theta))])


def _sph_harm_y(n: Any, m: Any, theta: Any, phi: Any, *, diff_n: int = 0) -> Any:
    _no_derivatives("sph_harm_y", diff_n)
    n, m = whole(n, "sph_harm_y", "n"), whole(m, "sph_harm_y", "m")
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


refused(scipy.special, " ".join(ALL_DEGREES), INSTEAD_OF_ALL)
decide(scipy.special, "legendre_p assoc_legendre_p sph_legendre_p sph_harm_y", Kind.DIFFERENTIABLE)
