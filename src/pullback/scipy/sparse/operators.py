"""The operators of sparse matrices, where one of the operands is traced."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import scipy.sparse

from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.rules.sparse import sparse_matmul
from pullback.scipy.constants import constant_call
from pullback.scipy.first_step import give_first_step
from pullback.scipy.sparse.parts import Parts, parts_of, summed
from pullback.scipy.sparse.traced import METHODS, from_parts, is_matrix, is_traced, name_of, traced
from pullback.transforms.arguments import describe

__all__ = ["CLASSES", "product"]

CLASSES = tuple(
    getattr(scipy.sparse, f"{kind}_{ending}")
    for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for ending in ("array", "matrix")
)
"""SciPy's sparse classes."""


def _is_sparse(x: Any) -> bool:
    return type(x) is not Tracer and scipy.sparse.issparse(x)


# -- products of matrices --------------------------------------------------------------------------


def product(parts: Parts, x: Any, name: str) -> Any:
    """AX for a vector or a matrix X."""
    shape = shape_of(x)
    if not 1 <= len(shape) <= 2 or shape[0] != parts.shape[1]:
        raise ArgumentValueError(
            f"{name}: a sparse matrix of shape {parts.shape} was to be multiplied by an array of "
            f"shape {shape}, wanted ({parts.shape[1]},) or ({parts.shape[1]}, k)"
        )
    return sparse_matmul(parts.data, x, parts.rows, parts.columns, shape=parts.shape)


def _require_two_axes(x: Any, name: str) -> None:
    if x.ndim != 2:
        raise ArgumentTypeError(
            f"{name}: a sparse array of shape {x.shape} met a traced value, wanted two dimensions; "
            "write A.toarray()"
        )


def matmul(a: Any, b: Any) -> Any:
    """A @ B for a sparse A and a B that is sparse or dense."""
    name = name_of(a)
    _require_two_axes(a, name)
    if _is_sparse(b):
        _require_two_axes(b, name)
        return from_parts(_of_sparse(parts_of(a), parts_of(b), name), a)
    b = operand(b)
    if not shape_of(b):
        raise ArgumentValueError(f"{name} @ x: x is {describe(b)}, a scalar; use * instead")
    return product(parts_of(a), b, f"{name} @ x")


def _reflected_matmul(a: Any, b: Any) -> Any:
    """B @ A."""
    if _is_sparse(b):
        return matmul(b, a)
    name = name_of(a)
    _require_two_axes(a, name)
    b = operand(b)
    if not shape_of(b):
        raise ArgumentValueError(f"x @ {name}: x is {describe(b)}, a scalar; use * instead")
    if not 1 <= len(shape_of(b)) <= 2 or shape_of(b)[-1] != a.shape[0]:
        raise ArgumentValueError(
            f"x @ {name}: an array of shape {shape_of(b)} was to be multiplied by a sparse matrix "
            f"of shape {a.shape}, wanted ({a.shape[0]},) or (k, {a.shape[0]})"
        )
    return np.transpose(product(parts_of(a).transposed, np.transpose(b), name))


def _of_sparse(a: Parts, b: Parts, name: str) -> Parts:
    """The product of two sparse matrices: each element times all of the row that it meets."""
    if a.shape[1] != b.shape[0]:
        raise ArgumentValueError(
            f"{name}: sparse matrices of the shapes {a.shape} and {b.shape} were to be multiplied, "
            "wanted as many columns in the first as there are rows in the second"
        )
    b = summed(b)
    first = np.searchsorted(b.rows, np.arange(b.shape[0] + 1))
    count = np.diff(first)[a.columns]
    left = np.repeat(np.arange(a.columns.size), count)
    within = np.arange(left.size) - np.repeat(np.cumsum(count) - count, count)
    right = first[a.columns[left]] + within
    data = a.data[left] * b.data[right]
    return Parts(data, a.rows[left], b.columns[right], (a.shape[0], b.shape[1]))


def dot(a: Any, b: Any) -> Any:
    """A.dot(B), which takes a scalar too."""
    return _scaled(a, b) if _is_scalar(b) else matmul(a, b)


def _is_scalar(x: Any) -> bool:
    return not _is_sparse(x) and not shape_of(x)


# -- element by element ----------------------------------------------------------------------------


def _plain_pattern(a: Any) -> tuple[Any, Any]:
    """The elements of a matrix, and its pattern, for traced elements to come."""
    if is_traced(a):
        return a._data, a._pattern
    if a.format not in ("csr", "csc", "coo"):
        a = a.tocsr()
    pattern = a.copy()
    pattern.data = np.arange(1, a.data.size + 1)
    return a.data, pattern


def _scaled(a: Any, number: Any) -> Any:
    data, pattern = _plain_pattern(a)
    return traced(data * number, pattern)


