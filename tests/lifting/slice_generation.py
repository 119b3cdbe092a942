"""Random programs of loops with slices whose length depends on an index, as text."""

from __future__ import annotations

import random
from collections.abc import Callable

HELPERS = """
def halved(v):
    return 0.5 * v


def scale(v, k):
    v[:k] *= 0.9
"""

PAIRS = [
    (":{i}", "6 - {i}:"), ("{i}:", ":6 - {i}"), ("{i} + 1:", ":5 - {i}"), (":{i} + 1", "5 - {i}:"),
    (":{i}", ":{i}"), ("{i}:", "{i}:"), ("1:{i}", "1:{i}"), (":{i} - 1", ":{i} - 1"),
    ("{i} - 1:", "{i} - 1:"), ("-{i}:", "-{i}:"), (":-{i}", ":-{i}"), ("{i}::-1", ":{i} + 1"),
    (":{i}:2", ":{i}:2"), ("{j}:{i}", "{j}:{i}"), ("{i}:{j}", ":{j} - {i}"),
    (":{i} // 2", ":{i} // 2"),
    (":min({i}, 4)", ":min({i}, 4)"), ("max({i} - 2, 0):{i}", "max({i} - 2, 0):{i}"),
    ("{i} - 3:{i}", "{i} - 3:{i}"), ("{i}:{i} + 2", "{i}:{i} + 2"), (":{i}", ":{j}"),
    ("2:{i} + 2", ":{i}"), (":2 * {i}", ":2 * {i}"), ("::-1", "::-1"), (":", ":"),
    ("{i}:{j} + 1", "{i}:{j} + 1"), (":{i} - 2:-1", ":{i} - 2:-1"),
]  # fmt: skip
"""Slices that are of the same length, often."""


