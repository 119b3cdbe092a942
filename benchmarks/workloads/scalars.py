"""A chain of operations on numbers: what one operation costs, in either mode."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import autograd, torch
from benchmarks.workload import Workload

__all__ = ["scalars", "scalars_forward"]

OPERATIONS = 1000
POINT = (0.7, 0.9)
DIRECTION = (1.0, -0.5)


def chain(np: Any, x: Any, w: Any) -> Any:
    """y ← sin(y w) + x − w, over and over, in the NumPy that is given."""
    y = x
    for _ in range(OPERATIONS // 4):
        y = np.sin(y * w) + x - w
    return y


def by_hand(x: float, w: float) -> Sequence[Any]:
    """The adjoint of the chain: v̄ = cos(v) ȳ of v = y w."""
    ys = [x]
    for _ in range(OPERATIONS // 4):
        ys.append(math.sin(ys[-1] * w) + x - w)
    y_bar, x_bar, w_bar = 1.0, 0.0, 0.0
    for y in ys[-2::-1]:
        x_bar += y_bar
        w_bar -= y_bar
        v_bar = math.cos(y * w) * y_bar
        w_bar += v_bar * y
        y_bar = v_bar * w
    return np.float64(x_bar + y_bar), np.float64(w_bar)


def scalars() -> Workload:
    """The gradient, with respect to both numbers."""
    gradient = pb.grad(lambda x, w: chain(np, x, w), argnums=(0, 1))
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": lambda: by_hand(*POINT),
        "pullback": lambda: gradient(*POINT),
    }
    if autograd is not None:
        import autograd.numpy as anp

        tape_gradient = autograd.grad(lambda x, w: chain(anp, x, w), (0, 1))
        contenders["autograd"] = lambda: tape_gradient(*POINT)
    if torch is not None:
        leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in POINT]
        contenders["PyTorch"] = lambda: torch.autograd.grad(chain(torch, *leaves), leaves)
    title = f"gradient of a chain of {OPERATIONS:,} operations on numbers"
    return Workload("scalars", title, contenders)


def scalars_forward() -> Workload:
    """The derivative along a direction, in forward mode."""
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": lambda: [np.dot(by_hand(*POINT), DIRECTION)],
        "pullback": lambda: [pb.jvp(lambda x, w: chain(np, x, w), POINT, DIRECTION)[1]],
    }
    if autograd is not None:
        import autograd.numpy as anp

        forward = autograd.make_jvp(lambda point: chain(anp, *point))
        contenders["autograd"] = lambda: [forward(POINT)(DIRECTION)[1]]
    title = f"forward derivative of a chain of {OPERATIONS:,} operations on numbers"
    return Workload("scalars-forward", title, contenders, peers=("autograd",))
