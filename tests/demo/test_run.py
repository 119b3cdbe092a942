"""The run as a whole: what it reaches, and what is left when it ends early, wherever that is."""

from __future__ import annotations

import io
import signal
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

import pullback as pb
from pullback_demo import digits, hamiltonian
from pullback_demo.markup import check_table
from pullback_demo.progress import Quiet
from pullback_demo.record import Drift
from pullback_demo.run import Settings, run, summary

from .conftest import SMALL


class Interrupting(Quiet):
    """Presses Ctrl-C after a number of steps of a task."""

    def __init__(self, unit, after):
        super().__init__(io.StringIO())
        self.unit, self.after = unit, after

    @contextmanager
    def task(self, name, unit, total):
        steps = 0

        def advance(text):
            nonlocal steps
            steps += 1
            if unit == self.unit and steps == self.after:
                signal.raise_signal(signal.SIGINT)

        yield advance


@pytest.fixture
def unchecked(monkeypatch, small_run):
    """The checks of gradients, which take most of the time of a small run, taken as made."""
    monkeypatch.setattr(pb, "check", lambda *_: small_run.record.digits.check)


def test_the_default_seed_reads_at_least_97_percent_of_the_test_images(full_run):
    part = full_run.record.digits
    assert full_run.record.status == "complete"
    assert len(part.epochs) == Settings.epochs
    assert part.epochs[-1].test >= 0.97
    assert part.confusion.sum() == len(part.test) == 360
    assert np.trace(part.confusion) / 360 == part.epochs[-1].test
    assert len(part.mistakes) == 360 - np.trace(part.confusion)


def test_the_gradients_are_checked_to_second_order_and_found_right(full_run):
    for report in (full_run.record.digits.check, full_run.record.hamiltonian.check):
        assert report.passed
        assert report.order == 2
        assert any("symmetry" in row.check for row in report.rows)


def test_the_learned_hamiltonian_has_the_pendulums_field_and_energy(full_run):
    part = full_run.record.hamiltonian
    assert part.field_error < 0.01
    assert part.iterations[-1].loss < 1e-5 * part.iterations[0].loss
    assert np.abs(part.portrait.learned - part.portrait.true).max() < 0.05


def test_symplectic_methods_bound_the_energy_of_the_learned_flow_and_explicit_euler_does_not(
    full_run,
):
    verlet, symplectic, explicit = full_run.record.hamiltonian.drifts
    assert Drift.largest(verlet.learned) < 0.01
    assert Drift.largest(symplectic.learned) < 0.15
    assert Drift.largest(explicit.learned) > 10 * Drift.largest(symplectic.learned)
    h = full_run.record.hamiltonian.step
    assert abs(Drift.rate(verlet.learned, h)) < 1e-5
    assert abs(Drift.rate(symplectic.learned, h)) < 1e-3
    assert Drift.rate(explicit.learned, h) > 0.01


def test_the_same_seed_gives_the_same_figures(small_run, unchecked, tmp_path):
    again = run(SMALL, tmp_path / "again.html", Quiet(io.StringIO()))
    assert [e.loss for e in again.digits.epochs] == [e.loss for e in small_run.record.digits.epochs]
    losses = [[i.loss for i in r.hamiltonian.iterations] for r in (again, small_run.record)]
    assert losses[0] == losses[1]


def test_without_compiling_nothing_is_compared(unchecked, small_run, tmp_path):
    """And the figures are those of compiled training, to rounding."""
    output = tmp_path / "report.html"
    record = run(replace(SMALL, compiled=False), output, Quiet(io.StringIO()))
    assert record.complete
    assert record.digits.eager is None
    assert not record.digits.training.compiled
    assert "compiled and not" not in output.read_text(encoding="utf-8")
    assert not any("a step of training takes" in line for line in summary(record))
    for epoch, other in zip(record.digits.epochs, small_run.record.digits.epochs, strict=True):
        assert epoch.loss == pytest.approx(other.loss, rel=1e-10)


