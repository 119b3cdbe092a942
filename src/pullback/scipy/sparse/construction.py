"""Making sparse matrices of traced elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, is_plain
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant, strip_all
from pullback.scipy.constants import constant_call
from pullback.scipy.first_step import any_traced, give_first_step, plain, serves
from pullback.scipy.sparse.operators import CLASSES
from pullback.scipy.sparse.parts import Parts, parts_of
from pullback.scipy.sparse.traced import as_matrix, become, from_parts, is_traced, traced

__all__ = ["kron", "kronsum"]

# -- the classes -----------------------------------------------------------------------------------


def _initialise(original: Callable[..., Any]) -> Callable[..., Any]:
    def initialise(
        self: Any, arg1: Any, shape: Any = None, dtype: Any = None, copy: bool = False, **more: Any
    ) -> None:
        everything = (arg1, shape, dtype)
        if not is_traced(arg1) and are_constant(everything):
            plain(original)(self, *strip_all(everything), copy, **more)
            return
        cls = type(self)
        where = f"scipy.sparse.{cls.__name__}"
        data, pattern = _made(cls, arg1, shape, more, where)
        if dtype is not None:
            if np.dtype(dtype).kind not in "fc":
                raise ArgumentTypeError(
                    f"{where}: dtype is {np.dtype(dtype)}, and elements of dtype {dtype_of(data)} "
                    "are traced, wanted a floating or complex dtype"
                )
            data = data.astype(dtype)
        elif copy:
            data = np.copy(data)
        become(self, data, pattern)

    return initialise


def _made(cls: type, arg1: Any, shape: Any, more: dict[str, Any], where: str) -> tuple[Any, Any]:
    """The traced elements, and the pattern."""
    if is_traced(arg1):
        given = arg1.asformat(cls._format)  # type: ignore[attr-defined]
        return given._data, cls(given._pattern)
    if isinstance(arg1, tuple) and len(arg1) in (2, 3) and not _is_row(arg1):
        data, *places = arg1
        if any_traced(places):
            raise ArgumentTypeError(
                f"{where}: the places of elements are traced, and are constant by nature; hand "
                "over plain integers, as pullback.stop_gradient gives them"
            )
        data = operand(data)
        numbers = np.arange(1, data.size + 1).reshape(shape_of(data))
        flat = np.reshape(data, (-1,))
        if len(places) == 1 and len(places[0]) == 2 and not _has_offsets(cls):
            kind = "matrix" if scipy.sparse.isspmatrix(object.__new__(cls)) else "array"
            coo = getattr(scipy.sparse, f"coo_{kind}")
            given = traced(flat, coo((numbers, *places), shape=shape, **more))
            if cls._format == "coo":  # type: ignore[attr-defined]
                return given._data, cls(given._pattern)
            given = given.asformat(cls._format)  # type: ignore[attr-defined]
            return given._data, cls(given._pattern)
        return flat, cls((numbers, *places), shape=shape, **more)
    dense = operand(arg1)
    numbers = np.arange(1, dense.size + 1).reshape(shape_of(dense))
    return np.reshape(dense, (-1,)), cls(numbers, shape=shape, **more)


def _is_row(x: tuple[Any, ...]) -> bool:
    """Whether a tuple is a row of numbers."""
    return all(not isinstance(each, list | tuple) and not shape_of(each) for each in x)


def _has_offsets(cls: type) -> bool:
    return cls._format == "dia"  # type: ignore[attr-defined,no-any-return]


for _init in {cls.__init__ for cls in CLASSES}:
    give_first_step(_init, _initialise(_init))


# -- functions that put elements in their places ---------------------------------------------------


class _Numbering:
    """Stands numbers in for elements, which follow to where SciPy puts these."""

    def __init__(self) -> None:
        self.elements: list[Any] = []
        self.count = 0

    def of(self, x: Any) -> Any:
        """What stands for a matrix, an array, or a sequence of numbers."""
        if x is None:
            return None
        if scipy.sparse.issparse(x) and type(x) is not Tracer:
            if is_traced(x):
                x = as_matrix(x)
                pattern, data = x._pattern.copy(), x._data
            else:
                pattern = x.tocoo(copy=True)
                data, pattern.data = pattern.data, np.arange(1, pattern.data.size + 1)
            return self._with(pattern, data)
        x = operand(x)
        self._enter(x)
        # In floating point, for SciPy warns of integers among diagonals.
        return np.arange(self.count - x.size + 1.0, self.count + 1.0).reshape(shape_of(x))

    def _with(self, pattern: Any, data: Any) -> Any:
        first = self.count
        self._enter(data)
        coordinates = pattern.tocoo(copy=True)
        coordinates.data = coordinates.data + first
        return coordinates.asformat(pattern.format)

    def _enter(self, x: Any) -> None:
        self.elements.append(np.reshape(x, (-1,)))
        self.count += shape_of(self.elements[-1])[0]

    def placed(self, pattern: Any, dtype: Any) -> Any:
        data = np.concatenate(self.elements)
        return traced(data if dtype is None else data.astype(dtype), pattern)


def _placing(function: Callable[..., Any], number: Callable[..., Any]) -> None:
    """Serve a function that puts the elements of its first argument into a matrix."""

    def placed(first: Any, *args: Any, dtype: Any = None, **kwargs: Any) -> Any:
        constants = {**kwargs} if dtype is None else {**kwargs, "dtype": dtype}
        if not _holds_traced(first):
            return constant_call(function, (first, *args), constants)
        if any_traced((*args, *kwargs.values())):
            raise ArgumentTypeError(
                f"scipy.sparse.{function.__name__}: an argument beside the elements is traced, and "
                "is constant by nature; hand over plain integers, as pullback.stop_gradient gives "
                "them"
            )
        numbering = _Numbering()
        return numbering.placed(plain(function)(number(numbering, first), *args, **kwargs), dtype)

    serves(function)(placed)


def _holds_traced(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(map(_holds_traced, x))
    return is_traced(x) or not are_constant(x)


def _diagonals(numbering: _Numbering, diagonals: Any) -> Any:
    """One diagonal, or a sequence of several."""
    if type(diagonals) is Tracer or all(not shape_of(x) for x in diagonals):
        one = type(diagonals) is not Tracer or len(shape_of(diagonals)) == 1
        return numbering.of(diagonals) if one else list(numbering.of(diagonals))
    return [numbering.of(x) for x in diagonals]


def _blocks(numbering: _Numbering, blocks: Any) -> Any:
    """Matrices in lists, nested as they are."""
    if isinstance(blocks, list | tuple) or (is_plain(blocks) and blocks.dtype == object):
        return [_blocks(numbering, x) for x in blocks]
    return numbering.of(blocks)


def _mats(numbering: _Numbering, mats: Any) -> Any:
    return [numbering.of(x) for x in mats]


for _name, _number in {
    "diags": _diagonals,
    "diags_array": _diagonals,
    "spdiags": _Numbering.of,
    "block_diag": _mats,
    "hstack": _blocks,
    "vstack": _blocks,
    "bmat": _blocks,
    "block_array": _blocks,
    "tril": _Numbering.of,
    "triu": _Numbering.of,
    "swapaxes": _Numbering.of,
    "permute_dims": _Numbering.of,
}.items():
    if hasattr(scipy.sparse, _name):  # some are of newer releases
        _placing(getattr(scipy.sparse, _name), _number)


def _either(a: Any, b: Any) -> Any:
    """What a product of two matrices is like: a matrix, where neither is an array."""
    arrays = [x for x in (a, b) if isinstance(x, scipy.sparse.sparray)]
    return arrays[0] if arrays else scipy.sparse.coo_matrix((1, 1))


def _coo(x: Any) -> Any:
    return x if scipy.sparse.issparse(x) and type(x) is not Tracer else scipy.sparse.coo_array(x)


@serves(scipy.sparse.kron)
def kron(A: Any, B: Any, format: Any = None) -> Any:
    """The Kronecker product: each element of A times all of B."""
    like = _either(A, B)
    a, b = parts_of(as_matrix(_coo(A))), parts_of(as_matrix(_coo(B)))
    data = np.reshape(a.data[:, None] * b.data, (-1,))
    rows = (a.rows.astype(np.int64)[:, None] * b.shape[0] + b.rows).ravel()
    columns = (a.columns.astype(np.int64)[:, None] * b.shape[1] + b.columns).ravel()
    shape = (a.shape[0] * b.shape[0], a.shape[1] * b.shape[1])
    whole = from_parts(Parts(data, rows, columns, shape), like, "coo")
    return whole.asformat(format)


@serves(scipy.sparse.kronsum)
def kronsum(A: Any, B: Any, format: Any = None) -> Any:
    """I ⊗ A + B ⊗ I."""
    a, b = _coo(A), _coo(B)
    if a.shape[0] != a.shape[1] or b.shape[0] != b.shape[1]:
        raise ArgumentValueError(
            f"scipy.sparse.kronsum: got matrices of the shapes {a.shape} and {b.shape}, wanted "
            "square ones"
        )
    left = scipy.sparse.kron(scipy.sparse.eye_array(b.shape[0]), a)
    whole = left + scipy.sparse.kron(b, scipy.sparse.eye_array(a.shape[0]))
    return whole.asformat(format)
