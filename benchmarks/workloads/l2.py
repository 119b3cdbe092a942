"""The L2 loss: its value and both cotangents, from a few numbers to ten million."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import autograd, jax, torch
from benchmarks.workload import Workload

__all__ = ["SIZES", "l2"]

SIZES = (10, 100_000, 10_000_000)


def loss(np: Any, y: Any, y_ref: Any) -> Any:
    """½‖y − y_ref‖², in the NumPy that is given."""
    return 0.5 * np.sum((y - y_ref) ** 2)


def by_hand(y: Any, y_ref: Any) -> Sequence[Any]:
    """Value and cotangents: ȳ = r, ȳ_ref = −r."""
    residual = y - y_ref
    return 0.5 * np.dot(residual, residual), residual, -residual


def l2(size: int) -> Workload:
    """Vectors of `size` elements."""
    rng = np.random.default_rng(0)
    y, y_ref = rng.normal(size=size), rng.normal(size=size)

    def flat(result: tuple[Any, tuple[Any, Any]]) -> Sequence[Any]:
        value, bars = result
        return value, *bars

    evaluate = pb.value_and_grad(lambda *args: loss(np, *args), argnums=(0, 1))
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": lambda: by_hand(y, y_ref),
        "pullback": lambda: flat(pb.pullback(pb.losses.l2, (y, y_ref), 1.0)),
        "pullback, composed": lambda: flat(evaluate(y, y_ref)),
    }
    if autograd is not None:
        import autograd.numpy as anp

        tape = autograd.value_and_grad(lambda *args: loss(anp, *args), (0, 1))
        contenders["autograd"] = lambda: flat(tape(y, y_ref))
    if torch is not None:
        leaves = [torch.from_numpy(array).requires_grad_() for array in (y, y_ref)]

        def torch_gradient() -> Sequence[Any]:
            value = 0.5 * ((leaves[0] - leaves[1]) ** 2).sum()
            return value.detach(), *torch.autograd.grad(value, leaves)

        contenders["PyTorch"] = torch_gradient
    if jax is not None:
        compiled = jax.jit(jax.value_and_grad(lambda *args: loss(jax.numpy, *args), (0, 1)))
        on_device = [jax.numpy.asarray(array) for array in (y, y_ref)]
        contenders["JAX, compiled"] = lambda: flat(jax.block_until_ready(compiled(*on_device)))
    return Workload(f"l2-{size}", f"L2 loss, value and both cotangents, N = {size:,}", contenders)
