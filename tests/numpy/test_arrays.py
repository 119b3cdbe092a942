"""`numpy.array` and its kin, and arrays that functions make and fill, as NumPy has them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback.core.tracing import Tracer
from tests.numpy.agreement import assert_analytic, assert_derivative

X = np.array([0.5, 1.5, 2.0])


def objects(*elements):
    out = np.empty(len(elements), dtype=object)
    for place, element in enumerate(elements):
        out[place] = element
    return out


def filled(make, *writes):
    """A function of x that makes an array and writes to it."""

    def function(x):
        out = make(x)
        for write in writes:
            write(out, x)
        return out

    return function


def put(place, value):
    return lambda out, x: out.__setitem__(place, value(x))


CONVERSIONS = {
    "matrix": lambda x: np.array([[x[0], 1.0], [0.0, x[1]]]),
    "tuples": lambda x: np.array(((x[0], 1), (2, x[1] * x[2]))),
    "rows": lambda x: np.array([x, 2 * x]),
    "rows and lists": lambda x: np.array([x, [1.0, x[0], 2.0], np.ones(3)]),
    "cube": lambda x: np.array([[[x[0], x[1]], [x[2], 0]], [[1, 2], [3, x[0]]]]),
    "a row in a list": lambda x: np.array([[x]]),
    "a number": lambda x: np.array(x[0]) * np.ones(2),
    "numpy scalars": lambda x: np.array([x[0], np.float64(2), np.int8(3)]),
    "objects": lambda x: np.array(objects(x[0], 2.0, x[1]), dtype=x.dtype),
    "a list of objects": lambda x: np.asarray([objects(x[0], x[1]), objects(1.0, x[2])], x.dtype),
    "asarray of a list": lambda x: np.asarray([x[0], x[2]]),
    "asanyarray": lambda x: np.asanyarray([x[0], x[2]]),
    "ascontiguousarray": lambda x: np.ascontiguousarray([x[0], x[2]]),
    "asfortranarray": lambda x: np.asfortranarray([[x[0], x[2]], [x[1], 0]]),
    "of a transposed": lambda x: np.asfortranarray(np.outer(x, x)).ravel("K"),
    "require": lambda x: np.require([x, x**2], x.dtype, ["F", "W"]),
    "copy": lambda x: np.copy(x) * np.copy(x[0]),
    "copy of a list": lambda x: np.copy([x[0], 1.0]),
    "fromiter": lambda x: np.fromiter((v * v for v in x), x.dtype),
    "fromiter, some": lambda x: np.fromiter((v * v for v in x), x.dtype, 2),
    "ndmin": lambda x: np.array([x[0], 1], ndmin=3),
    "order F": lambda x: np.array([[x[0], 1], [x[1], x[2]]], order="F").ravel("K"),
    "full": lambda x: np.full((2, 2), x[0]),
    "full of a list": lambda x: np.full((2, 3), [x[0], 1.0, x[1]]),
    "full_like": lambda x: np.full_like(np.zeros(3, x.dtype), x[0]),
    "fromfunction": lambda x: np.fromfunction(lambda i, j: i * x[0] + j * x[1], (2, 3)),
    "block": lambda x: np.block([[np.eye(2) * x[0], np.zeros((2, 1))], [np.ones((1, 2)), x[1]]]),
    "concatenate": lambda x: np.concatenate([[x[0]], [1.0, 2.0], x]),
    "stack": lambda x: np.stack([[x[0], 1.0], [2.0, x[1]]], axis=1),
    "hstack": lambda x: np.hstack(([x[0], 1.0], x)),
    "vstack": lambda x: np.vstack([[x[0], 1.0, x[1]], x]),
    "column_stack": lambda x: np.column_stack([[x[0], 1.0, 2.0], x]),
    "tile": lambda x: np.tile([x[0], 1.0], 2),
    "repeat": lambda x: np.repeat([x[0], x[1]], 2),
    "append": lambda x: np.append([x[0], 1.0], x[2]),
    "diag": lambda x: np.diag([x[0], 1.0, x[1]]),
    "outer": lambda x: np.outer([x[0], 1.0], [x[1], x[2]]),
    "meshgrid": lambda x: np.meshgrid([x[0], 1.0], [x[1], x[2]])[0],
}


@pytest.mark.parametrize("function", CONVERSIONS.values(), ids=CONVERSIONS)
def test_conversion(function):
    assert_analytic(function, X)
    in_every_mode(function)


FUNCTIONS = {
    "mean": lambda x: np.mean([x[0], x[1] ** 2]),
    "sum": lambda x: np.sum([[x[0], 1.0], [x[1], x[2]]], axis=0),
    "exp": lambda x: np.exp([x[0], 1.0]),
    "add": lambda x: np.add([x[0], 1.0], (x[1], x[2])),
    "dot": lambda x: np.dot([x[0], x[1]], [1.0, x[2]]),
    "matmul": lambda x: np.matmul([[x[0], 1.0], [0.0, x[1]]], [x[2], 1.0]),
    "einsum": lambda x: np.einsum("i,i", [x[0], x[1]], [1.0, x[2]]),
    "det": lambda x: np.linalg.det([[x[0], 1.0], [2.0, x[1]]]),
    "det of an array": lambda x: np.linalg.det(np.array([[x[0], 1.0], [2.0, x[1]]])),
    "solve": lambda x: np.linalg.solve([[x[0], 1.0], [2.0, x[1]]], [x[2], 1.0]),
    "polyval": lambda x: np.polyval([x[0], x[1], 1.0], x[2]),
    "cumsum": lambda x: np.cumsum([x[0], x[1]]),
    "where": lambda x: np.where([True, False], [x[0], x[1]], [x[2], x[2]]),
    "cross": lambda x: np.cross([x[0], x[1], 1.0], x),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_of_lists(function):
    assert_analytic(function, X, rtol=1e-12)
    in_every_mode(function)


OTHERS = {
    "gammaln": lambda x: scipy.special.gammaln(np.array([x[0], 1.0, x[2]])),
    "maximum": lambda x: np.maximum([x[0], x[1]], 1.0),
    "fmax": lambda x: np.fmax([x[0], 2 * x[0]], [np.nan, 0.0]),
    "sort": lambda x: np.sort([x[2], x[0]]) * np.array([1.0, 2.0]),
    "max": lambda x: np.max([[x[0], x[1]], [x[2], 0.1]], axis=1),
    "clip": lambda x: np.clip([x[0], x[1]], 0.7, 1.8),
    "percentile": lambda x: np.percentile([x[0], x[1], x[2], 1.1], 40),
}


@pytest.mark.parametrize("function", OTHERS.values(), ids=OTHERS)
def test_functions_that_are_not_analytic(function):
    assert_derivative(function, X)
    in_every_mode(function)


FILLINGS = {
    "element by element": filled(lambda x: np.zeros(3, x.dtype), put(0, lambda x: x[0] * x[1]),
                                 put(-1, lambda x: x[2])),
    "columns": filled(lambda x: np.empty((3, 2), x.dtype), put((slice(None), 0), lambda x: x),
                      put((slice(None), 1), lambda x: x**2)),
    "a copy of a constant": filled(lambda x: np.array(np.eye(3)).astype(x.dtype),
                                   put((slice(None), 1), lambda x: 2 * x)),
    "ones": filled(lambda x: np.ones(3, x.dtype), lambda out, x: out.__imul__(x)),
    "a sum": filled(lambda x: np.zeros(3, x.dtype), lambda out, x: out.__iadd__(x),
                    lambda out, x: out[1:].__iadd__(x[0]), lambda out, x: out.__isub__(1.0)),
    "full": filled(lambda x: np.full(3, 2.0, x.dtype), put([0, 2], lambda x: x[:2])),
    "eye": filled(lambda x: np.eye(3, dtype=x.dtype), put((1, slice(None)), lambda x: x)),
    "zeros_like": filled(lambda x: np.zeros_like(np.ones(3, x.dtype)), put(0, lambda x: x[1])),
    "linspace": filled(lambda x: np.linspace(0, 1, 3).astype(x.dtype), put(1, lambda x: x[1])),
    "by a mask": filled(lambda x: np.zeros(3, x.dtype),
                        put(np.array([True, False, True]), lambda x: x[1:])),
    "through a view": filled(lambda x: np.zeros(4, x.dtype),
                             lambda out, x: out.reshape(2, 2)[0].__setitem__(..., x[:2])),
    "through asarray": filled(lambda x: np.zeros(3, x.dtype),
                              lambda out, x: np.asarray(out).__setitem__(0, x[0])),
    "through two names": filled(lambda x: np.zeros(3, x.dtype),
                                lambda out, x: out[:2].__setitem__(0, x[0]),
                                lambda out, x: out[1:].__iadd__(out[0] * x[1])),
    "diagonal": filled(lambda x: np.zeros((3, 3), x.dtype), np.fill_diagonal),
    "np.add.at": filled(lambda x: np.zeros(3, x.dtype),
                        lambda out, x: np.add.at(out, [0, 0, 1], x)),
    "np.put": filled(lambda x: np.zeros(4, x.dtype), lambda out, x: np.put(out, [3, 1], x[:2])),
    "np.copyto": filled(lambda x: np.zeros(3, x.dtype), np.copyto),
    "out=": lambda x: np.multiply(x, 2.0, out=np.empty(3, x.dtype)),
    "out= of constants": lambda x: x * np.dot(np.eye(3), np.ones(3), out=np.empty(3)),
    "flat": filled(lambda x: np.zeros((2, 2), x.dtype),
                   lambda out, x: out.flat.__setitem__(slice(1, 3), x[:2])),
}  # fmt: skip


@pytest.mark.parametrize("function", FILLINGS.values(), ids=FILLINGS)
def test_filling(function):
    assert_analytic(function, X)
    in_every_mode(function)


def in_every_mode(function):
    """The gradient of a sum of the function, in all modes, is that in eager reverse mode."""

    def total(x):
        out = function(x)
        return np.sum(np.cos(np.arange(np.size(out)).reshape(np.shape(out))) * out)

    gradient = pb.grad(total)(X)
    close = np.testing.assert_allclose
    close(pb.trace(pb.grad(total), X)(X), gradient, rtol=1e-12, atol=1e-13)
    close(pb.simplify(pb.trace(function, X))(X), function(X), rtol=1e-13, atol=1e-13)
    close(pb.vmap(pb.grad(total))(np.stack([X, X]))[1], gradient, rtol=1e-12, atol=1e-13)
    looped = pb.grad(lambda x: pb.fori_loop(0, 2, lambda i, s: s + total(x), 0.0))(X)
    close(looped, 2 * gradient, rtol=1e-12, atol=1e-13)
    nested = pb.grad(lambda x: pb.pushforward(total, (x,), (x,))[1])(X)
    close(nested, gradient + pb.hessian(total)(X) @ X, rtol=1e-10, atol=1e-11)


# -- what aliases and what copies ------------------------------------------------------------------

ALIASES = {
    "asarray": lambda x: np.asarray(x),
    "asanyarray": lambda x: np.asanyarray(x),
    "asarray with its dtype": lambda x: np.asarray(x, dtype=float),
    "ascontiguousarray": lambda x: np.ascontiguousarray(x),
    "require": lambda x: np.require(x, float, ["C"]),
    "copy=False": lambda x: np.array(x, copy=False),
    "copy=None": lambda x: np.array(x, copy=None),
    "asarray_chkfinite": lambda x: np.asarray_chkfinite(x),
    "array": lambda x: np.array(x),
    "copy": lambda x: np.copy(x),
    "another dtype": lambda x: np.asarray(x, dtype=np.float32),
    "ndmin": lambda x: np.array(x, ndmin=2),
    "ndmin, copy=None": lambda x: np.array(x, ndmin=2, copy=None)[0],
    "x.copy()": lambda x: x.copy(),
    "np.array([x])": lambda x: np.array([x])[0],
    "asfortranarray": lambda x: np.asfortranarray(x),
}


@pytest.mark.parametrize("convert", ALIASES.values(), ids=ALIASES)
@pytest.mark.parametrize("make", [lambda x: x, lambda x: np.zeros(3) + 0 * x, lambda x: np.ones(3)])
def test_what_aliases_in_numpy_aliases_here(convert, make):
    def f(x):
        made = make(x)
        other = convert(made)
        other[..., 0] = 7.0
        other *= 2.0
        made[1] = x[2]
        return np.stack([made, other.reshape(3)])

    plain = f(X.copy())
    out, out_dot = pb.pushforward(f, (X.copy(),), (np.ones(3),))
    np.testing.assert_array_equal(out, plain)
    np.testing.assert_allclose(out_dot, (f(X + 2.0**-20) - plain) * 2**20, atol=1e-6)


@pytest.mark.parametrize("convert", ALIASES.values(), ids=ALIASES)
def test_what_is_the_same_object_is_the_same_object(convert):
    same = convert(X) is X

    def f(x):
        made = np.ones(3)
        assert (convert(x) is x) == (convert(made) is made) == same
        assert convert(X) is X or not same  # an array from outside stays one
        return np.sum(x)

    pb.grad(f)(X)


def test_copies_that_are_forbidden_are_errors():
    for convert in (
        lambda x: np.array([x[0], 1.0], copy=False),
        lambda x: np.array(x, dtype=np.float32, copy=False),
        lambda x: np.asarray([x, x], copy=False),
    ):
        with pytest.raises(ValueError, match=r"copy=False.*copy=None"):
            pb.grad(lambda x, convert=convert: np.sum(convert(x)))(X)


# -- dtypes ----------------------------------------------------------------------------------------

MIXTURES = {
    "float32 beside a Python float": lambda s: np.array([s(np.float32), 1.0]),
    "float32 beside an integer": lambda s: np.array([s(np.float32), 1]),
    "float32 beside small integers": lambda s: np.array([s(np.float32), np.int8(1)]),
    "float32 rows": lambda s: np.array([[s(np.float32), s(np.float32)]]),
    "float32 beside float64": lambda s: np.array([s(np.float32), s(np.float64)]),
    "complex": lambda s: np.array([s(np.complex64), s(np.float64)]),
    "booleans": lambda s: np.array([s(np.float64), True]),
    "asked for": lambda s: np.array([s(np.float64), 2], dtype=np.float32),
    "asked for complex": lambda s: np.array([s(np.float32), 2], dtype=complex),
    "asked for integers": lambda s: np.array([s(np.float64), 2], dtype=int),
    "full": lambda s: np.full(2, s(np.float32)),
    "fromiter": lambda s: np.fromiter([s(np.float64), 1], np.float32),
}


@pytest.mark.parametrize("make", MIXTURES.values(), ids=MIXTURES)
def test_dtypes_are_numpys(make):
    expected = make(lambda dtype: dtype(1.5))

    def f(x):
        out = make(lambda dtype: np.array(x).astype(dtype)[()])
        assert (out.dtype, out.shape) == (expected.dtype, expected.shape)
        return np.real(np.sum(out)) + 0 * x

    pb.pushforward(f, (1.5,), (1.0,))
    pb.vmap(f)(np.array([1.5, 1.5]))
    pb.trace(f, 1.5)


def test_errors_are_numpys():
    for make in (
        lambda x: np.array([[x[0], 1.0], [2.0]]),
        lambda x: np.array([x, [1.0, 2.0]]),
        lambda x: np.array([x[0]], order="Q"),
    ):
        with pytest.raises((ValueError, TypeError)) as plain:
            make(X)
        with pytest.raises(plain.type) as caught:
            pb.grad(lambda x, make=make: np.sum(make(x)))(X)
        assert str(caught.value) == str(plain.value)
    with pytest.raises(pb.ArgumentTypeError, match=r"dtype <U.*keep numbers apart.*dtype=object"):
        pb.grad(lambda x: np.array([x[0], "a"]))(X)


# -- what stays plain ------------------------------------------------------------------------------


def test_integers_and_booleans_are_plain():
    def f(x):
        for make in (
            lambda: np.zeros(3, int),
            lambda: np.arange(3),
            lambda: np.array([1, 2]),
            lambda: np.ones(3, bool),
            lambda: np.argsort(np.ones(3)),
            lambda: np.zeros(3) == 0,
        ):
            assert type(make()) is np.ndarray
        return np.sum(x[np.arange(3)])

    pb.grad(f)(X)


def test_elements_are_numpys_scalars():
    def f(x):
        made = np.linspace(0.0, 1.0, 4)
        assert type(made[1]) is type(np.sum(made)) is type(made.max()) is np.float64
        assert [type(element) for element in made] == [np.float64] * 4
        assert type(made.tolist()[0]) is float and type(float(made[0])) is float
        return np.sum(x)

    pb.grad(f)(X)


def test_integers_that_are_traced_can_be_written_to_what_is_made():
    def f(i):
        counts = np.zeros(4, int)
        counts[i] += 2
        table = np.array([3, 1, 0, 2])
        return counts, table[i]

    counts, looked_up = pb.vmap(f)(np.array([1, 3]))
    np.testing.assert_array_equal(counts, [[0, 2, 0, 0], [0, 0, 0, 2]])
    np.testing.assert_array_equal(looked_up, [1, 2])
    for got, expected in zip(pb.trace(f, 2)(1), f(1), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_what_comes_out_is_plain():
    kept = {}

    def f(x):
        kept["table"] = np.linspace(0.0, 1.0, 3)
        kept["sum"] = kept["table"] + np.ones(3)
        return np.sum(x * kept["table"]), (np.zeros(2), {"a": np.eye(2)[0]})

    gradient, (zeros, rest) = pb.grad(f, has_aux=True)(X)
    assert type(gradient) is type(zeros) is type(rest["a"]) is np.ndarray
    assert type(pb.vmap(lambda x: np.ones(2))(X)) is np.ndarray
    assert type(pb.pushforward(lambda x: np.ones(2), (1.0,), (1.0,))[0]) is np.ndarray
    assert type(pb.trace(lambda x: np.ones(2), 1.0)(1.0)) is np.ndarray
    table = kept["table"]
    assert type(table * 2) is type(np.exp(table)) is type(np.asarray(table)) is np.ndarray
    assert isinstance(table, np.ndarray) and table[1] == 0.5 and len(table) == 3
    np.testing.assert_array_equal(kept["sum"], [1.0, 1.5, 2.0])
    table[0] = 5.0
    np.testing.assert_array_equal(table @ np.ones(3), 6.5)
    np.testing.assert_array_equal(pb.grad(lambda x: np.sum(x * table))(X), [5.0, 0.5, 1.0])


def test_what_is_made_inside_one_transformation_can_be_used_in_another():
    def outer(x):
        made = np.zeros(3)
        made[0] = 2.0
        inner = pb.grad(lambda y: np.sum(y**2 * made))(x)
        made[1] = x[0]
        return np.sum(inner * made)

    # made is [2, 0, 0] when the inner gradient, 2 y made, is taken, and [2, x₀, 0] at the end.
    np.testing.assert_allclose(pb.grad(outer)(X), [8.0, 0.0, 0.0])


def test_writes_of_constants_are_in_place():
    """A loop that fills a large constant touches what it writes, as NumPy's does."""

    def f(x):
        made = np.zeros(1_000_000)
        memory = made._value
        for i in range(100):
            made[i] = 1.0
            made[i : i + 3] += 2.0
        made *= 0.5
        np.add.at(made, [0], 1.0)
        assert made._value is memory and type(made) is Tracer
        return x * made[1]

    assert pb.grad(f)(2.0) == (1.0 + 2.0) / 2
