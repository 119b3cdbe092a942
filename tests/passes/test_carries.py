"""What is carried or scanned although something else is the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.rules.control_flow.loop import scan
from tests.passes.agreement import assert_agree
from tests.passes.inspection import findings

pytestmark = pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")
x = np.array([0.3, -1.2, 2.0])
y = np.array([0.7, 1.5, -0.4])
xs = np.linspace(-1.0, 1.0, 12).reshape(4, 3)


def simplified(f, *args):
    graph = pb.trace(f, *args)
    new = pb.simplify(graph)
    assert findings(new) == [], f"{graph}\n{new}"
    assert str(pb.simplify(new)) == str(new)
    assert_agree(new(*args), graph(*args), f"{graph}\n{new}")
    return new


def loops(graph):
    return [each.params["loop"] for each in graph.equations if "loop" in each.params]


def carries(f, *args):
    """How many carries the only loop has."""
    (loop,) = loops(simplified(f, *args))
    return loop.carry


def test_an_array_that_is_scanned_twice():
    def f(x, xs):
        both = xs * 2.0, 2.0 * xs, xs
        return pb.scan(lambda c, s: (np.sin(c * s[0]) + s[1] * s[2], None), x, both)[0]

    (loop,) = loops(simplified(f, x, xs))
    assert len(loop.body.inputs) - 1 - loop.first_x == 2


def test_carries_that_go_on_alike():
    def f(x, w):
        def body(carry, _):
            a, b, _ = carry
            return (np.sin(b) * w, w * np.sin(a), a * b), a + b

        return pb.scan(body, (x, x, x), length=4)

    # The third begins like the others and goes on otherwise.
    assert carries(f, x, y) == 2


def test_carries_that_do_not_stay_alike():
    def f(x, w):
        return pb.scan(lambda c, _: ((c[1] * w, c[2] * w, c[0] * 2.0), None), (x, x, x), length=4)[
            0
        ]

    assert carries(f, x, y) == 3
    assert (
        carries(lambda x, w: pb.scan(lambda c, _: (c[::-1], c[0] * w), (x, w), length=3), x, y) == 2
    )


def test_carries_of_a_while_loop_that_go_on_alike():
    def f(x, w):
        def body(carry):
            n, a, b = carry
            return n + 1, a * w, w * b

        return pb.while_loop(lambda c: (c[0] < 5) & np.all(c[2] < 9.0), body, (0, x, x))

    assert carries(f, x, y) == 2


def test_accumulators_that_are_added_in_the_end():
    def f(a, b, xs):
        def body(carry, s):
            a, b, c = carry
            b = b + np.cos(s)
            return (a + s * s, b + np.cos(s) - s, np.sin(c) + s), None

        a, b, c = pb.scan(body, (a, b, a), xs)[0]
        return (a + b) * c

    assert carries(f, x, y, xs) == 2


@pytest.mark.parametrize("end", [lambda a, b: (a + b, a), lambda a, b: a * b, lambda a, b: a - b])
def test_accumulators_that_are_read_otherwise_stay(end):
    def f(a, b, xs):
        a, b = pb.scan(lambda c, s: ((c[0] + s, c[1] + s * s), None), (a, b), xs)[0]
        return end(a, b)

    assert carries(f, x, y, xs) == 2


def test_what_is_read_in_the_loop_is_no_accumulator():
    def f(a, b, xs):
        a, b = pb.scan(lambda c, s: ((c[0] + s, c[1] + s * c[0]), None), (a, b), xs)[0]
        return a + b

    assert carries(f, x, y, xs) == 2


# -- derivatives ----------------------------------------------------------------------------------


def field(y, p):
    return np.stack([y[0] * (p[0] - p[1] * y[1]), y[1] * (p[2] * y[0] - p[3])])


def orbit(p, y, unpack=lambda p: p, n=20):
    """Lotka–Volterra by Runge–Kutta, whose four parameters are read in each stage."""

    def step(y, _):
        k1 = field(y, unpack(p))
        k2 = field(y + 0.01 * k1, unpack(p))
        k3 = field(y + 0.01 * k2, unpack(p))
        k4 = field(y + 0.02 * k3, unpack(p))
        y = y + 0.02 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return y, y

    return np.sum(pb.scan(step, y, length=n)[1] ** 2)


@pytest.mark.parametrize("unpack", [lambda p: p, tuple, lambda p: [2.0 * r / 2.0 for r in p]])
def test_each_parameter_has_one_accumulator(unpack):
    p, y = np.array([1.1, 0.4, 0.1, 0.4]), np.array([1.0, 0.5])
    f = pb.value_and_grad(lambda p, y: orbit(p, y, unpack))
    graph = simplified(f, p, y)
    back = loops(graph)[-1]
    assert back.carry == 4 + 1
    # The eager gradient carries no more.
    eager = [each for each in pb.trace(f, p, y).equations if each.primitive is scan]
    assert eager[-1].params["loop"].carry == 4 + 1
    h = 1e-6
    for i, unit in enumerate(np.eye(4)):
        wanted = (orbit(p + h * unit, y) - orbit(p - h * unit, y)) / (2 * h)
        np.testing.assert_allclose(f(p, y)[1][i], wanted, rtol=1e-6)


@st.composite
def bodies(draw):
    """For each of five carries how it goes on: a function of two others, itself or not."""
    kinds = st.sampled_from(["add", "product", "scaled", "same", "accumulate"])
    place = st.integers(0, 4)
    return [(draw(kinds), draw(place), draw(place)) for _ in range(5)]


@settings(max_examples=40)
@given(bodies(), st.lists(st.integers(0, 1), min_size=5, max_size=5), st.booleans())
def test_random_carries(made, begin, reverse):
    def f(a, b, w, xs):
        def body(carry, s):
            after = []
            for own, (kind, i, j) in zip(carry, made, strict=True):
                p, q = carry[i], carry[j]
                after.append(
                    {
                        "add": lambda p=p, q=q: np.tanh(p + q),
                        "product": lambda p=p, q=q: np.sin(p * q) * w,
                        "scaled": lambda p=p: 0.5 * p + s,
                        "same": lambda p=p: p,
                        "accumulate": lambda own=own: own + np.sin(s) * w,
                    }[kind]()
                )
            return tuple(after), None

        first, second, *rest = pb.scan(body, tuple((a, b)[k] for k in begin), xs, reverse=reverse)[
            0
        ]
        return np.sum((first + second) * w) + sum(np.sum(np.sin(each)) for each in rest)

    args = (x, y, x - y, xs)
    simplified(f, *args)
    simplified(pb.grad(f, (0, 1, 2, 3)), *args)
