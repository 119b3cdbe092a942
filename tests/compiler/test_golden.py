"""Each stage of small programs as text, compared with files in ``golden/``.

``PULLBACK_REWRITE_GOLDEN=1 python -m pytest tests/compiler/test_golden.py`` rewrites them; look at
what has changed before you keep it.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.llvm import emit
from pullback.compiler.loops import text
from pullback.compiler.stages import Stages

GOLDEN = Path(__file__).parent / "golden"
REWRITE = os.environ.get("PULLBACK_REWRITE_GOLDEN") == "1"
COMMAND = "PULLBACK_REWRITE_GOLDEN=1 python -m pytest tests/compiler/test_golden.py"

STAGES = {
    "graph": lambda stages: str(stages.graph),
    "lowered": lambda stages: text(stages.lowered.program),
    "fused": lambda stages: text(stages.program),
    "llvm": lambda stages: emit(stages.program).rstrip("\n"),
}
"""What is written of each stage, in their order."""


def line(w, x, y):
    """Least squares of a straight line: all of it is one loop over the points."""
    residual = w[0] * x + w[1] - y
    return np.mean(residual**2)


def smoothing(a, x):
    """An exponential moving average: a loop forwards, and one back that reads what it kept."""

    def step(level, each):
        level = a * level + (1 - a) * each
        return level, level

    _, levels = pb.scan(step, x[0], x)
    return np.sum((levels - x) ** 2)


POINTS = pb.ShapeDtype(1000)
PROGRAMS = {
    "line": lambda: pb.trace(pb.value_and_grad(line), pb.ShapeDtype(2), POINTS, POINTS),
    "smoothing": lambda: pb.trace(pb.grad(smoothing), 0.5, POINTS),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request):
    """The name of a program, and its stages."""
    return request.param, Stages(PROGRAMS[request.param]())


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_gives_what_it_gave(program, stage):
    name, stages = program
    path, found = GOLDEN / f"{name}.{stage}.txt", STAGES[stage](stages) + "\n"
    if REWRITE:
        path.write_text(found, encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    rows = (before.splitlines(keepends=True) for before in (kept, found))
    changes = "".join(difflib.unified_diff(*rows, f"golden/{path.name}", "now", n=2))
    if changes:
        pytest.fail(f"{changes}\nif that is meant: {COMMAND}", pytrace=False)


def test_every_golden_file_is_used():
    wanted = {f"{name}.{stage}.txt" for name in PROGRAMS for stage in STAGES}
    assert {path.name for path in GOLDEN.iterdir()} == wanted


def test_the_programs_are_right():
    """What is kept in the files computes what the functions do."""
    x = np.linspace(0.0, 1.0, 1000)
    y, w = np.sin(x), np.array([0.5, 0.1])
    fit = pb.compile(pb.value_and_grad(line))
    value, slope = fit(w, x, y)
    residual = w[0] * x + w[1] - y
    np.testing.assert_allclose(value, np.mean(residual**2), rtol=1e-13)
    np.testing.assert_allclose(
        slope, [2 * np.mean(residual * x), 2 * np.mean(residual)], rtol=1e-12
    )
    np.testing.assert_allclose(
        pb.compile(pb.grad(smoothing))(0.5, y), _difference(lambda a: smoothing(a, y)), rtol=1e-7
    )


def _difference(f, a=0.5, h=1e-3):
    """The derivative at a by five points."""
    return (8 * (f(a + h) - f(a - h)) - (f(a + 2 * h) - f(a - 2 * h))) / (12 * h)
