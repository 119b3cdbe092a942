"""Formulas as boxes: what the writers of text, LaTeX and MathML have in common."""

from __future__ import annotations

from dataclasses import dataclass

from pullback.explain.names import Name

__all__ = [
    "Box",
    "Call",
    "Fenced",
    "Fraction",
    "Mark",
    "Named",
    "Over",
    "Root",
    "Row",
    "SumOver",
    "Superscript",
    "Text",
    "row",
]


@dataclass(frozen=True, slots=True)
class Box:
    """Base class."""


@dataclass(frozen=True, slots=True)
class Named(Box):
    """A named value, with what stands below it."""

    name: Name
    below: tuple[str, ...] = ()
    transposed: bool = False


@dataclass(frozen=True, slots=True)
class Text(Box):
    """A number, a letter or a symbol that stands by itself; `upright` for words and digits."""

    text: str
    upright: bool = False


@dataclass(frozen=True, slots=True)
class Mark(Box):
    """An operator between its neighbours, or a sign before the next."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Row(Box):
    """Boxes side by side."""

    parts: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Fenced(Box):
    """A box in brackets: (), ‖‖, ||, ⟨⟩, []."""

    body: Box
    fences: str = "()"


@dataclass(frozen=True, slots=True)
class Fraction(Box):
    """A quotient; `linear` for one that is written on the line where lines are narrow."""

    above: Box
    below: Box


@dataclass(frozen=True, slots=True)
class Superscript(Box):
    """A box with a power, or with T for the transpose."""

    base: Box
    above: Box


@dataclass(frozen=True, slots=True)
class Root(Box):
    """A square root."""

    body: Box


@dataclass(frozen=True, slots=True)
class SumOver(Box):
    """Σ over an index of what follows."""

    index: str
    body: Box


@dataclass(frozen=True, slots=True)
class Call(Box):
    """A function of arguments, with primes."""

    function: str
    primes: int
    args: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Over(Box):
    """∂ above / ∂ below, with what is differentiated behind it if it is long."""

    above: Box | None
    below: Box
    body: Box | None = None


def row(*parts: Box) -> Box:
    """Boxes side by side, rows in it dissolved."""
    flat: list[Box] = []
    for part in parts:
        flat += part.parts if isinstance(part, Row) else [part]
    return flat[0] if len(flat) == 1 else Row(tuple(flat))
