"""Programs of loops written by hand, in short."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pullback.compiler.fusion import arrange, fuse
from pullback.compiler.loops import (
    Axis,
    Buffer,
    Const,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Program,
    Scalar,
    Write,
    interpret,
    verify,
)
from pullback.compiler.loops.text import statements

__all__ = [
    "INT",
    "F",
    "agrees",
    "at",
    "axes",
    "buffers",
    "kernel",
    "let",
    "lines",
    "load",
    "name",
    "number",
    "op",
    "program",
    "with_body",
    "write",
]

F, INT = "float64", "int64"


def at(buffer, *terms, offset=0):
    return Place(buffer, offset, terms)


def load(buffer, *terms, offset=0, where=None, dtype=F):
    return Load(Place(buffer, offset, terms), dtype, where)


def number(value, dtype=F):
    return Const(value, dtype)


def name(of, dtype=F):
    return Name(of, dtype)


def op(what, *args, dtype=F):
    return Op(what, args, dtype)


def let(of, value):
    return Let(Scalar(of, value.dtype), value)


def axes(**extents):
    return tuple(Axis(axis, extent) for axis, extent in extents.items())


def write(target, value, combine="", start=None):
    return Write(target, value, combine, start)


def kernel(space, *rest):
    """A kernel of lets, checks and writes."""
    body = tuple(each for each in rest if not isinstance(each, Write))
    return Kernel(space, body, tuple(each for each in rest if isinstance(each, Write)))


def buffers(dtype=F, **kinds):
    """``x="input 6"``: a buffer of each name, of a kind and a size."""
    found = []
    for of, kind in kinds.items():
        what, size = kind.split()
        found.append(Buffer(of, dtype, int(size), what))
    return tuple(found)


def program(declared, *body):
    order = ("input", "output", "constant", "scratch")
    made = Program("p", tuple(sorted(declared, key=lambda b: order.index(b.kind))), body)
    verify(made)
    return made


def lines(body):
    """The statements as text, without indentation in front of all."""
    return list(statements(body, ""))


def agrees(before, after=None, *, fill=None, calls=(), symbols=None):
    """Fuse, verify, and compare the outputs; returns the fused program."""
    after = arrange(fuse(before)) if after is None else after
    verify(after)
    rng = np.random.default_rng(3)
    values = []
    for kind in ("input", "constant"):
        for buffer in before.buffers:
            if buffer.kind == kind:
                values.append(rng.normal(size=buffer.size) if fill is None else fill(buffer))
    for one, other in zip(
        interpret(before, values, calls, symbols),
        interpret(after, values, calls, symbols),
        strict=True,
    ):
        np.testing.assert_allclose(other, one, rtol=1e-13, atol=1e-13)
    return after


def with_body(made, body):
    """The program with other statements."""
    return replace(made, body=tuple(body))
