"""Sparse matrices with traced elements.

SciPy's classes are made anew by their own ``__init__``, which is served: what comes of traced
elements is of a subclass, made on demand, that has pullback's methods and none of SciPy's. So
``isinstance`` and ``scipy.sparse.issparse`` say what they say without tracing, and what pullback
doesn't serve is refused by its name.

The elements are one traced vector; where they are says the *pattern*, a plain matrix of SciPy's
class that has the numbers 1, 2, … for elements. What moves elements to other places (another
format, transposing, indexing, stacking) SciPy does with the pattern, and the elements follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import AbsentMethodError, ArgumentTypeError, ArgumentValueError
from pullback.rules.indexing import ARRAY, scatter
from pullback.scipy.first_step import composite
from pullback.scipy.sparse.parts import Parts, distinct, parts_of, summed

__all__ = [
    "METHODS",
    "as_matrix",
    "become",
    "from_parts",
    "is_matrix",
    "is_traced",
    "name_of",
    "select",
    "traced",
    "with_elements",
    "without_repeats",
]

METHODS: dict[str, Any] = {}
"""What a matrix with traced elements has, by name; `pullback.scipy.sparse.operators` adds more."""

_STORED = ("csr", "csc", "coo")
"""The formats whose elements are a vector of their own."""


def is_traced(x: Any) -> bool:
    """Whether `x` is a sparse matrix with traced elements."""
    return type(x) in _originals


def is_matrix(x: Any) -> bool:
    """Whether `x` has the operators of a matrix, by which * is the product of matrices."""
    return bool(scipy.sparse.isspmatrix(getattr(x, "_pattern", x)))


def name_of(x: Any) -> str:
    """The public name of a sparse matrix's class."""
    return f"scipy.sparse.{_originals.get(type(x), type(x)).__name__}"


# -- making one ------------------------------------------------------------------------------------

_classes: dict[type, type] = {}
_originals: dict[type, type] = {}


def _traced_class(cls: type) -> type:
    """The subclass of a class of SciPy's whose elements are traced."""
    if cls not in _classes:
        operators = {
            name
            for each in cls.__mro__[:-1]
            for name, value in vars(each).items()
            if name[:2] == "__" and callable(value) and name not in _OF_OBJECTS
        }
        refusing = {name: _refusing(name) for name in operators - set(METHODS)}
        body = {**refusing, **METHODS, "__slots__": (), "__hash__": None, "__doc__": cls.__doc__}
        made = type(cls.__name__, (cls,), {**body, "__module__": cls.__module__})
        _originals[made] = cls
        composite(made, lambda x: x._data)
        _classes[cls] = made
    return _classes[cls]


_OF_OBJECTS = frozenset({"__class_getitem__", "__init__", "__new__", "__hash__", *vars(object)})


def become(x: Any, data: Any, pattern: Any) -> None:
    """Let `x`, a new object of SciPy's class, be a matrix with these elements."""
    if pattern.dtype != np.int64:  # SciPy has made floating numbers of them
        pattern = pattern.astype(np.int64)
    if pattern.format in _STORED:
        numbers = pattern.data
        if not np.array_equal(numbers, np.arange(1, numbers.size + 1)):
            data = data[numbers - 1]
            pattern = pattern.copy()
            pattern.data = np.arange(1, numbers.size + 1)
        elif numbers.size != shape_of(data)[0]:
            data = data[: numbers.size]
    vars(x).clear()
    x.__class__ = _traced_class(type(pattern))
    vars(x).update(_data=data, _pattern=pattern)


def traced(data: Any, pattern: Any) -> Any:
    """A matrix with these elements; with those that the numbers of the pattern say, from 1 on."""
    if type(data) is not Tracer:
        return with_elements(pattern, data)
    x: Any = object.__new__(_traced_class(type(pattern)))
    become(x, data, pattern)
    return x


def with_elements(pattern: Any, data: Any) -> Any:
    """The plain matrix, where no level follows the elements any more."""
    filled = pattern.astype(dtype_of(data))
    coordinates = pattern.tocoo()
    if pattern.format in _STORED:
        filled.data = np.asarray(data)[pattern.data - 1]
        return filled
    elements = (np.asarray(data)[coordinates.data - 1], coordinates.coords)
    return scipy.sparse.coo_array(elements, shape=pattern.shape).asformat(pattern.format)


