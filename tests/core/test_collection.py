"""Python's garbage collector while long programs are recorded."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import textwrap
import threading

import pytest

import pullback as pb
from pullback.core.collection import ROUND

LONG = ROUND + 100


def long(x):
    """So many operations that full collections wait at the end."""
    for _ in range(LONG):
        x = -x
    return x


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)
    gc.enable()


def can_wait():
    """Whether the collector has a threshold for full collections."""
    before = gc.get_threshold()
    gc.set_threshold(*before[:2], before[2] + 1)
    after = gc.get_threshold()
    gc.set_threshold(*before)
    return after != before


CAN_WAIT = can_wait()


def waits(before):
    now = gc.get_threshold()
    return now[:2] == before[:2] and (now[2] > before[2] or not CAN_WAIT)


@pytest.mark.filterwarnings("ignore::pullback.UnrolledLoopWarning")
def test_full_collections_wait_while_a_long_program_is_recorded(thresholds):
    seen = []

    def program(x):
        y = long(x)
        seen.append(waits(thresholds))
        return y

    assert pb.grad(program)(2.0) == 1
    assert pb.trace(program, 2.0)(2.0) == 2
    assert seen == [True, True] and gc.get_threshold() == thresholds
    assert pb.grad(pb.grad(lambda x: program(x) * x))(1.0) == 2
    assert gc.get_threshold() == thresholds
    pb.grad(lambda x: seen.append(waits(thresholds)) or -x)(2.0)
    assert not seen[-1] or not CAN_WAIT  # a short one


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_thresholds_are_what_they_were_after_an_error(thresholds, error):
    def program(x):
        long(x)
        assert waits(thresholds)
        raise error

    with pytest.raises(error):
        pb.grad(program)(2.0)
    assert gc.get_threshold() == thresholds


def test_thresholds_are_what_they_were_after_a_generator(thresholds):
    """What is recorded while a generator is asked counts to the transformation that asks."""

    def elements(x):
        yield long(x)
        yield long(x)

    generators = []

    def program(x):
        generators.append(elements(x))
        return next(generators[-1])

    assert pb.grad(program)(2.0) == 1
    assert gc.get_threshold() == thresholds
    with pytest.raises(pb.LeakedTracerError):
        next(generators[-1])
    assert gc.get_threshold() == thresholds


def test_what_a_program_does_to_the_collector_stays(thresholds):
    def program(change):
        def f(x):
            y = long(x)
            change()
            return long(y)

        return f

    gc.disable()
    pb.grad(long)(2.0)
    assert not gc.isenabled()
    pb.grad(program(gc.enable))(2.0)
    assert gc.isenabled() and gc.get_threshold() == thresholds
    pb.grad(program(gc.disable))(2.0)
    assert not gc.isenabled() and gc.get_threshold() == thresholds
    gc.enable()
    pb.grad(program(lambda: gc.set_threshold(500, 5, 5)))(2.0)
    assert gc.get_threshold() == (500, 5, 5)


def test_thresholds_that_a_program_finds_and_sets_back(thresholds):
    """They are those of a recording that makes full collections wait, and not the user's."""

    def program(x):
        found = gc.get_threshold()
        gc.set_threshold(thresholds[0] + 1, 20, 20)
        y = long(x)
        gc.set_threshold(*found)
        return y

    def programs(x):
        y = program(long(x))
        assert waits(thresholds)
        return long(y)

    for f in (programs, lambda x: program(long(x))):
        pb.grad(f)(2.0)
        assert gc.get_threshold() == thresholds


def test_threads(thresholds):
    """A transformation that ends in one thread leaves the collector to those that are left."""
    started, ended = threading.Event(), threading.Event()
    seen = []

    def program(x):
        y = long(x)
        started.set()
        ended.wait(10)
        seen.append(gc.get_threshold() == thresholds)
        y = long(y)
        seen.append(waits(thresholds))
        return y

    thread = threading.Thread(target=pb.grad(program), args=(2.0,))
    thread.start()
    started.wait(10)
    pb.grad(long)(2.0)
    ended.set()
    thread.join()
    assert seen == [True, True] and gc.get_threshold() == thresholds


def exit_status(child):
    """What `child` returns in a forked process, as its exit status."""
    with contextlib.suppress(DeprecationWarning):
        process = os.fork()
    if not process:
        status = 1
        try:
            status = int(not child())
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_processes(thresholds):
    """A child process has the thresholds back, whichever thread was at work when it was made."""
    statuses = []

    def child():
        return gc.get_threshold() == thresholds and pb.grad(long)(2.0) == 1

    def program(x):
        y = long(x)
        statuses.append(exit_status(child))
        return y

    pb.grad(program)(2.0)
    started, ended = threading.Event(), threading.Event()

    def elsewhere(x):
        y = long(x)
        started.set()
        ended.wait(10)
        return y

    thread = threading.Thread(target=pb.grad(elsewhere), args=(2.0,))
    thread.start()
    started.wait(10)
    statuses.append(exit_status(child))
    ended.set()
    thread.join()
    assert statuses == [0, 0] and gc.get_threshold() == thresholds


def test_cyclic_garbage_of_a_long_program_is_collected():
    """It is collected in proportion to the memory in use, also if it has grown old."""
    program = textwrap.dedent("""
        import pullback as pb
        from pullback.core.collection import ROUND

        class Cell:
            alive = most = 0
            def __init__(self):
                self.itself, self.numbers = self, [float(i) for i in range(20)]
                Cell.alive += 1
                Cell.most = max(Cell.most, Cell.alive)
            def __del__(self):
                Cell.alive -= 1

        def program(x):
            for _ in range(15):
                cells = [Cell() for _ in range(10_000)]  # they outlive the young collections
                for _ in range(ROUND):
                    x = -x
                del cells
            return x

        pb.grad(program)(2.0)
        print(Cell.most)
    """)
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(ran.stdout) <= 80_000
