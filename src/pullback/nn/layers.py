"""Layers: y_r = f_r(y_{r−1}, θ_r), dataclasses whose array fields are the parameters θ_r.

Every layer has a pre-activation v, affine in its input, and an output made of v. It takes one
sample, an array of shape (n_in,), or a batch with the samples along the first axis, (m, n_in).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import strip
from pullback.core.trees import static
from pullback.core.validation import describe, name_of, require_flag
from pullback.errors import ArgumentValueError
from pullback.nn.activations import Activation, by_name, identity
from pullback.nn.initialization import Seed, weights
from pullback.nn.parameters import as_parameter, numbers, scalar_parameter

__all__ = ["Dense", "Head", "Layer", "Residual"]


class Layer:
    """Base class: y = output(x, v) with v = pre_activation(x).

    A layer of your own is a dataclass that derives from this class and has these two methods, so
    that `pullback.nn.backpropagate` can tell its δ. A field that is not a parameter
    says so: ``dataclasses.field(metadata={"pytree_node": False})``.
    """

    def pre_activation(self, x: Any) -> Any:
        """The argument v of the activation, from the layer's input."""
        raise self._unwritten("pre_activation(self, x)")

    def output(self, x: Any, v: Any) -> Any:
        """The layer's output, from its input and its pre-activation."""
        raise self._unwritten("output(self, x, v)")

    def _unwritten(self, method: str) -> NotImplementedError:
        name = type(self).__name__
        return NotImplementedError(
            f"{name} has no method {method}; a layer defines pre_activation(self, x) and "
            f"output(self, x, v): write both in class {name}"
        )

    def __call__(self, x: Any) -> Any:
        return self.output(x, self.pre_activation(x))


