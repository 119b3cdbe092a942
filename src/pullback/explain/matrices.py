"""Expressions in matrix notation: of scalars, vectors and matrices, without indices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.explain.derivatives import DERIVATIVES
from pullback.explain.evaluation import FUNCTIONS, number
from pullback.explain.expression import Expr, Fn, Num, Plus, Power, Sym, Times
from pullback.explain.names import Name

__all__ = [
    "Added",
    "Applied",
    "Diag",
    "Dot",
    "Eye",
    "Hadamard",
    "Letter",
    "Matrix",
    "Norm",
    "Ones",
    "Outer",
    "Product",
    "Raised",
    "Scaled",
    "Transposed",
    "evaluate",
    "names_in",
    "operations",
]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Base class: `shape` is that of the value."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Letter(Matrix):
    """A named value, or a part of one: a number where an axis is read at one place."""

    name: Name
    at: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Number(Matrix):
    """A number."""

    value: Any


@dataclass(frozen=True, slots=True)
class Added(Matrix):
    """A sum of values of one shape; a scalar in it is added to each element."""

    terms: tuple[Matrix, ...]


@dataclass(frozen=True, slots=True)
class Hadamard(Matrix):
    """The product element by element, ⊙."""

    factors: tuple[Matrix, ...]


@dataclass(frozen=True, slots=True)
class Scaled(Matrix):
    """Scalars times a value."""

    scalars: tuple[Matrix, ...]
    value: Matrix


@dataclass(frozen=True, slots=True)
class Product(Matrix):
    """The product of two matrices, or of a matrix and a vector."""

    left: Matrix
    right: Matrix


@dataclass(frozen=True, slots=True)
class Dot(Matrix):
    """aᵀb, for matrices the sum of the products of their entries ⟨A, B⟩."""

    left: Matrix
    right: Matrix


@dataclass(frozen=True, slots=True)
class Norm(Matrix):
    """‖a‖², for matrices in Frobenius' norm."""

    value: Matrix


@dataclass(frozen=True, slots=True)
class Outer(Matrix):
    """abᵀ."""

    left: Matrix
    right: Matrix


@dataclass(frozen=True, slots=True)
class Transposed(Matrix):
    """Mᵀ."""

    value: Matrix


@dataclass(frozen=True, slots=True)
class Ones(Matrix):
    """𝟏, or a matrix of ones."""


@dataclass(frozen=True, slots=True)
class Eye(Matrix):
    """I, or with `row` its column e_row."""

    row: int | None = None


@dataclass(frozen=True, slots=True)
class Diag(Matrix):
    """The diagonal matrix of a vector."""

    value: Matrix


@dataclass(frozen=True, slots=True)
class Applied(Matrix):
    """A function applied to each element."""

    function: str
    args: tuple[Matrix, ...]
    primes: int = 0


@dataclass(frozen=True, slots=True)
class Raised(Matrix):
    """A power of each element."""

    base: Matrix
    exponent: Matrix


def parts(m: Matrix) -> tuple[Matrix, ...]:
    """What a node is made of."""
    if isinstance(m, Added):
        return m.terms
    if isinstance(m, Hadamard):
        return m.factors
    if isinstance(m, Scaled):
        return (*m.scalars, m.value)
    if isinstance(m, Product | Dot | Outer):
        return m.left, m.right
    if isinstance(m, Norm | Transposed | Diag):
        return (m.value,)
    if isinstance(m, Applied):
        return m.args
    return (m.base, m.exponent) if isinstance(m, Raised) else ()


def names_in(m: Matrix) -> dict[Name, None]:
    """The named values that are read, in order."""
    found: dict[Name, None] = {}
    if isinstance(m, Letter):
        found[m.name] = None
    for part in parts(m):
        found.update(names_in(part))
    return found


def operations(m: Matrix) -> int:
    """Floating-point operations of evaluating it as it is written."""
    n: int = math.prod(m.shape)
    below: int = sum(map(operations, parts(m)))
    if isinstance(m, Added):
        return below + n * (len(m.terms) - 1)
    if isinstance(m, Hadamard):
        return below + n * (len(m.factors) - 1)
    if isinstance(m, Scaled):
        minus = sum(isinstance(x, Number) and x.value == -1 for x in m.scalars)
        return below + n + len(m.scalars) - 1 - int(minus > 0 and len(m.scalars) > 1)
    if isinstance(m, Product):
        inner: int = m.left.shape[-1]
        return below + 2 * n * inner
    if isinstance(m, Dot | Norm):
        return below + 2 * int(math.prod(parts(m)[0].shape))
    if isinstance(m, Outer | Applied | Raised):
        return below + n
    return below


def evaluate(m: Matrix, values: Mapping[Name, Any]) -> Any:
    """The value.

    Parameters
    ----------
    m : Matrix
    values : mapping of Name to array
    """
    below = [evaluate(x, values) for x in parts(m)]
    if isinstance(m, Letter):
        places = tuple(slice(None) if i is None else i for i in m.at)
        return np.asarray(values[m.name])[places]
    if isinstance(m, Number):
        return number(m.value)
    if isinstance(m, Added):
        return sum(below[1:], below[0])
    if isinstance(m, Hadamard | Scaled):
        product = below[0]
        for x in below[1:]:
            product = product * x
        return product
    if isinstance(m, Product):
        return below[0] @ below[1]
    if isinstance(m, Dot):
        return np.sum(below[0] * below[1])
    if isinstance(m, Norm):
        return np.sum(below[0] ** 2)
    if isinstance(m, Outer):
        return np.outer(*below)
    if isinstance(m, Transposed):
        return np.transpose(below[0])
    if isinstance(m, Ones):
        return np.ones(m.shape)
    if isinstance(m, Eye):
        eye = np.eye(m.shape[0])
        return eye if m.row is None else eye[m.row]
    if isinstance(m, Diag):
        return np.diag(below[0])
    if isinstance(m, Raised):
        return np.power(np.asarray(below[0], float), below[1])
    assert isinstance(m, Applied)
    if not m.primes:
        return FUNCTIONS[m.function](*below)
    slope: Expr = DERIVATIVES[m.function](Sym(Name("·")))
    return _elementwise(slope, below[0])


def _elementwise(e: Expr, x: Any) -> Any:
    """A formula of one entry, applied to each."""
    if isinstance(e, Num):
        return number(e.value)
    if isinstance(e, Sym):
        return x
    if isinstance(e, Fn):
        return FUNCTIONS[e.name](*(_elementwise(a, x) for a in e.args))
    if isinstance(e, Plus):
        return sum(_elementwise(t, x) for t in e.terms)
    if isinstance(e, Times):
        product = 1.0
        for t in e.factors:
            product = product * _elementwise(t, x)
        return product
    assert isinstance(e, Power)
    return np.power(np.asarray(_elementwise(e.base, x), float), _elementwise(e.exponent, x))