@pytest.fixture
def interruptible():
    """Ctrl-C as at a terminal, also where these tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("unit", "after", "status", "epochs", "iterations", "drifts"),
    [
        ("epoch", 1, "interrupted at epoch 2 of 3", 1, 0, 0),
        ("epoch", 3, "interrupted at epoch 3 of 3", 3, 0, 0),
        ("eager epoch", 1, "interrupted while training without compiling, to compare", 3, 0, 0),
        ("iteration", 2, "interrupted at iteration 3 of 5", 3, 3, 0),
        ("method", 1, "interrupted while integrating", 3, 6, 1),
    ],
)
def test_ctrl_c_leaves_a_report_of_what_was_done(
    unchecked, interruptible, tmp_path, unit, after, status, epochs, iterations, drifts
):
    output = tmp_path / "report.html"
    progress = Interrupting(unit, after)
    record = run(SMALL, output, progress)
    assert record.status == status
    assert not record.complete
    assert len(record.digits.epochs) == epochs
    assert len(record.hamiltonian.iterations) == iterations
    assert len(record.hamiltonian.drifts) == drifts
    page = output.read_text(encoding="utf-8")
    assert status in page
    assert ("Confusion matrix" in page) == (epochs > 0)
    assert ("Phase portrait" in page) == (iterations > 0)
    assert ("Energy over time" in page) == (drifts > 0)
    assert f"{status}; writing what there is" in progress.stream.getvalue()
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("part", "name", "status"),
    [
        (digits, "load", "interrupted while loading the images"),
        (digits, "disturbed", "interrupted at epoch 1 of 3"),
        (pb, "check", "interrupted while checking the classifier’s gradient"),
        (hamiltonian, "observe", "interrupted while observing the pendulum"),
        (hamiltonian, "follow", "interrupted while integrating"),
    ],
)
def test_ctrl_c_is_caught_in_every_phase(unchecked, monkeypatch, tmp_path, part, name, status):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(part, name, interrupt)
    record = run(SMALL, tmp_path / "report.html", Quiet(io.StringIO()))
    assert record.status == status
    assert status in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_failure_is_reported_and_raised(unchecked, monkeypatch, tmp_path):
    def fail(*_):
        raise pb.CheckError("the derivative of loss is wrong")

    monkeypatch.setattr(pb, "check", fail)
    with pytest.raises(pb.CheckError, match="the derivative of loss is wrong"):
        run(SMALL, tmp_path / "report.html", Quiet(io.StringIO()))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "failed while checking the classifier’s gradient" in page


@pytest.mark.parametrize("part", ["digits", "hamiltonian"])
def test_a_gradient_that_is_wrong_shows_in_the_report(part, small_run, monkeypatch, tmp_path):
    found = getattr(small_run.record, part).check
    wrong = replace(found, rows=[replace(row, verdict="wrong") for row in found.rows])

    def fail(f, _):
        if (f.__name__ == "field_loss") is (part == "hamiltonian"):
            raise pb.CheckError("the derivative is wrong", wrong)
        return found

    monkeypatch.setattr(pb, "check", fail)
    with pytest.raises(pb.CheckError):
        run(SMALL, tmp_path / "report.html", Quiet(io.StringIO()))
    assert check_table(wrong) in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_summary_has_the_figures(small_run):
    text = "\n".join(summary(small_run.record))
    assert "a step of training takes" in text
    assert "of 40 test images read correctly, after 3 epochs in" in text
    assert "learned field off by" in text
    for method in ("Störmer–Verlet", "symplectic Euler", "explicit Euler"):
        assert f"{method}: largest energy error" in text


def test_the_progress_lines_tell_epoch_loss_and_accuracy(small_run):
    first = next(line for line in small_run.printed.splitlines() if line.startswith("digits"))
    assert first.startswith("digits  epoch 1/3  loss ")
    assert "test accuracy" in first


def test_quick_settings_are_smaller_and_keep_the_seed():
    quick = Settings(seed=3).quick()
    assert quick.seed == 3
    assert quick.epochs < Settings.epochs
    assert quick.iterations < Settings.iterations
    assert Settings(epochs=2).quick().epochs == 2
    assert not Settings(compiled=False).quick().compiled