def from_parts(parts: Parts, like: Any, kind: str = "csr") -> Any:
    """The matrix with these parts, with the operators of `like`."""
    parts = summed(parts) if kind != "coo" else parts
    coo = scipy.sparse.coo_matrix if is_matrix(like) else scipy.sparse.coo_array
    numbers = np.arange(1, parts.rows.size + 1)
    pattern = coo((numbers, (parts.rows, parts.columns)), shape=parts.shape)
    return traced(parts.data, pattern.asformat(kind))


def as_matrix(x: Any) -> Any:
    """A plain matrix, or one with traced elements, without places that are named twice."""
    return without_repeats(x) if is_traced(x) else x


def without_repeats(x: Any) -> Any:
    """`x` with one element at each place, the sum of those that were there."""
    if x._pattern.format not in _STORED or x._pattern.ndim != 2:
        return x
    parts = parts_of(x)
    if np.all(distinct(parts)[1]):
        return x
    return from_parts(summed(parts), x, x._pattern.format)


# -- its methods -----------------------------------------------------------------------------------


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    METHODS[function.__name__] = function
    return function


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(self: Any, *_: Any, **__: Any) -> Any:
        raise _absent(self, name)

    return refuse


def _absent(x: Any, name: str) -> AbsentMethodError:
    shape = object.__getattribute__(x, "_pattern").shape
    return AbsentMethodError(
        f"{name_of(x)}.{name}: a sparse matrix of shape {shape} with traced elements does not have "
        "it; use @, .T, .data and arithmetic with numbers and matrices, make it dense with "
        ".toarray(), or compute with the traced elements before the matrix is made"
    )


def _attribute(self: Any, name: str) -> Any:
    if name in METHODS or name in ("_data", "_pattern") or name[:2] == "__":
        return object.__getattribute__(self, name)
    raise _absent(self, name)


METHODS["__getattribute__"] = _attribute


@_method
def _elements(self: Any, numbers: Any) -> Any:
    """The elements with these numbers."""
    if self._pattern.format in _STORED:
        return self._data
    return self._data[numbers - 1]


def _of_pattern(name: str) -> property:
    def read(self: Any) -> Any:
        try:
            return getattr(self._pattern, name)
        except AttributeError:
            raise _absent(self, name) from None

    return property(read)


for _name in ("coords", "col", "format", "has_canonical_format", "has_sorted_indices", "indices",
              "indptr", "ndim", "nnz", "offsets", "row", "shape", "size"):  # fmt: skip
    METHODS[_name] = _of_pattern(_name)


def _get_data(self: Any) -> Any:
    if self._pattern.format not in _STORED:
        raise AbsentMethodError(
            f"{name_of(self)}.data: the traced elements of this format are not kept in one array; "
            "take A.tocoo().data"
        )
    return self._data


def _set_data(self: Any, data: Any) -> None:
    if shape_of(data) != shape_of(self._data):
        raise ArgumentValueError(
            f"{name_of(self)}.data: got elements of shape {shape_of(data)}, wanted "
            f"{shape_of(self._data)}, one for each that is stored"
        )
    vars(self)["_data"] = data


METHODS["data"] = property(_get_data, _set_data)
METHODS["dtype"] = property(lambda self: self._data.dtype)
METHODS["T"] = property(lambda self: self.transpose())


def _shown(self: Any) -> str:
    return (
        f"<{name_of(self)} of dtype {self.dtype} and shape {self.shape} with {self.nnz} traced "
        "elements>"
    )


METHODS["__repr__"] = METHODS["__str__"] = _shown


@_method
def toarray(self: Any, order: Any = None, out: Any = None) -> Any:
    if out is not None or order not in (None, "C"):
        raise ArgumentTypeError(
            f"{name_of(self)}.toarray: out= and the order {order!r} are not supported where "
            "elements are traced; write to an array with y[...] = A.toarray()"
        )
    data, rows, columns, shape = parts_of(self)
    whole = scatter(data, rows, columns, key=(ARRAY, ARRAY), shape=shape)
    return whole if self._pattern.ndim == 2 else whole[0]


@_method
def todense(self: Any, order: Any = None, out: Any = None) -> Any:
    if is_matrix(self):
        raise ArgumentTypeError(
            f"{name_of(self)}.todense: a numpy.matrix cannot hold traced elements; write "
            "A.toarray(), of which * is the product of elements and @ that of matrices"
        )
    return self.toarray(order, out)


