"""Methods and attributes of ndarray on traced arrays."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import pullback as pb
from pullback.core.tracing import Tracer
from tests.numpy.agreement import (
    assert_analytic,
    assert_constant,
    assert_derivative,
    assert_linear,
)

X = np.linspace(0.5, 2.0, 12).reshape(3, 4)
Z = X + 1j * X[::-1]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.T,
        lambda x: x.mT,
        lambda x: x.sum(),
        lambda x: x.sum(0),
        lambda x: x.sum(axis=1, keepdims=True),
        lambda x: x.reshape(4, 3),
        lambda x: x.reshape((2, -1)),
        lambda x: x.reshape(-1, order="F"),
        lambda x: x.ravel(),
        lambda x: x.flatten("F"),
        lambda x: x.transpose(),
        lambda x: x.transpose(1, 0),
        lambda x: x.transpose((1, 0)),
        lambda x: x.swapaxes(0, 1),
        lambda x: x[:1].squeeze(0),
        lambda x: x.repeat(2, axis=1),
        lambda x: x.take([0, 2], axis=1),
        lambda x: x.trace(),
        lambda x: x.diagonal(1),
        lambda x: x.cumsum(1),
        lambda x: x.copy(),
        lambda x: x.conj(),
        lambda x: x.conjugate(),
        lambda x: x.compress([True, False, True], axis=0),
        lambda x: x.astype(complex),
        lambda x: x.astype(x.dtype),
        lambda x: np.astype(x, x.dtype),
        lambda x: x.flat[3:5],
        lambda x: x.item(5),
        lambda x: x.item(-1),
        lambda x: x.item(1, 2),
        lambda x: x.item((2, 0)),
        lambda x: x[:1, :1].item(),
        lambda x: x[1].tolist()[2],
        lambda x: x.tolist()[1][2],
        lambda x: x.to_device("cpu"),
        lambda x: copy.copy(x),
        lambda x: copy.deepcopy({"a": x})["a"],
    ],
)
def test_linear_methods(function):
    assert_linear(function, X)
    assert_linear(function, Z)


def test_parts_of_complex_arrays():
    assert_linear(lambda z: (z.real, z.imag, z.T.real[1]), Z)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.mean(axis=0),
        lambda x: x.prod(1),
        lambda x: x.cumprod(0),
        lambda x: x.dot(x.T),
    ],
)
def test_analytic_methods(function):
    assert_analytic(function, X)


@pytest.mark.parametrize("function", [lambda x: x.var(), lambda x: x.std(axis=1, ddof=1)])
def test_spread(function):
    assert_derivative(function, X)


def test_extrema_and_clip():
    x = np.array([3.0, 1.0, 2.0])
    gradient = pb.grad(lambda x: x.max() + 10 * x.min() + 100 * x.clip(1.5, 2.5).sum())(x)
    np.testing.assert_array_equal(gradient, [1.0, 10.0, 100.0])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.argsort(),
        lambda x: x.argmax(axis=1),
        lambda x: x.argmin(),
        lambda x: x.argpartition(1),
        lambda x: (x > 1).any(axis=0),
        lambda x: x.all(),
        lambda x: x.any(1),
        lambda x: x.nonzero(),
        lambda x: x[0].searchsorted([0.6, 0.7]),
        lambda x: x.astype(int),
        lambda x: x.astype(bool),
    ],
)
def test_constant_methods(function):
    assert_constant(function, X)


def test_rounding_is_constant():
    def f(x):
        return x.round() + np.round(x, 1) + round(x, 1) + x

    np.testing.assert_array_equal(pb.grad(f)(2.26), 1.0)


def inside(probe, x=X):
    """What `probe` sees of a traced array."""
    seen = []

    def f(x):
        seen.append(probe(x))
        return x.sum()

    pb.grad(f)(x)
    return seen[0]


def test_attributes():
    for name in ("ndim", "size", "itemsize", "nbytes", "shape", "dtype", "strides", "device"):
        assert inside(lambda x, name=name: getattr(x, name)) == getattr(X, name)
    assert inside(lambda x: x.flags.c_contiguous)
    assert inside(len) == 3


def test_precision_is_kept():
    assert pb.grad(lambda x: (x.astype(np.float64) ** 2).sum())(np.ones(2, "f4")).dtype == "f4"
    assert pb.grad(lambda x: (x.astype(np.float32) ** 2).sum())(np.ones(2)).dtype == "f8"
    gradient = pb.grad(lambda x: np.abs(x.astype(complex) * 1j).sum())(np.array([2.0, -3.0]))
    np.testing.assert_allclose(gradient, [1.0, -1.0])


def test_copies_are_independent():
    def f(x):
        y = x * 1.0
        kept = [y.copy(), copy.copy(y), copy.deepcopy(y), np.array(y, like=y), y.flatten()]
        y[:] = 0.0
        return sum(np.sum(c) for c in kept) + np.sum(y)

    np.testing.assert_array_equal(pb.grad(f)(np.ones(2)), 5.0)


def test_parts_are_views():
    def f(z):
        w = z * 1.0
        w.real = z.imag
        w.imag *= 2.0
        w.T.real[0] = z.imag[:, 1]
        w[1:].imag += z.real[:2]
        part = w.real
        part[0, 1] += 3 * z.imag[2, 2]
        w[0] *= 2.0
        return w, part, part[0].copy()

    assert_linear(f, Z)


def test_the_real_part_of_a_real_array_is_the_array():
    def f(x):
        y = x * 1.0
        part = y.real
        part[0] = 5.0
        y.real *= 2.0
        return y + part + y.imag

    np.testing.assert_array_equal(pb.jacobian(f)(np.ones(2)), [[0.0, 0.0], [0.0, 4.0]])


def test_printing_shows_the_value():
    assert inside(lambda x: f"{x[0, 0]:5.2f} {x[0, 0]}") == (
        f"Tracer({X[0, 0]:5.2f}) Tracer({X[0, 0]})"
    )
    assert inside(lambda x: f"{x}") == f"Tracer({X})"
    assert inside(lambda x: f"{pb.stop_gradient(x[0, 0]):.2f}") == f"{X[0, 0]:.2f}"
    assert inside(repr).startswith("Tracer(array([[0.5")


def test_length_and_iteration_of_a_scalar():
    with pytest.raises(TypeError, match="len"):
        pb.grad(lambda x: len(x))(1.0)
    with pytest.raises(TypeError, match="iteration over a 0-d array"):
        pb.grad(lambda x: sum(x))(1.0)
    with pytest.raises(ValueError, match="size 1"):
        pb.grad(lambda x: x.item())(X)


@pytest.mark.parametrize(
    "name",
    [
        "base", "byteswap", "ctypes", "data", "dump", "dumps", "getfield", "resize", "setfield",
        "tobytes", "tofile", "_set_dtype", "_set_shape",
    ],
)  # fmt: skip
def test_what_reaches_for_the_memory_is_refused(name):
    with pytest.raises(pb.NoRuleError, match=rf"ndarray\.{name}.*pullback\.stop_gradient"):
        pb.grad(lambda x: getattr(x, name))(X)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("view", lambda x: x.view(np.int64)),
        ("view", lambda x: x.view(type=np.matrix)),
        ("setflags", lambda x: x.setflags(write=False)),
    ],
)
def test_calls_that_reach_for_the_memory_are_refused(name, call):
    with pytest.raises(pb.NoRuleError, match=rf"ndarray\.{name}.*pullback\.stop_gradient"):
        pb.grad(call)(X)


def test_views_of_constants_made_inside():
    def f(x):
        a = np.arange(3.0)
        bits = a.view(np.int64)
        assert bits.dtype == np.int64
        with pytest.raises(ValueError, match="read-only"):
            bits[0] = 1
        a.setflags(write=False)
        with pytest.raises(ValueError, match="read-only"):
            a[0] = 1.0
        return x * np.sum(a.view()) * np.sum(bits > 0)

    assert pb.grad(f)(1.0) == 6.0


def test_every_attribute_of_an_array_has_a_decision():
    """All that an array has, where some names only tell that the attribute was removed.

    The exception is an old name of ``tobytes``, which NumPy gave up after a deprecation.
    """
    ours = {name for name in dir(Tracer) if not name.startswith("__")}
    theirs = {name for name in dir(X) if not name.startswith("__") and hasattr(X, name)}
    assert theirs - {"tostring"} <= ours


def test_the_dtype_is_not_assigned_to():
    with pytest.raises(pb.ArgumentTypeError, match=r"y = y\.astype\(dtype\)"):
        pb.grad(lambda x: setattr(x, "dtype", complex))(X)


@pytest.mark.parametrize(
    ("convert", "words"),
    [
        (lambda z: z.astype(float), r"np\.real\(x\)\.astype\(float64\)"),
        (lambda z: z.astype("U3"), "a dtype of numbers"),
        (lambda z: z.astype(np.complex64, casting="safe"), "casting='safe'"),
        (lambda z: z.to_device("gpu"), "wanted 'cpu'"),
    ],
)
def test_conversions_that_are_refused(convert, words):
    with pytest.raises(pb.ArgumentTypeError, match=words):
        pb.pullback(convert, (Z,))


# -- object arrays ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.array([x[0, 0] ** 2, x[1, 1]]),
        lambda x: np.array([x[0] * x[1], x[2]]),
        lambda x: np.array([[x[0, 0], 1.0], [0.0, x[1, 1] ** 3]]),
        lambda x: np.array([x[0, 0], x[1, 1]]) * 2.0 + x[0, :2],
        lambda x: 1.0 - np.array([x[0, 0], x[1, 1]]) / x[2, 3],
        lambda x: np.exp(np.array([x[0, 0], x[1, 1]])),
        lambda x: np.sin(np.array([[x[0, 0]], [x[1, 1]]])),
        lambda x: np.sqrt(np.array([x[0, 0], x[1, 1]])) ** 3,
        lambda x: -np.tanh(np.array([x[0], x[1]])),
        lambda x: np.sum(np.array([x[0, 0], x[1, 1]])),
        lambda x: np.array([x[0], x[1]]).sum(axis=0),
        lambda x: np.dot(np.array([x[0, 0], x[1, 1]]), np.array([2.0, 3.0])),
        lambda x: np.array([[x[0, 0], 0.0], [1.0, x[1, 1]]]) @ x[1:, 2:],
        lambda x: x[:2, :2] @ np.array([x[0, 0], x[1, 1]]),
        lambda x: np.array([x[0, 0], x[1, 1]])[1] * 2.0,
        lambda x: np.array([x[0], x[1]])[:, 1],
        lambda x: np.concatenate([np.array([x[0, 0], x[1, 1]]), x[0]]),
        lambda x: np.full(3, x[0, 0]) * x[1, :3],
    ],
)
def test_arrays_made_of_traced_numbers(function):
    assert_analytic(function, X)


def objects(*elements):
    """An array of dtype object, over which a ufunc of NumPy's own runs a loop of method calls."""
    out = np.empty(len(elements), dtype=object)
    for place, element in enumerate(elements):
        out[place] = element
    return out


