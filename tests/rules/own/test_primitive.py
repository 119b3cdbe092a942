"""The rule of a primitive of the user's own, on traced values and off them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb

X = np.array([0.3, 0.7, 1.1])


def test_a_rule_that_cannot_be_traced_has_no_second_derivative_and_says_why():
    @pb.primitive
    def wave(x):
        return math.sin(x)

    wave.rule(lambda _y, x: math.cos(x))
    pattern = (
        r"the rule of wave computes with something that cannot be traced.*Write the rule with "
        r"NumPy's functions.*On traced values it raised (Detached|DataDependence)Error: .*was "
        r"about to become a Python float"
    )
    for second in (
        pb.grad(pb.grad(wave)),
        pb.hessian(wave),
        lambda x: pb.hvp(wave, (x,), (1.0,)),
        lambda x: pb.pushforward(pb.grad(wave), (x,), (1.0,)),
        lambda x: pb.vmap(pb.grad(pb.grad(wave)))(np.full(2, x)),
        lambda x: pb.grad(lambda x: np.sum(pb.vmap(pb.grad(wave))(x)))(np.full(2, x)),
        lambda x: pb.grad(pb.grad(lambda x: np.sum(pb.vmap(wave)(x * X))))(x),
        lambda x: pb.trace(pb.grad(pb.grad(wave)), x),
    ):
        with pytest.raises(pb.NoRuleError, match=pattern):
            second(0.4)
    # In the graph of a body stands what was recorded, and no error that led to it.
    looped = pb.grad(lambda x: pb.fori_loop(0, 2, lambda _, c: wave(c), x))
    with pytest.raises(pb.NoRuleError, match=r"the rule of wave .* that have rules\n"):
        pb.grad(looped)(0.4)
    assert pb.grad(wave)(0.4) == math.cos(0.4)


def test_maps_that_cannot_be_traced_have_no_second_derivative():
    @pb.primitive
    def doubled(x):
        return np.array([2 * float(each) for each in x])

    def twice(v):
        return np.array([2 * float(each) for each in v])

    for maps in (pb.Linear(twice, twice), pb.Linear(pullback=twice)):
        doubled.rule(lambda _y, _x, maps=maps: maps)
        assert_array_equal(pb.grad(lambda x: np.sum(doubled(x)))(X), np.full(3, 2.0))
        assert_array_equal(pb.jacobian(doubled)(X), 2 * np.eye(3))
        assert_array_equal(pb.pushforward(doubled, (X,), (X,))[1], 2 * X)
        with pytest.raises(pb.NoRuleError, match=r"the rule of doubled computes with something"):
            pb.grad(lambda x: np.sum(pb.grad(lambda x: np.sum(doubled(x) ** 2))(x)))(X)

    # What a pushforward makes of unit arrays is a matrix of plain numbers, that anything follows.
    doubled.rule(lambda _y, _x: pb.Linear(twice))
    second = pb.grad(lambda x: np.sum(pb.grad(lambda x: np.sum(doubled(x) ** 2))(x)))
    assert_array_equal(second(X), np.full(3, 8.0))


def test_an_error_of_the_rules_own_comes_out_as_it_is():
    @pb.primitive
    def f(x):
        return x * 2.0

    @f.rule
    def rule(_y, x):
        if x.shape == (3,):
            raise ValueError("three is no good")
        return 2.0

    total = pb.grad(lambda x: np.sum(f(x)))
    for use in (total, pb.vmap(total), pb.jacobian(f), pb.trace(total, X)):
        x = np.stack([X, X]) if use.__name__.startswith("vmap") else X
        with pytest.raises(ValueError, match=r"^three is no good(\n|$)"):
            use(x)


def test_a_rule_of_the_wrong_arity_is_named_under_every_transformation():
    @pb.primitive
    def product(x, y):
        return x * y

    product.rule(lambda _z, _x, y: y)
    for use in (
        pb.grad(product), pb.grad(pb.grad(product)), pb.vmap(pb.grad(product)),
        lambda x, y: pb.grad(lambda x: np.sum(pb.vmap(product)(x, y)))(x),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=r"rule of product returned 1 linear maps for 2 arg"):
            use(*((X, X) if use.__name__ in ("<lambda>", "vmap_product") else (1.0, 2.0)))


def test_sums_in_place_of_joint_maps_are_tried_like_the_rest():
    @pb.primitive
    def scaled(x):
        return 3 * x

    seen = []

    def onto(bar, totals):
        seen.append(type(bar).__name__)
        float(np.sum(bar))  # plain numbers only
        return [3 * bar if total is None else total + 3 * bar for total in totals]

    @scaled.rule
    def rule(_y, _x):
        return pb.Joint.accumulating(lambda dot: 3 * dot, onto, 1)

    def f(x):
        return np.sum(scaled(x) * x) + np.sum(x**2)

    assert_allclose(pb.grad(f)(X), 8 * X, rtol=1e-15)
    assert seen == ["ndarray"]
    batch = np.stack([X, 2 * X])
    assert_allclose(pb.vmap(pb.grad(f))(batch), 8 * batch, rtol=1e-15)
    assert seen == ["ndarray", "Tracer", "ndarray", "ndarray"]


def test_maps_of_a_users_own_class_and_sums_onto_others():
    class Doubling(pb.LinearMap):
        def pushforward(self, x_dot):
            return np.array([2 * float(each) for each in x_dot])

        pullback = pushforward

    @pb.primitive
    def f(x, y):
        return 2 * x + 3 * y

    def onto(y_dot, x_dot):
        return y_dot + np.array([3 * float(each) for each in x_dot])

    f.rule(lambda _z, _x, _y: (Doubling(), pb.Linear(lambda d: 3 * d, lambda b: 3 * b, onto)))
    assert_allclose(pb.pushforward(f, (X, X), (X, X))[1], 5 * X, rtol=1e-15)
    push = pb.vmap(lambda x: pb.pushforward(f, (x, x), (x, x))[1])
    assert_allclose(push(np.stack([X, 2 * X])), 5 * np.stack([X, 2 * X]), rtol=1e-15)
    for mode in ("forward", "reverse"):
        assert_allclose(pb.jacobian(f, mode=mode)(X, X), 2 * np.eye(3), rtol=1e-15)


def test_a_selection_stays_one():
    @pb.primitive
    def ends(x):
        return x[[0, -1]]

    added = []

    def pull(bar):
        return np.array([float(bar[0]), 0.0, float(bar[1])])

    def pull_into(x_bar, bar):
        added.append(bar)
        x_bar[[0, -1]] += bar

    ends.rule(lambda _y, _x: pb.Selection(lambda x: x[[0, -1]], pull, pull_into))
    gradient = pb.grad(lambda x: np.sum(ends(x) * X[:2]))
    assert_allclose(gradient(X), [0.3, 0.0, 0.7])
    assert len(added) == 1
    assert_allclose(pb.vmap(gradient)(np.stack([X, X])), [[0.3, 0.0, 0.7]] * 2)


def test_nothing_is_evaluated_for_arguments_that_are_not_differentiated():
    @pb.primitive
    def product(x, y):
        return x * y

    def forbidden():
        raise AssertionError("evaluated")

    product.rule(lambda _z, _x, y: (y, forbidden))
    for f in (product, lambda x, y: pb.vmap(product, in_axes=(0, None))(x, y)):
        assert_array_equal(pb.grad(lambda x, f=f: np.sum(f(x, X[0])))(X), np.full(3, X[0]))
        tangent = pb.pushforward(lambda x, f=f: f(x, X[0]), (X,), (X,))[1]
        assert_array_equal(tangent, X * X[0])


def test_rules_attached_again_hold_for_batches_too():
    @pb.primitive
    def f(x):
        return 2 * x

    total = pb.grad(lambda x: np.sum(pb.vmap(f)(x)))
    with pytest.raises(pb.NoRuleError, match=r"f has no derivative rule.*@f\.rule"):
        total(X)
    f.rule(lambda _y, _x: 5.0)
    assert_array_equal(total(X), np.full(3, 5.0))
    f.rule(lambda _y, _x: 2.0)
    assert_array_equal(total(X), np.full(3, 2.0))


def test_constant_primitives_are_constant_in_batches_graphs_and_loops():
    @pb.primitive(constant=True)
    def bucket(x):
        return float(math.floor(x))

    def f(x):
        return np.sum(x * pb.vmap(bucket)(x))

    x = np.array([1.5, 2.5])
    assert_array_equal(pb.grad(f)(x), [1.0, 2.0])
    assert_array_equal(pb.trace(pb.grad(f), x)(x), [1.0, 2.0])
    assert pb.grad(lambda x: pb.fori_loop(0, 2, lambda _, c: c + x * bucket(x), x))(1.5) == 3.0


def test_constants_of_a_transformation_that_the_function_meets_do_not_make_its_result_traced():
    results = []

    def f(x):
        constant = pb.stop_gradient(x)

        @pb.primitive
        def shifted(y):
            return y + constant

        results.append(type(shifted(2.0)))
        return shifted(2.0) * x

    assert pb.grad(f)(3.0) == 5.0
    assert results == [np.float64]


def test_a_function_that_fills_an_array_is_called_once_for_a_batch():
    calls = []

    @pb.primitive
    def squares(x):
        calls.append(type(x))
        out = np.zeros(x.size)
        for i in range(x.size):
            out[i] = x[i] ** 2
        return out

    @squares.rule
    def squares_rule(_y, x):
        matrix = np.zeros((x.size, x.size))
        for i in range(x.size):
            matrix[i, i] = 2 * x[i]
        return pb.Dense(matrix, 1)

    x = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(pb.vmap(squares)(x), x**2)
    assert len(calls) == 1
    np.testing.assert_array_equal(pb.vmap(pb.grad(lambda x: np.sum(squares(x))))(x), 2 * x)
    np.testing.assert_array_equal(pb.hessian(lambda x: np.sum(squares(x)))(x[1]), 2 * np.eye(2))


@pytest.mark.parametrize("wrong", [lambda bar, x: np.abs(bar) * x, lambda bar, x: bar * x])
def test_the_check_finds_a_map_that_is_wrong_or_not_linear(wrong):
    @pb.primitive
    def halved_square(x):
        return x**2 / 2 + np.sin(x)

    halved_square.rule(lambda _y, x: pb.Linear(pullback=lambda bar: wrong(bar, x)))
    with pytest.raises(pb.CheckError):
        pb.check(halved_square, np.array([0.3, 1.1]))
