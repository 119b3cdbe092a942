"""Waves as functions of time, and where extrema are."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import scipy.signal as s

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError
from tests.grouping import together

T = np.linspace(0.05, 0.95, 7)
WAVES = {
    "linear": lambda t, a, b: s.chirp(t, a, 1.5, b),
    "quadratic": lambda t, a, b: s.chirp(t, a, 1.5, b, "quadratic", phi=a),
    "vertex": lambda t, a, b: s.chirp(t, a, 1.5, b, "quad", vertex_zero=False),
    "logarithmic": lambda t, a, b: s.chirp(t, a, b, b, "log"),
    "hyperbolic": lambda t, a, b: s.chirp(t, a, 1.5, b, "hyp"),
    "sawtooth": lambda t, a, b: s.sawtooth(9 * t * b, a / 4),
    "square": lambda t, a, b: s.square(9 * t * b, a / 4) * a,
}


@together()
@pytest.mark.parametrize("name", WAVES)
def test_waves(name):
    f = WAVES[name]
    point = (T, np.float64(1.2), np.float64(2.3))
    out, pull = pb.vjp(f, *point)
    np.testing.assert_allclose(out, f(*point), rtol=1e-13, atol=1e-13)
    bar, step = np.cos(np.arange(7.0)), 1e-6
    back = pull(bar)
    for place, (x, x_bar) in enumerate(zip(point, back, strict=True)):
        shift = [step * (place == i) for i in range(3)]
        ahead = f(*(p + h for p, h in zip(point, shift, strict=True)))
        behind = f(*(p - h for p, h in zip(point, shift, strict=True)))
        slopes = (ahead - behind) / (2 * step)
        expected = bar * slopes if np.ndim(x) else bar @ slopes
        np.testing.assert_allclose(x_bar, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(pb.vmap(f, (0, None, None))(T, *point[1:]), out, rtol=1e-13)
    np.testing.assert_allclose(pb.trace(f, *point)(*point), out, rtol=1e-13)


def test_chirps_that_are_complex_or_wrong():
    if "complex" in inspect.signature(s.chirp).parameters:
        out = pb.vjp(lambda t: s.chirp(t, 1.0, 2.0, 3.0, complex=True), T)[0]
        np.testing.assert_allclose(out, s.chirp(T, 1.0, 2.0, 3.0, complex=True), rtol=1e-13)
    for method, words in {"some": "method is 'some'", "log": "of one sign", "hyp": "not 0"}.items():
        with pytest.raises(ArgumentValueError, match=rf"scipy\.signal\.chirp: .*{words}"):
            pb.vjp(lambda t, m=method: s.chirp(t, 0.0, 1.0, 2.0, m), T)


# -- extrema --------------------------------------------------------------------------------------

X = np.array([0.0, 1.2, 0.3, 2.0, 0.1, 0.9, 0.2, 1.5, -0.5])


def test_places_are_constant_and_heights_are_not():
    def f(x):
        peaks, _ = s.find_peaks(x)
        assert isinstance(peaks, np.ndarray) and peaks.dtype.kind == "i"
        return np.sum(x[peaks] ** 2) + np.sum(x[s.argrelmin(x)[0]])

    peaks, minima = s.find_peaks(X)[0], s.argrelmin(X)[0]
    expected = np.zeros(9)
    expected[peaks], expected[minima] = 2 * X[peaks], 1
    np.testing.assert_array_equal(pb.grad(f)(X), expected)
    for find in (s.argrelmax, lambda x: s.argrelextrema(x, np.greater)):
        places = []
        pb.vjp(lambda x, find=find, places=places: (places.append(find(x)[0]), x)[1], X)
        np.testing.assert_array_equal(places[0], peaks)


@together()
@pytest.mark.parametrize(
    ("keywords", "name"),
    [
        ({"height": 1.0}, "peak_heights"),
        ({"prominence": 0.1}, "prominences"),
        ({"threshold": 0.1}, "left_thresholds"),
        ({"threshold": 0.1}, "right_thresholds"),
    ],
)
def test_properties(keywords, name):
    def f(x):
        return s.find_peaks(x, **keywords)[1][name]

    out, out_dot = pb.pushforward(f, (X,), (np.cos(X),))
    np.testing.assert_allclose(out, f(X), rtol=1e-15)
    step = 1e-6
    expected = (f(X + step * np.cos(X)) - f(X - step * np.cos(X))) / (2 * step)
    np.testing.assert_allclose(out_dot, expected, atol=1e-8)


def test_prominences_and_refusals():
    peaks = s.find_peaks(X)[0]
    out, pull = pb.vjp(lambda x: s.peak_prominences(x, peaks)[0], X)
    np.testing.assert_allclose(out, s.peak_prominences(X, peaks)[0], rtol=1e-15)
    assert np.sum(pull(np.ones(len(peaks)))[0]) == 0
    with pytest.raises(ArgumentTypeError, match=r"find_peaks: the argument width"):
        pb.vjp(lambda x: s.find_peaks(x, width=1), X)
    with pytest.raises(ArgumentTypeError, match=r"find_peaks: got a condition that is traced"):
        pb.vjp(lambda x: s.find_peaks(X, height=x), 1.0)
    with pytest.raises(pb.DataDependenceError, match=r"find_peaks: the argument x"):
        pb.vmap(lambda x: s.find_peaks(x)[0])(np.stack([X, X]))
