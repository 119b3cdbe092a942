"""A hidden Markov model: the forward algorithm in log space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import BEST, Problem

__all__ = ["hidden_markov"]


def logsumexp(x: Any, axis: int) -> Any:
    """log Σ exp x along an axis that is kept."""
    largest = np.max(x, axis=axis, keepdims=True)
    return largest + np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True))


def loss(transitions: Any, start: Any, means: Any, observed: Any) -> Any:
    """The negative log-likelihood, from unnormalised log-probabilities of transitions and start."""
    transitions = transitions - logsumexp(transitions, 1)
    emissions = -0.5 * (observed[:, None] - means) ** 2

    def step(alpha: Any, emission: Any) -> tuple[Any, None]:
        return logsumexp(alpha[:, None] + transitions, 0)[0] + emission, None

    alpha, _ = pb.scan(step, start - logsumexp(start, 0) + emissions[0], emissions[1:])
    return -logsumexp(alpha, 0)[0]


def with_jax(jax: Any) -> Callable[..., Any]:
    logsumexp, log_softmax = jax.nn.logsumexp, jax.nn.log_softmax

    def loss(transitions: Any, start: Any, means: Any, observed: Any) -> Any:
        transitions = log_softmax(transitions, 1)
        emissions = -0.5 * (observed[:, None] - means) ** 2

        def step(alpha: Any, emission: Any) -> tuple[Any, None]:
            return logsumexp(alpha[:, None] + transitions, 0) + emission, None

        alpha, _ = jax.lax.scan(step, log_softmax(start) + emissions[0], emissions[1:])
        return -logsumexp(alpha)

    return loss


def with_torch(torch: Any) -> Callable[..., Any]:
    def loss(transitions: Any, start: Any, means: Any, observed: Any) -> Any:
        transitions = torch.log_softmax(transitions, 1).T
        emissions = -0.5 * (observed[:, None] - means) ** 2
        alpha, *rest = emissions.unbind()
        alpha = torch.log_softmax(start, 0) + alpha
        for emission in rest:
            alpha = torch.logsumexp(alpha + transitions, 1) + emission
        return -torch.logsumexp(alpha, 0)

    return loss


def hidden_markov(steps: int = 2_000, states: int = 3) -> Problem:
    """The gradient by all parameters."""
    rng = np.random.default_rng(0)
    return Problem(
        f"hidden Markov model, {states} states, {steps:,} steps in log space",
        loss,
        (
            rng.normal(size=(states, states)),
            rng.normal(size=states),
            np.linspace(-1.0, 1.0, states),
            rng.normal(size=steps),
        ),
        jax=with_jax,
        torch=with_torch,
        bounds={BEST: 0.15},
        argnums=(0, 1, 2),
    )