@pytest.mark.parametrize(
    "ufunc",
    [
        np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sqrt, np.cbrt,
        np.square, np.reciprocal, np.negative, np.absolute, np.fabs, np.conjugate,
        np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan,
        np.sinh, np.cosh, np.tanh, np.arcsinh, np.arctanh, np.degrees, np.radians, np.deg2rad,
        np.rad2deg, np.floor, np.ceil, np.trunc, np.rint, np.sign,
    ],
)  # fmt: skip
def test_numpys_loops_over_objects_find_their_methods(ufunc):
    x = np.array([0.3, 0.6])
    with np.errstate(all="ignore"):
        got = pb.grad(lambda x: np.sum(1.0 * ufunc(objects(x[0], x[1]))) + x[0])(x)
        expected = pb.grad(lambda x: np.sum(ufunc(x)) + x[0])(x)
    np.testing.assert_allclose(got, expected, rtol=1e-15)


def test_two_argument_loops_over_objects():
    x = np.array([0.3, 0.6])
    for ufunc in (np.arctan2, np.hypot, np.maximum, np.minimum, np.power, np.fmod):
        got = pb.grad(lambda x, u=ufunc: np.sum(u(objects(x[0], x[1]), objects(x[1], 2.0))))(x)
        expected = pb.grad(lambda x, u=ufunc: u(x[0], x[1]) + u(x[1], 2.0))(x)
        np.testing.assert_allclose(got, expected, rtol=1e-15)


