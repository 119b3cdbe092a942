"""Primitives of several kinds, as users write them, with arguments to try them on.

The functions take plain arrays, and can be evaluated at all, as the tests do for comparison.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import pullback as pb

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True)
class Kind:
    """A primitive, and what to call it with.

    Attributes
    ----------
    function : CustomPrimitive
    shapes : tuple of tuple of int
        Of the arguments that are differentiated.
    more : tuple
        Positional arguments after these.
    params : dict
        Keywords.
    traced_rule : bool
        Whether the rule is written in NumPy calls, so that there are derivatives of higher order.
    """

    function: Any
    shapes: tuple[tuple[int, ...], ...]
    more: tuple[Any, ...] = ()
    params: dict[str, Any] | None = None
    traced_rule: bool = True

    def arguments(self, rng: np.random.Generator, *batch: int) -> list[Any]:
        """Arrays for the differentiated arguments, with axes in front."""
        return [rng.uniform(0.5, 1.5, (*batch, *shape))[()] for shape in self.shapes]

    def scalar(self, *args: Any) -> Any:
        """A weighted sum of squares of all results."""
        outs = self.function(*args, *self.more, **(self.params or {}))
        total = 0.0
        for k, out in enumerate(outs if isinstance(outs, tuple) else (outs,)):
            weights = np.cos(np.arange(1.0, 1.0 + math.prod(np.shape(out)))).reshape(np.shape(out))
            total = total + np.sum((k + 1) * weights * out * out)
        return total


KINDS: dict[str, Callable[[], Kind]] = {}


def kind(make: Callable[[], Kind]) -> Callable[[], Kind]:
    KINDS[make.__name__] = make
    return make


@kind
def coefficient():
    @pb.primitive
    def softplus(x):
        return np.logaddexp(0, x)

    softplus.rule(lambda _y, x: 1 / (1 + np.exp(-x)))
    return Kind(softplus, ((3,),))


@kind
def of_scalars():
    @pb.primitive
    def power(x, y):
        return x**y

    power.rule(lambda z, x, y: (y * x ** (y - 1), z * np.log(x)))
    return Kind(power, ((), ()))


@kind
def maps_of_examples():
    """Written for one example only: the maps do not broadcast."""

    @pb.primitive
    def transform(matrix, x):
        return matrix @ x

    @transform.rule
    def transform_rule(_y, matrix, x):
        return (
            pb.Linear(lambda dot: dot @ x, lambda bar: np.outer(bar, x)),
            pb.Linear(lambda dot: matrix @ dot, lambda bar: matrix.T @ bar),
        )

    return Kind(transform, ((2, 3), (3,)))


@kind
def pullbacks_alone():
    @pb.primitive
    def bilinear(x, matrix, y):
        return x @ np.exp(matrix) @ y

    @bilinear.rule
    def bilinear_rule(_z, x, matrix, y):
        e = np.exp(matrix)
        return (
            pb.Linear(pullback=lambda bar: bar * (e @ y)),
            lambda: pb.Linear(pullback=lambda bar: bar * e * np.outer(x, y)),
            pb.Linear(pullback=lambda bar: bar * (x @ e)),
        )

    return Kind(bilinear, ((2,), (2, 3), (3,)))


@kind
def pushforwards_alone():
    @pb.primitive
    def solved(matrix, b):
        return np.linalg.solve(matrix + 4 * np.eye(3), b)

    @solved.rule
    def solved_rule(x, matrix, _b):
        full = matrix + 4 * np.eye(3)
        return (
            pb.Linear(lambda dot: -np.linalg.solve(full, dot @ x)),
            pb.Linear(pushforward=lambda dot: np.linalg.solve(full, dot)),
        )

    return Kind(solved, ((3, 3), (3,)))


@kind
def several_results():
    @pb.primitive(multiple=True)
    def polar(r, angle):
        return r * np.cos(angle), r * np.sin(angle)

    @polar.rule
    def polar_rule(out, r, angle):
        x, y = out

        def pullback(bars):
            x_bar, y_bar = (0.0 if bar is None else bar for bar in bars)
            return np.cos(angle) * x_bar + np.sin(angle) * y_bar, x * y_bar - y * x_bar

        def pushforward(r_dot, angle_dot):
            r_dot = 0.0 if r_dot is None else r_dot
            angle_dot = 0.0 if angle_dot is None else angle_dot
            return x / r * r_dot - y * angle_dot, y / r * r_dot + x * angle_dot

        return pb.Joint(pushforward, pullback)

    return Kind(polar, ((2,), (2,)))


@kind
def several_results_pulled_back():
    @pb.primitive(multiple=True)
    def moments(x, y):
        return x @ y, x * y[0], 3

    @moments.rule
    def moments_rule(_out, x, y):
        first = np.array([1.0, 0.0, 0.0])

        def pullback(bars):
            a, b, _ = (0.0 if bar is None else bar for bar in bars)
            return a * y + b * y[0], a * x + first * np.sum(b * x)

        return pb.Joint(pullback=pullback)

    return Kind(moments, ((3,), (3,)))


@kind
def several_results_pushed_forward():
    @pb.primitive(multiple=True)
    def both(x, y):
        return np.sin(x) * y, np.sum(x) * np.ones(2)

    @both.rule
    def both_rule(_out, x, y):
        return (
            pb.Linear(lambda dot: (np.cos(x) * y * dot, np.sum(dot) * np.ones(2))),
            pb.Linear(pushforward=lambda dot: (np.sin(x) * dot, None)),
        )

    return Kind(both, ((3,), (3,)))


@kind
def python_numbers():
    @pb.primitive
    def norm(x):
        return math.hypot(*(float(each) for each in x))

    norm.rule(lambda y, x: pb.Linear(lambda dot: x @ dot / y, lambda bar: bar * x / y))
    return Kind(norm, ((3,),))


@kind
def branches():
    @pb.primitive
    def bend(x):
        return x**2 if np.sum(x) > 2.0 else 2 * x

    @bend.rule
    def bend_rule(_y, x):
        return np.where(np.sum(x) > 2.0, 2 * x, 2.0)

    return Kind(bend, ((2,),))


@kind
def buffers():
    @pb.primitive
    def recurrence(x):
        out = np.zeros(len(x))
        out[0] = x[0]
        for i in range(1, len(x)):
            out[i] = 0.5 * out[i - 1] + x[i]
        return out

    @recurrence.rule
    def recurrence_rule(_y, _x):
        n = _x.shape[0]
        matrix = np.array([[0.5 ** (i - j) if j <= i else 0.0 for j in range(n)] for i in range(n)])
        return pb.Dense(matrix, 1)

    return Kind(recurrence, ((4,),))


@kind
def numbers_in_the_rule():
    @pb.primitive
    def log_gamma(x):
        return math.lgamma(x)

    @log_gamma.rule
    def log_gamma_rule(_y, x):
        h = 1e-5
        return (math.lgamma(x + h) - math.lgamma(x - h)) / (2 * h)

    return Kind(log_gamma, ((),), traced_rule=False)


@kind
def numbers_in_the_maps():
    @pb.primitive
    def weighted(x, y):
        return np.array([float(a) * float(b) ** 2 for a, b in zip(x, y, strict=True)])

    @weighted.rule
    def weighted_rule(_z, x, y):
        def in_x(dot):
            return np.array([float(d) * float(b) ** 2 for d, b in zip(dot, y, strict=True)])

        def in_y(bar):
            return np.array([2 * float(d * a * b) for d, a, b in zip(bar, x, y, strict=True)])

        return pb.Linear(in_x, in_x), lambda: pb.Linear(pullback=in_y)

    return Kind(weighted, ((3,), (3,)), traced_rule=False)


@kind
def keywords_and_integers():
    @pb.primitive
    def picked(x, index, *, power=1, axes=(0,)):
        return np.sum(x**power, axis=axes)[index]

    @picked.rule
    def picked_rule(_y, x, index, *, power=1, axes=(0,)):
        unit = np.zeros(x.shape)
        unit[:, index] = 1.0
        return unit * power * x ** (power - 1), None

    def rule_of_sum(_y, x, index, *, power=1, axes=(0,)):
        slope = power * x ** (power - 1)
        return (
            pb.Linear(
                lambda dot: np.sum(slope * dot, axis=axes)[index],
                lambda bar: slope * (np.arange(x.shape[1]) == index) * bar,
            ),
            None,
        )

    picked.rule(rule_of_sum)
    return Kind(picked, ((2, 3),), (1,), {"power": 3, "axes": (0,)})


@kind
def without_reading_values():
    @pb.primitive
    def fourier(x):
        return np.fft.fft(x).real

    @fourier.rule
    def fourier_rule(_y, _x):
        k = np.arange(_x.shape[0])
        return pb.Dense(np.cos(2 * np.pi * np.outer(k, k) / _x.shape[0]), 1)

    return Kind(fourier, ((4,),))
