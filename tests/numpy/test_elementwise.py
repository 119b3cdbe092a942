"""NumPy's elementwise functions on traced arrays: values, derivatives, and every ufunc decided."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest
from numpy.testing.overrides import get_overridable_numpy_ufuncs

import pullback as pb
from pullback.core.primitive import Primitive
from pullback.errors import ArgumentTypeError, ArgumentValueError, IndependentOutputWarning
from pullback.rules.registration import array_ufuncs
from tests.grouping import together

# -- the decision on every ufunc ------------------------------------------------------------------

DIFFERENTIABLE = {
    "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "cbrt", "conjugate", "copysign", "cos", "cosh", "deg2rad", "degrees", "divide", "divmod", "exp",
    "exp2", "expm1", "fabs", "float_power", "fmax", "fmin", "fmod", "frexp", "heaviside", "hypot",
    "ldexp", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "matmul", "matvec",
    "maximum", "minimum", "modf", "multiply", "negative", "nextafter", "positive", "power",
    "rad2deg", "radians", "reciprocal", "remainder", "sign", "sin", "sinh", "sqrt", "square",
    "subtract", "tan", "tanh", "vecdot", "vecmat",
}  # fmt: skip

CONSTANT = {
    "bitwise_and", "bitwise_count", "bitwise_or", "bitwise_xor", "ceil", "equal", "floor",
    "floor_divide", "gcd", "greater", "greater_equal", "invert", "isfinite", "isinf", "isnan",
    "isnat", "lcm", "left_shift", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "logical_xor", "not_equal", "right_shift", "rint", "signbit", "spacing", "trunc",
}  # fmt: skip


def public_ufuncs():
    """NumPy's own list, without those of strings and those that it keeps to itself."""
    return {f for f in get_overridable_numpy_ufuncs() if getattr(np, f.__name__, None) is f}


def test_every_ufunc_of_numpy_has_a_decision():
    names = {f.__name__ for f in public_ufuncs()}
    assert names <= DIFFERENTIABLE | CONSTANT
    assert (DIFFERENTIABLE | CONSTANT) - names <= {"matvec", "vecmat"}, "those are NumPy 2.2's"
    assert not DIFFERENTIABLE & CONSTANT


@together()
@pytest.mark.parametrize("name", sorted(f.__name__ for f in public_ufuncs()))
def test_every_ufunc_of_numpy_has_its_rule(name):
    served = array_ufuncs[getattr(np, name)]
    constant = isinstance(served, Primitive) and served.is_constant
    assert constant == (name in CONSTANT)


@pytest.mark.parametrize("name", ["bitwise_and", "gcd", "left_shift"])
def test_functions_of_integers_refuse_floating_numbers_as_numpy_does(name):
    with pytest.raises(TypeError, match=f"ufunc '{name}'"):
        pb.pushforward(lambda x: getattr(np, name)(x, 2), (np.ones(2),), (np.ones(2),))


# -- values and derivatives -----------------------------------------------------------------------


def agrees(f, *args, rtol=1e-7):
    """f on tracers has f's values, and derivatives that differences confirm in both modes."""
    args = tuple(np.asarray(arg) for arg in args)
    expected = f(*args)
    out, pull = pb.vjp(f, *args)
    np.testing.assert_allclose(out, expected, rtol=1e-14, atol=1e-300)
    assert np.result_type(out) == np.result_type(expected)
    assert np.shape(out) == np.shape(expected)
    rng = np.random.default_rng(0)
    dots = tuple(rng.normal(size=arg.shape) for arg in args)
    h = 1e-6
    difference = (
        f(*(x + h * d for x, d in zip(args, dots, strict=True)))
        - f(*(x - h * d for x, d in zip(args, dots, strict=True)))
    ) / (2 * h)
    _, out_dot = pb.pushforward(f, args, dots)
    np.testing.assert_allclose(out_dot, difference, rtol=rtol, atol=1e-8)
    out_bar = rng.normal(size=np.shape(expected)).astype(np.result_type(expected))
    np.testing.assert_allclose(
        sum(np.sum(bar * dot) for bar, dot in zip(pull(out_bar), dots, strict=True)),
        np.sum(np.conj(out_bar) * out_dot).real,
        rtol=1e-12,
    )


