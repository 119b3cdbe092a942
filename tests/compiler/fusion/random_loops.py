"""Random programs of loops: many kernels on few small buffers, so that all depends on all."""

from __future__ import annotations

import random

from pullback.compiler.loops import (
    Axis,
    Branch,
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
    While,
    Write,
)

__all__ = ["SIZE", "random_program"]

SIZE = 24
SPACES = [
    (24,), (24,), (4, 6), (4, 6), (6, 4), (2, 3, 4), (1, 24), (4, 1, 6), (2, 12), (4, 4, 6),
    (0, 6), (1, 1), (6,), (12,), (12,), (4, 3),
]  # fmt: skip
SCRATCH = [f"t{k}" for k in range(6)]
OUTPUTS = [f"y{k}" for k in range(3)]
INPUTS = ["x0", "x1"]
F, INT = "float64", "int64"


def random_program(seed):
    """A well-formed program, with inputs x0 and x1 and the constant p, of indices."""
    made = _Generator(random.Random(seed))
    body = made.row(set(INPUTS), [], 14, 0)
    ready = {statement.target.buffer for statement in made.first if isinstance(statement, Copy)}
    assert ready == set(OUTPUTS)
    buffers = (
        *(Buffer(name, F, SIZE, "input") for name in INPUTS),
        *(Buffer(name, F, SIZE, "output") for name in OUTPUTS),
        Buffer("p", INT, SIZE, "constant"),
        *(Buffer(name, F, SIZE, "scratch") for name in SCRATCH),
    )
    return Program(f"random {seed}", buffers, (*made.first, *body))


