"""Linear maps that were given one direction: the other is its adjoint."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb
from pullback.core.shapes import Abstract

RNG = np.random.default_rng(11)


def random(shape, dtype):
    x = RNG.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * RNG.standard_normal(shape)
    return np.asarray(x, dtype)[()]


def inner(a, b):
    return np.sum(np.conj(a) * b).real


MATRIX, COMPLEX = random((4, 3), float), random((4, 3), complex)

# Name: the pushforward, the argument's shape and dtype, and those of the output.
MAPS = {
    "a matrix": (lambda x: MATRIX @ x, (3,), float, (4,), float),
    "single precision": (lambda x: np.float32(MATRIX) @ x, (3,), "f4", (4,), "f4"),
    "a complex matrix": (lambda x: COMPLEX @ x, (3,), complex, (4,), complex),
    "from real to complex": (lambda x: COMPLEX @ x, (3,), float, (4,), complex),
    "from complex to real": (lambda x: np.imag(COMPLEX @ x), (3,), complex, (4,), float),
    "a conjugate": (lambda x: np.conj(x) * 2j, (2, 2), complex, (2, 2), complex),
    "of a scalar": (lambda x: x * MATRIX[0], (), float, (3,), float),
    "to a scalar": (lambda x: np.sum(x * MATRIX), (4, 3), float, (), float),
    "of nothing": (lambda x: np.sum(x) + np.zeros(2), (0,), float, (2,), float),
    "broadcast by the engine": (lambda x: x, (3,), float, (2, 3), float),
    "Python numbers": (
        lambda x: np.array([float(x[0]), 2 * float(x[1])]), (2,), float, (2,), float,
    ),
    "Python complex numbers": (
        lambda x: np.array([complex(x[0]) * (1 + 2j)]), (2,), complex, (1,), complex,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
def test_a_pushforward_alone_and_the_way_back(name):
    push, x_shape, x_dtype, y_shape, y_dtype = MAPS[name]
    x, y = random(x_shape, x_dtype), random(y_shape, y_dtype)
    rtol = 1e-5 if x.dtype == np.float32 else 1e-12
    linear = pb.Linear(push).between(x, y)
    assert linear.pushforward is push
    x_bar = linear.pullback(y)
    assert (np.shape(x_bar), x_bar.dtype) == (x_shape, x.dtype)
    assert inner(push(x) + np.zeros(y_shape), y) == pytest.approx(inner(x, x_bar), rel=rtol)

    again = pb.Linear(pullback=linear.pullback).between(Abstract.of(x), Abstract.of(y))
    assert again.pullback is linear.pullback
    y_dot = again.pushforward(x)
    assert (np.shape(y_dot), y_dot.dtype) == (y_shape, y.dtype)
    assert_allclose(y_dot, np.broadcast_to(push(x), y_shape), rtol=rtol, atol=rtol)


def test_both_directions_are_left_alone():
    linear = pb.Linear(lambda x: x, lambda y: y)
    assert linear.between(np.ones(2), np.ones(2)) is linear
    joint = pb.Joint(lambda x: x, lambda y: (y,))
    assert joint.between([np.ones(2)], np.ones(2)) is joint


def test_zero_stays_none():
    linear = pb.Linear(pullback=lambda _bar: None).between(np.ones(2), np.ones(3))
    assert linear.pushforward(np.ones(2)) is None
    linear = pb.Linear(pushforward=lambda _dot: None).between(np.ones(2), np.ones(3))
    assert linear.pullback(np.ones(3)) is None


def test_joint_maps_with_one_direction():
    a, b = RNG.standard_normal((2, 3, 4))
    xs, y = [np.ones(4), None, np.ones(4)], (np.ones(3), np.array(1), np.ones(4))
    dots = [RNG.standard_normal(4), None, RNG.standard_normal(4)]
    bars = [RNG.standard_normal(3), None, RNG.standard_normal(4)]

    def push(x_dot, n_dot, z_dot):
        assert n_dot is None
        x_dot, z_dot = (0 * np.ones(4) if dot is None else dot for dot in (x_dot, z_dot))
        return a @ x_dot + b @ z_dot, None, z_dot - x_dot

    joint = pb.Joint(push).between(xs, y)
    x_bar, n_bar, z_bar = joint.pullback(bars)
    assert n_bar is None
    assert_allclose(x_bar, a.T @ bars[0] - bars[2], rtol=1e-13)
    assert_allclose(z_bar, b.T @ bars[0] + bars[2], rtol=1e-13)

    back = pb.Joint(pullback=joint.pullback).between(xs, y)
    for row in (dots, [dots[0], None, None]):
        first, second, third = back.pushforward(*row)
        assert second is None
        assert_allclose(first, push(*row)[0], rtol=1e-12)
        assert_allclose(third, push(*row)[2], rtol=1e-12)


@pytest.mark.parametrize("cls", [pb.Linear, pb.Joint])
def test_neither_direction_is_an_error(cls):
    with pytest.raises(pb.ArgumentTypeError, match=r"got neither a pushforward nor a pullback"):
        cls()


def test_a_missing_direction_by_itself_says_what_to_do():
    linear = pb.Linear(pullback=lambda y_bar: y_bar)
    with pytest.raises(pb.NoRuleError, match=r"Linear.pushforward: .*between\(x, y\)"):
        linear.pushforward(1.0)
    assert repr(linear).startswith("Linear(None, <function")
