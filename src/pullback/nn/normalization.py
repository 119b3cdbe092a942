"""Normalisations: values are shifted and scaled to mean 0 and variance 1, then by parameters."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from pullback.core.creation import require_dtype
from pullback.core.shapes import shape_of
from pullback.core.trees import kept, static
from pullback.core.validation import out_of_range, require_number
from pullback.errors import ArgumentValueError
from pullback.nn.initialization import require_count
from pullback.nn.parameters import as_parameter, numbers, require_last
from pullback.rules.custom import stop_gradient

__all__ = ["BatchNorm", "LayerNorm", "require_weight"]


def require_weight(weight: Any, where: str) -> float:
    """`weight` as a float, if it is above 0 and at most 1."""
    number: float = require_number(weight, where, "weight", above=0)
    if number > 1:
        raise out_of_range(where, "weight", weight, "a number above 0, and at most 1")
    return number


def _vectors(layer: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Parameters of one shape (n,)."""
    kind = type(layer).__name__
    out = {name: as_parameter(getattr(layer, name), kind, name) for name in names}
    first = out[names[0]].shape
    for name, each in out.items():
        if len(each.shape) != 1 or each.shape != first:
            raise ArgumentValueError(
                f"{kind}: {name} has shape {each.shape}, wanted a vector (n,), as long as "
                f"{names[0]}, which has shape {first}"
            )
    return out


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LayerNorm:
    """Normalisation of each sample over its values: y = γ ⊙ (x − mean(x)) / √(var(x) + ε) + β.

    Parameters
    ----------
    gamma, beta : array, shape (n,)
        γ and β.
    epsilon : float
        ε, positive. It is no parameter.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call.

    Notes
    -----
    Mean and variance (the mean of squared deviations) are those of the last axis, so that arrays of
    any shape (…, n) are taken. J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization",
    arXiv:1607.06450, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> layer = pb.nn.LayerNorm.initialize(3)
    >>> layer(np.array([1.0, 2.0, 3.0])).round(3)
    array([-1.225,  0.   ,  1.225])
    """

    gamma: Any
    beta: Any
    epsilon: float = static(default=1e-5)

    def __post_init__(self) -> None:
        require_number(self.epsilon, "LayerNorm", "epsilon", above=0)
        vars(self).update(_vectors(self, ("gamma", "beta")))

    @classmethod
    def initialize(cls, n: int, *, dtype: DTypeLike = np.float64) -> LayerNorm:
        """A layer with γ = 1 and β = 0, for samples of n values."""
        n = require_count(n, "LayerNorm.initialize", "n")
        kind = require_dtype(dtype, "LayerNorm.initialize", kinds="f")
        return cls(np.ones(n, kind), np.zeros(n, kind))

    @property
    def n_in(self) -> int:
        """Number of values taken in for each sample."""
        return int(self.gamma.shape[0])

    n_out = n_in

    def __call__(self, x: Any) -> Any:
        x = require_last(x, self, (self.n_in,))
        centred = x - np.mean(x, axis=-1, keepdims=True)
        variance = np.mean(centred * centred, axis=-1, keepdims=True)
        return self.gamma * (centred / np.sqrt(variance + self.epsilon)) + self.beta

    def __repr__(self) -> str:
        return f"LayerNorm({shape_of(self.gamma)[0]})"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BatchNorm:
    """Normalisation of each feature over a batch: y = γ ⊙ (x − μ) / √(σ² + ε) + β.

    μ and σ² are the mean and variance that are kept in the layer, or, in a network that is given by
    `pullback.nn.training`, those of the batch at hand. `pullback.nn.observe` keeps them.

    Parameters
    ----------
    gamma, beta : array, shape (n,)
        γ and β.
    mean, variance : array, shape (n,)
        What is kept. They are leaves of the layer whose derivative is zero, and which a decay of
        the weights leaves alone.
    epsilon : float
        ε, positive. It is no parameter.
    training : bool
        Whether the statistics are those of the batch.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call; in training, where the batch has no two
        values of a feature.

    Notes
    -----
    The input has shape (n,) or (m, n); with more axes, (m, n, …), the statistics are those of all
    axes but the second, as for images with channels. A sample of such kind has shape (1, n, …).
    The kept variance is the unbiased one.

    S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> layer = pb.nn.BatchNorm.initialize(2)
    >>> x = np.array([[0.0, 1.0], [2.0, 5.0]])
    >>> pb.nn.training(layer)(x).round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> pb.nn.observe(layer, x, weight=1.0).mean
    array([1., 3.])
    """

    gamma: Any
    beta: Any
    mean: Any = kept()
    variance: Any = kept()
    epsilon: float = static(default=1e-5)
    training: bool = static(default=False)

    def __post_init__(self) -> None:
        require_number(self.epsilon, "BatchNorm", "epsilon", above=0)
        vars(self).update(_vectors(self, ("gamma", "beta", "mean", "variance")))

    @classmethod
    def initialize(cls, n: int, *, dtype: DTypeLike = np.float64) -> BatchNorm:
        """A layer with γ = 1, β = 0, mean 0 and variance 1, for n features."""
        n = require_count(n, "BatchNorm.initialize", "n")
        kind = require_dtype(dtype, "BatchNorm.initialize", kinds="f")
        one, zero = np.ones(n, kind), np.zeros(n, kind)
        return cls(one, zero, zero.copy(), one.copy())

    def __call__(self, x: Any) -> Any:
        x = self._input(x)
        if self.training:
            mean, variance = self._statistics(x)
        else:
            mean, variance = stop_gradient((self.mean, self.variance))
        slope = self.gamma / np.sqrt(variance + self.epsilon)
        slope, mean, beta = (self._beside(each, x) for each in (slope, mean, self.beta))
        return (x - mean) * slope + beta

    def observed(self, x: Any, weight: float) -> BatchNorm:
        """The layer with statistics that are moved towards those of a batch.

        The mean becomes (1 − weight) μ + weight mean(x), and σ² likewise, with the unbiased
        variance of the batch.
        """
        weight = require_weight(weight, "BatchNorm.observed")
        x = stop_gradient(self._input(x))
        mean, variance = self._statistics(x)
        count = self._count(x)
        moved = (
            (1 - weight) * old + weight * new
            for old, new in ((self.mean, mean), (self.variance, variance * count / (count - 1)))
        )
        return dataclasses.replace(self, **dict(zip(("mean", "variance"), moved, strict=True)))

    def _input(self, x: Any) -> Any:
        n, x = shape_of(self.gamma)[0], numbers(x, self)
        rest = ("…",) * max(x.ndim - 2, 0)
        return require_last(x, self, (n, *rest))

    def _axes(self, x: Any) -> tuple[int, ...]:
        return (0, *range(2, x.ndim))

    def _count(self, x: Any) -> int:
        """How many values of each feature there are."""
        count = 1 if x.ndim == 1 else int(np.prod([x.shape[axis] for axis in self._axes(x)]))
        if count < 2:
            raise ArgumentValueError(
                f"{self!r}: an input of shape {x.shape} has {count} value of each feature, and in "
                "training at least 2 are wanted, for their variance; take larger batches"
            )
        return count

    def _statistics(self, x: Any) -> tuple[Any, Any]:
        self._count(x)
        return np.mean(x, axis=self._axes(x)), np.var(x, axis=self._axes(x))

    @staticmethod
    def _beside(vector: Any, x: Any) -> Any:
        """A value for each feature, as it broadcasts with x."""
        return vector if x.ndim <= 2 else np.reshape(vector, (-1,) + (1,) * (x.ndim - 2))

    def __repr__(self) -> str:
        return f"BatchNorm({shape_of(self.gamma)[0]}{', training' if self.training else ''})"
