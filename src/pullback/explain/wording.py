"""The words of a derivation: its laws, and how often a value is read."""

from __future__ import annotations

from collections.abc import Collection

from pullback.explain import matrices as mx
from pullback.explain.boxes import Box, Mark, Named, Over, Text, row
from pullback.explain.contraction import Link
from pullback.explain.derivatives import DERIVATIVES
from pullback.explain.expression import At, Fn, Index, Sym, symbols, walk
from pullback.explain.layout import Letters, called, entry_box, matrix_box
from pullback.explain.matrices import Matrix
from pullback.explain.names import Name
from pullback.explain.steps import Route
from pullback.explain.writers import name_text

__all__ = ["law_of", "remarks", "shortened", "summed", "times_read"]

MOST_TERMS = 4
"""Of a sum of what comes back; of a longer one the first and the last are written."""


def law_of(law: str, link: Link, position: int, abbreviations: Collection[Name]) -> str | Box:
    """The law's name, with the names of this derivation in it."""
    if law == "δ":
        by, of = link.by.at, tuple(Index(i.extent) if i else 0 for i in map(_index, link.by.at))
        names = Letters(*by, *of)
        below, above = names.below(by), names.below(of)
        name = link.by.name
        pairs = [
            Named(Name("δ"), pair)
            for pair, i in zip(zip(above, below, strict=True), by, strict=True)
            if isinstance(i, Index)
        ]
        right = row(*[x for p in pairs for x in (Mark("·"), p)][1:]) if pairs else Text("1")
        return row(Over(Named(name, above), Named(name, below)), Mark("="), right)
    if law == "by definition":
        before = walk(link.lines[position - 1].expr)
        primed = [
            x.name for x in before if isinstance(x, Fn) and x.primes and x.name in DERIVATIVES
        ]
        if len(set(primed)) == 1:
            x = Sym(Name("x"))
            formula = entry_box(DERIVATIVES[primed[0]](x), Letters())
            return row(called(primed[0], 1, (Named(x.name),)), Mark("="), formula)
    if law == "definition":
        read = frozenset().union(*(symbols(line.expr) for line in link.lines))
        found = [n for n in abbreviations if n in read]
        return "definition of " + ", ".join(map(name_text, found))
    return law


def _index(at: At) -> Index | None:
    return at if isinstance(at, Index) else None


def times_read(n: int) -> str:
    """Twice, three times, …."""
    return {2: "twice", 3: "three times"}.get(n, f"{n} times")


def shortened(routes: list[Route]) -> tuple[list[Route], list[Name]]:
    """The routes without those that are like earlier ones, if there are many; and these."""
    if len(routes) <= MOST_TERMS:
        return routes, []
    kept = [route for route in routes if not route.same_as]
    return kept, [route.source for route in routes if route.same_as]


def summed(terms: list[Box], parts: list[Matrix]) -> Box:
    """A sum of what routes bring: in matrix notation, and in another."""
    boxes: list[Box] = []
    if len(parts) > MOST_TERMS:
        first, second, last = (matrix_box(m) for m in (*parts[:2], parts[-1]))
        boxes = [first, second, Text("⋯"), last]
    elif parts:
        flat = [x for m in parts for x in (m.terms if isinstance(m, mx.Added) else (m,))]
        whole = parts[0] if len(parts) == 1 else mx.Added(parts[0].shape, tuple(flat))
        boxes = [matrix_box(whole)]
    joined: list[Box] = []
    for position, term in enumerate([*boxes, *terms]):
        joined += [Mark("+")] if position else []
        joined.append(term)
    return row(*joined)


MEANINGS = {
    "step": "step(x) is 1 for x > 0, 0 for x < 0, and ½ at 0",
    "holds": "[c] is 1 where c holds, else 0",
    "sign": "sign(0) is 0",
}


def remarks(links: list[Link]) -> list[str]:
    """What functions in what is passed on mean, where the notes have no such."""
    found = {
        x.name for link in links for x in walk(link.passed) if isinstance(x, Fn) and not x.primes
    }
    return [text for name, text in MEANINGS.items() if name in found]
