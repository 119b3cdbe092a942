"""What an explanation consists of: steps, with the lines of their derivations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pullback.explain.boxes import Box
from pullback.explain.names import Name

__all__ = ["Equation", "Repeat", "Route", "Step"]


@dataclass(frozen=True)
class Equation:
    """One line: ``left = right``, and why.

    Attributes
    ----------
    left : Box or None
        `None` where it is that of the line above.
    right : Box
    law : str or Box
        Words, or a formula.
    """

    left: Box | None
    right: Box
    law: str | Box = ""


@dataclass(frozen=True)
class Route:
    """How a value comes back, or goes on, from one named value to another.

    Attributes
    ----------
    source, target : Name
        What is known, and what is passed on to.
    known : Equation
        We know z̄ = ….
    where : tuple of Equation
        What abbreviations stand for.
    lines : tuple of Equation
        ∂z_k/∂u_i, law by law.
    entries : Equation
        What is passed on, in entries.
    matrix : Box or None
        The same in matrix notation.
    same_as : str
        The step that derives the same form, if this one is not derived again.
    rule : str
        For a primitive without a formula the docstring of its rule.
    """

    source: Name
    target: Name
    known: Box
    where: tuple[Equation, ...] = ()
    lines: tuple[Equation, ...] = ()
    entries: Equation | None = None
    matrix: Box | None = None
    same_as: str = ""
    rule: str = ""


@dataclass(frozen=True)
class Step:
    """A step of an explanation.

    Attributes
    ----------
    kind : {"argument", "definition", "cotangent", "tangent", "seed"}
    name : Name
        The named value it is about.
    left : Box
        The name, barred or dotted.
    result : Box
        What it equals, in matrix notation where there is one.
    shape : tuple of int
    dtype : str
    value : str
        The value, if the array is small.
    entries : tuple of Equation
        The definition in entries.
    routes : tuple of Route
    operations, bytes : int
        Of computing the result as it is written.
    keeps : tuple of Name
        What has to be kept from the forward sweep.
    notes : tuple of str
    source : str
        The user's line.
    form : object
        The same for steps that differ in names alone.
    inner : tuple of (str, tuple of Step)
        What happens in the body of a loop.
    array : array
        The value itself.
    """

    kind: str
    name: Name
    left: Box
    result: Box | None
    shape: tuple[int, ...] = ()
    dtype: str = "float64"
    value: str = ""
    entries: tuple[Equation, ...] = ()
    routes: tuple[Route, ...] = ()
    operations: int = 0
    bytes: int = 0
    keeps: tuple[Name, ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""
    form: object = None
    inner: tuple[tuple[str, tuple[Step, ...]], ...] = ()
    array: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Repeat:
    """Steps that are the same as those before, but for names.

    Attributes
    ----------
    period : int
        How many steps form one round.
    steps : tuple of Step
    """

    period: int
    steps: tuple[Step, ...] = field(repr=False)


MOST_PERIOD = 12


def folded(steps: list[Step]) -> list[Step | Repeat]:
    """The steps, rounds of equal ones after the first put together."""
    found: list[Step | Repeat] = []
    place = 0
    while place < len(steps):
        period, rounds = _rounds(steps, place)
        if rounds < 2:
            found.append(steps[place])
            place += 1
            continue
        found += steps[place : place + period]
        end = place + period * (rounds + 1)
        found.append(Repeat(period, tuple(steps[place + period : end])))
        place = end
    return found


def _rounds(steps: list[Step], place: int) -> tuple[int, int]:
    """The period, and how many more rounds of it follow, of the longest repetition here."""
    best = (0, 0)
    for period in range(1, MOST_PERIOD + 1):
        rounds = 0
        while True:
            start = place + period * (rounds + 1)
            here = steps[start : start + period]
            if len(here) < period or any(
                a.form is None or a.form != b.form
                for a, b in zip(steps[place : place + period], here, strict=True)
            ):
                break
            rounds += 1
        if rounds >= 2 and rounds * period > best[0] * best[1]:
            best = (period, rounds)
    return best
