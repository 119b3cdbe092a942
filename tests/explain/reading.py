"""Reads what is printed of a derivation, and evaluates it.

It knows nothing of the expressions that were printed: only the text, and the values of names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

__all__ = ["Entries", "Matrices"]

FUNCTIONS = {
    "tanh": np.tanh, "exp": np.exp, "ln": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "sign": np.sign, "abs": np.abs, "max": np.maximum, "min": np.minimum,
    "log1p": np.log1p, "expm1": np.expm1,
    "σ": lambda x: 1 / (1 + np.exp(-x)), "step": lambda x: np.heaviside(x, 0.5),
    "where": lambda c, a, b: np.where(c, a, b),
}  # fmt: skip
VULGAR = {"½": 1 / 2, "⅓": 1 / 3, "⅔": 2 / 3, "¼": 1 / 4, "¾": 3 / 4}
POWERS = {c: i for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
STEP = 1e-6


class Reader:
    """What both notations have in common: names, numbers, functions, brackets."""

    def __init__(self, values: Mapping[str, np.ndarray]) -> None:
        self.values = dict(values)
        names = sorted((*self.values, *FUNCTIONS), key=len, reverse=True)
        self.names = re.compile("|".join(map(re.escape, names)))
        self.text, self.place = "", 0

    def peek(self, what: str) -> bool:
        return self.text.startswith(what, self.place)

    def take(self, what: str) -> bool:
        if not self.peek(what):
            return False
        self.place += len(what)
        return True

    def need(self, what: str) -> None:
        assert self.take(what), f"wanted {what!r} at {self.text[self.place :]!r} of {self.text!r}"

    def match(self, pattern: str) -> str | None:
        found = re.compile(pattern).match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        return found[0]

    def name(self) -> str | None:
        found = self.names.match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        return found[0]

    def read(self, text: str):
        self.text, self.place = text, 0
        result = self.sum()
        assert self.place == len(text), f"left over: {text[self.place :]!r} of {text!r}"
        return result

    def number(self) -> float | None:
        for sign, value in VULGAR.items():
            if self.take(sign):
                return value
        found = self.match(r"[0-9]+(?:\.[0-9]+)?")
        return None if found is None else float(found)

    def power(self) -> str | None:
        return self.match("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")

    def sum(self):
        raise NotImplementedError


Env = dict[str, int]


class Entries(Reader):
    """Lines in entries: each reads as a function of the places that letters stand for."""

    def __init__(self, values: Mapping[str, np.ndarray]) -> None:
        super().__init__(values)
        self.meanings: dict[str, tuple[list[str], Callable[[Env], float]]] = {}
        self.extents: dict[str, int] = {}
        self.given: dict[str, int] = {}
        self.equal: list[tuple[str, str]] = []

    def like(self, letter: str) -> int:
        """The extent of a letter that stands below δ alone: that of the one beside it."""
        for left, right in self.equal:
            if letter in (left, right):
                return self.given[right if left == letter else left]
        raise AssertionError(f"how far does {letter} run in {self.text!r}?")

    def everywhere(self, text: str, letters: list[str], extents: dict[str, int]) -> np.ndarray:
        """The line at all places of these letters."""
        self.given, self.equal = extents, []
        line = self.read(text)
        shape = tuple(extents[x] for x in letters)
        found = np.empty(shape)
        for at in np.ndindex(*shape):
            found[at] = line(dict(zip(letters, at, strict=True)))
        return found

    def define(self, left: str, right: str) -> None:
        """An abbreviation: ``v_j`` stands for what is on the right."""
        self.text, self.place = left, 0
        name = self.name()
        letters = self.below()
        assert self.place == len(left), left
        body = self.read(right)
        self.meanings[name] = (letters, body)

    def below(self) -> list[str]:
        if not self.take("_"):
            return []
        text = self.match(r"[0-9a-z]+(?:,[0-9a-z]+)*")
        return text.split(",") if "," in text else [text] if text.isdigit() else list(text)

    def at(self, name: str, letters: list[str]) -> Callable[[Env], float]:
        self.extents.update(zip(letters, self.values[name].shape, strict=True))

        def value(env: Env) -> float:
            places = tuple(int(x) if x.isdigit() else env[x] for x in letters)
            if name in self.meanings:
                formal, body = self.meanings[name]
                return body(dict(zip(formal, places, strict=True)))
            return self.values[name][places]

        return value

    def sum(self):
        terms = []
        sign = -1 if self.take("−") else 1
        while True:
            terms.append((sign, self.product()))
            if self.take(" + "):
                sign = 1
            elif self.take(" − "):
                sign = -1
            else:
                return lambda env: sum(s * t(env) for s, t in terms)

    def product(self):
        factors = []
        inverse = False
        while True:
            factors.append((inverse, self.factor()))
            if self.take("·"):
                inverse = False
            elif self.take("/"):
                inverse = True
            else:
                break

        def value(env: Env) -> float:
            result = 1.0
            for below, factor in factors:
                result = result / factor(env) if below else result * factor(env)
            return result

        return value

    def factor(self):
        base = self.base()
        text = self.power()
        if text is not None:
            n = int("".join(str(POWERS[c]) for c in text))
            return lambda env: base(env) ** n
        if self.take("^("):
            exponent = self.sum()
            self.need(")")
            return lambda env: base(env) ** exponent(env)
        return base

    def base(self):
        number = self.number()
        if number is not None:
            return lambda _env: number
        if self.take("Σ_"):
            letter = self.match("[a-z]")
            self.need(" ")
            around, self.extents = self.extents, {}
            body = self.product()
            inside, self.extents = self.extents, around
            extent = inside.pop(letter, None) or self.like(letter)
            self.extents.update(inside)
            return lambda env: sum(body({**env, letter: k}) for k in range(extent))
        if self.take("∂/∂"):
            by, letters = self.name(), self.below()
            self.need(" ")
            return self.slope(self.factor(), by, letters)
        if self.take("∂"):
            of = self.at(self.name(), self.below())
            self.need("/∂")
            return self.slope(of, self.name(), self.below())
        if self.take("√("):
            return self.closed(")", np.sqrt)
        if self.take("("):
            return self.closed(")", lambda x: x)
        if self.take("|"):
            return self.closed("|", abs)
        if self.take("["):
            return self.closed("]", lambda x: float(bool(x)))
        if self.peek("δ_"):
            self.need("δ")
            left, right = self.below()
            self.equal.append((left, right))

            def kronecker(env: Env) -> float:
                a, b = (int(x) if x.isdigit() else env[x] for x in (left, right))
                return float(a == b)

            return kronecker
        name = self.name()
        assert name is not None, f"what is {self.text[self.place :]!r} of {self.text!r}?"
        if name in FUNCTIONS and name not in self.values:
            return self.call(name)
        letters = self.below()
        return self.at(name, letters)

    def closed(self, end: str, function):
        body = self.sum()
        self.need(end)
        return lambda env: function(body(env))

    def call(self, name: str):
        primed = self.take("′")
        self.need("(")
        args = [self.sum()]
        while self.take(", "):
            args.append(self.sum())
        self.need(")")
        function = FUNCTIONS[name]
        if primed:
            (x,) = args
            return lambda env: (function(x(env) + STEP) - function(x(env) - STEP)) / (2 * STEP)
        return lambda env: function(*(x(env) for x in args))

    def slope(self, body, by: str, letters: list[str]):
        """∂ body by one entry, by differences."""
        self.extents.update(zip(letters, self.values[by].shape, strict=True))

        def value(env: Env) -> float:
            at = tuple(int(x) if x.isdigit() else env[x] for x in letters)
            held = self.values[by]
            step = STEP * (1 + abs(held[at]))
            sides = []
            for sign in (1, -1):
                moved = np.array(held, float)
                moved[at] += sign * step
                self.values[by] = moved
                sides.append(body(env))
            self.values[by] = held
            return (sides[0] - sides[1]) / (2 * step)

        return value


class Matrices(Reader):
    """Lines in matrix notation: vectors are columns, 𝟏 is as long as it has to be."""

    def __init__(self, values: Mapping[str, np.ndarray]) -> None:
        super().__init__({name: column(value) for name, value in values.items()})
        self.arrays = values

    def value(self, text: str, shape: tuple[int, ...]) -> np.ndarray:
        """What the text says, as an array of this shape."""
        self.shape = shape
        found = self.read(text)
        squeezed = tuple(n for n in shape if n != 1)
        if isinstance(found, Ones):
            return np.full(shape, float(np.squeeze(found.value)))
        if len(squeezed) < 2:
            found = np.broadcast_to(np.ravel(found), squeezed or (1,))
        return np.broadcast_to(found, squeezed or (1,)).reshape(shape)

    def sum(self):
        total = None
        sign = -1 if self.take("−") else 1
        while True:
            term = sign * self.product()
            total = term if total is None else total + term
            if self.take(" + "):
                sign = 1
            elif self.take(" − "):
                sign = -1
            else:
                return total

    def product(self):
        left = self.factor()
        while True:
            if self.take(" ⊙ ") or self.take("·"):
                left = left * self.factor()
            elif self.take("/"):
                left = left / self.factor()
            elif self.peek(" ") and not self.peek(" + ") and not self.peek(" − "):
                self.need(" ")
                left = times(left, self.factor())
            else:
                return left

    def factor(self):
        base = self.base()
        while True:
            if self.take("ᵀ"):
                base = base.T
            elif (text := self.power()) is not None:
                base = base ** int("".join(str(POWERS[c]) for c in text))
            elif self.take("^("):
                base = base ** self.sum()
                self.need(")")
            elif (text := self.match("[ᵃᵇ]")) is not None:
                base = base ** self.values["ab"["ᵃᵇ".index(text)]]
            else:
                return base

    def base(self):
        number = self.number()
        if number is not None:
            return np.array([[number]])
        if self.take("𝟏"):
            return Ones("column")
        if self.take("√("):
            return self.closed(")", np.sqrt)
        if self.take("("):
            return self.closed(")", lambda x: x)
        if self.take("‖"):
            return self.closed("‖", lambda x: np.sqrt(np.sum(x**2)).reshape(1, 1))
        if self.take("|"):
            return self.closed("|", np.abs)
        if self.take("["):
            return self.closed("]", lambda x: np.where(x, 1.0, 0.0))
        if self.take("⟨"):
            left = self.sum()
            self.need(", ")
            return self.closed("⟩", lambda right: np.sum(left * right).reshape(1, 1))
        if self.take("diag("):
            return self.closed(")", lambda x: np.diag(np.ravel(x)))
        if self.take("e_"):
            row = int(self.match("[0-9]+"))
            size = self.shape[-1] if self.peek("ᵀ") else self.shape[0]
            return np.eye(size)[:, row : row + 1]
        name = self.name()
        assert name is not None, f"what is {self.text[self.place :]!r} of {self.text!r}?"
        if name in FUNCTIONS and name not in self.values:
            return self.call(name)
        if self.take("_"):
            text = self.match(r"[0-9:]+(?:,[0-9:]+)*")
            places = tuple(slice(None) if x == ":" else int(x) for x in text.split(","))
            return column(self.arrays[name][places])
        return self.values[name]

    def closed(self, end: str, function):
        body = self.sum()
        self.need(end)
        return function(body)

    def call(self, name: str):
        primed = self.take("′")
        self.need("(")
        args = [self.sum()]
        while self.take(", "):
            args.append(self.sum())
        self.need(")")
        function = FUNCTIONS[name]
        if primed:
            (x,) = args
            return (function(x + STEP) - function(x - STEP)) / (2 * STEP)
        return function(*args)


class Ones:
    """A vector of ones of any length, times a number."""

    __array_ufunc__ = None

    def __init__(self, kind: str, value=1.0) -> None:
        self.kind, self.value = kind, value

    @property
    def T(self) -> Ones:  # noqa: N802
        return Ones("row" if self.kind == "column" else "column", self.value)

    def __mul__(self, other):
        if np.size(other) == 1:
            return Ones(self.kind, self.value * other)
        return self.value * other

    def __add__(self, other):
        return self.value + other

    __rmul__, __radd__ = __mul__, __add__


def column(x: np.ndarray) -> np.ndarray:
    """Vectors as columns, without axes of length 1."""
    x = np.squeeze(np.asarray(x))
    return x.reshape(-1, 1) if x.ndim < 2 else x


def times(a, b):
    """The product of matrices, or a number times one; that with ones adds or repeats."""
    if isinstance(a, Ones):
        return a.value * (b.sum(axis=0, keepdims=True) if a.kind == "row" else b)
    if isinstance(b, Ones):
        return b.value * (a.sum(axis=1, keepdims=True) if b.kind == "column" else a)
    return a * b if a.size == 1 or b.size == 1 else a @ b
