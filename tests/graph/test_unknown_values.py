"""Values that decide on the course of the program: an error, with the line and the remedy."""

from __future__ import annotations

import inspect
import math
import re

import numpy as np
import pytest

import pullback as pb

V = np.array([3.0, 1.0, 2.0])
WORDS = ["one", "two", "three"]


def if_statement(v):
    if v.sum() > 0:
        return v
    return -v


def while_statement(v):
    while np.sum(v) < 10:
        v = v * 2
    return v


def break_out(v):
    for _ in range(5):
        v = v / 2
        if np.max(np.abs(v)) < 1:
            break
    return v


def assertion(v):
    assert np.all(v > 0)
    return v


def pattern(v):
    match v[0]:
        case 3.0:
            return v
    return -v


def range_of(v):
    for _ in range(np.argmax(v)):
        v = v + 1
    return v


TABLE = np.arange(5.0)


def fill_plain(v):
    TABLE[0] = v[0]
    return TABLE


CONDITION = (
    "np.where(condition, a, b)",
    "pullback.cond(condition",
    "pullback.while_loop(condition",
)
INTEGER = ("pullback.fori_loop(0, n, body, carry)", "np.asarray(a, like=i)[i]", "pullback.switch(i")
NUMBER = ("NumPy's functions instead of the math module's", "np.zeros(n)", "np.where(")

FORMS = [
    (if_statement, "if v.sum() > 0:", CONDITION),
    (while_statement, "while np.sum(v) < 10:", CONDITION),
    (break_out, "if np.max(np.abs(v)) < 1:", CONDITION),
    (assertion, "assert np.all(v > 0)", CONDITION),
    (pattern, "case 3.0:", CONDITION),
    (lambda v: v if v[0] > 1 else -v, "v if v[0] > 1 else -v", CONDITION),
    (lambda v: (v > 0) and (v < 1), "(v > 0) and (v < 1)", CONDITION),
    (lambda v: not v[0] > 0, "not v[0] > 0", CONDITION),
    (lambda v: 0 < v[0] < 1, "0 < v[0] < 1", CONDITION),
    (lambda v: bool(v[0]), "bool(v[0])", CONDITION),
    (lambda v: v if 3.0 in v else -v, "v if 3.0 in v else -v", CONDITION),
    (lambda v: sorted(v)[0], "sorted(v)[0]", CONDITION),
    (lambda v: max(v), "lambda v: max(v)", CONDITION),
    (lambda v: min(v[0], v[1]), "min(v[0], v[1])", CONDITION),
    (lambda v: v if any(v > 1) else -v, "v if any(v > 1) else -v", CONDITION),
    (lambda v: list(filter(None, v)), "list(filter(None, v))", CONDITION),
    (lambda v: v if np.allclose(v, 1) else -v, "v if np.allclose(v, 1) else -v", CONDITION),
    (lambda v: np.arange(v[0]), "np.arange(v[0])", ("as large as",)),
    (range_of, "for _ in range(np.argmax(v)):", INTEGER),
    (lambda v: v * int(v[0]), "v * int(v[0])", INTEGER),
    (lambda v: WORDS[np.argmax(v)], "WORDS[np.argmax(v)]", INTEGER),
    (lambda v: v * round(v[0]), "v * round(v[0])", INTEGER),
    (lambda v: v * math.floor(v[0]), "v * math.floor(v[0])", INTEGER),
    (lambda v: v ** int(v[0]), "v ** int(v[0])", INTEGER),
    (lambda v: np.zeros(np.argmax(v)), "np.zeros(np.argmax(v))", INTEGER),
    (lambda v: v.reshape(np.argmax(v), -1), "v.reshape(np.argmax(v), -1)", INTEGER),
    (lambda v: v * float(v[0]), "v * float(v[0])", NUMBER),
    (lambda v: v * complex(v[0]), "v * complex(v[0])", NUMBER),
    (lambda v: math.sin(v[0]), "math.sin(v[0])", NUMBER),
    (lambda v: np.float64(v[0]), "np.float64(v[0])", NUMBER),
    (fill_plain, "TABLE[0] = v[0]", NUMBER),
    (lambda v: TABLE[np.argmax(v)], "TABLE[np.argmax(v)]", ("like=i)[i]",)),
    (lambda v: v[: np.argmax(v)], "v[: np.argmax(v)]", ("x[start + np.arange(n)]",)),
    (lambda v: TABLE[np.argmax(v) :][:1], "TABLE[np.argmax(v) :][:1]",
     ("np.asarray(a, like=i)[i : i + n]",)),
    (lambda v: v[v > 1], "v[v > 1]", ("np.where(mask, x, 0)",)),
    (lambda v: np.nonzero(v), "np.nonzero(v)", ("np.where(condition, a, b)",)),
    (lambda v: np.where(v > 1), "np.where(v > 1)", ("np.where(condition, a, b)",)),
    (lambda v: np.repeat(v, np.argmax(v)), "np.repeat(v, np.argmax(v))", ("as large as",)),
    (lambda v: f"{v[0]:.3f}", 'f"{v[0]:.3f}"', ("print what the graph gives",)),
]  # fmt: skip


