"""The time of steps, and training with compiled ones beside training without."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pullback_demo import digits, pace
from pullback_demo.pace import Pace
from pullback_demo.record import DigitsRecord, Epoch, Trial


@pytest.fixture
def clock(monkeypatch):
    """A clock that shows what it is set to."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(pace, "process_time", lambda: Clock.now)
    return Clock


def test_a_step_lasts_from_one_preparation_to_the_next(clock):
    found = Pace()

    def prepare(x):
        clock.now += 100.0
        return (x,)

    prepared = found.after(prepare)
    for samples, spent in [(4, 9.0), (4, 1.0), (3, 5.0), (3, 2.0)]:
        (x,) = prepared(np.zeros(samples))
        assert len(x) == samples
        clock.now += spent
    found.stop()
    clock.now += 7.0
    found.stop()
    assert found.seconds == [9.0, 1.0, 5.0, 2.0]
    assert found.first == {4: 9.0, 3: 5.0}
    assert found.median == 3.5


def test_before_the_first_step_there_is_no_median():
    found = Pace()
    found.stop()
    assert math.isnan(found.median)
    assert found.seconds == []


def test_steps_are_compared_when_both_kinds_have_been_taken():
    record = DigitsRecord(planned=1)
    assert record.speedup is None
    record.training = Trial(compiled=True, pace=Pace([1.0, 2.0, 9.0]))
    record.eager = Trial(compiled=False, pace=Pace([6.0, 8.0]))
    assert record.speedup is None
    record.eager.epochs.append(Epoch(1.0, 0.5, 0.5, None))
    assert record.speedup == 3.5


def test_compiled_training_is_that_without(full_run):
    """The same images in the same order: what differs is rounding, which grows as it goes on."""
    record = full_run.record.digits
    assert record.training.compiled
    assert record.training.epochs is record.epochs
    assert not record.eager.compiled
    assert len(record.eager.epochs) == digits.COMPARED
    steps = math.ceil(record.train_size / digits.BATCH)
    assert len(record.training.pace.seconds) == steps * len(record.epochs)
    assert len(record.eager.pace.seconds) == steps * digits.COMPARED
    assert set(record.training.pace.first) == {digits.BATCH, record.train_size % digits.BATCH}
    for compiled, eager in zip(record.epochs, record.eager.epochs, strict=False):
        assert compiled.loss == pytest.approx(eager.loss, rel=1e-8)
        assert (compiled.train, compiled.test) == (eager.train, eager.test)


def test_the_report_has_both(full_run, small_run):
    for outcome in (full_run, small_run):
        page, record = outcome.page, outcome.record.digits
        assert "The same training, compiled and not" in page
        assert f"{record.speedup:.1f} times as long" in page
        shared = len(record.eager.epochs)
        assert f"loss in epoch {shared}" in page
        assert f"{record.eager.epochs[-1].loss:.6f}" in page
