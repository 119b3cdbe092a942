"""Selecting by a mask of which the values are not known, or differ from example to example.

NumPy itself says what comes out, and differences of its results what the derivatives are.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb

X = np.array([1.3, -2.0, 3.1, -0.4, 0.7])
W = np.array([0.5, 1.5, -1.0, 2.0, 0.3])


def table(x):
    return x * np.outer(W, W[:4]).T


def written(y, key, value):
    y[key] = value
    return y


def added(y, mask):
    y[mask] += 2.0
    y[mask] *= y[1]
    y[mask] -= y[mask] ** 2
    return y


def scaled(y, key):
    y[key] *= 2.0
    y[key] += y.ravel()[0]
    return y


def copies_are_apart(x):
    s = x[x > 0]
    t = s
    s *= 3.0
    return np.sum(t) + np.sum(x)


def later_writes(x):
    y = x.copy()
    s = y[y > 0]
    y[0] = 9.0
    return np.sum(s * s) + y[0]


REDUCED = {
    "sums": lambda x: x[x > 0].sum() + np.sum(x[x < 0] ** 2),
    "means": lambda x: np.mean(x[x > 0]) * x[x > 0].mean(),
    "centred": lambda x: np.sum((x[x > 0] - np.mean(x[x > 0])) ** 2),
    "products": lambda x: np.prod(x[x > 0]),
    "extrema": lambda x: np.max(x[x > 0]) - 2 * x[x > 0].min(),
    "spread": lambda x: np.var(x[x > 0]) + np.std(x[x > 0], ddof=1),
    "norms": lambda x: np.linalg.norm(x[x > 0]) + np.linalg.norm(x[x < 0], 1),
    "inner products": lambda x: x[x > 0] @ (W * x)[x > 0] + np.vdot(x[x < 0], 2 * x[x < 0]),
    "domains": lambda x: np.sum(np.log(x[x > 0])) + np.sum(np.sqrt(x[x > 0]) / x[x > 0]),
    "counts": lambda x: np.sum(x) / x[x > 0].size + np.count_nonzero(x[x > 0] > 1),
    "two conditions": lambda x: np.sum(x[(x > 0) & (x < 3)]) + np.sum(x[x > 0][x[x > 0] < 3]),
    "numbers on the left": lambda x: np.sum(2.0 / x[x > 0] - 1.0 + x[1] * x[x > 0] ** x[0]),
    "rows": lambda x: np.sum(W * np.sum(table(x)[x[:4] > 0], axis=0)),
    "rows, one by one": lambda x: np.sum(table(x)[x[:4] > 0].sum(axis=1) ** 2),
    "rows with numbers beside": lambda x: np.sum(table(x)[x[:4] > 0] * W + W),
    "rows, about their means": lambda x: (
        table(x)[x[:4] > 0].var(axis=1, ddof=1)
        + np.std(table(x)[x[:4] > 0], axis=-1, ddof=2) ** 3
        + table(x)[x[:4] > 0].sum(axis=-1)
    ).sum(),
    "rows, axes kept": lambda x: np.sum(
        (table(x) / 9)[x[:4] > 0] * np.var(table(x)[x[:4] > 0], axis=1, keepdims=True)
        + np.mean(table(x)[x[:4] > 0], axis=1, keepdims=True)
    ),
    "rows, axes kept in front": lambda x: np.sum(
        np.sum(table(x)[x[:4] > 0], axis=0, keepdims=True) * W
        + np.var(table(x)[x[:4] > 0], keepdims=True, ddof=1)
        + np.std(table(x)[x[:4] > 0], axis=0, keepdims=True) * W
    ),
    "rows, several axes": lambda x: (
        np.mean(table(x)[x[:4] > 0], axis=(0, 1))
        + table(x)[x[:4] > 0].var(axis=(-1, 0), ddof=1)
        + np.sum(table(x)[x[:4] > 0], axis=(1,)).sum() / 7
    ),
    "all axes": lambda x: np.mean(table(x)[table(x) > 0]),
    "of a row": lambda x: np.sum(table(x)[0, x > 0] ** 2),
    "of a column": lambda x: np.sum(table(x)[x[:4] > 0, 1] ** 2),
    "of some rows": lambda x: np.sum(table(x)[1:3, x > 0] ** 2) + np.sum(table(x)[..., x > 1]),
    "columns": lambda x: (
        np.sum(table(x)[:, x > 0], axis=1) * W[:4]
        + table(x)[:, x > 0].mean(axis=-1)
        + np.std(table(x)[:, x > 0], axis=1, ddof=1)
    ),
    "columns, one by one": lambda x: np.sum(
        (table(x)[:, x > 0].sum(axis=0) + table(x)[:, x > 0].var(axis=0)) ** 2
    ),
    "columns, axes kept": lambda x: (
        np.sum(table(x)[:, x > 0] * np.mean(table(x)[:, x > 0], axis=0, keepdims=True))
        + np.sum(np.max(table(x)[:, x > 0], axis=1, keepdims=True) * x[:4, None])
        + np.var(table(x)[:, x > 0])
    ),
    "planes": lambda x: np.sum(
        np.sin(np.outer(x, table(x)).reshape(5, 4, 5)[:, table(x) > 0]).sum(axis=1) * W
    ),
    "behind an integer": lambda x: np.sum(
        np.outer(x, table(x)).reshape(5, 4, 5)[:, 1, x > 0].sum(axis=0) ** 2
    ),
    "clipped": lambda x: np.sum(np.clip(x[x > 0], 1.0, x[2]) * x[x > 0] + x[x > 0].clip(1.0, 2.0)),
    "chosen": lambda x: np.sum(np.where(x[x > 0] > 1, x[x > 0] ** 2, x[0])),
    "like ones": lambda x: np.sum(np.full_like(x[x > 0], 2.0) * x[x > 0] - np.ones_like(x[x > 0])),
    "each for itself": lambda x: np.sum(
        np.round(x[x > 0], 1) + np.sinc(x[x > 0]) + np.nan_to_num(x[x > 0], nan=1.0).real
    ),
    "extrema from a number on": lambda x: (
        np.max(x[x > 0], initial=2.0)
        + x[x > 9].min(initial=1.5) * x[0]
        + np.sum(table(x)[x[:4] > 0].max(axis=1, initial=0.5))
    ),
    "extrema of integers": lambda x: x * np.max((x * 9).astype(int)[x > 0], initial=-5),
    "a copy": copies_are_apart,
    "a copy, written to later": later_writes,
    "a condition": lambda x: np.where(np.any(x[x > 0] > 3), x[0], x[1]),
}
WRITTEN = {
    "a number": lambda x: written(x.copy(), x > 0, 7.0),
    "an element": lambda x: written(x * 2, x > 0, x[1]),
    "a list of one": lambda x: written(x * 2, x > 0, [7.0]),
    "a selection": lambda x: written(np.zeros(5), x > 0, np.sqrt(x[x > 0]) + x[x > 0] * x[0]),
    "of others": lambda x: written(x.copy(), ~(x > 0), (W * x * x)[~(x > 0)]),
    "in place": lambda x: added(x * 1.5, x > 0),
    "rows": lambda x: written(table(x), x[:4] > 0, 0.0),
    "rows by a row": lambda x: written(table(x), x[:4] > 0, x * x),
    "rows by rows": lambda x: written(table(x), x[:4] > 0, np.cos(table(x)[x[:4] > 0])),
    "columns": lambda x: written(table(x), (slice(None), x > 0), x[2]),
    "columns in place": lambda x: scaled(table(x), (slice(None), x > 0)),
    "columns behind dots": lambda x: scaled(table(x), (..., x > 0)),
    "columns by columns": lambda x: written(
        table(x), (slice(None), x > 0), np.cos(table(x)[:, x > 0])
    ),
    "of some rows": lambda x: scaled(table(x), (slice(1, 3), x > 0)),
    "some of rows": lambda x: scaled(table(x), (x[:4] > 0, slice(None, None, -2))),
    "some of rows by a row": lambda x: written(table(x), (x[:4] > 0, slice(2)), x[1:3]),
    "of a column": lambda x: scaled(table(x), (x[:4] > 0, 0)),
    "of a column by a number": lambda x: written(table(x), (x[:4] > 0, -1), x[1]),
    "of new arrays": lambda x: scaled(np.ones((4, 5)), (slice(None), x > 0)) * x,
    "of a row": lambda x: written(table(x), (1, x > 0), x[0] ** 2),
    "of a row by a selection": lambda x: written(table(x), (1, x > 0), (x * x)[x > 0]),
    "NaN": lambda x: written(np.log(x), np.isnan(np.log(x)), 0.0),
}


@pytest.mark.parametrize("f", [*REDUCED.values(), *WRITTEN.values()], ids=[*REDUCED, *WRITTEN])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_programs(f):
    def total(x):
        return np.sum(np.cos(np.arange(1.0, np.size(f(X)) + 1)).reshape(np.shape(f(X))) * f(x))

    step = 1e-6
    slope = [(total(X + d) - total(X - d)) / (2 * step) for d in np.eye(5) * step]
    batch = np.stack([X, X[::-1]])
    graph = pb.trace(f, X)
    for x in batch:
        assert_allclose(graph(x), f(x), atol=1e-14)
    assert_allclose(pb.vmap(f)(batch), [f(x) for x in batch], atol=1e-14)
    recorded = pb.trace(pb.grad(total), -X)
    for derivative in (
        pb.grad(total)(X),
        recorded(X),
        pb.grad(pb.trace(total, X))(X),
        pb.grad(pb.checkpoint(total))(X),
        pb.vmap(pb.grad(total))(batch)[0],
        pb.grad(lambda x: np.sum(pb.vmap(total)(np.stack([x, x]))) / 2)(X),
        pb.jacobian(pb.trace(total, X), mode="forward")(X),
    ):
        assert_allclose(derivative, slope, rtol=1e-6, atol=1e-7)


def test_second_derivatives_stay_inside_the_selection():
    def f(x):
        return np.sum(np.log(x[x > 0]) * x[x > 0])

    hessian = np.diag(np.where(X > 0, 1 / X, 0))
    assert_allclose(pb.hessian(f)(X), hessian)
    assert_allclose(pb.hessian(pb.trace(f, X))(X), hessian)
    assert_allclose(pb.vmap(pb.hessian(f))(np.stack([X, -X]))[0], hessian)


def test_what_depends_on_the_number_of_elements_is_refused_with_a_remedy():
    for f in (
        lambda x: x[x > 0],
        lambda x: len(x[x > 0]),
        lambda x: x[x > 0][0],
        lambda x: x[x > 0] + W[:3],
        lambda x: np.cumsum(x[x > 0]),
        lambda x: np.sort(x[x > 0]),
        lambda x: x[x > 0].cumsum(),
        lambda x: np.stack([x[x > 0]]),
        lambda x: list(x[x > 0]),
        lambda x: np.median(x[x > 0]),
        lambda x: np.sum(x[x > 0], dtype=np.float32),
        lambda x: x[x > 0].sum(0, float),
        lambda x: np.linalg.norm(x[x > 0], 3),
        lambda x: np.max((x * 9).astype(int)[x > 0]),
        lambda x: np.max((x * 9).astype(int)[x > 0], initial=1.5),
        lambda x: np.where(x[x > 0] > 1),
        lambda x: np.full_like(x[x > 0], 1.0, shape=3),
        lambda x: np.clip(x[x > 0], 1.0, 2.0, out=np.zeros(3)),
        lambda x: table(x)[:, x > 0] @ x[x > 0],
        lambda x: table(x)[:, x > 0] + W[:4, None],
        lambda x: np.add.reduce(x[x > 0]),
        lambda x: 1.0 if x[x > 0] else 2.0,
        lambda x: table(x)[x[:4] > 0] @ W,
        lambda x: table(x)[:, :4][x[:4] > 0] * np.sum(table(x)[x[:4] > 0], axis=1),
    ):
        for transform in (lambda f: pb.vmap(f)(np.stack([X, X])), lambda f: pb.trace(f, X)):
            with pytest.raises(
                pb.errors.DataDependenceError, match=r"np\.where\(mask, x, 0\)"
            ) as e:
                transform(f)
            assert len(str(e.value)) < 900
    for f, words in {
        lambda x: x[x > 0] + x[x < 0]: "make one mask",
        lambda x: written(x.copy(), slice(0, 3), x[x > 0]): r"y\[mask\] = x\[mask\]",
        lambda x: written(x.copy(), x > 0, W[:3]): r"np\.where\(mask, v, y\)",
        lambda x: written(x.copy(), x > 0, x[x < 0]): "under the same mask",
        lambda x: written(np.ones((5, 5)), x > 0, x[x > 0]): "under the same mask",
        lambda x: written(np.ones((5, 5)), (slice(None), x > 0), x[x > 0]): "the same mask",
        lambda x: written(np.ones((5, 5)), (slice(None), x > 0), W[:, None]): r"np\.where\(mask",
        lambda x: np.outer(x, table(x)).reshape(5, 4, 5)[0, :, x > 0]: "traced boolean array",
    }.items():
        with pytest.raises(pb.errors.DataDependenceError, match=words):
            pb.trace(f, X)
    with pytest.raises(IndexError, match="the first extents of the array"):
        pb.trace(lambda x: x[x[:4] > 0], X)


def _into(ufunc, makes):
    """What a ufunc does that stores its results where `makes` says, for a selection."""

    def f(x):
        v = x[x > 0]
        outs = makes(v)
        found = ufunc(v, *(0.7,) * (ufunc.nin - 1), out=outs)
        kept = [x for x in outs if x is not None]
        found = found if isinstance(found, tuple) else (found,)
        return sum((i + 1.0) * np.sum(x * x) for i, x in enumerate((v, *kept, *found)))

    return f


@pytest.mark.parametrize("ufunc", [np.sin, np.multiply, np.modf, np.divmod])
def test_results_are_stored_in_selections(ufunc):
    ways = [
        lambda v: (v, v.copy()),
        lambda v: (v.copy(), v),
        lambda v: (v * 1.0, None),
        lambda v: (np.zeros_like(v), np.ones_like(v)),
    ]
    for makes in ways:
        f = _into(ufunc, lambda v, makes=makes: makes(v)[: ufunc.nout])
        graph = pb.trace(f, X)
        assert_allclose(graph(X), f(X))
        assert_allclose(graph(-X), f(-X))
        assert_allclose(pb.vmap(f)(np.stack([X, -X])), [f(X), f(-X)])
        assert_allclose(pb.trace(pb.grad(f), X)(X), pb.grad(f)(X))
        assert_allclose(pb.vmap(pb.grad(f))(np.stack([X, -X])), [pb.grad(f)(X), pb.grad(f)(-X)])


def test_results_are_stored_where_a_condition_holds():
    def f(x):
        v = x[x > 0]
        out = np.ones_like(v)
        np.log(v, out=out, where=v > 1.0)
        np.add(1.0, x[0], out=v, where=out > 0.1)
        return np.sum(out * out) + np.sum(v)

    assert_allclose(pb.trace(f, X)(X), f(X))
    assert_allclose(pb.trace(pb.grad(f), X)(X), pb.grad(f)(X))


def test_results_that_do_not_fit_a_selection_are_refused():
    for f, words in {
        lambda v: np.sin(v, out=v.astype(int)): "cannot store a result of dtype float64",
        lambda v: np.sin(v, out=np.zeros(3)): "numpy.sin with out=",
        lambda v: np.sin(v, where=v > 1): "numpy.sin with where=",
        lambda v: np.modf(v, out=(v, None), where=v > 1): "with where= and without out=",
        lambda v: np.modf(v, out=(v, np.zeros(3))): "numpy.modf with out=",
        lambda v: np.add(W, 1.0, out=v): "beside an array of shape",
        lambda v: np.sin(v, out=v, dtype=np.float32): "numpy.sin depends",
    }.items():
        with pytest.raises(pb.errors.PullbackError, match=words):
            pb.trace(lambda x, f=f: f(x[x > 0]), X)


def test_primitives_of_the_users_own_refuse_selections():
    @pb.primitive
    def own(x):
        return np.sum(x * x)

    for transform in (lambda f: pb.vmap(f)(np.stack([X, X])), lambda f: pb.trace(f, X)):
        with pytest.raises(pb.errors.DataDependenceError, match="own depends on it at"):
            transform(lambda x: own(x[x > 0]))


def test_what_a_selection_says_of_itself():
    def f(x):
        s = table(x)[x[:4] > 0]
        assert isinstance(s, np.ndarray) and s.ndim == 2 and s.dtype == np.float64
        assert s.shape[1] == 5 and s.astype(np.float32).dtype == np.float32
        assert not hasattr(s, "value") and not hasattr(s, "__float__")
        assert "array" in repr(s)
        with pytest.raises(TypeError, match="cannot store"):
            s += 1j
        return s.shape[0] + 0.0 * s.size

    assert_array_equal(pb.vmap(f)(np.stack([X, -X])), [2, 2])


def test_masks_of_different_levels_are_different_masks():
    def f(x, y):
        return np.sum(x[x > 0] * y[y > 0])

    with pytest.raises(pb.errors.DataDependenceError, match="make one mask"):
        pb.vmap(lambda x: pb.vmap(lambda y: f(x, y))(np.stack([X, -X])))(np.stack([X, -X]))
    nested = pb.vmap(pb.vmap(lambda x: f(x, x)))(np.stack([X, -X, 2 * X, X]).reshape(2, 2, 5))
    assert_allclose(nested.ravel(), [f(x, x) for x in (X, -X, 2 * X, X)])
    graph = pb.trace(pb.vmap(lambda x: f(x, x)), np.stack([X, -X]))
    assert_allclose(graph(np.stack([-X, X])), [f(-X, -X), f(X, X)])


def test_where_nothing_is_selected():
    with np.errstate(all="ignore"):
        for f in (np.max, np.min, np.mean):
            assert np.isnan(pb.trace(lambda x, f=f: f(x[x > 9]), X)(X))
    assert pb.grad(pb.trace(lambda x: np.sum(np.log(x[x > 9])), X))(X).tolist() == [0.0] * 5


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8", "bool", "complex64"])
def test_dtypes_are_numpys(dtype):
    x = np.array([1, 100, 0, 120, 3]).astype(dtype)
    for f in (
        lambda x: np.mean(x[x != 0]),
        lambda x: x[x != 0].var(),
        lambda x: np.std(x[x != 0], ddof=1),
        lambda x: np.sum(x[x != 0]),
        lambda x: np.prod(x[x != 0]),
        lambda x: np.linalg.norm(x[x != 0]),
    ):
        with np.errstate(all="ignore"):
            wanted = f(x)
            for got in (pb.trace(f, x)(x), pb.vmap(f)(np.stack([x, x]))[1]):
                assert np.asarray(got).dtype == wanted.dtype
                assert_allclose(got, wanted, rtol=3e-3 if dtype == "float16" else 1e-6)
