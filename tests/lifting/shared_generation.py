"""Random programs whose state is shared and held in many ways, as text.

Arrays have several names, are looked into by views, and are held by lists, dicts, objects and
functions; numbers are bound in nested conditions and loops, which are left in all ways. Each
program is made of a few kinds of statements, so that each kind meets each other one.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.lifting import shared_statements as known


class SharedProgram:
    """A function of an array `x` of six with arrays ``a`` and ``b`` and numbers ``s`` and ``t``."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.kinds = ["", *sorted(rng.sample(sorted(known.BEGINNINGS), rng.randint(2, 5)))]
        self.indices: list[str] = []
        self.names = 0
        self.size, self.most = 0, rng.randint(5, 14)
        self.loops = 0
        self.lines: list[str] = []

    def text(self) -> str:
        rng = self.rng
        self.write(0, "def program(x):")
        self.write(1, rng.choice(["a = np.zeros(6)", "a = x * x", "a = x.copy()"]))
        for line in ("b = x * 0.5", "s = 0.1", "t = x[1]", "n = 0"):
            self.write(1, line)
        for kind in self.kinds[1:]:
            for line in known.BEGINNINGS[kind]:
                self.write(1, line)
        for kind, (head, bodies) in known.FUNCTIONS.items():
            if kind in self.kinds:
                self.write(1, head)
                for line in rng.choice(bodies):
                    self.write(2, line)
        while self.size < self.most:
            self.statement(1)
        ends = ["s + t * n", "np.sum(a * np.arange(6.0))", "np.sum(b * b)"]
        ends += [known.ENDS[kind] for kind in self.kinds if kind in known.ENDS]
        self.write(1, "return " + " + ".join(ends))
        return known.HELPERS + "\n\n" + "\n".join(self.lines) + "\n"

    def write(self, depth: int, lines: str) -> None:
        self.lines += ["    " * depth + line for line in lines.split("\n")]

    def chosen(self, table: dict[str, list[str]]) -> str:
        """One of those of the program's kinds; as often of the kinds as of those of all."""
        special = [each for kind in self.kinds[1:] for each in table.get(kind, ())]
        rng = self.rng
        return rng.choice(special if special and rng.random() < 0.6 else table[""])

    # -- blocks --------------------------------------------------------------------------------

    def statement(self, depth: int) -> None:
        self.size += 1
        ways: list[Callable[[int], None]] = [self.simple] * 6
        if depth < 5 and self.size < self.most:
            ways += [self.loop] * (5 if depth == 1 else 1) + [self.condition] * 3
            ways += [self.while_loop] * (2 if "while" in self.kinds else 0)
            ways += [self.nested] * (1 if "with" in self.kinds else 0)
        self.rng.choice(ways)(depth)

    def block(self, depth: int) -> None:
        for _ in range(self.rng.randint(1, 3)):
            self.statement(depth)

    def loop(self, depth: int) -> None:
        rng = self.rng
        name = "ijk"[len(self.indices) % 3]
        over = ["range(6)", "range(1, 6)", "range(5, -1, -1)", "range(0, 6, 2)", "range(12)"]
        if "zero" in self.kinds:
            over += ["range(0)", "range(n)", "range(6, 6)", "range(n, 5)"]
        if self.indices:
            over += [f"range({self.indices[-1]} % 6)", f"range({self.indices[-1]} % 6, 6)"] * 2
        heads = [f"{name} in {rng.choice(over)}"] * 5
        heads += [f"{name}, z in enumerate(x)", f"{name}, z in zip(range(6), b * 1.0)"]
        heads += [f"{name}, z in enumerate(M[:, 0])"] if "rows" in self.kinds else []
        heads += [f"{name}, z in enumerate(L)"] if "list" in self.kinds else []
        late = "late" in self.kinds
        if late and rng.random() < 0.4:
            self.write(depth, f"{name} = 3")
        self.write(depth, f"for {rng.choice(heads)}:")
        self.indices.append(name)
        self.inside(depth)
        self.indices.pop()
        if late and rng.random() < 0.5:
            self.write(depth, rng.choice([f"s += 0.1 * {name}", f"n += {name}"]))

    def inside(self, depth: int) -> None:
        """The body of a loop, and what it has besides."""
        self.loops += 1
        self.block(depth + 1)
        if self.rng.random() < (0.6 if "leaving" in self.kinds else 0.1):
            self.leave(depth + 1)
        self.loops -= 1
        if "else" in self.kinds and self.rng.random() < 0.4:
            self.write(depth, "else:")
            self.simple(depth + 1)

    def while_loop(self, depth: int) -> None:
        name, top = self.name("m"), self.rng.choice(["4", "7", "2", "n % 5"])
        self.write(depth, f"{name} = 0")
        test = self.rng.choice([
            f"{name} < {top}", f"{name} < {top} and {self.test()}", f"not {name} >= {top}",
            f"{self.test()} and {name} < {top}", f"0 <= {name} < {top}",
        ])  # fmt: skip
        self.write(depth, f"while {test}:")
        self.write(depth + 1, f"{name} += 1")
        self.inside(depth)

    def nested(self, depth: int) -> None:
        self.write(depth, "with np.errstate(all='ignore'):")
        self.block(depth + 1)

    def leave(self, depth: int) -> None:
        rng = self.rng
        how = ["break", "continue", "break", "return s + t + np.sum(a)", "return np.sum(b * a)"]
        self.write(depth, f"if {self.test()}:")
        if rng.random() < 0.4:
            self.simple(depth + 1)
        self.write(depth + 1, rng.choice(how))
        if rng.random() < 0.3:
            self.write(depth, "else:")
            self.simple(depth + 1)
        self.simple(depth)

    def condition(self, depth: int) -> None:
        rng = self.rng
        self.write(depth, f"if {self.test()}:")
        self.block(depth + 1)
        if "leaving" in self.kinds and rng.random() < 0.2:
            how = ["continue", "break"] if self.loops else ["return s * t + np.sum(a)"]
            self.write(depth + 1, rng.choice(how))
        if rng.random() < 0.2:
            self.write(depth, f"elif {self.test()}:")
            self.block(depth + 1)
        if rng.random() < 0.5:
            self.write(depth, "else:")
            self.block(depth + 1)

    # -- what they are made of -------------------------------------------------------------------

    def name(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    def first(self) -> str:
        """An index that is at least 0."""
        return f"{self.indices[-1]} % 6" if self.indices else str(self.rng.randint(0, 5))

    def index(self) -> str:
        rng = self.rng
        if not self.indices or rng.random() < 0.2:
            return str(rng.randint(-2, 5))
        i = rng.choice(self.indices)
        more = [f"e[{i} % 6]", "n % 6"] if "integers" in self.kinds else []
        return rng.choice([f"{i} % 6", f"{i} % 6", f"{i} % 6 - 1", f"5 - {i} % 6", *more])

    def element(self) -> str:
        k = self.index()
        m = self.rng.randint(0, 4)
        return self.chosen(known.ELEMENTS).format(k=f"[{k}]", l=k, m=m)

    def test(self) -> str:
        if self.indices and self.rng.random() < 0.3:
            return self.rng.choice(known.INDEXED).format(i=self.indices[-1])
        return self.chosen(known.CONDITIONS).format(self.element(), self.element())

    def number(self) -> str:
        rng = self.rng
        one = rng.choice([self.element(), "s", "t", self.element(), f"{rng.uniform(-1, 1):.2f}"])
        other = rng.choice([self.element(), "t", f"{rng.uniform(-1, 1):.2f}"])
        return self.chosen(known.NUMBERS).format(one, other, i=self.first())

    def simple(self, depth: int) -> None:
        y, z = self.rng.choice(["ab", "ba", "aa"])
        places = {
            "y": y, "z": z, "k": self.index(), "e": self.number(), "c": self.test(),
            "i": self.first(), "m": self.rng.randint(0, 4), "w": self.name("k"),
        }  # fmt: skip
        self.write(depth, self.chosen(known.STATEMENTS).format(**places))


def shared_program(seed: int) -> str:
    """The text of a program."""
    return SharedProgram(seed).text()
