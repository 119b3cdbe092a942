"""Objects in memory: how long they stay, and what is no object."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import numpy as np
import pytest

from pullback.compiler.runtime import NativeCodeError, compile_text, load
from tests.compiler.runtime.native import ANSWER, SCALED, call, scaled


def test_a_library_stays_while_others_of_the_same_names_come_and_go():
    x = np.arange(16.0)
    kept = load(compile_text(SCALED))
    expected = scaled(kept, x)
    address = kept.address("run")
    for number in range(20):
        other = load(compile_text(ANSWER.replace("42", str(number)), level=0))
        assert call(other, 0) == number
        assert other.address("run") != address
        del other
        gc.collect()
    assert kept.address("run") == address
    np.testing.assert_array_equal(scaled(kept, x), expected)


def test_the_garbage_collector_may_release_what_hangs_together():
    """In whichever order: a library that was called, and what an error left behind."""
    for _ in range(10):
        library = load(compile_text(ANSWER, level=0))
        assert call(library, 0) == 42
        library.itself = library
        del library
        try:
            compile_text("define i32 @run(i1 %c) {\n  ret i32 %c\n}")
        except NativeCodeError as error:
            error.itself = error
        gc.collect()
    assert call(load(compile_text(ANSWER)), 0) == 42


def test_one_object_can_be_loaded_twice():
    """Each has data of its own."""
    code = compile_text("""
    @count = internal global i32 0
    define i32 @run(i64 %ignored) {
      %old = load i32, ptr @count
      %new = add i32 %old, 1
      store i32 %new, ptr @count
      ret i32 %new
    }""")
    first, second = load(code), load(code)
    assert [call(first, 0), call(first, 0), call(second, 0), call(first, 0)] == [1, 2, 1, 3]


def test_threads_that_look_for_a_function_at_once_find_it():
    """And none of them takes the code away from the others."""
    code = compile_text(ANSWER, level=0)
    for _ in range(50):
        library, answers = load(code), []
        barrier = threading.Barrier(6, timeout=60)

        def look(library=library, barrier=barrier, answers=answers):
            barrier.wait()
            library.address("run")
            barrier.wait()
            answers.append(call(library, 0))

        threads = [threading.Thread(target=look) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [42] * 6


GROWTH = """
import ctypes, resource
from pullback.compiler.runtime import compile_text, load

code = compile_text('''
@room = internal global [8000000 x i8] zeroinitializer
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define i32 @run() {
  call void @llvm.memset.p0.i64(ptr @room, i8 1, i64 8000000, i1 false)
  ret i32 0
}''')

def turn():
    library = load(code)
    ctypes.CFUNCTYPE(ctypes.c_int32)(library.address("run"))()

turn()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(30):
    turn()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_the_memory_of_a_library_goes_with_it():
    """Thirty libraries of 8 MB, one after another, need less room than four."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True
    )
    kilobytes = int(done.stdout) / (1000 if sys.platform == "darwin" else 1)
    assert kilobytes < 32_000


def test_a_function_that_is_nowhere():
    library = load(compile_text(ANSWER))
    with pytest.raises(NativeCodeError, match=r"cannot link 'walk'.*Symbols not found: \[ walk \]"):
        library.address("walk")
    assert call(library, 0) == 42


def test_a_call_of_a_function_that_is_nowhere(capfd):
    text = "declare i32 @pb_nowhere()\ndefine i32 @run() {\n  %x = call i32 @pb_nowhere()\n"
    library = load(compile_text(f"{text}  ret i32 %x\n}}"))
    with pytest.raises(NativeCodeError, match="cannot link 'run', or what is called in its object"):
        library.address("run")
    assert capfd.readouterr() == ("", "")


def test_what_is_no_object_is_an_error_and_no_crash():
    code = compile_text(ANSWER)
    for damaged in (b"", b"\0", b"no object", code[: len(code) // 2], code[:100], code[1:]):
        with pytest.raises(NativeCodeError, match="LLVM cannot load the object: "):
            load(damaged)
