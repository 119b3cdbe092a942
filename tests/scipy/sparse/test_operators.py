"""Sparse matrices beside traced values, and of traced elements: values, derivatives, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import pullback as pb
from pullback.core.tracing import Tracer

RNG = np.random.default_rng(3)
DENSE = RNG.normal(size=(4, 4)) * (RNG.random((4, 4)) < 0.6)
DENSE[1] = 0  # an empty row
DENSE[2, 2] = 1.5
X, COLUMNS, WHOLE = RNG.normal(size=4), RNG.normal(size=(4, 3)), RNG.normal(size=(4, 4)) + 5
NUMBER = np.float64(1.3)
FORMATS = ("csr", "csc", "coo", "dia", "bsr", "lil", "dok")
CONSTANT = sp.csr_array(DENSE)


def dense(y):
    return y.toarray() if sp.issparse(y) else np.asarray(y)


def as_array(y):
    return y.toarray() if type(y) is not Tracer and sp.issparse(y) else y


def differences(f, x):
    """The gradient by central differences, of fourth order."""
    out, x = np.zeros_like(x), np.asarray(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 5e-4
        near, far = (f(x + k * step) - f(x - k * step) for k in (1, 2))
        out[place] = (8 * near - far) / 6e-3
    return out


def check(name, f, x, *, bits=True):
    """Value, dtype and shape are SciPy's; both directions against differences; one batch."""
    plain = dense(f(x))
    value, pull = pb.vjp(lambda x: as_array(f(x)), x)
    assert value.dtype == plain.dtype, name
    assert value.shape == plain.shape, name
    rtol, atol = (0, 0) if bits else (1e-14, 4e-15)
    np.testing.assert_allclose(value, plain, rtol=rtol, atol=atol, err_msg=name)
    weights = np.cos(np.arange(value.size)).reshape(value.shape)
    wanted = differences(lambda x: np.sum(weights * dense(f(x))), x)
    np.testing.assert_allclose(pull(weights)[0], wanted, rtol=1e-6, atol=1e-6, err_msg=name)
    direction = np.sin(1 + np.arange(x.size)).reshape(x.shape)
    tangent = pb.jvp(lambda x: as_array(f(x)), (x,), (direction,))[1]
    np.testing.assert_allclose(
        np.sum(tangent * weights), np.sum(wanted * direction), rtol=1e-6, atol=1e-6, err_msg=name
    )
    mapped = pb.vmap(lambda x: as_array(f(x)))(np.stack([x, 2 * x]))
    for one, each in zip(mapped, (x, 2 * x), strict=True):
        np.testing.assert_allclose(one, dense(f(each)), rtol=1e-13, atol=1e-14, err_msg=name)


def products(a):
    return {
        "A @ x": lambda x: a @ x,
        "x @ A": lambda x: x.T @ a,
        "A.dot": lambda x: a.dot(x),
        "A.T @ x": lambda x: a.T @ x,
        "sum": lambda x: a.sum() * x,
    }


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_constant_matrix_beside_a_traced_value(name, kind):
    a = getattr(sp, f"{name}_{kind}")(DENSE)
    for label, f in products(a).items():
        check(label, f, X)
        check(label, f, COLUMNS)
    for label, f in {
        "A * t": lambda t: a * t,
        "t * A": lambda t: t * a,
        "A / t": lambda t: a / t,
        "A.multiply(t)": lambda t: a.multiply(t),
    }.items():
        check(label, f, NUMBER)
    for x in (X, X[:, None], WHOLE):
        check("A.multiply(x)", lambda x: a.multiply(x), x)
    check("A / X", lambda x: a / x, WHOLE)
    if kind == "matrix":
        check("A * x", lambda x: a * x, COLUMNS)
        check("x * A", lambda x: x * a, X)
        with pytest.raises(pb.PullbackError, match=r"numpy\.matrix.*A\.toarray\(\)"):
            pb.vjp(lambda x: a + x, WHOLE)
        return
    for label, f in {
        "A * X": lambda x: a * x,
        "X * A": lambda x: x * a,
        "A + X": lambda x: a + x,
        "X + A": lambda x: x + a,
        "A - X": lambda x: a - x,
        "X - A": lambda x: x - a,
        "A.maximum": lambda x: a.maximum(x),
    }.items():
        check(label, f, WHOLE)


