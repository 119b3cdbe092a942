"""Indexing: reading elements, scattering them, and writing them.

An index is given as a template, ``key``, and the index arrays, which are arguments; see
`pullback.core.structure.template`. ``x[1:, i]`` has the template ``(slice(1, None), ARRAY)`` and
the array ``i``.
"""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear, Selection
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Gather, Opaque, Scatter
from pullback.core.structure.axes import in_batches
from pullback.core.structure.template import ARRAY, Plan, selection
from pullback.core.tracing import Tracer
from pullback.rules.layouts import indexed
from pullback.rules.registration import constant, rule

__all__ = ["ARRAY", "index", "index_add", "index_update", "join", "last_writes", "scatter",
           "window"]  # fmt: skip


def join(key, indices):
    """The index that a template and its arrays stand for."""
    if not indices:
        return key
    if len(indices) == len(key):
        return indices
    remaining = iter(indices)
    return tuple(next(remaining) if entry == ARRAY else entry for entry in key)


def _index(x, *indices, key):
    return np.asarray(x)[join(key, indices)]


def _scatter(v, *indices, key, shape):
    out = np.zeros(shape, dtype_of(v))
    _add_into(out, v, indices, key)
    return out


def _add_into(out, v, indices, key):
    """out[key] += v, a place that is named twice counting twice."""
    key = join(key, indices)
    if not indices or not _repeats(indices):
        out[key] += v
    else:
        # np.add.at is fast in one dimension, and in every release right without broadcasting.
        line = out.ndim == 1 and len(key) == 1
        positions = key[0] if line else np.arange(out.size).reshape(out.shape)[key]
        flat = out.reshape(-1)
        np.add.at(flat, positions.ravel(), np.broadcast_to(v, positions.shape).ravel())
        if not np.may_share_memory(flat, out):
            out[...] = flat.reshape(out.shape)


def _index_update(x, v, *indices, key):
    return _write_into(np.array(x), v, *indices, key=key)


def _write_into(x, v, *indices, key):
    x[join(key, indices)] = v
    return x


def _repeats(indices):
    """Whether an index may name an element twice: integer arrays may, masks and slices don't."""
    return any(shape_of(index) and dtype_of(index).kind != "b" for index in indices)


def _layouts(args, params):
    return indexed(index, args, params)


@rule(_index, Gather(layouts=_layouts))
def index(_y, _x, *indices, key):
    """y = x[key]: ẏ = ẋ[key], and x̄ has ȳ added up at the places that were read."""
    shape = shape_of(_x)
    traced = indices and Tracer in map(type, indices)
    return (
        Selection(
            lambda x_dot: index(x_dot, *indices, key=key),
            lambda y_bar: scatter(y_bar, *indices, key=key, shape=shape),
            None if traced else lambda x_bar, y_bar: _add_into(x_bar, y_bar, indices, key),
            lambda x_bar, y_bar: index_add(x_bar, y_bar, *indices, key=key),
        ),
        *[None] * len(indices),
    )


@rule(_scatter, Scatter(combine=np.add))
def scatter(_y, _v, *indices, key, shape):
    """y = 0, y[key] += v, a place that is named twice counting twice: v̄ = ȳ[key]."""
    return (
        Linear(
            lambda v_dot: scatter(v_dot, *indices, key=key, shape=shape),
            lambda y_bar: index(y_bar, *indices, key=key),
        ),
        *(None for _ in indices),
    )


def _index_add(x, v, *indices, key):
    return _add_to(np.array(x), v, *indices, key=key)


def _add_to(x, v, *indices, key):
    _add_into(x, v, indices, key)
    return x


@rule(_index_add, Scatter(combine=np.add, in_place=_add_to))
def index_add(_y, _x, _v, *indices, key):
    """y = x, y[key] += v, a place that is named twice counting twice: x̄ = ȳ, v̄ = ȳ[key]."""
    shape = shape_of(_x)
    return (
        1,
        Linear(
            lambda v_dot: scatter(v_dot, *indices, key=key, shape=shape),
            lambda y_bar: index(y_bar, *indices, key=key),
            lambda y_dot, v_dot: index_add(y_dot, v_dot, *indices, key=key),
        ),
        *(None for _ in indices),
    )


@rule(_index_update, Scatter(in_place=_write_into))
def index_update(_y, _x, _v, *indices, key):
    """y = x, y[key] = v: x̄ is ȳ with zeros at the places written; v̄ = ȳ[key].

    Where integer arrays name a place several times the last value is the one that stays, as in
    NumPy, and the others have the derivative zero.
    """
    shape = shape_of(_x)

    def last(value):
        if not _repeats(indices):
            return value
        return np.where(
            last_writes(*indices, key=key, shape=shape), value, np.zeros((), dtype_of(value))
        )

    def overwritten(array):
        return index_update(array, np.zeros((), dtype_of(array)), *indices, key=key)

    def overwrite(y_bar):
        y_bar[join(key, indices)] = 0

    traced = indices and Tracer in map(type, indices)
    return (
        Linear(overwritten, overwritten, pull_over=None if traced else overwrite),
        Linear(
            lambda v_dot: scatter(last(v_dot), *indices, key=key, shape=shape),
            lambda y_bar: last(index(y_bar, *indices, key=key)),
            lambda y_dot, v_dot: index_update(y_dot, v_dot, *indices, key=key),
        ),
        *[None] * len(indices),
    )


def _last_writes(*indices, key, shape):
    key = join(key, indices)
    writer = np.empty(shape, np.intp)
    extent = writer[key].shape
    order = np.arange(np.prod(extent, dtype=np.intp)).reshape(extent)
    writer[key] = order
    return writer[key] == order


def _last_writes_batch(primitive, size, mapped, indices, params):
    shape = params["shape"]
    plan = Plan(primitive, shape, params["key"], indices, mapped, size)
    return plan.ordered(primitive(*plan.arrays, key=plan.key, shape=(size, *shape)))


def _last_writes_shape(primitive, *indices, key, shape):
    return Abstract(selection(primitive, shape, key, indices).shape, np.dtype(np.bool_))


last_writes = constant(_last_writes, Opaque(_last_writes_shape, _last_writes_batch, count=0))
"""For each element that is assigned, whether no later one goes to the same place."""


def _window(start, *, length, step, extent):
    start = np.asarray(start)
    most = extent - 1 - (length - 1) * step
    if length and np.any((start < 0) | (start > most)):
        outside = int(start.min() if np.any(start < 0) else start.max())
        raise IndexError(
            f"a slice of length {length} and step {step} starts at {outside} of an axis of {extent}"
            " elements; between traced bounds it has to lie inside of the array, for it is as long"
            " for all bounds: add the extent to negative bounds, and pad an array that is too short"
        )
    return start[..., None] + step * np.arange(length)


def _window_shape(_primitive, start, *, length, step, extent):
    return Abstract((*shape_of(start), length), np.result_type(dtype_of(start), np.intp))


window = constant(_window, Opaque(_window_shape, in_batches, count=0))
"""The positions start, start + step, …, `length` of them, for each of the starts."""
