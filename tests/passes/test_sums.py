"""Sums moved inside linear maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.passes.dead import remove_dead
from pullback.passes.simplification import simplify
from pullback.passes.sums import sums_inside
from tests.passes.agreement import special
from tests.passes.inspection import names

rng = np.random.default_rng(5)
Q, v = rng.normal(size=(4, 6, 3)), rng.normal(size=(4, 3, 30))
SMALL = np.tanh(rng.normal(size=(6, 3)))


def of(f, *args):
    """The graph of f after the pass, and the operations it takes as a part of what f takes."""
    graph = pb.trace(f, *args)
    new = remove_dead(sums_inside(graph))
    new.verify()
    return new, new.cost().operations / graph.cost().operations


@pytest.mark.parametrize(
    ("f", "at_most"),
    [
        (lambda Q, v: np.sum(Q @ v, axis=2), 0.5),
        (lambda Q, v: np.mean(Q @ v, axis=-1, keepdims=True), 0.5),
        (lambda Q, v: np.sum(Q[0] @ v, axis=(0, 2)), 0.5),
        (lambda Q, v: np.sum(v.mT @ Q.mT, axis=1), 0.5),
        (lambda Q, v: np.sum(SMALL @ v, axis=2), 0.2),
        (lambda Q, v: np.sum(SMALL @ v, axis=(0, 1, 2)), 0.2),
        (lambda Q, v: np.sum(np.tanh(Q) @ v, axis=2), 0.35),
        (lambda Q, v: np.sum(0.5 * v, axis=0), 0.7),
        (lambda Q, v: np.sum(SMALL[0][:, np.newaxis] * v, axis=(0, 2)), 0.7),
        (lambda Q, v: np.sum(np.tanh(np.arange(30)) * v, axis=(0, 1)), 0.7),
    ],
)
def test_sums_over_axes_that_one_factor_has(f, at_most):
    new, part = of(f, Q, v)
    assert part <= at_most, new
    np.testing.assert_allclose(new(Q, v), f(Q, v), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    "f",
    [
        lambda Q, v: np.sum(Q @ v, axis=0),
        lambda Q, v: np.sum(Q * Q[:1]),
        lambda Q, v: np.sum(Q[:, :1] @ v, axis=2),  # not worth to look at the signs
        lambda Q, v: (lambda y: (np.sum(y, axis=2), y))(Q @ v),
        lambda Q, v: np.sum((Q @ v)[:, :, :0], axis=2),
        lambda Q, v: np.sum((Q > 0).astype(int) @ (v > 0), axis=2),
        lambda Q, v: np.sum(Q[0, 0, 0] * v, axis=0),
        lambda Q, v: np.sum(np.convolve(SMALL[0], v[0, 0])),
        lambda Q, v: np.max(SMALL @ v, axis=2),
    ],
)
def test_what_stays(f):
    graph = remove_dead(pb.trace(f, Q, v))
    assert names(remove_dead(sums_inside(graph))) == names(graph)


def test_the_gradient_by_a_shift_of_samples():
    """Σₙ Qᵀ r(Q (xₙ − μ)) = Qᵀ Σₙ r: no product of a matrix with each sample in reverse."""

    def f(shift, x):
        return np.sum(np.sin((x[:, np.newaxis] - shift) @ Q.mT[0]))

    x = rng.normal(size=(50, 3))
    graph = simplify(pb.trace(pb.grad(f), v[0, :, :4].T, x))
    products = [e.outputs[0] for e in graph.equations if e.primitive.name == "matmul"]
    assert all(50 not in out.shape for out in products[1:]), graph
    np.testing.assert_allclose(graph(v[0, :, :4].T, x), pb.grad(f)(v[0, :, :4].T, x), rtol=1e-12)


@settings(max_examples=100)
@given(st.data())
def test_any_sum_of_a_matrix_product(data):
    """Also of what is infinite, undefined or zero, and of few signs."""
    batch, rows, inner, columns = (data.draw(st.integers(1, n)) for n in (3, 6, 3, 6))
    draw = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    a = draw.integers(-3, 4, (batch, rows, inner)).astype(float)
    b = draw.integers(-3, 4, (inner, columns)).astype(float)
    if data.draw(st.booleans()):
        b = np.broadcast_to(b, (batch, inner, columns)).copy()
    kinds = [
        special,
        np.abs,
        lambda x: np.where(draw.random(x.shape) < 0.3, np.inf, x),
        lambda x: x,
    ]
    a, b = (data.draw(st.sampled_from(kinds))(x) for x in (a, b))
    axes = tuple(data.draw(st.sets(st.integers(-3, -1), min_size=1)))
    reduce = data.draw(st.sampled_from([np.sum, np.mean]))
    keepdims = data.draw(st.booleans())

    def f(a, b):
        return reduce(a @ b, axis=axes, keepdims=keepdims)

    graph = pb.trace(f, a, b)
    with np.errstate(all="ignore"):
        for new in (remove_dead(sums_inside(graph)), simplify(graph)):
            new.verify()
            assert new.cost().operations <= graph.cost().operations
            np.testing.assert_allclose(new(a, b), graph(a, b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shapes", [((3, 0), (0, 2)), ((0, 3), (3, 2)), ((2, 3), (3, 0))])
def test_sums_of_nothing(shapes):
    a, b = map(np.ones, shapes)

    def f(a, b):
        return np.sum(a @ b), np.sum(a @ b, axis=0)

    new = simplify(pb.trace(f, a, b))
    for got, wanted in zip(new(a, b), f(a, b), strict=True):
        np.testing.assert_array_equal(got, wanted)
