"""The gradient of a function of three variables: what one call costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import autograd, casadi, jax, torch
from benchmarks.workload import Workload

__all__ = ["vector"]


def rosenbrock(np: Any, x: Any) -> Any:
    """Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²; H. H. Rosenbrock, The Computer Journal 3 (1960) 175."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def by_hand(x: Any) -> Sequence[Any]:
    """Its gradient, worked out."""
    head = x[:-1]
    residual = x[1:] - head * head
    gradient = np.zeros_like(x)
    gradient[:-1] = -400.0 * head * residual - 2.0 * (1.0 - head)
    gradient[1:] += 200.0 * residual
    return [gradient]


def vector() -> Workload:
    """Rosenbrock's function in three variables."""
    x = np.array([0.3, -0.7, 1.2])
    gradient = pb.grad(lambda x: rosenbrock(np, x))
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": lambda: by_hand(x),
        "pullback": lambda: [gradient(x)],
    }
    if autograd is not None:
        import autograd.numpy as anp

        tape_gradient = autograd.grad(lambda x: rosenbrock(anp, x))
        contenders["autograd"] = lambda: [tape_gradient(x)]
    if torch is not None:
        leaf = torch.from_numpy(x).requires_grad_()
        contenders["PyTorch"] = lambda: torch.autograd.grad(rosenbrock(torch, leaf), leaf)
    if jax is not None:
        compiled = jax.jit(jax.grad(lambda x: rosenbrock(jax.numpy, x)))
        on_device = jax.numpy.asarray(x)
        contenders["JAX, compiled"] = lambda: [jax.block_until_ready(compiled(on_device))]
    if casadi is not None:
        symbol = casadi.SX.sym("x", 3)
        head, tail = symbol[:-1], symbol[1:]
        value = casadi.sum1(100.0 * (tail - head**2) ** 2 + (1.0 - head) ** 2)
        function = casadi.Function("f", [symbol], [casadi.gradient(value, symbol)])
        contenders["CasADi"] = lambda: [np.asarray(function(x)).ravel()]
    return Workload("vector", "gradient of a function of three variables", contenders)
