"""Statistics of the elements of an image by labels, and filters of spectra.

Labels, and those that are asked for, are constant; an element with no label that is asked for does
not count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.ndimage as nd

from pullback.core.shapes import dtype_of, shape_of
from pullback.numpy.conversion import convert, double, inexact
from pullback.numpy.operands import operand, plain_values
from pullback.scipy.constants import serves_followed
from pullback.scipy.ndimage.arguments import axis_of, in_dtype, number

__all__: list[str] = []


def _groups(name: str, input: Any, labels: Any, index: Any) -> tuple[Any, Any, int, Any]:
    """The elements that count, their groups, how many groups there are, and their shape."""
    x = operand(input)
    if labels is None:
        if index is not None:
            raise ValueError("cannot specify index without also specifying labels")
        flat = np.reshape(x, (-1,))
        return flat, np.zeros(shape_of(flat)[0], np.intp), 1, ()
    labels = np.asarray(number(name, "labels", labels))
    labels = np.broadcast_to(labels, np.broadcast_shapes(labels.shape, shape_of(x)))
    flat = np.reshape(np.broadcast_to(x, labels.shape), (-1,))
    labels = labels.ravel()
    if index is None:
        chosen = np.flatnonzero(labels > 0)
        return flat[chosen], np.zeros(chosen.size, np.intp), 1, ()
    index = np.asarray(number(name, "index", index))
    wanted = index.ravel()
    order = np.argsort(wanted, kind="stable")
    place = np.searchsorted(wanted, labels, sorter=order)
    place = order[np.minimum(place, wanted.size - 1)]
    chosen = np.flatnonzero(wanted[place] == labels)
    return flat[chosen], place[chosen], wanted.size, (index.shape, wanted)


def _shaped(found: Any, shape: Any) -> Any:
    """As many as were asked for, one that is asked for twice twice."""
    if not shape:
        return found[0]
    given, wanted = shape
    first = [int(np.flatnonzero(wanted == each)[0]) for each in wanted]
    return np.reshape(found[np.array(first, np.intp)], given)


def _totals(x: Any, group: Any, count: int) -> Any:
    if dtype_of(x).kind == "c":
        return _totals(np.real(x), group, count) + 1j * _totals(np.imag(x), group, count)
    return np.bincount(group, weights=double(x), minlength=count)


@serves_followed(nd.sum_labels, nd.sum)
def sum_labels(input: Any, labels: Any = None, index: Any = None) -> Any:
    """The sum of each group."""
    if labels is None and index is None:
        return np.sum(operand(input))
    x, group, count, shape = _groups("sum_labels", input, labels, index)
    return _shaped(_totals(x, group, count), shape)


@serves_followed(nd.mean)
def mean(input: Any, labels: Any = None, index: Any = None) -> Any:
    """The mean of each group."""
    x, group, count, shape = _groups("mean", input, labels, index)
    return _shaped(_totals(x, group, count) / _counts(group, count), shape)


def _counts(group: Any, count: int) -> Any:
    return np.bincount(group, minlength=count).astype(np.float64)


@serves_followed(nd.variance)
def variance(input: Any, labels: Any = None, index: Any = None) -> Any:
    """The mean square of the distances from the mean of each group."""
    x, group, count, shape = _groups("variance", input, labels, index)
    counts = _counts(group, count)
    centred = x - (_totals(x, group, count) / counts)[group]
    return _shaped(_totals(np.real(centred * np.conj(centred)), group, count) / counts, shape)


@serves_followed(nd.standard_deviation)
def standard_deviation(input: Any, labels: Any = None, index: Any = None) -> Any:
    return np.sqrt(variance(input, labels, index))


@serves_followed(nd.center_of_mass)
def center_of_mass(input: Any, labels: Any = None, index: Any = None) -> Any:
    """The means of the coordinates, by the elements as weights."""
    x = inexact(operand(input))
    whole = sum_labels(x, labels, index)
    means = [
        sum_labels(x * grid.astype(np.float64), labels, index) / whole
        for grid in np.ogrid[tuple(slice(0, n) for n in shape_of(x))]
    ]
    if not shape_of(whole):
        return tuple(means)
    return [tuple(each[i] for each in means) for i in range(shape_of(whole)[0])]


# -- those that are taken --------------------------------------------------------------------------


def _of_each(name: str, take: Callable[[Any], Any]) -> Callable[..., Any]:
    def statistic(input: Any, labels: Any = None, index: Any = None) -> Any:
        x, group, count, shape = _groups(name, input, labels, index)
        found = []
        for i in range(count):
            places = np.flatnonzero(group == i)
            found.append(take(x[places]) if places.size else np.zeros((), dtype_of(x)))
        return _shaped(np.stack(found), shape)

    return statistic


minimum = serves_followed(nd.minimum)(_of_each("minimum", np.min))
maximum = serves_followed(nd.maximum)(_of_each("maximum", np.max))
median = serves_followed(nd.median)(_of_each("median", np.median))


def _detached(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of which nothing can be differentiated, of an image's values."""

    def of_values(input: Any, *args: Any, **kwargs: Any) -> Any:
        name = function.__name__
        args = tuple(number(name, "an argument", each) for each in args)
        kwargs = {key: number(name, key, each) for key, each in kwargs.items()}
        plain = plain_values(f"scipy.ndimage.{name}", "input", input)
        return function(plain, *args, **kwargs)

    return of_values


for _function in (nd.minimum_position, nd.maximum_position, nd.histogram, nd.label,
                  nd.distance_transform_edt, nd.distance_transform_bf,
                  nd.distance_transform_cdt):  # fmt: skip
    serves_followed(_function)(_detached(_function))


@serves_followed(nd.extrema)
def extrema(input: Any, labels: Any = None, index: Any = None) -> Any:
    """The least and the greatest of each group, and where they are, which are steps."""
    where = [nd.minimum_position, nd.maximum_position]
    places = [_detached(each)(input, labels, index) for each in where]
    return (minimum(input, labels, index), maximum(input, labels, index), *places)


# -- filters of spectra ----------------------------------------------------------------------------


def _of_spectrum(name: str) -> None:
    function = getattr(nd, name)

    def filter(
        input: Any, *args: Any, n: Any = -1, axis: Any = -1, output: Any = None, **kwargs: Any
    ) -> Any:
        """The product with what the filter makes of ones."""
        given = next(number(name, "an argument", each) for each in (*args, *kwargs.values()))

        def compute(x: Any) -> Any:
            ones = np.ones(shape_of(x), np.result_type(dtype_of(x), np.float64))
            factor = function(ones, given, n, axis_of(axis, x))
            product = x * factor
            if dtype_of(product).kind == "c":
                return product
            return convert(product, dtype_of(x))

        x = operand(input)
        if name == "fourier_shift" and dtype_of(x).kind != "c":
            x = convert(x, np.dtype(np.complex128))
        return in_dtype(name, x, output, compute)

    filter.__name__ = name
    serves_followed(function)(filter)


for _name in ("fourier_gaussian", "fourier_uniform", "fourier_ellipsoid", "fourier_shift"):
    _of_spectrum(_name)
