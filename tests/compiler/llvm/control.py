"""Programs of nested loops and choices made at random."""

from __future__ import annotations

import numpy as np

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

__all__ = ["random_control"]

INT = "int64"
SIZE = 12


class _Control:
    """A program in the making: integers only, so that all is exact."""

    def __init__(self, random):
        self.random = random
        self.count = 0

    def fresh(self):
        self.count += 1
        return f"v{self.count}"

    def pick(self, values):
        return values[self.random.integers(len(values))]

    def value(self, seen, depth=2):
        kind = self.random.random()
        if depth and kind < 0.5:
            name = self.pick(["add", "subtract", "multiply", "bitwise_xor", "maximum", "remainder"])
            return Op(name, (self.value(seen, depth - 1), self.value(seen, depth - 1)), INT)
        if kind < 0.6:
            return Const(int(self.random.integers(-3, 9)), INT)
        if kind < 0.75 or not seen:
            return Load(Place(self.pick("xst"), int(self.random.integers(SIZE))), INT)
        return Name(self.pick(seen), INT)

    def condition(self, seen):
        name = self.pick(["less", "equal", "not_equal", "greater"])
        return Op(name, (self.value(seen), self.value(seen, 1)), "bool")

    def small(self, seen, most):
        """A number from 0 to below `most`."""
        return Op("remainder", (self.value(seen), Const(most, INT)), INT)

    def results(self, count, seen):
        found = tuple(Scalar(self.fresh(), INT) for _ in range(count))
        seen += [scalar.name for scalar in found]
        return found

    def body(self, seen, depth):
        """Statements; the names that they give go into `seen`."""
        found = []
        for _ in range(self.random.integers(1, 5)):
            kinds = ["let", "let", "store", "kernel", "copy", "check"]
            kind = self.pick(kinds + ["for", "for", "while", "choice"] * (depth > 0))
            found += getattr(self, f"make_{kind}")(seen, depth - 1)
        return tuple(found)

    def make_let(self, seen, depth):
        value = self.value(seen)
        return [Let(self.results(1, seen)[0], value)]

    def make_store(self, seen, depth):
        value = self.value(seen)
        if self.random.random() < 0.5:
            index = self.small(seen, SIZE)
            (scalar,) = self.results(1, seen)
            return [Let(scalar, index), Store(Place("y", 0, ((scalar.name, 1),)), value)]
        return [Store(Place(self.pick("yst"), int(self.random.integers(SIZE))), value)]

    def make_check(self, seen, depth):
        # Seldom false.
        far = Op("not_equal", (self.value(seen), Const(12345, INT)), "bool")
        return [Check(far, int(self.random.integers(1, 5)))]

    def make_copy(self, seen, depth):
        size = int(self.random.integers(0, 5))
        return [Copy(Place("s", 5), Place("t", 2), size)]

    def make_kernel(self, seen, depth):
        axis = self.fresh()
        source, target = self.pick(["st", "ts", "xy", "xt", "sy"])
        at = Place(source, 0, ((axis, 1),))
        value = Op("add", (Load(at, INT), self.value(seen, 1)), INT)
        axes = (Axis(axis, SIZE),)
        if self.random.random() < 0.5:
            write = Write(Place(target, SIZE - 1, ((axis, -1),)), value)
            return [Kernel(axes, (), (write,))]
        start = Name(self.pick(seen), INT) if seen else None
        (scalar,) = self.results(1, seen)
        return [Kernel(axes, (), (Write(scalar, value, "add", start),))]

    def carries(self, seen):
        count = int(self.random.integers(0, 3))
        initial = [self.value(seen) for _ in range(count)]
        inside = list(seen)
        return tuple(zip(self.results(count, inside), initial, strict=True)), inside

    def make_for(self, seen, depth):
        extent = self.pick([Const(3, INT), Const(0, INT), self.small(seen, 4)])
        carries, inside = self.carries(seen)
        index = self.fresh()
        names = [*inside, index]
        body = self.body(names, depth)
        nexts = tuple(self.value(names) for _ in carries)
        reverse = bool(self.random.random() < 0.3)
        results = self.results(len(carries), seen)
        return [For(index, extent, carries, body, nexts, results, reverse)]

    def make_while(self, seen, depth):
        carries, inside = self.carries(seen)
        counter = Scalar(self.fresh(), INT)
        carries = ((counter, Const(0, INT)), *carries)
        inside.append(counter.name)
        test = (Let(Scalar(self.fresh(), INT), self.value(inside)),)
        inside.append(test[0].scalar.name)
        few = Op("less", (Name(counter.name, INT), Const(3, INT)), "bool")
        condition = Op("logical_and", (few, self.condition(inside)), "bool")
        body = self.body(inside, depth)
        after = Op("add", (Name(counter.name, INT), Const(1, INT)), INT)
        nexts = (after, *(self.value(inside) for _ in carries[1:]))
        return [While(carries, test, condition, body, nexts, self.results(len(carries), seen))]

    def make_choice(self, seen, depth):
        index = Op("subtract", (self.small(seen, 5), Const(1, INT)), INT)
        count = int(self.random.integers(0, 3))
        branches = []
        for _ in range(self.random.integers(1, 4)):
            inside = list(seen)
            body = self.body(inside, depth)
            branches.append((body, tuple(self.value(inside) for _ in range(count))))
        return [Branch(index, tuple(branches), self.results(count, seen))]


def random_control(seed):
    """A program of integers."""
    making = _Control(np.random.default_rng(seed))
    buffers = (
        Buffer("x", INT, SIZE, "input"),
        Buffer("y", INT, SIZE, "output"),
        Buffer("s", INT, SIZE, "scratch"),
        Buffer("t", INT, SIZE, "scratch"),
    )
    first = [Copy(Place(name), Place("x"), SIZE) for name in "yst"]
    seen = []
    body = [*first, *making.body(seen, 3), *making.body(seen, 3)]
    body += [Store(Place("y", n), Name(name, INT)) for n, name in enumerate(seen[-6:])]
    return Program(f"control {seed}", buffers, tuple(body))
