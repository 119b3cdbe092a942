"""A small run of the demo, and one of full length, each made once for all tests that look at it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pytest

import pullback as pb
from pullback_demo.progress import Lines
from pullback_demo.record import Record
from pullback_demo.run import Settings, run

SMALL = Settings(epochs=3, iterations=5, samples=200, trajectories=4, horizon=1.0)


@dataclass(frozen=True)
class Outcome:
    """A run's record, its report and what it printed."""

    record: Record
    page: str
    output: Path
    printed: str


def make(settings: Settings, output: Path) -> Outcome:
    stream = io.StringIO()
    record = run(settings, output, Lines(stream), "pullback demo --seed 0")
    return Outcome(record, output.read_text(encoding="utf-8"), output, stream.getvalue())


@pytest.fixture(scope="session")
def full_run(tmp_path_factory):
    return make(Settings(), tmp_path_factory.mktemp("full") / "report.html")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory, full_run):
    """The checks of gradients, which would take most of its time, are those of the full run."""
    checks = iter([full_run.record.digits.check, full_run.record.hamiltonian.check])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pb, "check", lambda *_: next(checks))
        return make(SMALL, tmp_path_factory.mktemp("small") / "report.html")
