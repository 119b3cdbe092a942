"""Rules of the user's own, and stop_gradient."""

from __future__ import annotations

import math

import numpy as np
import pytest

import pullback as pb


def softplus_primitive():
    @pb.primitive
    def softplus(x):
        """log(1 + exp x)."""
        return np.logaddexp(0, x)

    @softplus.rule
    def softplus_rule(_y, x):
        return 1 / (1 + np.exp(-x))

    return softplus


def test_elementwise_rule_to_third_order_against_closed_forms():
    softplus = softplus_primitive()
    x = 0.7
    s = 1 / (1 + math.exp(-x))
    first = pb.grad(softplus)
    second = pb.grad(first)
    third = pb.grad(second)
    np.testing.assert_allclose(first(x), s, rtol=1e-15)
    np.testing.assert_allclose(second(x), s * (1 - s), rtol=1e-14)
    np.testing.assert_allclose(third(x), s * (1 - s) * (1 - 2 * s), rtol=1e-13)
    np.testing.assert_allclose(pb.hessian(softplus)(x), s * (1 - s), rtol=1e-14)
    np.testing.assert_allclose(pb.pushforward(softplus, (x,), (2.0,))[1], 2 * s, rtol=1e-15)


def test_it_is_called_and_documented_like_the_function():
    softplus = softplus_primitive()
    assert softplus.__name__ == "softplus"
    assert softplus.__doc__ == "log(1 + exp x)."
    assert "softplus" in repr(softplus)
    np.testing.assert_array_equal(softplus(np.array([0.0, 1.0])), np.logaddexp(0, [0.0, 1.0]))


def test_linear_maps_per_argument_are_evaluated_only_when_wanted():
    evaluated = []

    @pb.primitive
    def scaled(a, x, *, power=1):
        return a**power @ x

    @scaled.rule
    def scaled_rule(_y, a, x, *, power=1):
        def in_a():
            evaluated.append("a")
            return pb.Linear(
                lambda a_dot: (power * a ** (power - 1) * a_dot) @ x,
                lambda y_bar: power * a ** (power - 1) * np.outer(y_bar, x),
            )

        def in_x():
            evaluated.append("x")
            return pb.Dense(a**power, ndim=1)

        return in_a, in_x

    rng = np.random.default_rng(0)
    a, x = rng.normal(size=(3, 2)), rng.normal(size=2)
    weights = rng.normal(size=3)

    def plain(a, x):
        return weights @ (a**3 @ x)

    def ours(a, x):
        return weights @ scaled(a, x, power=3)

    np.testing.assert_allclose(pb.grad(ours, 1)(a, x), pb.grad(plain, 1)(a, x), rtol=1e-13)
    assert evaluated == ["x"]
    np.testing.assert_allclose(pb.grad(ours, 0)(a, x), pb.grad(plain, 0)(a, x), rtol=1e-13)
    assert evaluated == ["x", "a"]
    np.testing.assert_allclose(
        pb.jacobian(lambda a: scaled(a, x, power=3), mode="forward")(a),
        pb.jacobian(lambda a: a**3 @ x, mode="reverse")(a),
        rtol=1e-12,
    )


def test_several_outputs():
    @pb.primitive(multiple=True)
    def polar(r, angle):
        return r * np.cos(angle), r * np.sin(angle)

    @polar.rule
    def polar_rule(out, r, angle):
        x, y = out

        def pushforward(r_dot, angle_dot):
            r_dot = 0.0 if r_dot is None else r_dot
            angle_dot = 0.0 if angle_dot is None else angle_dot
            return x / r * r_dot - y * angle_dot, y / r * r_dot + x * angle_dot

        def pullback(out_bar):
            x_bar, y_bar = (0.0 if bar is None else bar for bar in out_bar)
            return np.cos(angle) * x_bar + np.sin(angle) * y_bar, x * y_bar - y * x_bar

        return pb.Joint(pushforward, pullback)

    def reference(r, angle):
        return r * np.cos(angle), r * np.sin(angle)

    primals, tangents, cotangent = (1.3, 0.4), (0.2, -0.7), (0.5, 1.5)
    for use in (
        lambda f: pb.pushforward(f, primals, tangents),
        lambda f: pb.pullback(f, primals, cotangent),
        lambda f: pb.pullback(f, primals, (None, 1.0)),
        lambda f: pb.linearize(f, *primals)[1](*tangents),
        lambda f: pb.jacobian(f, (0, 1), mode="forward")(*primals),
        lambda f: pb.jacobian(f, (0, 1), mode="reverse")(*primals),
        lambda f: pb.hessian(lambda r, a: f(r, a)[0] * f(r, a)[1], (0, 1))(*primals),
    ):
        ours, wanted = use(polar), use(reference)
        np.testing.assert_allclose(
            np.array(ours, dtype=float).ravel(), np.array(wanted, dtype=float).ravel(), rtol=1e-13
        )


def test_a_function_of_plain_python_and_a_python_float_result():
    @pb.primitive
    def log_gamma(x):
        return math.lgamma(x)

    @log_gamma.rule
    def log_gamma_rule(_y, x):
        h = 1e-5
        return (math.lgamma(x + h) - math.lgamma(x - h)) / (2 * h)

    assert pb.grad(log_gamma)(3.0) == pytest.approx(0.9227843350984671, rel=1e-9)


