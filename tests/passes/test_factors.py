"""Equations with matrices of which factors are there, or are wanted more than once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from tests.passes.agreement import assert_agree
from tests.passes.inspection import findings, names

pytestmark = pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")
RNG = np.random.default_rng(2)
A = RNG.standard_normal((5, 5)) + 4 * np.eye(5)
B = RNG.standard_normal((5, 2))
v = RNG.standard_normal(5)
K = A @ A.T


def simplified(f, *args):
    graph = pb.trace(f, *args)
    new = pb.simplify(graph)
    assert findings(new) == [], f"{graph}\n{new}"
    assert str(pb.simplify(new)) == str(new)
    assert new.cost().operations <= graph.cost().operations
    assert_agree(new(*args), graph(*args), f"{graph}\n{new}")
    return new


def counts(graph, *wanted):
    return [names(graph).count(name) for name in wanted]


def likelihood(K, y):
    """The log-density of a normal distribution, by a Cholesky factor."""
    L = np.linalg.cholesky(K)
    z = np.linalg.solve(L, y)
    return -0.5 * np.sum(z * z) - np.sum(np.log(np.diagonal(L)))


def test_a_likelihood_and_its_gradient_take_one_factorisation():
    graph = simplified(pb.value_and_grad(likelihood, (0, 1)), K, v)
    wanted = "cholesky", "solve", "inv", "factorise"
    assert counts(graph, *wanted) == [1, 0, 0, 0]
    value, (K_bar, y_bar) = graph(K, v)
    inverse = np.linalg.inv(K)
    np.testing.assert_allclose(value, -0.5 * (v @ inverse @ v + np.linalg.slogdet(K)[1]))
    full = 0.5 * (np.outer(inverse @ v, inverse @ v) - inverse)
    np.testing.assert_allclose(K_bar, 2 * np.tril(full) - np.diag(np.diagonal(full)))
    np.testing.assert_allclose(y_bar, -inverse @ v)


def test_both_triangular_systems_of_a_factor():
    def f(K, y):
        L = np.linalg.cholesky(K)
        return np.sum(np.sin(np.linalg.solve(L.T, np.linalg.solve(L, y))))

    assert counts(simplified(f, K, B), "solve", "triangular_solve") == [0, 2]
    assert counts(simplified(pb.grad(f, (0, 1)), K, B), "cholesky", "solve") == [1, 0]


def test_a_value_and_its_gradient_solve_with_one_factorisation():
    def f(a, b):
        return np.sum(np.sin(np.linalg.solve(a, b)))

    for b in (B, v):
        graph = simplified(pb.value_and_grad(f, (0, 1)), A, b)
        assert counts(graph, "factorise", "solve_factored", "solve") == [1, 2, 0]
    # One equation alone stays what it is, and so do those with a batch of matrices.
    assert counts(simplified(f, A, B), "factorise", "solve") == [0, 1]
    batch = np.stack([A, A + 1.0])
    assert counts(simplified(pb.grad(f), batch, B), "factorise") == [0]


@pytest.mark.parametrize("transform", [pb.grad, pb.hessian])
def test_what_shares_factors_is_differentiated_again(transform):
    def f(a):
        x = np.linalg.solve(a, B)
        return np.sum(np.cos(np.linalg.solve(a.T, x)) * x)

    shared = pb.simplify(pb.trace(f, A))
    assert counts(shared, "factorise", "solve") == [1, 0]
    assert_agree(transform(shared)(A), transform(f)(A), str(shared))
    many = np.stack([A, A.T, A + 1.0])
    assert_agree(pb.vmap(transform(shared))(many), pb.vmap(transform(f))(many), str(shared))


def test_a_complex_matrix_and_its_transpose_are_different():
    def f(a, b):
        x = np.linalg.solve(a, b)
        return (
            np.linalg.solve(a.T, x) + np.linalg.solve(np.conj(a.T), x) + np.linalg.solve(a, b * x)
        )

    a = A + 1j * A[::-1]
    simplified(f, a, B + 0j)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from("ALK"), st.booleans(), st.integers(0, 3)), min_size=1, max_size=5
    ),
    st.booleans(),
)
def test_random_equations(made, in_a_loop):
    def f(a, k, b):
        matrices = {"A": a, "L": np.linalg.cholesky(k), "K": k}

        def body(b, _):
            values = [b, np.sin(b)]
            for name, across, i in made:
                matrix = matrices[name].T if across else matrices[name]
                values.append(np.tanh(np.linalg.solve(matrix, values[i % len(values)])))
            return values[-1], None

        return np.sum(pb.scan(body, b, length=2)[0] if in_a_loop else body(b, None)[0])

    simplified(f, A, K, B)
    simplified(pb.value_and_grad(f, (0, 1, 2)), A, K, B)
