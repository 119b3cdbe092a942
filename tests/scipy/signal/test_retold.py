"""Functions of scipy.signal whose own code runs on traced values."""

from __future__ import annotations

import contextlib
from types import ModuleType

import numpy as np
import pytest
import scipy.signal

import pullback as pb
from pullback.errors import PullbackError
from pullback.numpy.decisions import decisions
from pullback.scipy.first_step import served
from pullback.scipy.signal.retold import FUNCTIONS, WINDOWS
from tests.grouping import together
from tests.linear_maps import real_vector
from tests.scipy.signal.calls import BRANCHES, CALLS, LINE, ROWS

EYE = np.eye(3)
NAMES = pytest.mark.parametrize("name", CALLS)


def leaves(tree):
    return [np.asarray(each) for each in (tree if isinstance(tree, tuple | list) else [tree])]


def vector(tree):
    return np.concatenate([real_vector(each) for each in leaves(tree)])


def random_like(x, rng):
    w = rng.normal(size=np.shape(x))
    return w + 1j * rng.normal(size=np.shape(x)) if np.iscomplexobj(x) else w


def slopes(f, args, dots):
    """Central differences, extrapolated."""

    def slope(h):
        ahead = f(*(x + h * dot for x, dot in zip(args, dots, strict=True)))
        behind = f(*(x - h * dot for x, dot in zip(args, dots, strict=True)))
        return (vector(ahead) - vector(behind)) / (2 * h)

    wide, near = slope(2e-4), slope(1e-4)
    return near + (near - wide) / 3


@together()
@NAMES
def test_values_and_both_derivatives(name):
    f, *args = CALLS[name]
    rng = np.random.default_rng(len(name))
    expected = leaves(f(*args))
    out, pull = pb.vjp(lambda *xs: f(*xs), *args)
    scale = max(np.max(np.abs(each), initial=0.0) for each in expected)
    for ours, theirs in zip(leaves(out), expected, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13 * scale)
    dots = [random_like(x, rng) for x in args]
    if name in ("zpk2tf", "zpk2sos"):  # of which complex zeros come in pairs
        dots = [np.real(dot) for dot in dots]
    _, out_dot = pb.pushforward(lambda *xs: f(*xs), tuple(args), tuple(dots))
    differences = slopes(f, args, dots)
    tolerance = 1e-7 * (1 + np.max(np.abs(differences)))
    np.testing.assert_allclose(vector(out_dot), differences, atol=tolerance)
    bars = [random_like(each, rng) for each in expected]
    back = pull(type(out)(bars) if isinstance(out, tuple | list) else bars[0])
    inner = sum(np.sum(np.real(np.conj(x) * y)) for x, y in zip(back, dots, strict=True))
    np.testing.assert_allclose(inner, vector(bars) @ vector(out_dot), rtol=1e-9, atol=1e-9)


@together()
@NAMES
def test_batches_and_graphs(name):
    f, *args = CALLS[name]
    rows = [np.stack([x, 1.01 * x]) for x in args]
    with contextlib.ExitStack() as branches:
        if name in BRANCHES:
            branches.enter_context(contextlib.suppress(PullbackError))
        graph, batch = pb.trace(f, *args), pb.vmap(lambda *xs: f(*xs))(*rows)
        expected = vector(f(*args))
        scale = np.max(np.abs(expected))
        np.testing.assert_allclose(vector(graph(*args)), expected, rtol=1e-11, atol=1e-12 * scale)
        expected = vector(f(*(row[1] for row in rows)))
        mapped = np.concatenate([real_vector(each[1]) for each in leaves(batch)])
        np.testing.assert_allclose(mapped, expected, rtol=1e-11, atol=1e-12 * scale)


@together()
@pytest.mark.parametrize(
    "name", ["filtfilt", "welch", "stft", "resample", "freqz", "savgol_filter"]
)
def test_second_order_and_compiled(name):
    f, *args = CALLS[name]
    args = [x / (1 + np.max(np.abs(x))) for x in args]
    directions = [np.cos(np.arange(x.size)).reshape(x.shape) for x in args]

    def loss(*xs):
        return np.sum(np.abs(f(*xs)) ** 2) ** 2

    gradient = pb.grad(loss, argnums=tuple(range(len(args))))
    _, second = pb.pushforward(gradient, tuple(args), tuple(directions))

    def flat(*xs):
        return vector(gradient(*xs))

    expected = slopes(flat, args, directions)
    np.testing.assert_allclose(vector(second), expected, atol=1e-6 * np.max(np.abs(expected)))
    again = pb.grad(
        lambda *xs: pb.pushforward(loss, xs, tuple(directions))[1], tuple(range(len(args)))
    )(*args)
    np.testing.assert_allclose(vector(again), vector(second), rtol=1e-8, atol=1e-8)
    compiled = pb.compile(gradient)(*args)
    np.testing.assert_allclose(vector(compiled), vector(gradient(*args)), rtol=1e-9, atol=1e-12)


def test_plain_calls_and_single_precision():
    x = LINE.astype(np.float32)
    for f in (
        lambda x: scipy.signal.hilbert(x),
        lambda x: scipy.signal.savgol_filter(x, 5, 2, mode="nearest"),
        lambda x: scipy.signal.detrend(x, type="constant"),
        lambda x: scipy.signal.welch(x, nperseg=16)[1],
        lambda x: scipy.signal.resample(x, 30),
    ):
        plain = f(x)
        out, pull = pb.vjp(f, x)
        assert out.dtype == plain.dtype
        np.testing.assert_allclose(out, plain, rtol=1e-5, atol=1e-6)
        assert pull(np.ones_like(plain))[0].dtype == np.float32
    scipy.signal.welch(ROWS, nperseg=8)


def test_every_public_function_is_decided():
    for module in (scipy.signal, scipy.signal.windows):
        for name in module.__all__:
            function = getattr(module, name)
            if not isinstance(function, ModuleType):
                assert function in served or f"{module.__name__}.{name}" in decisions, name
    for name in FUNCTIONS:
        assert getattr(scipy.signal, name, None) is None or getattr(scipy.signal, name) in served
    assert scipy.signal.windows.kaiser in served and "kaiser" in WINDOWS


@together()
@pytest.mark.parametrize(
    ("f", "words"),
    [
        (
            lambda x: scipy.signal.gammatone(x[0], "fir"),
            r"signal\.gammatone .*design the filter out",
        ),
        (lambda x: scipy.signal.residue(x, x), r"scipy\.signal\.residue .*freqz_zpk"),
        (lambda x: scipy.signal.cspline1d(x), r"scipy\.signal\.cspline1d .*lfilter"),
        (lambda x: scipy.signal.peak_widths(x, [1]), r"scipy\.signal\.peak_widths .*x\[places\]"),
        (lambda x: scipy.signal.windows.dpss(8, x[0]), r"windows\.dpss .*outside of the function"),
        (lambda x: scipy.signal.place_poles(np.diag(x), EYE, x), r"signal\.place_poles .*NumPy's"),
    ],
)
def test_refusals_say_what_to_use(f, words):
    with pytest.raises(pb.NoRuleError, match=words):
        pb.vjp(f, np.array([0.2, 0.5, 0.3]))


def test_points_of_a_chirp_transform_follow_ratio_and_start():
    pb.check(lambda w, a: scipy.signal.czt_points(4, w, a), 0.9 + 0.1j, 1.1 + 0.2j)