def multiply(a: Any, b: Any) -> Any:
    """A.multiply(B), element by element: where A has no element the result has none."""
    name = f"{name_of(a)}.multiply"
    if _is_sparse(b):
        if a.shape != b.shape:
            raise ArgumentValueError(
                f"{name}: got sparse matrices of the shapes {a.shape} and {b.shape}, wanted equal "
                "ones where elements are traced; write A.multiply(B.toarray())"
            )
        left, right = summed(parts_of(a)), summed(parts_of(b))
        keys: list[Any] = [
            each.rows.astype(np.int64) * max(a.shape[1], 1) + each.columns for each in (left, right)
        ]
        _, i, j = np.intersect1d(keys[0], keys[1], assume_unique=True, return_indices=True)
        data = left.data[i] * right.data[j]
        return from_parts(Parts(data, left.rows[i], left.columns[i], left.shape), a)
    b = operand(b)
    if not shape_of(b):
        return _scaled(a, b)
    _require_two_axes(a, name)
    try:
        fits = np.broadcast_shapes(shape_of(b), a.shape) == a.shape
    except ValueError:
        fits = False
    if not fits:
        raise ArgumentValueError(
            f"{name}: an array of shape {shape_of(b)} does not broadcast to the shape {a.shape} of "
            "the sparse matrix; write A.toarray() * x"
        )
    data, rows, columns, shape = parts_of(a)
    found = np.broadcast_to(b, shape)[rows, columns]
    return from_parts(Parts(data * found, rows, columns, shape), a, "coo")


def _times(a: Any, b: Any) -> Any:
    """A * B: element by element of arrays, the product of matrices."""
    if not is_matrix(a):
        return multiply(a, b)
    return dot(a, b)


def _reflected_times(a: Any, b: Any) -> Any:
    if not is_matrix(a):
        return multiply(a, b)
    return _scaled(a, b) if _is_scalar(b) else _reflected_matmul(a, b)


def _over(a: Any, b: Any) -> Any:
    if _is_sparse(b):
        raise ArgumentTypeError(
            f"{name_of(a)} / {name_of(b)}: the quotient of sparse matrices is 0/0 almost "
            "everywhere, and has no derivative rule in pullback; divide the elements, A.data, or "
            "write A.toarray() / B.toarray()"
        )
    b = operand(b)
    if a.format in ("lil", "dok") and not shape_of(b):  # as SciPy rounds these
        data, pattern = _plain_pattern(a)
        return traced(data / b, pattern)
    return multiply(a, 1 / b)


def _under(a: Any, b: Any) -> Any:
    if _is_sparse(b):
        return _over(b, a)
    return operand(b) / _dense(a, "x / A")


# -- sums ------------------------------------------------------------------------------------------


def _dense(a: Any, what: str) -> Any:
    if is_matrix(a):
        raise ArgumentTypeError(
            f"{name_of(a)}: {what} is a numpy.matrix, which cannot hold traced elements; write it "
            "with A.toarray(), of which * is the product of elements and @ that of matrices"
        )
    return a.toarray()


def _sum(a: Any, b: Any, sign: int) -> Any:
    """A + B or A − B."""
    if _is_sparse(b):
        if a.shape != b.shape:
            raise ArgumentValueError(
                f"{name_of(a)}: sparse matrices of the shapes {a.shape} and {b.shape} were to be "
                "added, wanted equal ones"
            )
        left, right = parts_of(a), parts_of(b)
        other = right.data if sign > 0 else -right.data
        data = np.concatenate([left.data, other])
        rows = np.concatenate([left.rows, right.rows])
        columns = np.concatenate([left.columns, right.columns])
        return from_parts(Parts(data, rows, columns, left.shape), a)
    b = operand(b)
    if not shape_of(b):
        raise ArgumentTypeError(
            f"{name_of(a)}: a traced scalar of dtype {b.dtype} was to be added to a sparse matrix "
            f"of shape {a.shape}, which would make it dense; write A.toarray() + x"
        )
    whole = _dense(a, "the sum with a dense array")
    return whole + b if sign > 0 else whole - b


def _larger(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(a: Any, b: Any) -> Any:
        whole = _dense(a, f"the {function.__name__} with a dense array")
        return function(whole, b.toarray() if _is_sparse(b) else b)

    return apply


OPERATORS: dict[str, Callable[..., Any]] = {
    "__matmul__": matmul,
    "__rmatmul__": _reflected_matmul,
    "dot": dot,
    "__mul__": _times,
    "__rmul__": _reflected_times,
    "multiply": multiply,
    "__truediv__": _over,
    "__rtruediv__": _under,
    "__add__": lambda a, b: _sum(a, b, 1),
    "__radd__": lambda a, b: _sum(a, b, 1),
    "__sub__": lambda a, b: _sum(a, b, -1),
    "__rsub__": lambda a, b: -_sum(a, b, -1),
    "maximum": _larger(np.maximum),
    "minimum": _larger(np.minimum),
}
METHODS.update(OPERATORS)
REFUSED = ("__eq__", "__ge__", "__gt__", "__le__", "__lt__", "__ne__", "__imul__", "__itruediv__",
           "__iadd__", "__isub__", "__setitem__", "setdiag", "tensordot", "power")  # fmt: skip
"""What a plain matrix does not do with a traced value."""


def _serving(function: Callable[..., Any], operate: Callable[..., Any]) -> Callable[..., Any]:
    def served(*args: Any, **kwargs: Any) -> Any:
        out = constant_call(function, args, kwargs)
        return operate(*args, **kwargs) if out is NotImplemented else out

    return served


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(a: Any, *args: Any, **kwargs: Any) -> Any:
        raise ArgumentTypeError(
            f"{name_of(a)}.{name}: a plain sparse matrix of shape {a.shape} met a traced value, "
            "and cannot hold or be compared with one; make the matrix of traced elements, "
            f"{name_of(a)}((data, places)), or write it with A.toarray()"
        )

    return refuse


for _name in (*OPERATORS, *REFUSED):
    for _cls in CLASSES:
        _function = getattr(_cls, _name, None)
        if type(_function) is FunctionType:
            give_first_step(
                _function, _serving(_function, OPERATORS.get(_name) or _refusing(_name))
            )
