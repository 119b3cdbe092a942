"""pushforward, pullback, vjp, linearize, grad and value_and_grad."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from tests.transforms.numerical import derivative, gradient

RNG = np.random.default_rng(3)
X = RNG.standard_normal((3, 4))


def curved(x):
    """ℝ³ˣ⁴ → ℝ³ with every element depending on several."""
    return np.tanh(x @ np.arange(1.0, 5.0) / 10) + np.sum(x**2, axis=1) * np.sin(x[:, 0])


def scalar(x):
    return np.sum(np.exp(np.sin(x)) * x) / (1 + np.sum(x**2))


def test_pushforward_is_the_directional_derivative():
    x_dot = RNG.standard_normal(X.shape)
    y, y_dot = pb.pushforward(curved, (X,), (x_dot,))
    assert_array_equal(y, curved(X))
    assert_allclose(y_dot, derivative(curved, X, x_dot), rtol=1e-9)


def test_pushforward_is_linear_in_the_tangent():
    u, v = RNG.standard_normal((2, 3, 4))
    push = [pb.pushforward(curved, (X,), (t,))[1] for t in (u, v, 2 * u - 3 * v)]
    assert_allclose(push[2], 2 * push[0] - 3 * push[1], rtol=1e-12, atol=1e-12)


def test_jvp_is_pushforward():
    assert pb.jvp is pb.pushforward


def test_pullback_is_the_adjoint():
    x_dot, y_bar = RNG.standard_normal(X.shape), RNG.standard_normal(3)
    y, (x_bar,) = pb.pullback(curved, (X,), y_bar)
    _, y_dot = pb.pushforward(curved, (X,), (x_dot,))
    assert_array_equal(y, curved(X))
    assert np.sum(y_bar * y_dot) == pytest.approx(np.sum(x_bar * x_dot), rel=1e-12)


def test_the_cotangent_may_be_left_out_for_a_scalar():
    _, (x_bar,) = pb.pullback(scalar, (X,))
    assert_array_equal(x_bar, pb.grad(scalar)(X))


def test_vjp_applies_the_same_map_again_and_again():
    y, pull = pb.vjp(curved, X)
    u, v = RNG.standard_normal((2, 3))
    first = pull(u)[0]
    assert_allclose(pull(2 * u - v)[0], 2 * first - pull(v)[0], rtol=1e-12, atol=1e-12)
    assert_array_equal(pull(u)[0], first)
    assert_array_equal(y, curved(X))


def test_linearize_applies_the_same_map_again_and_again():
    y, push = pb.linearize(curved, X)
    u, v = RNG.standard_normal((2, 3, 4))
    assert_array_equal(y, curved(X))
    for t in (u, v, u):
        assert_allclose(push(t), pb.pushforward(curved, (X,), (t,))[1], rtol=1e-13)


@pytest.mark.parametrize("transform", [pb.vjp, pb.linearize])
def test_the_function_is_evaluated_once(transform):
    calls = []

    def counted(x):
        calls.append(1)
        return curved(x)

    _, apply = transform(counted, X)
    seed = np.ones(3) if transform is pb.vjp else np.ones(X.shape)
    for _ in range(3):
        apply(seed)
    assert len(calls) == 1


def test_maps_made_in_turn_are_applied_in_any_order():
    points = [X, X + 1, X - 1]
    pulls = [pb.vjp(curved, x)[1] for x in points]
    pushes = [pb.linearize(curved, x)[1] for x in points]
    for i in (2, 0, 1, 0, 2):
        expected = pb.pullback(curved, (points[i],), np.ones(3))[1][0]
        assert_array_equal(pulls[i](np.ones(3))[0], expected)
        expected = pb.pushforward(curved, (points[i],), (X,))[1]
        assert_allclose(pushes[i](X), expected, rtol=1e-13)


def test_a_pull_inside_the_pull_of_another():
    _, outer = pb.vjp(curved, X)
    _, inner = pb.vjp(scalar, X)
    assert_array_equal(outer(curved(inner(1.0)[0]))[0], outer(curved(pb.grad(scalar)(X)))[0])


def test_gradient():
    assert_allclose(pb.grad(scalar)(X), gradient(scalar, X), rtol=1e-9)
    value, slope = pb.value_and_grad(scalar)(X)
    assert value == scalar(X)
    assert_array_equal(slope, pb.grad(scalar)(X))


def test_argnums():
    def f(a, b, c):
        return np.sum(a * b**2 * np.sin(c))

    a, b, c = RNG.standard_normal((3, 2))
    parts = {
        0: b**2 * np.sin(c), 1: 2 * a * b * np.sin(c), 2: a * b**2 * np.cos(c)
    }  # fmt: skip
    for position, expected in parts.items():
        assert_allclose(pb.grad(f, position)(a, b, c), expected, rtol=1e-14)
    assert_allclose(pb.grad(f, -1)(a, b, c), parts[2], rtol=1e-14)
    for argnums in [(0, 1, 2), (2, 0), [1], (-1, 1)]:
        got = pb.grad(f, argnums)(a, b, c)
        assert isinstance(got, tuple)
        assert len(got) == len(argnums)
        for position, bar in zip(argnums, got, strict=True):
            assert_allclose(bar, parts[position % 3], rtol=1e-14)
    value, bars = pb.value_and_grad(f, (1, 0))(a, b, c)
    assert value == f(a, b, c)
    assert_allclose(bars[0], parts[1], rtol=1e-14)


def test_keywords_are_not_differentiated():
    def f(x, *, power, offset):
        return np.sum(x**power + offset)

    assert_allclose(pb.grad(f)(X, power=3, offset=np.ones((3, 4))), 3 * X**2, rtol=1e-14)


def test_has_aux():
    def f(x):
        y = np.tanh(x)
        return np.sum(y), {"activations": y, "count": 3, "name": "layer"}

    slope, aux = pb.grad(f, has_aux=True)(X)
    assert_allclose(slope, 1 - np.tanh(X) ** 2, rtol=1e-14)
    assert type(aux["activations"]) is np.ndarray
    assert_array_equal(aux["activations"], np.tanh(X))
    assert (aux["count"], aux["name"]) == (3, "layer")
    (value, aux), slope = pb.value_and_grad(f, has_aux=True)(X)
    assert value == np.sum(np.tanh(X))
    value, pull, aux = pb.vjp(f, X, has_aux=True)
    assert type(aux["activations"]) is np.ndarray
    assert_array_equal(pull(1.0)[0], slope)


def test_the_auxiliary_result_can_be_differentiated_one_level_up():
    def inner(x):
        return np.sum(x**3), np.sum(x**2)

    def outer(x):
        slope, aux = pb.grad(inner, has_aux=True)(x)
        return np.sum(slope) * aux

    x = np.array([1.0, -2.0])
    square = np.sum(x**2)
    assert_allclose(pb.grad(outer)(x), 6 * x * square + 3 * square * 2 * x, rtol=1e-14)


def test_integers_and_booleans_pass_through():
    def f(x, k, mask, index):
        assert type(k) is int
        assert type(mask) is np.ndarray
        return np.sum(np.where(mask, x**k, 0.0)) + x[index]

    x = np.array([1.0, 2.0, 3.0])
    mask = np.array([True, False, True])
    args = (x, 3, mask, 1)
    expected = np.where(mask, 3 * x**2, 0) + np.array([0, 1, 0])
    _, bars = pb.pullback(f, args)
    assert_allclose(bars[0], expected, rtol=1e-15)
    assert bars[1:] == (None, None, None)
    _, y_dot = pb.pushforward(f, args, (np.ones(3), None, None, None))
    assert y_dot == pytest.approx(np.sum(expected))
    assert_allclose(pb.grad(f)(*args), expected, rtol=1e-15)


def test_integer_results_carry_no_tangent():
    def f(x):
        return {"value": x**2, "winner": np.argmax(x), "positive": x > 0}

    out, out_dot = pb.pushforward(f, (X[0],), (np.ones(4),))
    assert out["winner"] == np.argmax(X[0])
    assert_array_equal(out["positive"], X[0] > 0)
    assert_array_equal(out_dot["value"], 2 * X[0])
    assert out_dot["winner"] is None
    assert out_dot["positive"] is None
    _, pull = pb.vjp(f, X[0])
    bars = pull({"value": np.ones(4), "winner": None, "positive": None})
    assert_array_equal(bars[0], 2 * X[0])


def test_a_missing_tangent_is_zero():
    _, y_dot = pb.pushforward(lambda x, y: x * y, (2.0, 3.0), (1.0, None))
    assert y_dot == 3.0
    _, y_dot = pb.pushforward(lambda x, y: x * y, (2.0, 3.0), (None, None))
    assert y_dot == 0.0
    _, push = pb.linearize(lambda x, y: x * y, 2.0, 3.0)
    assert push(None, 1.0) == 2.0
    assert push(None, None) == 0.0


def test_a_missing_cotangent_is_zero():
    _, pull = pb.vjp(lambda x: (x**2, x**3), 2.0)
    assert pull((1.0, None))[0] == 4.0
    assert pull((None, 1.0))[0] == 12.0
    assert pull(None)[0] == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_dtypes_are_kept(dtype):
    x = np.asarray(X[0], dtype)

    def f(x):
        return np.sum(np.sin(x) * 2.5) / 3

    y, (x_bar,) = pb.pullback(f, (x,), dtype(1))
    assert y.dtype == x_bar.dtype == dtype
    _, y_dot = pb.pushforward(f, (x,), (np.ones_like(x),))
    assert y_dot.dtype == dtype
    _, push = pb.linearize(f, x)
    assert push(np.ones_like(x)).dtype == dtype


def test_python_scalars_and_numpy_scalars():
    for x in (2.0, np.float64(2.0), np.array(2.0)):
        value, slope = pb.value_and_grad(lambda x: x**3)(x)
        assert (float(value), float(slope)) == (8.0, 12.0)
        assert np.shape(slope) == ()


def test_a_function_without_arguments_that_vary():
    out, bars = pb.pullback(lambda k: k * 2.0, (3,), 1.0)
    assert out == 6.0
    assert bars == (None,)


def test_a_result_that_is_the_argument():
    assert pb.grad(lambda x: x)(2.0) == 1.0
    y, pull = pb.vjp(lambda x: (x, x), X)
    u, v = RNG.standard_normal((2, 3, 4))
    assert_allclose(pull((u, v))[0], u + v)
    assert_array_equal(y[1], X)


def test_empty_arrays():
    empty = np.zeros((0, 3))
    assert pb.grad(np.sum)(empty).shape == (0, 3)
    y, y_dot = pb.pushforward(np.sin, (empty,), (empty,))
    assert y.shape == y_dot.shape == (0, 3)
    _, pull = pb.vjp(lambda x: np.sum(x, axis=0), empty)
    assert pull(np.ones(3))[0].shape == (0, 3)


def test_independence_warns_once():
    def f(x, y):
        return np.sum(y)

    gradient_of = pb.grad(f)
    with pytest.warns(pb.IndependentOutputWarning) as record:
        assert_array_equal(gradient_of(X, X), np.zeros(X.shape))
    text = str(record[0].message)
    for words in ("grad of f", "does not depend on argument 0", "is zero", "argnums"):
        assert words in text
    assert record[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradient_of(X, X)
        pb.grad(f)(X, X)
        pb.grad(f, 1)(X, X)


def test_independence_after_rounding_warns():
    with pytest.warns(pb.IndependentOutputWarning, match="rounded, compared"):
        assert pb.grad(lambda x: np.round(x) + 0.0)(1.3) == 0.0


def test_stop_gradient():
    def f(x):
        return x * pb.stop_gradient(x) ** 2

    assert pb.grad(f)(3.0) == 9.0
    with pytest.warns(pb.IndependentOutputWarning, match="stop_gradient"):
        assert pb.grad(pb.grad(f))(3.0) == 0.0
    assert pb.pushforward(f, (3.0,), (1.0,))[1] == 9.0
    tree = pb.stop_gradient({"a": X, "k": 3})
    assert_array_equal(tree["a"], X)
    assert tree["k"] == 3


def test_stop_gradient_stops_every_level():
    def f(x):
        return pb.grad(lambda y: y**2 * pb.stop_gradient(x))(x)

    assert pb.grad(f)(3.0) == 6.0


def test_the_name_of_the_function_is_kept():
    assert pb.grad(scalar).__name__ == "scalar"
    assert pb.jacobian(curved).__name__ == "curved"


def test_tangents_are_computed_without_warnings_and_values_with_them():
    def f(x):
        return np.sqrt(x) * 1.0, x * 1e200 * x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (root, _), (root_dot, _) = pb.jvp(f, (0.0,), (1.0,))
        assert root == 0.0 and root_dot == np.inf
        with pytest.raises(RuntimeWarning, match="overflow"):
            pb.jvp(lambda x: x * 1e200, (np.float64(1e200),), (1.0,))
        # A tangent within the tangent of another level, and one within a rule, are no less quiet.
        nested = pb.jvp(lambda x: pb.jvp(f, (x,), (1.0,))[1][0], (0.25,), (1.0,))
        assert_allclose(nested, (1.0, -2.0))

        @pb.primitive
        def g(x):
            return x**0.5

        @g.rule
        def g_rule(_y, x):
            return pb.jvp(np.sqrt, (x,), (1.0,))[1]

        assert_allclose(pb.jvp(g, (0.25,), (1.0,))[1], 1.0)
        assert pb.jvp(g, (0.0,), (1.0,))[1] == np.inf


def test_several_threads_push_through_one_level():
    """The context in which tangents are computed can be entered by one thread at a time."""

    def f(x):
        parts = [None] * 4

        def part(i):
            y = x
            for _ in range(200):
                y = np.sin(y * 1.01) + x
            parts[i] = y

        threads = [threading.Thread(target=part, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return parts

    dots = pb.jvp(f, (0.5,), (1.0,))[1]
    assert len(set(map(float, dots))) == 1
