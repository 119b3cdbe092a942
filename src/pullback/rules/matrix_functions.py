"""Functions of a matrix: the exponential and the logarithm, powers, trigonometric functions.

Matrices are the last two axes; leading axes are batches. The derivative of f at A in a direction E
is the upper right block of f([[A, E], [0, A]]): R. Mathias, *A chain rule for matrix functions and
applications*, SIAM J. Matrix Anal. Appl. 17, 1996. That is a value of f again, so that derivatives
of any order are known. Its adjoint is the derivative at Aᴴ, as all these functions are real on the
real axis: N. J. Higham, *Functions of Matrices*, SIAM 2008, chapter 3.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.linalg

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import rowwise
from pullback.errors import ArgumentTypeError
from pullback.rules.complex import adjoint
from pullback.rules.custom import stop_gradient
from pullback.rules.matrix_equations import each_of, lapacks, sylvester
from pullback.rules.registration import rule

__all__ = ["ComplexResultError", "matrix_function", "square_root"]


DOUBLE = frozenset({"logm", "fractional_matrix_power"})
"""What SciPy computes in double precision, whatever the matrix is in."""


class ComplexResultError(ArgumentTypeError):
    """A function of a real matrix is not real where it was to be."""


def _kind(dtype, name, result):
    """The dtype that the parameter `result` says, see `matrix_function`."""
    precision = lapacks(dtype)
    if name in DOUBLE:
        precision = np.result_type(precision, np.float64)
    return np.result_type(precision, np.complex64) if result == "complex" else precision


def _in_kind(value, a, name, result):
    """The value in that dtype."""
    real, precision = lapacks(a.dtype), _kind(a.dtype, name, result)
    if precision.kind == "c":
        return np.ascontiguousarray(value, precision)
    if value.dtype.kind == "c":
        rounding = np.finfo(real).eps ** (2 / 3) if result == "real" else 0
        odd = np.abs(value.imag).max(initial=0)
        if result == "exact" or odd > rounding * np.abs(value).max(initial=0):
            raise ComplexResultError(
                f"scipy.linalg.{name}: the result for a real matrix of shape {a.shape} is complex, "
                "in a function that was recorded before its values were known and takes it to be "
                "real; hand over a complex matrix, A.astype(complex)"
            )
        value = value.real
    return np.ascontiguousarray(value, precision)


def _matrix_function(a, *, name="expm", exponent=None, result="real"):
    function = getattr(scipy.linalg, name)
    if not a.size:
        value = np.array(a)
    elif name == "expm":
        value = function(a.astype(lapacks(a.dtype), copy=False))
    elif exponent is not None:
        value = each_of(lambda x: function(x, exponent), a)
    else:
        value = each_of(function, a)
    return _in_kind(value, a, name, result)


def _of_one(default, count):
    """The structure of a function of one matrix whose parameters say what dtype the result has."""
    structure = rowwise("(n,n)->(n,n)", count)

    def shapes(primitive, a, *, name=default, result="real", **_):
        found = structure.shape(primitive, a)
        return Abstract(found.shape, _kind(dtype_of(a), name, result))

    return dataclasses.replace(structure, shapes=shapes)


@rule(_matrix_function, _of_one("expm", lambda n: 30 * n**3))
def matrix_function(_y, a, *, name="expm", exponent=None, result="real"):
    """Y = f(A): Ẏ is the upper right block of f([[A, Ȧ], [0, A]]), Ā that of f([[Aᴴ, Ȳ], [0, Aᴴ]]).

    The `result` for a real matrix is real, but for rounding; or "exact", real in SciPy too; or
    "complex". It is an error where it is not so.

    Where f is not smooth at an eigenvalue, as the logarithm at 0 and on the negative real axis,
    there is no derivative, and SciPy warns or gives NaN.
    """
    kind = "real" if result == "exact" else result

    def derivative(a, direction):
        n = shape_of(a)[-1]
        size, least = _size(direction), np.finfo(dtype_of(direction)).tiny
        # The direction is scaled to the size of the matrix, or the larger one would decide on the
        # accuracy of both.
        ratio = np.maximum(size, least) / np.where(_size(a) > 0, _size(a), 1)
        scale = np.where(size > 0, np.exp2(np.round(np.log2(ratio))), 1).astype(size.dtype)
        lead = np.broadcast_shapes(shape_of(a)[:-2], shape_of(direction)[:-2])
        a, direction = (np.broadcast_to(x, (*lead, n, n)) for x in (a, direction / scale))
        upper = np.concatenate([a, direction], axis=-1)
        lower = np.concatenate([np.zeros_like(a), a], axis=-1)
        whole = matrix_function(
            np.concatenate([upper, lower], axis=-2), name=name, exponent=exponent, result=kind
        )
        return whole[..., :n, n:] * scale

    def pullback(y_bar):
        found = derivative(adjoint(a), y_bar)
        return np.real(found) if dtype_of(a).kind != "c" else found

    return Linear(lambda a_dot: derivative(a, a_dot), pullback)


def _size(x):
    return stop_gradient(np.max(np.abs(x), axis=(-2, -1), keepdims=True, initial=0))


def _square_root(a, *, result="real"):
    return _in_kind(each_of(scipy.linalg.sqrtm, a) if a.size else np.array(a), a, "sqrtm", result)


@rule(_square_root, _of_one("sqrtm", lambda n: 29 * n**3), name="square_root")
def square_root(y, a, *, result="real"):
    """Y = √A: YẎ + ẎY = Ȧ, and YᴴĀ + ĀYᴴ = Ȳ. Where A is singular neither has a solution.

    For `result` see `matrix_function`.
    """

    def pullback(y_bar):
        found = sylvester(adjoint(y), adjoint(y), y_bar)
        return np.real(found) if dtype_of(a).kind != "c" else found

    return Linear(lambda a_dot: sylvester(y, y, a_dot), pullback)
