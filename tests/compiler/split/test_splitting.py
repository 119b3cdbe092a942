"""Split programs against the programs themselves, as loops and as machine code."""

from __future__ import annotations

import os
import signal
import threading
import warnings

import numpy as np
import pytest

import pullback as pb
from pullback.compiler import stages
from pullback.compiler.fusion import arrange, fuse
from pullback.compiler.llvm import tiles
from pullback.compiler.loops import interpret, text, verify
from pullback.compiler.lowering import lower
from pullback.compiler.runtime import threads
from pullback.compiler.split import Sizes, split
from pullback.core import trees
from tests.compiler.agreement import assert_agree
from tests.compiler.llvm.native import run
from tests.compiler.split.programs import FUNCTIONS

SMALL = Sizes(least=16, most=16, streamed=16, block=32, little=0, much=0)
"""Tiles of 16 samples, two of which are a block."""
MANY = 83
"""Samples: five tiles and a part of one, two blocks and a part of one."""


@pytest.fixture
def small(monkeypatch):
    """Have all that can be split be split."""
    monkeypatch.setattr(stages, "split", lambda program, samples: split(program, samples, SMALL))
    monkeypatch.setattr(tiles, "_OPERATIONS", 0)  # have threads for the least of work


each = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)


@each
def test_loops_in_tiles_compute_what_the_loops_do(function):
    args = function.arguments(np.random.default_rng(0), MANY)
    lowered = lower(stages.Stages(pb.trace(function.compiled, *args)).graph)
    fused = fuse(lowered.program)
    found = split(fused, [MANY], SMALL)
    assert found.phases == function.phases, text(found.program)
    verify(found.program)
    arranged = arrange(found.program)
    verify(arranged)
    values = [*trees.flatten(args)[0], *lowered.constants]
    one = interpret(arrange(fused), values)
    code, outputs = run(arranged, values)  # between guards
    assert code == 0
    for other in (interpret(arranged, values), outputs):
        for a, b in zip(one, other, strict=True):
            rtol = 1e-4 if a.dtype == np.float32 else 1e-11
            np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


@each
def test_machine_code_in_tiles_equals_the_function(small, function):
    compiled = pb.compile(function.compiled, split=function.axes)
    for m in (MANY, 15, 16, 17, 32, 33, 1, 0, 200):
        args = function.arguments(np.random.default_rng(m), m)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                expected = function.compiled(*args)
        except ValueError:
            assert not m  # the largest of no samples
            continue
        assert_agree(compiled(*args), expected, f"{function.name} of {m}")
    assert compiled.report(*function.arguments(np.random.default_rng(0), MANY)).samples == MANY


@each
def test_the_bits_depend_on_nothing_but_the_arguments(small, function):
    rng = np.random.default_rng(3)
    m = 99 if function.name == "kernel" else 32 * 37 + 5
    args = function.arguments(rng, m)
    results = set()
    try:
        for count in (1, 2, 3, 5, 16):
            threads.set_workers(count)
            # Memory may be measured for other threads than those that come.
            compiled = pb.compile(function.compiled, split=function.axes)
            for shift in (0, 1, 3):
                moved = trees.map_tree(lambda x, shift=shift: misplaced(np.asarray(x), shift), args)
                out = trees.flatten(compiled(*moved))[0]
                results.add(b"".join(np.asarray(x).tobytes() for x in out))
    finally:
        threads.set_workers(None)
    assert len(results) == 1


def misplaced(x, shift):
    """The same array, so many elements after where a cache line begins."""
    room = np.empty(x.size + 16 + shift, x.dtype)
    first = -(room.ctypes.data // x.itemsize) % (64 // x.itemsize) + shift
    copy = room[first : first + x.size].reshape(x.shape)
    copy[...] = x
    return copy


def test_sums_are_as_good_as_numpys():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=1_000_003).astype(np.float32)
    f = pb.compile(lambda x: np.sum(np.sqrt(np.exp(np.log(x))) ** 2))
    exact = float(np.sum(x, dtype=np.float64))
    assert abs(float(f(x)) - exact) <= 4 * float(np.finfo(np.float32).eps) * exact


def test_a_reduction_of_no_samples_is_an_error_still(small):
    f = pb.compile(lambda x: np.max(np.sin(x) + np.cos(x)))
    f(np.ones(40))
    with pytest.raises(ValueError, match="of no elements"):
        f(np.ones(0))


