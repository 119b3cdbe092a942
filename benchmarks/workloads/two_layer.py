"""The gradient of a small two-layer network: where a library's overhead per operation shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import autograd, jax, torch
from benchmarks.workload import Workload

__all__ = ["two_layer"]

M, N_IN, N_HIDDEN, N_OUT = 32, 8, 16, 1


def loss(np: Any, w1: Any, b1: Any, w2: Any, b2: Any, x: Any, target: Any) -> Any:
    """Mean squared error of tanh(x W₁ + b₁) W₂ + b₂, in the NumPy that is given."""
    prediction = np.tanh(x @ w1 + b1) @ w2 + b2
    return np.mean((prediction - target) ** 2)


def by_hand(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, target: Any) -> Sequence[Any]:
    """The backward pass as one writes it on paper."""
    hidden = np.tanh(x @ w1 + b1)
    delta_2 = (2 / target.size) * (hidden @ w2 + b2 - target)
    delta_1 = (delta_2 @ w2.T) * (1 - hidden * hidden)
    return x.T @ delta_1, delta_1.sum(0), hidden.T @ delta_2, delta_2.sum(0)


def two_layer() -> Workload:
    """Batch 32, 8 → 16 → 1, all four parameter gradients."""
    rng = np.random.default_rng(0)
    shapes = [(N_IN, N_HIDDEN), (N_HIDDEN,), (N_HIDDEN, N_OUT), (N_OUT,), (M, N_IN), (M, N_OUT)]
    arrays = [rng.normal(size=shape) for shape in shapes]
    parameters = (0, 1, 2, 3)

    gradient = pb.grad(lambda *args: loss(np, *args), argnums=parameters)
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": lambda: by_hand(*arrays),
        "pullback": lambda: gradient(*arrays),
    }
    if autograd is not None:
        import autograd.numpy as anp

        tape_gradient = autograd.grad(lambda *args: loss(anp, *args), parameters)
        contenders["autograd"] = lambda: tape_gradient(*arrays)
    if torch is not None:
        *leaves, x, target = map(torch.from_numpy, arrays)
        for leaf in leaves:
            leaf.requires_grad_()

        def torch_gradient() -> Sequence[Any]:
            w1, b1, w2, b2 = leaves
            prediction = torch.addmm(b2, torch.tanh(torch.addmm(b1, x, w1)), w2)
            return torch.autograd.grad(((prediction - target) ** 2).mean(), leaves)

        contenders["PyTorch"] = torch_gradient
    if jax is not None:
        compiled = jax.jit(jax.grad(lambda *args: loss(jax.numpy, *args), parameters))
        on_device = list(map(jax.numpy.asarray, arrays))
        contenders["JAX, compiled"] = lambda: jax.block_until_ready(compiled(*on_device))
    title = f"gradient of a two-layer net, {M} × {N_IN} → {N_HIDDEN} → {N_OUT}, tanh, MSE"
    return Workload("two-layer", title, contenders)
