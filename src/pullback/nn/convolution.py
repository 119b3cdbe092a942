"""Convolutions over one and two axes, with channels."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from pullback.core.shapes import shape_of
from pullback.core.trees import static
from pullback.core.validation import name_of, refuse, require_flag, require_integer
from pullback.errors import ArgumentValueError
from pullback.nn.activations import Activation, by_name, identity
from pullback.nn.initialization import Seed, require_count, weights
from pullback.nn.parameters import as_parameter, require_last

__all__ = ["Conv1d", "Conv2d", "windows"]


def windows(x: Any, size: tuple[int, ...], stride: tuple[int, ...]) -> Any:
    """The windows of the last axes, one for each: of shape (…, places…, size…)."""
    n = len(size)
    every: Any = np.lib.stride_tricks.sliding_window_view(x, size, axis=tuple(range(-n, 0)))
    steps = (*(slice(None, None, each) for each in stride), *(slice(None),) * n)
    return every[(..., *steps)]


def per_axis(value: Any, n: int, where: str, argument: str, least: int) -> tuple[int, ...]:
    """A whole number for each of n axes, from one for all of them or one for each."""
    each = value if isinstance(value, tuple | list) else (value,) * n
    if len(each) != n:
        raise refuse(where, argument, value, f"a whole number, or {n} of them")
    return tuple(require_integer(k, where, argument, least=least) for k in each)


class _Convolution:
    """y_o = σ(Σ_c W_oc ⋆ x_c + b_o), where ⋆ is the correlation over the last axes."""

    _axes: ClassVar[int]

    W: Any
    b: Any
    activation: Activation
    stride: Any
    padding: Any

    def __post_init__(self) -> None:
        kind, n = type(self).__name__, self._axes
        W = as_parameter(self.W, kind, "W")
        if len(W.shape) != 2 + n:
            sizes = "(n_out, n_in, k)" if n == 1 else "(n_out, n_in, k, l)"
            raise ArgumentValueError(f"{kind}: W has shape {W.shape}, wanted {sizes}")
        b = self.b
        if b is not None:
            b = as_parameter(b, kind, "b")
            if b.shape != W.shape[:1]:
                raise ArgumentValueError(
                    f"{kind}: b has shape {b.shape}, wanted {W.shape[:1]}, one value for each "
                    f"channel that W, of shape {W.shape}, gives"
                )
        vars(self).update(
            W=W, b=b, activation=by_name(self.activation, kind),
            stride=per_axis(self.stride, n, kind, "stride", 1),
            padding=per_axis(self.padding, n, kind, "padding", 0),
        )  # fmt: skip

    def pre_activation(self, x: Any) -> Any:
        """v = W ⋆ x + b."""
        n, size = self._axes, self.W.shape[2:]
        x = require_last(x, self, (self.W.shape[1], *("l" if n == 1 else "hw")))
        if any(self.padding):
            x = np.pad(x, [(0, 0)] * (x.ndim - n) + [(p, p) for p in self.padding])
        if any(k > extent for k, extent in zip(size, x.shape[-n:], strict=True)):
            raise ArgumentValueError(
                f"{self!r}: got an input of shape {x.shape} with its padding, wanted at least "
                f"{size} along the last axes, the size of the kernel"
            )
        parts = windows(x, size, self.stride)
        # Channels and places in the window against those of W.
        last = (x.ndim - n - 1, *range(parts.ndim - n, parts.ndim))
        v = np.moveaxis(np.tensordot(parts, self.W, (last, range(1, 2 + n))), -1, -1 - n)
        return v if self.b is None else v + np.reshape(self.b, (-1, *(1,) * n))

    def output(self, _x: Any, v: Any) -> Any:
        """σ(v)."""
        return self.activation(v)

    def __call__(self, x: Any) -> Any:
        return self.activation(self.pre_activation(x))

    def __repr__(self) -> str:
        shape = shape_of(self.W)
        size = "×".join(map(str, shape[2:]))
        return f"{type(self).__name__}({shape[1]} → {shape[0]}, {size}, {name_of(self.activation)})"


def _drawn(
    where: str, n: int, n_in: int, n_out: int, size: Any, rng: Seed, scheme: str, dtype: DTypeLike
) -> Any:
    """Weights of which an output is a sum over n_in·|size| values."""
    n_in, n_out = require_count(n_in, where, "n_in"), require_count(n_out, where, "n_out")
    shape = per_axis(size, n, where, "size", 1)
    flat = weights(n_in * int(np.prod(shape)), n_out, rng, scheme, dtype, where)
    return flat.reshape(n_out, n_in, *shape)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Conv1d(_Convolution):
    """A convolution along one axis: y_o(t) = σ(Σ_c Σ_k W_ock x_c(s t + k − p) + b_o).

    Parameters
    ----------
    W : array, shape (n_out, n_in, k)
        As in other libraries of networks the kernel is not flipped: it is a correlation.
    b : array, shape (n_out,), or None
    activation : str or callable
        σ: a name from `pullback.nn.activations`, or a function of an array.
    stride : int
        s, the step between places.
    padding : int
        p, the number of zeros on either side.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call.

    Notes
    -----
    A sample has shape (n_in, l), a batch (m, n_in, l); the output (…, n_out, ⌊(l + 2p − k)/s⌋ + 1).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> layer = pb.nn.Conv1d([[[1.0, 0.0, -1.0]]])
    >>> layer(np.array([[0.0, 1.0, 4.0, 9.0]]))
    array([[-4., -8.]])
    """

    W: Any
    b: Any = None
    activation: Activation = static(default=identity)
    stride: Any = static(default=1)
    padding: Any = static(default=0)

    _axes = 1

    @classmethod
    def initialize(  # noqa: PLR0913
        cls,
        n_in: int,
        n_out: int,
        size: int,
        activation: str | Activation = identity,
        *,
        rng: Seed,
        stride: int = 1,
        padding: int = 0,
        scheme: str = "he",
        bias: bool = True,
        dtype: DTypeLike = np.float64,
    ) -> Conv1d:
        """A layer with random weights and zero bias, for kernels of this size."""
        where = "Conv1d.initialize"
        W = _drawn(where, 1, n_in, n_out, size, rng, scheme, dtype)
        b = np.zeros(n_out, W.dtype) if require_flag(bias, where, "bias") else None
        return cls(W, b, by_name(activation, where), stride, padding)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Conv2d(_Convolution):
    """A convolution along two axes, of images with channels.

    y_o(t, u) = σ(Σ_c Σ_k Σ_l W_ockl x_c(s t + k − p, s u + l − p) + b_o).

    Parameters
    ----------
    W : array, shape (n_out, n_in, k, l)
        As in other libraries of networks the kernel is not flipped: it is a correlation.
    b : array, shape (n_out,), or None
    activation : str or callable
        σ: a name from `pullback.nn.activations`, or a function of an array.
    stride : int or pair of int
        s, the step between places.
    padding : int or pair of int
        p, the number of zeros on either side.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call.

    Notes
    -----
    A sample has shape (n_in, h, w), a batch (m, n_in, h, w).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> layer = pb.nn.Conv2d.initialize(3, 8, 5, "relu", rng=0, padding=2, stride=2)
    >>> layer
    Conv2d(3 → 8, 5×5, relu)
    >>> layer(np.ones((10, 3, 28, 28))).shape
    (10, 8, 14, 14)
    """

    W: Any
    b: Any = None
    activation: Activation = static(default=identity)
    stride: Any = static(default=1)
    padding: Any = static(default=0)

    _axes = 2

    @classmethod
    def initialize(  # noqa: PLR0913
        cls,
        n_in: int,
        n_out: int,
        size: int | tuple[int, int],
        activation: str | Activation = identity,
        *,
        rng: Seed,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        scheme: str = "he",
        bias: bool = True,
        dtype: DTypeLike = np.float64,
    ) -> Conv2d:
        """A layer with random weights and zero bias, for kernels of this size."""
        where = "Conv2d.initialize"
        W = _drawn(where, 2, n_in, n_out, size, rng, scheme, dtype)
        b = np.zeros(n_out, W.dtype) if require_flag(bias, where, "bias") else None
        return cls(W, b, by_name(activation, where), stride, padding)
