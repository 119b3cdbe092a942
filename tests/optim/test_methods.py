"""Descent methods: against the iterations written by hand, and on convex problems."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback import optim
from pullback.core import trees
from pullback.errors import ArgumentTypeError, ArgumentValueError

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4))
A = A @ A.T + np.eye(4)
C = RNG.normal(size=4)
SOLUTION = np.linalg.solve(A, C)

METHODS = [
    optim.SteepestDescent(0.05),
    optim.Momentum(0.05),
    optim.Momentum(0.05, 0.5, nesterov=True),
    optim.Adam(0.05),
]


def quadratic(x):
    return x @ A @ x / 2 - C @ x


def descend(method, f, params, steps):
    state = method.init(params)
    for _ in range(steps):
        params, state = method.update(pb.grad(f)(params), state, params)
    return params


# -- the iterations, by hand ---------------------------------------------------------------------


def steepest(g, x, steps, rate):
    for t in range(steps):
        x = x - rate(t) * g(x)
    return x


def momentum(g, x, steps, rate, beta, nesterov):
    u = 0 * x
    for t in range(steps):
        u = beta * u + g(x)
        x = x - rate(t) * (g(x) + beta * u if nesterov else u)
    return x


def adam(g, x, steps, rate, b1=0.9, b2=0.999, epsilon=1e-8):
    m, s = 0 * x, 0 * x
    for t in range(steps):
        m, s = b1 * m + (1 - b1) * g(x), b2 * s + (1 - b2) * g(x) ** 2
        m_hat, s_hat = m / (1 - b1 ** (t + 1)), s / (1 - b2 ** (t + 1))
        x = x - rate(t) * m_hat / (np.sqrt(s_hat) + epsilon)
    return x


def fixed(_step):
    return 0.05


def falling(step):
    return 0.1 / (1 + step)


@pytest.mark.parametrize(
    ("method", "by_hand"),
    [
        (optim.SteepestDescent(0.05), lambda g, x, n: steepest(g, x, n, fixed)),
        (optim.SteepestDescent(falling), lambda g, x, n: steepest(g, x, n, falling)),
        (optim.Momentum(0.05, 0.8), lambda g, x, n: momentum(g, x, n, fixed, 0.8, False)),
        (optim.Momentum(falling), lambda g, x, n: momentum(g, x, n, falling, 0.9, False)),
        (
            optim.Momentum(0.05, 0.8, nesterov=True),
            lambda g, x, n: momentum(g, x, n, fixed, 0.8, True),
        ),
        (optim.Adam(0.05), lambda g, x, n: adam(g, x, n, fixed)),
        (
            optim.Adam(falling, 0.5, 0.9, 1e-3),
            lambda g, x, n: adam(g, x, n, falling, 0.5, 0.9, 1e-3),
        ),
    ],
)
def test_each_method_is_its_iteration(method, by_hand):
    rng = np.random.default_rng(1)
    x = rng.normal(size=4)
    expected = by_hand(lambda x: A @ x - C, x, 25)
    np.testing.assert_allclose(descend(method, quadratic, x, 25), expected, rtol=1e-12, atol=1e-13)


def test_nesterovs_form_looks_ahead():
    """In the variable of the look ahead, p = θ + β(θ − θ_before), it is Nesterov's iteration."""
    rng = np.random.default_rng(1)
    beta, rate = 0.8, 0.02
    start = rng.normal(size=4)
    theta = p = start
    for _ in range(25):
        new = p - rate * (A @ p - C)
        theta, p = new, new + beta * (new - theta)
    ours = descend(optim.Momentum(rate, beta, nesterov=True), quadratic, start, 25)
    np.testing.assert_allclose(ours, p, rtol=1e-11)


# -- convergence ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_each_method_finds_the_minimum_of_a_convex_function(method):
    np.testing.assert_allclose(descend(method, quadratic, np.zeros(4), 1500), SOLUTION, atol=1e-6)


def test_steepest_descent_contracts_the_error_by_the_matrix_it_should():
    rng = np.random.default_rng(1)
    x = rng.normal(size=4)
    error = np.linalg.matrix_power(np.eye(4) - 0.05 * A, 10) @ (x - SOLUTION)
    ours = descend(optim.SteepestDescent(0.05), quadratic, x, 10) - SOLUTION
    np.testing.assert_allclose(ours, error, rtol=1e-10, atol=1e-14)


