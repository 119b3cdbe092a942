"""Garbage collection is off while something is compiled, and then as it was."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.collection import uncollected


def test_it_is_as_before_after_the_last_one_leaves():
    inside, leave = threading.Event(), threading.Event()

    def compile_something():
        with uncollected():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=compile_something)
    thread.start()
    inside.wait()
    with pytest.raises(ArithmeticError), uncollected(), uncollected():
        raise ArithmeticError
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_is_off_while_a_function_is_recorded_and_on_when_it_runs():
    seen = []
    compiled = pb.compile(lambda x: (seen.append(gc.isenabled()), np.exp(x))[1])
    compiled(1.0)
    assert seen == [False]
    assert gc.isenabled()

    def fails(x):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        pb.compile(fails)(1.0)
    assert gc.isenabled()
