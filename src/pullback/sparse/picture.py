"""What a sparse matrix looks like, in words and as a picture."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

__all__ = ["plot", "report", "to_html"]

PIXELS = 240
"""How many pixels a picture in a notebook is wide, or high, at most."""

MOST_MARKS = 20_000
"""How many entries are drawn at most; of more, those in equal distances."""

COLOURS = ("#3b6fb6", "#d1495b", "#2e8b57", "#e09f3e", "#7b4fa3", "#1b998b", "#8c564b", "#5c677d")


def report(matrix: Any) -> str:
    """How a matrix is computed, and why so."""
    plan, found = matrix.plan, matrix.plan.compression
    m, n = matrix.shape
    entries = len(plan.layout.indices)
    kind = "Hessian" if matrix.symmetric else "Jacobian"
    most = np.diff(plan.layout.pointers).max(initial=0)
    full = 100 * entries / max(1, m * n)
    met = ", ".join(f"{name} {count}" for name, count in sorted(plan.met.items()))
    rows = [
        f"{kind} of {matrix.name}: {m:,} × {n:,}",
        f"pattern:    {entries:,} entries, {full:.3g} % of all; at most {most:,} in a row",
        f"structures: {met or 'none'}",
        f"way:        {plan.name}, {found.forwards} forward and {found.reverses} reverse products",
        f"cost:       {plan.values.cost():,} operations, and numbers read and written",
    ]
    if plan.layout.segments is not None:
        rows.append(f"sums:       {len(plan.layout.sources):,} products make up the entries")
    rows += [f"not taken:  {other}" for other in plan.others]
    rows.append(f"evaluation: {'native' if matrix.native is not None else 'NumPy'}")
    return "\n".join(rows)


def plot(matrix: Any, ax: Any = None) -> Any:
    """Draw the pattern, each entry in the colour of the product that has it."""
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots()
    rows, columns, colours = _marks(matrix)
    m, n = matrix.shape
    size = max(1.0, min(9.0, 240 / max(m, n, 1)))
    palette = [COLOURS[c % len(COLOURS)] for c in colours]
    ax.scatter(columns, rows, s=size**2, c=palette, marker="s", linewidths=0)
    ax.set_xlim(-0.5, n - 0.5)
    ax.set_ylim(m - 0.5, -0.5)
    ax.set_aspect("equal")
    ax.set_title(f"{matrix.name}: {m:,} × {n:,}, {matrix.colours} colours")
    return ax


def to_html(matrix: Any) -> str:
    """The picture and the report, for a notebook."""
    rows, columns, colours = _marks(matrix)
    m, n = matrix.shape
    unit = PIXELS / max(m, n, 1)
    side = max(unit, 1.0)
    marks = "".join(
        f'<rect x="{j * unit:.1f}" y="{i * unit:.1f}" width="{side:.1f}" height="{side:.1f}" '
        f'fill="{COLOURS[c % len(COLOURS)]}"/>'
        for i, j, c in zip(rows.tolist(), columns.tolist(), colours.tolist(), strict=True)
    )
    width, height = max(1.0, n * unit), max(1.0, m * unit)
    return (
        '<div style="display:flex;gap:1em;align-items:flex-start">'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'style="border:1px solid #888;background:#fff">{marks}</svg>'
        f"<pre>{html.escape(report(matrix))}</pre></div>"
    )


def _marks(matrix: Any) -> tuple[Any, Any, Any]:
    """Rows, columns and products of the entries that are drawn."""
    entries = len(matrix.plan.layout.indices)
    step = max(1, -(-entries // MOST_MARKS))
    return matrix.rows[::step], matrix.cols[::step], matrix.colouring[::step]
