"""scipy.sparse.linalg: norms, the exponential, and what is decided for everything else."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg as sl
from scipy.sparse import csc_matrix

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.rules.sparse_functions import exponential_product
from pullback.scipy.constants import constant_call
from pullback.scipy.first_step import any_traced, serves
from pullback.scipy.sparse.parts import parts_of
from pullback.scipy.sparse.spectra import dense
from pullback.scipy.sparse.traced import is_traced, without_repeats

__all__ = ["expm", "expm_multiply", "inv", "matrix_power", "norm"]


@serves(sl.expm_multiply)
def expm_multiply(
    A: Any,
    B: Any,
    start: Any = None,
    stop: Any = None,
    num: Any = None,
    endpoint: Any = None,
    traceA: Any = None,
) -> Any:
    """exp(A) B; of a traced matrix A by the exponential of a dense one."""
    out = constant_call(sl.expm_multiply, (A, B, start, stop, num, endpoint, traceA), {})
    if out is not NotImplemented:
        return out
    name = "scipy.sparse.linalg.expm_multiply"
    b = operand(B)
    if not all(x is None for x in (start, stop, num, endpoint)):
        count = 50 if num is None else int(num)
        times = np.linspace(start, stop, count, True if endpoint is None else bool(endpoint))
        return np.stack([expm_multiply(times[i] * A, b) for i in range(count)])
    if any_traced((A,)) or not scipy.sparse.issparse(A):
        return scipy.linalg.expm(dense(A, name)) @ b
    if not 1 <= len(shape_of(b)) <= 2 or (shape_of(b)[0],) * 2 != A.shape:
        raise ArgumentValueError(
            f"{name}: A has shape {A.shape} and B has shape {shape_of(b)}, wanted (n, n), and (n,) "
            "or (n, k)"
        )
    return exponential_product(b, *parts_of(A)[:3])


@serves(sl.inv)
def inv(A: Any) -> Any:
    """A⁻¹, which is full, from the inverse of a dense matrix."""
    return _sparse(np.linalg.inv(dense(A, "scipy.sparse.linalg.inv")), A)


@serves(sl.expm)
def expm(A: Any) -> Any:
    """exp(A), from that of a dense matrix; a dense one has a dense result."""
    out = scipy.linalg.expm(dense(A, "scipy.sparse.linalg.expm"))
    return _sparse(out, A) if scipy.sparse.issparse(A) else out


def _sparse(x: Any, like: Any) -> Any:
    made = scipy.sparse.csc_array if isinstance(like, scipy.sparse.sparray) else csc_matrix
    return made(x)


@serves(sl.matrix_power)
def matrix_power(A: Any, power: Any) -> Any:
    """A to the power of a count, as `A ** n` of sparse matrices, by SciPy's products."""
    power = operator.index(power)
    if power < 0:
        raise ArgumentValueError("exponent must be >= 0")
    if not power:
        eye = scipy.sparse.eye_array(A.shape[0], dtype=A.dtype)
        return eye if isinstance(A, scipy.sparse.sparray) else scipy.sparse.eye(A.shape[0])
    if power == 1:
        return A.copy()
    half = matrix_power(A, power // 2)
    out = A @ half @ half if power % 2 else half @ half
    return out.asformat(A.format if A.format in ("csr", "csc") else "csr")


@serves(sl.norm)
def norm(x: Any, ord: Any = None, axis: Any = None) -> Any:
    """Norms of a matrix with traced elements, that of Frobenius from the stored elements."""
    out = constant_call(sl.norm, (x, ord, axis), {})
    if out is not NotImplemented:
        return out
    if not is_traced(x):
        raise ArgumentTypeError(
            "scipy.sparse.linalg.norm: x is dense and traced, or an option is traced; write "
            "numpy.linalg.norm(x)"
        )
    whole = axis is None or (isinstance(axis, tuple) and len(axis) == 2)
    if whole and ord in (None, "fro", "f"):
        return np.linalg.norm(without_repeats(x).tocoo().data)
    if whole and ord in (2, -2, "nuc"):
        raise ArgumentTypeError(
            f"scipy.sparse.linalg.norm: ord is {ord!r}, which SciPy has not for sparse matrices; "
            "write numpy.linalg.norm(A.toarray(), ord)"
        )
    return np.linalg.norm(x.toarray(), ord, axis)
