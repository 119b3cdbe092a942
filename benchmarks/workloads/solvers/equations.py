"""Gradients through solutions of differential equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

from benchmarks.peers import diffrax, jax, torch, torchdiffeq
from benchmarks.workloads.solvers.program import Function, Program

__all__ = ["lotka_volterra", "reactions", "robertson"]

Field = Callable[[Any, Any, Any], Any]
"""The derivative of a state y that parameters p determine, ``f(np, y, p)``."""


def _loss(field: Field, start: Any, times: Any, method: str, rtol: float, atol: float) -> Function:
    def loss(p: Any) -> Any:
        solution = scipy.integrate.solve_ivp(
            lambda _, y: field(np, y, p), (0.0, times[-1]), start, method, times,
            rtol=rtol, atol=atol,
        )  # fmt: skip
        return np.sum(solution.y**2)

    return loss


def _by_diffrax(
    field: Field, start: Any, times: Any, solver: str, rtol: float, atol: float
) -> Callable[[], Function | None]:
    def make() -> Function | None:
        if jax is None or diffrax is None:
            return None

        def loss(p: Any) -> Any:
            found = diffrax.diffeqsolve(
                diffrax.ODETerm(lambda _, y, p: field(jax.numpy, y, p)),
                getattr(diffrax, solver)(), 0.0, times[-1], None, jax.numpy.asarray(start), args=p,
                saveat=diffrax.SaveAt(ts=jax.numpy.asarray(times)),
                stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
            )  # fmt: skip
            return jax.numpy.sum(found.ys**2)

        both = jax.jit(jax.value_and_grad(loss))
        return lambda p: jax.block_until_ready(both(p))

    return make


def _by_torchdiffeq(
    field: Field, start: Any, times: Any, rtol: float, atol: float
) -> Callable[[], Function | None]:
    def make() -> Function | None:
        if torch is None or torchdiffeq is None:
            return None
        y0, ts = torch.as_tensor(start), torch.as_tensor(times)

        def both(point: Any) -> Any:
            p = torch.tensor(point, requires_grad=True)
            y = torchdiffeq.odeint(
                lambda _, y: field(torch, y, p), y0, ts, rtol=rtol, atol=atol, method="dopri5"
            )
            value = torch.sum(y**2)
            value.backward()
            return value.detach().numpy(), p.grad.numpy()

        return both

    return make


def lotka_volterra(rtol: float = 1e-6, atol: float = 1e-8) -> Program:
    """Four rates of predators and prey."""
    start, times = np.array([10.0, 5.0]), np.linspace(0.0, 10.0, 31)

    def field(np: Any, y: Any, p: Any) -> Any:
        u, v = y[0], y[1]
        return np.stack([p[0] * u - p[1] * u * v, p[3] * u * v - p[2] * v])

    return Program(
        f"Lotka and Volterra's equations by RK45, 31 times, tolerances {rtol:g} and {atol:g}, by "
        "four rates",
        _loss(field, start, times, "RK45", rtol, atol),
        np.array([1.1, 0.4, 0.4, 0.1]),
        {
            "diffrax": _by_diffrax(field, start, times, "Dopri5", rtol, atol),
            "torchdiffeq": _by_torchdiffeq(field, start, times, rtol, atol),
        },
        1e-4,
    )


def reactions(size: int = 100, rtol: float = 1e-6, atol: float = 1e-8) -> Program:
    """A ring of substances each of which decays into the next one, and is used up with that."""
    generator = np.random.default_rng(0)
    start, times = generator.uniform(0.5, 1.5, size), np.linspace(0.0, 5.0, 21)

    def field(np: Any, y: Any, p: Any) -> Any:
        made = p * y
        return np.roll(made, 1) - made - 0.1 * y * np.roll(y, -1)

    return Program(
        f"{size} reactions by RK45, 21 times, tolerances {rtol:g} and {atol:g}, by {size} rates",
        _loss(field, start, times, "RK45", rtol, atol),
        generator.uniform(0.5, 2.0, size),
        {
            "diffrax": _by_diffrax(field, start, times, "Dopri5", rtol, atol),
            "torchdiffeq": _by_torchdiffeq(field, start, times, rtol, atol),
        },
        1e-4,
    )


def robertson(rtol: float = 1e-6, atol: float = 1e-9) -> Program:
    """Three substances whose rates differ by nine powers of ten."""
    start, times = np.array([1.0, 0.0, 0.0]), np.array([0.4, 4.0, 40.0, 400.0])

    def field(np: Any, y: Any, p: Any) -> Any:
        a, b, c = p[0] * y[0], p[1] * y[1] * y[1], p[2] * y[1] * y[2]
        return np.stack([c - a, a - b - c, b])

    return Program(
        f"Robertson's equations by Radau, 4 times, tolerances {rtol:g} and {atol:g}, by three "
        "rates",
        _loss(field, start, times, "Radau", rtol, atol),
        np.array([0.04, 3e7, 1e4]),
        {"diffrax": _by_diffrax(field, start, times, "Kvaerno5", rtol, atol)},
        1e-3,
    )