X = np.array([-2.3, -0.4, 0.7, 1.6])


def test_where():
    agrees(lambda x, y: np.where(X > 0, x, y), X, 3 * X)
    agrees(lambda x: np.where(x > 0, x, -2.0), X)
    agrees(lambda x: np.where(X[:, None] > 0, x, 1), X)


def test_where_with_the_condition_alone_gives_indices():
    def positive(x):
        return x[np.where(x > 0)]

    agrees(positive, X)


def test_where_wants_both_choices_or_none():
    with pytest.raises(ArgumentTypeError, match=r"np\.where: .* wanted both x and y or neither"):
        pb.grad(lambda x: np.sum(np.where(X > 0, x)))(X)


def test_clip():
    for call in (
        lambda x: np.clip(x, -1, 1),
        lambda x: np.clip(x, None, 1.0),
        lambda x: np.clip(x, a_min=-1.0, a_max=None),
        lambda x: np.clip(x, min=-1.0, max=1.0),
        lambda x: x.clip(-1.0, 1.0),
    ):
        agrees(call, X)
    agrees(lambda x, low: np.clip(x, low, 1.0), X, -1.0)
    agrees(lambda x: np.clip(x, -1, 1, np.zeros(X.shape)), X)


def test_piecewise():
    agrees(lambda x: np.piecewise(x, [x < 0, x > 1], [np.exp, np.sqrt]), X)
    agrees(lambda x: np.piecewise(x, [x < 0, x > 1], [np.exp, -2.0, lambda x: x**3]), X)
    agrees(lambda x: np.piecewise(x, x > 0, [np.log, 0.0]), X)
    agrees(lambda x: np.piecewise(x, [x > 0], [lambda x, a, b: a * x**b], 2.0, b=3.0), X)
    with pytest.raises(
        ArgumentValueError, match=r"np\.piecewise: got 3 functions for 1 conditions"
    ):
        pb.vjp(lambda x: np.piecewise(x, [x > 0], [1, 2, 3]), X)


def test_nan_to_num():
    x = np.array([np.nan, 2.0, np.inf, -np.inf])
    for keywords in ({}, {"nan": 5.0, "posinf": 7.0, "neginf": -7.0}):
        f = functools.partial(np.nan_to_num, **keywords)
        out, pull = pb.vjp(f, x)
        np.testing.assert_array_equal(out, f(x))
        np.testing.assert_array_equal(pull(np.ones(4))[0], [0, 1, 0, 0])

    def in_place(x):
        y = x * 1.0
        np.nan_to_num(y, copy=False)
        return y

    out, pull = pb.vjp(in_place, x)
    np.testing.assert_array_equal(out, np.nan_to_num(x))
    np.testing.assert_array_equal(pull(np.ones(4))[0], [0, 1, 0, 0])


def test_sinc_unwrap_i0_and_angle():
    agrees(np.sinc, X)
    agrees(np.sinc, np.float64(0.3))
    agrees(np.i0, X)
    agrees(np.unwrap, 4 * np.cumsum(X))
    agrees(lambda x: np.unwrap(x, axis=0, period=3.0), np.outer(X, X))
    agrees(lambda x: np.angle(np.exp(1j * x)), X)
    agrees(lambda x: np.angle(np.exp(1j * x), deg=True), X)


def test_the_angle_of_a_real_number_is_constant():
    out, pull = pb.vjp(np.angle, X)
    np.testing.assert_array_equal(out, np.angle(X))
    np.testing.assert_array_equal(pull(np.ones(4))[0], np.zeros(4))


