"""Functions of samples: how many, where they lie, and what is done with them, in many ways."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

import pullback as pb

__all__ = ["FUNCTIONS", "Function"]


@dataclasses.dataclass(frozen=True)
class Function:
    """A function of samples.

    Attributes
    ----------
    call : callable
    arguments : callable
        Given a generator and the number of samples, arguments.
    axes : tuple of (int or None)
        That of the samples, for each argument.
    phases : int
        How often it goes through the samples, where they are many.
    argnums : tuple of int, optional
        What it is differentiated by, if it is.
    """

    call: Callable[..., Any]
    arguments: Callable[[np.random.Generator, int], tuple[Any, ...]]
    axes: tuple[int | None, ...]
    phases: int = 1
    argnums: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        return self.call.__name__

    @property
    def compiled(self) -> Callable[..., Any]:
        """What is compiled: the function, or its value and gradient."""
        if self.argnums is None:
            return self.call
        return pb.value_and_grad(self.call, argnums=self.argnums)


def net(W, b, w, Y, c):
    """As in a textbook: samples are columns."""
    for _ in range(3):
        Y = Y + 0.3 * np.tanh(W @ Y + b)
    return 0.5 * np.sum((np.tanh(w @ Y) - c) ** 2)


def rows(W, b, X, y):
    """Samples are rows, and their labels numbers."""
    scores = np.tanh(X @ W.T + b) @ W
    scores = scores - scipy.special.logsumexp(scores, axis=1, keepdims=True)
    return -np.mean(scores[np.arange(len(y)), y])


def middle(v, X):
    """Samples are the middle axis."""
    return np.sum(np.sqrt(1 + np.einsum("ijk,k->ij", X, v) ** 2))


def statistics(X):
    """What needs sums of all before it goes on: samples are gone through again."""
    centred = X - np.sum(X, axis=0) / max(len(X), 1)
    return centred / np.sqrt(1 + np.sum(centred**2, axis=0))


def normalised(v, x):
    """Softmax over the samples."""
    weights = scipy.special.softmax(x * v)
    return np.sum(weights * np.sin(x))


def extrema(x, y):
    """Reductions of other kinds, of several dtypes."""
    n = np.floor(4 * x).astype(np.int64)
    return (
        np.max(x), np.min(x * y), np.prod(1 + 1e-3 * y), np.any(x > 2), np.all(x < 9),
        np.max(n), np.sum(n), np.count_nonzero(x > 0), np.max(x.astype(np.float32)),
    )  # fmt: skip


def histogram(w, x, n):
    """Adds where the data say."""
    out = np.zeros(7)
    np.add.at(out, n, x * w[n])
    return np.sum(np.sin(out) * w), out


def time_series(a, x):
    """A recurrence for each sample, step by step."""

    def step(carry, row):
        carry = np.tanh(a * carry + row)
        return carry, carry**2

    last, seen = pb.scan(step, np.zeros_like(x[0]), x)
    return np.sum(last) + np.sum(seen)


def kernel(lengths, x, y):
    """Each sample with each other one."""
    distances = ((x[:, None] - x) / lengths) ** 2
    return np.sum(np.exp(-np.sum(distances, axis=2)) @ y)


def branches(p, x):
    """Choices, of all samples at once and for each."""
    y = pb.cond(p > 0, lambda x: np.sin(x) * p, lambda x: np.cos(x), x)
    return np.sum(np.where(y > 0.5, y**2, -y), axis=0), np.clip(y, -0.2, 0.7)


def shifted(x):
    """Neighbours: no sample is alone here, but the rows are."""
    return np.sum(np.diff(x, axis=1) ** 2, axis=1), np.cumsum(np.exp(x), axis=1)


def outer(x, y):
    """Results for each sample, of other shapes."""
    return x[:, :, None] * y[:, None, :], np.sum(x * y[:, :1], axis=1), x.T @ y


def _normal(*shapes):
    """Arguments of these shapes, in which -1 stands for the number of samples."""

    def arguments(rng, m):
        return tuple(rng.normal(size=[m if n == -1 else n for n in shape]) for shape in shapes)

    return arguments


def _singles(*shapes):
    draw = _normal(*shapes)
    return lambda rng, m: tuple(x.astype(np.float32) for x in draw(rng, m))


def _labelled(rng, m):
    return *_normal((5, 3), (5,), (-1, 3))(rng, m), rng.integers(0, 3, size=m)


def _numbered(rng, m):
    return *_normal((7,), (-1,))(rng, m), rng.integers(0, 7, size=m)


_N = None
FUNCTIONS = [
    Function(
        net, _normal((4, 4), (4, 1), (4,), (4, -1), (-1,)), (_N, _N, _N, 1, 0), argnums=(0, 1, 2, 3)
    ),
    Function(
        net, _singles((3, 3), (3, 1), (3,), (3, -1), (-1,)), (_N, _N, _N, 1, 0), argnums=(0, 1, 2)
    ),
    Function(rows, _labelled, (_N, _N, 0, 0), argnums=(0, 1)),
    Function(middle, _normal((3,), (2, -1, 3)), (_N, 1), argnums=(0, 1)),
    Function(statistics, _normal((-1, 3)), (0,), phases=3),
    Function(normalised, _normal((), (-1,)), (_N, 0), phases=4, argnums=(0, 1)),
    Function(extrema, _normal((-1,), (-1,)), (0, 0)),
    Function(histogram, _numbered, (_N, 0, 0), phases=0),
    Function(time_series, _normal((), (6, -1)), (_N, 1), argnums=(0, 1)),
    Function(kernel, _normal((2,), (-1, 2), (-1,)), (_N, 0, 0), phases=2, argnums=(0, 1)),
    Function(branches, _normal((), (-1, 2)), (_N, 0)),
    Function(shifted, _normal((-1, 5)), (0,)),
    Function(outer, _normal((-1, 3), (-1, 4)), (0, 0)),
]
