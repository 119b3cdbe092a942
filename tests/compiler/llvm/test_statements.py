"""Control, copies and calls as machine code, and what a program asks of its caller."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from pullback.compiler.llvm import can, emit, numbers, parts, scratch_layout, symbols
from pullback.compiler.loops import (
    Axis,
    Branch,
    Buffer,
    Check,
    Const,
    For,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Program,
    Scalar,
    Store,
    While,
    Write,
    interpret,
    text,
)
from pullback.compiler.loops.interpreter import CheckFailedError
from tests.compiler.llvm.control import random_control
from tests.compiler.llvm.native import Native, run
from tests.compiler.loops.test_language import control, shifted

F, INT = "float64", "int64"


def number(value):
    return Const(value, F)


def doubles(pointer, size):
    return np.ctypeslib.as_array(ctypes.cast(pointer, ctypes.POINTER(ctypes.c_double)), (size,))


TWICE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


def test_loops_choices_copies_and_calls():
    def cube(handle, which, operands):
        assert (handle, which) == (77, 0)
        doubles(operands[1], 1)[0] = doubles(operands[0], 1)[0] ** 3
        return 0

    @TWICE
    def twice(x, out):
        doubles(out, 1)[0] = 2 * doubles(x, 1)[0]
        doubles(x, 1)[0] = 11

    code, (g,) = run(control(), [[3.0]], callback=cube, symbols={"twice": twice})
    assert code == 0
    np.testing.assert_allclose(g, [3**0.5, 1, 8, 5, 27, 12, 11], rtol=1e-12)
    assert symbols(control()) == ("twice",)


def test_a_callback_that_fails_ends_the_program():
    assert run(control(), [[3.0]], callback=lambda *_: -1, symbols={"twice": TWICE(int)})[0] == -1


def test_checks_of_kernels_end_the_program():
    x, p = np.arange(5.0) + 1, np.array([4, 0, 0, 2, 1])
    assert run(shifted(), [x, p])[0] == 0
    assert run(shifted(), [x, p + 1])[0] == 7


def endless():
    one = Op("add", (Name("a", F), number(1.0)), F)
    forever = Op("greater_equal", (Name("a", F), number(0.0)), "bool")
    loop = While(((Scalar("a", F), number(0.0)),), (), forever, (), (one,), (Scalar("b", F),))
    buffers = (Buffer("y", F, 1, "output"),)
    return Program("endless", buffers, (loop, Store(Place("y"), Name("b", F))))


def test_loops_are_interrupted():
    seen = []

    def poll():
        seen.append(None)
        return len(seen) == 5

    assert run(endless(), [], poll=poll)[0] == -2


def nested(extent):
    """Sums of powers by two loops; what is stored depends on a choice and on a check."""
    power = For(
        "j",
        Name("i", INT),
        ((Scalar("p", F), number(1.0)),),
        (),
        (Op("multiply", (Name("p", F), Load(Place("x"), F)), F),),
        (Scalar("q", F),),
    )
    choice = Branch(
        Op("remainder", (Name("i", INT), Const(4, INT)), INT),
        (
            ((), (Name("q", F),)),
            ((Let(Scalar("n", F), Op("negative", (Name("q", F),), F)),), (Name("n", F),)),
            ((), (number(0.0),)),
        ),
        (Scalar("r", F),),
    )
    loop = For(
        "i",
        extent,
        ((Scalar("a", F), number(0.5)),),
        (
            power,
            choice,
            Check(Op("less", (Name("i", INT), Const(9, INT)), "bool"), 3),
            Store(Place("y", 1, (("i", 1),)), Name("r", F)),
        ),
        (Op("add", (Name("a", F), Name("r", F)), F),),
        (Scalar("b", F),),
        reverse=True,
    )
    buffers = (
        Buffer("x", F, 1, "input"),
        Buffer("n", INT, 1, "input"),
        Buffer("y", F, 12, "output"),
    )
    return Program("nested", buffers, (loop, Store(Place("y"), Name("b", F))))


def test_nested_loops_of_any_extent():
    program = nested(Load(Place("n"), INT))
    native = Native(program)
    for n in (0, 1, 2, 9):
        values = [np.array([1.5]), np.array([n])]
        code, (y,) = native(program, values)
        assert code == 0
        np.testing.assert_array_equal(y, interpret(program, values)[0])
    assert native(program, [[1.5], [10]])[0] == 3


def steps():
    """x ← A x, 50 times, of three elements: a kernel on buffers that registers can hold."""
    product = Op("multiply", (
        Load(Place("A", 0, (("i", 3), ("k", 1))), F), Load(Place("s", 0, (("k", 1),)), F)
    ), F)  # fmt: skip
    step = Kernel(
        (Axis("i", 3), Axis("k", 3)),
        (),
        (Write(Place("t", 0, (("i", 1),)), product, "add", number(0.0)),),
    )

    def move(name, source, target):
        at, to = (Place(buffer, 0, ((name, 1),)) for buffer in (source, target))
        return Kernel((Axis(name, 3),), (), (Write(to, Load(at, F)),))

    loop = For("n", Const(50, INT), (), (step, move("b", "t", "s")), (), ())
    buffers = (
        Buffer("A", F, 9, "input"),
        Buffer("x", F, 3, "input"),
        Buffer("y", F, 3, "output"),
        Buffer("s", F, 3, "scratch"),
        Buffer("t", F, 3, "scratch"),
        Buffer("large", F, 1000, "scratch"),
    )
    return Program("steps", buffers, (move("a", "x", "s"), loop, move("c", "s", "y")))


def test_small_buffers_are_registers():
    random = np.random.default_rng(0)
    a, x = random.normal(size=(3, 3)) / 2, random.normal(size=3)
    native = Native(steps(), level=2)
    code, (y,) = native(steps(), [a, x])
    assert code == 0
    np.testing.assert_allclose(y, np.linalg.matrix_power(a, 50) @ x, rtol=1e-12)
    layout = scratch_layout(steps())
    assert layout.local == {"s", "t"}
    assert layout.offsets == {"large": 0}
    assert layout.total == 8000


def test_holes_of_buffers_copies_and_constants():
    key, given = numbers(steps())
    assert numbers(steps())[0] == key
    assert len(given) == key.count("#")
    holes = {position: position for position in range(len(given))}
    native = Native(steps(), holes)
    a, x = np.eye(3) * 2, np.array([1.0, 2.0, 3.0])
    code, (y,) = native(steps(), [a, x], numbers=given)
    assert code == 0
    np.testing.assert_array_equal(y, x * 2.0**50)


def test_what_there_is_machine_code_for():
    assert can("exp", "float64")
    assert not can("exp", "int64")


def kernel_text(text):
    """The lines of the first kernel's function."""
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("define internal"))
    return [line.strip() for line in lines[first + 1 : lines.index("}", first)]]


