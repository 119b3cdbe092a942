"""Flat vectors of pytrees, and the bridge to SciPy against SciPy on vectors."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.optimize

import pullback as pb
from pullback import optim
from pullback.core import trees
from pullback.errors import ArgumentTypeError, ArgumentValueError, DataDependenceError
from pullback.optim.curvature import sparse_curvature

START = {"x": np.array([-1.2, 1.0, 0.5]), "y": (np.array(0.3), np.array([[-0.4, 0.9]]))}


def rosenbrock(v):
    return np.sum(100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2)


def of_tree(tree):
    return rosenbrock(np.concatenate([tree["x"], [tree["y"][0]], np.ravel(tree["y"][1])]))


# -- vectors ---------------------------------------------------------------------------------------


def test_a_pytree_and_its_vector():
    vector, unflatten = optim.flatten(START)
    np.testing.assert_array_equal(vector, [-1.2, 1.0, 0.5, 0.3, -0.4, 0.9])
    back = unflatten(vector)
    assert trees.flatten(back)[1] == trees.flatten(START)[1]
    for ours, theirs in zip(trees.flatten(back)[0], trees.flatten(START)[0], strict=True):
        assert isinstance(ours, np.ndarray)
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_array_equal(ours, theirs)
    back["x"][0] = 7.0
    assert vector[0] == -1.2


def test_precisions_survive_the_vector():
    tree = (np.ones(2, np.float32), np.ones(1, np.float64))
    vector, unflatten = optim.flatten(tree)
    assert vector.dtype == np.float64
    assert [leaf.dtype for leaf in unflatten(vector)] == [np.float32, np.float64]
    assert optim.flatten(tree[:1])[0].dtype == np.float32


def test_unflatten_can_be_differentiated():
    vector, unflatten = optim.flatten(START)
    direct = pb.grad(rosenbrock)(vector)
    through_the_tree = pb.grad(lambda v: of_tree(unflatten(v)))(vector)
    np.testing.assert_allclose(through_the_tree, direct, rtol=1e-14)


def test_what_is_no_vector_of_numbers_is_refused():
    with pytest.raises(ArgumentTypeError, match=r"flatten: params\['x'\] has dtype int64"):
        optim.flatten({"x": np.arange(3)})
    with pytest.raises(ArgumentTypeError, match="params has dtype complex128"):
        optim.flatten(np.ones(3) * 1j)
    with pytest.raises(ArgumentValueError, match="flatten: params has no leaves"):
        optim.flatten([])
    with pytest.raises(ArgumentValueError, match=r"vector has shape \(5,\), wanted \(6,\)"):
        optim.flatten(START)[1](np.ones(5))


# -- the bridge ------------------------------------------------------------------------------------


DERIVATIVES = {
    "L-BFGS-B": {},
    "BFGS": {},
    "CG": {},
    "SLSQP": {},
    "Newton-CG": {"hessp": scipy.optimize.rosen_hess_prod},
    "trust-ncg": {"hessp": scipy.optimize.rosen_hess_prod},
    "trust-krylov": {"hessp": scipy.optimize.rosen_hess_prod},
    "trust-exact": {"hess": scipy.optimize.rosen_hess},
}


@pytest.mark.parametrize("method", DERIVATIVES)
def test_each_method_goes_the_way_it_goes_with_derivatives_by_hand(method):
    start, unflatten = optim.flatten(START)
    start = 1 + 0.05 * start
    direct = scipy.optimize.minimize(
        scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method=method,
        **DERIVATIVES[method],
    )  # fmt: skip
    ours = optim.minimize(of_tree, unflatten(start), method=method)
    assert ours.success
    assert direct.success
    assert (ours.nit, ours.nfev) == (direct.nit, direct.nfev)
    np.testing.assert_allclose(optim.flatten(ours.x)[0], direct.x, rtol=1e-6)
    assert trees.flatten(ours.x)[1] == trees.flatten(START)[1]
    assert ours.x["y"][1].shape == (1, 2)


@pytest.mark.parametrize("method", ["dogleg", "trust-exact"])
def test_methods_that_want_a_hessian_get_the_exact_one(method):
    def f(p):
        return np.sum(np.cosh(p["a"] - 1.0)) + p["a"] @ p["a"] * p["b"] ** 2 + np.exp(p["b"])

    start = {"a": np.array([0.5, 0.8]), "b": np.array(0.1)}
    ours = optim.minimize(f, start, method=method, tol=1e-6)
    assert ours.success
    assert max(np.max(np.abs(leaf)) for leaf in trees.flatten(pb.grad(f)(ours.x))[0]) < 1e-6


@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell", "COBYLA"])
def test_methods_that_want_no_gradient_get_none(method):
    ours = optim.minimize(lambda p: (p["a"] - 2.0) ** 2 + 1.0, {"a": np.array(0.5)}, method=method)
    np.testing.assert_allclose(ours.x["a"], 2.0, atol=1e-3)
    assert "jac" not in ours


def test_the_result_has_the_gradient_as_a_pytree():
    ours = optim.minimize(of_tree, START, options={"maxiter": 3})
    assert not ours.success
    gradient = pb.grad(of_tree)(ours.x)
    leaves = (trees.flatten(g)[0] for g in (ours.jac, gradient))
    for at_the_end, there in zip(*leaves, strict=True):
        np.testing.assert_allclose(at_the_end, there, rtol=1e-12)


def test_single_precision_parameters_stay_single_precision():
    seen = set()

    def f(p):
        seen.add(p.dtype)
        return np.sum((p - np.float32(3.0)) ** 2)

    result = optim.minimize(f, np.zeros(3, np.float32))
    assert result.x.dtype == result.jac.dtype == np.float32
    assert seen == {np.dtype(np.float32)}
    np.testing.assert_allclose(result.x, 3, rtol=1e-4)


def test_further_arguments_and_bounds():
    def f(p, centre):
        return np.sum((p["u"] - centre) ** 2) + (p["v"] + 1.0) ** 2

    start = {"u": np.full(2, 0.5), "v": np.array(0.5)}
    result = optim.minimize(
        f, start, (np.array([2.0, -3.0]),), bounds=({"u": 0.0, "v": None}, {"u": [1, 9], "v": None})
    )
    np.testing.assert_allclose(result.x["u"], [1, 0], atol=1e-12)
    np.testing.assert_allclose(result.x["v"], -1, rtol=1e-6)
    half_open = optim.minimize(lambda x: np.sum(x), np.ones(2), bounds=(np.zeros(2), None))
    np.testing.assert_allclose(half_open.x, 0, atol=1e-12)


def test_the_callback_gets_a_pytree_and_can_stop():
    seen = []

    def callback(params):
        seen.append(params)
        if len(seen) == 2:
            raise StopIteration

    optim.minimize(of_tree, START, callback=callback)
    assert len(seen) == 2
    assert of_tree(seen[1]) < of_tree(seen[0]) < of_tree(START)


def test_arguments_that_do_not_fit():
    f = np.sum
    with pytest.raises(ArgumentTypeError, match=r"args is of type ndarray, .* wanted a tuple"):
        optim.minimize(f, np.ones(2), np.ones(2))
    with pytest.raises(ArgumentTypeError, match=r"params\['x'\] has dtype int64"):
        optim.minimize(f, {"x": np.arange(2)})
    with pytest.raises(ArgumentTypeError, match=r"bounds is a list, wanted a pair"):
        optim.minimize(f, np.ones(2), bounds=[(0, 1), (0, 1)])
    with pytest.raises(ArgumentValueError, match=r"lower bound has a leaf of shape \(3,\)"):
        optim.minimize(f, np.ones(2), bounds=(np.ones(3), None))
    with pytest.raises(ArgumentTypeError, match="wanted a real floating scalar"):
        optim.minimize(lambda x: x**2, np.ones(2))


def test_scipy_optimize_is_loaded_only_when_used():
    code = "import sys, pullback; sys.exit('scipy.optimize' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- sparse Hessians -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "trust-exact"])
def test_a_sparse_hessian_leads_where_products_do(method):
    start = {"a": np.linspace(0.98, 1.02, 100), "b": np.full((2, 10), 1.01)}

    def f(p):
        return rosenbrock(np.concatenate([p["a"], np.ravel(p["b"])]))

    by_itself, with_it, without = (
        optim.minimize(f, start, method=method, sparse=sparse) for sparse in (None, True, False)
    )
    assert by_itself.nit == with_it.nit == without.nit
    np.testing.assert_allclose(by_itself.x["a"], 1, atol=1e-4)
    np.testing.assert_allclose(by_itself.x["b"], without.x["b"], atol=1e-8)


def test_a_hessian_is_sparse_where_few_products_give_it():
    x = np.ones(120)
    assert sparse_curvature(rosenbrock, x).colours <= 3
    assert sparse_curvature(rosenbrock, x[:50]) is None  # too few to matter
    assert sparse_curvature(lambda x: np.sum(x) ** 2, x) is None
    assert sparse_curvature(lambda x: np.sum(x) if x[0] > 0 else np.sum(x**2), x) is None


def test_a_sparse_hessian_that_is_asked_for_must_be_possible():
    def branching(x):
        return np.sum(x**2) if x[0] > 0 else np.sum(x)

    with pytest.raises(DataDependenceError):
        optim.minimize(branching, np.ones(3), method="Newton-CG", sparse=True)
    assert optim.minimize(branching, np.ones(3), method="Newton-CG").success
