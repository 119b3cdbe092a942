"""Dropout, whose masks are functions of a seed, so that they can be compiled and drawn again."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.trees import static
from pullback.core.validation import require_number
from pullback.nn.parameters import numbers

__all__ = ["Dropout", "mixed", "uniform"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mixed(seed: Any) -> Any:
    """A 64-bit integer whose bits depend on all of the seed's, elementwise.

    Source: G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014: the finaliser of SplitMix64.
    """
    z = (seed ^ (seed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(seed: Any, shape: tuple[int, ...]) -> Any:
    """Numbers uniform on [0, 1), which are a function of the seed: SplitMix64's, in C order.

    Parameters
    ----------
    seed : array of uint64, of shape (1,)
        Traced or not.
    shape : tuple of int
    """
    places = np.arange(1, math.prod(shape) + 1, dtype=np.uint64)
    bits = mixed(seed + places * _GOLDEN)
    return np.reshape((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53, shape)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dropout:
    """A layer that, in training, replaces values by zero at random: y = x ⊙ m / (1 − rate).

    m is 0 with the probability `rate` and 1 otherwise, for each value on its own. As it stands in a
    network the layer returns its input; in the network that `pullback.nn.training` gives it drops.

    Parameters
    ----------
    rate : float
        From 0 up to, not including, 1.
    seed : array of uint64, of shape (1,), optional
        What the mask is a function of, with the input's shape; `pullback.nn.training` gives it.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        If the rate is no such number.

    Notes
    -----
    The same seed gives the same mask on every machine, eagerly, under `vmap` and compiled.
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a simple
    way to prevent neural networks from overfitting", JMLR 15 (2014) 1929–1958.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> layer = pb.nn.Dropout(0.5)
    >>> layer(np.ones(4))
    array([1., 1., 1., 1.])
    >>> np.unique(pb.nn.training(layer, 0)(np.ones(100)))
    array([0., 2.])
    """

    rate: float = static()
    seed: Any = None

    def __post_init__(self) -> None:
        require_number(self.rate, "Dropout", "rate", least=0, below=1)

    def __call__(self, x: Any) -> Any:
        x = numbers(x, self)
        if self.seed is None or not self.rate:
            return x
        kept = uniform(self.seed, shape_of(x)) >= self.rate
        dtype = dtype_of(x) if dtype_of(x).kind in "fc" else np.dtype(float)
        return x * np.where(kept, dtype.type(1 / (1 - self.rate)), dtype.type(0))

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g}{'' if self.seed is None else ', training'})"
