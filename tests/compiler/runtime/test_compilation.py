"""LLVM text to machine code: right results, the machine's width, and errors that show the line."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pullback.compiler.runtime import NativeCodeError, assembly, compile_text, host, load
from pullback.compiler.runtime.fault import fault
from pullback.errors import PullbackError
from tests.compiler.runtime.native import ANSWER, SCALED, call, scaled
from tests.grouping import together

TABLE = np.arange(8) + 0.5


@together()
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_code_of_every_level_computes_what_the_text_says(level):
    library = load(compile_text(SCALED, level=level))
    rng = np.random.default_rng(level)
    for count in (0, 1, 2, 7, 100):
        x = rng.normal(size=8 * count)
        np.testing.assert_array_equal(scaled(library, x), x * x + np.resize(TABLE, x.size))


def test_equal_texts_become_equal_objects():
    assert compile_text(SCALED) == compile_text(SCALED)


def test_vectors_of_64_bytes_lie_in_one_register_where_there_is_one():
    assert ("zmm" in assembly(SCALED)) == ("+avx512f" in host().features.split(","))


def test_what_is_to_be_inlined_is():
    text = assembly(SCALED)
    assert "run" in text
    assert "square" not in text
    assert "call" not in text


def test_the_stack_is_used_at_level_0_alone():
    """The counter of the loop is in memory in the text."""
    assert "rsp" in assembly(SCALED, level=0)
    assert "rsp" not in assembly(SCALED)


def test_functions_of_the_c_library_are_found():
    text = """
    declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
    define i32 @run(ptr %x, i64 %bytes) {
      call void @llvm.memset.p0.i64(ptr %x, i8 1, i64 %bytes, i1 false)
      ret i32 0
    }"""
    x = np.zeros(1000, np.uint8)
    assert call(load(compile_text(text)), x, 999) == 0
    assert x.sum() == 999 and x[-1] == 0


def test_threads_compile_load_and_call_at_once():
    wrong: list[object] = []

    def work(number):
        try:
            for turn in range(4):
                text = ANSWER.replace("42", str(10 * number + turn))
                if call(load(compile_text(text)), 0) != 10 * number + turn:
                    wrong.append((number, turn))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


NO_DOMINANCE = """define i32 @run(i1 %c) {
  br i1 %c, label %a, label %b
a:
  %x = add i32 1, 2
  br label %b
b:
  ret i32 %x
}"""


@together()
@pytest.mark.parametrize(
    ("text", "reason", "number", "line"),
    [
        (
            "define i32 @run() {\n  ret i64 0\n}",
            "cannot read the code: value doesn't match function result type 'i32'",
            2,
            "ret i64 0",
        ),
        (
            "define i32 @run() {\n  %x = call i32 @absent()\n  ret i32 %x\n}",
            "cannot read the code: use of undefined value '@absent'",
            2,
            "%x = call i32 @absent()",
        ),
        (
            "define i32 @run() {\n  ret i32 0\n",
            "cannot read the code: found end of file when expecting more instructions",
            2,
            "ret i32 0",
        ),
        (
            NO_DOMINANCE,
            "finds the code malformed: Instruction does not dominate all uses!",
            4,
            "%x = add i32 1, 2",
        ),
    ],
    ids=["type", "name", "end", "dominance"],
)
def test_an_error_of_llvm_names_the_line(text, reason, number, line):
    for function in (compile_text, assembly):
        with pytest.raises(NativeCodeError) as caught:
            function(text)
        assert str(caught.value) == f"LLVM {reason}\nline {number} of the LLVM text: {line}"
        assert caught.value.line == number
        assert isinstance(caught.value, PullbackError)


def test_an_error_without_a_line_is_quoted():
    error = fault("LLVM rests", RuntimeError("it is late\nvery late\n"), ANSWER)
    assert str(error) == "LLVM rests: it is late / very late"
    assert error.line is None


def test_an_error_leaves_llvm_usable():
    for _ in range(3):
        with pytest.raises(NativeCodeError):
            compile_text("nonsense")
        assert call(load(compile_text(ANSWER)), 0) == 42
