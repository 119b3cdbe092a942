"""Functions of several arrays, whatever the dtypes of those that are constant; odd operands."""

from __future__ import annotations

import operator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb

SMALL, LARGE = np.array([1.0, 3.0, 7.0, 4.0]), np.array([120.0, 100.0, 127.0, 90.0])
PLACES = np.array([1.0, 2.0, 4.0, 7.0])
SQUARE = np.array([[2.0, 5.0, 1.0], [3.0, 1.0, 7.0], [4.0, 2.0, 9.0]])
OTHER = np.array([[90.0, 0.0, 40.0], [99.0, 30.0, 1.0], [7.0, 1.0, 4.0]])


def added_at(x, y):
    z = np.zeros(4) + x
    np.add.at(z, [0, 0, 1], y[:3])
    np.subtract.at(z, [2], y[:1])
    return z


FUNCTIONS = {
    "average": (lambda x, w: np.average(x, weights=w), SMALL, LARGE),
    "average of rows": (lambda x, w: np.average(x, axis=0, weights=w), SQUARE, LARGE[:3]),
    "gradient at positions": (np.gradient, SMALL, PLACES * 18),
    "gradient backwards": (np.gradient, SMALL, PLACES[::-1] * 18),
    "gradient, edges": (lambda f, x: np.gradient(f, x, edge_order=2), SMALL, PLACES * 18),
    "gradient, a step": (np.gradient, SMALL, np.array(100.0)),
    "trapezoid": (np.trapezoid, SMALL, PLACES * 18),
    "trapezoid, a step": (lambda y, h: np.trapezoid(y, dx=h), SMALL, np.array(100.0)),
    "interp": (np.interp, np.array([1.5, 3.0, 6.0]), PLACES, LARGE),
    "interp of edges": (
        lambda x, y, left: np.interp(x, PLACES, y, left=left),
        np.array([0.0, 3.0]),
        LARGE,
        np.array(5.0),
    ),
    "cross": (np.cross, SQUARE, OTHER),
    "cov": (np.cov, SMALL, LARGE),
    "cov, weighted": (lambda x, w: np.cov(x, aweights=w), np.stack([SMALL, PLACES]), LARGE),
    "cov, repeated": (
        lambda x, w: np.cov(x, aweights=w, fweights=np.array([100, 100, 1, 1], np.uint8)),
        np.stack([SMALL, PLACES]),
        LARGE,
    ),
    "corrcoef": (np.corrcoef, SMALL, LARGE),
    "polyval": (np.polyval, np.array([3.0, 2.0, 1.0]), SMALL),
    "polymul": (np.polymul, SMALL, PLACES),
    "quantile": (np.quantile, LARGE, np.array([0.0, 1.0, 1.0])),
    "nanquantile": (np.nanquantile, LARGE, np.array([0.0, 1.0])),
    "einsum": (lambda a, b, c: np.einsum("i,i,i->", a, b, c), SMALL, LARGE, LARGE),
    "einsum of a trace": (lambda a, b: np.einsum("ii,j->j", a, b), OTHER, SMALL),
    "multi_dot": (lambda a, b: np.linalg.multi_dot([a, b, a]), SQUARE, OTHER),
    "matmul": (np.matmul, SQUARE, PLACES[:3]),
    "kron": (np.kron, SMALL, PLACES),
    "convolve": (np.convolve, SMALL, PLACES),
    "lstsq": (lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], SQUARE, OTHER),
    "solve": (np.linalg.solve, SQUARE, OTHER),
    "sum from": (lambda x, s: np.sum(x, initial=s), SMALL, np.array(9.0)),
    "max from": (lambda x, s: np.max(x, initial=s), SMALL, np.array(5.0)),
    "bincount": (lambda w, y: np.bincount([0, 1, 1, 2], weights=w) * y[:3], SMALL, LARGE),
    "added at": (added_at, SMALL, LARGE),
    "ediff1d": (lambda x, e: np.ediff1d(x, to_end=e), SMALL, np.array(9.0)),
    "diff": (lambda x, e: np.diff(x, prepend=e), SMALL, np.array(100.0)),
    "arctan2": (np.arctan2, SMALL, LARGE),
    "power": (np.power, SMALL, PLACES),
    "clip": (np.clip, SMALL, np.array(2.0), np.array(5.0)),
}
DTYPES = ("i1", "u1", "i2", "u2", "i8", "u8", "f2", "f4", "f8", "g", ">i2", ">u4", ">f4", ">f8")
WEIGHTS = np.linspace(0.5, 1.5, 64)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_numpys_and_derivatives_those_of_doubles(name):
    function, *arrays = FUNCTIONS[name]
    for dtype in DTYPES:
        for moving in range(len(arrays)):
            for argument in ("f8", "f4"):
                args = [x.astype(argument if i == moving else dtype) for i, x in enumerate(arrays)]
                wide = [x.astype(np.result_type(x, np.float64)) for x in args]
                check(name, function, args, wide, moving)


