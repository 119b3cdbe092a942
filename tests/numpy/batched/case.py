"""A function with arguments for one example, to be mapped in every way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer


@dataclass(frozen=True)
class Case:
    """A function of arrays, arguments for one example, and which of them cannot be mapped.

    It `widens` if its dtype depends on the values, so that of no examples is the narrowest.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    refused: tuple[int, ...] = ()
    rtol: float = 1e-12
    widens: bool = False


def case(function, *args, refused=(), rtol=1e-12, widens=False):
    return Case(function, args, refused, rtol, widens)


def data(*shape, seed=0):
    return (
        np.random.default_rng(seed)
        .permutation(np.linspace(0.3, 1.9, int(np.prod(shape))))
        .reshape(shape)
    )


V = data(4, seed=1)
W = data(4, seed=2) - 1.0
M = data(3, 4, seed=3)
S = data(3, 3, seed=4) + 2 * np.eye(3)
H = S + S.T + 3 * np.eye(3)
T = data(2, 3, 4, seed=5)
Q = data(4, 3, seed=6)
X = 0.7
Z = M + 1j * data(3, 4, seed=7)
C = V + 1j * W
J = np.array([2, 0, 1])
N = np.array([[2, 0, 1, 2], [0, 1, 1, 2]])
B = np.array([True, False, True, True])
G = np.where(np.arange(12).reshape(3, 4) % 5 == 1, np.nan, M)


def traced(x, others):
    """`x` as an array that mapped values can be stored in and can index."""
    mapped = [other for other in others if isinstance(other, Tracer)]
    return np.asarray(x, like=mapped[0]) if mapped and not isinstance(x, Tracer) else x


def read(function):
    """A function that indexes, which a plain array does not let mapped integers do."""
    return lambda x, *args: function(traced(x, args), *args)


def written(write):
    """A function that writes, as one that returns what it has written to."""

    def function(x, *args):
        y = traced(x * 1.0, args)
        write(y, *args)
        return y

    return function


def same(name, *args, **keywords):
    """The case of a function of one name in NumPy."""
    function = getattr(np, name)
    return case(lambda *a: function(*a, **keywords), *args)
