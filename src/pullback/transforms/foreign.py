"""Data of other libraries as arrays, by position.

Frames, series, labelled arrays and tensors are taken for the numbers that they hold, row by row in
their order: labels of rows and names of columns align nothing here, as in scikit-learn. What
holds more than numbers, and would lose it in silence, is refused with what to write: a mask, a
unit, the product of a matrix, missing values, words.
"""

from __future__ import annotations

import numbers
import sys
from typing import Any

import numpy as np

from pullback.core.creation import MOST_DIMENSIONS
from pullback.core.tracing import Tracer, is_plain
from pullback.core.validation import describe
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.transforms.arguments import require_array

__all__ = ["by_position", "columns_of", "is_foreign", "masks_nothing", "require_same_axes"]

_OURS = frozenset({np.ndarray, Tracer, np.float64, np.float32, float, int})


def is_foreign(x: Any) -> bool:
    """Whether `x` is an array of another library, or a subclass of NumPy's."""
    if type(x) in _OURS or is_plain(x, np.generic | Tracer):
        return False
    return is_plain(x) or hasattr(x, "__array__") or _is_sparse(x)


def by_position(x: Any, where: str) -> Any:
    """`x` as an array or tracer: what holds numbers in its own way, as those numbers.

    Arrays of NumPy and tracers are returned as they are, an array that is mapped from a file
    without being read. What is no array, or says more than its numbers, is refused.
    """
    if type(x) in (np.ndarray, Tracer) or is_plain(x, np.generic):
        return x
    if is_plain(x):
        return _plain(x, where)
    if is_plain(x, list | tuple | range):
        return _sequence(x, where)
    if is_plain(x, bool | int | float | complex):
        return np.asarray(x)
    if _is_sparse(x):
        raise ArgumentTypeError(
            f"{where} is a sparse {type(x).__name__} of shape {x.shape}, wanted a dense array; "
            "write x.toarray()"
        )
    if not hasattr(x, "__array__") or isinstance(x, type):
        raise ArgumentTypeError(
            f"{where} is {describe(x)}, wanted an array or a number; convert it with "
            "np.asarray(x, dtype=float)"
        )
    _require_no_unit(x, where)
    return _numbers(x, where)


def columns_of(x: Any) -> tuple[str, ...] | None:
    """The names of a frame's columns, if all have one."""
    if not is_foreign(x) or is_plain(x):
        return None
    try:
        names = tuple(x.columns)
    except (AttributeError, TypeError):
        return None
    return names if names and all(isinstance(name, str) for name in names) else None


def require_same_axes(prediction: Any, target: Any, loss: str) -> None:
    """Raise where both name their axes, and differently: xarray aligns by these names."""
    if type(prediction) in _OURS or type(target) in _OURS:
        return
    names, others = getattr(prediction, "dims", None), getattr(target, "dims", None)
    if not (isinstance(names, tuple) and isinstance(others, tuple)) or len(names) != len(others):
        return
    if names != others:
        raise ArgumentValueError(
            f"losses.{loss}: prediction has the axes {names} and target {others}, wanted the "
            "same in the same order, since they are taken by position; write "
            "target.transpose(*prediction.dims), or rename them"
        )


def masks_nothing(x: Any) -> bool:
    """Whether `x` is no masked array, or one with no element masked."""
    masked = sys.modules.get("numpy.ma")
    return masked is None or not issubclass(type(x), masked.MaskedArray) or not x.mask.any()


# -- one kind of data each -------------------------------------------------------------------------


def _plain(x: Any, where: str) -> Any:
    """A subclass of NumPy's array as the array it is, unless it is more."""
    if not masks_nothing(x):
        raise ArgumentTypeError(
            f"{where} is a masked array of shape {x.shape}, and what is masked would count; leave "
            "it out, here and in what belongs to it, with keep = ~np.ma.getmaskarray(x), or "
            "replace it with x.filled(value)"
        )
    if is_plain(x, np.matrix):
        raise ArgumentTypeError(
            f"{where} is a numpy.matrix of shape {x.shape}, whose * is a product of matrices; "
            "write np.asarray(x), and @ for products"
        )
    _require_no_unit(x, where)
    return np.asarray(x)


def _require_no_unit(x: Any, where: str) -> None:
    unit = getattr(x, "unit", getattr(x, "units", None))
    # A name of a unit alone is a note, as xarray's attributes are.
    if unit is not None and (hasattr(x, "to_value") or hasattr(x, "magnitude")):
        raise ArgumentTypeError(
            f"{where} is a {type(x).__name__} in the unit {unit}, which would be lost; convert it "
            "to the unit that you mean and take its numbers, np.asarray(x)"
        )


def _is_sparse(x: Any) -> bool:
    return hasattr(x, "toarray") and hasattr(x, "nnz")


def _sequence(x: Any, where: str) -> Any:
    _require_no_masks(x, where)
    try:
        array = np.asarray(x)
    except ValueError:  # the rows differ, or there are more levels than an array has axes
        raise ArgumentValueError(
            f"{where} is a {type(x).__name__} whose rows differ in length, wanted an array; give "
            "rows of one length"
        ) from None
    return require_array(array, where)


def _require_no_masks(x: Any, where: str, depth: int = 0) -> None:
    """Raise where a list has masked parts, whose masks are lost in the array of it."""
    for part in x:
        if type(part) in _OURS:
            continue
        if is_plain(part, list | tuple):
            if depth < MOST_DIMENSIONS:  # what is deeper is no array
                _require_no_masks(part, where, depth + 1)
        elif is_plain(part, np.ma.MaskedArray):
            _plain(part, f"{where} is a {type(x).__name__} with a part that")


def _numbers(x: Any, where: str) -> Any:
    """The numbers that an array of another library holds."""
    name = type(x).__name__
    try:
        array = np.asarray(x)
    except Exception as error:
        raise ArgumentTypeError(
            f"{where} is a {name} that cannot be taken as an array: {error}"
        ) from error
    if array.dtype.kind in "biufc":
        return array
    if array.dtype.kind != "O":
        raise ArgumentTypeError(
            f"{where} is a {name} of dtype {array.dtype} and shape {array.shape}, wanted numbers; "
            "say how they are to be numbers before"
        )
    return _objects(array, x, where)


def _objects(array: Any, x: Any, where: str) -> Any:
    """What came as objects, as numbers if all of them are."""
    elements = array.ravel().tolist()
    if any(type(element) is Tracer for element in elements):
        return require_array(array, where)
    name = type(x).__name__
    for position, element in enumerate(elements):
        if isinstance(element, numbers.Number | np.bool_):
            continue
        place = np.unravel_index(position, array.shape)
        row, names = int(place[0]), columns_of(x)
        column = f"column {names[int(place[1])]!r}, " if names and len(place) == 2 else ""
        if element is None or type(element).__name__ in ("NAType", "NaTType"):
            raise ArgumentValueError(
                f"{where} is a {name} with a missing value ({column}row {row}); leave those rows "
                "out, or fill them"
            )
        remedy = (
            "select the columns of numbers" if column else "give the numbers that it stands for"
        )
        raise ArgumentTypeError(
            f"{where} is a {name} that holds {element!r} ({column}row {row}), wanted numbers; "
            f"{remedy}: words and categories become numbers by codes or indicators"
        )
    joined = np.array(elements).reshape(array.shape) if elements else array.astype(float)
    return joined if joined.dtype.kind in "biufc" else joined.astype(float)
