"""What need not be carried, scanned, stacked, or done in each iteration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.passes.simplification import simplify
from tests.passes.agreement import assert_agree
from tests.passes.generation import BINARY, UNARY
from tests.passes.inspection import findings, names

pytestmark = pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")
rng = np.random.default_rng(0)
x = np.array([0.3, -1.2, 2.0])
y = np.array([0.7, 1.5, -0.4])


def simplified(f, *args):
    """The simplified graph: checked, clean, and with the same results."""
    graph = pb.trace(f, *args)
    new = simplify(graph)
    assert findings(new) == [], f"{graph}\n{new}"
    assert str(simplify(new)) == str(new)
    assert new.cost().operations <= graph.cost().operations
    assert_agree(new(*args), graph(*args), f"{graph}\n{new}")
    return new


def loop_of(graph):
    """The only equation with a nested graph."""
    (equation,) = [each for each in graph.equations if each.graphs]
    return equation


# -- loops that are none -------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1])
@pytest.mark.parametrize("reverse", [False, True])
def test_few_iterations(length, reverse):
    def f(x, xs):
        return pb.scan(lambda c, s: (np.sin(c) * s, (c, 2 * s)), x, xs, reverse=reverse)

    graph = simplified(f, x, np.ones((length, 3)) + x)
    assert not any(each.graphs for each in graph.equations)


def test_numbers_that_a_body_returns():
    def f(b, c):
        def body(state, x):
            return {"a": state["a"], "b": 0.4 * c}, state["a"] * x

        start = {"a": b * np.ones(3, b.dtype), "b": b}
        return np.sum(np.sin(pb.scan(body, start, np.ones((1, 3), np.float32))[0]["b"]))

    for dtype in (np.float32, np.float64):
        simplified(pb.grad(f, (0, 1)), dtype(0.5), dtype(2))


def test_the_index_of_the_only_iteration():
    graph = simplified(lambda x: pb.fori_loop(4, 5, lambda i, c: c * i, x), x)
    assert names(graph) == ["multiply"]
    assert "4.0" in str(graph)


# -- arguments -----------------------------------------------------------------------------------


def test_arguments_that_are_numbers():
    def f(x):
        one, zeros = np.ones_like(x) * 1.0, np.zeros(3, like=x)
        return pb.scan(lambda c, _: (np.sin(c) * one + zeros, None), x, length=4)[0]

    equation = loop_of(simplified(f, x))
    assert equation.params["loop"].consts == 0
    assert names(equation.params["loop"].body) == ["sin"]


def test_arguments_that_are_repeated():
    def f(x, s):
        wide = np.broadcast_to(s, (3,))
        return pb.scan(lambda c, _: (np.sin(c) * wide, None), x, length=4)[0]

    equation = loop_of(simplified(f, x, np.array(2.0)))
    assert equation.params["loop"].body.inputs[1].shape == ()


def test_arguments_that_are_given_twice():
    def f(x, w):
        a, b = np.exp(w), np.exp(w)
        return pb.scan(lambda c, _: (c * a + np.sin(c) * b, None), x, length=4)[0]

    assert loop_of(simplified(f, x, y)).params["loop"].consts == 1


def test_what_is_carried_and_never_changes():
    def f(x, w):
        def body(carry, _):
            w, c = carry
            return (w, np.sin(w * c)), w

        return pb.scan(body, (w, x), length=4)

    graph = simplified(f, x, y)
    equation = loop_of(graph)
    assert (equation.params["loop"].consts, equation.params["loop"].carry) == (1, 1)
    assert len(equation.outputs) == 1


def test_a_while_loop_that_carries_what_never_changes():
    def f(x, w):
        def body(carry):
            n, w, c = carry
            return n + 1, w, np.sin(w * c)

        return pb.while_loop(lambda carry: (carry[0] < 4) & np.all(carry[1] < 9), body, (0, w, x))

    equation = loop_of(simplified(f, x, y))
    assert (equation.params["loop"].consts, equation.params["loop"].carry) == (1, 2)


def test_scanned_arrays_that_repeat_their_slices():
    def f(x, w):
        zeros, wide = np.zeros((4, 3), like=x), np.broadcast_to(w, (4, 3))
        return pb.scan(lambda c, s: (c * s[0] + s[1], None), x, (wide, zeros * 1.0))[0]

    equation = loop_of(simplified(f, x, y))
    assert equation.params["loop"].consts == 1
    assert len(equation.inputs) == 2
    assert names(equation.params["loop"].body) == ["multiply"]


# -- results -------------------------------------------------------------------------------------


def test_what_is_stacked_and_is_known():
    def f(x, xs, w):
        def body(c, s):
            return c + s, (s, w, np.zeros(2, like=c), c, c, 2.0)

        return pb.scan(body, x, xs)

    graph = simplified(f, x, np.arange(12.0).reshape(4, 3), y)
    assert len(loop_of(graph).outputs) == 2
    assert names(graph).count("broadcast_to") == 3


# -- what is the same in each iteration ----------------------------------------------------------


def test_what_is_the_same_in_each_iteration_is_computed_once():
    def f(x, W):
        def body(carry, _):
            W, c = carry
            return (W, np.tanh((W @ W).T @ c) + np.exp(W[0])), None

        return pb.scan(body, (W, x), length=9)[0][1]

    graph = simplified(f, x, np.eye(3) * 0.3)
    equation = loop_of(graph)
    assert names(equation.params["loop"].body) == ["transpose", "matmul", "tanh", "add"]
    assert sorted(names(graph)) == ["exp", "index", "matmul", "scan"]


def test_it_is_in_a_while_loop_if_it_cannot_fail():
    def f(x, W):
        def body(carry):
            c, b, W = carry
            return np.linalg.inv(W) @ c + np.exp(b), b, W

        return pb.while_loop(lambda carry: np.sum(carry[0]) < 9.0, body, (x, x, W))[0]

    graph = simplified(f, x, np.eye(3) * 0.5)
    assert sorted(names(graph)) == ["exp", "while_loop"]
    singular = simplify(pb.trace(f, x, np.zeros((3, 3))))
    np.testing.assert_array_equal(singular(x + 9.0, np.zeros((3, 3))), x + 9.0)


def test_positions_that_may_lie_outside_stay_in_a_loop_that_may_not_run():
    def f(x, places, first):
        def body(state):
            return state[0] + 1, state[1] + np.sin(x[places])

        return pb.while_loop(lambda state: state[0] < 0, body, (first, np.zeros(2)))[1]

    graph = simplify(pb.trace(f, x, np.array([1, 2]), 0.0))
    np.testing.assert_array_equal(graph(x, np.array([1, 7]), 0.0), np.zeros(2))
    with pytest.raises(IndexError):
        graph(x, np.array([1, 7]), -1.0)


def test_what_depends_on_the_index_stays():
    def f(x):
        return pb.fori_loop(0, 5, lambda i, c: c + np.exp(-i * 1.0), x)

    assert "exp" in str(loop_of(simplified(f, x)).params["loop"].body)


def test_nested_loops():
    def f(x, W):
        def inner(c, _):
            return np.tanh(W * 1.0 * c) + 0.0, np.sin(W)

        def outer(c, _):
            c, ys = pb.scan(inner, c, length=3)
            return c, ys[0]

        return pb.scan(outer, x, length=2)

    graph = simplified(f, x, y)
    assert names(graph).count("sin") == 1


# -- derivatives ---------------------------------------------------------------------------------


def network(x, layers):
    def layer(c, parameters):
        W, b = parameters
        return c + 0.1 * np.tanh(W @ c + b), None

    return np.sum(pb.scan(layer, x, layers)[0] ** 2) * 0.5


@pytest.mark.parametrize("depth", [2, 20, 80])
def test_the_gradient_of_a_residual_chain_costs_three_times_its_primal(depth):
    args = (np.ones((8, 4)), (rng.normal(size=(depth, 8, 8)) * 0.1, np.ones((depth, 8, 1))))
    primal = simplified(network, *args)
    gradient = simplified(pb.grad(network, (0, 1)), *args)
    assert gradient.cost().operations <= 3 * primal.cost().operations


def runge_kutta(n):
    def slope(y, p):
        return p[1] @ np.tanh(p[0] @ y)

    def f(y, p):
        def step(_, y):
            k1 = slope(y, p)
            k2 = slope(y + 0.05 * k1, p)
            k3 = slope(y + 0.05 * k2, p)
            k4 = slope(y + 0.1 * k3, p)
            return y + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

        return np.sum(pb.fori_loop(0, n, step, y) ** 2)

    return f, (np.ones(4), (rng.normal(size=(5, 4)), rng.normal(size=(4, 5))))


def predator_and_prey(n):
    def f(y, p):
        def step(_, y):
            slope = np.stack([y[0] * (p[0] - p[1] * y[1]), y[1] * (p[2] * y[0] - p[3])])
            return y + 0.01 * slope

        return np.sum(pb.fori_loop(0, n, step, y) ** 2)

    return f, (np.ones(2), np.ones(4))


def recurrence(n):
    def f(x):
        def body(i, y):
            y[i] = np.sin(y[i - 1]) * x
            return y

        y = np.zeros(n, like=x)
        y[0] = x
        return np.sum(pb.fori_loop(1, n, body, y))

    return f, (np.array(0.5),)


def gauss_seidel(n):
    def f(x, b, A):
        def sweep(_, x):
            def update(i, x):
                x[i] = x[i] + (b[i] - A[i] @ x) / A[i, i]
                return x

            return pb.fori_loop(0, n, update, x)

        return np.sum(pb.fori_loop(0, 3, sweep, x) ** 2)

    return f, (np.ones(n), np.ones(n), rng.normal(size=(n, n)) + 5 * n * np.eye(n))


@pytest.mark.parametrize("n", [4, 16, 64])
@pytest.mark.parametrize(
    ("program", "most"),
    [(runge_kutta, 4), (predator_and_prey, 4), (recurrence, 5), (gauss_seidel, 5)],
)
def test_the_cost_of_gradients_whatever_the_size(program, most, n):
    f, args = program(n)
    everything = tuple(range(len(args)))
    primal = simplified(f, *args).cost().operations
    assert simplified(pb.grad(f, everything), *args).cost().operations <= most * primal


@pytest.mark.parametrize("checkpoint", [None, "sqrt", 2])
@pytest.mark.parametrize("transform", [pb.grad, pb.hessian, lambda f: pb.vmap(pb.grad(f))])
def test_through_transforms(transform, checkpoint):
    def f(x):
        def body(c, s):
            return np.sin(c * s) * 1.0 + 0.0 * s, c * x[0]

        c, ys = pb.scan(body, x, np.ones((4, 3)), checkpoint=checkpoint)
        return np.sum(c) + np.sum(ys * ys)

    simplified(transform(f), np.stack([x, y]) if transform not in (pb.grad, pb.hessian) else x)


def test_the_gradient_of_a_while_loop():
    def f(x):
        return np.sum(pb.while_loop(lambda c: np.sum(c) < 50.0, lambda c: c * x * 1.0 + 1.0, x))

    simplified(pb.grad(f), np.abs(x))


def test_a_checkpoint_stays():
    def f(x):
        layer = pb.checkpoint(lambda c: np.tanh(c * 1.0) * y)
        return np.sum(layer(layer(x)))

    graph = simplified(pb.grad(f), x)
    assert names(graph).count("checkpoint") >= 2


# -- random bodies -------------------------------------------------------------------------------

SHAPE_KEEPING = [
    "plus zero", "zero plus", "times one", "times ones", "from zero", "negated", "squared", "half",
    "modulus", "copy", "reversed", "twice transposed", "back and forth", "written",
]  # fmt: skip
OF_TWO = ["add", "subtract", "multiply", "plus negative", "by a sum", "where equal", "where twice"]


@st.composite
def bodies(draw):
    """A body of instructions on the carries, slices and values from outside."""
    instructions = []
    for k in range(5, 5 + draw(st.integers(1, 8))):
        place = st.integers(0, k - 1)
        if draw(st.booleans()):
            instructions.append((draw(st.sampled_from(SHAPE_KEEPING)), (draw(place),)))
        else:
            instructions.append((draw(st.sampled_from(OF_TWO)), (draw(place), draw(place))))
    last = st.integers(0, 4 + len(instructions))
    return instructions, draw(st.tuples(last, last)), draw(st.lists(last, max_size=3))


@settings(max_examples=40)
@given(bodies(), st.integers(0, 3), st.booleans())
def test_random_bodies(made, length, reverse):
    instructions, carried, stacked = made
    operations = {**UNARY, **BINARY}

    def f(a, b, c, xs):
        d = np.exp(-c * c)

        def body(carry, s):
            values = [*carry, s, c, d]
            for name, places in instructions:
                values.append(operations[name](*(values[i] for i in places)))
            return (
                tuple(np.tanh(values[i]) if i >= 5 else values[i] for i in carried),
                [values[i] for i in stacked],
            )

        return pb.scan(body, (a, b), xs, length=length, reverse=reverse)

    def objective(*args):
        (a, b), ys = f(*args)
        return np.sum(np.tanh(a)) + np.sum(b * b) + sum(np.sum(np.sin(y)) for y in ys)

    args = (x, y, x - y, np.arange(3.0 * length).reshape(length, 3) * 0.3 - 1)
    with np.errstate(all="ignore"):
        simplified(f, *args)
        simplified(pb.grad(objective, (0, 1, 2, 3)), *args)
