"""Arrays made inside a function, in the hands of other libraries: plain arrays to all of them."""

from __future__ import annotations

import concurrent.futures
import copy
import functools
import importlib
import importlib.machinery
import io
import json
import math
import pickle
import sys
import types

import numpy as np
import pandas
import pytest
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.special
import scipy.stats

import pullback as pb

X = np.array([0.5, 1.5, -0.75])


def rng():
    return np.random.default_rng(0)


def saved_and_loaded():
    stream = io.BytesIO()
    np.save(stream, np.arange(3.0))
    stream.seek(0)
    return np.load(stream)


def in_threads(function):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, range(3)))


def read_in_threads():
    a = np.arange(3.0)
    return in_threads(lambda i: a[i] * 2 + np.sum(a) + np.sin(a)[1])


def filled_in_threads():
    a = np.zeros((3, 2))

    def fill(i):
        row = a[i]
        row += i + 1.0
        np.multiply(row, 2.0, out=row)
        a.T[1, i] = 0.25

    in_threads(fill)
    return a.sum(axis=1)


def copied_with_its_alias():
    a = np.ones(3)
    one, other = copy.deepcopy([a, a])
    one[0] = 5.0
    return other + a


CONSTANTS = {
    "lu": lambda: scipy.linalg.lu_solve(scipy.linalg.lu_factor(np.tri(3) + np.eye(3)), np.ones(3)),
    "inv": lambda: scipy.linalg.inv(np.tri(3))[1],
    "expm": lambda: scipy.linalg.expm(np.zeros((3, 3)))[0],
    "eigh": lambda: scipy.linalg.eigh(np.diag([1.0, 2.0, 4.0]))[0],
    "eigh of NumPy": lambda: np.linalg.eigh(np.diag([1.0, 2.0, 4.0]))[0],
    "toeplitz": lambda: scipy.linalg.toeplitz(np.arange(3.0))[1],
    "a sparse matrix": lambda: scipy.sparse.csr_matrix(np.tri(3)) @ np.arange(3.0),
    "by coordinates": lambda: scipy.sparse.coo_array(
        (np.ones(2), (np.array([0, 1]), np.array([1, 2]))), shape=(3, 3)
    ).toarray()[0],
    "normal": lambda: rng().normal(np.zeros(3), np.ones(3)),
    "choice": lambda: rng().choice(np.arange(3.0), 3, p=np.ones(3) / 3),
    "permutation": lambda: rng().permutation(np.arange(3.0)),
    "multivariate": lambda: rng().multivariate_normal(np.zeros(3), np.eye(3)),
    "math": lambda: math.sqrt(np.array([1.0, 4.0])[1]) * math.fsum(np.ones(3)),
    "json": lambda: json.loads(json.dumps({"a": np.ones(3).tolist(), "b": np.ones(1).item()}))["b"],
    "pickle": lambda: pickle.loads(pickle.dumps(np.arange(3.0))),
    "a file": saved_and_loaded,
    "deepcopy": copied_with_its_alias,
    "threads": read_in_threads,
    "filled in threads": filled_in_threads,
    "made in threads": lambda: np.stack(in_threads(lambda i: np.full(2, float(i))))[:, 0],
    "interpolation": lambda: scipy.interpolate.CubicSpline(np.arange(4.0), np.arange(4.0) ** 2)(
        1.5
    ),
    "minimum": lambda: scipy.optimize.lsq_linear(np.tri(3), np.ones(3)).x,
    "initial values": lambda: scipy.integrate.solve_ivp(
        lambda _t, y: -y, (0, 1), np.ones(3), t_eval=np.linspace(0, 1, 3)
    ).y[:, -1],
    "filter": lambda: scipy.signal.lfilter(np.ones(2), np.array([1.0, 0.5]), np.ones(3)),
    "distribution": lambda: scipy.stats.multivariate_normal(np.zeros(2), np.eye(2)).pdf(np.ones(2)),
    "special": lambda: scipy.special.gammaln(np.arange(1.0, 4.0)),
    "masked": lambda: np.ma.array(np.ones(3), mask=[0, 1, 0]).filled(2.0),
    "bytes": lambda: np.frombuffer(np.arange(3.0).tobytes()),
    "text": lambda: float(f"{np.ones(2)[0]:.1f}") + len(f"{np.ones(2)} {np.ones(2)!r}"),
    "Python": lambda: sorted(np.array([3.0, 1.0]))[0] + max(np.ones(2)) + int(np.ones(1)[0]),
    "a histogram": lambda: np.histogram(np.arange(3.0), bins=np.linspace(0, 3, 4))[0],
    "polynomial": lambda: np.polynomial.Polynomial(np.array([1.0, 2.0]))(np.arange(3.0)),
}
"""Expressions of nothing but arrays made inside, with a value that broadcasts to three elements."""


@pytest.mark.parametrize("make", CONSTANTS.values(), ids=CONSTANTS)
def test_constants(make):
    """They are the same as without a transformation; they stand beside what is traced."""
    expected = make()

    def f(x):
        return x * np.asarray(make())

    for out in (
        pb.vjp(f, X)[0],
        pb.pushforward(f, (X,), (X,))[1],
        pb.trace(f, X)(X),
        pb.vmap(f)(np.stack([X, X]))[1],
    ):
        np.testing.assert_allclose(out, X * np.asarray(expected), rtol=1e-14, atol=1e-14)
    slope = np.broadcast_to(expected, (3,))
    np.testing.assert_allclose(pb.jacobian(f)(X), np.diag(slope), rtol=1e-14, atol=1e-14)