# -- pytrees, purity, dtypes ---------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_pytrees_keep_structure_shapes_and_dtypes_and_nothing_is_changed_in_place(method):
    params = {"W": np.ones((2, 3), np.float32), "b": (np.array(1.0), np.ones(3, np.float64))}
    gradient = {"W": np.full((2, 3), 0.5, np.float32), "b": (np.array(2.0), np.ones(3))}
    state = method.init(params)
    copies = [leaf.copy() for leaf in trees.flatten((params, gradient))[0]]
    before = [np.array(leaf) for leaf in trees.flatten(state)[0]]
    once, after = method.update(gradient, state, params)
    again, _ = method.update(gradient, state, params)
    for leaf, copy in zip(trees.flatten((params, gradient))[0], copies, strict=True):
        np.testing.assert_array_equal(leaf, copy)
    for leaf, copy in zip(trees.flatten(state)[0], before, strict=True):
        np.testing.assert_array_equal(leaf, copy)
    for old, new, same in zip(*(trees.flatten(t)[0] for t in (params, once, again)), strict=True):
        assert isinstance(new, np.ndarray)
        assert (new.shape, new.dtype) == (old.shape, old.dtype)
        assert not np.array_equal(new, old)
        np.testing.assert_array_equal(new, same)
    assert trees.flatten(once)[1] == trees.flatten(params)[1]
    assert after.count == 1


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_steps_that_are_recorded_or_compiled_return_arrays_too(method):
    params = {"W": np.ones((2, 3)), "h": np.array(0.5), "k": np.array(2.0, np.float32)}
    state = method.init(params)
    wanted, spec = trees.flatten(method.update(params, state, params))
    for update in (pb.trace(method.update, params, state, params), pb.compile(method.update)):
        found, structure = trees.flatten(update(params, state, params))
        assert structure == spec
        for one, other in zip(found, wanted, strict=True):
            assert type(one) is type(other)
            assert np.asarray(one).dtype == np.asarray(other).dtype
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_the_state_is_a_pytree():
    params = {"x": np.ones(3)}
    leaves, spec = trees.flatten(optim.Adam().init(params))
    assert [np.shape(leaf) for leaf in leaves] == [(), (3,), (3,)]
    assert trees.unflatten(spec, leaves).mean["x"] is leaves[1]


def test_a_descent_can_be_differentiated_in_its_start():
    rng = np.random.default_rng(1)
    x = rng.normal(size=4)
    method = optim.SteepestDescent(0.05)

    def end(start):
        params, state = start, method.init(start)
        for _ in range(3):
            params, state = method.update(A @ params - C, state, params)
        return params

    expected = np.linalg.matrix_power(np.eye(4) - 0.05 * A, 3)
    np.testing.assert_allclose(pb.jacobian(end)(x), expected, rtol=1e-11, atol=1e-15)


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: optim.SteepestDescent(0.0), ArgumentValueError, "SteepestDescent: learning_rate"),
        (lambda: optim.Momentum(0.1, 1.0), ArgumentValueError, "momentum is 1.0, wanted"),
        (
            lambda: optim.Adam("fast"),
            ArgumentTypeError,
            "Adam: learning_rate is 'fast', wan",
        ),
        (
            lambda: optim.Adam(0.1, -0.1),
            ArgumentValueError,
            r"beta_1 is -0.1, .* at least 0 and below 1",
        ),
        (lambda: optim.Adam(0.1, 0.9, 1.0), ArgumentValueError, "Adam: beta_2 is 1.0"),
        (lambda: optim.Adam(epsilon=0.0), ArgumentValueError, "Adam: epsilon is 0.0"),
    ],
)
def test_settings_that_do_not_fit(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_parameters_and_gradients_that_do_not_fit(method):
    name = type(method).__name__
    with pytest.raises(ArgumentTypeError, match=rf"{name}.init: params\['x'\] has dtype int64"):
        method.init({"x": np.arange(3)})
    with pytest.raises(ArgumentTypeError, match=rf"{name}.init: params has type float"):
        method.init(1.0)
    with pytest.raises(ArgumentValueError, match=rf"{name}.init: params has no leaves"):
        method.init({})
    params = {"x": np.ones(3), "y": np.ones(2)}
    state = method.init(params)
    with pytest.raises(ArgumentValueError, match=rf"{name}.update: gradient\['x'\] is of shape"):
        method.update({"x": np.array(1.0), "y": np.ones(2)}, state, params)
    with pytest.raises(ArgumentValueError, match=rf"{name}.update: gradient\['y'\] is missing"):
        method.update({"x": np.ones(3), "y": None}, state, params)
    with pytest.raises(ArgumentValueError, match=rf"{name}.update: gradient has the structure"):
        method.update({"x": np.ones(3)}, state, params)
    if name != "SteepestDescent":
        with pytest.raises(
            ArgumentValueError, match=rf"{name}.update: state belongs to parameters"
        ):
            method.update(params, method.init({"x": np.ones(3)}), params)


def test_complex_parameters_descend_along_their_gradient_and_adam_refuses_them():
    z = np.array([1.0 + 2.0j, -0.5j])
    for method in METHODS[:3]:
        end = descend(method, lambda z: np.sum(np.abs(z - 1j) ** 2), z, 300)
        np.testing.assert_allclose(end, 1j, atol=1e-5)
    with pytest.raises(
        ArgumentTypeError, match=r"Adam.init: params has dtype complex128, wanted a real"
    ):
        optim.Adam().init(z)


def test_a_method_of_the_users_own_without_its_functions_is_told_which():
    class Unfinished(optim.Method):
        pass

    with pytest.raises(NotImplementedError, match=r"Unfinished has no method init\(self, params\)"):
        Unfinished().init(C)
    with pytest.raises(NotImplementedError, match=r"Unfinished has no method update\(.*write both"):
        Unfinished().update(C, None, C)
