"""What `trace` and `compile` say of loops that are unrolled, and that calls don't meet."""

from __future__ import annotations

import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import pullback as pb
from tests.lifting import forms

X = np.linspace(0.05, 0.95, 10)


def appending(x):
    found = []
    for i in range(400):
        found.append(x[i % 10])
    return sum(found)


def going_over_a_list(x):
    s = 0.0
    for w in [0.5] * 400:
        s += w * x[0]
    return s


def test_a_long_loop_that_is_unrolled_is_told_of_with_its_reason() -> None:
    with pytest.warns(pb.UnrolledLoopWarning) as caught:
        graph = pb.trace(appending, X, lift=True)
    (warning,) = caught
    words = str(warning.message)
    assert "`for i in range(400):` is unrolled, 400 iterations" in words
    assert "it calls list.append" in words
    assert warning.filename == __file__
    assert graph(X) == pytest.approx(appending(X))
    with pytest.warns(pb.UnrolledLoopWarning, match="it goes over a list, not an array"):
        pb.trace(going_over_a_list, X, lift=True)


def test_the_report_lists_what_is_unrolled() -> None:
    f = pb.compile(pb.grad(appending), lift=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = f.report(X)
    (unrolled,) = report.unrolled
    assert unrolled.iterations == 400
    assert str(unrolled) in str(report)
    assert pb.compile(forms.swaps, lift=True).report(X).unrolled == ()


def test_a_compiled_function_that_lifts_is_differentiated_and_sent() -> None:
    f = pb.compile(forms.swaps, lift=True)
    np.testing.assert_allclose(pb.grad(f)(X), pb.grad(forms.swaps)(X))
    assert len(pb.trace(pb.grad(f), X).equations) < 40
    assert pickle.loads(pickle.dumps(f)).lift
    np.testing.assert_allclose(f(X), forms.swaps(X))


def test_threads_do_not_meet() -> None:
    """The same function is recorded by several threads at once."""
    found: list[Any] = []

    def work(seed: int) -> None:
        x = np.random.default_rng(seed).random(10)
        f = list(forms.LIFTED)[seed % 3]
        found.append(np.allclose(pb.trace(f, x, lift=True)(x), f(x)))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [True] * 6
