"""NumPy's histograms.

How many elements are in a bin is locally constant. What they weigh is differentiable, and so are
the edges where they depend on the data, and the density by either.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from pullback.core.primitive import bind
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import DataDependenceError
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.numpy.rewriting import Namespace, rewritten
from pullback.rules import indexing
from pullback.rules.custom import stop_gradient

__all__: list[str] = []


def _is_known(x: Any) -> bool:
    """Whether the elements are known, and the same for all examples."""
    x = stop_gradient(operand(x))
    return type(x) is not Tracer or x._is_constant


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    return _edges_of_known(operand(a), *_operands(bins, range, weights))


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """Of mapped and unknown data each element is looked up among the edges."""
    a = operand(a)
    bins, range, weights = _operands(bins, range, weights)
    if _is_known(a) and (type(bins) is str or _is_known(bins)):
        return _of_known(a, bins, range, density, weights)
    x, edges = np.ravel(a), _edges(a, bins, range)
    n = shape_of(edges)[0] - 1
    place = np.searchsorted(edges, x, side="right") - 1 - np.equal(x, edges[-1])
    inside = (x >= edges[0]) & (x <= edges[-1])
    amounts = inside * (1 if weights is None else np.ravel(weights))
    counts = _counted(np.clip(place, 0, n - 1), amounts, n)
    if not density:
        return counts, edges
    return counts / np.diff(edges).astype(float) / np.sum(counts), edges


def _counted(places: Any, amounts: Any, n: int) -> Any:
    """The sums of the amounts at each of `n` places."""
    start = np.zeros(n, dtype_of(amounts))
    return bind(indexing.index_add, (start, amounts, places), {"key": (indexing.ARRAY,)})


def _operands(bins: Any, range: Any, weights: Any) -> tuple[Any, Any, Any]:
    bins = bins if isinstance(bins, str | int) else operand(bins)
    return bins, range, None if weights is None else operand(weights)


def _edges(x: Any, bins: Any, range: Any) -> Any:
    """The edges of bins for values that are not known, or differ from example to example."""
    if type(bins) is str:
        raise DataDependenceError(
            f"numpy.histogram: how many bins there are by bins={bins!r} depends on the values of "
            f"an array of dtype {dtype_of(x)} and shape {shape_of(x)} that are mapped, or not "
            "known while a graph is recorded; give their number"
        )
    if shape_of(bins):
        return bins
    if range is not None:
        low, high = range
    else:
        low, high = np.min(x), np.max(x)
        half = 0.5 * np.equal(low, high)
        low, high = low - half, high + half
    return np.linspace(low, high, operator.index(bins) + 1)


_edges_of_known = rewritten(np.histogram_bin_edges)
_of_known = rewritten(np.histogram)


# -- in several dimensions ------------------------------------------------------------------------


class _Counting(Namespace):
    """NumPy's namespace, where what is counted need not be known, but is in a known range."""

    @staticmethod
    def bincount(x: Any, weights: Any = None, minlength: Any = 0) -> Any:
        amounts = np.ones(shape_of(x), int) if weights is None else operand(weights).astype(float)
        return _counted(x, amounts, int(minlength))


_of_known_samples = rewritten(np.histogramdd)
_of_samples = rewritten(np.histogramdd, np=_Counting())


@implements(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """Of mapped and unknown data the range or the edges must be given."""
    if type(sample) not in (list, tuple):
        sample = operand(sample)
    if _is_known(sample):
        return _of_known_samples(sample, bins, range, density, weights)
    dimensions = len(sample) if type(sample) in (list, tuple) else shape_of(sample)[-1]
    each = [bins] * dimensions if isinstance(bins, int) else bins
    for axis, one in enumerate(each):
        if not np.ndim(one) and (range is None or range[axis] is None):
            raise DataDependenceError(
                "numpy.histogramdd: the edges of the bins depend on the values of samples that are "
                "mapped, or not known while a graph is recorded; give range=, or the edges as bins"
            )
    return _of_samples(sample, bins, range, density, weights)


implements(np.histogram2d)(rewritten(np.histogram2d))
