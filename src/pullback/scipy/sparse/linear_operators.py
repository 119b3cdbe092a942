"""Linear operators, and what is taken for a matrix in scipy.sparse.linalg."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg as sl

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.scipy.constants import constant_call
from pullback.scipy.first_step import composite, serves, traced_within

__all__ = ["TracedOperator", "matrix_of"]


def matrix_of(a: Any, where: str) -> Any:
    """A matrix as a sparse one, plain or with traced elements; a dense one with all elements."""
    if type(a) is not Tracer and scipy.sparse.issparse(a):
        return a
    if isinstance(a, sl.LinearOperator) and type(a) is not TracedOperator:
        raise ArgumentTypeError(
            f"{where}: got a LinearOperator of shape {a.shape} beside a traced value, wanted a "
            "matrix"
        )
    a = operand(a.matrix if type(a) is TracedOperator else a)
    if scipy.sparse.issparse(a) and type(a) is not Tracer:
        return a
    if len(shape_of(a)) != 2:
        raise ArgumentValueError(f"{where}: A has shape {shape_of(a)}, wanted two dimensions")
    return scipy.sparse.csc_array(a)


def _require_vector(operator: Any, x: Any, extent: int, name: str) -> None:
    if shape_of(x) not in ((extent,), (extent, 1)):
        raise ArgumentValueError(
            f"scipy.sparse.linalg.LinearOperator.{name}: an operator of shape {operator.shape} met "
            f"an array of shape {shape_of(x)}, wanted ({extent},) or ({extent}, 1)"
        )


def _require_matrix(operator: Any, x: Any, extent: int, name: str) -> None:
    if len(shape_of(x)) != 2 or shape_of(x)[0] != extent:
        raise ArgumentValueError(
            f"scipy.sparse.linalg.LinearOperator.{name}: an operator of shape {operator.shape} met "
            f"an array of shape {shape_of(x)}, wanted ({extent}, k)"
        )


def matvec(self: Any, x: Any) -> Any:
    """A @ x, by the operator's own function."""
    rows, columns = self.shape
    x = operand(x)
    _require_vector(self, x, columns, "matvec")
    y = operand(self._matvec(x))
    return np.reshape(y, (rows,) if len(shape_of(x)) == 1 else (rows, 1))


def rmatvec(self: Any, x: Any) -> Any:
    """Aᴴ @ x."""
    rows, columns = self.shape
    x = operand(x)
    _require_vector(self, x, rows, "rmatvec")
    y = operand(self._rmatvec(x))
    return np.reshape(y, (columns,) if len(shape_of(x)) == 1 else (columns, 1))


def matmat(self: Any, X: Any) -> Any:
    """A @ X."""
    X = operand(X)
    _require_matrix(self, X, self.shape[1], "matmat")
    return operand(self._matmat(X))


def rmatmat(self: Any, X: Any) -> Any:
    """Aᴴ @ X."""
    X = operand(X)
    _require_matrix(self, X, self.shape[0], "rmatmat")
    return operand(self._rmatmat(X))


def dot(self: Any, x: Any) -> Any:
    """A @ x of a vector or of columns."""
    if isinstance(x, sl.LinearOperator) and type(x) is not Tracer:
        if type(self) is not TracedOperator or type(x) is not TracedOperator:
            raise ArgumentTypeError(
                "scipy.sparse.linalg.LinearOperator: the product of a plain operator and one with "
                "traced elements is not supported; multiply their matrices"
            )
        return TracedOperator(self.matrix @ x.matrix)
    x = operand(x)
    shape = shape_of(x)
    if not shape:
        raise ArgumentTypeError(
            f"scipy.sparse.linalg.LinearOperator: an operator of shape {self.shape} was to be "
            "multiplied by a traced scalar; multiply what it is applied to, t * (A @ x)"
        )
    if len(shape) == 1 or shape[1:] == (1,):
        return self.matvec(x)
    return self.matmat(x)


def _reflected_dot(self: Any, x: Any) -> Any:
    """x @ A."""
    x = operand(x)
    if not shape_of(x):
        return dot(self, x)
    return np.transpose(dot(self.T, np.transpose(x)))


def _serving(function: Any, implementation: Any) -> Any:
    def served(self: Any, *args: Any) -> Any:
        out = constant_call(function, (self, *args), {})
        return implementation(self, *args) if out is NotImplemented else out

    return served


_SERVED = {
    "matvec": matvec,
    "rmatvec": rmatvec,
    "matmat": matmat,
    "rmatmat": rmatmat,
    "dot": dot,
    "__mul__": dot,
    "__matmul__": dot,
    "__rmul__": _reflected_dot,
    "__rmatmul__": _reflected_dot,
}
for _name, _implementation in _SERVED.items():
    _function = getattr(sl.LinearOperator, _name)
    serves(_function)(_serving(_function, _implementation))

# That of a matrix calls its method `dot`, which for NumPy's arrays does not see what is traced.
_ONE = sl.aslinearoperator(np.ones((1, 1)))
serves(type(_ONE)._matmat)(lambda self, X: self.A @ X)


@serves(type(_ONE**2)._power)
def _power(self: Any, fun: Any, x: Any) -> Any:
    for _ in range(self.args[1]):
        x = fun(x)
    return x


class TracedOperator(sl.LinearOperator):  # type: ignore[misc]
    """The operator of a matrix with traced elements, dense or sparse."""

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix
        super().__init__(dtype_of(matrix), shape_of(matrix))

    def _matvec(self, x: Any) -> Any:
        return self.matrix @ x

    def _matmat(self, X: Any) -> Any:
        return self.matrix @ X

    def _rmatvec(self, x: Any) -> Any:
        return np.conj(self.matrix).T @ x if type(self.matrix) is Tracer else self.matrix.getH() @ x

    def _rmatmat(self, X: Any) -> Any:
        return self._rmatvec(X)

    def _adjoint(self) -> Any:
        if type(self.matrix) is Tracer:
            return TracedOperator(np.conj(self.matrix).T)
        return TracedOperator(self.matrix.getH())

    def _transpose(self) -> Any:
        return TracedOperator(self.matrix.T)

    matvec, rmatvec, matmat, rmatmat, dot = matvec, rmatvec, matmat, rmatmat, dot
    __mul__ = __matmul__ = __call__ = dot
    __rmul__ = __rmatmul__ = _reflected_dot


composite(
    TracedOperator, lambda x: x.matrix if type(x.matrix) is Tracer else traced_within(x.matrix)
)


@serves(sl.aslinearoperator)
def aslinearoperator(A: Any) -> Any:
    """The operator of a matrix."""
    out = constant_call(sl.aslinearoperator, (A,), {})
    if out is not NotImplemented or type(A) is TracedOperator:
        return A if out is NotImplemented else out
    sparse = type(A) is not Tracer and scipy.sparse.issparse(A)
    a = A if sparse else operand(A)
    return TracedOperator(a if sparse or len(shape_of(a)) > 1 else np.reshape(a, (1, -1)))