def test_the_text_of_a_small_kernel():
    at = (("i", 1),)
    value = Op("add", (Load(Place("x", 0, at), F), Load(Place("y", 1, at), F)), F)
    kernel = Kernel((Axis("i", 11),), (), (Write(Place("z", 0, at), value),))
    buffers = (
        Buffer("x", F, 11, "input"),
        Buffer("y", F, 12, "input"),
        Buffer("z", F, 11, "output"),
    )
    mask = "<4 x i1> <i1 true, i1 true, i1 true, i1 false>"
    load = "call <4 x double> @llvm.masked.load.v4f64.p0"
    assert kernel_text(emit(Program("sum", buffers, (kernel,)))) == [
        "%v2 = getelementptr double, ptr %b2, i64 1",
        "%v5 = getelementptr double, ptr %b1, i64 8",
        "%v7 = getelementptr double, ptr %b2, i64 9",
        "%v10 = getelementptr double, ptr %b0, i64 8",
        "%v1 = load <8 x double>, ptr %b1, align 8",
        "%v3 = load <8 x double>, ptr %v2, align 8",
        "%v4 = fadd contract <8 x double> %v1, %v3",
        "store <8 x double> %v4, ptr %b0, align 8",
        f"%v6 = {load}(ptr %v5, i32 8, {mask}, <4 x double> zeroinitializer)",
        f"%v8 = {load}(ptr %v7, i32 8, {mask}, <4 x double> zeroinitializer)",
        "%v9 = fadd contract <4 x double> %v6, %v8",
        f"call void @llvm.masked.store.v4f64.p0(<4 x double> %v9, ptr %v10, i32 8, {mask})",
        "ret void",
    ]