def select(data: Any, found: Any) -> Any:
    """What the numbers of a pattern have become, with elements in their place."""
    if scipy.sparse.issparse(found):
        return traced(data, found)
    numbers = np.asarray(found)
    if not shape_of(data)[0]:
        return np.zeros(numbers.shape, dtype_of(data))
    elements = data[np.maximum(numbers, 1) - 1]
    return elements if np.all(numbers) else np.where(numbers > 0, elements, 0)


def _moving(name: str) -> Callable[..., Any]:
    """SciPy's method, done to the pattern."""

    def moved(self: Any, *args: Any, **kwargs: Any) -> Any:
        if name not in ("transpose", "copy"):
            self = without_repeats(self)
        return select(self._data, getattr(self._pattern, name)(*args, **kwargs))

    moved.__name__ = name
    return moved


for _name in ("__getitem__", "asformat", "copy", "diagonal", "getcol", "getrow", "reshape",
              "tobsr", "tocoo", "tocsc", "tocsr", "todia", "todok", "tolil",
              "transpose"):  # fmt: skip
    METHODS[_name] = _moving(_name)


@_method
def sum_duplicates(self: Any) -> None:
    whole = without_repeats(self)
    vars(self).update(_data=whole._data, _pattern=whole._pattern)


def _sum(self: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The sum of all elements, or of those of each row or column."""
    if out is not None:
        raise ArgumentTypeError(f"{name_of(self)}.sum: out= is not supported; write y[...] = sum")
    data, rows, columns, shape = parts_of(self)
    data = data if dtype is None else data.astype(dtype)
    if axis is None or axis == (0, 1) or self._pattern.ndim == 1:
        return np.sum(data)
    if is_matrix(self):
        raise ArgumentTypeError(
            f"{name_of(self)}.sum: the sums along an axis are a numpy.matrix, which cannot hold "
            "traced elements; write scipy.sparse.csr_array(A).sum(axis), or A.toarray().sum(axis)"
        )
    if axis not in (0, 1, -1, -2):
        raise ArgumentValueError(f"{name_of(self)}.sum: axis is {axis!r}, wanted None, 0 or 1")
    kept = columns if axis % 2 == 0 else rows
    return scatter(data, kept, key=(ARRAY,), shape=(shape[1 - axis % 2],))


METHODS["sum"] = _sum


@_method
def mean(self: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    total = self.sum(axis, dtype, out)
    counted = np.prod(self.shape) if axis is None else self.shape[axis]
    return total / counted


@_method
def trace(self: Any, offset: int = 0) -> Any:
    return np.sum(self.diagonal(k=offset))


def _of_elements(name: str, function: Callable[..., Any], *, linear: bool) -> None:
    def apply(self: Any, *args: Any, **kwargs: Any) -> Any:
        self = self if linear else without_repeats(self)
        return traced(function(self._data, *args, **kwargs), self._pattern)

    apply.__name__ = name
    METHODS[name] = apply


def _converted(data: Any, dtype: Any, casting: str = "unsafe", copy: bool = True) -> Any:
    return data.astype(dtype, casting=casting)


def _power(data: Any, n: Any, dtype: Any = None) -> Any:
    if shape_of(n):
        raise NotImplementedError("input is not scalar")
    if known(n) and np.any(np.equal(strip(n), 0)):
        raise NotImplementedError(
            "zero power is not supported as it would densify the matrix.\n"
            "Use `np.ones(A.shape, dtype=A.dtype)` for this case."
        )
    return (data if dtype is None else _converted(data, dtype)) ** n


def _raised(self: Any, n: Any, *modulo: Any) -> Any:
    if is_matrix(self):
        raise _absent(self, "__pow__")
    return self.power(n, *modulo)


METHODS["__pow__"] = _raised
_of_elements("astype", _converted, linear=True)
_of_elements("conj", lambda data, copy=True: np.conj(data), linear=True)
_of_elements("conjugate", lambda data, copy=True: np.conj(data), linear=True)
_of_elements("__neg__", lambda data: -data, linear=True)
_of_elements("__abs__", abs, linear=False)
_of_elements("power", _power, linear=False)
for _name in ("arcsin", "arcsinh", "arctan", "arctanh", "deg2rad", "expm1", "log1p", "rad2deg",
              "sin", "sinh", "sqrt", "tan", "tanh"):  # fmt: skip
    _of_elements(_name, getattr(np, _name), linear=False)
METHODS["real"] = property(lambda self: traced(np.real(self._data), self._pattern))
METHODS["imag"] = property(lambda self: traced(np.imag(self._data), self._pattern))
METHODS["getH"] = lambda self: self.conj().transpose()
