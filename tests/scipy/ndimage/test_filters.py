"""Filters of images, linear and by rank, and measurements, on traced images."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as nd

import pullback as pb
from pullback.errors import ArgumentTypeError, NoRuleError
from tests.grouping import together
from tests.linear_maps import assert_linear, assert_same
from tests.scipy.derivatives import assert_served

RNG = np.random.default_rng(3)
IMAGE, LINE, CUBE = RNG.normal(size=(6, 7)), RNG.normal(size=9), RNG.normal(size=(3, 4, 5))
W, KERNEL = RNG.normal(size=4), RNG.normal(size=(3, 2))
AROUND, STRUCTURE = np.array([[0, 1, 1], [1, 1, 0]], bool), 0.1 * RNG.normal(size=(2, 3))
LABELS = RNG.integers(0, 4, (6, 7))
COMPLEX = IMAGE + 1j * IMAGE[::-1]
MODES = ("reflect", "constant", "nearest", "mirror", "wrap", "grid-mirror", "grid-constant",
         "grid-wrap")  # fmt: skip
OLDEST = "axes" not in nd.correlate.__kwdefaults__ if nd.correlate.__kwdefaults__ else True


def linear_in(mode):
    return {
        f"correlate1d {mode}": (lambda x, w: nd.correlate1d(x, w, 0, None, mode, 1.5, 1), IMAGE, W),
        f"convolve1d {mode}": (lambda x, w: nd.convolve1d(x, w, 1, None, mode, 1.5, -1), IMAGE, W),
        f"correlate {mode}": (
            lambda x, w: nd.correlate(x, w, None, mode, 1.5, (1, -1)), IMAGE, KERNEL
        ),
        f"convolve {mode}": (
            lambda x, w: nd.convolve(x, w, None, mode, 1.5, (0, -1)), IMAGE, KERNEL
        ),
        f"uniform_filter {mode}": (
            lambda x: nd.uniform_filter(x, (3, 4), None, mode, 1.5, (1, -1)), IMAGE
        ),
        f"wider than the line {mode}": (lambda x: nd.correlate1d(x, np.arange(9.0), mode=mode), W),
        f"spline_filter {mode}": (lambda x: nd.spline_filter(x, 5, mode=mode), IMAGE),
    }  # fmt: skip


LINEAR = {name: call for mode in MODES for name, call in linear_in(mode).items()}
GAUSSIANS = {
    "gaussian_filter": (lambda x: nd.gaussian_filter(x, (2.0, 0.7), (0, 1), None, "wrap"), IMAGE),
    "gaussian_filter second derivative": (lambda x: nd.gaussian_filter(x, 1.1, 2), LINE),
    "sobel": (lambda x: nd.sobel(x, 0), IMAGE),
    "prewitt": (nd.prewitt, IMAGE),
    "laplace": (lambda x: nd.laplace(x, mode="wrap"), IMAGE),
    "gaussian_laplace": (lambda x: nd.gaussian_laplace(x, 0.8), IMAGE),
    "gaussian_gradient_magnitude": (
        lambda x: nd.gaussian_gradient_magnitude(x, (0.8, 1.0)), IMAGE
    ),
    "fourier_gaussian": (lambda x: nd.fourier_gaussian(x, 1.2), IMAGE),
    "fourier_uniform": (lambda x: nd.fourier_uniform(x, 3.0), IMAGE),
    "fourier_ellipsoid": (lambda x: nd.fourier_ellipsoid(x, 2.0), IMAGE),
}  # fmt: skip
RANKS = {
    **{
        f"{name} {mode}": (
            lambda x, name=name, mode=mode: getattr(nd, name)(
                x, (3, 2), mode=mode, cval=0.3, origin=(1, 0)
            ), IMAGE
        )
        for name in ("minimum_filter", "maximum_filter", "median_filter")
        for mode in MODES[:5]
    },
    "median_filter footprint": (
        lambda x: nd.median_filter(x, footprint=AROUND, origin=(0, -1)), IMAGE
    ),
    "minimum_filter1d": (lambda x: nd.minimum_filter1d(x, 3, 0, origin=-1), IMAGE),
    "maximum_filter1d": (lambda x: nd.maximum_filter1d(x, 4), IMAGE),
    "percentile_filter": (lambda x: nd.percentile_filter(x, 30, 3), IMAGE),
    "rank_filter": (lambda x: nd.rank_filter(x, -2, 3), IMAGE),
    "grey_erosion": (lambda x, t: nd.grey_erosion(x, structure=t), IMAGE, STRUCTURE),
    "grey_dilation": (
        lambda x, t: nd.grey_dilation(x, footprint=AROUND, structure=t, origin=(-1, 1)),
        IMAGE, STRUCTURE,
    ),
    **{
        name: (lambda x, name=name: getattr(nd, name)(x, (3, 2)), IMAGE)
        for name in ("grey_opening", "grey_closing", "morphological_gradient",
                     "morphological_laplace", "white_tophat", "black_tophat")
    },
}  # fmt: skip
MEASURES = {
    f"{name} {index}": (
        lambda x, name=name, index=index, labels=labels: np.add(
            getattr(nd, name)(x, labels, index), 0
        ),
        IMAGE,
    )
    for name in ("sum_labels", "mean", "variance", "standard_deviation", "minimum", "maximum",
                 "median")
    for index, labels in (([1, 3, 2], LABELS), (2, LABELS), (None, None))
}  # fmt: skip
MEASURES["center_of_mass"] = (lambda x: np.stack(nd.center_of_mass(x)), IMAGE)
MEASURES["center_of_mass of labels"] = (
    lambda x: np.stack([np.stack(each) for each in nd.center_of_mass(x, LABELS, [1, 2])]), IMAGE
)  # fmt: skip
CALLS = {**LINEAR, **GAUSSIANS, **RANKS, **MEASURES}


@together()
@pytest.mark.parametrize("name", CALLS)
def test_values_and_derivatives(name):
    f, *args = CALLS[name]
    bitwise = name not in MEASURES and "gradient_magnitude" not in name
    assert_served(f, *args, exact=bitwise)


@pytest.mark.skipif(OLDEST, reason="filters have no axes in this release")
def test_axes_in_any_order():
    for f in (
        lambda x: nd.median_filter(x, (3, 2), axes=(2, 0)),
        lambda x: nd.gaussian_filter(x, (1.0, 0.5), axes=(2, 0)),
        lambda x: nd.correlate(x, KERNEL, axes=(2, 0), origin=(0, -1)),
        lambda x: nd.convolve(x, KERNEL, axes=(1, 2), origin=(-1, 0)),
    ):
        assert_served(f, CUBE, exact=True)


def test_precisions_complex_images_and_weights():
    for f in (
        lambda x: nd.gaussian_filter(x, 1.0),
        lambda x: nd.correlate1d(x, np.array([1, 2j, 1 + 1j])),
        lambda x: nd.convolve(x, np.array([[1, 2j, 1 + 1j]])),
        lambda x: nd.uniform_filter(x, 3, mode="constant"),
    ):
        assert_linear(f, COMPLEX)
        for x in (IMAGE, IMAGE.astype(np.float32)):
            out, pull = pb.vjp(f, x)
            assert_same(out, f(x))
            assert pull(out)[0].dtype == x.dtype
    single = pb.vjp(lambda x: nd.sobel(x, output=np.float32), IMAGE)[0]
    assert_same(single, nd.sobel(IMAGE, output=np.float32))
    shifted = pb.vjp(lambda x: nd.fourier_shift(x, 0.7), COMPLEX)[0]
    np.testing.assert_allclose(shifted, nd.fourier_shift(COMPLEX, 0.7), rtol=1e-14)


def test_widths_and_numbers_beyond_the_edges():
    for f in (
        lambda a: nd.gaussian_filter(IMAGE, a),
        lambda a: nd.correlate(IMAGE, KERNEL, mode="constant", cval=a),
        lambda a: nd.maximum_filter(IMAGE, 3, mode="constant", cval=a),
    ):
        assert_served(f, np.array(1.1), mapped=False)


def test_extrema_and_what_is_constant():
    least, greatest, *places = nd.extrema(IMAGE, LABELS, [1, 2])
    found = pb.vjp(lambda x: nd.extrema(x, LABELS, [1, 2])[:2], IMAGE)[0]
    np.testing.assert_array_equal(found, (least, greatest))
    assert tuple(places) == nd.extrema(IMAGE, LABELS, [1, 2])[2:]

    def f(x):
        near = nd.distance_transform_edt(x > 0)
        return np.sum(x) * near.sum() * nd.label(x > 0)[1] * nd.maximum_position(x)[0]

    near, count = nd.distance_transform_edt(IMAGE > 0).sum(), nd.label(IMAGE > 0)[1]
    place = nd.maximum_position(IMAGE)[0]
    np.testing.assert_allclose(pb.grad(f)(IMAGE), near * count * place * np.ones_like(IMAGE))


def test_equal_elements_share_the_derivative_of_an_extreme():
    level = np.zeros(5)
    pull = pb.vjp(lambda x: nd.maximum_filter1d(x, 3), level)[1]
    np.testing.assert_allclose(pull(np.eye(5)[2])[0], [0, 1 / 3, 1 / 3, 1 / 3, 0])


def test_refusals_say_what_to_use():
    for call, error, words in (
        (lambda x: nd.generic_filter(x, np.max, 3), NoRuleError, "sliding_window_view"),
        (lambda x: nd.geometric_transform(x, lambda i: i), NoRuleError, "map_coordinates"),
        (lambda x: nd.watershed_ift(x, LABELS), NoRuleError, "stop_gradient"),
        (lambda x: nd.sobel(x, output=np.zeros((6, 7))), ArgumentTypeError, "give a dtype"),
        (lambda x: nd.correlate(np.arange(9), x[0, :3]), ArgumentTypeError, "of dtype int64"),
        (lambda x: nd.correlate1d(x, W, mode="none"), RuntimeError, "mode not supported"),
        (lambda x: nd.correlate1d(x, W, origin=3), ValueError, "Invalid origin"),
    ):
        with pytest.raises(error, match=words):
            pb.vjp(call, IMAGE)
