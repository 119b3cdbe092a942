"""Random programs of loops, conditions and writes, as text."""

from __future__ import annotations

import random
from collections.abc import Callable

N = 6
"""The extent of all arrays."""

HELPERS = """
def clipped(v, top):
    if v > top:
        return top * 0.5 + v * 0.1
    return v


def put(y, k, v):
    y[k] = v
"""


class Program:
    """A function of an array `x` with local arrays ``a`` and ``b`` and numbers ``s`` and ``t``."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.depth = 0
        self.loops = 0
        self.indices: list[str] = []
        self.counters = 0
        self.swapped = False
        self.lines: list[str] = []

    def text(self) -> str:
        self.write(0, "def program(x):")
        for line in ("a = np.zeros(6)", "b = x * 0.5", "s = 0.0", "t = x[1]", "n = 0"):
            self.write(1, line)
        if self.rng.random() < 0.3:
            self.write(1, "v = a[1:]")
        if self.rng.random() < 0.2:
            self.write(1, "c = a")
        for _ in range(self.rng.randint(2, 4)):
            self.statement(1)
        self.write(1, "return s + t * n + np.sum(a * np.arange(6.0)) + np.sum(b * b)")
        return HELPERS + "\n\n" + "\n".join(self.lines) + "\n"

    def write(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def statement(self, depth: int) -> None:
        kinds: list[Callable[[int], None]] = [self.assignment] * 4
        if depth < 4:
            kinds += [self.loop] * (3 if depth == 1 else 1) + [self.condition] * 2
            kinds += [self.while_loop] if depth < 3 else []
        self.rng.choice(kinds)(depth)

    def block(self, depth: int) -> None:
        for _ in range(self.rng.randint(1, 3)):
            self.statement(depth)

    def loop(self, depth: int) -> None:
        rng = self.rng
        name = "ijk"[len(self.indices)] if len(self.indices) < 3 else "i"
        choices = ["range(6)", "range(1, 6)", "range(5, -1, -1)", "range(0, 6, 2)", "range(3)"]
        if self.indices:
            choices += [f"range({self.indices[-1]})", f"range({self.indices[-1]}, 6)"] * 2
        over = rng.choice(choices)
        if rng.random() < 0.1 and depth == 1:
            self.write(depth, f"for {name}, e in enumerate(x):")
        else:
            self.write(depth, f"for {name} in {over}:")
        self.indices.append(name)
        self.loops += 1
        self.block(depth + 1)
        if rng.random() < 0.3:
            self.leave(depth + 1)
        self.indices.pop()
        self.loops -= 1

    def while_loop(self, depth: int) -> None:
        self.counters += 1
        name = f"w{self.counters}"
        self.write(depth, f"{name} = 0")
        test = self.rng.choice([f"{name} < 4", f"{name} < 5 and {self.test()}", f"{name} < n"])
        self.write(depth, f"while {test}:")
        self.loops += 1
        self.write(depth + 1, f"{name} += 1")
        self.block(depth + 1)
        self.loops -= 1

    def leave(self, depth: int) -> None:
        how = self.rng.choice(["break", "continue", "break", "return s + t", "n += 1"])
        self.write(depth, f"if {self.test()}:")
        self.write(depth + 1, how)
        self.assignment(depth)

    def condition(self, depth: int) -> None:
        self.write(depth, f"if {self.test()}:")
        self.block(depth + 1)
        if self.rng.random() < 0.5:
            self.write(depth, "else:")
            self.block(depth + 1)

    def test(self) -> str:
        rng = self.rng
        options = [
            f"{self.element()} > {rng.choice(['0.2', '0.0', '-0.3'])}",
            "s < 0.5",
            "n % 2 == 0",
        ]
        if self.indices:
            i = self.indices[-1]
            options += [f"{i} % 2 == 0", f"{i} > 2", f"{i} + 1 < 6 and x[{i} + 1] > 0.1",
                        f"0 < {i} < 4", f"not {i} == 3"]  # fmt: skip
        return rng.choice(options)

    def index(self) -> str:
        if self.indices and self.rng.random() < 0.8:
            i = self.rng.choice(self.indices)
            return self.rng.choice([i, i, f"{i} - 1", f"5 - {i}"])
        return str(self.rng.randint(-2, 5))

    def element(self) -> str:
        return f"{self.rng.choice('xxab')}[{self.index()}]"

    def value(self) -> str:
        rng = self.rng
        one = rng.choice([self.element(), "s", "t", self.element(), f"{rng.uniform(-1, 1):.2f}"])
        other = rng.choice([self.element(), "t", f"{rng.uniform(-1, 1):.2f}"])
        form = rng.choice([
            "{0} + {1}", "{0} * {1}", "np.sin({0}) - {1}", "0.5 * ({0} + {1})", "np.tanh({0})",
            "clipped({0}, 0.4)", "({0} if {1} > 0 else {1})", "{0}",
        ])  # fmt: skip
        return form.format(one, other)

    def assignment(self, depth: int) -> None:
        rng = self.rng
        y = rng.choice("ab")
        form = rng.choice([
            f"{y}[{self.index()}] = {self.value()}",
            f"{y}[{self.index()}] += 0.5 * {self.value()}",
            f"s += 0.3 * {self.value()}",
            f"s = np.tanh(s + {self.value()})",
            f"t = {self.value()}",
            f"{y}[1:-1] = 0.5 * (b[:-2] + a[2:])",
            f"{y} = 0.5 * {y} + 0.1 * x",
            f"{y} *= 0.7",
            "a, b = b, a" if depth == 2 and not self.swapped else "s *= 0.9",
            f"put({y}, {self.index()}, {self.value()})",
            "n += 1",
            f"r = {self.value()}; s = s + 0.1 * r",
        ])  # fmt: skip
        if "v = a[1:]" in "".join(self.lines[:20]) and rng.random() < 0.15:
            form = f"v[{rng.randint(0, 4)}] = {self.value()}"
        self.swapped = self.swapped or form == "a, b = b, a"
        for each in form.split("; "):
            self.write(depth, each)


def program(seed: int) -> str:
    """The text of a program."""
    return Program(seed).text()
