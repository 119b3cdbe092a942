"""Each singular point that a rule states, or `docs/singular_points.md` lists, in every mode.

What is taken there is the same in forward and reverse mode, and in all four nestings of them at
second order; eagerly, in a recorded graph, and for a batch.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.special  # noqa: F401  (so that its functions are in the rule book)

import pullback as pb
from pullback.core.primitive import registry
from tools.singular_points import COMPOSITIONS, PAGE, primitives, text

NAN = np.nan
STATED = list(primitives())


@pytest.fixture(autouse=True)
def _the_points_are_poles():
    with np.errstate(all="ignore"):
        yield


def forward(f):
    """The derivative along all ones."""
    return lambda x: pb.pushforward(f, (x,), (np.ones_like(x),))[1]


def reverse(f):
    """The gradient of the sum."""
    return lambda x: pb.pullback(f, (x,), np.ones_like(f(x)))[1][0]


MODES = (forward, reverse)


def assert_first(f, x, first, what):
    np.testing.assert_array_equal(reverse(f)(x), np.broadcast_to(first, np.shape(x)), what)
    np.testing.assert_array_equal(forward(f)(x), np.sum(np.broadcast_to(first, x.shape)), what)
    np.testing.assert_array_equal(pb.linearize(f, x)[1](np.ones_like(x)), forward(f)(x), what)
    for mode in MODES:
        graph = pb.trace(mode(f), x)
        np.testing.assert_array_equal(graph(x), mode(f)(x), what)
        np.testing.assert_array_equal(pb.simplify(graph)(x), mode(f)(x), what)
        np.testing.assert_array_equal(pb.vmap(mode(f))(x[None])[0], mode(f)(x), what)


def assert_second(f, x, second, what):
    for outer, inner in itertools.product(MODES, MODES):
        found = outer(inner(f))(x)
        if np.isfinite(second).all():
            np.testing.assert_allclose(found, second, rtol=1e-14, err_msg=what)
        else:
            assert not np.isfinite(found).any(), (what, outer, inner, found)


def of_argument(name, point, position):
    """The function of one argument, and where to differentiate it."""
    primitive = registry[name]
    args = [np.asarray(x, complex if np.iscomplexobj(x) else float) for x in point.example]

    def f(x):
        out = primitive(*args[:position], x, *args[position + 1 :], **point.params)
        return out[0] if primitive.multiple else out

    return f, args[position]


@pytest.mark.parametrize("name", sorted({name for name, _ in STATED}))
def test_what_is_stated_is_what_is_taken(name):
    for point in registry[name].singular_points:
        for position, (first, second) in enumerate(zip(point.first, point.second, strict=True)):
            if first is None:
                continue
            f, x = of_argument(name, point, position)
            what = f"{name}, {point.place}, argument {position}"
            assert_first(f, x, first, what)
            assert_second(f, x, second, what)


def test_the_points_are_found_at_their_examples():
    for name, point in STATED:
        args = [np.asarray(x) for x in point.example]
        assert np.any(point.at(*args, **point.params)) or "slope" in point.place, (name, point)


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_compositions(name):
    f, point = COMPOSITIONS[name]
    x = np.asarray(point.example[0])
    assert_first(f, x, point.first[0], name)
    hessians = [
        pb.jacobian(pb.jacobian(f, mode=inner), mode=outer)(x)
        for outer, inner in itertools.product(("forward", "reverse"), repeat=2)
    ]
    for hessian in hessians:
        np.testing.assert_array_equal(np.isfinite(hessian), np.isfinite(hessians[0]), name)
    assert_second(lambda x: np.sum(f(x)), x, np.broadcast_to(point.second[0], x.shape), name)


CHAINS = {
    "sqrt": np.sqrt, "cbrt": np.cbrt, "log": np.log, "reciprocal": np.reciprocal,
    "arccosh of 1 +": lambda x: np.arccosh(1 + x), "log1p of −1 +": lambda x: np.log1p(x - 1),
    "power 0.5": lambda x: x**0.5, "hypot": lambda x: np.hypot(x, x), "std": lambda x: np.std(
        np.stack([x, -x])),
}  # fmt: skip
VANISHING = {
    "square": np.square, "x·x": lambda x: x * x, "power 3": lambda x: x**3, "x @ x": lambda x: (
        np.stack([x, x]) @ np.stack([x, x])), "1 − cos": lambda x: 1 - np.cos(x),
    "sum of squares": lambda x: np.sum(np.stack([x, x]) ** 2), "product": lambda x: np.prod(
        np.stack([x, x, x])), "variance": lambda x: np.var(np.stack([x, -x])),
    "einsum": lambda x: np.einsum("i,i->", np.stack([x, x]), np.stack([x, x])),
}  # fmt: skip


@pytest.mark.parametrize("singular", CHAINS)
def test_both_modes_agree_where_a_derivative_vanishes_beside_a_singular_one(singular):
    g, zero = CHAINS[singular], np.zeros(())
    regular = singular in ("hypot", "std")
    for name, v in VANISHING.items():
        for f in (lambda x, v=v: g(v(x)), lambda x, v=v: v(g(x))):
            found = [forward(f)(zero), reverse(f)(zero)]
            np.testing.assert_array_equal(found[0], found[1], name)
            loose = f(zero) == f(zero) + 1  # infinite
            assert regular or loose or not np.isfinite(found[0]), name
            rows = [
                pb.jacobian(lambda x, f=f: np.stack([f(x[0]), f(x[1])]), mode=mode)(np.zeros(2))
                for mode in ("forward", "reverse")
            ]
            np.testing.assert_array_equal(rows[0], rows[1], name)
            np.testing.assert_array_equal(rows[0], np.diag([found[0]] * 2), name)
            for outer, inner in itertools.product(MODES, MODES):
                second = outer(inner(f))(zero)
                assert not np.isfinite(second), (name, outer, inner, second)


@pytest.mark.parametrize("singular", CHAINS)
def test_what_is_left_out_stays_so(singular):
    """Before the singular function and after it, in every mode, to second order."""
    g, x = CHAINS[singular], np.array([0.0, 1.5])
    taken = x > 1
    for name, v in VANISHING.items():
        f = [lambda x, v=v, k=k: np.where(taken[k], g(v(x[k])), x[k] ** 2) for k in (0, 1)]
        before = [
            lambda x, v=v, k=k: g(v(np.where(taken[k], x[k], 0.0)) + np.where(taken[k], 0, 2.0))
            for k in (0, 1)
        ]
        for left_out in (f[0], before[0]):
            for mode in ("forward", "reverse"):
                np.testing.assert_array_equal(pb.jacobian(left_out, mode=mode)(x), [0, 0], name)
                for inner in ("forward", "reverse"):
                    hessian = pb.jacobian(pb.jacobian(left_out, mode=inner), mode=mode)(x)
                    assert np.isfinite(hessian).all(), (name, mode, inner)
                    assert hessian[0, 1] == hessian[1, 0] == hessian[1, 1] == 0


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == text(), "run python tools/singular_points.py"


def distances(x):
    return np.sqrt((x[:, None] - x[None, :]) ** 2)


SELF = np.eye(2, dtype=bool)
LINE = np.array([0.0, 1.0])
PROGRAMS = {
    "nanstd": (np.nanstd, np.array([1.0, NAN, 3.0, 5.0]), True),
    "nanstd of constants": (np.nanstd, np.ones(3), False),
    "nansum of logarithms": (lambda x: np.nansum(np.log(x)), np.array([1.0, -1.0, 2.0]), True),
    "the angle of 0": (lambda x: np.angle(x[0] + 1j * x[1]), np.zeros(2), False),
    "a correlation of constants": (
        lambda x: np.corrcoef(x, np.array([1.0, 2.0, 4.0]))[0, 1], np.ones(3), False
    ),
    "norms of rows": (
        lambda x: np.sum(np.linalg.norm(x.reshape(2, 2), axis=1)), np.array([0, 0, 1.0, 2.0]), None
    ),
    "all distances": (lambda x: np.sum(distances(x)), LINE, None),
    "distances to others": (lambda x: np.sum(np.where(SELF, 0, distances(x))), LINE, True),
    "distances of pairs": (lambda x: np.sum(distances(x)[np.triu_indices(2, 1)]), LINE, True),
    "assigned distances": (
        lambda x: np.sum(written(np.zeros((2, 2), like=x), ~SELF, distances(x))), LINE, True
    ),
    "a root of a determinant": (
        lambda x: np.sqrt(np.linalg.det(x.reshape(2, 2))), np.zeros(4), False
    ),
    "a root of a product": (lambda x: np.sqrt(np.cumprod(x)[1]), np.zeros(2), False),
    "a root of a convolution": (lambda x: np.sqrt(np.convolve(x, x)[1]), np.zeros(2), False),
    "a logarithm that overflows": (
        lambda x: np.log(np.exp(x[0]) / (np.exp(x[0]) + np.exp(x[1]))), np.array([-800.0, 0.0]),
        False,
    ),
    "powers": (lambda x: np.sum(x ** np.array([0.0, 1.0, 2.0, 3.0])), np.zeros(4), True),
    "the largest logarithm": (lambda x: np.max(np.log(x)), np.array([0.0, 1.0, 2.0]), True),
    "a median of roots": (lambda x: np.median(np.sqrt(x)), np.array([0.0, 1.0, 2.0]), True),
}  # fmt: skip
"""Programs, points, and whether all derivatives there are finite (`None`: some are)."""


def written(y, key, v):
    y[key] = v[key]
    return y


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_at_singular_points(name):
    f, x, regular = PROGRAMS[name]
    rows = [pb.jacobian(f, mode=mode)(x) for mode in ("forward", "reverse")]
    np.testing.assert_allclose(*rows, rtol=1e-12)
    for mode, row in zip(("forward", "reverse"), rows, strict=True):
        if name not in ("assigned distances", "distances of pairs"):  # of a mask's own size
            graph = pb.trace(pb.jacobian(f, mode=mode), x)
            np.testing.assert_allclose(graph(x), row, rtol=1e-12)
    found = [
        pb.jacobian(pb.jacobian(f, mode=inner), mode=outer)(x)
        for inner, outer in itertools.product(("forward", "reverse"), repeat=2)
    ]
    for hessian in found:
        np.testing.assert_allclose(hessian, found[0], rtol=1e-12, atol=1e-12)
    if regular is not None:
        assert np.isfinite(found[0]).all() == np.isfinite(rows[0]).all() == regular or (
            not regular and not np.isfinite(found[0]).any()
        )