def check(name, function, args, wide, moving):
    def of(row):
        return lambda x: function(*row[:moving], x, *row[moving + 1 :])

    where = f"{name}, {[x.dtype.str for x in args]}, by argument {moving}"
    try:
        plain = function(*args)
    except TypeError:  # NumPy doesn't take these
        return
    if plain.dtype.kind != "f":
        return
    out, pull = pb.vjp(of(args), args[moving])
    assert (out.dtype.newbyteorder("="), out.shape) == (plain.dtype.newbyteorder("="), plain.shape)
    narrow = max(np.finfo(x.dtype).eps for x in (*args, out) if x.dtype.kind == "f")
    np.testing.assert_allclose(out, plain, rtol=20 * narrow, atol=200 * narrow, err_msg=where)
    _, right = pb.vjp(of(wide), wide[moving])
    bar = WEIGHTS[: out.size].reshape(out.shape)
    got, expected = pull(bar.astype(out.dtype)[()])[0], right(bar[()])[0]
    assert got.dtype == args[moving].dtype
    own = max(np.finfo(x.dtype).eps for x in (args[moving], out))
    if np.allclose(plain, function(*wide), rtol=20 * own):  # NumPy's value is that of doubles too
        scale = 1 + np.max(np.abs(expected))
        np.testing.assert_allclose(got, expected, atol=500 * own * scale, err_msg=where)


# -- scalars ------------------------------------------------------------------------------------

OF_SCALARS = {
    "max": (lambda x: np.max(x), 1.0),
    "min, axis 0": (lambda x: np.min(x, axis=0), 1.0),
    "ptp, axis -1": (lambda x: np.ptp(x, axis=-1), 0.0),
    "prod, axis 0": (lambda x: np.prod(x, axis=0), 1.0),
    "sum, no axis": (lambda x: np.sum(x, axis=()), 1.0),
    "cumsum, axis 0": (lambda x: np.cumsum(x, axis=0), 1.0),
    "cumprod, axis -1": (lambda x: np.cumprod(x, axis=-1), 1.0),
    "cumulative_sum": (lambda x: np.cumulative_sum(x), 1.0),
    "nanmean, axis 0": (lambda x: np.nanmean(x, axis=0), 1.0),
    "squeeze, axis 0": (lambda x: np.squeeze(x, axis=0), 1.0),
    "repeat, axis 0": (lambda x: np.repeat(x, 3, axis=0), 3.0),
    "take, axis 0": (lambda x: np.take(x, 0, axis=0), 1.0),
    "transpose": (lambda x: np.transpose(x, ()), 1.0),
    "max, axis 1": (lambda x: np.max(x, axis=1), None),
    "mean, axis 0": (lambda x: np.mean(x, axis=0), None),
    "transpose, axis 0": (lambda x: np.transpose(x, 0), None),
}


