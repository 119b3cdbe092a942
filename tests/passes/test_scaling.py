"""The work of simplifying grows linearly with the program. It is counted, not timed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pullback as pb
from pullback.passes.rewriting import Rewriting
from pullback.passes.simplification import simplify

SIZES = (50, 100, 150, 200)


def chain(n):
    def f(x):
        for _ in range(n):
            x = np.sin(x) * 1.0 + 0.0
        return np.sum(x)

    return f


def filled(n):
    def f(x):
        y = np.zeros(n, like=x)
        y[0] = x[0]
        for i in range(1, n):
            y[i] = np.sin(y[i - 1]) * x[0] + y[i // 2]
        return np.sum(y)

    return f


def sums(n):
    def f(x):
        return sum(np.sum(x * np.ones(3)) * k for k in range(n))

    return f


def transposes(n):
    def f(x):
        for _ in range(n):
            x = np.transpose(x)[None][0]
        return np.sum(x)

    return f


def negations(n):
    def f(x):
        for _ in range(n):
            x = -(-x - 1)
        return np.sum(x)

    return f


def writes(n):
    """Every write is behind all reads of what was there before."""

    def f(x):
        y = np.zeros(n + 1, like=x)
        for i in range(n):
            y[i] = x[1]
        return sum(y[i] for i in range(n))

    return f


def unpacked(n):
    """Every element is read by itself, and the gradient is written by itself."""

    def f(x):
        parts = np.tile(x, n // 3 + 1)[:n]
        elements = [parts[k] for k in range(n)]
        return sum(a * b for a, b in itertools.pairwise(elements))

    return f


def _visits(monkeypatch, graph):
    visits = [0]
    result = Rewriting._result

    def counted(self, equation):
        visits[0] += 1
        return result(self, equation)

    with monkeypatch.context() as patch:
        patch.setattr(Rewriting, "_result", counted)
        simplify(graph)
    return visits[0]


@pytest.mark.filterwarnings("ignore:.*unroll.*", "ignore:.*iterations.*")
@pytest.mark.parametrize("transform", [lambda f: f, pb.grad], ids=["value", "gradient"])
@pytest.mark.parametrize("program", [chain, filled, sums, transposes, negations, writes, unpacked])
def test_visits_of_equations(monkeypatch, program, transform):
    x = np.array([0.5, 1.5, -1.0])
    counts = []
    for n in SIZES:
        graph = pb.trace(transform(program(n)), x)
        visits = _visits(monkeypatch, graph)
        assert visits <= 6 * len(graph.equations) + 100
        counts.append(visits)
    growth = np.diff(counts) / np.diff(SIZES)
    assert growth.max() <= 1.05 * growth.min() + 1
