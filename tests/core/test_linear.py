"""Linear maps: pushforward and pullback are adjoint in the real inner product."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import pullback as pb
from pullback.core.linear import IDENTITY
from pullback.core.maps import as_map, push

RNG = np.random.default_rng(9)


def random(shape, *, complex_=False):
    x = RNG.standard_normal(shape)
    return x + 1j * RNG.standard_normal(shape) if complex_ else x


MAPS = {
    "identity": (pb.Identity(), (3,), (3,)),
    "diagonal": (pb.Diagonal(random(3)), (3,), (3,)),
    "complex diagonal": (pb.Diagonal(random(3, complex_=True)), (3,), (3,)),
    "dense": (pb.Dense(random((2, 4, 3)), 1), (3,), (2, 4)),
    "dense of a matrix": (pb.Dense(random((2, 3, 4)), 2), (3, 4), (2,)),
    "complex dense": (pb.Dense(random((2, 3), complex_=True), 1), (3,), (2,)),
    "scalar to vector": (pb.Dense(random((3,)), 0), (), (3,)),
    "selection": (
        pb.Selection(
            lambda x: x[[2, 0]],
            lambda y: np.array([y[1], 0, y[0]]),
        ),
        (3,),
        (2,),
    ),
}


@pytest.mark.parametrize("name", MAPS)
def test_adjointness(name):
    linear, x_shape, y_shape = MAPS[name]
    complex_ = "complex" in name
    x, y = random(x_shape, complex_=complex_), random(y_shape, complex_=complex_)
    jx, jty = linear.pushforward(x), linear.pullback(y)
    assert np.shape(jx) == y_shape
    assert np.shape(jty) == x_shape
    left, right = np.sum(np.conj(jx) * y).real, np.sum(np.conj(x) * jty).real
    assert left == pytest.approx(right, rel=1e-13)


def test_entries_of_a_rule():
    assert as_map(None) is None
    assert as_map(1) is IDENTITY
    linear = pb.Linear(lambda x: x, lambda y: y)
    assert as_map(linear) is linear
    assert as_map(lambda: linear) is linear
    assert as_map(lambda: None) is None
    coefficient = np.array([1.0, 2.0])
    assert as_map(coefficient).coefficient is coefficient
    assert as_map(lambda: coefficient).coefficient is coefficient
    assert isinstance(as_map(-1), pb.Diagonal)


def test_push_sums_over_arguments_and_skips_zeros():
    maps = [pb.Diagonal(2.0), None, pb.Diagonal(3.0)]
    x = np.ones(2)
    assert_array_equal(push(maps, [x, x, x]), np.full(2, 5.0))
    assert_array_equal(push(maps, [None, x, x]), np.full(2, 3.0))
    assert push(maps, [None, x, None]) is None
    joint = pb.Joint(lambda x_dot, y_dot: x_dot * 2, lambda z_bar: (z_bar, None))
    assert_array_equal(push(joint, [x, None]), np.full(2, 2.0))


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
def test_what_is_repeated_is_multiplied_once(dtype):
    row = random((1, 50), complex_=dtype == "complex128").astype(dtype)
    wide = np.broadcast_to(row, (400, 50))
    full, column = random((400, 50)).astype(dtype), random((400, 1)).astype(dtype)
    for coefficient in (2, -0.5, row, row[0], column, full, full[None]):
        for x in (wide, np.ascontiguousarray(wide), wide[:3], wide[:, :1]):
            if np.ndim(coefficient) > 1 and np.shape(coefficient)[-2] not in (1, len(x)):
                continue
            for product in (pb.Diagonal(coefficient).pushforward(x), push([coefficient], [x])):
                wanted = coefficient * x
                assert_array_equal(product, wanted)
                assert (product.shape, product.dtype) == (wanted.shape, wanted.dtype)
    for coefficient in (2, row, row[0]):
        assert pb.Diagonal(coefficient).pushforward(wide).strides[0] == 0


def test_push_through_several_outputs():
    pair = pb.Linear(lambda x: (x, None), lambda y: y)
    other = pb.Linear(lambda x: (2 * x, 3 * x), lambda y: y)
    first, second = push([pair, other], [1.0, 1.0])
    assert (first, second) == (3.0, 3.0)


def test_they_print():
    assert repr(pb.Identity()) == "Identity()"
    assert repr(pb.Diagonal(2.0)) == "Diagonal(2.0)"
    assert "ndim=1" in repr(pb.Dense(np.ones((1, 1)), 1))


def test_the_maps_are_exported():
    for name in ("Dense", "Diagonal", "Identity", "Joint", "Linear", "LinearMap", "Selection"):
        assert name in pb.__all__