def test_an_index_outside_is_found_in_any_tile(small):
    def picked(w, n, x):
        return np.sum(np.sin(w[n]) * x)

    f = pb.compile(picked)
    w, n, x = np.arange(5.0), np.arange(100) % 5, np.linspace(0, 1, 100)
    assert_agree(f(w, n, x), picked(w, n, x))
    for position in (0, 31, 99):
        bad = n.copy()
        bad[position] = 5
        with pytest.raises(IndexError):
            f(w, bad, x)
    assert_agree(f(w, n, x), picked(w, n, x))


def test_split_says_along_what():
    rng = np.random.default_rng(0)
    X, v = rng.normal(size=(400, 400)), rng.normal(size=400)

    def loss(X, v):
        return np.sum(np.tanh(np.tanh(X) * v) ** 2, axis=None)

    automatic = pb.compile(pb.grad(loss, argnums=1))
    never = pb.compile(pb.grad(loss, argnums=1), split=None)
    rows = pb.compile(pb.grad(loss, argnums=1), split=(0, None))
    assert never.report(X, v).samples == 0
    assert automatic.report(X, v).samples == rows.report(X, v).samples == 400
    assert rows.report(X, v).axes["X"] == 0
    for f in (automatic, never, rows):
        assert_agree(f(X, v), pb.grad(loss, argnums=1)(X, v))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("rows", "split is 'rows', wanted 'auto'"),
        (1.0, "split is"),
        ((0, 0.5), r"split\[1\]"),
        ((0, 1), "the samples that split names are 4 in argument 0 and 3 in argument 1"),
        ((2,), "along axis 2, and it has an array of shape"),
        ((0, 0, 0), "split is for 3 arguments by position, and the call has 2"),
    ],
)
def test_a_split_that_does_not_fit_is_refused(given, words):
    with pytest.raises((TypeError, ValueError), match=words):
        pb.compile(lambda x, y: x.T @ y, split=given)(np.ones((4, 2)), np.ones((4, 3)))


def test_the_report_says_what_the_samples_are():
    rng = np.random.default_rng(0)
    args = FUNCTIONS[0].arguments(rng, 20_000)
    report = pb.compile(FUNCTIONS[0].compiled).report(*args)
    assert report.axes == {"Y": 1, "c": 0}
    assert report.phases == 1
    assert report.saved > 20_000 * 8 * 20
    words = (
        f"split along 20,000 samples (axis 1 of Y, axis 0 of c): 1 phase, tiles of {report.tile}"
    )
    assert words in str(report)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_interrupt_ends_what_all_threads_are_at(small, count):
    """Loops in tiles would go on for an hour."""

    def settled(t):
        return pb.fori_loop(0, 10**9, lambda _, s: np.sin(s) + t, t)

    compiled = pb.compile(lambda x: np.sum(pb.vmap(settled)(x)))
    x = np.linspace(0, 1, 200)
    try:
        threads.set_workers(count)
        assert compiled.report(x).samples == 200
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            compiled(x)
        timer.join()
    finally:
        threads.set_workers(None)


def test_the_number_of_threads_may_change_between_calls(small):
    """Code has memory for as many as it was made for, whatever is asked for later."""
    function = FUNCTIONS[0]
    compiled = pb.compile(function.compiled, split=function.axes)
    try:
        for count, m in ((2, 900), (1, 1200), (16, 900), (3, 1500), (1, 1500), (16, 2100)):
            threads.set_workers(count)
            args = function.arguments(np.random.default_rng(m), m)
            assert_agree(compiled(*args), function.compiled(*args), f"{count} threads, {m}")
            assert compiled.report(*args).threads >= 1
    finally:
        threads.set_workers(None)


def test_channels_are_no_samples():
    """Of images with eight channels and eight rows the images are the samples, if anything is."""
    rng = np.random.default_rng(0)
    net = pb.nn.Chain([
        pb.nn.Conv2d.initialize(1, 8, 3, "relu", rng=rng, padding=1),
        pb.nn.BatchNorm.initialize(8), pb.nn.MaxPool2d(2),
        pb.nn.Conv2d.initialize(8, 16, 3, "relu", rng=rng, padding=1),
    ])  # fmt: skip

    def loss(net, x):
        return np.sum(pb.nn.training(net)(x) ** 2)

    graph = pb.trace(pb.grad(loss), net, rng.normal(size=(100, 1, 8, 8)))
    assert stages.Stages(graph).split.samples in (0, 100)