@pytest.mark.parametrize(
    "keywords", [{}, {"left": -1.0, "right": 2.5}, {"period": 2.9}, {"left": 0.0}]
)
def test_interp(keywords):
    at = np.array([-2.0, -0.55, 0.1, 0.8, 2.6, 7.1])
    knots, values = np.array([-1.0, 0.0, 0.3, 2.0]), np.array([1.0, -2.0, 0.5, 4.0])
    agrees(lambda x, xp, fp: np.interp(x, xp, fp, **keywords), at, knots, values, rtol=1e-6)
    agrees(lambda x: np.interp(x, knots, values, **keywords), np.float64(0.7))


def test_interp_at_its_knots_and_with_one_knot():
    knots, values = np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 0.0])
    out, pull = pb.vjp(lambda x: np.interp(x, knots, values), knots)
    np.testing.assert_array_equal(out, values)
    np.testing.assert_array_equal(pull(np.ones(3))[0], [1.0, -1.0, -1.0])
    out, pull = pb.vjp(lambda fp: np.interp([-1.0, 0.0, 2.0], [0.0], fp), np.array([5.0]))
    np.testing.assert_array_equal(out, [5, 5, 5])
    np.testing.assert_array_equal(pull(np.ones(3))[0], [3.0])


# -- complex parts --------------------------------------------------------------------------------

Z = np.array([0.7 - 1.1j, -0.4 + 0.3j])


def test_parts_are_views_that_can_be_written_to():
    def replaced(z, x):
        w = z * 1
        w.real[0] = x
        w.imag[:] = 2 * x
        return w

    out, pull = pb.vjp(replaced, Z, 3.0)
    np.testing.assert_array_equal(out, [3 + 6j, -0.4 + 6j])
    z_bar, x_bar = pull(np.array([1 + 10j, 100 + 1000j]))
    np.testing.assert_array_equal(z_bar, [0, 100])
    assert x_bar == 1 + 2 * (10 + 1000)


def test_parts_of_real_numbers():
    out, pull = pb.vjp(lambda x: np.real(x) + np.imag(x), X)
    np.testing.assert_array_equal(out, X)
    np.testing.assert_array_equal(pull(np.ones(4))[0], np.ones(4))


def test_real_if_close():
    out, pull = pb.vjp(np.real_if_close, Z)
    assert out.dtype == complex
    out, pull = pb.vjp(lambda x: np.real_if_close(x + 1e-17j), X)
    assert out.dtype == float
    np.testing.assert_array_equal(pull(np.ones(4))[0], np.ones(4))


@pytest.mark.parametrize("f", [np.iscomplexobj, np.isrealobj])
def test_kinds_are_plain_truth_values(f):
    for x in (X, Z):
        seen = []
        pb.vjp(lambda x, seen=seen: seen.append(f(x)) or x, x)
        assert seen == [f(x)]
        assert type(seen[0]) is bool


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("sqrt", X[2:], X),
        ("log", X[2:], X),
        ("log2", X[2:], X),
        ("log10", X[2:], X),
        ("arcsin", X / 3, X),
        ("arccos", X / 3, X),
        ("arctanh", X / 3, X),
    ],
)
def test_functions_that_widen_to_complex_numbers(name, inside, outside):
    f = getattr(np.emath, name)
    agrees(f, inside)
    agrees(f, outside)


def test_powers_and_logarithms_that_widen_to_complex_numbers():
    agrees(lambda x: np.emath.power(x, 0.5), X)
    out, _ = pb.vjp(lambda x: np.emath.power(x, 2), X.astype(np.float32))
    assert out.dtype == np.emath.power(X.astype(np.float32), 2).dtype
    agrees(lambda x: np.emath.logn(2, x), X)


