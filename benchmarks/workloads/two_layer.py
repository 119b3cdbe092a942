"""The gradient of a small two-layer network: where a library's overhead per operation shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import autograd, jax, torch
from benchmarks.workload import Workload

__all__ = ["two_layer", "two_layer_transposed"]

M, N_IN, N_HIDDEN, N_OUT = 32, 8, 16, 1
TITLE = f"gradient of a two-layer net, {M} × {N_IN} → {N_HIDDEN} → {N_OUT}, tanh, MSE"


def loss(np: Any, w1: Any, b1: Any, w2: Any, b2: Any, x: Any, target: Any) -> Any:
    """Mean squared error of tanh(x W₁ + b₁) W₂ + b₂, in the NumPy that is given."""
    prediction = np.tanh(x @ w1 + b1) @ w2 + b2
    return np.mean((prediction - target) ** 2)


def loss_transposed(np: Any, parameters: Any, x: Any, target: Any) -> Any:
    """The same of tanh(x W₁ᵀ + b₁) W₂ᵀ + b₂, with a list of parameters."""
    w1, b1, w2, b2 = parameters
    prediction = np.tanh(x @ w1.T + b1) @ w2.T + b2
    return np.mean((prediction - target) ** 2)


def by_hand(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, target: Any) -> Sequence[Any]:
    """The backward pass as one writes it on paper."""
    hidden = np.tanh(x @ w1 + b1)
    delta_2 = (2 / target.size) * (hidden @ w2 + b2 - target)
    delta_1 = (delta_2 @ w2.T) * (1 - hidden * hidden)
    return x.T @ delta_1, delta_1.sum(0), hidden.T @ delta_2, delta_2.sum(0)


def arrays() -> list[Any]:
    """Parameters, inputs and targets."""
    rng = np.random.default_rng(0)
    shapes = [(N_IN, N_HIDDEN), (N_HIDDEN,), (N_HIDDEN, N_OUT), (N_OUT,), (M, N_IN), (M, N_OUT)]
    return [rng.normal(size=shape) for shape in shapes]


def two_layer() -> Workload:
    """Batch 32, 8 → 16 → 1, all four parameter gradients."""
    given = arrays()
    parameters = (0, 1, 2, 3)

    gradient = pb.grad(lambda *args: loss(np, *args), argnums=parameters)
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": lambda: by_hand(*given),
        "pullback": lambda: gradient(*given),
    }
    if autograd is not None:
        import autograd.numpy as anp

        tape_gradient = autograd.grad(lambda *args: loss(anp, *args), parameters)
        contenders["autograd"] = lambda: tape_gradient(*given)
    if torch is not None:
        *leaves, x, target = map(torch.from_numpy, given)
        for leaf in leaves:
            leaf.requires_grad_()

        def torch_gradient() -> Sequence[Any]:
            w1, b1, w2, b2 = leaves
            prediction = torch.addmm(b2, torch.tanh(torch.addmm(b1, x, w1)), w2)
            return torch.autograd.grad(((prediction - target) ** 2).mean(), leaves)

        contenders["PyTorch"] = torch_gradient
    if jax is not None:
        compiled = jax.jit(jax.grad(lambda *args: loss(jax.numpy, *args), parameters))
        on_device = list(map(jax.numpy.asarray, given))
        contenders["JAX, compiled"] = lambda: jax.block_until_ready(compiled(*on_device))
    return Workload("two-layer", TITLE, contenders)


def two_layer_transposed() -> Workload:
    """The same with the layers written as x Wᵀ + b and their parameters in a list."""
    given = arrays()
    w1, b1, w2, b2, x, target = given
    parameters = [w1.T.copy(), b1, w2.T.copy(), b2]

    def reference() -> Sequence[Any]:
        w1_bar, b1_bar, w2_bar, b2_bar = by_hand(*given)
        return w1_bar.T, b1_bar, w2_bar.T, b2_bar

    gradient = pb.grad(lambda parameters: loss_transposed(np, parameters, x, target))
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": reference,
        "pullback": lambda: gradient(parameters),
    }
    if autograd is not None:
        import autograd.numpy as anp

        tape_gradient = autograd.grad(
            lambda parameters: loss_transposed(anp, parameters, x, target)
        )
        contenders["autograd"] = lambda: tape_gradient(parameters)
    if torch is not None:
        leaves = [torch.from_numpy(parameter).requires_grad_() for parameter in parameters]
        torch_x, torch_target = torch.from_numpy(x), torch.from_numpy(target)

        def torch_gradient() -> Sequence[Any]:
            linear = torch.nn.functional.linear
            w1, b1, w2, b2 = leaves
            prediction = linear(torch.tanh(linear(torch_x, w1, b1)), w2, b2)
            return torch.autograd.grad(((prediction - torch_target) ** 2).mean(), leaves)

        contenders["PyTorch"] = torch_gradient
    return Workload("two-layer-transposed", f"{TITLE}, written x @ W.T + b", contenders)
