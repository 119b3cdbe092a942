"""Random programs whose results depend on how arrays lie in memory.

They read arrays in the order of memory, and write through what is a view or a copy, as it comes.
They are of the second degree in their argument, in whole numbers, so that differences are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

__all__ = ["ARRANGEMENTS", "Arranged", "Program", "draw"]


# -- arguments ------------------------------------------------------------------------------------

ARRANGEMENTS = {
    "in C order": ((2, 3), lambda b: b),
    "in Fortran order": ((3, 2), lambda b: b.T),
    "of three axes": ((2, 3, 2), lambda b: b),
    "of three axes, in Fortran order": ((2, 3, 2), lambda b: b.T),
    "permuted": ((2, 3, 2), lambda b: b.transpose(1, 0, 2)),
    "permuted cyclically": ((2, 2, 3), lambda b: b.transpose(2, 0, 1)),
    "reversed": ((2, 3), lambda b: b[::-1]),
    "reversed both ways": ((3, 2), lambda b: b.T[::-1, ::-1]),
    "every other column": ((2, 5), lambda b: b[:, ::2]),
    "every other row, transposed": ((4, 3), lambda b: b[::2].T),
    "columns backwards": ((3, 4), lambda b: b[:, ::-2]),
    "repeated rows": ((3,), lambda b: np.broadcast_to(b, (2, 3))),
    "repeated columns": ((2, 1), lambda b: np.broadcast_to(b, (2, 3))),
    "windows": ((4,), lambda b: sliding_window_view(b, 2)),
    "one row": ((3, 1), lambda b: b.T),
    "one axis, backwards": ((5,), lambda b: b[::-1]),
    "every other element": ((6,), lambda b: b[::2]),
    "empty": ((0, 2), lambda b: b.T),
}  # fmt: skip


@dataclass
class Arranged:
    """An argument that looks into the memory of a base."""

    base: np.ndarray
    name: str

    def __call__(self, base=None):
        """The argument with these elements underneath; it lies in memory always alike."""
        return ARRANGEMENTS[self.name][1](self.base if base is None else base)

    def onto_base(self, bar):
        """The cotangent of the base from that of the argument, whose first axes it has."""
        places = self(np.arange(self.base.size).reshape(self.base.shape))
        out = np.zeros((self.base.size, *bar.shape[places.ndim :]))
        np.add.at(out, places.ravel(), bar.reshape(places.size, *bar.shape[places.ndim :]))
        return out.reshape(*self.base.shape, *bar.shape[places.ndim :])

    def batch(self, bases):
        """Arguments with these elements underneath, along a new axis in front."""
        one = self(bases[0])
        return as_strided(one, (len(bases), *one.shape), (bases.strides[0], *one.strides))


# -- operations -----------------------------------------------------------------------------------


def _window(x):
    return sliding_window_view(x, 2, -1)


def _filled(x, like):
    y = like(x)
    y[...] = x
    return y


UNARY = {
    "transposed": lambda x: x.T,
    "axes swapped": lambda x: np.swapaxes(x, 0, -1),
    "axes moved": lambda x: np.moveaxis(x, 0, -1),
    "reversed": lambda x: x[::-1],
    "reversed along the last": lambda x: x[..., ::-1],
    "flipped": lambda x: np.flip(x),
    "every other": lambda x: x[..., ::2],
    "every other row": lambda x: x[::2],
    "but the first": lambda x: x[1:],
    "new axis": lambda x: x[:, None],
    "new first axis": lambda x: np.expand_dims(x, 0),
    "squeezed": lambda x: np.squeeze(x),
    "flat": lambda x: x.reshape(-1),
    "row": lambda x: x.reshape(1, -1),
    "shape of the transpose": lambda x: x.reshape(x.shape[::-1]),
    "shape of the transpose, F": lambda x: x.reshape(x.shape[::-1], order="F"),
    "shape of the transpose, A": lambda x: np.reshape(x, x.shape[::-1], order="A"),
    "raveled": lambda x: np.ravel(x),
    "raveled, F": lambda x: x.ravel("F"),
    "raveled, A": lambda x: np.ravel(x, order="A"),
    "raveled, K": lambda x: x.ravel("K"),
    "flattened, F": lambda x: x.flatten("F"),
    "flattened, A": lambda x: x.flatten("A"),
    "flattened, K": lambda x: x.flatten("K"),
    "copy": lambda x: x.copy(),
    "np.copy": lambda x: np.copy(x),
    "copy, F": lambda x: np.copy(x, order="F"),
    "copy, A": lambda x: np.copy(x, order="A"),
    "copy, K": lambda x: x.copy(order="K"),
    "array": lambda x: np.array(x),
    "array, K": lambda x: np.array(x, order="K"),
    "array, A": lambda x: np.array(x, order="A"),
    "array, C": lambda x: np.array(x, order="C"),
    "array, F": lambda x: np.array(x, order="F"),
    "as array, F": lambda x: np.asarray(x, order="F"),
    "as Fortran": lambda x: np.asfortranarray(x),
    "contiguous": lambda x: np.ascontiguousarray(x),
    "astype": lambda x: x.astype(np.float64),
    "astype, F": lambda x: x.astype(np.float64, order="F"),
    "astype, C": lambda x: x.astype(np.float64, order="C"),
    "astype, uncopied": lambda x: x.astype(np.float64, copy=False),
    "complex and back": lambda x: x.astype(np.complex128).real,
    "complex in F and back": lambda x: np.real(x.astype(np.complex128, order="F")),
    "zeros like": lambda x: _filled(x, np.zeros_like),
    "ones like": lambda x: np.ones_like(x),
    "counted": lambda x: _counted(np.zeros_like(x)),
    "empty like, F": lambda x: _filled(x, lambda x: np.empty_like(x, order="F")),
    "full like, A": lambda x: _filled(x, lambda x: np.full_like(x, 1.0, order="A")),
    "twice": lambda x: 2 * x,
    "negative": lambda x: -x,
    "positive part": lambda x: np.where(x > -99, x, 0),
    "clipped": lambda x: np.clip(x, -9999, 9999),
    "maximum": lambda x: np.maximum(x, -9999.0),
    "sum of the first axis": lambda x: np.sum(x, axis=0),
    "sum of the last axis, kept": lambda x: np.sum(x, axis=-1, keepdims=True),
    "cumulative sum": lambda x: np.cumsum(x, axis=0),
    "rolled": lambda x: np.roll(x, 1, axis=0),
    "taken": lambda x: np.take(x, [0, -1], axis=0),
    "taken from the last": lambda x: np.take(x, [1, 0], axis=-1),
    "indexed": lambda x: x[[-1, 0]],
    "indexed at the last": lambda x: x[..., [0, 1, 0]],
    "masked rows": lambda x: x[np.arange(x.shape[0]) != 1],
    "windows": lambda x: _window(x),
    "diagonal": lambda x: np.diagonal(x),
    "repeated": lambda x: np.repeat(x, 2, axis=0),
    "tiled": lambda x: np.tile(x, 2),
    "broadcast": lambda x: np.broadcast_to(x, (2, *x.shape)),
    "padded": lambda x: np.pad(x, 1),
    "doubled": lambda x: np.concatenate([x, x]),
    "stacked": lambda x: np.stack([x, x], axis=-1),
    "by a matrix": lambda x: x @ np.arange(x.shape[-1] * 2.0).reshape(-1, 2),
    "real": lambda x: x.real,
    "item": lambda x: x[0],
    "last column": lambda x: x[..., -1],
    "view": lambda x: x.view(),
    "atleast": lambda x: np.atleast_2d(x),
    "triangle": lambda x: np.tril(x),
}  # fmt: skip

BINARY = {
    "sum": lambda x, y: x + y,
    "difference": lambda x, y: x - y,
    "chosen": lambda x, y: np.where(np.arange(x.shape[-1]) != 1, x, y),
    "outer": lambda x, y: np.add.outer(x.reshape(-1)[:3], y.reshape(-1)[:2]),
    "joined": lambda x, y: np.concatenate([x, y], axis=-1),
    "stacked": lambda x, y: np.stack([x, y]),
    "array of both": lambda x, y: np.array([x, y]),
}  # fmt: skip


def _counted(y):
    y.ravel("K")[...] = np.arange(y.size)
    y += np.reshape(np.arange(y.size), y.shape)
    return y


def _write_first(y):
    y[...] = 2 * y + 1


WRITES = {
    "all doubled": lambda y: _write_first(y),
    "first": lambda y: y.__setitem__(0, 5 * y[-1]),
    "in place": lambda y: y.__iadd__(np.arange(y.shape[-1])),
    "flat": lambda y: y.flat.__setitem__(slice(0, 2), 7.0),
    "flat view": lambda y: y.reshape(-1).__setitem__(0, 3.0),
    "raveled, K": lambda y: y.ravel("K").__setitem__(slice(1, None), -3.0),
    "transposed": lambda y: y.T.__setitem__(0, 4.0),
}


@dataclass
class Program:
    """Instructions on a growing list of arrays; it ends in a sum of squares, weighted in order."""

    instructions: list = field(default_factory=list)
    read: tuple = (0,)
    order: str = "K"

    def arrays(self, x):
        values = [x]
        for kind, name, operands in self.instructions:
            if kind == "write":
                WRITES[name](values[operands[0]])
            else:
                table = UNARY if kind == "unary" else BINARY
                values.append(table[name](*(values[k] for k in operands)))
        return values

    def __call__(self, x):
        values = self.arrays(x)
        total = 0.0
        for place in self.read:
            flat = values[place].ravel(self.order)
            weights = np.arange(1.0, flat.size + 1)
            total = total + np.sum(weights * flat) + np.sum(flat[1:] * flat[:-1] * weights[1:])
        return total


def draw(rng, length=5):
    """A program and an argument for it, which it doesn't write to."""
    name = rng.choice(sorted(ARRANGEMENTS))
    shape = ARRANGEMENTS[name][0]
    argument = Arranged(rng.integers(-3, 4, shape).astype(float), name)
    x = argument()
    program = Program()
    values = [x]
    for _ in range(int(rng.integers(1, length + 1))):
        kind = rng.choice(["unary", "unary", "unary", "binary", "write"])
        k = int(rng.integers(max(0, len(values) - 3), len(values)))
        if kind == "unary":
            step = kind, str(rng.choice(list(UNARY))), (k,)
        elif kind == "binary":
            step = kind, str(rng.choice(list(BINARY))), (k, int(rng.integers(len(values))))
        else:
            y = values[k]
            if not y.size or np.may_share_memory(y, argument.base) or not y.flags.writeable:
                continue
            step = kind, str(rng.choice(list(WRITES))), (k,)
        trial = Program([*program.instructions, step])
        try:
            after = trial.arrays(argument())
        except (ValueError, IndexError, TypeError):
            continue
        last = after[-1]
        if type(last) is not np.ndarray or not last.ndim or last.ndim > 4 or last.size > 40:
            continue
        if max(np.max(np.abs(v), initial=0) for v in after) > 10_000:
            continue
        program, values = trial, after
    count = len(values)
    program.read = tuple(sorted({count - 1, int(rng.integers(count))}))
    program.order = str(rng.choice(["K", "K", "K", "A", "C", "F"]))
    return program, argument