# -- constants ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        np.floor,
        np.ceil,
        np.rint,
        np.trunc,
        np.round,
        pytest.param(np.fix, marks=pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")),
        lambda x: np.around(x, 1),
        lambda x: x // 0.5,
        np.spacing,
        np.sign,
    ],
)
def test_roundings_are_constant(f):
    out, pull = pb.vjp(f, X)
    np.testing.assert_array_equal(out, f(X))
    np.testing.assert_array_equal(pull(np.ones(4))[0], np.zeros(4))
    np.testing.assert_array_equal(pb.pushforward(f, (X,), (np.ones(4),))[1], np.zeros(4))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x > 0,
        lambda x: np.isclose(x, X),
        lambda x: np.isclose(x, 2.0, rtol=0.1, atol=0.5),
        lambda x: np.allclose(x, X),
        lambda x: np.array_equal(x, X),
        lambda x: np.array_equal(x, X, equal_nan=True),
        lambda x: np.array_equiv(x, X),
        np.isreal,
        np.iscomplex,
        np.isposinf,
        np.isneginf,
        np.isnan,
        np.isfinite,
        np.signbit,
        lambda x: np.logical_and(x, x > 0),
        np.frexp,
    ],
)
def test_predicates_give_plain_values(f):
    seen = []

    def spy(x):
        out = f(x)
        seen.append(out[1] if isinstance(out, tuple) else out)
        return x

    pb.vjp(pb.grad(lambda x: np.sum(spy(x))), X)
    expected = f(X)
    expected = expected[1] if isinstance(expected, tuple) else expected
    assert isinstance(seen[0], np.ndarray | np.bool_ | bool)
    np.testing.assert_array_equal(seen[0], expected)


def test_the_gradient_of_a_rounding_warns_that_it_is_zero():
    with pytest.warns(IndependentOutputWarning, match="rounded"):
        pb.grad(lambda x: np.floor(x))(1.5)


def test_dtypes_are_numpys():
    x = np.float32([0.3, 0.7])
    for f in (
        np.exp2, np.log2, np.sinc, np.deg2rad, np.cbrt, np.sign, np.hypot, np.maximum, np.copysign,
        np.logaddexp2, np.power, np.arctan2,
    ):  # fmt: skip
        args = (x,) if getattr(f, "nin", 1) == 1 else (x, 2 * x)
        out, bars = pb.pullback(f, args, np.ones(2, np.float32))
        assert out.dtype == np.float32
        assert {bar.dtype for bar in bars} == {np.dtype(np.float32)}
        out, out_dot = pb.pushforward(f, args, tuple(np.ones_like(arg) for arg in args))
        assert out_dot.dtype == np.float32


def test_no_warning_comes_from_a_derivative():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pb.grad(np.sqrt)(0.0) == np.inf
        assert pb.pushforward(np.cbrt, (0.0,), (1.0,))[1] == np.inf


@pytest.mark.parametrize("function", [np.isclose, np.allclose])
def test_a_tolerance_that_varies_is_refused(function):
    with pytest.raises(pb.ArgumentTypeError, match=rf"np\.{function.__name__}.*rtol.*a number"):
        pb.vjp(lambda x, r: function(x, X, rtol=r), X, 0.1)


def test_what_widens_by_values_is_refused_while_it_is_recorded():
    for name in ("sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh"):
        function = getattr(np.emath, name)
        with pytest.raises(TypeError, match=rf"numpy\.emath\.{name}: .*of x \+ 0j where it may"):
            pb.trace(function, np.ones(2))
        graph = pb.trace(lambda x, f=function: f(x + 0j), np.ones(2))
        np.testing.assert_allclose(graph(np.array([0.5, -3.0])), function([0.5, -3.0 + 0j]))
    for call in (lambda x: np.emath.power(x, 0.5), lambda x: np.emath.logn(2, x)):
        with pytest.raises(TypeError, match=r"numpy\.emath\."):
            pb.trace(call, np.ones(2))
    with pytest.raises(TypeError, match=r"numpy\.real_if_close: .*Call numpy\.real"):
        pb.trace(lambda x: np.real_if_close(x + 0j), np.ones(2))