class _Generator:
    def __init__(self, rng):
        self.rng = rng
        self.count = 0
        self.first = [Copy(Place(name), Place("x0"), SIZE) for name in OUTPUTS]

    def fresh(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    def row(self, ready, scalars, length, depth):
        """Statements; `ready` are the buffers that may be read, `scalars` the names that may."""
        if depth == 0:
            ready |= set(OUTPUTS)
        found = []
        for _ in range(length):
            kind = self.rng.random()
            if kind < 0.62:
                found.append(self.kernel(ready, scalars))
            elif kind < 0.72:
                found.append(self.copy(ready))
            elif kind < 0.82:
                target = self.rng.choice(sorted(ready - set(INPUTS)) or [None])
                if target:
                    place = Place(target, self.rng.randrange(SIZE))
                    found.append(Store(place, self.scalar(scalars)))
            elif kind < 0.9:
                name = self.fresh("s")
                place = Place(self.rng.choice(sorted(ready)), self.rng.randrange(SIZE))
                found.append(Let(Scalar(name, F), Load(place, F)))
                scalars.append(name)
            elif kind < 0.92:
                bound = Op("less", (self.scalar(scalars), Const(1e6, F)), "bool")
                found.append(Check(bound, 1))
            elif depth < 2:
                found.append(self.control(ready, scalars, depth))
        return tuple(found)

    def scalar(self, scalars):
        if scalars and self.rng.random() < 0.7:
            return Name(self.rng.choice(scalars), F)
        return Const(self.rng.choice([0.5, -0.0, 0.0, 2.0]), F)

    def copy(self, ready):
        """Of a whole buffer, or of a part of it."""
        source = self.rng.choice(sorted(ready))
        if self.rng.random() < 0.7:
            target = self.rng.choice([n for n in (*SCRATCH, *OUTPUTS) if n != source])
            ready.add(target)
            return Copy(Place(target), Place(source), SIZE)
        target = self.rng.choice([n for n in OUTPUTS if n != source])
        return Copy(Place(target, 12), Place(source, self.rng.randrange(13)), 12)

    def control(self, ready, scalars, depth):
        kind = self.rng.random()
        carry, result, after = self.fresh("a"), self.fresh("r"), self.fresh("s")
        inner = [*scalars, carry]
        initial = (Scalar(carry, F), self.scalar(scalars))
        body = self.row(set(ready), inner, self.rng.randint(1, 6), depth + 1)
        last = Let(Scalar(after, F), Op("sin", (self.scalar(inner),), F))
        nexts, results = (Name(after, F),), (Scalar(result, F),)
        scalars.append(result)
        if kind < 0.6:
            extent = Const(self.rng.choice([1, 2, 3]), INT)
            return For(
                self.fresh("n"), extent, (initial,), (*body, last), nexts, results, kind < 0.3
            )
        if kind < 0.8:
            number, end = self.fresh("a"), self.fresh("r")
            going = Op("less", (Name(number, INT), Const(2, INT)), "bool")
            following = Op("add", (Name(number, INT), Const(1, INT)), INT)
            return While(
                (initial, (Scalar(number, INT), Const(0, INT))), (), going, (*body, last),
                (*nexts, following), (*results, Scalar(end, INT)),
            )  # fmt: skip
        other = self.row(set(ready), [*scalars[:-1]], 3, depth + 1)
        index = Op("convert", (self.scalar(scalars[:-1]),), INT)
        start = Let(*initial)
        return Branch(
            index, (((start, *body, last), nexts), (other, (self.scalar(scalars[:-1]),))), results
        )

    # -- kernels ---------------------------------------------------------------------------------

    def kernel(self, ready, scalars):
        extents = self.rng.choice(SPACES)
        axes = tuple(Axis(self.fresh("i"), extent) for extent in extents)
        body, values = [], [self.scalar(scalars)]
        writes, written = [], {}
        for _ in range(self.rng.randint(1, 2)):
            write = self.target(axes, ready, scalars, written)
            if write is not None:
                writes.append(write)
        for _ in range(self.rng.randint(1, 3)):
            values.append(self.load(axes, ready, written, body))
        for _ in range(self.rng.randint(1, 3)):
            values.append(self.operation(axes, values, body))
        total = 1
        for extent in extents:
            total *= extent
        made = []
        for write in writes:
            value = values[-1] if self.rng.random() < 0.7 else self.rng.choice(values)
            made.append(Write(write.target, value, write.combine, write.start))
            if isinstance(write.target, Scalar):
                scalars.append(write.target.name)
            elif total and (not write.combine or write.start is not None):
                ready |= {write.target.buffer} if self.whole(write, axes) else set()
        return Kernel(axes, tuple(body), tuple(made))

    @staticmethod
    def whole(write, axes):
        extents = dict(axes)
        reached = {write.target.offset}
        for name, step in write.target.terms:
            reached = {at + step * k for at in reached for k in range(extents[name])}
        return len(reached) == SIZE

    def place(self, buffer, axes, offset=0):
        """An element for each point, in C order of the axes in some order."""
        order = [*axes]
        if self.rng.random() < 0.3:
            self.rng.shuffle(order)
        points = 1
        for axis in axes:
            points *= axis.extent
        step, terms = 1, []
        if points == SIZE // 2:  # one half, or each second
            step, offset = self.rng.choice([(1, 0), (1, SIZE // 2), (2, 0), (2, 1)])
        for axis in reversed(order):
            terms.append((axis.name, step))
            step *= max(axis.extent, 1)
        return Place(buffer, offset, tuple(terms))

    def target(self, axes, ready, scalars, written):
        points = 1
        for axis in axes:
            points *= axis.extent
        kind = self.rng.random()
        if kind < 0.15:
            combine = self.rng.choice(["add", "maximum", "minimum"])
            start = Const({"add": 0.5, "maximum": -1e9, "minimum": 1e9}[combine], F)
            return Write(Scalar(self.fresh("r"), F), start, combine, start)
        kept = axes
        while True:
            count = 1
            for axis in kept:
                count *= axis.extent
            if count <= SIZE and (kind < 0.6 or len(kept) < len(axes) or len(axes) == 1):
                break
            kept = tuple(a for a in kept if a is not self.rng.choice(kept))
        buffer = self.rng.choice([n for n in (*SCRATCH, *OUTPUTS) if n not in written] or [None])
        if buffer is None:
            return None
        place = self.place(buffer, kept)
        plain = len(kept) == len(axes)
        covering = count == SIZE
        combine = "" if plain and self.rng.random() < 0.8 else "add"
        start = None
        if combine and (buffer not in ready or self.rng.random() < 0.7):
            start = self.rng.choice([Const(0.0, F), Const(-0.0, F), self.scalar(scalars)])
        if buffer not in ready and not (covering and (not combine or start is not None)):
            buffer = self.rng.choice([n for n in OUTPUTS if n not in written] or [None])
            if buffer is None:
                return None
            place = place._replace(buffer=buffer)
        written[buffer] = place if not combine and buffer in ready and points else None
        return Write(place, Const(0.0, F), combine, start)

    def load(self, axes, ready, written, body):
        free = sorted(ready - set(written))
        name = Name(self.fresh("v"), F)
        own = [b for b in written if written[b] is not None]
        kind = self.rng.random()
        where = None
        points = 1
        for axis in axes:
            points *= max(axis.extent, 1)
        if own and kind < 0.5:
            place = written[self.rng.choice(own)]
            if self.rng.random() < 0.3:
                where = self.condition(axes, body)
        elif kind < 0.8 and points <= SIZE:
            place = self.place(self.rng.choice(free), axes)
            axis = self.rng.choice(axes)
            if kind < 0.6 and axis.extent > 1:  # the element beside, where there is one
                step = dict(place.terms)[axis.name]
                place = place._replace(offset=place.offset + step)
                at = Op("less", (Name(axis.name, INT), Const(axis.extent - 1, INT)), "bool")
                where = self.let(at, body)
        elif kind < 0.9:
            row = self.rng.choice(axes)
            at = self.let(Load(Place("p", 0, ((row.name, 1),)), INT), body)
            inside = self.let(Op("less", (at, Const(SIZE, INT)), "bool"), body)
            body.append(Check(inside, 2))
            place = Place(self.rng.choice(free), 0, ((at.name, 1),))
        else:
            kept = self.rng.choice(axes)
            place = Place(self.rng.choice(free), 0, ((kept.name, 1),))
        body.append(Let(Scalar(*name), Load(place, F, where)))
        return name

    def condition(self, axes, body):
        axis = self.rng.choice(axes)
        bound = Const(self.rng.randint(0, 3), INT)
        return self.let(Op("greater", (Name(axis.name, INT), bound), "bool"), body)

    def let(self, value, body):
        name = Name(self.fresh("v"), value.dtype)
        body.append(Let(Scalar(*name), value))
        return name

    def operation(self, axes, values, body):
        a, b = self.rng.choice(values), self.rng.choice(values)
        kind = self.rng.random()
        if kind < 0.6:
            value = Op(self.rng.choice(["add", "subtract", "multiply", "maximum"]), (a, b), F)
        elif kind < 0.8:
            value = Op("select", (self.condition(axes, body), a, b), F)
        else:
            value = Op("add", (Op("cos", (a,), F), b), F)
        return self.let(Op("sin", (value,), F), body)
