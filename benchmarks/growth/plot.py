"""The figures as a picture: one for each question."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.growth.table import MEMORY, Figures, in_use, per_sample

__all__ = ["draw"]

_COLOURS = {"pullback": "#b01030", "JAX": "#2a6fbb", "PyTorch": "#d1622b"}


def draw(found: Mapping[str, Figures], path: Path) -> None:
    """Write the picture, as the file's suffix says.

    Parameters
    ----------
    found : mapping of str to Figures
        By question.
    path : Path
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * len(found), 4), layout="constrained")
    every = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (question, figures) in zip(every, found.items(), strict=True):
        {"samples": _samples, "depth": _depth, "memory": _memory}[question](axes, figures)
        axes.grid(axis="both", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    figure.savefig(path, dpi=150)


def _samples(axes: Any, figures: Figures) -> None:
    for side, times in figures.items():
        known = per_sample(times)
        line = "--" if side.endswith("1 thread") else "-"
        axes.plot(known.keys(), known.values(), "o" + line, color=_colour(side), label=side)
    axes.set(xscale="log", yscale="log", xlabel="samples", title="seconds a sample")
    axes.legend(fontsize="small")


def _depth(axes: Any, figures: Figures) -> None:
    for side, by_layers in figures.items():
        known = {int(k): found["first"] for k, found in by_layers.items()}
        axes.plot(known.keys(), known.values(), "o-", color=_colour(side), label=side)
    axes.set(xlabel="layers", ylim=(0, None), title="seconds to the first result")
    axes.legend(fontsize="small")


def _memory(axes: Any, figures: Figures) -> None:
    bars = {side: in_use(one) for side, found in figures.items() for one in found.values()}
    axes.barh(list(bars), list(bars.values()), color=[_colour(side) for side in bars])
    axes.axvline(MEMORY, color="black", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", title="memory in use ÷ arguments and results")
    axes.invert_yaxis()


def _colour(side: str) -> str:
    return _COLOURS[side.split(",")[0]]
