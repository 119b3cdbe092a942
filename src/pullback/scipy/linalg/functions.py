"""Functions of a matrix under SciPy's names."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer, known
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import double
from pullback.numpy.operands import operand
from pullback.rules.linalg import solve
from pullback.rules.matrix_functions import ComplexResultError, matrix_function, square_root
from pullback.rules.shaping import reshape
from pullback.scipy.first_step import serves
from pullback.scipy.linalg.arguments import fixed, matrices, square

__all__ = ["expm", "expm_frechet", "fractional_matrix_power", "logm", "signm", "sqrtm"]


@serves(scipy.linalg.expm)
def expm(A: Any) -> Any:
    A = operand(A)
    if len(shape_of(A)) < 2:
        return np.exp(reshape(A, shape=(1, 1)))
    return matrix_function(square(A, "scipy.linalg.expm", False), name="expm")


def _served_by_name(name: str) -> None:
    def function(A: Any) -> Any:
        return matrix_function(square(A, f"scipy.linalg.{name}", False), name=name)

    function.__name__ = function.__qualname__ = name
    serves(getattr(scipy.linalg, name))(function)


for _name in ("cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm"):
    _served_by_name(_name)


def _plain(name: str, **options: Any) -> None:
    """Refuse what SciPy has deprecated."""
    for argument, value in options.items():
        if value is not None and type(value) is not object:
            raise ArgumentTypeError(
                f"scipy.linalg.{name}: the argument {argument} ({value!r}) is not supported where "
                "a matrix is being differentiated; leave it out"
            )


def _of_its_kind(primitive: Any, A: Any, **params: Any) -> Any:
    """Real where SciPy's result for a real matrix is, and otherwise complex.

    A recording, which does not know, takes it to be real.
    """
    if not known(A):
        return primitive(A, result="real", **params)
    try:
        return primitive(A, result="exact", **params)
    except ComplexResultError:
        return primitive(A, result="complex", **params)


@serves(scipy.linalg.logm)
def logm(A: Any, disp: Any = None) -> Any:
    """Real where the logarithm of a real matrix is; a recording takes it to be."""
    _plain("logm", disp=None if disp is True else disp)
    A = square(A, "scipy.linalg.logm", False)
    return _of_its_kind(matrix_function, A, name="logm")


@serves(scipy.linalg.sqrtm)
def sqrtm(A: Any, disp: Any = None, blocksize: Any = None) -> Any:
    """Real where the root of a real matrix is; a recording takes it to be."""
    _plain("sqrtm", disp=None if disp is True else disp, blocksize=blocksize)
    A = square(A, "scipy.linalg.sqrtm", False)
    return _of_its_kind(square_root, A)


@serves(scipy.linalg.fractional_matrix_power)
def fractional_matrix_power(A: Any, t: Any) -> Any:
    """Aᵗ, of a traced exponent as exp(t log A)."""
    name = "fractional_matrix_power"
    A = square(A, f"scipy.linalg.{name}", False)
    if isinstance(t, Tracer):
        return matrix_function(t * logm(A), name="expm")
    if int(t) == t:
        return np.linalg.matrix_power(A, int(t))
    return _of_its_kind(matrix_function, A, name=name, exponent=float(t))


@serves(scipy.linalg.signm)
def signm(A: Any, disp: Any = None) -> Any:
    """A(A²)^(−1/2): N. J. Higham, *Functions of Matrices*, SIAM 2008, chapter 5."""
    _plain("signm", disp=None if disp is True else disp)
    A = square(A, "scipy.linalg.signm", False)
    return solve(square_root(A @ A), A)


@serves(scipy.linalg.expm_frechet)
def expm_frechet(
    A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """The exponential and its derivative, the upper right block of that of [[A, E], [0, A]]."""
    name = "scipy.linalg.expm_frechet"
    if fixed(method, name, "method") not in (None, "SPS", "blockEnlarge"):
        raise ValueError(f"Unknown implementation {method}")
    A, E = matrices(square(A, name, check_finite), square(E, name, check_finite))
    if method != "blockEnlarge":
        A, E = double(A), double(E)
    n = shape_of(A)[-1]
    if shape_of(E)[-1] != n:
        raise ArgumentValueError(
            f"{name}: got A of shape {shape_of(A)} and E of shape {shape_of(E)}, wanted equal ones"
        )
    lead = np.broadcast_shapes(shape_of(A)[:-2], shape_of(E)[:-2])
    A, E = (np.broadcast_to(x, (*lead, n, n)) for x in (A, E))
    upper, lower = (np.concatenate(row, axis=-1) for row in ((A, E), (np.zeros_like(A), A)))
    whole = matrix_function(np.concatenate([upper, lower], axis=-2), name="expm")
    derivative = whole[..., :n, n:]
    return (whole[..., :n, :n], derivative) if compute_expm else derivative
