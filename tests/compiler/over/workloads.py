"""Functions of samples, with arguments for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import pullback as pb
from pullback.core import trees

RNG = np.random.default_rng(5)
SAMPLES = 50_021

X = RNG.normal(size=(SAMPLES, 3))
Y = RNG.normal(size=SAMPLES)
LABELS = RNG.integers(0, 4, size=SAMPLES)
TABLE = RNG.normal(size=SAMPLES)
V, SQUARE = RNG.normal(size=3), RNG.normal(size=(3, 3))
NET = {
    "a": RNG.normal(size=(3, 4)),
    "b": RNG.normal(size=4),
    "c": RNG.normal(size=(4, 4)),
    "d": RNG.normal(size=4),
}


class Workload(NamedTuple):
    """A function, its arguments without samples, and those that have them, along these axes.

    Of those that are `split` a call with all samples is computed tile by tile, too.
    """

    f: Callable[..., Any]
    others: tuple[Any, ...]
    data: tuple[Any, ...]
    axes: tuple[int, ...]
    split: bool = True

    def cast(self, dtype: Any) -> Workload:
        """The same in another precision."""

        def to(x: Any) -> Any:
            if x.dtype.kind not in "fc":
                return x
            return x.astype(np.result_type(dtype, np.complex64) if x.dtype.kind == "c" else dtype)

        others, data = (trees.map_tree(to, each) for each in (self.others, self.data))
        return self._replace(others=others, data=data)

    @property
    def all_axes(self) -> tuple[int | None, ...]:
        return (*[None] * len(self.others), *self.axes)

    def chunks(self, size: int, samples: int = SAMPLES) -> list[tuple[Any, ...]]:
        return [self.part(first, min(first + size, samples)) for first in range(0, samples, size)]

    def part(self, first: int, end: int) -> tuple[Any, ...]:
        return tuple(
            x[(slice(None),) * axis + (slice(first, end),)]
            for x, axis in zip(self.data, self.axes, strict=True)
        )


def net(w, x, y):
    h = np.tanh(x @ w["a"] + w["b"])
    h = h + 0.1 * np.tanh(h @ w["c"])
    return np.mean((h @ w["d"] - y) ** 2)


def columns(v, x, y):
    return np.mean((np.tanh(np.tanh(v * 1.5) @ np.tanh(np.tanh(x) + x)) - y) ** 2)


def standardised(v, x, y):
    z = (x - np.mean(x, axis=0)) / np.std(x, axis=0)
    return np.mean((np.tanh(np.tanh(z * v) @ v) - y) ** 2)


def softmax_over_samples(v, x, y):
    s = np.tanh(np.tanh(x * v) @ v)
    p = np.exp(s - np.max(s))
    return np.sum(p / np.sum(p) * y)


def rows(v, x, y):
    h = np.tanh(np.tanh(x * v) @ v)
    return h * y, np.mean(x, axis=0), {"z": np.tanh(x - v)}


def standardised_rows(v, x):
    z = (x - np.mean(x, axis=0)) / np.std(x, axis=0)
    return z, np.tanh(z) @ v, np.sum(z**3, axis=0)


def by_position(v, x):
    return np.sum(np.arange(len(x))[:, None] * np.tanh(x * v)) / len(x)


def with_table(v, x):
    return np.sum(TABLE * np.tanh(np.tanh(x * v) @ v))


def complex_rows(v, z):
    return np.sum(np.abs(z * v) ** 2), np.sum(z * v), np.cumprod(z, axis=1)


def of_integers(labels):
    return (
        np.sum(labels), np.max(labels), np.min(labels * 2), np.any(labels > 2), np.all(labels < 7)
    )  # fmt: skip


def extremes(x):
    return np.max(x, axis=0), np.min(x), np.prod(1 + 1e-5 * x)


def counts(x, labels):
    return np.sum(np.where(labels[:, None] == np.arange(4), x[:, :1], 0.0), axis=0)


def nearest(c, x):
    return np.sum(np.min(np.sum((x[:, None] - c) ** 2, axis=-1), axis=1))


def covariance(x):
    z = x - np.mean(x, axis=0)
    return z.T @ z / len(x)


def sequences(w, x):
    return np.sum(np.sum(np.tanh(np.tanh(x @ w) @ w), axis=1) ** 2)


def slope(w, x, y):
    return np.tanh(x @ w) * y


WORKLOADS = {
    "a net": Workload(pb.value_and_grad(net), (NET,), (X, Y), (0, 0)),
    "columns": Workload(pb.value_and_grad(columns), (V,), (np.ascontiguousarray(X.T), Y), (1, 0)),
    "standardised": Workload(pb.value_and_grad(standardised), (V,), (X, Y), (0, 0)),
    "softmax over samples": Workload(
        pb.value_and_grad(softmax_over_samples), (V,), (X, Y), (0, 0), split=False
    ),
    "rows": Workload(rows, (V,), (X, Y), (0, 0), split=False),
    "standardised rows": Workload(standardised_rows, (V,), (X,), (0,), split=False),
    "by position": Workload(pb.value_and_grad(by_position), (V,), (X,), (0,), split=False),
    "with a table": Workload(pb.value_and_grad(with_table), (V,), (X,), (0,), split=False),
    "complex": Workload(complex_rows, (V,), (X + 1j * X[::-1],), (0,), split=False),
    "integers": Workload(of_integers, (), (LABELS,), (0,), split=False),
    "extremes": Workload(extremes, (), (X,), (0,), split=False),
    "counts": Workload(counts, (), (X, LABELS), (0, 0), split=False),
    "nearest": Workload(pb.value_and_grad(nearest), (RNG.normal(size=(5, 3)),), (X,), (0,)),
    "covariance": Workload(covariance, (), (X,), (0,), split=False),
    "sequences": Workload(
        pb.value_and_grad(sequences), (SQUARE,), (np.stack([X, X[::-1]], axis=1),), (0,)
    ),
    "samples in the middle": Workload(
        pb.value_and_grad(sequences), (SQUARE,), (np.stack([X, X[::-1]]),), (1,)
    ),
    "each gradient": Workload(
        pb.vmap(pb.grad(slope), in_axes=(None, 0, 0)), (V,), (X, Y), (0, 0), split=False
    ),
}
