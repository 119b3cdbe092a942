"""Inside `strict`, a derivative at a singular point raises, in every mode, and says where."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import pullback as pb

KINKS = {
    "absolute": (np.abs, [0.0, 1.0, -2.0]),
    "maximum": (lambda x: np.maximum(x, 0.5), [0.5, 1.0, -2.0]),
    "sqrt": (np.sqrt, [0.0, 1.0, 2.0]),
    "divide": (lambda x: 1 / x, [0.0, 1.0, 2.0]),
    "power": (lambda x: x**0.25, [0.0, 1.0, 2.0]),
    "hypot": (lambda x: np.hypot(x, 0.0), [0.0, 1.0, 2.0]),
    "root": (lambda x: np.linalg.norm(np.stack([x, x]), axis=0), [0.0, 1.0, 2.0]),
    "log": (np.log, [0.0, 1.0, 2.0]),
    "remainder": (lambda x: x % 2.0, [4.0, 1.0, 3.0]),
}

ONES = np.ones(3)
MODES = {
    "forward": lambda f, x: pb.pushforward(f, (x,), (ONES,))[1],
    "reverse": lambda f, x: pb.pullback(f, (x,), ONES)[1][0],
    "grad": lambda f, x: pb.grad(lambda x: np.sum(f(x)))(x),
    "linearize": lambda f, x: pb.linearize(f, x)[1](ONES),
    "jacobian": lambda f, x: pb.jacobian(f)(x),
    "mapped": lambda f, x: pb.vmap(pb.grad(f))(x),
    "checkpointed": lambda f, x: pb.grad(lambda x: np.sum(pb.checkpoint(f)(x)))(x),
    "scanned": lambda f, x: pb.grad(
        lambda x: pb.scan(lambda c, x: (c + f(x), None), np.zeros(()), x)[0]
    )(x),
    "scanned forward": lambda f, x: pb.jvp(
        lambda x: pb.scan(lambda c, x: (c + f(x), None), np.zeros(()), x)[0], (x,), (ONES,)
    )[1],
    "recorded": lambda f, x: pb.trace(pb.grad(lambda x: np.sum(f(x))), x)(x),
    "simplified": lambda f, x: pb.simplify(pb.trace(pb.grad(lambda x: np.sum(f(x))), x))(x),
}


@pytest.fixture(autouse=True)
def _the_points_are_poles():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_raises_at_a_singular_point_and_nowhere_else(mode):
    apply = MODES[mode]
    for name, (f, values) in KINKS.items():
        x = np.array(values)
        apply(f, x)  # outside nothing raises, nor what was recorded there
        with pb.strict():
            apply(f, x + np.array([0.25, 0, 0]))
            with pytest.raises(pb.SingularPointError, match=name):
                apply(f, x)
        apply(f, x)


def test_the_message_names_the_function_the_elements_and_the_line():
    def f(x):
        y = 2 * x
        return np.sum(np.sqrt(y))

    with pb.strict(), pytest.raises(pb.SingularPointError) as caught:
        pb.grad(f)(np.array([[1.0, 0.0], [0.0, 2.0]]))
    message = str(caught.value)
    assert message.startswith("sqrt: x = 0 is a pole, where the derivative is infinite")
    assert "test_strictness.py, line" in message
    assert "`return np.sum(np.sqrt(y))`" in message
    assert "at the elements (0, 1), (1, 0) of (2, 2)" in message
    assert "np.where" in message
    assert isinstance(caught.value, ArithmeticError)


def test_a_zero_of_a_selection_is_not_met():
    def f(x):
        return np.sum(np.where(x > 0, np.sqrt(x), np.abs(x) * 0)) + x[1] ** 2

    x = np.array([0.0, 4.0])
    with pb.strict():
        np.testing.assert_array_equal(pb.jvp(np.sqrt, (x,), (np.array([0.0, 1.0]),))[1], [0, 0.25])
        np.testing.assert_array_equal(pb.vjp(np.sqrt, x)[1](np.array([0.0, 1.0]))[0], [0, 0.25])
        np.testing.assert_array_equal(pb.grad(lambda x: np.sqrt(x[1]))(x), [0, 0.25])
        branch = pb.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 1.0)))
        np.testing.assert_array_equal(branch(x), [0, 0.25])
        with pytest.raises(pb.SingularPointError, match="absolute"):
            pb.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), np.abs(x))))(x)


def test_a_jump_of_a_constant_function():
    def f(x):
        return x * np.floor(x)

    with pb.strict():
        assert pb.grad(f)(np.float64(1.5)) == pb.jvp(f, (np.float64(1.5),), (1.0,))[1] == 1
        for mode in ("forward", "reverse", "jacobian", "linearize"):
            with pytest.raises(pb.SingularPointError, match="floor: x an integer is a jump"):
                MODES[mode](f, np.array([4.0, 1.5, 3.5]))


def test_a_zero_that_is_a_product_meets_a_pole():
    with pb.strict(), pytest.raises(pb.SingularPointError, match="sqrt"):
        pb.jvp(lambda x: np.sqrt(x**2), (np.float64(0.0),), (1.0,))


def test_second_derivatives():
    kinks = (np.linalg.norm, np.zeros(2)), (np.std, np.ones(3))
    for f, x in kinks:
        with pb.strict(), pytest.raises(pb.SingularPointError):
            pb.hessian(f)(x)
    with pb.strict():
        np.testing.assert_array_equal(pb.hessian(lambda x: x @ x)(np.zeros(2)), 2 * np.eye(2))


def test_ties_of_a_reduction():
    x = np.array([[1.0, 2.0], [3.0, 3.0]])
    with pb.strict():
        with pytest.raises(pb.SingularPointError, match="max: two elements are the largest"):
            pb.grad(lambda x: np.sum(np.max(x, axis=1)))(x)
        assert pb.grad(lambda x: np.max(x, axis=1)[0])(x)[0, 1] == 1
        assert pb.grad(lambda x: np.sum(np.max(x, axis=0)))(x)[1, 1] == 1


TIES = {
    "tie": {
        "sort": (np.sort, [2.0, 1.0, 2.0], [2.0, 1.0, 3.0]),
        "last axis but one": (
            lambda x: np.sort(np.reshape(x, (2, 2, 1)), axis=0), [1.0, 2, 1, 3], [1.0, 1, 2, 2]
        ),
        "partition": (lambda x: np.partition(x, 1)[1], [2.0, 1.0, 2.0], [2.0, 1.0, 3.0]),
        "median": (np.median, [0.0, 1, 1, 2, 3], [0.0, 0, 1, 2, 2]),
        "median of an even number": (np.median, [1.0, 1, 1, 2], [0.0, 1, 1, 2]),
        "percentile": (
            lambda x: np.percentile(x, [25.0, 50.0]), [0.0, 0, 1, 2, 3], [0.0, 1, 2, 3, 4]
        ),
        "nanmedian": (np.nanmedian, [0.0, np.nan, 1, 1], [0.0, np.nan, 1, 2]),
    },
    "unwrap": {
        "unwrap": (lambda x: np.unwrap(x)[1:], [0.0, np.pi, 0.0], [0.0, 3.0, 0.0]),
        "discont": (
            lambda x: np.unwrap(x, discont=4.0)[-1], [0.0, 0.5, 4.5], [0.0, np.pi, 0.5]
        ),
        "period": (lambda x: np.unwrap(x, period=4.0)[-1], [0.0, 2.0, 2.5], [0.0, 1.0, 2.5]),
    },
}  # fmt: skip
JACOBIANS = {
    "forward": lambda f, x: pb.jacobian(f, mode="forward")(x),
    "reverse": lambda f, x: pb.jacobian(f, mode="reverse")(x),
    "recorded": lambda f, x: pb.trace(pb.jacobian(f), x)(x),
    "checkpointed": lambda f, x: pb.jacobian(pb.checkpoint(f), mode="reverse")(x),
    "mapped": lambda f, x: pb.vmap(pb.jacobian(f))(x[None])[0],
}


@pytest.mark.parametrize("mode", JACOBIANS)
def test_ties_of_sorted_elements_and_jumps_that_are_unwrapped(mode):
    apply = JACOBIANS[mode]
    for name, cases in TIES.items():
        for what, (f, tied, apart) in cases.items():
            tied, apart = np.array(tied), np.array(apart)
            wanted = apply(f, apart)
            with pb.strict():
                np.testing.assert_array_equal(apply(f, apart), wanted, what)
                with pytest.raises(pb.SingularPointError, match=name):
                    apply(f, tied)


def test_a_cotangent_that_is_zero_meets_no_tie():
    with pb.strict():
        x = np.array([1.0, 2.0, 2.0])
        np.testing.assert_array_equal(pb.grad(lambda x: np.sort(x)[0])(x), [1, 0, 0])
        np.testing.assert_array_equal(pb.grad(lambda x: np.unwrap(x)[0])(np.pi * x), [1, 0, 0])


def test_what_a_mask_leaves_out_meets_nothing_in_recorded_bodies():
    x = np.array([0.0, 1.0, 4.0])
    for f in (
        lambda x: np.sum(np.sqrt(x[x > 0])),
        lambda x: np.sum(np.log(np.abs(x[x > 0]))),
    ):
        wanted = pb.grad(f)(x)
        with pb.strict():
            body = pb.checkpoint(f)
            for mode in ("forward", "reverse"):
                np.testing.assert_array_equal(pb.jacobian(body, mode=mode)(x), wanted)
            np.testing.assert_array_equal(pb.trace(pb.grad(f), x)(x), wanted)
            assert pb.jvp(body, (x,), (ONES,))[1] == np.sum(wanted)
    body = pb.checkpoint(lambda x: np.sum(np.sqrt(x[x >= 0])))
    for mode in ("forward", "reverse"):
        with pb.strict(), pytest.raises(pb.SingularPointError, match="sqrt"):
            pb.jacobian(body, mode=mode)(x)


def test_a_graph_that_was_recorded_inside_checks_whenever_it_runs():
    def f(x):
        return np.sum(np.abs(x))

    x = np.array([1.0, 2.0])
    with pb.strict():
        inside = pb.trace(pb.grad(f), x)
    outside = pb.trace(pb.grad(f), x)
    np.testing.assert_array_equal(inside(-x), [-1, -1])
    with pytest.raises(pb.SingularPointError, match="absolute: x = 0, real is a kink"):
        inside(np.zeros(2))
    with pb.strict():
        np.testing.assert_array_equal(outside(np.zeros(2)), [0, 0])


def test_it_belongs_to_the_thread_and_nests_and_ends_with_an_error():
    found = []
    with pb.strict(), pb.strict():
        thread = threading.Thread(target=lambda: found.append(pb.grad(np.abs)(0.0)))
        thread.start()
        thread.join()
    assert found == [0]
    with pytest.raises(pb.SingularPointError), pb.strict():
        pb.grad(np.abs)(0.0)
    assert pb.grad(np.abs)(0.0) == 0
    with pb.strict():
        with pb.strict():
            pass
        with pytest.raises(pb.SingularPointError):
            pb.grad(np.abs)(0.0)
