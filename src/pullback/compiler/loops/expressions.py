"""Expressions of the language of loops: scalars, and the elements of buffers."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Const", "Expr", "Load", "Name", "Op", "Place", "Scalar"]


class Place(NamedTuple):
    """The element ``buffer[offset + Σ step · name]``.

    Attributes
    ----------
    buffer : str
    offset : int
    terms : tuple of (str, int)
        Each name is that of an axis of the kernel, the index of a loop around, or a scalar of dtype
        int64; a name stands in at most one of them.
    """

    buffer: str
    offset: int = 0
    terms: tuple[tuple[str, int], ...] = ()


class Const(NamedTuple):
    """A number. The value is a Python one: float, int or bool."""

    value: Any
    dtype: str


class Name(NamedTuple):
    """A scalar that was given this name, an axis or the index of a loop."""

    name: str
    dtype: str


class Load(NamedTuple):
    """An element; zero, and nothing read, where the condition `where` is false."""

    place: Place
    dtype: str
    where: Expr | None = None


class Op(NamedTuple):
    """An operation of `OPERATIONS` on scalars; `dtype` is that of its value."""

    name: str
    args: tuple[Expr, ...]
    dtype: str


Expr = Const | Name | Load | Op


class Scalar(NamedTuple):
    """The declaration of a scalar: the name that a statement gives, and its dtype."""

    name: str
    dtype: str
