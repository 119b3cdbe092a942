"""The figures as a table for the terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from benchmarks.measure import Timing
from benchmarks.workload import OURS, Workload

__all__ = ["LEGEND", "as_json", "as_markdown", "as_text", "duration", "heading", "machine"]

Results = Sequence[tuple[Workload, Mapping[str, Timing]]]

_HEADER = ("", "median", "min – max", f"{OURS} ÷ it")

LEGEND = f"{OURS} ÷ it: below 1 where {OURS} is faster. Medians over the rounds, and their range."
"""How to read the tables."""


def heading() -> str:
    """What the figures were taken on, and how to read them."""
    return "; ".join(f"{key} {value}" for key, value in machine().items()) + f"\n{LEGEND}"


def as_text(results: Results) -> str:
    """A table for each workload, in columns."""
    blocks = []
    for workload, timings in results:
        rows = [_HEADER, *_rows(timings)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [workload.title]
        for name, *figures in rows:
            cells = [name.ljust(widths[0])]
            cells += [f.rjust(w) for f, w in zip(figures, widths[1:], strict=True)]
            lines.append("  " + "  ".join(cells).rstrip())
        lines += ["  " + line for line in targets(workload, timings)]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def as_markdown(results: Results) -> str:
    """The same as Markdown."""
    blocks = []
    for workload, timings in results:
        lines = [f"### {workload.title}", "", "| " + " | ".join(_HEADER) + " |"]
        lines.append("| --- | ---: | ---: | ---: |")
        lines += ["| " + " | ".join(row) + " |" for row in _rows(timings)]
        lines += ["", *targets(workload, timings)]
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, heading()]) + "\n"


def as_json(results: Results) -> str:
    """Every sample, with the machine and the versions."""
    record = {
        "machine": machine(),
        "workloads": {
            workload.name: {
                "title": workload.title,
                "seconds": {name: list(timing.samples) for name, timing in timings.items()},
            }
            for workload, timings in results
        },
    }
    return json.dumps(record, indent=1) + "\n"


def targets(workload: Workload, timings: Mapping[str, Timing]) -> list[str]:
    """How the ratios stand to the targets, where there are peers to compare with."""
    peers = {name: timings[name].median for name in workload.peers if name in timings}
    if not peers or OURS not in timings:
        return []
    ours = timings[OURS].median
    slower, faster = max(peers, key=peers.__getitem__), min(peers, key=peers.__getitem__)
    bounds = ((slower, "slower", "at most", workload.most), (faster, "faster", "aim", workload.aim))
    lines = []
    for peer, which, word, bound in bounds:
        ratio = ours / peers[peer]
        verdict = "reached" if ratio <= bound else "missed"
        lines.append(
            f"target, against {peer}, the {which}: {word} {bound:.1f}, is {ratio:.2f}: {verdict}"
        )
    return lines


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    versions = {}
    for name in ("pullback", "numpy", "autograd", "torch", "jax", "casadi"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    threads = os.environ.get("OMP_NUM_THREADS", "as each library likes")
    return {
        "processor": _processor(),
        "threads": threads,
        "Python": platform.python_version(),
        **versions,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
        return f"{len(names)} × {names[0]}"
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def _rows(timings: Mapping[str, Timing]) -> list[tuple[str, str, str, str]]:
    ours = timings[OURS].median if OURS in timings else None
    return [
        (
            name,
            duration(timing.median),
            f"{duration(timing.least)} – {duration(timing.most)}",
            f"{ours / timing.median:.2f}" if ours and name != OURS else "",
        )
        for name, timing in timings.items()
    ]


def duration(seconds: float) -> str:
    """A time with three digits and its unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