def test_the_text_of_a_loop():
    """Powers of two: carries are registers, and the extent is known to be above 0."""
    twice = Op("add", (Name("a", INT), Name("a", INT)), INT)
    loop = For(
        "i",
        Const(10, INT),
        ((Scalar("a", INT), Const(1, INT)),),
        (Store(Place("y", 0, (("i", 1),)), Name("a", INT)),),
        (twice,),
        (Scalar("b", INT),),
    )
    program = Program("powers", (Buffer("y", INT, 10, "output"),), (loop,))
    lines = [line.strip() for line in emit(program).splitlines()]
    assert lines[lines.index("before3:") : lines.index("ret i32 0")] == [
        "before3:",
        "br label %loop4",
        "loop4:",
        "%i7 = phi i64 [ 0, %before3 ], [ %next8, %latch5 ]",
        "%c9 = phi i64 [ 1, %before3 ], [ %v11, %latch5 ]",
        "%v10 = getelementptr i64, ptr %v2, i64 %i7",
        "store i64 %c9, ptr %v10, align 8",
        "%v11 = add i64 %c9, %c9",
        "br label %latch5",
        "latch5:",
        "%next8 = add nsw i64 %i7, 1",
        "%v12 = icmp slt i64 %next8, 10",
        "br i1 %v12, label %loop4, label %after6",
        "after6:",
        "%c13 = phi i64 [ %v11, %latch5 ]",
    ]


def straight(random, count):
    """Integers, each computed from two before it; some go through small buffers and a loop."""
    body = [Let(Scalar("v0", INT), Load(Place("x"), INT))]
    buffers = [Buffer("x", INT, 1, "input"), Buffer("y", INT, 8, "output")]
    buffers += [Buffer(f"b{n}", INT, 2, "scratch") for n in range(8)]
    body += [Store(Place(f"b{n}", k), Const(n, INT)) for n in range(8) for k in range(2)]
    for n in range(1, count):
        a, b = (f"v{max(0, n - 1 - int(random.integers(400)))}" for _ in range(2))
        operation = str(random.choice(["add", "subtract", "multiply", "bitwise_xor"]))
        args = (Name(a, INT), Name(b, INT))
        place = Place(f"b{random.integers(8)}", int(random.integers(2)))
        if n % 7 == 0:
            body.append(Store(place, Name(a, INT)))
            args = (args[0], Load(place, INT))
        body.append(Let(Scalar(f"v{n}", INT), Op(operation, args, INT)))
    body += [Store(Place("y", k), Name(f"v{count - 1 - 9 * k}", INT)) for k in range(8)]
    return buffers, body


def test_long_code_is_several_functions():
    buffers, body = straight(np.random.default_rng(4), 3300)
    program = Program("long", tuple(buffers), tuple(body))
    native = Native(program, level=0)
    assert native.text.count("define internal i32 @part") == 5
    x = [np.array([12345])]
    np.testing.assert_array_equal(native(program, x)[1][0], interpret(program, x)[0])

    # The body of a loop, with what the loop carries.
    first = body[0]
    carry = (Scalar("c", INT), Load(Place("x"), INT))
    inner = (Let(first.scalar, Name("c", INT)), *body[1:])
    loop = For("i", Const(5, INT), (carry,), inner, (Name("v3299", INT),), (Scalar("d", INT),))
    program = Program("long", tuple(buffers), (loop, Store(Place("y"), Name("d", INT))))
    native = Native(program, level=0)
    assert native.text.count("define internal i32 @part") == 5
    np.testing.assert_array_equal(native(program, x)[1][0], interpret(program, x)[0])


@pytest.mark.parametrize("longest", [parts.LONG, 25])
def test_generated_programs(longest, monkeypatch):
    """Loops and choices in one function, and cut into many."""
    monkeypatch.setattr(parts, "LONG", longest)
    for seed in range(25):
        program = random_control(seed)
        values = [np.random.default_rng(seed).integers(-9, 9, 12)]
        code, (found,) = run(program, values, level=0)
        error, wanted = outcome(program, values)
        assert code == error, text(program)
        if not error:
            np.testing.assert_array_equal(found, wanted, err_msg=text(program))


def outcome(program, values):
    """The number of the error in which a program ends, and its output if that is 0."""
    try:
        return 0, interpret(program, values)[0]
    except CheckFailedError as error:
        return error.error, None
