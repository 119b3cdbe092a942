"""Calls that fail: numbers of errors, exceptions of callbacks, memory that cannot be had."""

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Any

import numpy as np
import pytest

from pullback.compiler.call import Entry, NativeEntry
from pullback.compiler.callbacks import Callbacks
from pullback.errors import PullbackError
from tests.compiler.call.kernels import CALL, COPY, STATUS, array, function, instance, same

INT, NUMBER = array(np.int64), array(np.int64, kind="number")
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int32, ctypes.c_void_p)


def test_numbers_of_the_table_become_its_exceptions(make: Any, slow: Any) -> None:
    errors = ((IndexError, "row 3 is out of range"), (FloatingPointError, "not finite"))
    call = make(function(STATUS, "loss", errors=errors), instance(NUMBER, NUMBER), slow).call
    assert call(0) == 0
    with pytest.raises(IndexError, match=r"^loss: row 3 is out of range$"):
        call(1)
    with pytest.raises(FloatingPointError, match=r"^loss: not finite$"):
        call(2)
    for number in (3, -3, -1, 2**31 - 1):
        with pytest.raises(PullbackError, match=f"^loss: native code returned {number}, and"):
            call(number)
    with pytest.raises(KeyboardInterrupt):
        call(-2)
    assert call(0) == 0 and not slow.calls


def test_what_a_callback_has_kept_is_raised_again(make: Any, slow: Any) -> None:
    kept: list[BaseException | None] = []
    native = function(STATUS, kept=lambda: kept.pop())
    call = make(native, instance(NUMBER, NUMBER), slow).call
    for number in (-1, -2):
        error = ZeroDivisionError("in a callback")
        kept.append(error)
        with pytest.raises(ZeroDivisionError) as caught:
            call(number)
        assert caught.value is error and not kept
    kept.append(None)
    with pytest.raises(KeyboardInterrupt):
        call(-2)


def test_an_error_in_the_slow_path_comes_through(make: Any) -> None:
    def slow(*args: Any) -> Any:
        raise LookupError(len(args))

    call = make(function(STATUS), instance(INT, INT), slow).call
    with pytest.raises(LookupError, match="2"):
        call(1, 2)


def test_outputs_that_no_memory_is_there_for(make: Any, slow: Any) -> None:
    x = np.zeros(1, np.int64)
    for shape in [(2**60,), (2**50, 2**12), (2**40, 2**40)]:
        leaves = array(np.int64, 1), array(np.int64, *shape)
        native = function(COPY, "loss", single=False)
        outputs = (array(np.int64, 1), leaves[1])
        first = Entry(native, instance(leaves[0], outputs, 0, 1), slow)
        assert first.is_native
        entry = make(native, instance(leaves[0], outputs, 0, 1), first.call)
        before = sys.getrefcount(x)
        with pytest.raises(MemoryError, match=r"^loss: no memory for its outputs of [\d,]+ bytes"):
            entry.call(x)
        assert sys.getrefcount(x) == before
    assert not slow.calls


def test_scratch_that_no_memory_is_there_for(slow: Any) -> None:
    for size in (2**60, 2**62):
        entry = Entry(function(STATUS, "loss"), instance(INT, INT, scratch=size), slow)
        with pytest.raises(MemoryError, match="working memory of"):
            entry.call(np.array(0))


def test_the_native_entry_hands_on_what_it_has_no_memory_for(slow: Any) -> None:
    large = array(np.int64, 2**60)
    entry = NativeEntry(function(STATUS), instance(INT, large), slow)
    x = np.array(0)
    assert entry.call(x) == "slow"
    assert slow.calls.pop()[0][0] is x


def test_no_recursion_breaks_the_interpreter(make: Any, capfd: Any) -> None:
    """Without end through the slow path, and through callbacks."""

    def again(*args: Any) -> Any:
        return entry.call(*args, 1)

    entry = make(function(STATUS), instance(INT, INT), again)
    with pytest.raises(RecursionError):
        entry.call(1, 2)

    class Deep(Callbacks):
        def run(self, number: int, operands: int) -> None:
            levels.append(number)
            called.call(x)
            ends.append(number)

    levels: list[int] = []
    ends: list[int] = []
    deep, x = Deep(()), np.array(0)
    context = np.array([Callbacks.address(), deep.handle], np.uint64)
    native = function(CALL, context=context, kept=Callbacks.kept())
    called = make(native, instance(INT, INT, scratch=600), again)

    def from_depth(depth: int) -> None:
        called.call(x) if not depth else from_depth(depth - 1)

    # Python's limit is met in each of the frames that a level takes.
    for depth in range(20):
        levels.clear()
        with pytest.raises(RecursionError):
            from_depth(depth)
        assert len(levels) > 100 and set(levels) == {7}
    assert not ends
    assert Callbacks.kept()() is None
    assert not capfd.readouterr().err


def test_an_exception_comes_through_native_code_whole(make: Any, slow: Any) -> None:
    """Its lines included; of each thread its own, and once."""

    class Raising(Callbacks):
        def run(self, number: int, operands: int) -> None:
            raise errors[threading.get_ident()]

    raising, x = Raising(()), np.array(0)
    context = np.array([Callbacks.address(), raising.handle], np.uint64)
    native = function(CALL, context=context, kept=Callbacks.kept())
    errors: dict[int, BaseException] = {}
    found: list[bool] = []

    def work(called: Any) -> None:
        mine = errors[threading.get_ident()] = KeyboardInterrupt("mine")
        for _ in range(50):
            with pytest.raises(KeyboardInterrupt) as caught:
                called(x)
            names = [each.name for each in caught.traceback]
            found.append(caught.value is mine and "run" in names)
        assert Callbacks.kept()() is None

    for long in (False, True):
        called = make(native, instance(INT, INT, long=long), slow).call
        threads = [threading.Thread(target=work, args=(called,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 300 and all(found)


def test_a_callback_may_call_the_function(make: Any, slow: Any) -> None:
    """Its arguments and results are those of each call, whoever holds the lock."""
    found: list[Any] = []

    @CALLBACK
    def callback(handle: int, number: int, operands: int) -> int:
        buffers = (ctypes.c_void_p * 2).from_address(operands)
        x, y = (ctypes.c_int64.from_address(address or 0) for address in buffers)
        y.value = x.value if x.value == 0 else 1 + entry.call(x.value - 1)
        found.append(y.value)
        return 0

    context = np.array([ctypes.cast(callback, ctypes.c_void_p).value, 0], np.uint64)
    for long in (False, True):
        found.clear()
        made = instance(NUMBER, NUMBER, scratch=100, long=long)
        entry = make(function(CALL, context=context), made, slow)
        assert same(entry.call(9), 9)
        assert found == list(range(10))
