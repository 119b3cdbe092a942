"""Evaluating expressions in entries, at sampled places, so that every line can be checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pullback.explain.derivatives import DERIVATIVES
from pullback.explain.expression import (
    At,
    Delta,
    Expr,
    Fn,
    Index,
    Num,
    Partial,
    Plus,
    Power,
    Sigma,
    Sym,
    Times,
)
from pullback.explain.laws import Abbreviation
from pullback.explain.names import Name

__all__ = ["FUNCTIONS", "Point", "number"]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tanh": np.tanh, "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "sinh": np.sinh, "cosh": np.cosh, "arctan": np.arctan, "arcsin": np.arcsin,
    "arccos": np.arccos, "arcsinh": np.arcsinh, "arctanh": np.arctanh, "log1p": np.log1p,
    "expm1": np.expm1, "σ": lambda x: np.exp(-np.logaddexp(0, -x)), "abs": np.abs,
    "sign": np.sign, "max": np.maximum, "min": np.minimum, "where": np.where,
    "holds": lambda c: np.where(c, 1.0, 0.0), "step": lambda x: np.heaviside(x, 0.5),
}  # fmt: skip
"""What the functions in expressions compute."""

STEP = 1e-5
"""Of the differences, relative to 1 + |x|."""


def number(value: Any) -> Any:
    """A number of an expression as one that NumPy knows."""
    return value if isinstance(value, complex | int) else float(value)


class Point:
    """Values of names, at which expressions are evaluated.

    Parameters
    ----------
    values : mapping of Name to array
    abbreviations : mapping of Name to Abbreviation
        Names that are evaluated as what they stand for, since they follow what is varied.
    """

    def __init__(
        self,
        values: Mapping[Name, Any],
        abbreviations: Mapping[Name, Abbreviation] | None = None,
    ) -> None:
        self.values = values
        self.abbreviations = abbreviations or {}
        self.side = 0
        """1 or −1 for differences to one side, in place of central ones."""

    def evaluate(self, e: Expr, order: tuple[Index, ...], places: Mapping[Index, Any]) -> Any:
        """The expression for all combinations of `places`, with an axis for each index of `order`.

        Parameters
        ----------
        e : Expr
        order : tuple of Index
        places : mapping of Index to array of int
        """
        axes = {index: k for k, index in enumerate(order)}
        with np.errstate(all="ignore"):
            found = self._at(e, dict(axes), dict(places), len(order))
        return np.broadcast_to(found, tuple(len(places[i]) for i in order))

    def _at(self, e: Expr, axes: dict[Index, int], places: dict[Index, Any], n: int) -> Any:
        if isinstance(e, Num):
            return number(e.value)
        if isinstance(e, Plus):
            total = self._at(e.terms[0], axes, places, n)
            for term in e.terms[1:]:
                total = total + self._at(term, axes, places, n)
            return total
        if isinstance(e, Times):
            product = self._at(e.factors[0], axes, places, n)
            for factor in e.factors[1:]:
                product = product * self._at(factor, axes, places, n)
            return product
        if isinstance(e, Power):
            base = self._at(e.base, axes, places, n)
            return np.power(np.asarray(base, float), self._at(e.exponent, axes, places, n))
        if isinstance(e, Fn):
            return self._function(e, axes, places, n)
        if isinstance(e, Sigma):
            axes = {**{i: k + 1 for i, k in axes.items()}, e.index: 0}
            places = {**places, e.index: np.arange(e.index.extent)}
            body = np.asarray(self._at(e.body, axes, places, n + 1))
            shape = (1,) * (n + 1 - body.ndim) + body.shape
            body = body.reshape(shape)
            return body.sum(axis=0) * (e.index.extent if body.shape[0] == 1 else 1)
        if isinstance(e, Delta):
            left, right = (self._place(x, axes, places, n) for x in (e.left, e.right))
            return np.where(left == right, 1.0, 0.0)
        if isinstance(e, Sym):
            if e.name in self.abbreviations:
                return self._at(self.abbreviations[e.name].entry(e.at), axes, places, n)
            value = np.asarray(self.values[e.name])
            return value[tuple(self._place(x, axes, places, n) for x in e.at)]
        assert isinstance(e, Partial)
        return self._difference(e, axes, places, n)

    def _place(self, x: At, axes: dict[Index, int], places: dict[Index, Any], n: int) -> Any:
        if not isinstance(x, Index):
            return x
        shape = [1] * n
        shape[axes[x]] = -1
        return places[x].reshape(shape)

    def _function(self, e: Fn, axes: dict[Index, int], places: dict[Index, Any], n: int) -> Any:
        args = [self._at(x, axes, places, n) for x in e.args]
        if not e.primes:
            return FUNCTIONS[e.name](*args)
        if e.primes == 1 and e.name in DERIVATIVES:
            return self._at(DERIVATIVES[e.name](e.args[0]), axes, places, n)
        raise NotImplementedError(e.name)

    def _difference(
        self, e: Partial, axes: dict[Index, int], places: dict[Index, Any], n: int
    ) -> Any:
        """∂ by central differences: each entry that is varied by itself."""
        name, base = e.by.name, self.values[e.by.name]
        base = np.asarray(base, float)
        rows = [places[x] if isinstance(x, Index) else np.array([x]) for x in e.by.at]
        shape = tuple(map(len, rows))
        full = [1] * n
        for index, axis in axes.items():
            if index in places:
                full[axis] = len(places[index])
        found = np.zeros(full)
        for position in np.ndindex(*shape):
            at = tuple(row[k] for row, k in zip(rows, position, strict=True))
            step = STEP * (1 + abs(base[at]))
            # Where the body has the same index, the entry that belongs to this place is looked at.
            held = {
                x: row[k : k + 1]
                for x, row, k in zip(e.by.at, rows, position, strict=True)
                if isinstance(x, Index)
            }
            sides = []
            for sign in (1, -1) if not self.side else (self.side, 0):
                moved = base.copy()
                moved[at] += sign * step
                point = Point({**self.values, name: moved}, self.abbreviations)
                sides.append(np.asarray(point._at(e.body, axes, {**places, **held}, n)))
            width = 2 * step if not self.side else self.side * step
            slope = (sides[0] - sides[1]) / width
            slope = np.broadcast_to(
                slope,
                tuple(1 if any(axes.get(i) == k for i in held) else m for k, m in enumerate(full)),
            )
            where: list[Any] = [slice(None)] * n
            for x, k in zip(e.by.at, position, strict=True):
                if isinstance(x, Index):
                    where[axes[x]] = slice(k, k + 1)
            found[tuple(where)] = slope
        return found
