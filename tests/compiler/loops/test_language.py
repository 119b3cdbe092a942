"""The language of loops: its interpreter against NumPy, its text, and what its verifier refuses."""

from __future__ import annotations

import numpy as np
import pytest

from pullback.compiler.loops import (
    Axis,
    Branch,
    Buffer,
    Call,
    Check,
    Const,
    Copy,
    External,
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
    verify,
)
from pullback.compiler.loops.interpreter import CheckFailedError
from pullback.errors import GraphError

F, INT = "float64", "int64"


def number(value):
    return Const(value, F)


def load(buffer, *terms, offset=0, where=None):
    return Load(Place(buffer, offset, terms), F, where)


def product():
    """C = A B of shapes (3, 4) and (4, 2), and the sum of all elements of A."""
    kernel = Kernel(
        (Axis("i", 3), Axis("k", 4), Axis("j", 2)),
        (
            Let(Scalar("a", F), load("A", ("i", 4), ("k", 1))),
            Let(Scalar("b", F), load("B", ("k", 2), ("j", 1))),
        ),
        (
            Write(
                Place("C", 0, (("i", 2), ("j", 1))),
                Op("multiply", (Name("a", F), Name("b", F)), F),
                "add",
                number(0.0),
            ),
        ),
    )
    total = Kernel(
        (Axis("n", 12),),
        (),
        (Write(Scalar("t", F), load("A", ("n", 1)), "add", number(1.0)),),
    )
    buffers = (
        Buffer("A", F, 12, "input"),
        Buffer("B", F, 8, "input"),
        Buffer("C", F, 6, "output"),
        Buffer("s", F, 1, "output"),
    )
    return Program("product", buffers, (kernel, total, Store(Place("s"), Name("t", F))))


def test_a_kernel_computes_a_product_and_a_sum():
    a, b = np.arange(12.0).reshape(3, 4), np.arange(8.0).reshape(4, 2) - 3
    verify(product())
    c, s = interpret(product(), [a, b])
    np.testing.assert_array_equal(c.reshape(3, 2), a @ b)
    assert s == a.sum() + 1


def test_text():
    assert text(product()).splitlines() == [
        "program product",
        "  input A: float64[12]",
        "  input B: float64[8]",
        "  output C: float64[6]",
        "  output s: float64[1]",
        "  for all i < 3, k < 4, j < 2:",
        "    a: float64 = A[4·i + k]",
        "    b: float64 = B[2·k + j]",
        "    C[2·i + j] add= a · b from 0.0",
        "  for all n < 12:",
        "    t: float64 add= A[n] from 1.0",
        "  s[0] = t",
    ]


def shifted():
    """y[i] = x[i + 1] where there is one, and 0; a gather through p, with a check."""
    inside = Op("less", (Name("i", INT), Const(4, INT)), "bool")
    at = Load(Place("p", 0, (("i", 1),)), INT)
    kernel = Kernel(
        (Axis("i", 5),),
        (
            Let(Scalar("at", INT), at),
            Check(Op("less", (Name("at", INT), Const(5, INT)), "bool"), 7),
            Let(Scalar("g", F), load("x", ("at", 1))),
        ),
        (
            Write(Place("y", 0, (("i", 1),)), load("x", ("i", 1), offset=1, where=inside)),
            Write(Place("z", 0, (("i", 1),)), Name("g", F)),
        ),
    )
    buffers = (
        Buffer("x", F, 5, "input"),
        Buffer("p", INT, 5, "input"),
        Buffer("y", F, 5, "output"),
        Buffer("z", F, 5, "output"),
    )
    return Program("shifted", buffers, (kernel,))


def test_masked_and_gathered_elements():
    x, p = np.arange(5.0) + 1, np.array([4, 0, 0, 2, 1])
    verify(shifted())
    y, z = interpret(shifted(), [x, p])
    np.testing.assert_array_equal(y, [2, 3, 4, 5, 0])
    np.testing.assert_array_equal(z, x[p])
    with pytest.raises(CheckFailedError, match="error 7"):
        interpret(shifted(), [x, p + 1])