@pytest.mark.parametrize("made", ["csr_array", "csc_array", "csr_matrix", "coo_array"])
def test_a_matrix_of_traced_elements(made):
    cls = getattr(sp, made)
    a = cls(DENSE)
    matrix = made.endswith("matrix")

    def of(data):
        if a.format == "coo":
            return cls((data, a.coords), shape=a.shape)
        return cls((data, a.indices, a.indptr), shape=a.shape)

    for label, f in {
        "itself": of,
        "A @ x": lambda d: of(d) @ X,
        "A @ X": lambda d: of(d) @ COLUMNS,
        "x @ A": lambda d: X @ of(d),
        "A.T @ x": lambda d: of(d).T @ X,
        "A.sum()": lambda d: of(d).sum(),
        "A.diagonal(1)": lambda d: of(d).diagonal(1),
        "trace": lambda d: of(d).trace(),
        "A.T @ A": lambda d: of(d).T @ of(d),
        "C @ A": lambda d: CONSTANT @ of(d),
        "A @ C": lambda d: of(d) @ CONSTANT,
        "C.dot(A)": lambda d: CONSTANT.dot(of(d)),
        "2 A + A.T": lambda d: 2 * of(d) + of(d).T,
        "A - C": lambda d: of(d) - CONSTANT,
        "C - A": lambda d: CONSTANT - of(d),
        "-A / 2": lambda d: -of(d) / 2,
        "abs": lambda d: abs(of(d)),
        "sin": lambda d: of(d).sin(),
        "power": lambda d: of(d).power(2),
        "tocsc": lambda d: of(d).tocsc(),
        "tocsr": lambda d: of(d).tocsr().data,
        "tocoo": lambda d: of(d).tocoo(),
        "todia": lambda d: of(d).todia(),
        "reshape": lambda d: of(d).reshape((2, 8)),
        "copy": lambda d: of(d).copy(),
        "multiply": lambda d: of(d).multiply(WHOLE),
        "multiply C": lambda d: of(d).multiply(CONSTANT),
        "C.multiply": lambda d: CONSTANT.multiply(of(d)),
        "kron": lambda d: sp.kron(of(d), CONSTANT),
        "kronsum": lambda d: sp.kronsum(of(d), CONSTANT, format="csr"),
        "vstack": lambda d: sp.vstack([of(d), CONSTANT]),
        "hstack": lambda d: sp.hstack([CONSTANT, of(d)], format="csr"),
        "bmat": lambda d: sp.bmat([[of(d), None], [CONSTANT, of(d).T]]),
        "block_diag": lambda d: sp.block_diag([of(d), np.ones((2, 2))]),
        "tril": lambda d: sp.tril(of(d)),
        "another class": lambda d: sp.coo_array(of(d)),
        **({} if a.format == "coo" else {"row": lambda d: of(d)[[2]]}),
    }.items():
        check(label, f, a.data, bits=False)
    for label, f in {
        "sum(0)": lambda d: of(d).sum(axis=0),
        "sum(1)": lambda d: of(d).sum(axis=1),
        "mean": lambda d: of(d).mean(axis=0),
        "todense": lambda d: of(d).todense(),
        "A + X": lambda d: of(d) + WHOLE,
        "X - A": lambda d: WHOLE - of(d),
        "A * X": lambda d: of(d) * WHOLE,
    }.items():
        if not matrix:
            check(label, f, a.data, bits=False)
        elif label != "A * X":
            with pytest.raises(pb.PullbackError, match=r"numpy\.matrix"):
                pb.vjp(lambda d, f=f: as_array(f(d)), a.data)