@pytest.mark.parametrize(("f", "source", "remedies"), FORMS, ids=[form[1] for form in FORMS])
def test_the_error_shows_the_line_and_names_the_remedy(f, source, remedies):
    with pytest.raises(pb.DataDependenceError) as caught:
        pb.trace(f, V)
    message = str(caught.value)
    number = _line(source)
    shown = message.partition(f"{__file__}, line {number}: `")[2].partition("`")[0]
    assert source in shown
    for remedy in remedies:
        assert remedy in message
    assert message.startswith(("trace of ", "np.repeat", "numpy.arange", "x[mask]"))


def _line(source):
    lines = inspect.getsource(inspect.getmodule(_line)).splitlines()
    return next(n for n, line in enumerate(lines, 1) if source in line)


def test_the_whole_message():
    with pytest.raises(pb.DataDependenceError) as caught:
        pb.trace(if_statement, V)
    assert str(caught.value) == (
        "trace of if_statement: a traced value of dtype bool and shape () was about to become the "
        f"condition of an if or a while at {__file__}, line {_line('if v.sum() > 0:')}: "
        "`if v.sum() > 0:`, but while a graph is recorded only its shape and dtype are known. "
        "Choose between values with np.where(condition, a, b), and between computations with "
        "pullback.cond(condition, if_true, if_false, *operands); repeat one with "
        "pullback.while_loop(condition, body, carry). Join conditions with &, | and ~ in place "
        "of and, or and not: (0 <= x) & (x < 3). If it is an argument that stays the same, "
        "fix it outside: pullback.trace(lambda x: f(x, n), x)"
    )


TRANSFORMS = {
    "gradient": lambda f: pb.grad(lambda v: np.sum(f(v))),
    "jacobian": pb.jacobian,
    "hessian": lambda f: pb.hessian(lambda v: np.sum(f(v))),
    "pushforward": lambda f: lambda v: pb.pushforward(f, (v,), (v,)),
    "linearize": lambda f: lambda v: pb.linearize(f, v)[1](v),
    "a trace": lambda f: lambda v: pb.trace(f, v)(v),
    "a loop": lambda f: lambda v: pb.fori_loop(0, 3, lambda i, v: f(v), v),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_line_is_shown_inside_transforms_and_loops(transform):
    with pytest.raises(pb.DataDependenceError, match=r"`if v\.sum\(\) > 0:`"):
        pb.trace(TRANSFORMS[transform](if_statement), V)


def test_what_is_known_may_decide():
    def f(v, n):
        if v.ndim == 1 and v.shape[0] > 2 and v.dtype == np.float64 and len(v) == 3:
            v = v + 1
        for _ in range(n):
            v = v * 2
        return v if np.all(np.ones(3) > 0) else -v

    graph = pb.trace(lambda v: f(v, 2), V)
    np.testing.assert_array_equal(graph(V), 4 * (V + 1))


def test_sequences_of_known_length_are_followed():
    def f(v):
        first, *rest = v
        pairs = [x * k for k, x in enumerate(v)]
        return first + sum(rest) + pairs[2] + np.array(list(v))[0] + v.tolist()[1] + v[2].item()

    np.testing.assert_allclose(pb.trace(f, V)(V), f(V))


RECORDING = {
    "trace": lambda f: pb.trace(f, np.ones(3)),
    "gradient": lambda f: pb.trace(pb.grad(f), np.ones(3)),
    "scan": lambda f: pb.scan(lambda c, x: (c + f(x), None), 0.0, np.ones((2, 3))),
    "while_loop": lambda f: pb.while_loop(lambda c: c < 2.0, lambda c: c + f(c * np.ones(3)), 1.0),
    "cond": lambda f: pb.cond(True, f, f, np.ones(3)),
    "checkpoint": lambda f: pb.grad(pb.checkpoint(f))(np.ones(3)),
    "compile": lambda f: pb.compile(f)(np.ones(3)),
}


@pytest.mark.parametrize("record", RECORDING)
def test_text_says_what_is_known_of_a_value(record):
    shown = []

    def f(x):
        shown.append([str(x), repr(x), f"{x}", f"{x[0]}", f"{np.argmax(x)}", f"{x.dtype}"])
        return np.sum(x * x)

    RECORDING[record](f)
    array, *same, scalar, integer, dtype = shown[0]
    assert re.fullmatch(r"Tracer\(float64\[3\], level=\d+\)", array)
    assert same == [array] * 2
    assert scalar == array.replace("[3]", "[]")
    assert integer.startswith("Tracer(int64[], level=")
    assert dtype == "float64"


@pytest.mark.parametrize("record", RECORDING)
def test_digits_of_a_value_are_not_known(record):
    for words in (
        lambda x: f"{x[0]:.3f}",
        lambda x: format(float(x[0]), ".3f"),
        lambda x: f"{np.argmax(x):d}",
        np.array2string,
        np.array_str,
        np.array_repr,
        lambda x: np.format_float_positional(x[0]),
        lambda x: f"{x[x > 0]:.3f}",
    ):

        def f(x, words=words):
            words(x)
            return np.sum(x * x)

        with pytest.raises((pb.errors.DataDependenceError, pb.errors.DetachedError)):
            RECORDING[record](f)
