"""Random programs full of what can be simplified, in every dtype."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

__all__ = ["DTYPES", "Sprinkled", "sprinkled"]

DTYPES = (
    "bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64", "complex64",
    "complex128",
)  # fmt: skip

UNARY = {
    "plus zero": lambda x: x + 0,
    "zero plus": lambda x: np.zeros_like(x) + x,
    "minus zeros": lambda x: x - np.zeros(np.shape(x), x.dtype) if x.dtype.kind != "b" else x,
    "from zero": lambda x: 0 - x,
    "times one": lambda x: 1 * x,
    "times ones": lambda x: x * np.ones_like(x),
    "times many ones": lambda x: np.ones((2, *np.shape(x)), x.dtype)[:1] * x,
    "times minus one": lambda x: x * -1 if x.dtype.kind != "u" else x,
    "by one": lambda x: x / 1,
    "by a float": lambda x: x * 1.0,
    "plus a float": lambda x: x + np.float32(0),
    "negated": lambda x: -x if x.dtype.kind != "b" else ~x,
    "squared": lambda x: x * x,
    "second power": lambda x: x**2 if x.dtype.kind != "b" else x,
    "first power": lambda x: x**1 if x.dtype.kind != "b" else x,
    "zeroth power": lambda x: x**0 if x.dtype.kind != "b" else x,
    "modulus": lambda x: abs(x),
    "half": lambda x: 0.5 * (0.5 * x),
    "triple": lambda x: 2 * (3 * x),
    "conjugate": np.conj,
    "real": np.real,
    "not a number": np.isnan,
    "copy": np.copy,
    "same dtype": lambda x: x.astype(x.dtype),
    "wider": lambda x: x.astype(np.complex128) if x.dtype.kind == "c" else x.astype(np.float64),
    "transpose": np.transpose,
    "twice transposed": lambda x: np.transpose(np.transpose(x)),
    "ravel": lambda x: np.ravel(x),
    "back and forth": lambda x: np.reshape(np.ravel(x), np.shape(x)),
    "new axis": lambda x: x[None] if np.ndim(x) < 3 else x,
    "last axis": lambda x: x[..., None] if np.ndim(x) < 3 else x,
    "squeezed": np.squeeze,
    "repeated": lambda x: np.broadcast_to(x, (2, *np.shape(x))) if np.ndim(x) < 3 else x,
    "sum": np.sum,
    "sum of rows": lambda x: np.sum(x, axis=0) if np.ndim(x) else x,
    "sum, kept": lambda x: np.sum(x, axis=-1, keepdims=True) if np.ndim(x) else x,
    "mean": lambda x: np.mean(x, axis=-1) if np.ndim(x) and np.size(x) else x,
    "sum of repeated": lambda x: np.sum(np.broadcast_to(x, (3, *np.shape(x))), axis=0),
    "first": lambda x: x[0] if np.ndim(x) else x,
    "reversed": lambda x: x[::-1] if np.ndim(x) else x,
    "joined": lambda x: np.concatenate([np.ravel(x)]),
    "stacked": lambda x: np.stack([x, x])[0],
    "written": lambda x: _written(x),
    "filled": lambda x: _filled(x),
    "sum by a product": lambda x: np.ones(np.size(x), x.dtype) @ np.ravel(x),
    "ravel, F": lambda x: np.ravel(x, "F"),
    "ravel, K": lambda x: np.ravel(x, "K"),
    "ravel, A": lambda x: np.ravel(x, order="A"),
    "reshaped, F": lambda x: np.reshape(x, np.shape(x)[::-1], order="F"),
    "reshaped, C": lambda x: np.reshape(x, np.shape(x)[::-1]),
    "back and forth, F": lambda x: np.reshape(np.ravel(x, "F"), np.shape(x), order="F"),
    "back and forth, FC": lambda x: np.reshape(np.ravel(x, "F"), np.shape(x)),
    "copy, F": lambda x: np.copy(x, order="F"),
    "ravel, K, of the transpose": lambda x: np.ravel(np.transpose(x), "K"),
    "axes swapped": lambda x: np.swapaxes(x, 0, -1) if np.ndim(x) else x,
    "axes moved": lambda x: np.moveaxis(x, -1, 0) if np.ndim(x) else x,
    "reversed along the last": lambda x: x[..., ::-1] if np.ndim(x) else x,
    "backwards by two": lambda x: x[..., ::-2] if np.ndim(x) else x,
    "but the last, backwards": lambda x: x[-2::-1] if np.ndim(x) else x,
    "flipped": np.flip,
    "last": lambda x: x[..., -1] if np.ndim(x) else x,
    "nothing": lambda x: x[1:1] if np.ndim(x) else x,
    "nothing of the last": lambda x: x[..., :0] if np.ndim(x) else x,
    "nothing picked": lambda x: x[np.zeros(0, int)] if np.ndim(x) else x,
    "picked twice": lambda x: x[[0, 0, -1]] if np.ndim(x) else x,
    "taken": lambda x: np.take(x, [-1, 0], axis=-1) if np.ndim(x) else x,
    "sum of columns": lambda x: np.sum(x, axis=-2) if np.ndim(x) > 1 else x,
    "sum of both, backwards": lambda x: np.sum(x, axis=(-1, -2)) if np.ndim(x) > 1 else x,
    "sum over nothing": lambda x: np.sum(x, axis=()),
    "maximum": lambda x: np.max(x, axis=-1, initial=0) if x.dtype.kind == "f" else x,
    "running sum": lambda x: np.cumsum(x, axis=-1) if np.ndim(x) else x,
    "two picked, F": lambda x: np.ravel(x, "F")[1] * np.ravel(x, "F")[-1],
    "two picked": lambda x: np.ravel(x)[1] * np.ravel(x)[-1] + np.ravel(x, "F")[-2],
    "written backwards": lambda x: _backwards(x),
    "written at places": lambda x: _at_places(x),
    "written through another order": lambda x: _through(x),
    "diagonal": lambda x: np.diagonal(x) if np.ndim(x) > 1 else x,
    "windows": lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, -1) if np.ndim(x) else x,
}  # fmt: skip

BINARY = {
    "add": np.add,
    "subtract": lambda x, y: x - y if not x.dtype.kind == y.dtype.kind == "b" else x ^ y,
    "multiply": np.multiply,
    "plus negative": lambda x, y: x + (-y if y.dtype.kind != "b" else y),
    "minus negative": lambda x, y: x - (-y if y.dtype.kind != "b" else y * 1.0),
    "by a sum": lambda x, y: x * np.sum(y),
    "of sums": lambda x, y: np.sum(x) * np.sum(x) + np.sum(y),
    "where equal": lambda x, y: np.where(np.equal(x, x) | np.equal(y, y), x, y),
    "where twice": lambda x, y: np.where(x == 1, np.where(x == 1, x, y), np.where(x == 1, x, y)),
    "outer": lambda x, y: np.ravel(x)[:3, None] * np.ravel(y)[:3],
    "repeated outer": lambda x, y: np.broadcast_to(np.ravel(x)[:1], (3, 1)) * np.ravel(y)[:2],
    "accumulated": lambda x, y: _accumulated(x, y),
    "picked in two orders": lambda x, y: np.ravel(x, "F")[:2] * np.ravel(y)[-1] + y.ravel("K")[0],
}  # fmt: skip


def _backwards(x):
    y = np.zeros_like(x)
    if np.ndim(x):
        y[::-1] = x
        y[..., 1:1] = 1
        y[..., -1:0:-1] += x[..., 1:]
    return y


def _at_places(x):
    y = np.ones_like(np.broadcast_to(np.ravel(x)[:1], (3,)))
    y[[0, -1, 0]] = np.ravel(x)[0]
    y[[2, 1, 2]] += np.ravel(x)[-1]
    np.add.at(y, [0, 0, -2], np.ravel(x)[0])
    y[[]] = 5
    return y


def _through(x):
    y = np.copy(x, order="F")
    z = np.transpose(y) if np.ndim(x) else y
    if np.ndim(x):
        z[0] = z[-1]
        z.reshape(-1)[:2] = np.ravel(x)[0]
    return y


def _written(x):
    y = np.zeros_like(x)
    if np.ndim(x):
        y[0] = x[-1]
        y[0] = x[0] * 2
        y[-1] += y[0]
    return y


def _filled(x):
    y = np.zeros_like(np.broadcast_to(np.ravel(x)[:1], (4,)))
    y[1] = np.ravel(x)[0]
    y[2] = y[1] + y[0]
    y[2:] += y[1]
    return y


def _accumulated(x, y):
    out = np.zeros_like(np.broadcast_to(np.ravel(x)[:1] + np.ravel(y)[:1], (3,)))
    for value in (x, y, x):
        out[:2] += np.ravel(value)[0]
    return out


OPERATIONS = {**UNARY, **BINARY}


@dataclass
class Sprinkled:
    """Instructions on a growing list of values; the results are the last few."""

    arguments: list
    instructions: list = field(default_factory=list)

    def __call__(self, *x):
        values = list(x)
        for name, operands in self.instructions:
            values.append(OPERATIONS[name](*(values[k] for k in operands)))
        return values[-3:]


SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (3, 2), (2, 2, 2), (2, 0)]


@st.composite
def sprinkled(draw, *, dtypes=DTYPES):
    """A program and arguments for it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arguments = []
    for shape in draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3)):
        dtype = np.dtype(draw(st.sampled_from(dtypes)))
        numbers = rng.choice([-2.0, -1.0, 0.5, 1.0, 3.0], shape)
        order = draw(st.sampled_from("CF"))
        arguments.append(
            np.asarray(np.abs(numbers) if dtype.kind in "bu" else numbers).astype(dtype, order)
        )
    program = Sprinkled(arguments)
    values = list(arguments)
    with np.errstate(all="ignore"):
        for _ in range(draw(st.integers(1, 9))):
            k = draw(st.integers(0, len(values) - 1))
            if draw(st.booleans()):
                name, operands = draw(st.sampled_from(sorted(UNARY))), (k,)
            else:
                partners = [j for j, v in enumerate(values) if _fits(v, values[k])]
                name, operands = (
                    draw(st.sampled_from(sorted(BINARY))), (k, draw(st.sampled_from(partners))),
                )  # fmt: skip
            try:
                value = np.asarray(OPERATIONS[name](*(values[j] for j in operands)))
            except (IndexError, ValueError):  # of too few elements
                continue
            if value.size > 30 or np.max(np.abs(value), initial=0) > 30:
                continue
            program.instructions.append((name, operands))
            values.append(value)
    return program


def _fits(a, b):
    try:
        np.broadcast_shapes(np.shape(a), np.shape(b))
    except ValueError:
        return False
    return True
