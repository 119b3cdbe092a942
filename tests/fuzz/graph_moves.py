"""Steps of random programs that move elements, repeat steps, or choose between them."""

from __future__ import annotations

import numpy as np

import pullback as pb
from tests.fuzz.graph_steps import STEPS, Draw, Drawn, UnfitError

__all__ = ["ALL"]

ALL = dict(STEPS)
"""All steps by name, those of `tests.fuzz.graph_steps` and those of this module."""


def _step(draw):
    ALL[draw.__name__] = draw
    return draw


ANY = "fib"

# -- shapes ---------------------------------------------------------------------------------------


@_step
def turned(d: Draw) -> Drawn:
    k = d.of(ANY)
    order = tuple(map(int, d.rng.permutation(d.values[k].ndim)))
    return np.transpose, (k,), (order,)


@_step
def reshaped(d: Draw) -> Drawn:
    k = d.of(ANY)
    size = d.values[k].size
    shape: list[int] = []
    rest = size
    for _ in range(d.integer(0, 2)):
        divisors = [n for n in range(1, max(rest, 1) + 1) if rest % n == 0] if rest else [0, 1, 3]
        shape.append(d.one_of(divisors))
        rest = rest // shape[-1] if shape[-1] else 0
    if rest != 1 or size == 0 or d.chance(0.3):
        shape.insert(d.integer(0, len(shape)), rest)
    if np.prod(shape, dtype=int) != size:
        raise UnfitError
    order = d.one_of("CCCF")
    return (lambda x, shape, order: np.reshape(x, shape, order=order)), (k,), (tuple(shape), order)


@_step
def sliced(d: Draw) -> Drawn:
    k = d.of(ANY, 1)
    key: list = []
    for extent in d.values[k].shape:
        if d.chance(0.3) and extent:
            key.append(d.integer(-extent, extent - 1))
        elif d.chance(0.2):
            key.append(None)
            key.append(slice(None))
        else:
            ends = [None, *range(-extent - 1, extent + 2)]
            key.append(slice(d.one_of(ends), d.one_of(ends), d.one_of([None, 1, -1, 2, -2])))
    if d.chance(0.2):
        key[d.integer(0, len(key) - 1) :] = [Ellipsis]
    return (lambda x, key: x[key]), (k,), (tuple(key),)


@_step
def flipped(d: Draw) -> Drawn:
    k = d.of(ANY, 1)
    if d.chance():
        return np.flip, (k,), (d.axes(k),)
    shift = d.integer(-4, 4)
    return (lambda x, shift, axis: np.roll(x, shift, axis)), (k,), (shift, d.axis(k))


@_step
def spread(d: Draw) -> Drawn:
    k = d.of(ANY)
    if d.chance(0.3):
        return (lambda x, n: np.broadcast_to(x, (n, *x.shape))), (k,), (d.integer(0, 3),)
    if d.chance(0.3) and d.values[k].ndim:
        return (lambda x, n, axis: np.repeat(x, n, axis)), (k,), (d.integer(1, 3), d.axis(k))
    if d.chance(0.3):
        return np.tile, (k,), (d.integer(1, 3),)
    return np.expand_dims, (k,), (d.integer(0, d.values[k].ndim),)


@_step
def squeezed(d: Draw) -> Drawn:
    return np.squeeze, (d.operand(lambda v: 1 in v.shape),), ()


@_step
def padded(d: Draw) -> Drawn:
    k = d.operand(lambda v: v.ndim in (1, 2) and v.size > 0)
    mode = d.one_of(["constant", "edge", "wrap", "reflect"])
    if mode in ("reflect", "wrap") and min(d.values[k].shape) < 3:
        mode = "constant"
    widths = tuple((d.integer(0, 2), d.integer(0, 2)) for _ in d.values[k].shape)
    return (lambda x, widths, mode: np.pad(x, widths, mode)), (k,), (widths, mode)


