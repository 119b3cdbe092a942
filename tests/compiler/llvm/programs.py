"""Programs of the language made at random, and inputs for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pullback.compiler.loops import (
    Axis,
    Buffer,
    Check,
    Const,
    Copy,
    For,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Program,
    Scalar,
    Store,
    Write,
)

__all__ = ["random_kernel", "values_of"]

EXTENTS = (0, 1, 2, 3, 4, 7, 8, 9, 16, 17, 33)
SMALL = (1, 2, 3, 4, 5, 8, 9)
FLOAT_OPS = ("add", "subtract", "multiply", "maximum", "minimum")
INT = "int64"


def values_of(program, random):
    """Small whole numbers, so that sums of them are exact in any order."""
    found = []
    for kind in ("input", "constant"):
        for buffer in program.buffers:
            if buffer.kind == kind and buffer.name.startswith("p"):
                found.append(random.integers(0, 5, buffer.size))
            elif buffer.kind == kind and buffer.dtype == "bool":
                found.append(random.integers(0, 2, buffer.size).astype(bool))
            elif buffer.kind == kind:
                found.append(random.integers(-3, 4, buffer.size).astype(buffer.dtype))
    return found


class _Kernel:
    """A kernel in the making."""

    def __init__(self, random, dtype, most_axes):
        self.random, self.dtype = random, dtype
        count = random.integers(0, most_axes + 1)
        extents = EXTENTS if count < 3 else SMALL
        self.axes = [Axis(f"i{n}", int(random.choice(extents))) for n in range(count)]
        if random.random() < 0.9:
            self.axes = [Axis(name, max(extent, 1)) for name, extent in self.axes]
        self.buffers, self.body = [], []
        self.inside = random.random() < 0.35  # of a loop over n

    def place(self, kind, axes, dtype, prefix="x", extra=0):
        """A new buffer, in which each of these axes has a stride of its own, or runs backwards."""
        order = [axes[n] for n in self.random.permutation(len(axes))]
        terms, step = [], int(self.random.choice([1, 1, 1, 2]))
        offset = int(self.random.integers(0, 3))
        for name, extent in order:
            if extent > 1 and self.random.random() < 0.15:
                terms.append((name, -step))
                offset += step * (extent - 1)
            else:
                terms.append((name, step))
            step *= max(extent, 1)
        name = f"{prefix}{len(self.buffers)}"
        size = offset + step + extra
        if self.inside and self.random.random() < 0.5:
            terms.append(("n", size))
            size *= 2
        self.buffers.append(Buffer(name, dtype, size + 3, kind))
        terms = [terms[n] for n in self.random.permutation(len(terms))]
        return Place(name, offset, tuple(terms))

    def some_axes(self):
        return [axis for axis in self.axes if self.random.random() < 0.7]

    def condition(self):
        if not self.axes or self.random.random() < 0.3:
            return Load(self.place("input", self.some_axes(), "bool"), "bool")
        axis, extent = self.axes[self.random.integers(len(self.axes))]
        name = str(self.random.choice(["less", "greater_equal", "equal", "not_equal"]))
        bound = Const(int(self.random.integers(-1, extent + 2)), INT)
        index = Op("add", (Name(axis, INT), Const(int(self.random.integers(0, 2)), INT)), INT)
        return Op(name, (index, bound), "bool")

    def load(self):
        kind = self.random.random()
        if kind < 0.2:
            index = Scalar(f"at{len(self.body)}", INT)
            self.body.append(Let(index, Load(self.place("input", self.some_axes(), INT, "p"), INT)))
            if self.random.random() < 0.5:
                small = Op("less", (Name(index.name, INT), Const(5, INT)), "bool")
                self.body.append(Check(small, 1 + len(self.body)))
            place = self.place("input", self.some_axes(), self.dtype, extra=20)
            return Load(Place(place.buffer, place.offset, (*place.terms, (index.name, 3))),
                        self.dtype)  # fmt: skip
        place = self.place("input", self.some_axes(), self.dtype)
        if kind < 0.45:
            holds = self.condition()
            if self.random.random() < 0.5:
                name = f"c{len(self.body)}"
                self.body.append(Let(Scalar(name, "bool"), holds))
                holds = Name(name, "bool")
            return Load(place, self.dtype, holds)
        return Load(place, self.dtype)

    def value(self, depth=2):
        kind = self.random.random()
        if depth == 0 or kind < 0.3:
            return self.load()
        if kind < 0.35:
            return Const(int(self.random.integers(-2, 3)), self.dtype)
        if kind < 0.37:
            return Name("w", self.dtype)
        if kind < 0.4 and self.axes:
            axis, _ = self.axes[self.random.integers(len(self.axes))]
            return Op("convert", (Name(axis, INT),), self.dtype)
        if kind < 0.5:
            return Op("select", (self.condition(), self.value(depth - 1), self.value(depth - 1)),
                      self.dtype)  # fmt: skip
        name = str(self.random.choice(FLOAT_OPS))
        value = Op(name, (self.value(depth - 1), self.value(depth - 1)), self.dtype)
        if self.random.random() < 0.3:
            scalar = Scalar(f"v{len(self.body)}", self.dtype)
            self.body.append(Let(scalar, value))
            return Name(scalar.name, self.dtype)
        return value

    def write(self, number):
        value = self.value()
        kind = self.random.random()
        start = Name("w", self.dtype) if self.random.random() < 0.5 else Const(2, self.dtype)
        start = None if self.random.random() < 0.3 else start
        if kind < 0.4:
            return Write(self.place("output", self.axes, self.dtype, "y"), value)
        combine = str(self.random.choice(["add", "add", "maximum", "minimum"]))
        if kind < 0.6:
            # Without an element there is no greatest one.
            start = start or Const(1, self.dtype)
            return Write(Scalar(f"t{number}", self.dtype), value, combine, start)
        place = self.place("output", self.some_axes(), self.dtype, "y", extra=20)
        if kind < 0.7:
            # Places that overlap, or that data say.
            terms = tuple((name, 1 if step > 0 else 0) for name, step in place.terms)
            place = Place(place.buffer, place.offset, terms)
        elif kind < 0.8 and all(axis.extent for axis in self.axes):
            index = Scalar(f"to{number}", INT)
            self.body.append(Let(index, Load(self.place("input", self.some_axes(), INT, "p"), INT)))
            place = Place(place.buffer, place.offset, (*place.terms, (index.name, 2)))
        return Write(place, value, combine, start or Const(0, self.dtype))


def random_kernel(seed, most_axes=4, pieces=2):
    """A program of one kernel, which may be in a loop, and the stores of the scalars it gives."""
    random = np.random.default_rng(seed)
    dtype = str(random.choice(["float64", "float64", "float32", "int64", "int32"]))
    making = _Kernel(random, dtype, most_axes)
    writes = [making.write(number) for number in range(random.integers(1, pieces + 2))]
    body = [Kernel(tuple(making.axes), tuple(making.body), tuple(writes))]
    for write in writes:
        if isinstance(write.target, Scalar):
            making.buffers.append(Buffer(f"o{write.target.name}", dtype, 1, "output"))
            body.append(Store(Place(f"o{write.target.name}"), Name(write.target.name, dtype)))
    if making.inside:
        body = [For("n", Const(2, INT), (), tuple(body), (), ())]
    body.insert(0, Let(Scalar("w", dtype), Load(Place("ones", 5), dtype)))
    for number, buffer in list(enumerate(making.buffers)):
        if buffer.kind == "output" and buffer.size <= 64 and random.random() < 0.4:
            # It may live in registers, until it is copied.
            making.buffers[number] = replace(buffer, kind="scratch")
            making.buffers.append(replace(buffer, name=f"o{buffer.name}"))
            body.insert(0, Copy(Place(buffer.name), Place("ones"), buffer.size))
            body.append(Copy(Place(f"o{buffer.name}"), Place(buffer.name), buffer.size))
    making.buffers.append(Buffer("ones", dtype, 64, "input"))
    order = {"input": 0, "output": 1, "scratch": 2}
    buffers = tuple(sorted(making.buffers, key=lambda b: order[b.kind]))
    return Program(f"random {seed}", buffers, tuple(body))
