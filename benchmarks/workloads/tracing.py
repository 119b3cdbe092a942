"""Recording a program of many primitives and simplifying it, before anything is compiled."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import jax
from benchmarks.workload import OURS, Workload

__all__ = ["PROGRAMS", "tracing"]


def chain(np: Any, n: int) -> Callable[..., Any]:
    """A chain of n functions of each element, in the NumPy that is given."""

    def f(x: Any, w: Any) -> Any:
        for _ in range(n // 4):
            x = np.sin(np.tanh(x) * 0.5 + x)
        return np.sum(x)

    return f


def mixed(np: Any, n: int) -> Callable[..., Any]:
    """About n primitives: products with a matrix, functions of each element, slices, broadcasts."""

    def f(x: Any, w: Any) -> Any:
        for _ in range(n // 7):
            x = np.tanh(w @ x) + x[::-1]
            x = x * (1.0 + x[0])
        return np.sum(x)

    return f


PROGRAMS: dict[str, tuple[Callable[[Any, int], Callable[..., Any]], bool, int]] = {
    "chain": (chain, False, 10_000),
    "mixed": (mixed, False, 10_000),
    "chain-gradient": (chain, True, 2_500),
    "mixed-gradient": (mixed, True, 2_500),
}
"""By name: the program, whether its gradient is recorded, and the number of its primitives."""


@dataclass(frozen=True)
class Recording(Workload):
    """A workload whose contenders record a program rather than run it.

    Parameters
    ----------
    small : mapping of str to callable
        Each runs a small program of the same kind and returns its arrays.
    """

    small: Mapping[str, Callable[[], Sequence[Any]]] = field(default_factory=dict)

    def verify(self) -> None:
        """Raise unless the libraries record programs that compute the same, at a small size."""
        Workload(self.name, self.title, self.small, rtol=self.rtol).verify()


def tracing(name: str, n: int | None = None) -> Workload:
    """`pullback.trace` and `pullback.simplify`, verification included; JAX's tracing and lowering.

    Parameters
    ----------
    name : str
        Of one of `PROGRAMS`.
    n : int, optional
        The number of primitives.
    """
    program, differentiated, size = PROGRAMS[name]
    size = n or size
    args = np.linspace(0.0, 1.0, 4), 0.5 * np.eye(4)

    def ours(size: int) -> Callable[..., Any]:
        return pb.grad(program(np, size)) if differentiated else program(np, size)

    def record() -> pb.Graph:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pb.UnrolledLoopWarning)
            return pb.trace(ours(size), *args)

    contenders: dict[str, Callable[[], Any]] = {
        OURS: lambda: pb.simplify(record()),
        "pullback, traced only": record,
    }
    small: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": lambda: [ours(50)(*args)],
        OURS: lambda: [pb.simplify(pb.trace(ours(50), *args))(*args)],
    }
    if jax is not None:

        def theirs(size: int) -> Callable[..., Any]:
            f = program(jax.numpy, size)
            return jax.grad(f) if differentiated else f

        contenders["JAX, lowered"] = lambda: jax.jit(theirs(size)).lower(*args)
        contenders["JAX, traced only"] = lambda: jax.make_jaxpr(theirs(size))(*args)
        small["JAX"] = lambda: [jax.jit(theirs(50))(*args)]
    what = "the gradient of a program" if differentiated else "a program"
    title = f"recording and simplifying {what} of {size:,} primitives, {name.partition('-')[0]}"
    return Recording(f"trace-{name}", title, contenders, peers=("JAX, lowered",), small=small)
