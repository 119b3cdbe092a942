"""What the native entry reads about a function and its instances: rows of 64-bit numbers.

Their order is that of the types in ``text/types.ll``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.compiler.call.leaves import address
from pullback.compiler.call.spec import NUMBERS, Array, Instance, NativeFunction

__all__ = ["INSTANCES", "MOST_INSTANCES", "instance_record", "record"]

INSTANCES = 7
"""Where a record has the number of instances."""

MOST_INSTANCES = 16
"""How many instances are tried before the slow path; a new one takes the oldest one's place."""

_ON_STACK = 1 << 16
_KEPT = 1 << 26
"""Bytes of working memory that are taken from the stack, and that are kept between calls."""

_ARRAY = 0
_VALUE, _INT, _BOOL = 1, 2, 3
_READ = {np.dtype(np.int64): _INT, np.dtype(np.bool_): _BOOL}
"""How an input that is no array is read: by default, its value lies in the object."""

_SCALAR = 1
_MADE = {float: 2, int: 3, bool: 4, complex: 5}
"""How an output that is no array is made of its value."""


def record(
    function: NativeFunction, instance: Instance, table: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """What calls of a function have in common; no instance is counted yet.

    Dtypes and ranks are those of the first instance. The `table` is of the functions to call.
    """
    inputs, outputs, constants = instance.inputs, instance.outputs, function.constants
    # A function that may be called while it runs, any number of times, would exhaust the stack.
    on_stack = 0 if function.calls_back else _ON_STACK
    context = 0 if function.context is None else address(function.context)
    head = [function.address, context, address(table), 0]
    counts = [len(inputs), len(outputs), len(constants), 0]
    rules = [int(function.single), on_stack, _KEPT]
    donated = {o: i for i, o in function.donated}
    rows = [
        *(number for x in inputs for number in _input(x)),
        *(number for o, x in enumerate(outputs) for number in _output(x, donated.get(o, -1))),
        *(number for x in constants for number in (address(x), x.nbytes)),
    ]
    return np.array([*head, *counts, *rules, *rows], np.int64)


def instance_record(instance: Instance) -> np.ndarray[Any, Any]:
    """The shapes and holes of an instance."""
    shapes = [extent for x in (*instance.inputs, *instance.outputs) for extent in x.shape]
    holes: Sequence[int] = ()
    if instance.holes:
        holes = np.frombuffer(instance.holes, np.int64).tolist()
    head = [instance.scratch, int(instance.long), 3 + len(shapes) if holes else 0]
    return np.array([*head, *shapes, *holes], np.int64)


def _input(x: Array) -> list[int]:
    dtype = x.dtype
    cls: type
    if x.kind == "number":
        how, cls = _READ.get(dtype, _VALUE), NUMBERS[dtype]
    else:
        how, cls = (_ARRAY, np.ndarray) if x.kind == "array" else (_VALUE, dtype.type)
    return [id(cls), id(dtype), dtype.num, len(x.shape), how, dtype.itemsize]


def _output(x: Array, donated: int) -> list[int]:
    if x.kind == "number":
        how = _MADE[NUMBERS[x.dtype]]
    else:
        how = _ARRAY if x.kind == "array" else _SCALAR
    return [id(x.dtype), x.dtype.num, len(x.shape), how, donated]
