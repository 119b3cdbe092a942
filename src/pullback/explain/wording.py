"""The words of a derivation: its laws, and how often a value is read."""

from __future__ import annotations

from collections.abc import Collection

from pullback.explain.boxes import Box, Mark, Named, Over, Text, row
from pullback.explain.contraction import Link
from pullback.explain.expression import At, Index, symbols
from pullback.explain.layout import Letters
from pullback.explain.names import Name
from pullback.explain.writers import name_text

__all__ = ["law_of", "times_read"]


def law_of(law: str, link: Link, abbreviations: Collection[Name]) -> str | Box:
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
