"""References, working memory and threads."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

from pullback.compiler.call import Entry, NativeEntry
from pullback.errors import PullbackError
from tests.compiler.call.kernels import (
    ADD,
    SCRATCH,
    SPIN,
    STATUS,
    array,
    copying,
    function,
    instance,
    same,
)

NUMBER = array(np.int64, kind="number")
SIZES = [8, 64, 4096, 1 << 16, (1 << 16) + 8, 1 << 20, (1 << 26) + 64]


def test_no_reference_is_lost_or_kept(make: Any, slow: Any) -> None:
    values: list[Any] = [np.arange(3.0), np.float32(1.5), 1e300, 2**40, True, 1j, np.array(2)]
    call = copying(make, values, slow, single=False).call
    failing = make(function(STATUS, errors=((KeyError, "k"),)), instance(NUMBER, NUMBER), slow).call
    donating = make(
        function(ADD, constants=(np.zeros(1),), donated=((0, 0),)),
        instance((array(float, 3), array(float, 3)), array(float, 3), 3, 1),
        slow,
    ).call
    strange, one, zero = object(), 2**31 - 1, np.zeros(3)
    watched = [*values, strange, slow, np.ndarray, np.dtype(float), np.dtype(np.float32), None]
    counts: list[list[int]] = []
    results = None
    for _ in range(3):
        for _ in range(1000):
            results = call(*values)
            call(*values[:-1], strange)
            call(*values, a=strange)
            slow.calls.clear()
            donating(values[0], zero)
            for number in (1, one):
                with pytest.raises((KeyError, PullbackError)):
                    failing(number)
        gc.collect()
        counts.append([sys.getrefcount(x) for x in watched])
    assert results is not None
    held = [sys.getrefcount(results[k]) for k in range(3)]
    assert held == [2, 2, 2]  # by the tuple and by the argument
    for x, before, after in zip(watched, counts[1], counts[2], strict=True):
        assert abs(after - before) < 50, x  # others of the process use some of them


def test_memory_does_not_grow(make: Any, slow: Any) -> None:
    x = np.arange(1000.0)
    call = copying(make, [x, 1.5], slow, single=False).call
    failing = make(function(STATUS, errors=((KeyError, "k"),)), instance(NUMBER, NUMBER), slow).call
    scratch = make(function(SCRATCH), instance(NUMBER, NUMBER, 1 << 14, scratch=1 << 17), slow).call

    def work(times: int) -> None:
        for _ in range(times):
            call(x, 1.5)
            scratch(3)
            with pytest.raises(KeyError):
                failing(1)

    work(20)
    tracemalloc.start()
    try:
        work(20)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        work(300)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 20_000  # one array each time would be 2,400,000


def test_scratch_is_aligned_and_as_large_as_it_should_be(make: Any, slow: Any) -> None:
    for size in SIZES:
        call = make(function(SCRATCH), instance(NUMBER, NUMBER, size // 8, scratch=size), slow).call
        for x in (3, 5, 3):
            assert call(x) == x * (size // 8), size


def test_scratch_of_several_sizes_with_one_function(slow: Any) -> None:
    def of_size(n: int) -> Any:
        words = n << 14
        inputs = (NUMBER, array(bool, n))
        return instance(inputs, (NUMBER, array(bool)), words, scratch=8 * words)

    entry = NativeEntry(function(_WITH_TWO_INPUTS, single=False), of_size(1), slow)
    for n in (2, 3):
        entry.add(of_size(n))
    for n in (1, 3, 2, 1, 3):
        assert entry.call(7, np.zeros(n, bool))[0] == 7 * (n << 14)


_WITH_TWO_INPUTS = SCRATCH.replace("ptr %buffers, i64 1", "ptr %buffers, i64 2")


@pytest.mark.parametrize("size", [1 << 12, 1 << 18])
@pytest.mark.parametrize("long", [False, True])
def test_threads_do_not_meet(make: Any, slow: Any, size: int, long: bool) -> None:
    made = instance(NUMBER, NUMBER, size // 8, scratch=size, long=long)
    call = make(function(SCRATCH), made, slow).call
    wrong: list[Any] = []

    def work(x: int) -> None:
        wrong.extend(y for _ in range(60) if (y := call(x)) != x * (size // 8))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and not slow.calls


def test_other_threads_run_during_long_calls(make: Any, slow: Any) -> None:
    leaf = array(np.int64, 1)
    call = make(function(SPIN), instance(leaf, leaf, 2**34, long=True), slow).call
    x = np.zeros(1, np.int64)
    timer = threading.Timer(0.02, lambda: x.__setitem__(0, 5))
    timer.start()
    assert same(call(x), np.array([5]))
    timer.join()


def test_short_calls_keep_the_lock(slow: Any) -> None:
    leaf = array(np.int64, 1)
    call = NativeEntry(function(SPIN), instance(leaf, leaf, 2**26), slow).call
    x = np.zeros(1, np.int64)
    start = threading.Event()

    def write() -> None:
        start.wait()
        x[0] = 5

    thread = threading.Thread(target=write)
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(10)  # so the thread runs only where the lock is released
    try:
        start.set()
        assert same(call(x), np.array([0]))
    finally:
        sys.setswitchinterval(interval)
        thread.join()


def test_instances_may_change_while_calls_run(slow: Any) -> None:
    leaf, number = array(np.int64, 1), 2**34
    entry = NativeEntry(function(SPIN), instance(leaf, leaf, number, long=True), slow)
    x = np.zeros(1, np.int64)
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(entry.call(x)))
    thread.start()
    try:
        for k in range(40):  # all places are taken by others, and what was there is let go of
            other = array(np.int64, k + 2)
            entry.add(instance(other, other, 1))
        gc.collect()
        junk = [np.zeros(6, np.int64) for _ in range(100)]
    finally:
        x[0] = 9
        thread.join()
    assert same(results[0], np.array([9])) and len(junk) == 100


class Owner:
    """What has to live as long as an entry."""


def test_an_entry_goes_with_its_last_reference(make: Any) -> None:
    owner = Owner()
    gone = weakref.ref(owner)
    x = np.arange(3.0)
    of_owner = [function(ADD, constants=(np.zeros(1),), owner=owner)]
    made = instance((array(float, 3), array(float, 3)), array(float, 3), 3, 1, scratch=1 << 20)

    class Compiled:
        def __init__(self) -> None:
            self.entry = make(of_owner[0], made, self.slow)

        def slow(self, *args: Any) -> Any:
            return self

    compiled = Compiled()
    call = compiled.entry.call
    del owner, compiled
    of_owner.clear()
    gc.collect()
    assert same(call(x, x), 2 * x)
    assert isinstance(call(1), Compiled)
    assert gone() is not None
    del call
    gc.collect()
    assert gone() is None


def test_kept_scratch_is_given_back(slow: Any) -> None:
    size = 1 << 22
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made = instance(NUMBER, NUMBER, 1, scratch=size)
        call = NativeEntry(function(SCRATCH), made, slow).call
        assert call(3) == 3
        assert tracemalloc.get_traced_memory()[0] - before > size  # there for the next call
        del call
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < size // 2
    finally:
        tracemalloc.stop()


def test_the_slow_path_may_add_an_instance(slow: Any) -> None:
    def of_size(n: int) -> Any:
        return instance((array(float, n), array(float, n)), array(float, n), n, 1)

    calls = []

    def learn(*args: Any) -> Any:
        calls.append(len(args[0]))
        entry.add(of_size(len(args[0])))
        return entry.call(*args)

    entry = Entry(function(ADD, constants=(np.zeros(1),)), of_size(1), learn)
    for n in (1, 2, 3, 2, 3, 1):
        x = np.arange(float(n))
        assert same(entry.call(x, x), 2 * x)
    assert calls == [2, 3]
