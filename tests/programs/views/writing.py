"""Writes programs of views and writes, statement by statement, and runs them in plain NumPy."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.programs.views.program import OUTSIDE, PRELUDE, Program, Statement
from tests.programs.views.vocabulary import EXPRESSIONS, WRITES

__all__ = ["generate"]

SHAPES = [(), (), (1,), (2,), (3,), (4,), (3, 1), (1, 3), (2, 3), (3, 2), (3, 3), (2, 2), (2, 1, 2),
          (2, 2, 3), (1, 2, 2), (0,), (0, 2), (2, 0)]  # fmt: skip
LIMIT = 12.0
"""How large values may become, so that differences are accurate."""

MEASURED = 5
"""How many variables are measured at most."""


class UnfitError(Exception):
    """There is nothing that a field could be filled with."""


class Fields(dict[str, str]):
    """The fields of a template for the variable `a`, drawn as they are asked for."""

    def __init__(self, writer: Writer, a: str, name: str) -> None:
        super().__init__(a=a)
        self.writer = writer
        self.v = writer.values[a]
        self.shape = np.shape(self.v)
        self.name = name

    def __missing__(self, key: str) -> str:
        self[key] = text = self.name if key == "name" else str(getattr(self, key)())
        return text

    # -- operands --------------------------------------------------------------------------------

    def b(self) -> str:
        return self.writer.variable()

    def number(self) -> str:
        return self.writer.number(real=not np.iscomplexobj(self.v))

    def real(self) -> str:
        return self.writer.number(real=True)

    def value(self) -> str:
        return self.writer.operand(self.shape, real=False)

    def filling(self) -> str:
        return self.writer.operand(self.shape, real=not np.iscomplexobj(self.v), a=self["a"])

    def filling0(self) -> str:
        return self.writer.operand(self.shape[1:], real=not np.iscomplexobj(self.v))

    def part(self) -> str:
        target = np.shape(self.v[self.writer.key(self["slices"])])
        return self.writer.operand(target, real=not np.iscomplexobj(self.v), a=self["a"])

    def intpart(self) -> str:
        target = np.shape(self.v[self.writer.key(self["ints"])])
        return self.writer.operand(target, real=not np.iscomplexobj(self.v), a=self["a"])

    # -- subscripts ------------------------------------------------------------------------------

    def slices(self) -> str:
        return self.writer.slices(self.shape)

    slices1 = slices

    def slices2(self) -> str:
        return self.writer.slices(np.shape(self.v[self.writer.key(self["slices"])]))

    def flips(self) -> str:
        return ", ".join(self.pick(["::-1", ":"]) for _ in self.shape) or "..."

    def index(self) -> str:
        return ", ".join(str(self.place_in(n)) for n in self.shape) or "()"

    def where(self) -> str:
        return ", ".join(str(self.place_in(n)) for n in self.shape)

    def place_in(self, extent: int) -> int:
        if not extent:
            raise UnfitError
        return int(self.writer.rng.integers(-extent, extent))

    def place(self) -> int:
        return self.place_in(min(self.shape, default=0))

    def which(self) -> str:
        return self.pick(["0", "-1", "1"])

    def flat(self) -> int:
        return self.place_in(math.prod(self.shape))

    def flatslice(self) -> str:
        return self.pick([":2", "1:", "::2", "::-1", "-2:", ":"])

    def flatints(self) -> list[int]:
        return [self.flat() for _ in range(2)]

    def ints_of(self, extent: int) -> list[int]:
        return [self.place_in(extent) for _ in range(self.writer.rng.integers(1, 4))]

    def ints(self) -> str:
        if not self.shape:
            raise UnfitError
        ints = self.ints_of(self.shape[0])
        return self.pick([str(ints), str(ints), f"np.array({ints})", f"np.array([{ints}])", "[]"])

    def ints1(self) -> list[int]:
        if not self.shape:
            raise UnfitError
        return self.ints_of(self.shape[-1])

    def intkey(self) -> str:
        """Integer arrays, integers and slices, mixed."""
        if not self.shape:
            raise UnfitError
        length = self.writer.rng.integers(1, 4)
        parts = []
        for n in self.shape:
            ints = str([self.place_in(n) for _ in range(length)])
            parts.append(self.pick([ints, ints, ":", "::-1", str(self.place_in(n))]))
        return ", ".join(parts[: self.writer.rng.integers(1, len(parts) + 1)])

    def along(self) -> str:
        axis = int(self["axis"])
        shape = [1 if k == axis % len(self.shape) else n for k, n in enumerate(self.shape)]
        places = self.writer.rng.integers(0, self.shape[axis], shape)
        return f"np.array({places.tolist()})" if places.size else f"np.zeros({shape}, int)"

    def mask(self) -> str:
        if 0 in self.shape:
            raise UnfitError
        step = self.pick([2, 3])
        return f"np.arange({math.prod(self.shape)}).reshape({self.shape}) % {step} == 0"

    def mask0(self) -> str:
        """A mask of the first axis."""
        if not self.shape:
            return "True"
        return str(self.writer.rng.integers(0, 2, self.shape[0]).astype(bool).tolist())

    def valuemask(self) -> str:
        name = self.pick([self["a"], self.writer.variable(shape=self.shape)])
        real = ".real" if np.iscomplexobj(self.writer.values[name]) else ""
        compared = self.pick(["> 0.123", "< -0.077", "<= 0.5"])
        return f"{name}{real} {compared}"

    # -- shapes and axes -------------------------------------------------------------------------

    def pick(self, options: list[Any]) -> Any:
        return self.writer.pick(options)

    def axis(self) -> int:
        return self.place_in(len(self.shape))

    axis2 = axis

    def axes(self) -> tuple[int, ...]:
        return tuple(map(int, self.writer.rng.permutation(len(self.shape))))

    def offset(self) -> int:
        return self.pick([-1, 0, 1, 2])

    def length(self) -> int:
        return self.pick([1, 2, 3])

    def half(self) -> int:
        return (self.shape[0] + 1) // 2 if self.shape else 1

    def width(self) -> int:
        return self.pick([1, 2, 2])

    def order(self) -> str:
        return self.pick(["'C'", "'F'", "'A'", "'K'"])

    def demands(self) -> str:
        return self.pick(["['C']", "['F']", "['W']", "[]", "['A', 'W']"])

    def new_shape(self) -> tuple[int, ...]:
        return self.pick([(2,), (3,), (2, 2), (2, 3), (3, 1), (), (3, 3), (4,)])

    def shape_(self) -> Any:
        """The shape of a reshaped `a`."""
        size = math.prod(self.shape)
        factors = [(n, size // n) for n in range(1, size + 1) if size % n == 0]
        options = [(size,), (-1, 1), (1, -1), self.shape[::-1], *factors]
        if size == 1:
            options.append(())
        return self.pick(options)


class Writer:
    """Writes one program."""

    def __init__(self, seed: int, length: int, *, complex_numbers: bool, fortran: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.values: dict[str, Any] = {}
        self.statements: list[Statement] = []
        self.count = 0
        names = ["x", "y", "z"][: self.pick([1, 2, 2, 2, 3])]
        arguments = {name: self.argument(complex_numbers, fortran) for name in names}
        self.program = Program(arguments)
        self.restart()
        for _ in range(12 * length):
            if len(self.statements) >= length:
                break
            self.step()
        self.program = Program(arguments, tuple(self.statements), self.results())

    def pick(self, options: list[Any]) -> Any:
        return options[self.rng.integers(len(options))]

    def argument(self, complex_numbers: bool, fortran: bool) -> Any:
        shape = self.pick(SHAPES)
        x = np.asarray(self.rng.uniform(-1.3, 1.3, shape).round(6))
        while np.unique(x).size < x.size:  # what is sorted has no ties
            x = np.asarray(self.rng.uniform(-1.3, 1.3, shape).round(6))
        if complex_numbers and self.rng.random() < 0.7:
            x = np.asarray(x + 1j * self.rng.uniform(-1.0, 1.0, shape).round(3))
        if not shape:
            return self.pick([x, x, x[()], x.item()])
        return np.asarray(x, order="F") if fortran else x

    def restart(self) -> None:
        """Run what has been written from the beginning."""
        self.values = {"np": np, **OUTSIDE, **dict(zip(self.program.arguments, self.program.point,
                                                     strict=True))}  # fmt: skip
        exec(PRELUDE, self.values)
        for statement in self.statements:
            exec(statement.text, self.values)

    def names(self) -> list[str]:
        return [name for name in self.values if re.fullmatch(r"[xyz]|v\d+", name)]

    def results(self) -> tuple[str, ...]:
        """What is measured: most of the variables, as many share their memory."""
        names = self.names()
        return tuple(sorted(str(name) for name in self.rng.permutation(names)[:MEASURED]))

    def variable(self, shape: tuple[int, ...] | None = None) -> str:
        names = self.names()
        if shape is not None:
            names = [name for name in names if np.shape(self.values[name]) == shape]
        if not names:
            raise UnfitError
        return str(self.pick(names if self.rng.random() < 0.5 else names[-3:]))

    def number(self, *, real: bool) -> str:
        choice = self.rng.integers(6)
        if choice < 2:
            return f"{self.rng.uniform(-1.0, 1.0):.3f}"
        name = self.variable()
        v = self.values[name]
        if not np.size(v):
            return "0.5"
        index = ", ".join(str(self.rng.integers(-n, n)) for n in np.shape(v)) or "()"
        text = name if not isinstance(v, np.ndarray) else f"{name}[{index}]"
        if real and np.iscomplexobj(v):
            text = f"{text}.real"
        return str(self.pick([text, text, f"np.sin({text})", f"{text} * 0.5"]))

    def operand(self, shape: tuple[int, ...], *, real: bool, a: str | None = None) -> str:
        """Something that can be stored in an array of a shape, often a view of `a` itself."""
        if self.rng.random() < 0.25:
            return self.number(real=real)
        for _ in range(4):
            name = a if a is not None and self.rng.random() < 0.5 else self.variable()
            v = self.values[name]
            if not isinstance(v, np.ndarray) or (real and np.iscomplexobj(v)):
                continue
            key = self.slices(v.shape)
            for text, there in ((f"{name}[{key}]", v[self.key(key)]), (name, v)):
                if _broadcasts(np.shape(there), shape):
                    return str(self.pick([text, text, f"np.sin({text})", f"{text} * 0.7"]))
        outside = [n for n in ("P", "Q") if _broadcasts(OUTSIDE[n].shape, shape)]
        return self.pick(outside) if outside else self.number(real=real)

    @staticmethod
    def key(text: str) -> Any:
        return eval(f"k[{text}]", {"k": _Key(), "np": np})

    def slices(self, shape: tuple[int, ...]) -> str:
        options = [":", "::-1", "::2", "1:", ":2", "0", "-1", ":", ":-1", "::-2", "1::2", "-2:"]
        options += ["5:", "2:0:-1"]
        parts = [self.pick(options) for _ in shape]
        parts = [p if n or p not in ("0", "-1") else ":" for p, n in zip(parts, shape, strict=True)]
        if parts:
            parts = parts[: max(1, len(parts) - int(self.rng.random() < 0.25))]
        if self.rng.random() < 0.2:
            parts.append("...")
        elif self.rng.random() < 0.1:
            parts.insert(0, "...")
        if self.rng.random() < 0.12:
            parts.insert(self.rng.integers(len(parts) + 1), "None")
        return ", ".join(parts) or "..."

    def step(self) -> None:
        try:
            if self.rng.random() < 0.5:
                fields = Fields(self, self.variable(), "")
                self.attempt(self.pick(WRITES), fields)
            else:
                tables, chances = zip(*EXPRESSIONS, strict=True)
                table = tables[self.rng.choice(len(tables), p=chances)]
                fields = Fields(self, self.variable(), f"v{self.count}")
                if table is EXPRESSIONS[2][0]:
                    fields.update(shape=str(fields.new_shape()))
                self.attempt(self.pick(table), fields)
        except UnfitError:
            pass

    def attempt(self, template: str, fields: Fields) -> None:
        """Run a statement, and keep it if it went well."""
        if "{shape}" in template and "shape" not in fields:
            fields["shape"] = str(fields.shape_())
        try:
            template.format_map(fields)
        except (IndexError, ValueError, TypeError, KeyError) as error:
            raise UnfitError from error
        statement = Statement(template, tuple(fields.items()), fields.name)
        try:
            with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
                warnings.simplefilter("error")
                require_assigned = self.assignment(statement)
                exec(statement.text, self.values)
                require_assigned()
            self.inspect(fields.name)
        except UnfitError:
            self.restart()
            raise
        except Exception as error:
            if fields.name:
                self.values.pop(fields.name, None)
                if ";" not in template and "(" not in template:
                    raise UnfitError from error
            self.restart()
            raise UnfitError from error
        self.statements.append(statement)
        self.count += bool(fields.name)

    def assignment(self, statement: Statement) -> Callable[[], None]:
        """What raises `UnfitError` unless ``a[i] = b`` has assigned what `b` was before.

        NumPy's assignment to a line from another one with other strides in the same memory reads
        elements that it has written already.
        """
        target, _, value = statement.text.partition(" = ")
        if not re.fullmatch(r"\w+(\.T)?\[[^=]*\]", target) or " = " in value:
            return lambda: None
        before = eval(value, self.values)
        there = eval(target, self.values)
        if not np.may_share_memory(before, there):
            return lambda: None
        before = np.copy(before)

        def require() -> None:
            if not np.array_equal(eval(target, self.values), np.broadcast_to(before, there.shape)):
                raise UnfitError

        return require

    def inspect(self, name: str) -> None:
        """Raise unless all variables are numbers and arrays of moderate size and values."""
        for helper in ("row", "i", "index", "column"):
            self.values.pop(helper, None)
        if name and self.values[name] is None:
            raise UnfitError
        for each in self.names():
            v = self.values[each]
            if type(v) not in (np.ndarray, np.float64, np.complex128, float, complex):
                raise UnfitError
            if np.asarray(v).dtype.kind not in "fc" or np.size(v) > 40 or np.ndim(v) > 5:
                raise UnfitError
            if not np.all(np.abs(v) < LIMIT):
                raise UnfitError
            if isinstance(v, np.ndarray) and any(
                np.may_share_memory(v, p) for p in OUTSIDE.values()
            ):
                raise UnfitError
        if not self.names():
            raise UnfitError


class _Key:
    def __getitem__(self, key: Any) -> Any:
        return key


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether an array of shape `a` can be stored in one of shape `b`."""
    try:
        return np.broadcast_shapes(a, b) == b
    except ValueError:
        return False


def generate(seed: int) -> Program:
    """The random program of this number: short or long, real or complex, in either order."""
    return Writer(seed, 4 + seed % 9, complex_numbers=seed % 5 == 0, fortran=seed % 7 == 0).program
