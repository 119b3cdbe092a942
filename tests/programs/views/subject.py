"""A program at its point, with what plain NumPy and differences make of it."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pullback as pb
from tests.programs.views.program import Program

__all__ = ["MismatchError", "Subject", "close", "inner"]

STEPS = [2.0**-k for k in (9, 10, 11)]


class MismatchError(AssertionError):
    """Something is not what it is in plain NumPy, or by differences."""


def close(got: Any, expected: Any, tolerance: float, what: str) -> None:
    """Raise `MismatchError` unless `got` is `expected`, relative to the largest of its elements."""
    if np.shape(got) != np.shape(expected):
        raise MismatchError(f"{what}: shape {np.shape(got)}, expected {np.shape(expected)}")
    scale = 1.0 + np.max(np.abs(expected), initial=0.0)
    if not np.all(np.abs(np.subtract(got, expected)) <= tolerance * scale):
        raise MismatchError(f"{what}: {got!r}, expected {expected!r}")


def inner(xs: Any, ys: Any) -> Any:
    """The real inner product, by which a gradient is the direction of steepest ascent."""
    return sum(np.sum((np.conj(x) * y).real) for x, y in zip(xs, ys, strict=True))


@functools.cache
def weights(shape: tuple[int, ...], k: int) -> Any:
    """What the elements of the k-th result are multiplied by."""
    places = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    w = np.asarray(np.cos(1.0 + k + 0.7 * places))
    w.flags.writeable = False
    return w


def _copy(x: Any) -> Any:
    return np.array(x) if isinstance(x, np.ndarray) else x


class Subject:
    """A program at its point.

    Attributes
    ----------
    point : tuple
        The arguments, which no mode may change.
    terms : list of float
        What is measured in plain NumPy.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.point = program.point
        self.seen: dict[int, set[Any]] = {}
        self.plainly = False
        # To functions that make arrays of Python's numbers a traced one is NumPy's.
        numbers = any(type(x) in (float, complex) for x in self.point)
        self.told_apart = not numbers and ".item(" not in program.source
        self.f = program.compiled(self.measure)
        rng = np.random.default_rng(len(program.arguments))
        self.u, self.v = self.direction(rng), self.direction(rng)
        self.terms = self.plain(self.point)
        self.everything = tuple(range(len(self.point)))

    def direction(self, rng: Any) -> tuple[Any, ...]:
        def one(x: Any) -> Any:
            d = rng.uniform(-1.0, 1.0, np.shape(x))
            if np.iscomplexobj(x):
                d = d + 1j * rng.uniform(-1.0, 1.0, np.shape(x))
            return np.asarray(d)[()]

        return tuple(map(one, self.point))

    # -- the function ------------------------------------------------------------------------------

    def measure(self, v: Any, k: int) -> Any:
        """A real number that depends smoothly on all elements of `v`, and on their places."""
        shape = np.shape(v)
        dtype = getattr(v, "dtype", None) or np.dtype(type(v))
        known = self.told_apart or shape
        kind = shape, dtype, "an array" if known and isinstance(v, np.ndarray) else "a scalar"
        if self.plainly:
            self.seen.setdefault(k, set()).add(kind)
        elif kind not in self.seen[k]:
            name = self.program.results[k]
            raise MismatchError(f"{name} is {kind}, expected {self.seen[k]}")
        w = weights(shape, k)
        if dtype.kind == "c":
            return np.sum(w * np.sin(v.real)) + np.sum(w * np.cos(v.imag))
        return np.sum(w * np.sin(v))

    def total(self, *x: Any) -> Any:
        return sum(self.f(*x))

    def vector(self, *x: Any) -> Any:
        return np.stack(self.f(*x))

    def copied(self, *x: Any) -> Any:
        """`total` of copies: what is recorded may not write to its arguments."""
        return self.total(*map(_copy, x))

    def copied_vector(self, *x: Any) -> Any:
        return self.vector(*map(_copy, x))

    def gradient(self, *x: Any) -> Any:
        return pb.grad(self.total, argnums=self.everything)(*x)

    @functools.cached_property
    def reference(self) -> Any:
        """The gradient at the point."""
        return self.gradient(*self.point)

    @functools.cached_property
    def product(self) -> Any:
        """The product of the Hessian with the direction."""
        return pb.hvp(self.total, self.point, self.u)

    # -- plain NumPy -------------------------------------------------------------------------------

    def plain(self, point: tuple[Any, ...], *, as_it_is: bool = False) -> Any:
        """What plain NumPy measures, of arguments that are not changed unless they are wanted."""
        copies = [
            np.array(x, order="K") if isinstance(x, np.ndarray) and not as_it_is else x
            for x in point
        ]
        self.plainly = True
        try:
            with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
                warnings.simplefilter("error")
                return np.array(self.f(*copies), dtype=float)
        finally:
            self.plainly = False

    def moved(self, h: float) -> tuple[Any, ...]:
        """The point moved by `h` along the direction; each argument of its kind and layout."""
        moved = []
        for x, d in zip(self.program.point, self.u, strict=True):
            kind = type(x)
            x += h * d  # in place, so that its layout stays
            moved.append(x if kind is np.ndarray else kind(x))
        return tuple(moved)

    def differences(
        self, f: Callable[[tuple[Any, ...]], list[Any]], steps: Sequence[float], tolerance: float
    ) -> Any:
        """df along the direction by extrapolated differences; `None` where they disagree."""

        def row(h: float) -> list[Any]:
            return [
                (np.asarray(a) - b) / (2 * h)
                for a, b in zip(f(self.moved(h)), f(self.moved(-h)), strict=True)
            ]

        try:
            table = [row(h) for h in steps]
        except (ValueError, IndexError, FloatingPointError, Warning):
            return None  # a mask of values has another length there
        for factor in (4, 16)[: len(steps) - 1]:
            last = table[-1]
            table = [
                [b + (b - a) / (factor - 1) for a, b in zip(*pair, strict=True)]
                for pair in itertools.pairwise(table)
            ]
        for a, b in zip(table[0], last, strict=True):
            if a.shape != b.shape or np.any(np.abs(a - b) > tolerance * (1 + np.abs(a))):
                return None
        return table[0]

    @functools.cached_property
    def slopes(self) -> Any:
        """The derivatives of what is measured along the direction; `None` at a kink."""
        slopes = self.differences(lambda x: list(self.plain(x)), STEPS, 3e-7)
        return None if slopes is None else np.array(slopes)
