"""The gradient of a residual network: twenty layers on a thousand samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import autograd, jax, torch
from benchmarks.workload import Workload

__all__ = ["residual", "residual_indexed"]

D, K, M = 4, 20, 1000
H = 1.0 / K
TITLE = f"gradient of a residual net, d = {D}, K = {K}, m = {M}, tanh, all parameters"


def loss(np: Any, y: Any, target: Any, w: Any, mu: Any, *layers: Any) -> Any:
    """½‖tanh(Y w + µ) − c‖² of Y ← Y + h tanh(Y W + b), K times, in the NumPy that is given."""
    for weight, bias in zip(layers[0::2], layers[1::2], strict=True):
        y = y + H * np.tanh(y @ weight + bias)
    return 0.5 * np.sum((np.tanh(y @ w + mu) - target) ** 2)


def loss_indexed(np: Any, y: Any, target: Any, parameters: Any) -> Any:
    """The same of Y ← Y + h tanh(Y Wₖᵀ + bₖ), with the layers' parameters in two arrays."""
    w, mu, weights, biases = parameters
    for k in range(K):
        y = y + H * np.tanh(y @ weights[k].T + biases[k])
    return 0.5 * np.sum((np.tanh(y @ w + mu) - target) ** 2)


def by_hand(y: Any, target: Any, w: Any, mu: Any, *layers: Any) -> Sequence[Any]:
    """The recursion of the adjoint, layer by layer."""
    weights, biases = layers[0::2], layers[1::2]
    ys, activations = [y], []
    for weight, bias in zip(weights, biases, strict=True):
        activations.append(np.tanh(y @ weight + bias))
        y = y + H * activations[-1]
        ys.append(y)
    prediction = np.tanh(y @ w + mu)
    delta = (prediction - target) * (1 - prediction * prediction)
    head = [y.T @ delta, delta.sum()]
    y_bar = np.outer(delta, w)
    gradients: list[Any] = []
    for weight, activation, y in zip(
        reversed(weights), reversed(activations), reversed(ys[:-1]), strict=True
    ):
        delta = H * y_bar * (1 - activation * activation)
        gradients = [y.T @ delta, delta.sum(0), *gradients]
        y_bar = y_bar + delta @ weight.T
    return head + gradients


def arrays() -> tuple[Any, Any, list[Any]]:
    """Inputs, targets and parameters."""
    rng = np.random.default_rng(0)
    y0, target = rng.normal(size=(M, D)), rng.uniform(-0.9, 0.9, size=M)
    parameters = [rng.normal(size=D), np.array(0.1)]
    for _ in range(K):
        parameters += [rng.normal(size=(D, D)), rng.normal(size=D)]
    return y0, target, parameters


def residual() -> Workload:
    """d = 4, K = 20, m = 1000, the gradients of all 42 parameters."""
    y0, target, parameters = arrays()
    argnums = tuple(range(2, 2 + len(parameters)))

    gradient = pb.grad(lambda *args: loss(np, *args), argnums=argnums)
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": lambda: by_hand(y0, target, *parameters),
        "pullback": lambda: gradient(y0, target, *parameters),
    }
    if autograd is not None:
        import autograd.numpy as anp

        tape_gradient = autograd.grad(lambda *args: loss(anp, *args), argnums)
        contenders["autograd"] = lambda: tape_gradient(y0, target, *parameters)
    if torch is not None:
        torch_y0, torch_target = torch.from_numpy(y0), torch.from_numpy(target)
        leaves = [torch.from_numpy(parameter).requires_grad_() for parameter in parameters]

        def torch_gradient() -> Sequence[Any]:
            (w, mu, *layers), y = leaves, torch_y0
            for weight, bias in zip(layers[0::2], layers[1::2], strict=True):
                y = y + H * torch.tanh(torch.addmm(bias, y, weight))
            residual = torch.tanh(y @ w + mu) - torch_target
            return torch.autograd.grad(0.5 * (residual**2).sum(), leaves)

        contenders["PyTorch"] = torch_gradient
    if jax is not None:
        compiled = jax.jit(jax.grad(lambda *args: loss(jax.numpy, *args), argnums))
        on_device = list(map(jax.numpy.asarray, [y0, target, *parameters]))
        contenders["JAX, compiled"] = lambda: jax.block_until_ready(compiled(*on_device))
    return Workload("residual", TITLE, contenders)


def residual_indexed() -> Workload:
    """The same with the layers' parameters stacked, and read as W[k].T and b[k]."""
    y0, target, given = arrays()
    w, mu, *layers = given
    weights = np.stack([weight.T for weight in layers[0::2]])
    parameters = [w, mu, weights, np.stack(layers[1::2])]

    def reference() -> Sequence[Any]:
        w_bar, mu_bar, *bars = by_hand(y0, target, *given)
        return w_bar, mu_bar, np.stack([bar.T for bar in bars[0::2]]), np.stack(bars[1::2])

    gradient = pb.grad(lambda parameters: loss_indexed(np, y0, target, parameters))
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": reference,
        "pullback": lambda: gradient(parameters),
    }
    if autograd is not None:
        import autograd.numpy as anp

        tape_gradient = autograd.grad(lambda parameters: loss_indexed(anp, y0, target, parameters))
        contenders["autograd"] = lambda: tape_gradient(parameters)
    if torch is not None:
        torch_y0, torch_target = torch.from_numpy(y0), torch.from_numpy(target)
        leaves = [torch.from_numpy(parameter).requires_grad_() for parameter in parameters]

        def torch_gradient() -> Sequence[Any]:
            (w, mu, weights, biases), y = leaves, torch_y0
            for weight, bias in zip(weights.unbind(), biases.unbind(), strict=True):
                y = y + H * torch.tanh(torch.nn.functional.linear(y, weight, bias))
            residual = torch.tanh(y @ w + mu) - torch_target
            return torch.autograd.grad(0.5 * (residual**2).sum(), leaves)

        contenders["PyTorch"] = torch_gradient
    return Workload("residual-indexed", f"{TITLE}, written y @ W[k].T + b[k]", contenders)
