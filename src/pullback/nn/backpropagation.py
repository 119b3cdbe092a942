"""Backpropagation, layer by layer, with everything that it passes on the way.

A network y_r = f_r(y_{r−1}, θ_r), r = 1 … L, and a loss E of its output y_L. With the blocks
J_y^r = ∂f_r/∂y_{r−1} and J_θ^r = ∂f_r/∂θ_r of each layer's Jacobian,

    ∂E/∂θ_r = (J_θ^r)ᵀ ∂E/∂y_r,        ∂E/∂y_{r−1} = (J_y^r)ᵀ ∂E/∂y_r.

No Jacobian is formed for that: each layer's pullback applies the transpose.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import is_inexact
from pullback.core.validation import refuse, require_callable, require_flag
from pullback.nn.chain import Chain, apply
from pullback.nn.layers import Layer
from pullback.transforms.batch import vmap
from pullback.transforms.foreign import by_position
from pullback.transforms.gradient import value_and_grad
from pullback.transforms.jacobian import jacobian
from pullback.transforms.reverse import vjp

__all__ = ["Backpropagation", "LayerRecord", "backpropagate"]

Array = Any


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LayerRecord:
    """What backpropagation passes at one layer y_r = f_r(y_{r−1}, θ_r).

    For a single sample the arrays have the shapes below; k is the layer's number of outputs, and
    that axis is missing where the output is a scalar (`Head`). For a batch of m samples all of them
    but `theta_bar` have the samples as an additional first axis.

    Attributes
    ----------
    layer : callable
        f_r with its parameters θ_r.
    x : array, shape (n,)
        The input y_{r−1}.
    v : array, shape (k,), or None
        The pre-activation; `None` for a layer that isn't a `Layer` and has none to tell.
    y : array, shape (k,)
        The output y_r.
    y_bar : array, shape (k,)
        ∂E/∂y_r.
    delta : array, shape (k,), or None
        The textbooks' δ_r = ∂E/∂v_r.
    theta_bar : pytree
        ∂E/∂θ_r: a layer like `layer` with the derivative in place of each parameter, summed over
        the samples.
    J_y : array, shape (k, n), or None
        The Jacobian's block ∂f_r/∂y_{r−1}, if it was asked for.
    J_theta : pytree or None
        The Jacobian's block ∂f_r/∂θ_r, if it was asked for: a layer like `layer` with an array of
        shape (k,) + θ.shape in place of each parameter θ.
    """

    layer: Any
    x: Array
    v: Array | None
    y: Array
    y_bar: Array
    delta: Array | None
    theta_bar: Any
    J_y: Array | None = None
    J_theta: Any = None

    @property
    def jacobian(self) -> Array | None:
        """The matrix [J_y J_θ], shape (k, n + j), if it was asked for.

        The j columns of J_θ follow the order of the layer's parameters, each in row-major order;
        k = 1 for a scalar output, and a batch has a matrix for each sample, (m, k, n + j).
        """
        if self.J_y is None:
            return None
        samples = self.x.shape[:-1]
        k = int(np.prod(self.y.shape[len(samples) :], dtype=int))
        blocks = [self.J_y, *trees.flatten(self.J_theta)[0]]
        return np.concatenate([np.reshape(block, (*samples, k, -1)) for block in blocks], axis=-1)

    def __repr__(self) -> str:
        return f"LayerRecord({self.layer!r}, ‖∂E/∂y‖ = {np.linalg.norm(self.y_bar):.4g})"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Backpropagation:
    """The record of one backward pass through a network.

    Attributes
    ----------
    loss : scalar
        E.
    layers : tuple of LayerRecord
        One for each layer, the first layer first.
    gradient : pytree
        ∂E/∂θ: a network like the one that was differentiated, with the derivative in place of each
        parameter. It is what ``pullback.grad`` gives.
    x_bar : array
        ∂E/∂x, of the input's shape.
    """

    loss: Any
    layers: tuple[LayerRecord, ...]
    gradient: Any
    x_bar: Array

    def __repr__(self) -> str:
        lines = [f"Backpropagation, E = {float(self.loss):.6g}"]
        for r, record in enumerate(self.layers, start=1):
            lines.append(f"  {r}  {record!r}")
        return "\n".join(lines)


def backpropagate(
    net: Any, loss: Callable[[Any, Any], Any], x: Any, target: Any, jacobians: bool = False
) -> Backpropagation:
    """One forward and one backward pass through a network, recorded layer by layer.

    Parameters
    ----------
    net : Chain or a layer
    loss : callable
        ``loss(prediction, target)``, a real scalar; see `pullback.losses`.
    x : array, shape (n,) or (m, n)
        A sample, or a batch with the samples along the first axis.
    target : array
        Handed to the loss.
    jacobians : bool
        Whether to form each layer's Jacobian blocks too, for each sample by itself. The pass
        doesn't need them.

    Returns
    -------
    Backpropagation
        The loss, a `LayerRecord` for each layer, and the gradient in parameters and input.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where an input doesn't fit a layer, which the message names, or the loss isn't a scalar.

    Notes
    -----
    D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating
    errors", Nature 323 (1986).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> net = pb.nn.Chain([pb.nn.Dense(np.eye(2), np.zeros(2), "relu"), pb.nn.Head(np.ones(2))])
    >>> record = pb.nn.backpropagate(net, pb.losses.l2, np.array([1.0, -1.0]), np.array(3.0))
    >>> record.layers[0].y_bar, record.layers[0].delta
    (array([-2., -2.]), array([-2.,  0.]))
    >>> record.layers[0].theta_bar.W
    array([[-2.,  2.],
           [ 0.,  0.]])
    """
    wanted = "a function such as pullback.losses.mse, called as loss(prediction, target)"
    require_callable(loss, "backpropagate", "loss", wanted)
    require_callable(net, "backpropagate", "net", "a Chain or a layer")
    jacobians = require_flag(jacobians, "backpropagate", "jacobians")
    layers = net.layers if isinstance(net, Chain) else (net,)
    x = _inexact(x, net)
    passes = []
    for r, layer in enumerate(layers, start=1):
        forward = apply(r, _Pass, layer, x)
        passes.append(forward)
        x = forward.y

    value, y_bar = value_and_grad(loss)(x, target)
    records = []
    for forward in reversed(passes):
        record, y_bar = forward.pull(y_bar, jacobians=jacobians)
        records.append(record)
    records.reverse()

    gradients = tuple(record.theta_bar for record in records)
    gradient = dataclasses.replace(net, layers=gradients) if net is not layers[0] else gradients[0]
    return Backpropagation(value, tuple(records), gradient, y_bar)


class _Pass:
    """A layer evaluated at an input, with its pullback there.

    The pullback of a `Layer` is taken in two steps, from the output to the pre-activation and from
    there to input and parameters, since δ lies between them.
    """

    def __init__(self, layer: Any, x: Any) -> None:
        self.layer, self.x = layer, x
        if isinstance(layer, Layer):
            self.v, self.pull_v = vjp(_pre_activation, layer, x)
            self.y, self.pull_y = vjp(_output, layer, x, self.v)
        else:
            self.v, self.pull_v = None, None
            self.y, self.pull_y = vjp(_apply, layer, x)

    def pull(self, y_bar: Any, *, jacobians: bool) -> tuple[LayerRecord, Any]:
        """The record of this layer, and ∂E/∂y_{r−1}, from ∂E/∂y_r."""
        theta_bar, x_bar, *rest = self.pull_y(y_bar)
        delta = None
        if self.pull_v is not None:
            (delta,) = rest
            theta_bar_v, x_bar_v = self.pull_v(delta)
            theta_bar = trees.map_tree(np.add, theta_bar, theta_bar_v)
            x_bar = x_bar + x_bar_v
        J_theta, J_y = _jacobians(self.layer, self.x) if jacobians else (None, None)
        record = LayerRecord(
            self.layer, self.x, self.v, self.y, y_bar, delta, theta_bar, J_y, J_theta
        )
        return record, x_bar


def _pre_activation(layer: Layer, x: Any) -> Any:
    return layer.pre_activation(x)


def _output(layer: Layer, x: Any, v: Any) -> Any:
    return layer.output(x, v)


def _apply(layer: Any, x: Any) -> Any:
    return layer(x)


def _jacobians(layer: Any, x: Any) -> tuple[Any, Any]:
    """The blocks J_θ and J_y, for each sample of a batch."""
    of_sample = jacobian(_apply, argnums=(0, 1))
    blocks = of_sample if x.ndim == 1 else vmap(of_sample, in_axes=(None, 0))
    J_theta, J_y = blocks(layer, x)
    return J_theta, J_y


def _inexact(x: Any, net: Any) -> Any:
    """`x` as an array that has a derivative: integers in the dtype of the parameters."""
    x = by_position(x, "backpropagate: x")
    if x.dtype.kind not in "biufc":
        raise refuse("backpropagate", "x", x, "an array of numbers")
    if is_inexact(x):
        return x
    parameters = [leaf for leaf in trees.flatten(net)[0] if is_inexact(leaf)]
    return x.astype(parameters[0].dtype if parameters else np.float64)
