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
    "mean": lambda x: np.mean(x, axis=-1) if np.ndim(x) else x,
    "sum of repeated": lambda x: np.sum(np.broadcast_to(x, (3, *np.shape(x))), axis=0),
    "first": lambda x: x[0] if np.ndim(x) else x,
    "reversed": lambda x: x[::-1] if np.ndim(x) else x,
    "joined": lambda x: np.concatenate([np.ravel(x)]),
    "stacked": lambda x: np.stack([x, x])[0],
    "written": lambda x: _written(x),
    "filled": lambda x: _filled(x),
    "sum by a product": lambda x: np.ones(np.size(x), x.dtype) @ np.ravel(x),
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
}  # fmt: skip


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


SHAPES = [(), (1,), (3,), (2, 3), (2, 1)]


@st.composite
def sprinkled(draw, *, dtypes=DTYPES):
    """A program and arguments for it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arguments = []
    for shape in draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3)):
        dtype = np.dtype(draw(st.sampled_from(dtypes)))
        numbers = rng.choice([-2.0, -1.0, 0.5, 1.0, 3.0], shape)
        arguments.append(
            np.asarray(np.abs(numbers) if dtype.kind in "bu" else numbers).astype(dtype)
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
            value = np.asarray(OPERATIONS[name](*(values[j] for j in operands)))
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
