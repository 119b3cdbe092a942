"""NumPy's linear algebra: solving, inverting, determinants, powers and factorisations."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentValueError
from pullback.numpy import shaping as rearranged
from pullback.numpy.operands import operand, square
from pullback.numpy.registration import implements
from pullback.rules import contractions, linalg
from pullback.rules.shaping import reshape

__all__: list[str] = []


@implements(np.linalg.inv)
def inv(a: Any) -> Any:
    return linalg.inv(square(a, "np.linalg.inv"))


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """One vector, if `b` has one axis, and matrices otherwise."""
    a, b = square(a, "np.linalg.solve"), operand(b)
    if len(shape_of(b)) != 1:
        return linalg.solve(a, b)
    x = linalg.solve(a, reshape(b, shape=(*shape_of(b), 1)))
    return reshape(x, shape=shape_of(x)[:-1])


@implements(np.linalg.det)
def det(a: Any) -> Any:
    return linalg.det(square(a, "np.linalg.det"))


_SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    return _SlogdetResult(*linalg.slogdet(square(a, "np.linalg.slogdet")))


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    a = square(a, "np.linalg.cholesky")
    if not upper:
        return linalg.cholesky(a)
    return np.matrix_transpose(linalg.cholesky(np.matrix_transpose(a)))


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """Aⁿ by repeated squaring."""
    a = square(a, "np.linalg.matrix_power")
    n = operator.index(n)
    if n < 0:
        a, n = linalg.inv(a), -n
    if n == 0:
        return np.zeros_like(a) + np.eye(shape_of(a)[-1], dtype=a.dtype)
    result = None
    while n:
        if n & 1:
            result = a if result is None else contractions.matmul(result, a)
        n >>= 1
        if n:
            a = contractions.matmul(a, a)
    return result


@implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    a = operand(a)
    shape = shape_of(a)
    if ind <= 0:
        raise ArgumentValueError(f"np.linalg.tensorinv: got ind={ind}; it must be positive")
    inverse = inv(reshape(a, shape=(int(np.prod(shape[:ind])), int(np.prod(shape[ind:])))))
    return reshape(inverse, shape=shape[ind:] + shape[:ind])


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = operand(a), operand(b)
    rank = len(shape_of(a))
    if axes is not None:
        order = [axis for axis in range(rank) if axis not in axes] + list(axes)
        a = rearranged.transpose(a, order)
    shape = shape_of(a)[len(shape_of(b)) :]
    size = int(np.prod(shape))
    solution = solve(reshape(a, shape=(-1, size)), reshape(b, shape=(-1,)))
    return reshape(solution, shape=shape)
