"""Effects happen as often as in Python, and the loops that have them are unrolled with a reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.lifting.trace import recorded
from tests.lifting.traps import TRAPS

X = np.linspace(0.05, 0.95, 10)


@pytest.mark.parametrize("name", TRAPS)
def test_effects_happen_each_time(name: str) -> None:
    f, word = TRAPS[name]
    plainly: list[Any] = []
    once: list[Any] = []
    value = f(X, plainly)
    graph, unrolled = recorded(lambda x: f(x, once), X)
    np.testing.assert_allclose(graph(X), value, rtol=1e-12)
    assert once == plainly
    assert any(word in each.reason for each in unrolled), [each.reason for each in unrolled]
    assert all(each.path.endswith("traps.py") for each in unrolled)


def test_the_output_is_printed_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    def shows(x):
        s = 0.0
        for i in range(5):
            print("step")  # noqa: T201
            s += x[i]
        return s

    graph, (unrolled,) = recorded(shows, X)
    assert capsys.readouterr().out == "step\n" * 5
    assert "it calls print" in unrolled.reason
    assert graph(X) == pytest.approx(shows(X))


def test_an_effect_in_one_of_two_blocks_is_refused_before_it_happens() -> None:
    log: list[int] = []

    def counts(x):
        if x[0] > 0.5:
            log.append(1)
        return x[0]

    with pytest.raises(pb.DataDependenceError, match=r"it calls list\.append"):
        pb.trace(counts, X, lift=True)
    assert log == []
