"""Random programs over samples: elementwise steps, products, and what is made of all samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import pullback as pb

__all__ = ["Case", "random_case"]

Step = tuple[str, int, int]
"""A line of a program, and which of the matrices and vectors so far it takes."""

MATRICES: dict[str, Callable[..., Any]] = {
    "tanh": lambda p, a, v: np.tanh(a),
    "rows": lambda p, a, v: a * v[:, np.newaxis],
    "layer": lambda p, a, v: a @ p["W"] + p["b"] if a.shape[1] == len(p["w"]) else np.exp(-a * a),
    "centred": lambda p, a, v: a - np.mean(a, axis=0),
    "scaled": lambda p, a, v: a / (1 + np.std(a, axis=0)),
}
VECTORS: dict[str, Callable[..., Any]] = {
    "mean": lambda p, a, v: np.sum(a, axis=1) / a.shape[1],
    "column": lambda p, a, v: a[:, 0] * v,
    "product": lambda p, a, v: a @ p["w"] if a.shape[1] == len(p["w"]) else np.sum(a * a, axis=1),
    "where": lambda p, a, v: np.where(v > 0, v, v * v),
    "softplus": lambda p, a, v: np.log(1 + np.exp(v)),
    "shares": lambda p, a, v: v / np.sum(np.exp(-v * v)),
}
SUMS: dict[str, Callable[..., Any]] = {
    "sum": lambda p, a, v: np.sum(a, axis=0),
    "product of sums": lambda p, a, v: a.T @ v,
    "gram": lambda p, a, v: a.T @ np.sin(a),
    "max": lambda p, a, v: np.max(v),
}
KINDS = [*MATRICES, *VECTORS, *SUMS]


@dataclass(frozen=True)
class Case:
    """A program and its arguments.

    Attributes
    ----------
    steps : sequence of Step
    parameters : dict
    x, y : array
        With samples along the first axis.
    derivative : bool
        Whether it is value and gradient of the program.
    """

    steps: Sequence[Step]
    parameters: dict[str, Any]
    x: Any
    y: Any
    derivative: bool

    @classmethod
    def of(
        cls,
        steps: Sequence[Step],
        sizes: Sequence[int],
        dtype: Any,
        derivative: bool,
        seed: int = 0,
    ) -> Case:
        """With random arguments of these sizes: samples, features, and what they become."""
        rng = np.random.default_rng(seed)
        n, d, e = sizes
        parameters = {
            "w": rng.normal(size=d).astype(dtype),
            "W": (rng.normal(size=(d, e)) / d).astype(dtype),
            "b": rng.normal(size=e).astype(dtype),
        }
        x, y = rng.normal(size=(n, d)).astype(dtype), rng.normal(size=n).astype(dtype)
        return cls(steps, parameters, x, y, derivative)

    def function(self) -> Callable[..., Any]:
        """What is computed: of parameters, x and y."""
        if not self.derivative:
            return self._run

        def loss(p: Any, x: Any, y: Any) -> Any:
            value, sums = self._run(p, x, y)
            return value + sum(np.sum(each * 1e-3) for each in sums)

        return pb.value_and_grad(loss)

    def _run(self, p: Any, x: Any, y: Any) -> tuple[Any, list[Any]]:
        matrices, vectors, sums = [x], [y], []
        for kind, i, j in self.steps:
            a, v = matrices[i % len(matrices)], vectors[j % len(vectors)]
            if kind in MATRICES:
                matrices.append(MATRICES[kind](p, a, v))
            elif kind in VECTORS:
                vectors.append(VECTORS[kind](p, a, v))
            else:
                sums.append(SUMS[kind](p, a, v))
        return np.sum(matrices[-1] ** 2) + np.sum(vectors[-1]), sums


def random_case(seed: int) -> Case:
    """A program by its seed."""
    rng = np.random.default_rng(seed)
    sizes = [int(rng.choice(each)) for each in ((5_000, 12_345, 20_000), (2, 3, 5, 16), (2, 4, 7))]
    steps = [
        (KINDS[int(rng.integers(len(KINDS)))], int(rng.integers(99)), int(rng.integers(99)))
        for _ in range(int(rng.integers(4, 10)))
    ]
    dtype = np.float32 if rng.random() < 0.4 else np.float64
    return Case.of(steps, sizes, dtype, bool(rng.random() < 0.6), seed)
