"""The pool of threads: every span once, at once, errors, and many callers."""

from __future__ import annotations

import threading
import time

import llvmlite.binding as llvm
import numpy as np
import pytest

from pullback.compiler.runtime import assembly, compile_text, host, threads
from pullback.errors import ArgumentValueError
from tests.compiler.runtime.pool import Task, call, marks, meets, native
from tests.grouping import together

LONG = 60
"""Seconds after which something will not come any more."""


@pytest.fixture
def sixteen():
    threads.set_workers(16)
    threads.ready()
    yield
    threads.set_workers(None)


@together()
@pytest.mark.parametrize("workers", range(1, 17))
def test_every_span_is_called_once(sixteen, workers):
    for spans in (0, 1, 2, 3, 16, 17, 1000):
        counts, numbers = marks(spans, workers).T
        assert (counts == 1).all()
        assert ((numbers >= 0) & (numbers < workers)).all()


def test_every_span_is_called_once_however_often_and_whenever(sixteen):
    """Calls that follow at once find threads awake, others find them asleep or between."""
    rng = np.random.default_rng(0)
    for turn in range(3000):
        spans, workers = rng.integers(1, 20, 2)
        assert (marks(spans, workers)[:, 0] == 1).all()
        if turn % 20 == 0:
            time.sleep(rng.uniform(0, 2e-3))


@together()
@pytest.mark.parametrize("workers", [2, 3, 4, 16])
def test_so_many_threads_work_at_once(sixteen, workers):
    """By a task in Python, which waits until the others have come too."""
    begun = []
    barrier = threading.Barrier(workers, timeout=LONG)

    @Task
    def meet(frame, span, worker):
        barrier.wait()
        begun.append((frame, span, worker, threading.get_ident()))
        return 0

    for _ in range(5):
        begun.clear()
        assert call(meet, 5, workers, workers) == 0
        frames, spans, numbers, identities = map(set, zip(*begun, strict=True))
        assert frames == {5}
        assert spans == numbers == set(range(workers))
        assert len(identities) == workers and threading.get_ident() in identities


def test_numbers_of_workers_differ_among_those_that_run(sixteen):
    running, twice = set(), []

    @Task
    def work(frame, span, worker):
        if worker in running:
            twice.append(worker)
        running.add(worker)
        time.sleep(1e-3)
        running.remove(worker)
        return 0

    for workers in (2, 5, 16):
        assert call(work, None, 40, workers) == 0
    assert twice == []


def test_python_s_lock_is_not_needed(sixteen):
    """The caller holds it all the while, and two threads meet in machine code."""
    for _ in range(20):
        assert meets(2, locked=True)


def test_no_more_work_than_there_are_threads(sixteen):
    threads.set_workers(2)
    assert threads.workers() == 2
    counts, numbers = marks(1000, 16).T
    assert (counts == 1).all()
    assert set(numbers) <= {0, 1}
    threads.set_workers(3)
    assert meets(3)
    threads.set_workers(1)
    assert set(marks(1000, 16)[:, 1]) == {0}


def test_threads_that_are_not_needed_any_more_end(sixteen):
    def pool():
        return [each for each in threading.enumerate() if each.name.startswith("pullback-")]

    assert {each.daemon for each in pool()} == {True}
    threads.set_workers(2)
    until = time.monotonic() + LONG
    while len(pool()) > 1 and time.monotonic() < until:
        time.sleep(1e-3)
    assert len(pool()) == 1


@together()
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_of_failures_that_of_the_first_span_is_returned(sixteen, workers):
    frame = np.zeros(1000, np.int64)
    frame[[17, 18, 300, 999]] = [-5, 6, 7, 8]
    for _ in range(200):
        assert call(native("fail"), frame, 1000, workers) == -5
        assert call(native("fail"), frame, 17, workers) == 0


def test_after_a_failure_no_span_is_begun(sixteen):
    begun = []
    barrier = threading.Barrier(4, timeout=LONG)

    @Task
    def work(frame, span, worker):
        begun.append(span)
        if span < 4:
            barrier.wait()
            time.sleep([1, 0.3, 0, 1][span])
        return [0, 11, 22, 0][span] if span < 4 else 0

    assert call(work, None, 100, 4) == 11
    assert sorted(begun) == [0, 1, 2, 3]


def test_callers_at_once(sixteen):
    """One of them has the pool; the others work on their own threads."""
    wrong = []

    def work(number):
        try:
            for turn in range(200):
                counts, numbers = marks(1 + (number * turn) % 50, 4).T
                if not ((counts == 1).all() and (numbers < 4).all()):
                    wrong.append((number, turn))
        except BaseException as error:
            wrong.append(error)

    callers = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(8)]
    for each in callers:
        each.start()
    for each in callers:
        each.join(LONG)
    assert wrong == [] and not any(each.is_alive() for each in callers)


def test_a_task_that_calls_the_pool_works_on_its_thread(sixteen):
    inner, outer = [], []

    @Task
    def within(frame, span, worker):
        inner.append((frame or 0, span, worker, threading.get_ident()))
        return 0

    @Task
    def around(frame, span, worker):
        outer.append((span, threading.get_ident()))
        return call(within, span, 3, 4)

    assert call(around, None, 5, 4) == 0
    assert sorted(span for span, _ in outer) == [0, 1, 2, 3, 4]
    assert sorted(inner) == sorted(
        (span, place, 0, thread) for span, thread in outer for place in range(3)
    )


def test_the_number_of_threads_is_checked():
    for count in (0, -1, 1025):
        with pytest.raises(ArgumentValueError, match=rf"count is {count}, wanted is .* 1 to 1024"):
            threads.set_workers(count)


@together()
@pytest.mark.parametrize("system", ["nt", "posix"])
@pytest.mark.parametrize("triple", ["x86_64", "aarch64", "arm64", "riscv64"])
def test_the_code_for_other_machines_is_well_formed(triple, system):
    text = threads.pool_text(f"{triple}-some-system", system)
    with llvm.create_context() as context, llvm.parse_assembly(text, context) as module:
        module.verify()
    called = assembly(threads.pool_text(host().triple, system))
    assert ("SleepConditionVariableSRW" in called) == (system == "nt")
    assert ("pthread_cond_wait" in called) == (system == "posix")
    assert compile_text(threads.pool_text(host().triple, system), level=0)
