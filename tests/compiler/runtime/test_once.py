"""What a process makes once: one object for all threads, also for those that come first."""

from __future__ import annotations

import threading

import pytest

from pullback.compiler.runtime import once


def test_it_is_made_at_the_first_call():
    made = []

    @once
    def thing():
        """Something."""
        made.append(object())
        return made[-1]

    assert made == [] and thing.__doc__ == "Something."
    assert thing() is thing() is made[0] and len(made) == 1


def test_threads_that_come_first_are_given_the_same():
    """All of them make one here, as they wait for each other while they do."""
    barrier = threading.Barrier(6, timeout=60)
    given = []

    @once
    def thing():
        barrier.wait()
        return object()

    threads = [threading.Thread(target=lambda: given.append(thing())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 6 and set(given) == {thing()}


def test_an_error_is_not_kept():
    divisors = iter([0, 4])

    @once
    def thing():
        return 8 // next(divisors)

    with pytest.raises(ZeroDivisionError):
        thing()
    assert thing() == thing() == 2
