"""A program, the point it is run at, and what is asserted of its derivatives there."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import optree
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb

__all__ = ["Program", "along", "close", "differences", "directions", "stacked"]

STEPS = [2.0**-k for k in (9, 10, 11)]


@dataclass(frozen=True)
class Program:
    """A real function of trees of floats and arrays.

    Attributes
    ----------
    function : callable
        Returns a real scalar.
    arguments : tuple
        Where it is run. It is differentiated by all of them.
    branches : str or None
        What Python decides in it by looking at values, so that no graph or batch can be made.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    branches: str | None = None

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def gradient(self) -> Callable[..., Any]:
        """The gradient by all arguments, a tuple."""
        return pb.grad(self.function, argnums=tuple(range(len(self.arguments))))

    def assert_value(self) -> None:
        """The value is NumPy's in both modes, and the arguments are not written to."""
        kept = optree.tree_map(np.array, self.arguments)
        expected = self.function(*self.arguments)
        directions_ = directions(self.arguments)
        reverse, _ = pb.pullback(self.function, self.arguments)
        forward, _ = pb.pushforward(self.function, self.arguments, directions_)
        for value in (reverse, forward):
            assert np.shape(value) == ()
            # BLAS adds what lies otherwise in memory in another order.
            np.testing.assert_array_max_ulp(np.asarray(value), np.asarray(expected), 16)
        optree.tree_map(assert_array_equal, self.arguments, kept)

    def assert_reverse(self) -> None:
        """Every component of the gradient is what differences say."""
        expected = differentiated(self.function, self.arguments)
        close(self.gradient(*self.arguments), expected)

    def assert_forward(self) -> None:
        """The derivative along a direction is what differences say."""
        direction = directions(self.arguments)
        _, got = pb.pushforward(self.function, self.arguments, direction)
        close(got, along(self.function, self.arguments, direction))

    def assert_second_order(self) -> None:
        """Forward over reverse is the difference of gradients."""
        direction = directions(self.arguments)
        _, got = pb.pushforward(self.gradient, self.arguments, direction)
        close(got, along(self.gradient, self.arguments, direction), 1e-7)

    def assert_recorded(self) -> None:
        """The graph of the gradient, evaluated, is the gradient; at another point too."""
        graph = pb.trace(self.gradient, *self.arguments)
        for point in (self.arguments, nearby(self.arguments)):
            close(graph(*point), self.gradient(*point), 1e-12)

    def assert_batched(self) -> None:
        """The gradients at two points at once are the two gradients."""
        points = (self.arguments, nearby(self.arguments))
        got = pb.vmap(self.gradient)(*stacked(*points))
        close(got, stacked(*(self.gradient(*point) for point in points)), 1e-12)


def directions(tree: Any, seed: int = 0) -> Any:
    """A random direction in the space of a tree."""
    rng = np.random.default_rng(seed)
    return optree.tree_map(lambda x: np.asarray(rng.uniform(-1.0, 1.0, np.shape(x)))[()], tree)


def moved(tree: Any, direction: Any, h: float) -> Any:
    return optree.tree_map(lambda x, d: x + h * d, tree, direction)


def nearby(tree: Any) -> Any:
    return moved(tree, directions(tree, seed=1), 0.01)


def stacked(*trees: Any) -> Any:
    return optree.tree_map(lambda *leaves: np.stack(leaves), *trees)


def differences(f: Callable[[float], Any]) -> Any:
    """d/dh f(h) at 0, f being a function to arrays: central differences, extrapolated twice.

    The error is of the order of 2¹¹ roundings, or of h⁶ times the seventh derivative. That the
    last two steps agree tells that there is no kink near.
    """
    row = [(np.asarray(f(h)) - np.asarray(f(-h))) / (2 * h) for h in STEPS]
    raw = row[-1]
    for power in (4, 16):
        row = [b + (b - a) / (power - 1) for a, b in itertools.pairwise(row)]
    assert_allclose(raw, row[0], rtol=1e-3, atol=1e-3 * (1 + np.max(np.abs(row[0]), initial=0.0)))
    return row[0]


def along(f: Callable[..., Any], arguments: Any, direction: Any) -> Any:
    """The derivative along a direction of a function to trees, by differences."""
    leaves, spec = optree.tree_flatten(f(*arguments))
    shapes = [np.shape(x) for x in leaves]
    sizes = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])

    def flat(h):
        leaves = optree.tree_leaves(f(*moved(arguments, direction, h)))
        return np.concatenate([np.ravel(x) for x in leaves])

    parts = np.split(differences(flat), sizes[:-1])
    return optree.tree_unflatten(spec, map(np.reshape, parts, shapes))


def differentiated(f: Callable[..., Any], arguments: Any) -> Any:
    """The gradient of a function to a scalar, component by component, by differences."""
    leaves, spec = optree.tree_flatten(arguments)
    out = []
    for k, leaf in enumerate(leaves):
        slope = np.empty(np.shape(leaf))
        for index in np.ndindex(np.shape(leaf)):

            def shifted(h, k=k, index=index):
                each = [np.array(x) if np.ndim(x) else x for x in leaves]
                if index:
                    each[k][index] += h
                else:
                    each[k] = each[k] + h
                return f(*optree.tree_unflatten(spec, each))

            slope[index] = differences(shifted)
        out.append(slope)
    return optree.tree_unflatten(spec, out)


def close(got: Any, expected: Any, tolerance: float = 1e-9) -> None:
    """Leaf by leaf, with the same shapes, to a tolerance in proportion to a leaf's size."""

    def compare(a: Any, b: Any) -> None:
        assert np.shape(a) == np.shape(b)
        scale = 1 + np.max(np.abs(b), initial=0.0)
        assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)

    optree.tree_map(compare, got, expected)
