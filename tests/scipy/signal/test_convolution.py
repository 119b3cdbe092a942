"""Convolutions and correlations of scipy.signal on traced arrays."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.signal as s

import pullback as pb
from pullback.errors import ArgumentValueError
from tests.grouping import together
from tests.linear_maps import matrix_of, real_vector

RNG = np.random.default_rng(12)
LINES = [((5,), (3,)), ((4,), (6,)), ((1,), (1,))]
IMAGES = [((3, 4), (2, 3)), ((2, 3), (3, 4)), ((2, 3), (3, 2))]
MODES = ("full", "same", "valid")


def arrays(shapes, kind):
    a, v = (RNG.normal(size=shape) for shape in shapes)
    if kind:
        v = v + 1j * RNG.normal(size=v.shape)
    return (a + 1j * a[::-1] if kind == 2 else a), v


def every_call():
    for shapes, mode, kind in [
        *itertools.product(LINES, MODES, range(3)),
        *itertools.product(IMAGES, MODES, range(2)),
    ]:
        for method in ("direct", "fft"):
            for f in (s.convolve, s.correlate):
                yield f, shapes, kind, (mode, method)
        yield s.fftconvolve, shapes, kind, (mode,)
        yield s.fftconvolve, shapes, kind, (mode, -1)
        yield s.oaconvolve, shapes, kind, (mode,)
        if len(shapes[0]) == 2:
            for others in (("fill", 0), ("fill", 1.5), ("wrap", 0), ("symm", 0)):
                for f in (s.convolve2d, s.correlate2d):
                    yield f, shapes, kind, (mode, *others)


def test_values_derivatives_and_adjoints():
    rng = np.random.default_rng(13)
    compared = refused = 0
    for function, shapes, kind, options in every_call():
        a, v = arrays(shapes, kind)

        def f(a, v, function=function, options=options):
            return function(a, v, *options)

        where = f"{function.__name__}{options} of {shapes}, {kind}"
        try:
            expected = f(a, v)
        except ValueError:
            with pytest.raises(ValueError, match=r"fftconvolve: got|valid"):
                pb.vjp(f, a, v)
            refused += 1
            continue
        out, pull = pb.vjp(f, a, v)
        assert out.dtype == expected.dtype and out.shape == expected.shape, where
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-13, err_msg=where)
        bar = rng.normal(size=out.shape) + (1j * rng.normal(size=out.shape) if kind else 0)
        # They are linear in each argument, but for what lies beyond the edges.
        zero = f(0 * a, v), f(a, 0 * v)
        for one, move, still, x_bar in zip(
            (a, v), (lambda x, v=v: f(x, v), lambda x, a=a: f(a, x)), zero, pull(bar), strict=True
        ):
            matrix = matrix_of(lambda x, move=move, still=still: move(x) - still, one)
            np.testing.assert_allclose(
                real_vector(x_bar), _back(matrix, bar, out), rtol=1e-11, atol=1e-12, err_msg=where
            )
            _, dot = pb.pushforward(move, (one,), (one,))
            np.testing.assert_allclose(
                real_vector(dot), matrix @ real_vector(one), rtol=1e-11, atol=1e-11, err_msg=where
            )
        compared += 1
    assert compared > 150 and refused > 5


def _back(matrix, bar, out):
    return matrix.T @ (real_vector(bar) if out.dtype.kind == "c" else np.real(bar).ravel())


@together()
@pytest.mark.parametrize(
    "name", ["convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d"]
)
def test_second_order_batches_graphs_and_compiled_code(name):
    f = getattr(s, name)
    x, k = RNG.normal(size=(4, 6)), RNG.normal(size=(2, 3))

    def loss(x, k):
        return np.sum(f(np.sin(x), k, "same") ** 3)

    gradient = pb.grad(loss, argnums=(0, 1))
    u, w = RNG.normal(size=x.shape), RNG.normal(size=k.shape)
    second = pb.pushforward(gradient, (x, k), (u, w))[1]
    again = pb.grad(lambda x, k: pb.pushforward(loss, (x, k), (u, w))[1], (0, 1))(x, k)
    step = 1e-5
    ahead, behind = gradient(x + step * u, k + step * w), gradient(x - step * u, k - step * w)
    for ours, other, plus, minus in zip(second, again, ahead, behind, strict=True):
        expected = (plus - minus) / (2 * step)
        np.testing.assert_allclose(ours, expected, atol=1e-7 * np.max(np.abs(expected)))
        np.testing.assert_allclose(other, ours, rtol=1e-11, atol=1e-11)
    for mapped in ((0, 0), (0, None), (None, 0)):
        xs = np.stack([x, x + 1]) if mapped[0] == 0 else x
        ks = np.stack([k, k - 1]) if mapped[1] == 0 else k
        rows = pb.vmap(gradient, in_axes=mapped)(xs, ks)
        last = gradient(xs[1] if mapped[0] == 0 else x, ks[1] if mapped[1] == 0 else k)
        for batch, one in zip(rows, last, strict=True):
            np.testing.assert_allclose(batch[1], one, rtol=1e-11, atol=1e-11)
    for ours, one in zip(pb.compile(gradient)(x, k), gradient(x, k), strict=True):
        np.testing.assert_allclose(ours, one, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(pb.trace(loss, x, k)(x, k), loss(x, k), rtol=1e-13)


def test_large_ones_are_transformed():
    x, k = RNG.normal(size=20_000), RNG.normal(size=3_000)
    assert s.choose_conv_method(x, k) == "fft"
    y_bar = np.cos(np.arange(22_999))
    out, pull = pb.vjp(s.convolve, x, k)
    np.testing.assert_array_equal(out, s.convolve(x, k))
    x_bar, k_bar = pull(y_bar)
    np.testing.assert_allclose(x_bar, s.correlate(y_bar, k, "valid"), atol=1e-9)
    np.testing.assert_allclose(k_bar, s.correlate(y_bar, x, "valid"), atol=1e-9)
    assert pb.grad(lambda x: np.sum(x) * (s.choose_conv_method(x, k) == "fft"))(x)[0] == 1


def test_scalars_dtypes_and_constants():
    assert pb.grad(lambda x: s.convolve(x, 3.0))(2.0) == 3.0
    assert pb.grad(lambda x: s.correlate(x, 3.0) + s.fftconvolve(x, x))(2.0) == 7.0
    x, k = RNG.normal(size=6).astype(np.float32), np.array([1, 2, 3])
    for method in ("direct", "fft"):
        out, pull = pb.vjp(lambda x, m=method: s.convolve(x, k, method=m), x)
        assert out.dtype == s.convolve(x, k, method=method).dtype
        assert pull(out)[0].dtype == np.float32
    fill = pb.grad(
        lambda c: np.sum(s.convolve2d(np.ones((2, 2)), np.ones((2, 2)), "full", "fill", c))
    )
    assert fill(0.5) == 20
    with (
        np.errstate(invalid="ignore"),
        pytest.warns(RuntimeWarning, match="infinite or not a number"),
    ):
        pb.vjp(lambda x: s.convolve(x, [1.0, 2.0], method="fft"), np.array([np.inf, 1.0]))


@together()
@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: s.convolve(x, np.ones((2, 2))), r"convolve: got in1 of shape \(3,\)"),
        (lambda x: s.convolve(x, x, "some"), r"convolve: mode is 'some'"),
        (lambda x: s.correlate(x, x, method="some"), r"correlate: method is 'some'"),
        (lambda x: s.convolve2d(x, x), r"convolve2d: in1 is .*two axes"),
        (lambda x: s.convolve2d(x[None], x[None], boundary="no"), r"convolve2d: boundary is 'no'"),
        (lambda x: s.fftconvolve(x, x, axes=[]), r"fftconvolve: got no axes"),
        (lambda x: s.fftconvolve(x, x, axes=[0, -1]), r"fftconvolve: .* more than once"),
        (lambda x: s.convolve(x, x[:0], method="direct"), r"convolve: in1 is .*one element"),
    ],
)
def test_errors_name_the_function_and_what_came(f, words):
    with pytest.raises(ArgumentValueError, match=rf"scipy\.signal\.{words}"):
        pb.vjp(f, np.ones(3))
