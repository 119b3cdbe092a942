"""Random programs over small arrays: straight lines of operations, each on earlier values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

import pullback as pb

__all__ = ["Program", "programs"]

UNARY = {
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "exp": lambda x: np.exp(0.3 * x),
    "square": lambda x: x * x * 0.5,
    "sqrt": lambda x: np.sqrt(2.0 + np.sin(x)),
    "log": lambda x: np.log(2.0 + np.cos(x)),
    "reciprocal": lambda x: 1.0 / (2.5 + np.sin(x)),
    "power": lambda x: (2.0 + np.sin(x)) ** 1.7,
    "sum": np.sum,
    "mean of rows": lambda x: np.mean(x, axis=-1) if np.ndim(x) else x,
    "sum, kept": lambda x: np.sum(x, axis=0, keepdims=True) if np.ndim(x) else x,
    "prod": lambda x: np.prod(1.0 + 0.1 * x),
    "cumsum": lambda x: np.cumsum(x, axis=-1) if np.ndim(x) else x,
    "ravel": np.ravel,
    "transpose": np.transpose,
    "flip": np.flip,
    "roll": lambda x: np.roll(x, 1),
    "expand": lambda x: np.expand_dims(x, 0) if np.ndim(x) < 3 else x,
    "squeeze": np.squeeze,
    "first": lambda x: x[0] if np.ndim(x) else x,
    "last, reversed": lambda x: x[..., ::-1][-1:] if np.ndim(x) else x,
    "gather": lambda x: x[np.array([0, -1, 0])] if np.ndim(x) else x,
    "twice": lambda x: np.concatenate([np.ravel(x), np.ravel(x)])[: np.size(x) + 1],
    "stack": lambda x: np.stack([x, 2.0 * x]) if np.ndim(x) < 3 else x,
    "pad": lambda x: np.pad(x, 1)[1:] if np.ndim(x) == 1 else x,
    "gram": lambda x: x @ np.swapaxes(x, -1, -2) * 0.3 if np.ndim(x) >= 2 else x,
    "diagonal of outer": lambda x: np.outer(x, np.sin(x)) * 0.2 if np.ndim(x) == 1 else x,
    "written": lambda x: _written(x),
    "updated": lambda x: _updated(x),
    "filled": lambda x: _filled(x),
    "seen in parts": lambda x: _seen_in_parts(x),
    "added at": lambda x: _added_at(x),
    "exchanged": lambda x: _exchanged(x),
    "matrix": lambda x: np.array([[np.sum(x), 1.0], [0.5, np.sum(np.sin(x))]]) * 0.4,
    "list": lambda x: np.array([0.3, *np.ravel(x)[:2], np.sum(x) * 0.2]),
    "joined": lambda x: np.r_[np.ravel(x), 0.5, 0:1:2j][1:],
    "gradient inside": lambda x: pb.grad(lambda y: np.sum(np.sin(y) * y + 0.1 * y**3))(x),
    "derivative inside": lambda x: pb.pushforward(np.sin, (x,), (np.cos(x),))[1],
    "product inside": lambda x: pb.hvp(lambda y: np.sum(np.cos(y) * y), (x,), (np.sin(x),))[0],
    "pulled inside": lambda x: pb.vjp(np.tanh, x)[1](x)[0],
}

PIECEWISE = {
    "abs": np.abs,
    "max": np.max,
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "where": lambda x: np.where(x > 0.1, np.exp(0.5 * x), np.sin(x)),
    "sort": lambda x: np.sort(x, axis=-1) if np.ndim(x) else x,
    "mask": lambda x: x * (x > -0.2),
    "branch": lambda x: x * 2.0 if np.sum(x) > 0 else np.sin(x),
    "modulus": lambda x: np.linalg.norm(x) * 0.5,
}

BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": lambda x, y: 0.7 * x * y,
    "divide": lambda x, y: x / (2.0 + np.sin(y)),
    "scaled": lambda x, y: x * np.sum(y) * 0.3,
    "outer sum": lambda x, y: np.add.outer(np.ravel(x), np.ravel(y))[:3, :3],
    "dot": lambda x, y: np.dot(np.ravel(x)[:2], np.ravel(y)[:2]) if min(np.size(x), np.size(y)) > 1
    else x * y,
    "einsum": lambda x, y: np.einsum("i,j->ji", np.ravel(x)[:3], np.ravel(y)[:3]) * 0.5,
    "gradient by one": lambda x, y: pb.grad(lambda z: np.sum(np.sin(z) * np.sum(y)))(x),
    "free variable": lambda x, y: pb.pushforward(lambda z: np.tanh(z) * np.sum(x), (y,), (y,))[1],
}  # fmt: skip

PIECEWISE_BINARY = {
    "maximum": np.maximum,
    "minimum": np.minimum,
    "choose": lambda x, y: np.where(x > y, x, 0.5 * y),
    "hypot": lambda x, y: np.hypot(x, y + 3.0),
    "arctan2": lambda x, y: np.arctan2(x, y + 4.0),
}


def _written(x):
    y = np.zeros_like(x)
    y[...] = np.sin(x)
    if np.ndim(x):
        y[0] = y[-1] * 0.5
        y[-1:] += x[:1]
    return y


def _updated(x):
    y = x + 0.0
    y *= 0.5
    y += np.cos(y)
    return y


def _filled(x):
    y = np.empty(np.shape(x), dtype=np.result_type(x))
    for index in np.ndindex(np.shape(x)):
        y[index] = np.sin(x[index]) if index else np.sin(x)
    return y


def _seen_in_parts(x):
    """Written through views of views, before and after something that varies is written to it."""
    y = np.ones((2, max(np.size(x), 1)), dtype=np.result_type(x))
    row, flat = y[1], y.reshape(-1)
    flat[::2] *= 0.5
    row[: np.size(x)] += np.ravel(x)
    y.T[0] += row[0] * 0.3
    flat[-1:] -= y[0, :1]
    return y


def _added_at(x):
    y = np.zeros(3, dtype=np.result_type(x))
    np.add.at(y, np.arange(np.size(x)) % 2, np.ravel(x) * 0.5)
    y[1:] -= y[:-1]
    return y


def _exchanged(x):
    """The first takes the last one's place, and what is then there the first one's."""
    y = np.array(x) if np.ndim(x) else np.array([x, 0.5 * x])
    y[0], y[-1] = y[-1], y[0]
    y[:-1], y[1:] = y[1:] * 0.7, y[:-1]
    return y


@dataclass
class Program:
    """Instructions on a growing list of values; the result is made of the last few."""

    arguments: list[Any]
    analytic: bool
    instructions: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)

    def __call__(self, *x):
        values = list(x)
        for name, operands in self.instructions:
            values.append(OPERATIONS[name](*(values[k] for k in operands)))
        return sum(np.sum(np.sin(v) * (k + 1.0)) for k, v in enumerate(values[-3:]))


OPERATIONS = {**UNARY, **PIECEWISE, **BINARY, **PIECEWISE_BINARY}

SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (1, 3)]


@st.composite
def programs(draw, *, analytic=False):
    """A program and the point it is run at; every value stays moderate there."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    arguments = [np.asarray(rng.uniform(-1.2, 1.2, shape)) for shape in shapes]
    program = Program(arguments, analytic)
    values = list(arguments)
    one = list(UNARY) if analytic else [*UNARY, *PIECEWISE]
    two = list(BINARY) if analytic else [*BINARY, *PIECEWISE_BINARY]
    if analytic:
        one = [name for name in one if "inside" not in name]
        two = [name for name in two if name not in ("gradient by one", "free variable")]
    for _ in range(draw(st.integers(1, 9))):
        k = draw(st.integers(0, len(values) - 1))
        if draw(st.booleans()):
            name, operands = draw(st.sampled_from(one)), (k,)
        else:
            partners = [
                j for j, v in enumerate(values) if _broadcasts(np.shape(v), np.shape(values[k]))
            ]
            name, operands = draw(st.sampled_from(two)), (k, draw(st.sampled_from(partners)))
        value = OPERATIONS[name](*(values[j] for j in operands))
        if np.size(value) > 30 or np.max(np.abs(value), initial=0.0) > 30:
            continue
        program.instructions.append((name, operands))
        values.append(value)
    return program


def _broadcasts(a, b):
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True