def test_constant_primitive():
    @pb.primitive(constant=True)
    def bucket(x):
        return np.floor(x / 2) * 2

    np.testing.assert_array_equal(
        pb.grad(lambda x: np.sum(x * bucket(x)))(np.array([1.0, 5.0])), [0.0, 4.0]
    )


def test_without_a_rule_it_raises_and_names_the_remedy():
    @pb.primitive
    def mystery(x):
        return x * 2

    assert mystery(2.0) == 4.0
    for use in (pb.grad(mystery), lambda x: pb.pushforward(mystery, (x,), (1.0,))):
        with pytest.raises(pb.NoRuleError, match=r"mystery has no derivative rule.*@mystery\.rule"):
            use(1.0)


def test_a_rule_of_the_wrong_arity_is_named():
    @pb.primitive
    def product(x, y):
        return x * y

    @product.rule
    def product_rule(_z, _x, y):
        return y

    with pytest.raises(TypeError, match=r"rule of product returned 1 linear maps for 2 arguments"):
        pb.grad(product)(1.0, 2.0)


def test_a_rule_without_parameters_is_refused():
    @pb.primitive
    def f(x):
        return x

    with pytest.raises(TypeError, match=r"rule of f takes \(\*\).*|rule of f takes \(\)"):
        f.rule(lambda: 1)


def test_a_cotangent_of_the_wrong_shape_names_the_rule_and_the_argument():
    @pb.primitive
    def total(x):
        return np.sum(x)

    @total.rule
    def total_rule(_y, _x):
        return pb.Linear(lambda x_dot: np.sum(x_dot), lambda y_bar: y_bar * np.ones(5))

    with pytest.raises(
        ValueError, match=r"rule of total: the pullback for argument 0 .*\(5,\), wanted \(3,\)"
    ):
        pb.grad(total)(np.ones(3))


def test_traced_keywords_and_containers_are_refused():
    @pb.primitive
    def f(x, *, scale=1.0):
        return x * scale

    with pytest.raises(TypeError, match=r"f: keyword 'scale' is being differentiated.*position"):
        pb.grad(lambda s: f(2.0, scale=s))(3.0)
    with pytest.raises(TypeError, match=r"f: argument 0 is a dict.*separate arguments"):
        pb.grad(lambda x: f({"x": x}))(3.0)


def test_stop_gradient_is_constant_in_every_mode_and_at_every_level():
    def f(x):
        return x * pb.stop_gradient(x)

    assert pb.grad(f)(3.0) == 3.0
    assert pb.pushforward(f, (3.0,), (1.0,))[1] == 3.0
    assert pb.hessian(f)(3.0) == 0.0
    # d/dx of (x · stop(y)) at y = x², differentiated once more through y: the stop holds there too
    inner = pb.grad(lambda x, y: x * pb.stop_gradient(y))
    assert pb.grad(lambda x: inner(x, x**2) * x)(3.0) == 9.0


def test_stop_gradient_of_a_tree_and_of_plain_values():
    tree = {"a": np.arange(3.0), "n": 4, "f": (1.5, None)}
    out = pb.stop_gradient(tree)
    assert out["n"] == 4 and out["f"] == (1.5, None)
    np.testing.assert_array_equal(out["a"], tree["a"])

    def f(tree):
        fixed = pb.stop_gradient(tree)
        return np.sum(tree["a"] * fixed["a"]) + tree["b"] * fixed["b"]

    gradient = pb.grad(f)({"a": np.arange(3.0), "b": 2.0})
    np.testing.assert_array_equal(gradient["a"], np.arange(3.0))
    assert gradient["b"] == 2.0


def test_a_stopped_value_may_become_a_float():
    assert pb.grad(lambda x: x * float(pb.stop_gradient(x)))(3.0) == 3.0


def test_batching():
    @pb.primitive
    def scaled(a, x):
        return a * x

    @scaled.rule
    def scaled_rule(_y, a, x):
        return x, a

    a, x = np.arange(3.0), np.ones((4, 3))
    np.testing.assert_array_equal(pb.vmap(scaled, in_axes=(None, 0))(a, x), a * x)
    calls = []

    @scaled.batch
    def scaled_batch(mapped, a, x):
        calls.append(mapped)
        if mapped == (True, False):
            return scaled(a, x[None])
        return scaled(a if mapped[0] else a[None], x)

    np.testing.assert_array_equal(pb.vmap(scaled, in_axes=(None, 0))(a, x), a * x)
    np.testing.assert_array_equal(pb.vmap(scaled, in_axes=(0, None))(x, a), x * a)
    per_example = pb.vmap(pb.grad(lambda a, x: np.sum(scaled(a, x) ** 2)), in_axes=(None, 0))
    np.testing.assert_allclose(per_example(a, x), 2 * a * x**2, rtol=1e-15)
    assert set(calls) == {(False, True), (True, False)}


def test_a_map_that_cannot_be_batched_still_makes_a_jacobian():
    matrix = np.array([[2.0, 1.0], [0.0, 3.0]])

    @pb.primitive
    def solved(b):
        return np.linalg.solve(matrix, b)

    @solved.rule
    def solved_rule(_x, _b):
        def one_at_a_time(b):
            return np.array([float(entry) for entry in np.linalg.solve(matrix, b)])

        return pb.Linear(one_at_a_time, lambda x_bar: np.linalg.solve(matrix.T, x_bar))

    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(
            pb.jacobian(solved, mode=mode)(np.ones(2)), np.linalg.inv(matrix), rtol=1e-14
        )
