"""The pieces that the report's page is put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

__all__ = [
    "Cell",
    "check_table",
    "facts",
    "figure",
    "key",
    "key_figures",
    "milliseconds",
    "pair",
    "percent",
    "scientific",
    "seconds",
    "table",
]

Cell = str | tuple[str, str]
"""The markup inside a table cell, or the pair of it and the cell's class."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scientific(x: float) -> str:
    """A number in two digits: 0.0123, 1.2 × 10⁻⁵."""
    if x == 0 or 1e-3 <= abs(x) < 1e4:
        return f"{x:.2g}".replace("-", "−")
    mantissa, exponent = f"{x:.1e}".split("e")
    power = str(int(exponent)).translate(_SUPERSCRIPTS)
    return f"{mantissa}\u00a0×\u00a010{power}".replace("-", "−")


def percent(fraction: float, digits: int = 1) -> str:
    """A fraction as a percentage."""
    return f"{100 * fraction:.{digits}f}\u00a0%"


def seconds(duration: float) -> str:
    """A duration."""
    return f"{duration:.1f}\u00a0s" if duration < 120 else f"{duration / 60:.1f}\u00a0min"


def milliseconds(duration: float) -> str:
    """A short duration, given in seconds."""
    return f"{1000 * duration:.2f}\u00a0ms"


def key(label: str, colour: str, style: str = "") -> str:
    """A sample of a line or dot in its colour, with its label."""
    return f'<span class="key {style}" style="--colour: var(--{colour})">{escape(label)}</span>'


def figure(picture: str, caption: str) -> str:
    """A picture with its caption; both are markup."""
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def pair(*parts: str) -> str:
    """Figures side by side where the page is wide enough."""
    return f'<div class="pair">{"".join(parts)}</div>'


def key_figures(entries: Iterable[tuple[str, str]]) -> str:
    """The few numbers that matter, large: pairs of a number (markup) and what it is (text)."""
    cells = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{number}</dd></div>" for number, what in entries
    )
    return f'<dl class="key-figures">{cells}</dl>'


def facts(entries: Iterable[tuple[str, str]]) -> str:
    """Pairs of a name and a value, both text."""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in entries
    )
    return f'<dl class="facts">{rows}</dl>'


def table(head: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> str:
    """A table whose first column names the rows."""

    def cell(content: Cell, tag: str) -> str:
        text, kind = (content, "") if isinstance(content, str) else content
        scope = ' scope="row"' if tag == "th" else ""
        style = f' class="{kind}"' if kind else ""
        return f"<{tag}{style}{scope}>{text}</{tag}>"

    top = "".join(cell(content, "th").replace('scope="row"', 'scope="col"') for content in head)
    body = "".join(
        f"<tr>{cell(row[0], 'th')}{''.join(cell(content, 'td') for content in row[1:])}</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table class="list"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def check_table(report: Any) -> str:
    """What `pullback.check` found: the worst figure of each kind of comparison, all in a fold.

    Parameters
    ----------
    report : pullback.testing.Report
    """
    kinds: dict[str, list[Any]] = {}
    for row in report.rows:
        kinds.setdefault(row.check, []).append(row)
    lines: list[list[Cell]] = []
    for name, rows in kinds.items():
        measured = [row for row in rows if row.figure is not None]
        order = "Taylor" in name
        worst = (min if order else max)(measured, key=lambda row: row.figure, default=rows[0])
        _, _, found, bound, _ = worst.cells()
        bad = any(row.verdict == "wrong" for row in rows)
        good = all(row.verdict == "ok" for row in rows)
        verdict = "wrong" if bad else "ok" if good else "unresolved"
        lines.append(
            [
                escape(name),
                (str(len(rows)), "number"),
                (escape(found), "number"),
                (escape(bound if order else f"≤ {bound}"), "number"),
                (verdict, "bad" if bad else "good"),
            ]
        )
    numbers = [(name, "number") for name in ("made", "worst", "bound")]
    head: list[Cell] = ["comparison", *numbers, "verdict"]
    return (
        f"{table(head, lines)}<details><summary>All {len(report.rows)} comparisons</summary>"
        f'<pre class="output">{escape(str(report))}</pre></details>'
    )
