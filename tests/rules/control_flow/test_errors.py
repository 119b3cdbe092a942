"""What a loop says of a body that does not fit."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

x = np.array([1.0, 2.0, 3.0])
rows = np.ones((4, 3))


def message_of(kind, function, *args, **kwargs):
    with pytest.raises(kind) as caught:
        function(*args, **kwargs)
    assert isinstance(caught.value, pb.PullbackError)
    message = str(caught.value)
    assert "Traced" not in message
    assert "Variable" not in message
    return message


def assert_says(message, *words):
    for word in words:
        assert word in message, (word, message)


LOOPS = {
    "scan": lambda step, c: pb.scan(lambda c, _: (step(c), None), c, length=3),
    "fori_loop": lambda step, c: pb.fori_loop(0, 3, lambda i, c: step(c), c),
    "while_loop": lambda step, c: pb.while_loop(lambda c: False, step, c),
}


@pytest.fixture(params=list(LOOPS))
def loop(request):
    """The name of a kind of loop, and a function of a step on the carry and the carry."""
    return request.param, LOOPS[request.param]


# -- the carry changes ---------------------------------------------------------------------------


def test_the_dtype_of_a_leaf_changes(loop):
    name, run = loop

    def step(c):
        return {**c, "b": c["b"] * np.float64(2.0)}

    message = message_of(TypeError, run, step, {"a": x, "b": np.ones(2, np.float32)})
    assert_says(message, name, "['b']", "float32", "float64")
    message = message_of(TypeError, run, lambda c: (c[0], c[1] * 0.5), (x, np.arange(3)))
    assert_says(message, name, "[1]", "int64", "float64")
    message = message_of(TypeError, run, lambda c: c + 1j, x)
    assert_says(message, name, "float64", "complex128")
    assert any(word in message for word in ("astype", "dtype"))


def test_the_shape_of_a_leaf_changes(loop):
    name, run = loop

    def step(c):
        return {**c, "b": np.concatenate([c["b"], c["b"]])}

    message = message_of(ValueError, run, step, {"a": x, "b": np.ones(2)})
    assert_says(message, name, "['b']", "(2,)", "(4,)")
    message = message_of(ValueError, run, lambda c: c + np.ones(3), 0.0)
    assert_says(message, name, "()", "(3,)")


def test_the_structure_changes(loop):
    name, run = loop
    message = message_of(ValueError, run, lambda c: (c, c), x)
    assert_says(message, name, "structure")
    message = message_of(ValueError, run, lambda c: {"a": c["a"]}, {"a": x, "b": x})
    assert_says(message, name, "'b'")
    message_of(ValueError, run, lambda c: None, x)
    message_of(ValueError, run, lambda c: c[0], (x, x))


def test_the_carry_is_no_array(loop):
    name, run = loop
    message = message_of(TypeError, run, lambda c: c, (x, "text"))
    assert_says(message, name, "[1]", "str")
    message = message_of(TypeError, run, lambda c: "text", x)
    assert_says(message, name, "str")
    message_of(TypeError, run, lambda c: c, np.array(["a"]))


@pytest.mark.parametrize("derivative", [pb.grad, pb.hessian])
def test_under_a_derivative_the_message_is_the_same(loop, derivative):
    name, run = loop

    def f(x):
        run(lambda c: (c[0], c[1].astype(np.float32)), (0, np.sum(x)))

    message = message_of(TypeError, derivative(f), x)
    assert_says(message, name, "[1]", "float64", "float32")


# -- scan ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [0.0, None, (), (1.0,), (1.0, 2.0, 3.0), np.ones(2), {"c": 1.0}])
def test_the_body_of_scan_returns_a_pair(result):
    def body(c, x):
        return result

    message = message_of((TypeError, ValueError), pb.scan, body, 1.0, rows)
    assert_says(message, "scan", "body", "(carry, y)")


def test_inputs_of_different_lengths():
    xs = {"force": rows, "time": np.ones(5)}
    message = message_of(ValueError, pb.scan, lambda c, x: (c, None), 0.0, xs)
    assert_says(message, "scan", "['force']", "4", "['time']", "5")


def test_a_length_that_contradicts_the_inputs():
    message = message_of(ValueError, pb.scan, lambda c, x: (c, None), 0.0, rows, length=3)
    assert_says(message, "scan", "length", "3", "4")


def test_neither_inputs_nor_a_length():
    for xs in (None, (), {"a": None}):
        message = message_of((TypeError, ValueError), pb.scan, lambda c, x: (c, None), 0.0, xs)
        assert_says(message, "scan", "length")


def test_an_input_without_an_axis():
    message = message_of(ValueError, pb.scan, lambda c, x: (c, None), 0.0, (rows, 1.0))
    assert_says(message, "scan", "[1]", "()")


@pytest.mark.parametrize("length", [-1, 2.5, "3"])
def test_lengths_that_are_none(length):
    message = message_of(
        (TypeError, ValueError), pb.scan, lambda c, x: (c, None), 0.0, length=length
    )
    assert_says(message, "scan", "length", str(length))


@pytest.mark.parametrize("checkpoint", [0, -3, "all", 1.5])
def test_checkpoints_that_are_none(checkpoint):
    message = message_of(
        (TypeError, ValueError),
        pb.scan, lambda c, x: (c, None), 0.0, rows, checkpoint=checkpoint,
    )  # fmt: skip
    assert_says(message, "scan", "checkpoint", str(checkpoint), "sqrt")
    message = message_of(
        (TypeError, ValueError),
        pb.fori_loop, 0, 3, lambda i, c: c, 0.0, checkpoint=checkpoint,
    )  # fmt: skip
    assert_says(message, "fori_loop", "checkpoint", str(checkpoint))


# -- fori_loop -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("lower", "upper"), [(0, 2.5), (0.0, 3), ("a", 3), (0, np.ones(2, int))])
def test_bounds_that_are_no_integers(lower, upper):
    message = message_of((TypeError, ValueError), pb.fori_loop, lower, upper, lambda i, c: c, 1.0)
    assert_says(message, "fori_loop", "integer")


def test_a_bound_that_is_differentiated():
    def f(n):
        return pb.fori_loop(0, n, lambda i, c: c + 1.0, 0.0)

    assert_says(message_of(TypeError, pb.grad(f), 3.0), "fori_loop", "integer", "float64")


# -- while_loop ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (lambda c: c, ("float64", "(3,)")),
        (lambda c: c > 0, ("bool", "(3,)")),
        (lambda c: np.sum(c), ("float64",)),
        (lambda c: 1, ("int",)),
        (lambda c: (True, False), ("tuple",)),
        (lambda c: None, ("None",)),
    ],
)
def test_a_condition_that_is_no_truth_value(condition, words):
    message = message_of((TypeError, ValueError), pb.while_loop, condition, lambda c: c, x)
    assert_says(message, "while_loop", "condition", "bool", *words)


# -- cond and switch -----------------------------------------------------------------------------


def test_a_predicate_that_is_no_truth_value():
    for predicate, words in [(x, "(3,)"), (x > 0, "(3,)"), ("yes", "str"), (None, "None")]:
        message = message_of((TypeError, ValueError), pb.cond, predicate, np.sin, np.cos, 1.0)
        assert_says(message, "cond", "predicate", words)


def test_branches_that_disagree():
    def by(other):
        return lambda: pb.cond(np.sum(x) > 0, lambda x: {"u": x, "v": np.sum(x)}, other, x)

    message = message_of(TypeError, by(lambda x: {"u": x, "v": np.float32(1)}))
    assert_says(message, "cond", "['v']", "float64", "float32")
    message = message_of(ValueError, by(lambda x: {"u": x[:2], "v": 0.0}))
    assert_says(message, "cond", "['u']", "(3,)", "(2,)")
    message = message_of(ValueError, by(lambda x: (x, 0.0)))
    assert_says(message, "cond", "structure")
    message = message_of(ValueError, pb.switch, 2, [lambda x: x, lambda x: x, lambda x: x[0]], x)
    assert_says(message, "switch", "branch", "2", "(3,)", "()")


def test_a_python_number_in_one_branch_takes_the_dtype_of_the_other():
    for predicate in (True, False, np.True_):
        y = pb.cond(predicate, lambda s: s * 2, lambda s: 0.0, np.float32(3))
        assert np.asarray(y).dtype == np.float32
    assert pb.switch(1, [lambda s: s, lambda s: 0], np.float32(3)).dtype == np.float32


def test_an_index_that_is_no_integer():
    for index, word in [(0.5, "float"), (np.arange(2), "(2,)"), ("a", "str")]:
        message = message_of((TypeError, ValueError), pb.switch, index, [np.sin, np.cos], 1.0)
        assert_says(message, "switch", "index", word)
    assert_says(message_of((TypeError, ValueError), pb.switch, 0, [], 1.0), "switch", "branch")


def test_an_index_out_of_range_is_clipped():
    branches = [lambda x: x * 1.0, lambda x: x * 2.0, lambda x: x * 3.0]
    for index in (-5, -1, 0, 1, 2, 3, 100):
        wanted = min(max(index, 0), 2) + 1.0
        assert pb.switch(index, branches, 1.0) == wanted
        assert pb.grad(lambda x, index=index: pb.switch(index, branches, x))(1.0) == wanted
        graph = pb.trace(lambda i, x: pb.switch(i, branches, x), np.int64(0), 1.0)
        assert graph(np.int64(index), 1.0) == wanted


# -- what a body must not do ---------------------------------------------------------------------


def test_a_body_that_writes_to_a_free_array(loop):
    _, run = loop
    log = np.zeros(3)

    def step(c):
        log[0] = c[0]
        return c

    message_of((TypeError, ValueError), run, step, x)
    assert log[0] == 0.0


def test_a_body_that_writes_to_a_free_tracer():
    def f(w):
        buffer = w * 1.0

        def body(i, c):
            buffer[0] = c
            return c + np.sum(buffer)

        return pb.fori_loop(0, 3, body, 0.0)

    message = message_of(pb.AliasError, pb.grad(f), x)
    assert_says(message, "the body writes to buffer", "hand it on as a part of the carry")


@pytest.mark.parametrize("write", [
    lambda y: y.__imul__(2.0), lambda y: y[0, ...].fill(3.0), lambda y: np.add.at(y, [0], 1.0),
])  # fmt: skip
def test_a_body_that_writes_what_does_not_vary_to_a_free_tracer(write):
    """It would be written once, while the body is recorded; a loop writes in each iteration."""

    def f(w):
        buffers = [w * 1.0]

        def body(i, c):
            write(buffers[0])
            return c + np.sum(buffers[0])

        return pb.fori_loop(0, 3, body, 0.0) + np.sum(buffers[0])

    for transformed in (pb.grad(f), lambda x: pb.jvp(f, (x,), (x,)), pb.checkpoint(f)):
        message = message_of(pb.AliasError, transformed, x)
        assert_says(message, "the body writes to buffers[0]", "which would happen once")


def test_a_body_that_writes_to_its_input():
    """A row is the body's own: what it writes there doesn't reach the array that is scanned."""

    def body(c, row):
        row[0] = 5.0 * c
        return c + np.sum(row), row

    mine = rows.copy()
    c, ys = pb.scan(body, 1.0, mine)
    np.testing.assert_array_equal(mine, rows)
    np.testing.assert_array_equal(ys[0], [5.0, 1.0, 1.0])
    assert c == 6 * (6 * (6 * (6 * 1.0 + 2) + 2) + 2) + 2
    slopes = pb.grad(lambda xs: np.sum(pb.scan(body, 1.0, xs)[0]))(mine)
    np.testing.assert_array_equal(slopes, [[0, 6.0**k, 6.0**k] for k in (3, 2, 1, 0)])


def test_a_body_that_leaks(loop):
    _, run = loop
    store = []

    def step(c):
        store.append(c * 2.0)
        return c

    with pytest.raises(pb.LeakedTracerError) as caught:
        run(step, x)
    assert_says(str(caught.value), "store", "multiply")
    store.clear()


def test_python_control_flow_on_the_carry_shows_the_line(loop):
    _, run = loop

    def step(c):
        if np.sum(c) > 1:
            return c
        return -c

    message = message_of(pb.DataDependenceError, run, step, x)
    assert_says(message, "if np.sum(c) > 1:", "cond(", "np.where")


def test_a_plain_array_in_a_container_indexed_by_the_loop():
    table = {"rows": np.arange(3.0)}
    message = message_of(
        pb.DataDependenceError, pb.fori_loop, 0, 3, lambda i, c: c + table["rows"][i], 0.0
    )
    assert_says(message, 'table["rows"][i]', "np.asarray(a, like=i)[i]")
    got = pb.fori_loop(0, 3, lambda i, c: c + np.asarray(table["rows"], like=i)[i], 0.0)
    assert got == 3.0


def test_a_body_that_raises(loop):
    """Its own errors come through, and later loops are none the worse."""
    _, run = loop

    def step(c):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(step, x)
    with pytest.raises(KeyError, match="mine"):
        pb.grad(lambda x: np.sum(run(step, x)))(x)
    assert pb.grad(lambda x: np.sum(pb.fori_loop(0, 2, lambda i, c: c * 2.0, x)))(x)[0] == 4.0


def test_bodies_that_are_not_callable():
    for call in (
        lambda: pb.scan(3.0, 0.0, rows),
        lambda: pb.fori_loop(0, 3, None, 0.0),
        lambda: pb.while_loop(True, lambda c: c, 0.0),
        lambda: pb.cond(True, 1.0, 2.0),
    ):
        with pytest.raises(TypeError):
            call()
