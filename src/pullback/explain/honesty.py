"""Every line of a derivation evaluated: how many were, and which of them do not agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pullback.explain import matrices as mx
from pullback.explain.contraction import Link, only
from pullback.explain.evaluation import Point
from pullback.explain.expression import Expr, Index, Partial, Sigma, children, walk
from pullback.explain.laws import Abbreviation
from pullback.explain.matrices import Matrix
from pullback.explain.names import Name

__all__ = ["Count", "Witness", "check_link", "close", "sampled"]

PLACES = 3
"""How many places along an axis are looked at where an array is large."""

MOST_TERMS = 200_000
"""Of the sums in one line; a line with more is not evaluated."""

EXACT, ROUGH = 1e-8, 2e-4
"""Relative agreement of two formulas, and of a formula and a difference."""


@dataclass
class Count:
    """How many lines were evaluated.

    Attributes
    ----------
    lines : int
        Those that are printed.
    evaluated : int
    wrong : list of str
        What does not agree.
    kinks : int
        Lines that were not compared with differences, for the slope jumps there.
    """

    lines: int = 0
    evaluated: int = 0
    wrong: list[str] = field(default_factory=list)
    kinks: int = 0

    def __str__(self) -> str:
        text = f"{self.evaluated} of {self.lines} lines evaluated"
        text += ", all agree" if not self.wrong else f", {len(self.wrong)} do not agree"
        return text + (f"; {self.kinks} at kinks" if self.kinks else "")


def close(a: Any, b: Any, tolerance: float = EXACT) -> bool:
    """Whether two arrays agree, to the scale of the larger."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    finite = np.isfinite(a) & np.isfinite(b)
    same = (a == b) | (np.isnan(a) & np.isnan(b)) | finite
    if not np.all(same):
        return False
    a, b = np.where(finite, a, 0), np.where(finite, b, 0)
    scale = max(1.0, float(np.max(np.abs(b), initial=0)))
    return bool(np.all(np.abs(a - b) <= tolerance * scale))


def sampled(indices: tuple[Index, ...]) -> dict[Index, Any]:
    """Places along each axis: all of a short one, the ends and some between of a long one."""
    return {
        i: np.arange(i.extent)
        if i.extent <= PLACES + 1
        else np.unique(np.linspace(0, i.extent - 1, PLACES).astype(int))
        for i in indices
    }


def terms(e: Expr) -> int:
    """How many terms the sums in an expression have."""
    below = max(map(terms, children(e)), default=1)
    return below * e.index.extent if isinstance(e, Sigma) else below


def check_link(
    link: Link,
    values: Mapping[Name, Any],
    abbreviations: Mapping[Name, Abbreviation],
    count: Count,
) -> None:
    """Evaluate each line of a derivation, and compare it with the one before."""
    order = (*only(link.by.at), *only(link.of.at))
    places = sampled(order)
    point = Point(values, abbreviations)
    held = Point(values)
    before = first = None
    for line in link.lines:
        count.lines += 1
        if terms(line.expr) * 4 ** len(order) > MOST_TERMS * 40:
            continue
        rough = any(isinstance(x, Partial) for x in walk(line.expr))
        try:
            found = (point if rough else held).evaluate(line.expr, order, places)
        except NotImplementedError:
            continue
        count.evaluated += 1
        first = found if first is None else first
        if before is not None and not close(found, before, ROUGH):
            if _is_kink(link, point, order, places):
                count.kinks += 1
            else:
                count.wrong.append(f"{link.of.name} by {link.by.name}: {line.law}")
        before = found


def _is_kink(link: Link, point: Point, order: tuple[Index, ...], places: Any) -> bool:
    """Whether the slopes to both sides differ, or are not finite."""
    first = link.lines[0].expr
    here = Point(point.values, point.abbreviations)
    slopes = []
    for side in (1, -1):
        here.side = side
        slopes.append(here.evaluate(first, order, places))
    return not close(slopes[0], slopes[1], 10 * ROUGH)


MOST_PRODUCTS = 4_000_000
"""Terms of sums, times places, and elements, beyond which a formula is not evaluated."""


class Witness:
    """Evaluates formulas at values.

    Parameters
    ----------
    named : mapping of Name to array
    count : Count
    """

    def __init__(self, named: Mapping[Name, Any], count: Count) -> None:
        self.named = named
        self.count = count

    def look(self, agrees: Any, what: str) -> None:
        """Evaluate one line."""
        self.count.lines += 1
        with np.errstate(all="ignore"):
            result = agrees()
        if result is None:
            return
        self.count.evaluated += 1
        if not result:
            self.count.wrong.append(what)

    def matrix_agrees(self, m: Matrix, value: Any) -> bool | None:
        """Whether a formula in matrix notation has the value; `None` where that is not asked."""
        value = np.asarray(value)
        if value.size > MOST_PRODUCTS:
            return None
        try:
            found = np.broadcast_to(mx.evaluate(m, self.named), m.shape)
        except KeyError:
            return None
        return close(found.reshape(value.shape), value, _tolerance(value))

    def entries_agree(self, body: Any, order: tuple[Index, ...], value: Any) -> bool | None:
        """Whether a formula in entries has the value, at sampled places."""
        if terms(body) * 4 ** len(order) > MOST_PRODUCTS:
            return None
        places = sampled(order)
        found = Point(self.named).evaluate(body, order, places)
        value = np.asarray(value).reshape([i.extent for i in order])
        return close(found, value[np.ix_(*(places[i] for i in order))], _tolerance(value))

    def passed_agrees(self, link: Link, *, forward: bool) -> None:
        """Evaluate what one route brings, in entries and in matrices."""
        at = link.of.at if forward else link.by.at
        order = only(at)

        def agrees() -> bool | None:
            if terms(link.passed) * 4 ** len(order) > MOST_PRODUCTS:
                return None
            places = sampled(order)
            try:
                found = Point(self.named).evaluate(link.passed, order, places)
                if link.matrix is None:
                    return None
                whole = np.asarray(mx.evaluate(link.matrix, self.named))
            except (KeyError, NotImplementedError):
                return None
            whole = np.broadcast_to(whole, link.matrix.shape)
            return close(found, whole[np.ix_(*(places[i] for i in order))], 1e-7)

        self.look(agrees, f"{link.by.name} and {link.of.name}")


def _tolerance(value: Any) -> float:
    return 1e-3 if np.asarray(value).dtype.itemsize < 8 else 1e-7