@pytest.mark.parametrize("name", OF_SCALARS)
def test_scalars_are_taken_as_numpy_takes_them(name):
    function, slope = OF_SCALARS[name]
    for x in (3.5, np.float32(3.5), np.array(3.5), np.array(3.5, ">f8")):
        ways = (lambda f: pb.vjp(f, x)[0], lambda f: pb.trace(f, x)(x))  # noqa: B023
        if slope is None:
            for way in ways:
                with pytest.raises(ValueError, match="axis"):
                    way(function)
            continue
        for way in ways:
            assert_same(way(function), function(x))

        def total(x):
            return np.sum(function(x))

        modes = (
            pb.grad(total)(x),
            pb.pushforward(total, (x,), (np.ones_like(x)[()],))[1],
            pb.grad(pb.checkpoint(total))(x),
            pb.simplify(pb.trace(pb.grad(total), x))(x),
            pb.vmap(pb.grad(total))(np.stack([x, x]))[1],
        )
        assert all(mode == slope for mode in modes), modes


def assert_same(got, expected):
    np.testing.assert_array_equal(got, expected)
    assert np.shape(got) == np.shape(expected)


def test_arrays_of_the_other_byte_order_have_extrema():
    x = np.array([[1.0, 5.0], [7.0, 2.0]], ">f8")
    np.testing.assert_array_equal(pb.grad(lambda x: np.sum(np.max(x, axis=0)))(x), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(pb.grad(np.ptp)(x), [[-1, 0], [1, 0]])


# -- fractions and decimals -----------------------------------------------------------------------

THIRD = Fraction(1, 3)
OPERATORS = (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow)


@pytest.mark.parametrize("operate", OPERATORS)
def test_fractions_are_taken_on_both_sides(operate):
    for x in (2.0, np.float64(2.0), np.array([2.0, 3.0]), np.array([2.0, 3.0], np.float32)):
        for given in (THIRD, np.array([THIRD, THIRD])):
            for f, g in (
                (lambda x: operate(x, given), lambda x: operate(x, 1 / 3)),  # noqa: B023
                (lambda x: operate(given, x), lambda x: operate(1 / 3, x)),  # noqa: B023
            ):
                np.testing.assert_allclose(
                    pb.grad(lambda x: np.sum(f(x)))(x),  # noqa: B023
                    pb.grad(lambda x: np.sum(g(x) * np.ones(np.shape(given))))(x),  # noqa: B023
                    rtol=1e-6,
                )
    assert pb.trace(lambda x: x * THIRD, 1.0)(3.0) == 1.0
    assert pb.grad(lambda x: np.multiply(x, THIRD))(1.0) == 1 / 3


@pytest.mark.parametrize("operate", OPERATORS)
def test_decimals_are_refused_as_floats_refuse_them(operate):
    half = Decimal("0.5")
    for f in (lambda x: operate(x, half), lambda x: operate(half, x)):
        with pytest.raises(TypeError):
            f(2.0)
        with pytest.raises(pb.errors.ArgumentTypeError, match=r"Decimal.*float\(x\)"):
            pb.grad(f)(2.0)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "bool", "int64", "float32"])
def test_values_of_integers_are_numpys_in_recorded_functions(dtype):
    x, y = np.array([3, 100, 90, 2]).astype(dtype), np.array([7, 120, 1, 2]).astype(dtype)
    functions = [
        np.vecdot, lambda x, y: np.nanmax(x), lambda x, y: np.nanmin(y),
        lambda x, y: np.linalg.norm(x),
    ]  # fmt: skip
    if np.dtype(dtype).kind != "f":
        functions += [lambda x, y: np.nanargmax(x), lambda x, y: np.nanargmin(y)]
    if dtype != "bool":
        functions += [
            lambda x, y: np.quantile(x, 0.3), lambda x, y: np.percentile(x, [30, 55]),
            lambda x, y: np.percentile(y, 30), lambda x, y: np.nanquantile(x, 0.9),
        ]  # fmt: skip
    for f in functions:
        wanted = f(x, y)
        for got in (pb.trace(f, x, y)(x, y), pb.vmap(f)(*np.stack([(x, x), (y, y)]))[1]):
            assert np.asarray(got).dtype == wanted.dtype
            assert_allclose(got, wanted, rtol=1e-6)
