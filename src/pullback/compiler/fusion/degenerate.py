"""Axes with one index, kernels with one point, joins of one term.

* ``for all i < 1, j < n: f(i, j)``  is  ``for all j < n: f(0, j)``.
* ``for all: y[p] = v; r add= w from s``  is  ``y[p] = v; r = s + w``, all values computed before.
* ``y[p(i)] add= v from s`` is ``y[p(i)] = s + v``, if p has another value at each point; and
  ``y[p(i)] = v`` if s changes nothing: a sum of one term is the term, up to the sign of a zero.
  Without ``from``, s is ``y[p(i)]`` itself, if nothing else in the kernel writes to y.

Kernels without any point stay as they are.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.regions import apart
from pullback.compiler.fusion.substitution import Substitution
from pullback.compiler.fusion.traversal import rebuilt, with_bodies
from pullback.compiler.loops import (
    Check,
    Const,
    Expr,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Scalar,
    Statement,
    Store,
    Write,
)
from pullback.compiler.loops.operations import COMBINING

__all__ = ["changes_nothing", "simple_kernels"]


def simple_kernels(body: tuple[Statement, ...], names: Names) -> tuple[Statement, ...]:
    """The statements with kernels that have no such axes, points or joins."""
    found: list[Statement] = []
    for statement in body:
        if isinstance(statement, Kernel) and all(axis.extent for axis in statement.axes):
            kernel = _without_units(statement)
            if kernel.axes:
                found.append(_single_terms(kernel, names))
            else:
                found += _straight(kernel, names)
        else:
            found.append(with_bodies(statement, lambda inner: simple_kernels(inner, names)))
    return tuple(found)


def _without_units(kernel: Kernel) -> Kernel:
    units = [axis.name for axis in kernel.axes if axis.extent == 1]
    if not units:
        return kernel
    zero = Substitution(dict.fromkeys(units, Const(0, "int64")))
    kept = tuple(axis for axis in kernel.axes if axis.extent != 1)
    found = rebuilt(kernel, zero.value, zero.place)
    assert isinstance(found, Kernel)
    return replace(found, axes=kept)


def _straight(kernel: Kernel, names: Names) -> list[Statement]:
    """The statements of a kernel with one point."""
    found: list[Statement] = list(kernel.body)
    values = []
    for write in kernel.writes:
        value = write.value
        if not isinstance(value, Name | Const):
            scalar = Scalar(names.fresh(), value.dtype)
            found.append(Let(scalar, value))
            value = Name(*scalar)
        values.append(value)
    for write, value in zip(kernel.writes, values, strict=True):
        if isinstance(write.target, Scalar):
            found.append(Let(write.target, _joined(write, value, write.start)))
            continue
        start = write.start
        if write.combine and start is None:
            scalar = Scalar(names.fresh(), value.dtype)
            found.append(Let(scalar, Load(write.target, value.dtype)))
            start = Name(*scalar)
        found.append(Store(write.target, _joined(write, value, start)))
    return found


def _single_terms(kernel: Kernel, names: Names) -> Kernel:
    """The kernel without joins of one term each."""
    extents = dict(kernel.axes)
    own = {each.scalar.name for each in kernel.body if isinstance(each, Let)}
    written = [write.target.buffer for write in kernel.writes if isinstance(write.target, Place)]
    body: list[Let | Check] = list(kernel.body)
    writes = []
    for write in kernel.writes:
        target = write.target
        if not write.combine or isinstance(target, Scalar) or not apart(target, extents):
            writes.append(write)
            continue
        start = write.start
        if start is None:
            if written.count(target.buffer) > 1 or own.intersection(n for n, _ in target.terms):
                writes.append(write)
                continue
            scalar = Scalar(names.fresh(), write.value.dtype)
            body.append(Let(scalar, Load(target, scalar.dtype)))
            start = Name(*scalar)
        writes.append(Write(target, _joined(write, write.value, start)))
    return Kernel(kernel.axes, tuple(body), tuple(writes), kernel.place)


def _joined(write: Write, value: Expr, start: Expr | None) -> Expr:
    """One value joined with what it starts from."""
    if not write.combine or start is None or changes_nothing(write.combine, start):
        return value
    return Op(write.combine, (start, value), value.dtype)


def changes_nothing(combine: str, start: Expr) -> bool:
    """Whether a value joined with this is the value, up to the sign of a zero."""
    if not isinstance(start, Const):
        return False
    neutral: Any = COMBINING[combine][1]
    if combine in ("maximum", "minimum"):
        low = combine == "maximum"
        if start.dtype.startswith("float"):
            neutral = -math.inf if low else math.inf
        else:
            limits = np.iinfo(start.dtype)
            neutral = limits.min if low else limits.max
    return bool(start.value == neutral)
