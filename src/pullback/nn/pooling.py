"""Pooling: the maximum or the mean of windows of an image or a series."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from pullback.core.shapes import shape_of
from pullback.core.trees import static
from pullback.errors import ArgumentValueError
from pullback.nn.convolution import per_axis, windows
from pullback.nn.parameters import numbers

__all__ = ["AvgPool1d", "AvgPool2d", "MaxPool1d", "MaxPool2d"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class _Pool:
    """A layer without parameters over windows of the last axes."""

    size: Any = static()
    stride: Any = static(default=None)

    _axes: ClassVar[int]
    _reduce: ClassVar[Callable[..., Any]]

    def __post_init__(self) -> None:
        kind, n = type(self).__name__, self._axes
        size = per_axis(self.size, n, kind, "size", 1)
        stride = size if self.stride is None else per_axis(self.stride, n, kind, "stride", 1)
        vars(self).update(size=size, stride=stride)

    def __call__(self, x: Any) -> Any:
        x, n = numbers(x, self), self._axes
        extents = shape_of(x)[-n:]
        if len(extents) < n or any(
            k > extent for k, extent in zip(self.size, extents, strict=True)
        ):
            raise ArgumentValueError(
                f"{self!r}: got an input of shape {shape_of(x)}, wanted at least {self.size} along "
                "the last axes, the size of a window"
            )
        return type(self)._reduce(windows(x, self.size, self.stride), axis=tuple(range(-n, 0)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'×'.join(map(str, self.size))})"


class MaxPool1d(_Pool):
    """The maximum of each window of the last axis: y(t) = max_k x(s t + k), k = 0 … size − 1.

    Parameters
    ----------
    size : int
    stride : int, optional
        s, the step between windows; by default they lie side by side.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the sizes don't fit, here or in a call.

    Notes
    -----
    The derivative is split evenly between equal maxima, as everywhere in pullback. Values at the
    end that fill no window are left out.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.nn.MaxPool1d(2)(np.array([1.0, 3.0, 2.0, 0.0, 5.0]))
    array([3., 2.])
    """

    _axes = 1
    _reduce = staticmethod(np.max)


class MaxPool2d(_Pool):
    """The maximum of each window of the last two axes.

    Parameters
    ----------
    size : int or pair of int
    stride : int or pair of int, optional
        The step between windows; by default they lie side by side.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the sizes don't fit, here or in a call.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.nn.MaxPool2d(2)(np.arange(16.0).reshape(4, 4))
    array([[ 5.,  7.],
           [13., 15.]])
    """

    _axes = 2
    _reduce = staticmethod(np.max)


class AvgPool1d(_Pool):
    """The mean of each window of the last axis: y(t) = Σ_k x(s t + k)/size.

    Parameters
    ----------
    size : int
    stride : int, optional
        s, the step between windows; by default they lie side by side.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the sizes don't fit, here or in a call.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.nn.AvgPool1d(3, stride=1)(np.array([0.0, 3.0, 6.0, 0.0]))
    array([3., 3.])
    """

    _axes = 1
    _reduce = staticmethod(np.mean)


class AvgPool2d(_Pool):
    """The mean of each window of the last two axes.

    Parameters
    ----------
    size : int or pair of int
    stride : int or pair of int, optional
        The step between windows; by default they lie side by side.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the sizes don't fit, here or in a call.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.nn.AvgPool2d(2)(np.arange(16.0).reshape(4, 4))
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """

    _axes = 2
    _reduce = staticmethod(np.mean)
