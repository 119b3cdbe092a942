"""Embeddings: a vector of parameters for each of a number of symbols."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from pullback.core.creation import require_dtype
from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer
from pullback.core.validation import refuse
from pullback.errors import ArgumentValueError
from pullback.nn.initialization import Seed, require_count, require_seed
from pullback.nn.parameters import as_parameter, numbers

__all__ = ["Embedding"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Embedding:
    """A vector for each symbol: y = W[k], the row of the symbol's number k.

    Parameters
    ----------
    W : array, shape (n, d)
        n symbols, d values for each.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        If W is no matrix, or the numbers in a call are no integers from 0 to n − 1.

    Notes
    -----
    It is the product of Wᵀ with the unit vector of k. The derivative in W adds up what comes back
    to equal symbols. Numbers of any shape (…) give (…, d).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> layer = pb.nn.Embedding([[0.0, 1.0], [2.0, 3.0]])
    >>> layer(np.array([1, 0, 1]))
    array([[2., 3.],
           [0., 1.],
           [2., 3.]])
    """

    W: Any

    def __post_init__(self) -> None:
        W = as_parameter(self.W, "Embedding", "W")
        if len(W.shape) != 2:
            raise ArgumentValueError(f"Embedding: W has shape {W.shape}, wanted a matrix (n, d)")
        object.__setattr__(self, "W", W)

    @classmethod
    def initialize(cls, n: int, d: int, *, rng: Seed, dtype: DTypeLike = np.float64) -> Embedding:
        """A layer whose vectors are drawn from the standard normal distribution."""
        where = "Embedding.initialize"
        shape = require_count(n, where, "n"), require_count(d, where, "d")
        kind = require_dtype(dtype, where, kinds="f")
        return cls(require_seed(rng, where).normal(size=shape).astype(kind, copy=False))

    @property
    def n_out(self) -> int:
        """Number of values for each symbol."""
        return int(self.W.shape[1])

    def __call__(self, x: Any) -> Any:
        x = numbers(x, self)
        if x.dtype.kind not in "iu":
            raise refuse(repr(self), "the input", x, "integers, the numbers of symbols")
        n = self.W.shape[0]
        if type(x) is not Tracer and x.size and not 0 <= np.min(x) <= np.max(x) < n:
            raise ArgumentValueError(
                f"{self!r}: the input has numbers from {np.min(x)} to {np.max(x)}, wanted those of "
                f"{n} symbols, from 0 to {n - 1}"
            )
        return self.W[x]

    def __repr__(self) -> str:
        n, d = shape_of(self.W) if len(shape_of(self.W)) == 2 else ("?", "?")
        return f"Embedding({n} → {d})"
