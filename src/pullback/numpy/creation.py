"""Making arrays that can hold traced values.

``np.zeros(n, like=x)`` and ``np.zeros_like(x)`` make a constant, until something that varies is
assigned to it. So does ``np.zeros(n)`` in a function that is being transformed: see
:mod:`pullback.numpy.namespace`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.memory import in_memory, rely
from pullback.core.running import GROUND, innermost
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.strides import Lying
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError
from pullback.numpy.assignment import setitem
from pullback.numpy.conversion import convert
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand, plain_values
from pullback.numpy.protocol import creation_functions
from pullback.numpy.registration import implements
from pullback.numpy.views import copy_of

__all__ = ["creates", "filled", "lift"]

F = Callable[..., Any]


def lift(reference: Tracer, array: Any, where: str) -> Any:
    """A new array, made for `reference`, as one to which traced values can be written."""
    reference._interpreter.require_open(where)
    if innermost() is not None:
        return GROUND.constant(array)
    return reference._interpreter.constant(array)  # in a thread that the user's function started


# -- like another array: np.zeros_like(x) --------------------------------------------------------


def _prototype(a: Any, order: Any, shape: Any) -> Any:
    """A plain array of the shape and dtype of `a`, and of its layout in memory if that matters.

    `None` if it does, and is not known.
    """
    if order in ("C", "F") or shape is not None or len(shape_of(a)) < 2:
        return np.empty(shape_of(a), dtype_of(a))
    memory = in_memory(a)
    if memory is not None:
        rely(a)
    return memory.empty() if type(memory) is Lying else memory


def _copied(a: Any, dtype: Any, order: Any, value: Any, name: str) -> Any:
    """A copy of `a`, of unknown layout in memory as `a` is, with `value` everywhere."""
    dtype = dtype_of(a) if dtype is None else np.dtype(dtype)
    real = np.real(a) if dtype.kind != "c" else a
    out = copy_of(real, order) if dtype == dtype_of(a) else convert(real, dtype)
    return filled(out, value, name)


def _like(function: F) -> None:
    """Serve ``zeros_like`` and its kin."""
    name = f"numpy.{function.__name__}"

    def make(
        a: Any,
        dtype: Any = None,
        order: Any = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Any:
        like = _prototype(a, order, shape)
        if like is None:
            return _copied(a, dtype, order, function(np.empty(())).item(), name)
        return lift(a, function(like, dtype, order=order, shape=shape, device=device), name)

    make.__name__ = function.__name__
    implements(function)(make)


_like(np.zeros_like)
_like(np.ones_like)
_like(np.empty_like)


@implements(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    a, fill_value = operand(a), operand(fill_value)
    reference = a if isinstance(a, Tracer) else fill_value
    like = _prototype(a, order, shape)
    if like is None:
        return _copied(a, dtype, order, fill_value, "numpy.full_like")
    zeros = np.zeros_like(like, dtype, order=order, shape=shape, device=device)
    if not isinstance(fill_value, Tracer):
        zeros[...] = fill_value
        return lift(reference, zeros, "numpy.full_like")
    return filled(lift(reference, zeros, "numpy.full_like"), fill_value, "numpy.full_like")


def filled(target: Any, value: Any, where: str) -> Any:
    """`target`, a fresh array, with `value` everywhere."""
    if not isinstance(target, Tracer):
        raise ArgumentTypeError(
            f"{where}: a traced fill value cannot be stored with dtype={target.dtype}, which "
            "carries no derivative; leave dtype out"
        )
    setitem(target, ..., value)
    return target


# -- with like=: np.zeros(n, like=x) -------------------------------------------------------------


def creates(function: F) -> Callable[[F], F]:
    """Make the decorated function what `function` does with ``like=`` a tracer."""

    def enter(implementation: F) -> F:
        creation_functions[function] = implementation
        return implementation

    return enter


def _constant(function: F) -> None:
    """Serve a function whose result does not depend on traced values."""
    name = f"numpy.{function.__name__}"

    def make(reference: Tracer, *args: Any, **kwargs: Any) -> Any:
        return lift(reference, function(*args, **kwargs), name)

    make.__name__ = function.__name__
    creates(function)(make)


for _function in (
    np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.frombuffer,
    np.fromfile, np.fromstring, np.genfromtxt, np.loadtxt,
):  # fmt: skip
    _constant(_function)


@creates(np.arange)
def arange(
    reference: Tracer, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, **others: Any
) -> Any:
    """Start and step are differentiable; how many elements there are is constant."""
    create: Any = np.arange
    if stop is None:
        start, stop = 0, start
    given = [operand(each) for each in (start, stop, step)]
    if all(type(each) is not Tracer for each in given):
        return lift(reference, create(start, stop, step, dtype, **others), "numpy.arange")
    plain = create(*(_extent(each) for each in given), dtype, **others)
    first, _, step = given
    out = first + np.arange(len(plain)) * ((first + step) - first)
    return convert(out, plain.dtype)


def _extent(x: Any) -> Any:
    return plain_values("numpy.arange", "start, stop or step", x)[()]


@creates(np.full)
def full(
    reference: Tracer,
    shape: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "C",
    *,
    device: Any = None,
) -> Any:
    value = operand(fill_value)
    dtype = dtype_of(value) if dtype is None else np.dtype(dtype)
    if not isinstance(value, Tracer):
        return lift(reference, np.full(shape, value, dtype, order), "numpy.full")
    zeros = lift(reference, np.zeros(shape, dtype, order), "numpy.full")
    return filled(zeros, value, "numpy.full")


@creates(np.fromfunction)
def fromfunction(
    reference: Tracer, function: F, shape: Any, *, dtype: Any = float, **kwargs: Any
) -> Any:
    out = function(*np.indices(shape, dtype=dtype), **kwargs)
    return out if isinstance(out, Tracer) else lift(reference, out, "numpy.fromfunction")


decide(
    np, "zeros ones empty eye identity tri zeros_like ones_like empty_like frombuffer "
    "fromfile fromregex fromstring from_dlpack genfromtxt load loadtxt indices diag_indices "
    "tril_indices triu_indices mask_indices bartlett blackman hamming hanning",
    Kind.CONSTANT, "makes an array of what has no derivative; traced values can be written to it",
)  # fmt: skip
decide(
    np, "arange array asarray asanyarray asarray_chkfinite ascontiguousarray asfortranarray "
    "fromfunction fromiter full require",
    Kind.DIFFERENTIABLE,
)  # fmt: skip