def control():
    """Fibonacci numbers by a loop into f; Newton's root of x; its sign by a choice; calls."""
    fib = For(
        "i",
        Const(10, INT),
        ((Scalar("a", F), number(0.0)), (Scalar("b", F), number(1.0))),
        (Store(Place("f", 0, (("i", 1),)), Name("a", F)),),
        (Name("b", F), Op("add", (Name("a", F), Name("b", F)), F)),
        (Scalar("a1", F), Scalar("b1", F)),
        reverse=True,
    )
    x, r = load("x"), Name("r", F)
    error = Op("subtract", (Op("multiply", (r, r), F), x), F)
    newton = While(
        ((Scalar("r", F), number(1.0)),),
        (Let(Scalar("e", F), error),),
        Op("greater", (Op("absolute", (Name("e", F),), F), number(1e-12)), "bool"),
        (),
        (Op("subtract", (r, Op("divide", (Name("e", F), Op("add", (r, r), F)), F)), F),),
        (Scalar("root", F),),
    )
    choice = Branch(
        Op("convert", (Op("greater", (x, number(2.0)), "bool"),), INT),
        (((), (number(-1.0),)), ((), (number(1.0),))),
        (Scalar("sign", F),),
    )
    rest = (
        Store(Place("g", 0), Name("root", F)),
        Store(Place("g", 1), Name("sign", F)),
        Copy(Place("g", 2), Place("f", 3), 2),
        Call(0, (Place("x"), Place("g", 4)), 1),
        External("twice", (Op("add", (x, x), F), Place("g", 5)), (1,), ((0, Scalar("d", F)),)),
        Store(Place("g", 6), Name("d", F)),
    )
    buffers = (
        Buffer("x", F, 1, "input"),
        Buffer("g", F, 7, "output"),
        Buffer("f", F, 10, "scratch"),
    )
    return Program("control", buffers, (fib, newton, choice, *rest))


def test_loops_choices_and_calls():
    def cube(x, out):
        out[0] = x[0] ** 3

    def twice(x, out):
        out[0] = 2 * x[0]
        x[0] = 11

    verify(control())
    (g,) = interpret(control(), [np.array([3.0])], [cube], {"twice": twice})
    np.testing.assert_allclose(g, [3**0.5, 1, 8, 5, 27, 12, 11], rtol=1e-12)
    assert "next b, a + b" in text(control())
    assert "d = twice(x[0] + x[0], g[5])" in text(control())


X = Buffer("x", F, 3, "input")
Y = Buffer("y", F, 3, "output")
ONE = (Axis("i", 3),)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([Let(Scalar("a", F), Name("b", F))], "b has no value here"),
        ([Let(Scalar("a", F), number(1.0))] * 2, "a is given twice"),
        ([Let(Scalar("a", INT), number(1.0))], "is of dtype float64, wanted int64"),
        ([Store(Place("x"), number(1.0))], "can't be written to"),
        ([Store(Place("y", 3), number(1.0))], "reaches 3 of 3 elements"),
        ([Store(Place("q"), number(1.0))], "there is no buffer q"),
        ([Let(Scalar("a", F), Op("add", (number(1.0), Const(1, INT)), F))], "add of"),
        ([Let(Scalar("a", F), Op("plus", (number(1.0),), F))], "no operation plus"),
        ([Kernel(ONE, (), (Write(Place("y"), number(1.0)),))], "is written at each i"),
        ([Kernel(ONE, (), (Write(Place("y", 1, (("i", 1),)), number(1.0)),))], "reaches 3"),
        ([Kernel(ONE, (), (Write(Place("y", 2, (("i", -2),)), number(1.0)),))], "begins at -2"),
        ([Check(number(1.0), 1)], "wanted bool"),
        ([Copy(Place("y", 1), Place("x"), 3)], "reaches 1 of 3"),
        (
            [For("i", Const(2, INT), (), (Let(Scalar("a", F), number(1.0)),), (), ()),
             Store(Place("y"), Name("a", F))],
            "a has no value here",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(body, words):
    with pytest.raises(GraphError, match=words):
        verify(Program("f", (X, Y), tuple(body)))


def test_nothing_is_read_outside():
    kernel = Kernel(ONE, (), (Write(Place("y", 0, (("i", 1),)), load("x", ("i", 1), offset=1)),))
    with pytest.raises(AssertionError, match="outside"):
        interpret(Program("f", (X, Y), (kernel,)), [np.ones(3)])


def test_an_empty_kernel_gives_what_it_starts_with():
    kernel = Kernel(
        (Axis("i", 3), Axis("k", 0)),
        (),
        (
            Write(Place("y", 0, (("i", 1),)), load("x", ("i", 1), ("k", 3)), "add", number(2.0)),
            Write(Scalar("t", F), load("x", ("i", 1)), "add", number(5.0)),
        ),
    )
    program = Program("f", (X, Y), (kernel, Store(Place("y", 1), Name("t", F))))
    verify(program)
    np.testing.assert_array_equal(interpret(program, [np.ones(3)])[0], [2, 5, 2])