class Affine(Layer):
    """A layer with the pre-activation v = W x + b and the output σ(v)."""

    W: Any
    b: Any
    activation: Activation

    def __post_init__(self) -> None:
        kind = type(self).__name__
        W = as_parameter(self.W, kind, "W")
        if len(W.shape) != 2:
            raise ArgumentValueError(
                f"{kind}: W has shape {W.shape}, wanted a matrix (n_out, n_in)"
            )
        b = self.b
        if b is not None:
            b = as_parameter(b, kind, "b")
            if b.shape != W.shape[:1]:
                raise ArgumentValueError(
                    f"{kind}: b has shape {b.shape}, wanted {W.shape[:1]}, one value for each row "
                    f"of W of shape {W.shape}; W has the shape (n_out, n_in)"
                )
        vars(self).update(W=W, b=b, activation=by_name(self.activation, kind))

    @property
    def n_in(self) -> int:
        """Number of values taken in for each sample."""
        return int(self.W.shape[1])

    @property
    def n_out(self) -> int:
        """Number of values given out for each sample."""
        return int(self.W.shape[0])

    def pre_activation(self, x: Any) -> Any:
        """v = W x + b; for a batch, v = x Wᵀ + b."""
        v = self._input(x) @ self.W.T
        return v if self.b is None else v + self.b

    def output(self, x: Any, v: Any) -> Any:
        """σ(v)."""
        return self.activation(numbers(v, self, "v"))

    def _input(self, x: Any) -> Any:
        """`x` if its samples have the size that the layer takes."""
        x = numbers(x, self)
        shape, wanted = x.shape, self.n_in
        if not shape or shape[-1] != wanted:
            remedy = "; transpose it: samples lie along the first axis" if wanted in shape else ""
            raise ArgumentValueError(
                f"{self!r}: got an input of shape {shape}, wanted ({wanted},) for a sample or "
                f"(m, {wanted}) for a batch of m{remedy}"
            )
        return x


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dense(Affine):
    """A fully connected layer: y = σ(W x + b).

    Parameters
    ----------
    W : array, shape (n_out, n_in)
    b : array, shape (n_out,), or None
        `None` for a layer without bias.
    activation : str or callable
        σ: a name from `pullback.nn.activations`, or a function of an array.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> layer = pb.nn.Dense([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0.0, 0.0, 1.0])
    >>> layer
    Dense(2 → 3, identity)
    >>> layer(np.array([1.0, 1.0]))
    array([ 3.,  7., 12.])
    >>> layer(np.ones((5, 2))).shape
    (5, 3)
    """

    W: Any
    b: Any = None
    activation: Activation = static(default=identity)

    @classmethod
    def initialize(
        cls,
        n_in: int,
        n_out: int,
        activation: str | Activation = identity,
        *,
        rng: Seed,
        scheme: str = "glorot",
        bias: bool = True,
        dtype: DTypeLike = np.float64,
    ) -> Dense:
        """A layer with random weights and zero bias.

        Parameters
        ----------
        n_in, n_out : int
        activation : str or callable
        rng : numpy.random.Generator or int
            Where the weights are drawn from.
        scheme : {"glorot", "he"}
            `pullback.nn.glorot` for activations like tanh, `pullback.nn.he` for relu.
        bias : bool
        dtype : dtype
        """
        W = weights(n_in, n_out, rng, scheme, dtype, "Dense.initialize")
        b = np.zeros(n_out, W.dtype) if require_flag(bias, "Dense.initialize", "bias") else None
        return cls(W, b, by_name(activation, "Dense.initialize"))

    def __repr__(self) -> str:
        return f"Dense({_sizes(self.W)}, {name_of(self.activation)})"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Residual(Affine):
    """A residual layer: y = x + h σ(W x + b), one step of Euler's method for ẋ = σ(W x + b).

    Parameters
    ----------
    W : array, shape (d, d)
    b : array, shape (d,), or None
        `None` for a layer without bias.
    h : float
        The step. It is a parameter like the others: its derivative is in every gradient. To hold
        it fixed in a fit, replace it by ``pullback.stop_gradient(layer.h)`` in the objective.
    activation : str or callable
        σ: a name from `pullback.nn.activations`, or a function of an array.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call.

    Notes
    -----
    K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR 2016;
    as a differential equation, E. Haber and L. Ruthotto, "Stable architectures for deep neural
    networks", Inverse Problems 34 (2018). The pullback is A ↦ A + Wᵀ(h σ′(W x + b) ⊙ A).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.nn.Residual(np.eye(2), np.zeros(2), 0.5)(np.array([1.0, 2.0]))
    array([1.5, 3. ])
    """

    W: Any
    b: Any = None
    h: Any = 1.0
    activation: Activation = static(default=identity)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.W.shape[0] != self.W.shape[1]:
            raise ArgumentValueError(
                f"Residual: W has shape {self.W.shape}, wanted a square matrix (d, d), since the "
                "input is added to the output; use Dense to change the size"
            )
        object.__setattr__(self, "h", scalar_parameter(self.h, self.W, "Residual", "h"))

    @classmethod
    def initialize(
        cls,
        d: int,
        h: float = 1.0,
        activation: str | Activation = identity,
        *,
        rng: Seed,
        scheme: str = "glorot",
        bias: bool = True,
        dtype: DTypeLike = np.float64,
    ) -> Residual:
        """A layer with random weights and zero bias.

        Parameters
        ----------
        d : int
            Number of values of a sample.
        h : float
        activation : str or callable
        rng : numpy.random.Generator or int
            Where the weights are drawn from.
        scheme : {"glorot", "he"}
        bias : bool
        dtype : dtype
        """
        W = weights(d, d, rng, scheme, dtype, "Residual.initialize", "d")
        b = np.zeros(d, W.dtype) if require_flag(bias, "Residual.initialize", "bias") else None
        return cls(W, b, h, by_name(activation, "Residual.initialize"))

    def output(self, x: Any, v: Any) -> Any:
        """x + h σ(v)."""
        x, v = numbers(x, self, "x"), numbers(v, self, "v")
        if x.shape != v.shape:
            raise ArgumentValueError(
                f"{self!r}: x has shape {x.shape} and v {v.shape}, wanted the input and its "
                "pre-activation, which have the same shape"
            )
        y = self.activation(v)
        if getattr(y, "shape", None) != v.shape:
            raise ArgumentValueError(
                f"{self!r}: the activation makes {describe(y)} of an array of shape {v.shape}, "
                "wanted an array of the same shape"
            )
        return x + self.h * y

    def __repr__(self) -> str:
        return f"Residual({_sizes(self.W)}, {name_of(self.activation)}, h={_number(self.h)})"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Head(Affine):
    """The scalar output of a network: y = η(wᵀx + μ), of shape () for a sample, (m,) for a batch.

    Parameters
    ----------
    w : array, shape (d,)
    mu : float
    activation : str or callable
        η: a name from `pullback.nn.activations`, or a function of an array.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, here or in a call.

    Notes
    -----
    Its gradient is ∇y = η′(wᵀx + μ) w.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> head = pb.nn.Head(np.array([1.0, 2.0]), 0.5)
    >>> float(head(np.array([1.0, 1.0]))), head(np.ones((3, 2)))
    (3.5, array([3.5, 3.5, 3.5]))
    """

    w: Any
    mu: Any = 0.0
    activation: Activation = static(default=identity)

    def __post_init__(self) -> None:
        w = as_parameter(self.w, "Head", "w")
        if len(w.shape) != 1:
            raise ArgumentValueError(
                f"Head: w has shape {w.shape}, wanted a vector (d,); a layer with several outputs "
                "is Dense"
            )
        mu = scalar_parameter(self.mu, w, "Head", "mu")
        vars(self).update(w=w, mu=mu, activation=by_name(self.activation, "Head"))

    @classmethod
    def initialize(
        cls,
        d: int,
        activation: str | Activation = identity,
        *,
        rng: Seed,
        scheme: str = "glorot",
        dtype: DTypeLike = np.float64,
    ) -> Head:
        """A layer with random weights and μ = 0.

        Parameters
        ----------
        d : int
            Number of values taken in.
        activation : str or callable
        rng : numpy.random.Generator or int
            Where the weights are drawn from.
        scheme : {"glorot", "he"}
        dtype : dtype
        """
        W = weights(d, 1, rng, scheme, dtype, "Head.initialize", "d")
        return cls(W[0].copy(), 0.0, by_name(activation, "Head.initialize"))

    @property
    def n_in(self) -> int:
        """Number of values taken in for each sample."""
        return int(self.w.shape[0])

    @property
    def n_out(self) -> int:
        """1: the output is a scalar for each sample."""
        return 1

    def pre_activation(self, x: Any) -> Any:
        """v = wᵀx + μ."""
        return self._input(x) @ self.w + self.mu

    def __repr__(self) -> str:
        size = self.w.shape[0] if len(shape_of(self.w)) == 1 else "?"
        return f"Head({size} → 1, {name_of(self.activation)})"


def _sizes(W: Any) -> str:
    shape = shape_of(W)
    return f"{shape[1]} → {shape[0]}" if len(shape) == 2 else "?"


def _number(x: Any) -> str:
    x = strip(x)
    return f"{x:.4g}" if shape_of(x) == () and dtype_of(x).kind == "f" else "?"
