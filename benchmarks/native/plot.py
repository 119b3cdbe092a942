"""The ratios as a picture: a row for each problem, and its bound as a mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.native.problem import Problem
from benchmarks.native.results import (
    FIRST_WARM,
    Comparison,
    comparisons,
    first_bounds,
    first_results,
)

__all__ = ["draw"]

_COLOURS = {"JAX": "#2a6fbb", "PyTorch": "#d1622b", "by hand": "#6b6b6b", "copy": "#2f8f5b"}
_LIMIT = "#b01030"


def draw(results: Sequence[tuple[Problem, Mapping[str, Any]]], mode: str, path: Path) -> None:
    """Write the picture, as the file's suffix says.

    Parameters
    ----------
    results : sequence of (Problem, figures)
    mode : "compiled" or "eager"
        What is called on our side.
    path : Path
    """
    from matplotlib.figure import Figure

    titles = [problem.title for problem, _ in results]
    figure = Figure(figsize=(13, 1.6 + 0.34 * len(titles)), layout="constrained")
    calls, firsts = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    for row, (problem, figures) in enumerate(results):
        _calls(calls, row, comparisons(problem, figures))
        first = first_results(figures)
        for cache, marker in zip(first_bounds(problem), "o^", strict=True):
            if first is not None:
                firsts.plot(first.ratio(cache), row, marker, color=_COLOURS["JAX"], label=cache)
        if first is not None:
            firsts.plot(problem.first, row, "|", color=_LIMIT, markersize=13)
    for axes, title, place in (
        (calls, f"a call, {mode}, ÷ each", "outside lower left"),
        (firsts, "first result ÷ JAX's", "outside lower right"),
    ):
        axes.set(xscale="log", title=title)
        axes.axvline(1.0, color="black", linewidth=0.8)
        axes.grid(axis="both", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        _legend(axes, place)
    firsts.axvline(FIRST_WARM, color=_LIMIT, linewidth=0.8, linestyle=":")
    calls.set_yticks(range(len(titles)), titles, fontsize="small")
    calls.invert_yaxis()
    figure.savefig(path, dpi=150)


def _calls(axes: Any, row: int, found: Sequence[Comparison]) -> None:
    for c in found:
        library = c.side.split(",")[0]
        if c.ratio == c.ratio:
            marker = "o" if c.threads.ours == 1 else "D"
            label = library if c.threads.ours == 1 else f"{library}, 2 threads"
            axes.plot(c.ratio, row, marker, color=_COLOURS[library], label=label)
        if c.bound is not None:
            axes.plot(c.bound, row, "|", color=_COLOURS[library], markersize=13, label="at most")


def _legend(axes: Any, place: str) -> None:
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    if once:
        axes.figure.legend(once.values(), once.keys(), fontsize="small", loc=place, ncols=len(once))
