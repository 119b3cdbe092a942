"""Values of sparse Jacobians and Hessians against dense ones, and what they take."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse

import pullback as pb
from tests.sparse import kinds
from tests.sparse.kinds import KINDS


def dense(f, x):
    return np.reshape(pb.jacobian(f)(x), (-1, np.size(x)))


@pytest.mark.parametrize("name", KINDS)
def test_values_are_those_of_the_dense_jacobian(name: str) -> None:
    function, shape, _ = KINDS[name]
    jacobian = pb.sparse_jacobian(function, np.ones(shape), check=True)
    x = np.random.default_rng(1).normal(size=shape)
    found, wanted = jacobian(x), dense(function, x)
    assert isinstance(found, scipy.sparse.csr_array)
    assert np.array_equal(found.indices, jacobian.cols)
    assert np.array_equal(
        np.repeat(np.arange(found.shape[0]), np.diff(found.indptr)), jacobian.rows
    )
    scale = np.max(np.abs(wanted), initial=1)
    np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-13, atol=1e-14 * scale)
    pattern = pb.sparsity(function, np.ones(shape)).toarray()
    assert np.array_equal(jacobian.pattern.toarray(), pattern)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_either_direction_alone_gives_the_same(mode: str) -> None:
    x = np.random.default_rng(1).normal(size=12)
    for function in (kinds.collocation, kinds.arrow, kinds.scattered):
        jacobian = pb.sparse_jacobian(function, x, mode=mode)
        np.testing.assert_allclose(jacobian(x).toarray(), dense(function, x), atol=1e-14)
        found = jacobian.plan.compression
        assert (found.reverses if mode == "forward" else found.forwards) == 0


def quadratic(x):
    return np.sum(np.sin(x[1:]) * x[:-1] ** 2)


def arrow_energy(x):
    return np.sum(x**3 * x[0])


def adjustment(x):
    return 0.5 * np.sum(kinds.bundle_adjustment(x) ** 2)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize(
    ("f", "size"),
    [
        (quadratic, 9),
        (arrow_energy, 9),
        (rosenbrock, 9),
        (adjustment, 39),
        (np.sum, 4),
        (lambda x: np.sum(kinds.reaction_diffusion(x.reshape(2, 3, 3)) ** 2), 18),
        (lambda x: np.prod(np.sin(x[:3])) + np.sum(np.cos(x[3:]) * x[:3]), 6),
        (lambda x: np.sum(kinds.looped(x) ** 2), 5),
        (lambda x: x[0] * 2.0, 3),
    ],
)
def test_values_are_those_of_the_dense_hessian(f, size: int) -> None:
    hessian = pb.sparse_hessian(f, np.ones(size), check=True)
    x = np.random.default_rng(1).normal(size=size)
    found, wanted = hessian(x), pb.hessian(f)(x)
    scale = np.max(np.abs(wanted), initial=1)
    np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-13, atol=1e-14 * scale)
    assert np.array_equal(hessian.pattern.toarray(), hessian.pattern.toarray().T)


def test_colours() -> None:
    """Those that are known, with nothing cut off, and with."""

    def count(f, shape, **options):
        return pb.sparse_jacobian(f, np.ones(shape), **options).colours

    assert count(kinds.arrow, 40) <= 3
    assert count(kinds.tridiagonal, 40) == 1
    assert count(kinds.reaction_diffusion, (2, 8, 8)) == 2
    found = pb.sparse_jacobian(kinds.bundle_adjustment, np.ones(39)).plan.compression
    assert (found.forwards, found.reverses) == (0, 2)
    assert pb.sparse_hessian(arrow_energy, np.ones(40)).colours == 2


def test_pytrees_and_parameters() -> None:
    def f(tree, p, scale=2.0):
        return {"b": scale * tree["x"] * tree["y"][0], "a": p * tree["y"][::-1]}

    tree, p = {"x": np.arange(1.0, 4.0), "y": np.array([5.0, 6.0])}, np.array([2.0, 3.0])
    wanted = [[0, 0, 0, 0, 2], [0, 0, 0, 3, 0], [5, 0, 0, 1, 0], [0, 5, 0, 2, 0], [0, 0, 5, 3, 0]]
    wanted = np.array(wanted) * [[1], [1], [2], [2], [2]]
    assert np.array_equal(pb.jacobian(f, sparse=True)(tree, p).toarray(), wanted)
    assert np.array_equal(pb.jacobian(f, sparse=True)(tree, p, scale=2.0).toarray(), wanted)
    both = pb.jacobian(f, (1, 0), sparse=True)(tree, p).toarray()
    assert np.array_equal(both[:, 2:], wanted)
    assert np.array_equal(both[:2, :2], np.diag([6.0, 5.0]))


def test_a_function_is_prepared_once_for_each_shape() -> None:
    calls = []

    def f(x):
        calls.append(np.shape(x))
        return x[1:] * x[:-1]

    jacobian = pb.jacobian(f, sparse=True)
    hessian = pb.hessian(lambda x: np.sum(f(x)), sparse=True)
    for n in (3, 4, 3, 4):
        assert jacobian(np.ones(n)).nnz == hessian(np.ones(n)).nnz == 2 * (n - 1)
    assert len(calls) == 4


def test_it_is_pickled_compiled_and_called_with_traced_arrays() -> None:
    x = np.random.default_rng(0).normal(size=39)
    jacobian = pb.sparse_jacobian(kinds.bundle_adjustment, x)
    found = jacobian(x)
    again = pickle.loads(pickle.dumps(jacobian))
    assert np.array_equal(again(x).data, found.data)
    compiled = pb.compile(again)
    np.testing.assert_allclose(compiled(x).data, found.data, rtol=1e-12)
    assert compiled.report().endswith("native")
    loop = pb.sparse_jacobian(kinds.looped, x)
    assert np.array_equal(pickle.loads(pickle.dumps(loop))(x).data, loop(x).data)
    v = np.ones(39)
    slope = pb.grad(lambda x: np.sum((jacobian(x) @ v) ** 2))(x)
    wanted = pb.grad(lambda x: np.sum((pb.jacobian(kinds.bundle_adjustment)(x) @ v) ** 2))(x)
    np.testing.assert_allclose(slope, wanted, rtol=1e-10, atol=1e-10)


def test_rules_of_ones_own_are_followed_whatever_they_lack() -> None:
    @pb.primitive
    def doubled(x):
        return 2 * np.asarray(x, float)

    @doubled.rule
    def doubled_rule(_y, _x):
        return pb.Linear(lambda x_dot: 2 * x_dot, lambda y_bar: 2 * y_bar)

    @doubled.shape
    def doubled_shape(x):
        return x

    def f(x):
        return doubled(x[::2]) * x[1::2]

    x = np.arange(1.0, 7.0)
    assert pb.sparsity(f, x).nnz == 12  # all may depend on all: nothing says otherwise
    assert np.array_equal(pb.sparse_jacobian(f, x)(x).toarray(), pb.jacobian(f)(x))


def test_single_precision_is_kept() -> None:
    x = np.ones(5, np.float32)
    found = pb.jacobian(np.sin, sparse=True)(x)
    assert found.dtype == np.float32
    assert np.array_equal(found.toarray(), np.diag(np.cos(x)))


def test_single_precision_among_double_and_nothing_at_all_are_checked() -> None:
    x = np.linspace(0.1, 1.0, 6, dtype=np.float32)

    def mixed(x):
        return np.sin(x[1:] * x[:-1]) * np.linspace(0.1, 0.7, 5)

    J = pb.sparse_jacobian(mixed, x, check=True)
    np.testing.assert_allclose(J(x).toarray(), pb.jacobian(mixed)(x), rtol=1e-5)
    for f, y in ((lambda x: x[:0] * 2, np.ones(6)), (lambda x: x * 2, np.zeros(0))):
        J = pb.sparse_jacobian(f, y, check=True)
        for found in (J(y), pb.compile(J)(y), pb.jacobian(f, sparse=True)(y)):
            assert found.shape == (0, len(y)) and found.nnz == 0 and found.dtype == np.float64


def test_check_finds_a_pattern_that_does_not_hold() -> None:
    jacobian = pb.sparse_jacobian(kinds.tridiagonal, np.ones(6), check=True)
    jacobian.plan.values.sources[3] = jacobian.plan.values.sources[0]
    with pytest.raises(pb.CheckError, match="the pushforward gives"):
        jacobian(np.random.default_rng(0).normal(size=6))


def test_errors_say_what_is_wanted() -> None:
    with pytest.raises(pb.ArgumentTypeError, match="wanted one real scalar"):
        pb.sparse_hessian(np.sin, np.ones(3))
    with pytest.raises(pb.ArgumentTypeError, match="take real and imaginary parts apart"):
        pb.sparse_jacobian(np.sin, np.ones(3, complex))
    with pytest.raises(pb.ArgumentValueError, match="has shape"):
        pb.sparse_jacobian(np.sin, np.ones(3))(np.ones(4))
    with pytest.raises(pb.ArgumentValueError, match="sparse=True and holomorphic=True"):
        pb.jacobian(np.sin, sparse=True, holomorphic=True)
    with pytest.raises(pb.DataDependenceError, match="condition"):
        pb.sparse_jacobian(lambda x: x if x[0] > 0 else -x, np.ones(3))


def test_it_is_described_and_drawn() -> None:
    jacobian = pb.sparse_jacobian(kinds.reaction_diffusion, np.ones((2, 4, 4)))
    text = jacobian.report()
    assert "cut at selections, 0 forward and 2 reverse products" in text
    assert "192 entries" in text
    assert "not taken:  whole" in text
    assert jacobian._repr_html_().count("<rect") == 192
    assert repr(jacobian).startswith("<sparse jacobian of reaction_diffusion: 32 × 32")
    axes = jacobian.plot()
    assert axes.collections[0].get_offsets().shape == (192, 2)
