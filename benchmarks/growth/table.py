"""The figures on the terminal, and how they stand to the bounds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from benchmarks.native.problem import OURS
from benchmarks.report import duration

__all__ = [
    "FLAT",
    "MEMORY",
    "OF_JAX",
    "Figures",
    "as_text",
    "compiling",
    "in_use",
    "per_sample",
    "spread",
]

Figures = dict[str, dict[str, Any]]
"""By side and by size, as a string: what its process answered."""

FLAT = 1.2
"""The longest time a sample ÷ the shortest, over the numbers of samples, at most."""

OF_JAX = 0.4
"""Our first result ÷ JAX's, at most."""

MEMORY = 1.2
"""The most memory in use ÷ that of arguments and results, at most."""


def as_text(question: str, figures: Figures) -> str:
    """The table for a question.

    Parameters
    ----------
    question : "samples", "depth" or "memory"
    figures : dict
        See `benchmarks.growth.command.measure`.
    """
    make = {"samples": _samples, "depth": _depth, "memory": _memory}[question]
    title, rows = make(figures)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [title]
    for name, *cells in rows:
        padded = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  " + "  ".join([name.ljust(widths[0]), *padded]).rstrip())
    return "\n".join(lines)


def per_sample(times: Mapping[str, Any]) -> dict[int, float]:
    """Seconds a sample, medians, by the number of samples."""
    return {int(m): statistics.median(every) / int(m) for m, every in times.items()}


def spread(times: Mapping[str, Any]) -> float:
    """The longest time a sample ÷ the shortest."""
    every = per_sample(times).values()
    return max(every) / min(every)


def in_use(found: Mapping[str, float]) -> float:
    """The most memory in use, of it that of arguments and results being 1."""
    return (found["inputs"] + found["grown"]) / (found["inputs"] + found["outputs"])


def _samples(figures: Figures) -> tuple[str, list[tuple[str, ...]]]:
    sizes = sorted({int(m) for times in figures.values() for m in times})
    rows = [("", *(f"m = {m:,}" for m in sizes), "longest ÷ shortest", "at most", "")]
    for side, times in figures.items():
        known = per_sample(times)
        cells = [duration(known[m]) if m in known else "–" for m in sizes]
        ratio = spread(times) if times else None
        bound = FLAT if side.startswith(OURS) else None
        rows.append((side, *cells, *_verdict(ratio, bound)))
    return "residual net, d = 4, K = 20: time a sample", rows


def _depth(figures: Figures) -> tuple[str, list[tuple[str, ...]]]:
    ours, jax = (figures.get(side, {}) for side in (OURS, "JAX"))
    sizes = sorted({int(k) for found in (ours, jax) for k in found})
    few = ours.get(str(sizes[0])) if sizes else None
    beside = f"÷ that of K = {sizes[0]}" if few else ""
    rows = [("", "ours", "of it compiling", beside, "JAX", "ours ÷ JAX", "at most", "")]
    for layers in map(str, sizes):
        mine, theirs = ours.get(layers), jax.get(layers)
        first = [duration(each["first"]) if each else "–" for each in (mine, theirs)]
        code = duration(compiling(mine)) if mine else "–"
        more = f"{compiling(mine) / compiling(few):.2f}" if mine and few else ""
        ratio = mine["first"] / theirs["first"] if mine and theirs else None
        rows.append((f"K = {layers}", first[0], code, more, first[1], *_verdict(ratio, OF_JAX)))
    return "residual net, d = 4, m = 1,000, K layers: time to the first result", rows


def compiling(found: Mapping[str, float]) -> float:
    """Seconds of making code of the loops, which equal layers share."""
    return sum(found.get(stage, 0.0) for stage in ("emit", "machine code"))


def _memory(figures: Figures) -> tuple[str, list[tuple[str, ...]]]:
    rows = [("", "arguments", "results", "grown by", "in use ÷ both", "at most", "")]
    sizes = sorted({int(m) for found in figures.values() for m in found})
    for side, by_size in figures.items():
        for found in by_size.values():
            cells = [f"{found[kind] / 1e6:,.1f} MB" for kind in ("inputs", "outputs", "grown")]
            bound = MEMORY if side == OURS else None
            rows.append((side, *cells, *_verdict(in_use(found), bound)))
    count = ", ".join(f"{m:,}" for m in sizes)
    return f"residual net, d = 4, K = 20, m = {count}: memory in use in a call, at most", rows


def _verdict(ratio: float | None, bound: float | None) -> tuple[str, str, str]:
    if ratio is None:
        return "–", "" if bound is None else f"{bound:.2f}", ""
    if bound is None:
        return f"{ratio:.2f}", "", ""
    return f"{ratio:.2f}", f"{bound:.2f}", "reached" if ratio <= bound else "missed"