def test_data_frames():
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]})
    column = frame["a"]

    def filled(x):
        a = np.array(frame)
        a[:, 0] = x
        return np.sum(a**2)

    np.testing.assert_allclose(pb.grad(filled)(X), 2 * X)
    for f in (
        lambda x: np.sum(column * x),
        lambda x: np.sum(x * column),
        lambda x: np.sum(np.asarray(column) * x),
        lambda x: np.sum((np.ones(3) * column).to_numpy() * x),
        lambda x: np.sum((column * np.ones(3)).to_numpy() * x),
        lambda x: np.sum((np.zeros((3, 2)) + frame)["a"].to_numpy() * x),
        lambda x: np.sum(pandas.Series(np.arange(1.0, 4.0)).to_numpy() * x),
        lambda x: np.sum(pandas.DataFrame({"u": np.arange(1.0, 4.0)})["u"].to_numpy() * x),
    ):
        np.testing.assert_allclose(pb.grad(f)(X), [1.0, 2.0, 3.0])


def test_what_threads_write_is_differentiated():
    def f(x):
        a = np.zeros(3)

        def square(i):
            a[i] = x[i] ** 2

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            list(pool.map(square, range(3)))
        return np.sum(a * x)

    np.testing.assert_allclose(pb.grad(f)(X), 3 * X**2)


def test_arrays_in_a_cache_outlive_the_transformation():
    @functools.cache
    def table():
        return np.linspace(0.0, 1.0, 3)

    np.testing.assert_allclose(pb.grad(lambda x: np.sum(table() * x))(X), [0.0, 0.5, 1.0])
    kept = table()
    assert isinstance(kept, np.ndarray)
    plain = np.linspace(0.0, 1.0, 3)
    for use in (
        lambda a: a[1], lambda a: a[1:], lambda a: a + 1, lambda a: 2 / (a + 1), lambda a: -a,
        lambda a: a == a, lambda a: a < 0.7, lambda a: a @ a, np.sum, np.sin, np.asarray, np.array,
        np.copy, np.cumsum, repr, str, len, list, pickle.dumps, np.atleast_2d, np.flatnonzero,
        lambda a: a.sum(), lambda a: a.copy(), lambda a: a.reshape(3, 1), lambda a: a.tolist(),
        lambda a: a[a > 0.2], lambda a: np.concatenate([a, a]), lambda a: np.where(a > 0, a, 1.0),
        lambda a: np.add.outer(a, a), lambda a: f"{a} {a[1]:.2f}", lambda a: a.T.flags.owndata,
        lambda a: a.astype(int), lambda a: float(a[1]), lambda a: np.dot(a, a), copy.deepcopy,
        lambda a: np.linalg.norm(a), lambda a: np.zeros_like(a), lambda a: scipy.special.expit(a),
    ):  # fmt: skip
        got, expected = use(kept), use(plain)
        assert type(got) is type(expected)
        np.testing.assert_array_equal(got, expected)
    kept[0] = 4.0
    kept[1:] *= 2.0
    kept += 1.0
    np.testing.assert_array_equal(kept, [5.0, 2.0, 3.0])
    np.testing.assert_allclose(pb.grad(lambda x: np.sum(table() * x))(X), [5.0, 2.0, 3.0])


FRAMES = '''
"""A library of frames that computes in its own memory, and has errors of its own."""
import numpy as np


class SchemaError(Exception):
    pass


class Column:
    def __init__(self, value):
        self.cells = [value]


class Frame:
    __array_ufunc__ = None
    __array_priority__ = 9000.0

    def __init__(self, values):
        self.values = np.asarray(values)

    def __mul__(self, other):
        if not isinstance(other, Column):
            other = Column(other)
        return compute(self, other)

    def select(self, name):
        raise SchemaError(f"there is no column {name!r}")


def compute(frame, column):
    del frame, column
    raise SchemaError("failed to determine supertype of f64 and object")
'''


def test_errors_of_frames_that_hold_objects(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages" / "framelib"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(FRAMES)
    compiled = types.ModuleType("framelib.core")
    compiled.__file__ = str(folder / f"core{importlib.machinery.EXTENSION_SUFFIXES[0]}")
    monkeypatch.setitem(sys.modules, "framelib.core", compiled)  # it is no Python of the user's
    monkeypatch.syspath_prepend(folder.parent)
    framelib = importlib.import_module("framelib")
    frame = framelib.Frame([1.0, 2.0, 3.0])
    for transform in (
        lambda f: pb.jacobian(f)(X),
        lambda f: pb.vmap(f)(np.stack([X, X])),
        lambda f: pb.trace(f, X),
    ):
        for f in (lambda x: frame * x, lambda x: frame * x[0]):
            with pytest.raises(pb.NoRuleError, match=r"framelib\.Frame.* raised SchemaError: fail"):
                transform(f)
        with pytest.raises(framelib.SchemaError, match="no column 'a'"):
            transform(lambda x: frame.select("a") * x)
