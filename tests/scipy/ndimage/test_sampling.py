"""Images at other places than those of their elements."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as nd

import pullback as pb
from pullback.errors import ArgumentTypeError
from tests.grouping import together
from tests.linear_maps import assert_same
from tests.scipy.derivatives import assert_served

RNG = np.random.default_rng(4)
IMAGE, LINE, CUBE = RNG.normal(size=(6, 7)), RNG.normal(size=9), RNG.normal(size=(4, 2, 5))
PLACES = np.array(
    [[0.31, 2.21, 4.91, -1.29, 7.21, -9.09, 3.01], [1.21, 5.71, -0.39, 2.21, 3.31, 15.31, 6.71]]
)
MODES = ("reflect", "constant", "nearest", "mirror", "wrap", "grid-mirror", "grid-constant",
         "grid-wrap")  # fmt: skip
TURN, BY = np.array([[0.9131, 0.2172], [-0.3317, 1.1093]]), np.array([0.7317, -1.4171])
ANGLE = np.array(33.0)


def at(mode, order=3, **options):
    def f(x, u):
        return nd.map_coordinates(x, u, order=order, mode=mode, cval=1.5, **options)

    return f, IMAGE, PLACES


CALLS = {
    **{
        f"map_coordinates {mode} {order}": at(mode, order)
        for mode in MODES
        for order in ((0, 1, 2, 3, 4, 5) if mode in MODES[:3] else (1, 3))
    },
    **{f"without a filter {mode}": at(mode, prefilter=False) for mode in MODES[:4]},
    **{f"shift {mode}": (lambda x, s, m=mode: nd.shift(x, s, mode=m, cval=0.5), IMAGE, BY)
       for mode in MODES[:5]},
    "shift of a line": (lambda x, s: nd.shift(x, s), LINE, np.array(1.3171)),
    "zoom": (lambda x: nd.zoom(x, (1.7, 0.6), mode="reflect"), IMAGE),
    "zoom of cells": (
        lambda x: nd.zoom(x, (1.7, 0.6), order=1, mode="grid-constant", grid_mode=True), IMAGE
    ),
    "zoom by one": (lambda x: nd.zoom(x, 1), IMAGE),
    "affine_transform": (
        lambda x, m, b: nd.affine_transform(x, m, b, order=2, mode="mirror"), IMAGE, TURN, BY
    ),
    "affine_transform homogeneous": (
        lambda m, b: nd.affine_transform(
            IMAGE, np.concatenate([m, b[:, None]], axis=1), output_shape=(4, 5)
        ), TURN, BY,
    ),
    "affine_transform diagonal": (
        lambda m: nd.affine_transform(IMAGE, m, 0.3171), np.array([0.9171, 1.2311])
    ),
    "rotate": (lambda x, a: nd.rotate(x, a, mode="nearest", reshape=False), IMAGE, ANGLE),
    "rotate and reshape": (lambda x: nd.rotate(x, 20.0, cval=2.0), IMAGE),
    "rotate planes": (
        lambda x, a: nd.rotate(x, a, axes=(0, 2), reshape=False, order=1), CUBE, ANGLE
    ),
}  # fmt: skip


@together()
@pytest.mark.filterwarnings("ignore:The behavior of affine_transform")
@pytest.mark.parametrize("name", CALLS)
def test_values_and_derivatives(name):
    f, *args = CALLS[name]
    exact = name.startswith(("map", "without", "shift", "zoom")) and name != "zoom by one"
    assert_served(f, *args, exact=exact)


def test_at_the_places_of_elements():
    """At a kink the cell to the right counts; at the last element the one to the left."""
    slopes = np.diff(LINE)

    def slope(order, mode, at):
        f = lambda u: nd.map_coordinates(LINE, u[None], order=order, mode=mode)[0]  # noqa: E731
        return pb.grad(f)(np.array([at]))[0]

    for mode in ("constant", "mirror"):
        assert slope(1, mode, 3.0) == pytest.approx(slopes[3])
        assert slope(1, mode, 8.0) == pytest.approx(slopes[7])
    assert slope(1, "nearest", 8.0) == 0 and slope(1, "reflect", 8.0) == 0
    assert slope(1, "constant", 8.3) == 0 and slope(0, "mirror", 3.3) == 0
    moved = pb.vjp(lambda s: nd.shift(IMAGE, s), np.array([1.0, -2.0]))[0]
    assert_same(moved, nd.shift(IMAGE, [1.0, -2.0]))


def test_second_derivatives_in_the_image_and_the_places():
    """The mixed ones, which a linear function of the image has."""

    def f(x, u):
        return np.sum(nd.map_coordinates(x, u, mode="mirror") ** 2)

    mixed = pb.jacobian(pb.grad(f, argnums=1), argnums=0)(IMAGE, PLACES)
    other = pb.jacobian(pb.grad(f, argnums=0), argnums=1)(IMAGE, PLACES)
    np.testing.assert_allclose(mixed, np.moveaxis(other, (0, 1), (2, 3)), rtol=0, atol=1e-11)


def test_precisions_complex_images_and_what_is_refused():
    single = IMAGE.astype(np.float32)
    wave = IMAGE + 1j * IMAGE[::-1]
    for f in (lambda x: nd.zoom(x, 2.0), lambda x: nd.map_coordinates(x, PLACES, cval=0.5)):
        for x in (single, wave):
            out, pull = pb.vjp(f, x)
            assert_same(out, f(x))
            assert pull(out)[0].dtype == x.dtype
    np.testing.assert_allclose(
        pb.grad(lambda a: np.sum(nd.map_coordinates(IMAGE, PLACES, cval=a)))(0.4),
        np.sum((PLACES < 0).any(0) | (PLACES[0] > 5) | (PLACES[1] > 6)),
    )
    whole = np.arange(42).reshape(6, 7)
    with pytest.raises(ArgumentTypeError, match=r"of dtype int64, to which values are rounded"):
        pb.vjp(lambda u: nd.map_coordinates(whole, u), PLACES)
    value = pb.vjp(lambda u: nd.map_coordinates(whole, u, output=float), PLACES)[0]
    assert_same(value, nd.map_coordinates(whole, PLACES, output=float))
    with pytest.raises(ArgumentTypeError, match=r"zoom: the factors are traced"):
        pb.grad(lambda z: np.sum(nd.zoom(IMAGE, [z, 1.0])))(1.5)


def test_gradients_compile():
    for f, point in (
        (lambda x: np.sum(nd.map_coordinates(x, PLACES, mode="nearest") ** 2), IMAGE),
        (lambda s: np.sum(nd.shift(IMAGE, s) ** 2), BY),
        (lambda x: np.sum(nd.median_filter(nd.gaussian_filter(x, 1.0), 3) ** 2), IMAGE),
    ):
        gradient = pb.grad(f)
        np.testing.assert_allclose(pb.compile(gradient)(point), gradient(point), rtol=1e-10)
