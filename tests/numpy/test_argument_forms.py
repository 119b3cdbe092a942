"""Every form of arguments of NumPy's functions: NumPy's values to the last bit, and derivatives.

The oracle of a derivative is that of central differences, of higher derivatives those of the first.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from tests.grouping import for_each
from tests.numpy.agreement import assert_derivative, leaves

RNG = np.random.default_rng(53)


def normal(*shape):
    return RNG.normal(size=shape)


A, B, C, D, T = normal(3, 4), normal(4, 5), normal(3, 3), normal(2, 3, 3), normal(2, 3, 4)
V, W = normal(4), RNG.uniform(0.3, 1.5, size=4)
GRADED = RNG.permutation(np.linspace(0.0, 5.0, 21)).reshape(3, 7)
HOLES = np.isin(np.arange(12).reshape(3, 4), [1, 6, 7])
STEPS = np.cumsum(RNG.uniform(0.5, 1.5, 4))
KNOTS = np.array([0.0, 0.7, 1.1, 2.3])
POINTS = np.array([0.2, 0.9, 1.7, 2.1, 0.5, 1.3])
INF = np.inf

FORMS: list[tuple[str, object, tuple[object, ...]]] = []


def form(name, function, *args):
    FORMS.append((name, function, args))


# fmt: off

# -- order statistics
for _method in (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
    "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher",
    "midpoint", "nearest",
):
    form(
        "quantile", lambda x, m=_method: np.quantile(x, [0.1, 0.35, 0.62], method=m, axis=1), GRADED
    )
    form("percentile", lambda x, m=_method: np.percentile(x, 35.0, method=m, keepdims=True), GRADED)
    form("nanquantile", lambda x, m=_method: np.nanquantile(
        np.where(HOLES, np.nan, x), [[0.1, 0.35], [0.6, 0.9]], method=m), GRADED[:, 1:5])
WEIGHTED = functools.partial(np.quantile, method="inverted_cdf")
form("quantile", lambda x: WEIGHTED(x, [0.0, 0.35, 0.62, 1.0], weights=W), V)
form("quantile", lambda x: WEIGHTED(x, 0.4, weights=W, axis=1, keepdims=True), A)
form("quantile", lambda x: WEIGHTED(x, [0.4, 0.7], weights=np.abs(B[:3, :4])), A)
form("percentile", lambda x: np.percentile(x, 40, weights=W, method="inverted_cdf", axis=-1), T)
form("nanquantile", lambda x: np.nanquantile(
    np.where(HOLES[0], np.nan, x), 0.6, weights=W, method="inverted_cdf"), V)

# -- covariances
for _options in (
    {}, {"bias": True}, {"ddof": 0}, {"rowvar": False}, {"fweights": [1, 2, 3, 1]}, {"aweights": W},
    {"aweights": W, "fweights": [1, 2, 1, 1], "ddof": 0}, {"aweights": W, "bias": True},
):
    form("cov", lambda x, o=_options: np.cov(x, **o), A)
form("cov", np.cov, V, W)
form("cov", lambda x, y: np.cov(x, y, rowvar=False), A, A[::-1])
form("corrcoef", np.corrcoef, A)
form("corrcoef", lambda x, y: np.corrcoef(x, y, rowvar=False), B[:, :2], B[:, 2:])

# -- gradients along axes
for _order in (1, 2):
    for _spacing in ((), (0.3,), (0.3, 2.0)):
        form("gradient", lambda x, s=_spacing, e=_order: np.gradient(x, *s, edge_order=e), A)
    form("gradient", lambda x, p, e=_order: np.gradient(x, p, axis=1, edge_order=e), A, STEPS)
    form("gradient", lambda x, p, e=_order: np.gradient(x, 0.3, p, edge_order=e), A, STEPS)
    form("gradient", lambda x, e=_order: np.gradient(x, axis=(1, 0), edge_order=e), A)
    form("gradient", lambda x, h, e=_order: np.gradient(x, h, edge_order=e), V, np.array(0.3))
form("gradient", lambda x: np.gradient(x, 0.1, 0.2, 0.3), T)

# -- interpolation, angles, quadrature
form("interp", np.interp, POINTS, KNOTS, V)
form("interp", lambda x, f, a, b: np.interp(x, KNOTS, f, left=a, right=b),
     np.array([-1.0, 0.3, 3.0]), V, np.array(0.1), np.array(2.0))
form("interp", lambda x, p, f: np.interp(x, p, f, period=2.9), 3 * POINTS - 4.2, KNOTS, V)
form("interp", lambda x, f: np.interp(x, KNOTS, f), np.array(0.5), V)
form("unwrap", lambda x: np.unwrap(5 * x), A)
form("unwrap", lambda x: np.unwrap(5 * x, discont=4.0, axis=0, period=3.0), A)
form("trapezoid", np.trapezoid, A, V)
form("trapezoid", lambda y: np.trapezoid(y, dx=0.3, axis=0), A)
form("trapezoid", lambda y, x: np.trapezoid(y, x, axis=0), A, A[::-1])
for _mode in ("full", "same", "valid"):
    for _a, _b in ((V, W[:3]), (V[:2], W)):
        form("convolve", lambda a, b, m=_mode: np.convolve(a, b, m), _a, _b)
        form("correlate", lambda a, b, m=_mode: np.correlate(a, b, m), _a, _b)
for _options in ({}, {"N": 3}, {"N": 5, "increasing": True}, {"N": 1}, {"N": 0}):
    form("vander", lambda a, o=_options: np.vander(a, **o), V)
form("kron", np.kron, A, V)
form("kron", np.kron, T, A)

# -- choices, blocks, and functions of slices
form("select", lambda x: np.select([x < -0.2, x > 0.4], [x**2, np.sin(x)], x * 3), A)
form("select", lambda x, d: np.select([x < -0.2, x > 0.4], [x**2, 1.0], d), A, np.array(2.0))
form("piecewise", lambda x: np.piecewise(
    x, [x < -0.2, x > 0.4], [lambda x: x**2, np.sin, lambda x: x * 3]), A)
form("piecewise", lambda x, a: np.piecewise(x, [x < 0], [lambda x, k=1: x * k], k=a), A,
     np.array(2.0))
form("piecewise", lambda x: np.piecewise(x, x < 0, [lambda x, a: x * a, 3.0], 2.0), V)
form("block", lambda a, b: np.block([[a, b], [b * 2, a]]), A, A[::-1])
form("block", lambda a, v: np.block([[a, np.ones((3, 1))], [v, 0.0]]), A, V)
form("block", lambda a: np.block([[[a]], [[a * 2]]]), T)
form("apply_along_axis", lambda a: np.apply_along_axis(
    lambda r, k: np.outer(r, r) * k, 1, a, 2.0), A)
form("apply_over_axes", lambda a: np.apply_over_axes(np.prod, a, [0, -1]), T)
form("vectorize", lambda x: np.vectorize(lambda a, b: a * b + 1)(x, 2.0), A)
form("vectorize", lambda x: np.vectorize(lambda a: a @ a, signature="(n)->()")(x), A)
form("average", lambda x, w: np.average(x, axis=1, weights=w, returned=True, keepdims=True), A, W)

# -- norms and products of vectors and matrices
for _ord in (None, "fro", "nuc", 1, -1, 2, -2, INF, -INF):
    form("norm", lambda x, o=_ord: np.linalg.norm(x, o, axis=(2, 0), keepdims=True), T)
    form("matrix_norm", lambda x, o=_ord: np.linalg.matrix_norm(x, ord=o or "fro"), T)
    form("cond", lambda x, o=_ord: np.linalg.cond(x, o), C + 2 * np.eye(3))
    form("cond", lambda x, o=_ord: np.linalg.cond(x, o), D + 2 * np.eye(3))
for _ord in (0, 1, 2, 3, -1, -2, 0.5, 2.5, INF, -INF):
    form("norm", lambda x, o=_ord: np.linalg.norm(x, o, axis=1), A)
    form("vector_norm", lambda x, o=_ord: np.linalg.vector_norm(x, ord=o, axis=(0, 1)), A)
form("multi_dot", lambda a, b: np.linalg.multi_dot([a, b, b.T, a.T]), A, B)
form("multi_dot", lambda a, b, v: np.linalg.multi_dot([v[:3], a, b, b[0]]), A, B, V)
form("vecdot", lambda a, b: np.vecdot(a, b, axis=0), A, A[::-1])
form("matvec", np.matvec, T, V)
form("vecmat", np.vecmat, V[:3], T)
form("cross", lambda a, b: np.cross(a, b, axisa=0, axisb=1, axisc=0), C, C.T.copy())
form("linalg.cross", lambda a, b: np.linalg.cross(a, b, axis=0), C, C.T.copy())
form("linalg.outer", np.linalg.outer, W, V)
form("linalg.trace", lambda a: np.linalg.trace(a, offset=-1), T)
form("trace", lambda a: np.trace(a, 1, 0, 2), T)
form("svdvals", np.linalg.svdvals, A)
form("lstsq", lambda a, b: np.linalg.lstsq(a, b)[:2], B.T[:, :3].copy(), normal(5))
form("lstsq", lambda a, b: np.linalg.lstsq(a, b)[0], B.T[:, :3].copy(), normal(5, 2))
form("lstsq", lambda a, b: np.linalg.lstsq(a, b, rcond=1e-10)[0], A, V[:3])
form(
    "tensorsolve", lambda a, b: np.linalg.tensorsolve(a, b, axes=(0, 2)), normal(2, 6, 3), normal(6)
)

# -- einsum
for _subscripts, _args in {
    "ij,jk": (A, B), "ij,jk->ki": (A, B), "ii": (C,), "ii->i": (C,), "ij->": (A,), "ij->j": (A,),
    "ji": (A,), "...ij,...jk": (D, D), "...ii->...i": (D,), "...ii": (D,), "i,j": (V, V),
    "i...,i": (C, V[:3]), "ij,ij,jk": (A, A, B), "ijj->i": (D,), "iij->j": (normal(3, 3, 4),),
    "a,ab,abc->abc": (V[:2], A[:2, :3], T), "...,...": (A, V), "ij,j...->i...": (A, B),
    "i,i,i->i": (V, V, V), "b...a->...": (T,), "...": (A,), " i j , j k -> i k ": (A, B),
    "ij,k->kj": (A, V), "ii,ij->j": (C, C),
}.items():
    for _way in (False, True, "optimal"):
        form("einsum", lambda *a, s=_subscripts, o=_way: np.einsum(s, *a, optimize=o), *_args)
form("einsum", lambda a, b: np.einsum(a, [0, 1], b, [1, 2]), A, B)
form("einsum", lambda a, b: np.einsum(a, [..., 0, 1], b, [..., 1, 2], [..., 2, 0]), D, D)
form("einsum", lambda a, b: np.einsum(
    "ij,jk,kl->il", a, b, b.T, optimize=["einsum_path", (1, 2), (0, 1)]), A, B)
form(
    "einsum", lambda a, b: np.einsum("ij,jk", a, b, dtype=np.float64, order="F", casting="no"), A, B
)

# -- domains that widen
for _name in ("sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh"):
    for _x in (1.7 * A, W / 2):
        form(f"emath.{_name}", lambda x, n=_name: [
            part(getattr(np.emath, n)(x)) for part in (np.real, np.imag)], _x)
form("emath.power", lambda x, p: np.real(np.emath.power(x, p)), A, np.array(2.3))
form("emath.logn", lambda x, n: np.real(np.emath.logn(n, x)), A, np.array(2.3))

# -- what leaves NaN out
for _name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian",
              "nancumsum", "nancumprod"):
    for _axis in (None, 0, 1):
        form(
            _name, lambda x, n=_name, a=_axis: getattr(np, n)(np.where(HOLES, np.nan, x), axis=a), A
        )
form("nanvar", lambda x: np.nanvar(np.where(HOLES, np.nan, x), ddof=1, keepdims=True), A)
form("nansum", lambda x: np.nansum(np.where(HOLES, np.nan, x), axis=1, initial=0.5,
                                   where=np.arange(4) < 3), A)

# fmt: on

POINTS_OF_FORMS = [
    pytest.param(function, args, id=f"{name}-{number}")
    for number, (name, function, args) in enumerate(FORMS)
]
SPECTRAL = (
    "norm",
    "matrix_norm",
    "cond",
    "svdvals",
    "lstsq",
    "einsum",
    "nan",
    "cov",
    "tensorsolve",
)
"""What is computed by another of LAPACK's routines than NumPy's, or summed in another order."""


@for_each(POINTS_OF_FORMS, lambda identifier: identifier.rpartition("-")[0])
def test_values_and_derivatives(function, args):
    plain = leaves(function(*args))
    out, _ = pb.vjp(function, *args)
    for got, wanted in zip(leaves(out), plain, strict=True):
        assert np.shape(got) == np.shape(wanted)
        assert np.result_type(got) == np.result_type(wanted)
        np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-14)
    assert_derivative(function, *args, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::pullback.errors.IndependentOutputWarning")  # of no column
@for_each(POINTS_OF_FORMS[::4], lambda identifier: identifier.rpartition("-")[0])
def test_second_derivatives(function, args):
    """A Hessian times a vector, in each mix of modes, against differences of the gradient."""
    x, rest = args[0], args[1:]
    v = np.random.default_rng(1).normal(size=np.shape(x))

    def f(x):
        ys = trees.flatten(function(x, *rest))[0]
        return sum(np.sum(np.sin(np.real(y))) for y in ys)

    slope, h = pb.grad(f), 1e-5
    wanted = (slope(x + h * v) - slope(x - h * v)) / (2 * h)
    scale = max(np.max(np.abs(wanted)), 1.0)
    for inner, outer in itertools.product((slope, forward(f)), (forward_of, reverse_of)):
        np.testing.assert_allclose(outer(inner)(x, v), wanted, rtol=1e-5, atol=1e-6 * scale)


def forward(f):
    """The gradient by pushforwards."""
    return lambda x: pb.jacobian(f, mode="forward")(x)


def forward_of(slope):
    return lambda x, v: pb.pushforward(slope, (x,), (v,))[1]


def reverse_of(slope):
    return lambda x, v: pb.pullback(slope, (x,), v)[1][0]


EXACT = [p for p in POINTS_OF_FORMS if not p.id.startswith(SPECTRAL)]


@for_each(EXACT, lambda identifier: identifier.rpartition("-")[0])
def test_values_have_numpys_bits(function, args):
    out, _ = pb.vjp(function, *args)
    for got, wanted in zip(leaves(out), leaves(function(*args)), strict=True):
        np.testing.assert_array_equal(got, wanted)