class SliceProgram:
    """A function of an array `x` with local arrays ``a``, ``b`` and ``M`` and a number ``s``."""

    def __init__(self, seed: int, loops: int) -> None:
        self.rng = random.Random(seed)
        self.loops = loops
        self.indices: list[str] = []
        self.bound: list[str] = []
        self.lines: list[str] = []

    def text(self) -> str:
        rng = self.rng
        self.write(0, "def program(x):")
        for line in (
            "a = x * 0.5", "b = np.zeros(6)", "M = np.outer(x, x[::-1]) + np.eye(6)", "s = 0.1",
        ):  # fmt: skip
            self.write(1, line)
        if rng.random() < 0.2:
            self.write(1, "c = a[1:]")
        for _ in range(rng.randint(1, self.loops)):
            self.loop(1)
        self.write(1, "return s + np.sum(a * np.arange(6.0)) + np.sum(b * b) + np.sum(np.tanh(M))")
        return HELPERS + "\n\n" + "\n".join(self.lines) + "\n"

    def write(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def loop(self, depth: int) -> None:
        rng = self.rng
        name = "ijk"[len(self.indices)]
        choices = [
            "range(6)", "range(1, 6)", "range(5, -1, -1)", "range(0, 6, 2)", "range(5)",
            "range(4, 0, -1)",
        ]  # fmt: skip
        if self.indices:
            i = self.indices[-1]
            choices += [
                f"range({i})", f"range({i}, 6)", f"range({i} + 1, 6)", f"range({i}, -1, -1)",
                f"range({i} + 1)",
            ] * 2  # fmt: skip
        self.write(depth, f"for {name} in {rng.choice(choices)}:")
        self.indices.append(name)
        bound = list(self.bound)
        for _ in range(rng.randint(1, self.loops)):
            self.statement(depth + 1)
        self.bound = bound
        self.indices.pop()

    def statement(self, depth: int) -> None:
        rng = self.rng
        kinds: list[Callable[[int], None]] = [self.assignment] * 6
        if len(self.indices) < self.loops:
            kinds += [self.loop] * 2
        if depth < 5:
            kinds += [self.condition]
        rng.choice(kinds)(depth)

    def condition(self, depth: int) -> None:
        i, j = self.pair()
        test = self.rng.choice([
            f"{i} + 1 < 6", f"{i} > {j}", f"x[{i}] > 0.1", f"{i} > 0 and s < 2.0", f"{i} % 2 == 0",
            f"len(a[:{i}]) > 2", f"{i} >= 0",
        ])  # fmt: skip
        self.write(depth, f"if {test}:")
        bound = list(self.bound)
        for _ in range(self.rng.randint(1, 2)):
            self.assignment(depth + 1)
        self.bound = bound

    def pair(self) -> tuple[str, str]:
        return self.rng.choice(self.indices), self.rng.choice(self.indices)

    def cuts(self) -> tuple[str, str]:
        i, j = self.pair()
        one, other = self.rng.choice(PAIRS)
        one, other = one.format(i=i, j=j), other.format(i=i, j=j)
        return (one, other) if self.rng.random() < 0.5 else (other, one)

    def vector(self, cut: str) -> str:
        rng, i = self.rng, self.rng.choice(self.indices)
        return rng.choice([
            f"a[{cut}]", f"b[{cut}]", f"x[{cut}]", f"M[{i}, {cut}]", f"M[{cut}, {i}]",
            f"a[{cut}]", f"x[{cut}]", f"M.T[{i}, {cut}]", f"M[-1, {cut}]", f"M[{cut}, 2]",
        ])  # fmt: skip

    def value(self, one: str, other: str) -> str:
        rng = self.rng
        v, w = self.vector(one), self.vector(other)
        i = rng.choice(self.indices)
        return rng.choice([
            v, f"{v} + {w}", f"{v} * {w}", f"0.3 * {v} - {w}", f"np.sin({v})",
            f"{v} / (1.5 + {w} ** 2)", f"{v} * s", f"{v} / (s * s + 1.0)", f"np.flip({v})",
            f"{v}[::-1]", f"np.cumsum({v}) * 0.2", f"np.where({v} > {w}, {v}, 0.5 * {w})",
            f"np.maximum({v}, {w})", f"np.sqrt(1.0 + {v} * {v})", f"halved({v})", f"{v}.copy()",
            f"np.exp(-{v}) * {w}", f"abs({v})", f"-{v}", f"x[{i}] * {v}", f"np.zeros_like({v})",
            f"{v} / x[{i}]", f"np.log({v} ** 2 + 1.0)", f"np.arange(len({v})) * 0.1 + {v}",
            f"M[:{i}, 0] * np.ones({i})", f"np.clip({v}, -0.3, 0.3)",
        ])  # fmt: skip

    def scalar(self, one: str, other: str) -> str:
        rng = self.rng
        v, w = self.vector(one), self.vector(other)
        i = rng.choice(self.indices)
        return rng.choice([
            f"np.sum({v})", f"{v} @ {w}", f"np.dot({v}, {w})", f"{v}.sum()", f"len({v}) * 0.1",
            f"np.sum({v} * {w})", f"np.sum({self.value(one, other)})", f"{v}.shape[0] * s",
            f"sum({v})", f"np.linalg.norm({v})", f"np.prod({v} + 1.0)", f"np.max(x[:{i} + 1])",
            f"x[:{i} + 1].mean()", f"np.argmax(x[{i}:]) * 0.1", f"np.min(M[{i}:, {i}:])",
            f"np.sum(M[{one}, {other}])", f"np.sum(M[{one}, :] @ x)", f"np.std(x[:{i} + 2])",
            f"np.sum({v} @ M[{other}, :])", f"x[{i}:][0]", f"x[:{i} + 1][-1]",
            f"np.sum([{v}[0], 1.0])" if rng.random() < 0.3 else f"np.any({v} > 0.2) * 0.1",
            f"np.einsum('i,i->', {v}, {w})", f"np.sum(np.outer({v}, {w}))",
        ])  # fmt: skip

    def assignment(self, depth: int) -> None:
        rng = self.rng
        one, other = self.cuts()
        i, j = self.pair()
        y = rng.choice("ab")
        forms = [
            f"s += 0.1 * {self.scalar(one, other)}",
            f"s = np.tanh(s + {self.scalar(one, other)})",
            f"{y}[{one}] = {self.value(one, other)}",
            f"{y}[{one}] += 0.3 * {self.value(one, other)}",
            f"{y}[{one}] *= 0.7",
            f"M[{i}, {one}] -= 0.2 * {self.value(other, one)}",
            f"M[{one}, {i}] = 0.5 * {self.value(other, one)}",
            f"M[{i} + 1:, {i} + 1:] -= 0.1 * np.outer(M[{i} + 1:, {i}], M[{i}, {i} + 1:])",
            f"M[{one}, {other}] *= 0.8",
            f"M[{one}] += 0.1 * x",
            f"M[{i}:, {i}] /= M[{i}, {i}] ** 2 + 1.0",
            f"{y}[{i}] = {self.scalar(one, other)}",
            f"{y}[{i}] -= 0.1 * {self.scalar(one, other)}",
            f"{y}[{one}] = {rng.uniform(-1, 1):.2f}",
            f"scale({y}, {i})",
            f"M[:, {one}] = 0.9 * M[:, {one}]",
            f"M[{one}, {j}] = x[{i}]",
            f"r = {self.value(one, other)}",
            f"r = {self.vector(one)}",
            f"{y} = {y} + 0.1 * x",
        ]
        if "r" in self.bound:
            forms += [
                "s += 0.1 * np.sum(r)", "r *= 0.5", "r[:] = 0.3 * r + 0.1", "s += 0.2 * (r @ r)",
                f"r[{i}:] += 0.1", "r = r + 0.1", f"s += r[{i}]", f"s += np.sum(r[:{i}])",
                f"{y}[{one}] += r",
            ] * 2  # fmt: skip
        if any("c = a[1:]" in line for line in self.lines):
            forms += [f"c[:{i}] *= 0.8", f"c[{i}:] += 0.1"]
        form = rng.choice(forms)
        if form.startswith("r = "):
            self.bound.append("r")
        self.write(depth, form)


def slice_program(seed: int, loops: int = 3) -> str:
    """The text of a program, of so many loops one after the other and in each other at most."""
    return SliceProgram(seed, loops).text()
