"""Writing to arrays: item assignment, in-place operators, and NumPy's functions that write."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb
from tests.numpy.agreement import assert_analytic, assert_linear

X = np.linspace(0.5, 2.0, 12).reshape(3, 4)
V = np.array([3.0, -1.0, 2.0, 0.5])
MASK = np.arange(12).reshape(3, 4) % 3 == 1

# -- what is written, and what is kept ----------------------------------------------------------


def written(write):
    """The function (x, v) ↦ the array x after `write` has been applied to it."""

    def function(x, v):
        y = x * 1.0
        write(y, v)
        return y

    return function


def assign(key, value=lambda v: v):
    def write(y, v):
        y[key] = value(v)

    return written(write)


@pytest.mark.parametrize(
    "function",
    [
        assign(0),
        assign(slice(None)),
        assign(Ellipsis),
        assign((slice(None), slice(None, None, -1))),
        assign((1, 2), lambda v: v[0]),
        assign((slice(1, None), 0), lambda v: v[:2]),
        assign((slice(0, 2),), lambda v: v[None]),
        assign((0,), lambda v: v[None, None]),
        assign((slice(None), [0, 2]), lambda v: v[1]),
        assign(MASK),
        assign(MASK, lambda v: v[2]),
        assign(([True, False, True],)),
        assign([0, 0, 0], lambda v: np.stack([v, 2 * v, 3 * v])),
        assign(([0, 1, 0], [2, 3, 2]), lambda v: v[:3]),
        assign(([[0], [0]], [1, 1, 2]), lambda v: v[:3]),
        assign((slice(None), np.array([[1, 1], [0, 1]])), lambda v: v.reshape(2, 2)),
        assign(1, list),
        assign(1, lambda v: [v[0], 0.0, v[1], v[2]]),
        written(lambda y, v: y.fill(v[1])),
        written(lambda y, v: np.copyto(y, v)),
        written(lambda y, v: np.copyto(y, v, where=MASK)),
        written(lambda y, v: np.put(y, [0, -1, 5, 5], v)),
        written(lambda y, v: y.put([0, 1, 2, 3, 4, 5], v)),
        written(lambda y, v: np.put(y, [13, -14], v, mode="wrap")),
        written(lambda y, v: np.put(y, [13, -14], v, mode="clip")),
        written(lambda y, v: np.place(y, MASK, v[:3])),
        written(lambda y, v: np.putmask(y, MASK, v[:3])),
        written(lambda y, v: np.put_along_axis(y, np.array([[1], [3], [0]]), v[0], axis=1)),
        written(lambda y, v: np.put_along_axis(y, np.array([1, 1, 7, -1]), v, axis=None)),
        written(lambda y, v: np.fill_diagonal(y, v[0])),
        written(lambda y, v: np.fill_diagonal(y, v)),
        written(lambda y, v: np.fill_diagonal(y.T, v[:2], wrap=True)),
        written(lambda y, v: np.add.at(y, [0, 0, 2], v)),
        written(lambda y, v: np.subtract.at(y, (slice(None), [1, 1]), v[0])),
        written(lambda y, v: np.negative.at(y, ([0, 0, 0], [1, 1, 2]))),
        written(lambda y, v: np.add(v, 0.0, out=y)),
        written(lambda y, v: np.negative(y, out=y, where=MASK)),
        written(lambda y, v: np.add.reduce(y, axis=0, out=v * 1.0)),
        written(lambda y, v: y.T.__setitem__(0, v[:3])),
        written(lambda y, v: y.flat.__setitem__(slice(2, 6), v)),
        written(lambda y, v: setattr(y.T, "flat", v)),
        written(lambda y, v: setattr(y, "real", v)),
    ],
)
def test_writes_are_linear(function):
    assert_linear(function, X, V)


@pytest.mark.parametrize(
    "write",
    [
        lambda y, v: y.__imul__(v),
        lambda y, v: y.__itruediv__(v),
        lambda y, v: y.__ipow__(2),
        lambda y, v: y[:, :2].__imul__(y[:, 2:]),
        lambda y, v: y[1:].__imul__(y[:-1]),
        lambda y, v: y[::-1].__isub__(y * v),
        lambda y, v: np.multiply.at(y, ([0, 0, 0, 1], [1, 1, 1, 2]), v),
        lambda y, v: np.divide.at(y, [2, 2], v),
        lambda y, v: np.multiply(y, y, out=y),
        lambda y, v: np.divide(1.0, y, out=y, where=MASK),
        lambda y, v: np.matmul(y[:, :3], y[:, :3] * v[0], out=y[:, 1:]),
        lambda y, v: y[:, :3].__imatmul__(y[:, :3]),
    ],
)
def test_in_place_operations(write):
    assert_analytic(written(write), X, V)


@pytest.mark.parametrize("make", [np.zeros, np.empty, lambda shape: np.array(0.0)])
def test_arrays_without_dimensions_stay_arrays(make):
    """However often they are written to, and whoever else holds them, in each nest of modes."""

    def f(x):
        total = make(())
        other = total
        total[...] = x[0]
        for element in x[1:]:
            total *= element
            total[()] += 1.0
        return other * 1.0

    x = np.array([0.5, 2.0, -3.0])
    slope = [x[1] * x[2], x[0] * x[2], x[0] * x[1] + 1]
    near = np.testing.assert_allclose
    near(f(x), (x[0] * x[1] + 1) * x[2] + 1)
    near(pb.grad(f)(x), slope)
    near(pb.jacobian(f, mode="forward")(x), slope)
    near(pb.vmap(f)(np.stack([x, x])), [f(x)] * 2)
    near(pb.vmap(pb.grad(f))(np.stack([x, x])), [slope] * 2)
    near(pb.vmap(pb.jacobian(f, mode="forward"))(np.stack([x, x])), [slope] * 2)
    near(pb.jacobian(pb.vmap(f))(x[None])[0, 0], slope)
    near(pb.trace(pb.vmap(pb.grad(f)), x[None])(x[None])[0], slope)


def test_division_by_zero_where_it_is_not_evaluated():
    def f(x):
        y = np.zeros_like(x)
        return np.divide(1.0, x, out=y, where=x != 0)

    x = np.array([0.0, 2.0])
    np.testing.assert_array_equal(f(x), [0.0, 0.5])
    np.testing.assert_array_equal(pb.jacobian(f)(x), [[0.0, 0.0], [0.0, -0.25]])


@given(st.lists(st.integers(-4, 3), min_size=1, max_size=8))
def test_only_the_last_of_several_values_counts(index):
    values = np.arange(1.0, len(index) + 1)

    def f(v):
        y = np.zeros(4, like=v)
        y[index] = v
        return y

    expected = np.zeros((4, len(index)))
    for position, place in enumerate(index):
        expected[place] = 0.0
        expected[place, position] = 1.0
    np.testing.assert_array_equal(pb.jacobian(f, mode="reverse")(values), expected)
    np.testing.assert_array_equal(pb.jacobian(f, mode="forward")(values), expected)


def test_a_recurrence():
    """y₀ = x₀, yᵢ = yᵢ₋₁·xᵢ: the last element is the product of all."""

    def f(x):
        y = np.zeros_like(x)
        y[0] = x[0]
        for i in range(1, len(x)):
            y[i] = y[i - 1] * x[i]
        return y[-1]

    x = np.array([2.0, 3.0, 5.0, 7.0])
    np.testing.assert_allclose(pb.grad(f)(x), 210.0 / x)
    expected = 210.0 / np.outer(x, x)
    np.fill_diagonal(expected, 0.0)
    np.testing.assert_allclose(pb.hessian(f)(x), expected)


def test_sorting_in_place():
    def f(x):
        y = x * 1.0
        y.sort()
        z = x * 1.0
        z.partition(1)
        return y @ np.array([1.0, 10.0, 100.0]) + 1000 * z[1]

    np.testing.assert_array_equal(pb.grad(f)(np.array([3.0, 1.0, 2.0])), [100.0, 1.0, 1010.0])


def test_the_caller_keeps_its_array():
    x = np.ones(3)

    def f(x):
        x[0] = 5.0
        x *= 2.0
        return np.sum(x)

    np.testing.assert_array_equal(pb.grad(f)(x), [0.0, 2.0, 2.0])
    np.testing.assert_array_equal(x, 1.0)


def test_a_value_written_is_a_copy():
    source = np.ones(2)

    def f(x):
        y = x * 1.0
        y[:] = source
        z = np.zeros_like(x)
        np.copyto(z, source)
        source[:] = 7.0
        return np.sum(y * z * x)

    assert pb.value_and_grad(f)(np.array([2.0, 3.0]))[0] == 5.0


def test_float32_arrays_take_values_of_double_precision():
    def f(x, v):
        x[0] = v[0]
        x += v
        return np.sum(x)

    x, v = np.ones(2, np.float32), np.ones(2)
    bars = pb.grad(f, (0, 1))(x, v)
    assert [bar.dtype for bar in bars] == [np.float32, np.float64]
    np.testing.assert_array_equal(bars[1], [2.0, 1.0])


def test_a_real_array_can_hold_constants():
    def f(x):
        a = np.zeros(3)
        a += np.floor(x)
        a[0] += np.rint(x[0])
        np.copyto(a[1:], np.ceil(x[1:]))
        return np.sum(a * x)

    np.testing.assert_array_equal(pb.grad(f)(np.array([1.5, 2.5, -3.5])), [3.0, 3.0, -3.0])


def test_objects_are_joined_where_they_are_written():
    def f(x):
        y = np.zeros_like(x)
        y[:2] = np.array([x[0] * x[1], x[2]])
        y += np.array([x[2], 0.0, x[0]])
        z = np.zeros_like(x)
        np.copyto(z, np.array([x[0], x[1], 1.0]))
        return y * z

    assert_analytic(f, np.array([2.0, 3.0, 5.0]))


# -- levels ----------------------------------------------------------------------------------------


def test_an_array_of_an_outer_level_takes_inner_values():
    def outer(x):
        y = np.zeros_like(x)

        def inner(t):
            y[0] = t * x[0]
            y[1] = t**2
            return np.sum(y * x)

        return pb.grad(inner)(x[1])

    # d/dt (t x₀² + t² x₁) at t = x₁, which is x₀² + 2x₁².
    np.testing.assert_array_equal(pb.grad(outer)(np.array([3.0, 5.0])), [6.0, 20.0])


@pytest.mark.parametrize("later", [lambda y: y * 1.0, lambda y: y[0], lambda y: y])
def test_a_value_that_outlives_its_level_is_an_error(later):
    def outer(x):
        y = np.zeros_like(x)

        def inner(t):
            y[0] = t
            return t**2

        pb.grad(inner)(x[1])
        return np.sum(later(y))

    with pytest.raises(
        pb.LeakedTracerError, match="after the grad of inner that made it had ended"
    ):
        pb.grad(outer)(np.array([3.0, 5.0]))


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        lambda a, t: a.__setitem__(0, t[0]),
        lambda a, t: a.__setitem__(slice(None), t),
        lambda a, t: a.__setitem__(slice(None), [t[0], 1.0, t[1]]),
        lambda a, t: a.__iadd__(t),
        lambda a, t: a.__imul__(t[0]),
        lambda a, t: np.add(a, t, out=a),
        lambda a, t: np.add.reduce(t, out=a),
        lambda a, t: np.add.at(a, [0], t[0]),
        lambda a, t: np.copyto(a, t),
        lambda a, t: np.put(a, [0], t[0]),
        lambda a, t: np.putmask(a, [True, False, True], t),
        lambda a, t: np.place(a, np.array([True, False, True]), t),
        lambda a, t: np.put_along_axis(a, np.array([0]), t, 0),
        lambda a, t: a.fill(t[0]),
    ],
)
def test_an_array_from_outside_cannot_hold_a_derivative(write):
    outside = np.zeros(3)

    def f(t):
        a = outside.copy()
        write(a, t)
        return np.sum(a * t)

    with pytest.raises(pb.DetachedError) as caught:
        pb.grad(f)(np.ones(3))
    assert "np.zeros(n)" in str(caught.value)
    assert "pullback.stop_gradient" in str(caught.value)


def refused(f, *args):
    with pytest.raises(pb.PullbackError) as caught:
        pb.pullback(f, args)
    return str(caught.value)


def test_what_cannot_be_written():
    x = np.ones((2, 3))
    assert "immutable" in refused(lambda x: x[0, 0].__setitem__((), 1.0), x)
    assert "shape (3, 3)" in refused(lambda x: np.add(x[0], np.ones((3, 1)), out=x[0]), x)
    assert "dtype complex128 cannot be stored" in refused(lambda x: x.__setitem__(0, 1j), x)
    assert "np.real" in refused(lambda x: x.__iadd__(1j), x)
    assert "no imaginary part" in refused(lambda x: setattr(x, "imag", 1.0), x)
    assert "read-only" in refused(lambda x: np.broadcast_to(x, (2, 2, 3)).__setitem__(0, 1.0), x)
    assert "read-only" in refused(lambda x: np.diagonal(x).__setitem__(0, 1.0), x)
    assert "where= without out=" in refused(lambda x: np.add(x, 1.0, where=x > 0), x)


def test_a_value_that_does_not_broadcast():
    def f(x):
        x[:2] = np.ones(3) * x[0]
        return np.sum(x)

    with pytest.raises(ValueError, match="could not broadcast"):
        pb.grad(f)(np.ones(4))


def test_a_write_to_a_read_only_view_is_an_alias_error():
    with pytest.raises(pb.AliasError, match=r"y = y\.copy\(\)"):
        pb.grad(lambda x: np.broadcast_to(x, (2, 3)).__iadd__(1.0).sum())(np.ones(3))


@pytest.mark.parametrize("transform", [
    lambda f: pb.vjp(f, np.ones(2)), lambda f: pb.vmap(f)(np.ones((2, 2))),
    lambda f: pb.trace(f, np.ones(2)),
])  # fmt: skip
def test_an_element_of_a_plain_array_by_its_place_in_order(transform):
    """NumPy hides the error that tells of it."""
    outside = np.zeros(3)

    def f(x):
        outside.flat[1] = x[0]
        return x

    with pytest.raises(pb.PullbackError, match=r"about to become a Python float.*np\.zeros"):
        transform(f)


@pytest.mark.filterwarnings("ignore:you are shuffling:UserWarning")
def test_shuffling_rows_is_refused_where_it_would_lose_some():
    rows, weights = np.arange(12.0).reshape(4, 3), np.arange(12.0).reshape(4, 3) ** 1.5
    for make in (lambda x: x * 1.0, lambda x: np.arange(12.0).reshape(4, 3)):
        for shuffle in (
            np.random.shuffle,
            np.random.RandomState(0).shuffle,
            lambda y: np.random.default_rng(0).shuffle(y),
        ):
            with pytest.raises(pb.AliasError, match=r"shuffle.*rng\.permutation\(x\)"):
                pb.grad(lambda x, make=make, shuffle=shuffle: shuffle(make(x)))(rows)
    for call in (
        lambda y: np.random.default_rng(0).shuffle(y, axis=1),
        lambda y: np.random.default_rng(0).permuted(y, axis=0, out=y),
    ):
        with pytest.raises(pb.errors.DetachedError, match=r"rng\.permutation\(x, axis=axis\)"):
            pb.grad(lambda x, call=call: call(x * 1.0))(rows)

    def shuffled(shuffle, weights):
        def f(x):
            y = x * 1.0
            shuffle(y)
            return np.sum(y * weights)

        return f

    for x, w, shuffle in (
        (rows[:, 0], weights[:, 0], lambda y: np.random.default_rng(0).shuffle(y)),
        (rows[:, 0], weights[:, 0], lambda y: random.Random(0).shuffle(y)),
        (rows, weights, lambda y: random.Random(0).shuffle(y)),  # in Python NumPy loses rows, too
    ):
        f = shuffled(shuffle, w)
        value, slope = pb.value_and_grad(f)(x)
        assert value == f(x)
        assert np.sum(slope * x) == pytest.approx(value)
    for axis in (0, 1):

        def f(x, axis=axis):
            return np.sum(np.random.default_rng(0).permutation(x, axis=axis) * weights)

        value, slope = pb.value_and_grad(f)(rows)
        assert value == f(rows) == pytest.approx(np.sum(slope * rows))