def test_places_that_are_named_twice_count_twice():
    rows, columns = np.array([0, 2, 2, 1, 0, 3]), np.array([1, 2, 2, 0, 1, 3])
    data = RNG.normal(size=6)
    for name in ("coo_array", "csr_array", "csc_array", "coo_matrix", "csr_matrix"):

        def of(d, name=name):
            cls = getattr(sp, name)
            return cls((d, (rows, columns)), shape=(4, 4))

        for label, f in {
            "itself": of,
            "A @ x": lambda d, of=of: of(d) @ X,
            "data": lambda d, of=of: of(d).data,
            "csr": lambda d, of=of: of(d).tocsr().data,
            "abs": lambda d, of=of: abs(of(d).tocsr()),
        }.items():
            check(f"{name} {label}", f, data)
    unsorted = (np.array([2, 0, 2, 1]), np.array([0, 3, 4]))
    check("csr", lambda d: sp.csr_array((d, *unsorted), shape=(2, 3)) @ X[:3], data[:4])


def test_matrices_put_together_of_traced_numbers():
    minus = -2 * np.ones(5)
    for label, f, x in [
        ("diags", lambda v: sp.diags([v, minus, v], [-1, 0, 1]), X),
        ("diags_array", lambda v: sp.diags_array([v, minus], offsets=[-1, 0], format="csr"), X),
        ("one diagonal", lambda v: sp.diags(v) @ CONSTANT @ sp.diags_array(v), X),
        ("numbers", lambda v: sp.diags([v[0], v[1], 1.0], [-1, 0, 1], shape=(4, 4)), X),
        ("rows", lambda v: sp.diags(v, [0, 1, 2], shape=(3, 3)), RNG.normal(size=(3, 3))),
        ("spdiags", lambda v: sp.spdiags(v, [0, 1], 3, 3), RNG.normal(size=(2, 3))),
        ("eye", lambda t: sp.eye_array(3) * t, NUMBER),
        ("dia", lambda v: sp.dia_array((v, [0, 1]), shape=(3, 3)) @ X[:3], WHOLE[:2, :3]),
        ("bsr", lambda v: sp.bsr_array((v, [0, 1], [0, 1, 2])) @ X, RNG.normal(size=(2, 2, 2))),
        ("dense", lambda v: sp.csr_array(v), WHOLE),
        ("lists", lambda v: sp.csr_array([[v[0], 1.0], [0.0, v[1]]]), X),
    ]:
        check(label, f, x)


def energy(data, x):
    a = sp.csr_array((data, CONSTANT.indices, CONSTANT.indptr), shape=(4, 4))
    y = a @ (a.T @ np.tanh(x))
    return np.sum(y * y) + np.sum(np.sin(CONSTANT @ x))