def test_the_mean_of_what_is_in_a_list():
    np.testing.assert_allclose(pb.grad(lambda x: np.mean([x[0], x[1] ** 2]))(np.ones(2)), [0.5, 1])


@pytest.mark.parametrize("dtype", [complex, np.int64, np.float32])
def test_a_view_of_another_dtype_is_read_until_something_traced_is_written(dtype):
    """It shows the elements as they are now; a derivative would be lost in it."""

    def read(x):
        y = np.ones(4)
        seen = y.view(dtype)
        y[0] = 3.0
        return np.sum(y * x) * (seen[0] == np.array([3.0, 1.0]).view(dtype)[0])

    def written(x):
        y = np.ones(4)
        seen = y.view(dtype)
        y[0] = x[0]
        return np.sum(y) + np.sum(seen.real)

    x = np.arange(4.0)
    np.testing.assert_array_equal(pb.grad(read)(x), [3.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(pb.vmap(pb.grad(read))(x[None]), [[3.0, 1.0, 1.0, 1.0]])
    with pytest.raises(pb.NoRuleError, match="view reaches for the memory"):
        pb.grad(written)(x)
    with pytest.raises(pb.NoRuleError, match="view reaches for the memory"):
        pb.vmap(written)(x[None])


def test_a_view_of_another_dtype_is_not_written_to():
    def f(x):
        y = np.ones(4)
        y.view(complex)[0] = 2.0
        return np.sum(x * y)

    with pytest.raises(pb.AliasError, match="another dtype"):
        pb.grad(f)(np.ones(4))


def test_methods_of_plain_arrays_beside_traced_bounds():
    plain = np.arange(5.0)

    def into(x):
        y = x * np.ones(5)
        plain.clip(1.0, 3.0, out=y)
        return np.sum(y) * x

    assert pb.grad(lambda x: np.sum(plain.clip(0.5, x) ** 2))(2.5) == 10.0
    assert pb.grad(into)(2.0) == np.sum(plain.clip(1.0, 3.0))