@_step
def joined(d: Draw) -> Drawn:
    k = d.of(ANY, 1)
    x = d.values[k]
    axis = d.integer(0, x.ndim - 1)
    rest = x.shape[:axis] + x.shape[axis + 1 :]

    def fits(v):
        return v.ndim == x.ndim and v.shape[:axis] + v.shape[axis + 1 :] == rest

    others = tuple(d.operand(fits) for _ in range(d.integer(1, 2)))
    return (
        (lambda *given: np.concatenate(given[:-1], axis=given[-1])),
        (k, *others),
        (axis,),
    )


@_step
def stacked(d: Draw) -> Drawn:
    k = d.operand(lambda v: v.ndim < 3)
    shape = d.values[k].shape
    j = d.operand(lambda v: v.shape == shape)
    axis = d.integer(0, len(shape))
    return (lambda x, y, axis: np.stack([x, y, x], axis)), (k, j), (axis,)


@_step
def diagonal(d: Draw) -> Drawn:
    k = d.operand(lambda v: v.ndim == 2 and v.dtype.kind == "f")
    name = d.one_of(["diagonal", "tril", "triu", "trace"])
    return (lambda x, name, offset: getattr(np, name)(x, offset)), (k,), (name, d.integer(-1, 1))


@_step
def windows(d: Draw) -> Drawn:
    k = d.operand(lambda v: v.ndim in (1, 2) and v.shape[-1] >= 2)
    width = d.integer(1, min(3, d.values[k].shape[-1]))
    view = np.lib.stride_tricks.sliding_window_view
    return (lambda x, width: view(x, width, axis=-1)), (k,), (width,)


# -- places that are listed or computed -----------------------------------------------------------


@_step
def gathered(d: Draw) -> Drawn:
    k = d.operand(lambda v: v.ndim and v.size > 0)
    extent = d.values[k].shape[0]
    shape = d.one_of([(), (2,), (5,), (0,), (2, 3)])
    at = d.rng.integers(-extent, extent, shape)
    return (lambda x, at: x[at]), (k,), (at,)


@_step
def looked_up(d: Draw) -> Drawn:
    """At places that are computed."""
    k = d.operand(lambda v: v.ndim and v.size > 0)
    axis = d.integer(0, d.values[k].ndim - 1)
    return (
        (lambda x, at, axis: np.take(x, at % x.shape[axis], axis)),
        (k, d.operand(lambda v: v.dtype.kind == "i" and v.ndim < 3)),
        (axis,),
    )


@_step
def masked(d: Draw) -> Drawn:
    k = d.of(ANY, 1)
    mask = d.rng.random(d.values[k].shape[0]) < 0.6
    return (lambda x, mask: x[mask]), (k,), (mask,)


@_step
def written(d: Draw) -> Drawn:
    """Over a slice of another array, or onto it."""
    k = d.of("f", 1)
    extent = d.values[k].shape[0]
    part = slice(
        d.integer(0, extent), d.one_of([None, extent, max(extent - 1, 0)]), d.one_of([1, 2])
    )
    shape = d.values[k][part].shape
    j = d.operand(
        lambda v: (
            v.dtype.kind in "fi"
            and v.ndim <= len(shape)
            and all(a in (1, b) for a, b in zip(v.shape[::-1], shape[::-1], strict=False))
        )
    )

    def function(x, y, part, how):
        out = np.array(x)
        if how == "add":
            out[part] += y
        elif how == "scale":
            out[part] *= 0.5
            out[part] -= y
        else:
            out[part] = y
        return out

    return function, (k, j), (part, d.one_of(["add", "set", "scale"]))


@_step
def scattered(d: Draw) -> Drawn:
    """To places some of which are named twice."""
    k = d.of("f", 1)
    rows = d.values[k].shape[0]
    room = d.integer(1, 6)
    at = d.rng.integers(-room, room, rows)

    def function(x, at, room, how):
        out = np.zeros((room, *x.shape[1:]), x.dtype)
        if how == "add":
            np.add.at(out, at, x)
        else:
            out[at] = x
            out[at[:1]] += x[:1]
        return out

    return function, (k,), (at, room, d.one_of(["add", "set"]))


