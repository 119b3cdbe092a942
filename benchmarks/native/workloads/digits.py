"""A step of Adam for the residual network that reads handwritten digits.

64 pixels → 64 → four residual layers → 10 scores; the mean cross-entropy of a batch, and the
parameters and the method's memory after the step. The network's h is among its parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import Problem
from pullback.core import trees

__all__ = ["digits"]

RATE, BETA_1, BETA_2, EPSILON = 3e-3, 0.9, 0.999, 1e-8
ADAM = pb.optim.Adam(RATE, BETA_1, BETA_2, EPSILON)


def step(net: Any, state: Any, pixels: Any, labels: Any) -> Any:
    """Loss, network and state, by pullback's networks."""

    def objective(net: Any) -> Any:
        return pb.losses.softmax_cross_entropy(net(pixels), labels)

    value, gradient = pb.value_and_grad(objective)(net)
    return value, *ADAM.update(gradient, state, net)


def forward(tanh: Callable[..., Any], parameters: Any, pixels: Any) -> Any:
    """The scores, from the network's parameters in a list."""
    W, b, *inner, V, c = parameters
    y = tanh(pixels @ W.T + b)
    for W, b, h in zip(inner[0::3], inner[1::3], inner[2::3], strict=True):
        y = y + h * tanh(y @ W.T + b)
    return y @ V.T + c


def with_jax(jax: Any) -> Callable[..., Any]:
    jnp = jax.numpy

    def objective(parameters: Any, pixels: Any, labels: Any) -> Any:
        logs = jax.nn.log_softmax(forward(jnp.tanh, parameters, pixels))
        return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=1))

    def step(parameters: Any, state: Any, pixels: Any, labels: Any) -> Any:
        value, gradient = jax.value_and_grad(objective)(parameters, pixels, labels)
        count, means, squares = state
        count = count + 1
        means = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(means, gradient, strict=True)]
        squares = [
            BETA_2 * s + (1 - BETA_2) * g * g for s, g in zip(squares, gradient, strict=True)
        ]
        kind = pixels.dtype
        of_mean = (RATE / (1 - BETA_1**count)).astype(kind)
        of_square = (1 / (1 - BETA_2**count)).astype(kind)
        parameters = [
            p - of_mean * m / (jnp.sqrt(of_square * s) + EPSILON)
            for p, m, s in zip(parameters, means, squares, strict=True)
        ]
        return value, parameters, (count, means, squares)

    return step


def with_torch(torch: Any) -> Callable[..., Any]:
    """With PyTorch's fused Adam, which changes its parameters: a call goes on from the last one."""
    optimisers: list[Any] = []
    # The first step of all imports half of PyTorch, which is not what takes long in a call.
    torch.optim.Adam([torch.zeros(1, requires_grad=True)], fused=True).step()

    def started(parameters: Any, state: Any) -> Any:
        adam = torch.optim.Adam(parameters, RATE, (BETA_1, BETA_2), EPSILON, fused=True)
        count, means, squares = state
        for p, m, s in zip(parameters, means, squares, strict=True):
            p.requires_grad_()
            memory = {"step": count.to(torch.float32), "exp_avg": m, "exp_avg_sq": s}
            adam.state[p] = memory
        return adam

    def step(parameters: Any, state: Any, pixels: Any, labels: Any) -> Any:
        if not optimisers:
            optimisers.append(started(parameters, state))
        (adam,) = optimisers
        adam.zero_grad()
        scores = forward(torch.tanh, parameters, pixels)
        value = torch.nn.functional.cross_entropy(scores, labels)
        value.backward()
        adam.step()
        count, means, squares = state
        count += 1
        return value.detach(), [p.detach() for p in parameters], (count, means, squares)

    return step


def digits(
    batch: int = 128,
    width: int = 64,
    depth: int = 4,
    dtype: Any = np.float64,
    two_threads: float | None = None,
) -> Problem:
    """A batch of images, and a state of the method as it is after some steps."""
    rng = np.random.default_rng(0)
    lift = pb.nn.Dense.initialize(64, width, "tanh", rng=rng)
    steps = [pb.nn.Residual.initialize(width, 0.5, "tanh", rng=rng) for _ in range(depth)]
    scores = pb.nn.Dense.initialize(width, 10, rng=rng)
    net = pb.nn.Chain((lift, *steps, scores))
    net = trees.map_tree(lambda leaf: np.asarray(leaf, dtype=dtype), net)

    def remembered(draw: Callable[..., Any], scale: float) -> Any:
        return trees.map_tree(lambda p: np.asarray(scale * draw(size=p.shape), dtype=dtype), net)

    mean, square = remembered(rng.normal, 0.01), remembered(rng.uniform, 1e-3)
    state = dataclasses.replace(ADAM.init(net), count=100, mean=mean, square=square)
    data = rng.normal(size=(batch, 64)).astype(dtype), rng.integers(0, 10, size=batch)
    parameters, means, squares = (trees.flatten(tree)[0] for tree in (net, mean, square))
    return Problem(
        f"digits, a step of Adam, batch {batch}, 64 → {depth} × {width} → 10, {np.dtype(dtype)}",
        step,
        (net, state, *data),
        others=(parameters, (np.array(100), means, squares), *data),
        jax=with_jax,
        torch=with_torch,
        derivative="as written",
        two_threads=two_threads,
        first=0.4,
        rtol=1e-4 if np.dtype(dtype) == np.float32 else 1e-9,
    )
