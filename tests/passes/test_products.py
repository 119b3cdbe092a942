"""Products of slices that are formed at once, before a loop or after it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from tests.passes.agreement import assert_agree
from tests.passes.inspection import findings, names

pytestmark = pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")
RNG = np.random.default_rng(1)


def array(*shape):
    return RNG.standard_normal(shape) / 5


def simplified(f, *args):
    graph = pb.trace(f, *args)
    new = pb.simplify(graph)
    assert findings(new) == [], f"{graph}\n{new}"
    assert str(pb.simplify(new)) == str(new)
    assert_agree(new(*args), graph(*args), f"{graph}\n{new}")
    return new


def bodies(graph):
    return [names(each.params["loop"].body) for each in graph.equations if "loop" in each.params]


def recurrent(W, V, b, h, xs):
    """A recurrent network, of vectors or of a batch of them."""
    return np.sum(pb.scan(lambda h, x: (np.tanh(h @ W + x @ V + b), None), h, xs)[0])


@pytest.mark.parametrize("batch", [(), (4,)])
@pytest.mark.parametrize("reverse", [False, True])
def test_products_of_slices_with_a_matrix(batch, reverse):
    def f(V, h, xs):
        return pb.scan(lambda h, x: (np.tanh(h + x @ V), None), h, xs, reverse=reverse)[0]

    graph = simplified(f, array(6, 5), array(*batch, 5), array(7, *batch, 6))
    assert bodies(graph) == [["add", "tanh"]]
    assert names(graph).count("matmul") == 1


def test_products_of_a_matrix_with_slices():
    def f(V, h, xs):
        return pb.scan(lambda h, x: (np.tanh(h + V.T @ x), None), h, xs)[0]

    (body,) = bodies(simplified(f, array(6, 5), array(5), array(7, 6)))
    assert body == ["add", "tanh"]


def test_what_an_accumulator_takes_is_one_product():
    args = array(5, 5), array(6, 5), array(5), array(5), array(9, 6)
    graph = simplified(pb.grad(recurrent, (0, 1, 2)), *args)
    forward, back = (each.params["loop"] for each in graph.equations if "loop" in each.params)
    assert forward.carry == 1
    assert back.carry <= 2  # the cotangent of the state, and that of b
    assert names(back.body).count("matmul") == names(forward.body).count("matmul") == 1
    assert names(graph).count("matmul") == 3


@pytest.mark.parametrize("gates", [1, 4])
def test_the_gradient_of_a_batch_of_sequences(gates):
    """All that is accumulated, the sum over the batch included, is so after the loop."""

    def f(W, V, b, h, xs):
        def step(h, x):
            z = h @ W + x @ V + b
            return np.sum(np.tanh(z.reshape(4, gates, 5)), axis=1), None

        return np.sum(pb.scan(step, h, xs)[0])

    args = array(5, 5 * gates), array(6, 5 * gates), array(5 * gates), array(4, 5), array(9, 4, 6)
    graph = simplified(pb.grad(f, (0, 1, 2)), *args)
    back = graph.equations[[*names(graph)].index("scan", names(graph).index("scan") + 1)]
    assert back.params["loop"].carry == 1


@pytest.mark.parametrize("batch", [(), (4,)])
def test_stacked_products_with_a_matrix(batch):
    """The gradient in what was scanned is one product, and right."""
    *others, xs = array(5, 5), array(6, 5), array(5), array(*batch, 5), array(9, *batch, 6)
    graph = simplified(pb.grad(recurrent, 4), *others, xs)
    assert bodies(graph)[-1].count("matmul") == 1
    direction, step = RNG.standard_normal(xs.shape), 1e-6
    ends = (recurrent(*others, xs + sign * step * direction) for sign in (1, -1))
    wanted = np.subtract(*ends) / (2 * step)
    np.testing.assert_allclose(np.sum(graph(*others, xs) * direction), wanted, rtol=1e-6)

    def g(W, h, xs):
        return pb.scan(lambda h, x: (np.tanh(h + x), (W @ np.sin(h), np.cos(h) @ W.T)), h, xs)

    assert "matmul" not in bodies(simplified(g, array(8, 5), array(5), array(9, 5)))[0]


def test_many_values_are_not_stacked_for_a_small_matrix():
    def f(W, h, xs):
        return np.sum(pb.scan(lambda h, x: (h + np.tanh(x @ W), None), h, xs)[0])

    tall = array(5, 5), array(200, 5), array(3, 200, 5)
    graph = simplified(pb.value_and_grad(f), *tall)
    assert all("matmul" in body for body in bodies(graph))
    small = array(2, 3), array(3), array(4, 2)
    assert all("matmul" in body or "multiply" in body for body in bodies(simplified(f, *small)))


def test_a_loop_with_checkpoints_keeps_its_memory_small():
    def f(V, h, xs):
        return pb.scan(lambda h, x: (np.tanh(h + x @ V), None), h, xs, checkpoint=2)[0]

    (body,) = bodies(simplified(f, array(6, 5), array(5), array(7, 6)))
    assert "matmul" in body


def test_a_product_that_is_read_otherwise_stays():
    def f(A, xs, ys):
        def body(carry, s):
            total, c = carry
            outer = s[0][:, None] * s[1]
            return (total + outer, c + np.sum(outer, axis=0)), None

        return pb.scan(body, (A, np.zeros(6, like=A)), (xs, ys))[0]

    (body,) = bodies(simplified(f, array(5, 6), array(7, 5), array(7, 6)))
    assert body.count("add") == 2


def test_what_an_inner_loop_hands_out_is_added_up_in_the_loop():
    def f(total, xs):
        def inner(c, x):
            return (np.sin(c[0]) + x, np.cos(c[1]) * x), None

        def body(total, x):
            return total + pb.scan(inner, (x, x), np.stack([x, x]))[0][0], None

        return pb.scan(body, total, xs)[0]

    (body,) = bodies(simplified(f, array(5, 5), array(4, 5, 5)))
    assert "scan" in body
    assert "add" in body


FORMS = ["matrix", "transposed", "outer", "outer from the right", "rows", "minus", "itself"]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(FORMS), st.integers(0, 2), st.integers(0, 2)), max_size=4),
    st.booleans(),
    st.integers(0, 4),
)
def test_random_accumulators(made, reverse, length):
    """Terms of products of what is scanned, what is carried, and what is computed."""

    def f(total, row, c, W, xs):
        def body(carry, x):
            total, row, c = carry
            c = np.tanh(c @ W + x)
            values = x, c, np.sin(c)
            for form, i, j in made:
                a, b = values[i], values[j]
                if form == "matrix":
                    total = total + a.T @ b
                elif form == "transposed":
                    total = total + (b.T @ a).T
                elif form == "outer":
                    total = total + a[0][:, None] * b[1]
                elif form == "outer from the right":
                    total = np.outer(a[1], b[2]) + total
                elif form == "rows":
                    row = row + np.sum(a, axis=0)
                elif form == "minus":
                    total = total - a.T @ b
                else:
                    total = total + total
            return (total, row, c), None

        return pb.scan(body, (total, row, c), xs, reverse=reverse)[0]

    def objective(*args):
        return sum(np.sum(np.sin(each)) for each in f(*args))

    args = array(5, 5), array(5), array(3, 5), array(5, 5), array(length, 3, 5)
    simplified(f, *args)
    simplified(pb.grad(objective, (0, 1, 2, 3, 4)), *args)
