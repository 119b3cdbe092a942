"""The report of a check: one row for each thing that was looked at."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Report", "Row"]

COLUMNS = ("check", "argument", "figure", "bound", "verdict")


@dataclass(frozen=True)
class Row:
    """One check of one argument.

    Attributes
    ----------
    check : str
        What was compared.
    argument : str
        The argument, with the path to the leaf, as Python would spell it.
    figure : float or None
        The largest discrepancy, relative to what was compared; for the Taylor remainder its
        order in h. `None` where there was nothing to measure: no output moved, or the remainder
        was at the rounding level of the function.
    bound : float
        What the figure must not exceed; for the order, what it must not fall below.
    verdict : str
        "ok"; "unresolved" where the rounding errors of the function hide its derivative, so that
        the comparison says little; "wrong".
    detail : str
        Where the largest discrepancy is, what was expected there and what was found.
    """

    check: str
    argument: str
    figure: float | None
    bound: float
    verdict: str
    detail: str = ""

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        if self.figure is None:
            figure = "exact"
        elif "Taylor" in self.check:
            figure = f"{self.figure:.2f}"
        else:
            figure = f"{self.figure:.1e}"
        bound = f"≥ {self.bound:.1f}" if "Taylor" in self.check else f"{self.bound:.1e}"
        return self.check, self.argument, figure, bound, self.verdict


@dataclass(frozen=True, repr=False)
class Report:
    """What `check` found: prints as a table.

    Attributes
    ----------
    function : str
        The name of the function.
    rows : sequence of Row
    order : int
        The highest order of derivative that was checked.
    """

    function: str
    rows: Sequence[Row]
    order: int

    @property
    def passed(self) -> bool:
        """Whether no check found a wrong derivative."""
        return all(row.verdict != "wrong" for row in self.rows)

    @property
    def title(self) -> str:
        """What was checked, and how it came out."""
        outcome = "passed" if self.passed else "failed"
        count = len(self.rows)
        return f"check of {self.function} to order {self.order}: {outcome}, {count} comparisons"

    def __str__(self) -> str:
        table = [COLUMNS, *(row.cells() for row in self.rows)]
        widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
        numeric = {COLUMNS.index("figure"), COLUMNS.index("bound")}

        def aligned(line: tuple[str, ...]) -> str:
            cells = (
                cell.rjust(width) if i in numeric else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            return "  ".join(cells).rstrip()

        rule = "  ".join("─" * width for width in widths)
        return "\n".join([self.title, aligned(table[0]), rule, *map(aligned, table[1:])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table for a notebook."""

        def line(cells: Sequence[str], tag: str) -> str:
            inside = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
            return f"<tr>{inside}</tr>"

        body = "".join(line(row.cells(), "td") for row in self.rows)
        return (
            f"<table><caption>{html.escape(self.title)}</caption>"
            f"<thead>{line(COLUMNS, 'th')}</thead><tbody>{body}</tbody></table>"
        )