@_step
def scattered_by_value(d: Draw) -> Drawn:
    """To places that are computed."""
    k = d.of("f", 1)
    extent = d.values[k].shape[0]
    j = d.operand(lambda v: v.dtype.kind == "i" and v.shape == (extent,))

    def function(x, at):
        out = np.ones((4, *x.shape[1:]), x.dtype)
        np.add.at(out, at % 4, x)
        return out

    return function, (k, j), ()


@_step
def along(d: Draw) -> Drawn:
    k = d.operand(lambda v: v.ndim and v.size > 0 and v.dtype.kind == "f")
    shape = d.values[k].shape
    j = d.operand(lambda v: v.dtype.kind == "i" and v.shape == shape)
    return (
        (lambda x, at, axis: np.take_along_axis(x, at % x.shape[axis], axis)),
        (k, j),
        (d.axis(k),),
    )


# -- loops and choices ----------------------------------------------------------------------------


@_step
def scanned(d: Draw) -> Drawn:
    k = d.of("f", 1)
    j = d.operand(lambda v: v.dtype.kind == "f" and v.shape == d.values[k].shape[1:])

    def function(xs, start, how, reverse):
        def body(c, x):
            if how == "filter":
                c = 0.5 * c + np.sin(x)
                return c, c * x
            if how == "sum":
                return c + np.sum(x) * 0.1, np.sum(c) + x
            if how == "counted":
                c, n = c
                return (np.tanh(c + x * n), n + 1), c
            return np.cos(c), (x, np.flip(c, 0) if np.ndim(c) else c)

        first = start.astype(np.float64) + np.zeros(xs.shape[1:])
        first = (first, 0) if how == "counted" else first
        last, ys = pb.scan(body, first, xs.astype(np.float64), reverse=reverse)
        last = last[0] if how == "counted" else last
        return np.sum(ys[0] * ys[1]) + last if how == "turned" else np.sum(ys, 0) + last

    how = d.one_of(["filter", "sum", "counted", "turned"])
    return function, (k, j), (how, d.chance())


@_step
def repeated(d: Draw) -> Drawn:
    k = d.of("f", 1)

    def function(x, n, how):
        x = x.astype(np.float64)

        def relax(i, y):
            y[i % len(y)] = 0.5 * y[i - 1 if n <= len(y) else 0] + np.sin(x[i % len(y)])
            return y

        def power(_, y):
            return np.tanh(y + 0.3 * np.sum(y) * x)

        def halve(state):
            y, i = state
            return y * 0.5 + np.sin(x), i + 1

        if how == "while":
            return pb.while_loop(lambda s: s[1] < n, halve, (x * 1.0, 0))[0]
        return pb.fori_loop(0, n, relax if how == "relax" and len(x) else power, x * 1.0)

    return function, (k,), (d.integer(0, 5), d.one_of(["relax", "power", "while"]))


@_step
def branched(d: Draw) -> Drawn:
    k = d.of("f")
    flag = d.operand(lambda v: v.dtype.kind in "bi" and v.ndim == 0)

    def function(which, x, how):
        branches = (lambda y: np.sin(y) * y, lambda y: y + np.sum(y), lambda y: 0.5 * y)
        if how == "switch":
            return pb.switch(which.astype(np.int64) % 4, branches, x)
        return pb.cond(which.astype(bool), branches[0], branches[1], x)

    return function, (flag, k), (d.one_of(["switch", "cond"]),)


@_step
def derived(d: Draw) -> Drawn:
    k = d.of("f")

    def function(x, how):
        def f(y):
            return np.sum(np.sin(y) * y + y * np.sum(np.cos(y)) / 4)

        if how == "checkpoint":
            return pb.checkpoint(lambda y: np.tanh(y) * np.sin(y))(x)
        if how == "vmap" and np.ndim(x):
            return pb.vmap(lambda y: np.cumsum(np.ravel(np.sin(y))))(x)
        return pb.grad(f)(x) / 4

    return function, (k,), (d.one_of(["grad", "checkpoint", "vmap"]),)