def test_second_order_recording_and_compiling():
    args = CONSTANT.data, X

    def reference(data, x):
        whole = np.zeros((4, 4))
        whole[DENSE != 0] = data
        y = whole @ (whole.T @ np.tanh(x))
        return np.sum(y * y) + np.sum(np.sin(DENSE @ x))

    for argnums in (0, 1):
        gradient = pb.grad(energy, argnums)
        wanted = pb.grad(reference, argnums)(*args)
        np.testing.assert_allclose(gradient(*args), wanted, rtol=1e-12)
        np.testing.assert_allclose(pb.trace(gradient, *args)(*args), wanted, rtol=1e-12)
        compiled = pb.compile(gradient)
        np.testing.assert_allclose(compiled(*args), wanted, rtol=1e-12)
        assert "python" not in str(compiled.report(*args)).lower()
        np.testing.assert_allclose(
            pb.hessian(energy, argnums)(*args), pb.hessian(reference, argnums)(*args), rtol=1e-10,
            atol=1e-12,
        )  # fmt: skip
    keys = [pb.trace(lambda x, c=c: (c * CONSTANT) @ x, X).key() for c in (1.0, 2.0)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize("matrix", ["float32", "complex64", "complex128", "int32", "bool"])
@pytest.mark.parametrize("vector", ["float32", "float64", "complex128"])
def test_dtypes_are_scipys(matrix, vector):
    a, x = CONSTANT.astype(matrix), X.astype(vector)
    value, pull = pb.vjp(lambda x: a @ x, x)
    assert value.dtype == (a @ x).dtype
    np.testing.assert_array_equal(value, a @ x)
    (x_bar,) = pull(value)
    assert x_bar.dtype == x.dtype
    wanted = a.toarray().conj().T @ value
    wanted = wanted if vector[0] == "c" else wanted.real
    np.testing.assert_allclose(x_bar, wanted, rtol=1e-5, atol=1e-6)


def test_matrices_without_rows_columns_or_elements():
    for shape in ((0, 3), (3, 0), (2, 3)):
        a = sp.csr_array(shape)
        x = np.ones(shape[1])
        value, pull = pb.vjp(lambda x, a=a: a @ x, x)
        np.testing.assert_array_equal(value, a @ x)
        np.testing.assert_array_equal(pull(np.ones(shape[0]))[0], np.zeros(shape[1]))
        value = pb.vmap(lambda x, a=a: a @ x)(np.ones((2, shape[1])))
        assert value.shape == (2, shape[0])
    zeros = sp.csr_array((np.zeros(2), [0, 1], [0, 1, 2]), shape=(2, 2))
    gradient = pb.grad(lambda d: np.sum(sp.csr_array((d, [0, 1], [0, 1, 2])) @ X[:2]))(zeros.data)
    np.testing.assert_array_equal(gradient, X[:2])


def test_arrays_made_inside_make_plain_matrices():
    def f(x):
        ones = np.ones(3)
        a = sp.diags([ones, -2 * np.ones(4), ones], [-1, 0, 1], format="csr")
        assert type(a) is sp.csr_matrix
        assert type(a.data) is np.ndarray
        assert type(np.ones(4) * sp.csr_array(a)) is sp.coo_array
        y = a @ np.ones(4)
        y[0] = x[0]  # it is an array that can hold what is traced
        return np.sum((a @ x) ** 2) + y @ x

    whole = np.diag(-2 * np.ones(4)) + np.diag(np.ones(3), 1) + np.diag(np.ones(3), -1)
    y = whole @ np.ones(4)
    wanted = 2 * whole.T @ whole @ X + np.array([2 * X[0], *y[1:]])
    np.testing.assert_allclose(pb.grad(f)(X), wanted, rtol=1e-14)


def test_what_it_is_does_not_change():
    def f(data):
        a = sp.csr_array((data, CONSTANT.indices, CONSTANT.indptr), shape=(4, 4))
        assert isinstance(a, sp.csr_array)
        assert sp.issparse(a)
        assert not sp.isspmatrix(a)
        assert (a.shape, a.nnz, a.ndim, a.format) == ((4, 4), data.size, 2, "csr")
        assert a.dtype == data.dtype
        assert a.T.format == "csc"
        assert not hasattr(a, "nothing")
        a.data = 2 * data
        return np.sum(a @ X)

    pb.check(f, CONSTANT.data)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: CONSTANT @ np.stack([x] * 5), r"csr_array @ x: .*\(4, 4\).*\(5, 4\), wanted"),
        (lambda x: CONSTANT @ x[0], "a scalar; use \\* instead"),
        (lambda x: CONSTANT + x[0], r"would make it dense; write A\.toarray\(\) \+ x"),
        (lambda x: np.dot(CONSTANT, x), "csr_array of shape .* write A @ x"),
        (lambda x: np.multiply(CONSTANT, x), r"csr_array of shape .* A\.multiply"),
        (lambda x: x < CONSTANT, "__gt__: a plain sparse matrix"),
        (lambda x: CONSTANT.copy().setdiag(x), "setdiag: a plain sparse matrix"),
        (lambda x: (CONSTANT * x[0]) ** 2, r"__pow__: .*traced elements does not have"),
        (lambda x: (CONSTANT * x[0]).max(), r"csr_array\.max: .*\.toarray\(\)"),
        (lambda x: CONSTANT / (CONSTANT * x[0]), "the quotient of sparse matrices"),
        (lambda x: sp.coo_array((x, (x, x))), "coo_array: the places of elements are traced"),
        (lambda x: sp.csr_array((x, (range(4), range(4))), dtype=int), "dtype is int64"),
        (lambda x: sp.diags([x], [x[0]]), "diags: an argument beside the elements is traced"),
    ],
)
def test_what_is_refused_says_what_to_write(f, words):
    with pytest.raises(pb.PullbackError, match=words):
        pb.vjp(f, X)
