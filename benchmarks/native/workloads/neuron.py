"""A neuron with many state variables: a scan that carries seven numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import Problem
from benchmarks.native.workloads.scalar_loop import in_python

__all__ = ["neuron"]

H = 0.02


def written(np: Any, scan: Callable[..., Any]) -> Callable[..., Any]:
    """Hodgkin and Huxley's model with the rates of R. Traub and R. Miles (1991).

    It has a slow potassium current and one that calcium opens, and a filtered voltage is compared.
    """
    exp = np.exp

    def loss(conductances: Any, current: Any, observed: Any) -> Any:
        sodium, potassium, leak, slow, by_calcium = conductances

        def step(carry: Any, xs: Any) -> tuple[Any, Any]:
            v, m, h, n, p, calcium, filtered = carry
            current, target = xs
            m_opens = 0.32 * (v + 54) / (1 - exp(-(v + 54) / 4))
            m_closes = 0.28 * (v + 27) / (exp((v + 27) / 5) - 1)
            h_opens, h_closes = 0.128 * exp(-(v + 50) / 18), 4 / (1 + exp(-(v + 27) / 5))
            n_opens = 0.032 * (v + 52) / (1 - exp(-(v + 52) / 5))
            n_closes = 0.5 * exp(-(v + 57) / 40)
            p_rest = 1 / (1 + exp(-(v + 35) / 10))
            outward = potassium * n**4 + slow * p + by_calcium * calcium / (calcium + 1)
            inward = sodium * m**3 * h * (v - 50) + outward * (v + 90) + leak * (v + 70)
            v_new = v + H * (current - inward)
            m = m + H * (m_opens * (1 - m) - m_closes * m)
            h = h + H * (h_opens * (1 - h) - h_closes * h)
            n = n + H * (n_opens * (1 - n) - n_closes * n)
            p = p + H * (p_rest - p) / 50
            calcium = calcium + H * (1 / (1 + exp(-(v + 20) / 5)) - calcium / 80)
            filtered = filtered + H * (v - filtered)
            return (v_new, m, h, n, p, calcium, filtered), (filtered - target) ** 2

        start = (-65.0, 0.05, 0.6, 0.3, 0.1, 0.1, -65.0)
        _, errors = scan(step, start, (current, observed))
        return np.mean(errors)

    return loss


def with_jax(jax: Any) -> Callable[..., Any]:
    """With the steps recomputed on the way back: quicker than to keep what is between."""

    def scan(step: Callable[..., Any], carry: Any, xs: Any) -> tuple[Any, Any]:
        return jax.lax.scan(jax.checkpoint(step), carry, xs)

    return written(jax.numpy, scan)


def with_torch(torch: Any) -> Callable[..., Any]:
    def scan(step: Callable[..., Any], carry: Any, xs: Any) -> tuple[Any, Any]:
        errors, columns = [], [x.unbind() for x in xs]
        carry = tuple(torch.tensor(number, dtype=torch.float64) for number in carry)

        def body(i: int, carry: Any) -> Any:
            carry, error = step(carry, [column[i] for column in columns])
            errors.append(error)
            return carry

        return in_python(0, len(columns[0]), body, carry), torch.stack(errors)

    return written(torch, scan)


def neuron(steps: int = 2_000) -> Problem:
    """The gradient by the five conductances."""
    times = H * np.arange(steps)
    return Problem(
        f"neuron, scan of {steps:,} steps that carries 7 numbers, 5 parameters",
        written(np, pb.scan),
        (
            np.array([100.0, 80.0, 0.1, 0.5, 0.3]),
            2.0 + 3.0 * np.sin(times / 7.0),
            -60.0 + 5.0 * np.cos(times / 5.0),
        ),
        jax=with_jax,
        torch=with_torch,
        rtol=1e-8,
    )
