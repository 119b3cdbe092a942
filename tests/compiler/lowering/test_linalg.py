"""Linear algebra in loops and as machine code has the value and the gradient of NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.compiled import compile
from pullback.compiler.lowering import lower
from pullback.core import trees
from pullback.rules.factored import factorise, solve_factored, triangular_solve
from tests.compiler.interpreted import interpreted

ORDERS = (1, 2, 3, 4, 7, 9)
"""Those of small matrices, of those that are small unless rows are exchanged, and of large ones."""

RNG = np.random.default_rng(0)


def regular(*shape):
    return RNG.normal(size=shape) + 2 * np.eye(shape[-1])


def definite(*shape):
    a = RNG.normal(size=shape)
    return a @ a.mT + shape[-1] * np.eye(shape[-1])


def by_cholesky(a, b):
    factor = np.linalg.cholesky(a)
    return np.linalg.solve(factor.mT, np.linalg.solve(factor, b))


def by_factors(a, b):
    factors, places = factorise(a)
    x = solve_factored(a, factors, places, b)
    return solve_factored(a, factors, places, x, adjoint=True)


def slogdet(a):
    return tuple(np.linalg.slogdet(a))


def triangular(lower, adjoint):
    return lambda a, b: triangular_solve(a, b, lower=lower, adjoint=adjoint)


def functions(n, lead=()):
    """Names, functions and arguments."""
    a, s, b = regular(*lead, n, n), definite(*lead, n, n), RNG.normal(size=(*lead, n, 2))
    yield from (
        ("cholesky", np.linalg.cholesky, (s,)),
        ("inv", np.linalg.inv, (a,)),
        ("det", np.linalg.det, (a,)),
        ("slogdet", slogdet, (a,)),
        ("solve", np.linalg.solve, (a, b)),
        ("solve transposed", lambda a, b: np.linalg.solve(a.mT, b), (a, b)),
        ("one right side", np.linalg.solve, (a, b[..., :1])),
        ("many right sides", np.linalg.solve, (a, RNG.normal(size=(n, 11)))),
        ("by Cholesky", by_cholesky, (s, b)),
    )
    if not lead:
        yield "by factors", by_factors, (a, b)
        for lower in (True, False):
            for adjoint in (True, False):
                for right in (b, b[:, :1], np.asfortranarray(b)):
                    name = f"triangular, lower={lower}, adjoint={adjoint}"
                    yield name, triangular(lower, adjoint), (a, right)


def gradient(function, args):
    def total(*args):
        return sum(np.sum(np.sin(y)) for y in trees.flatten(function(*args))[0])

    return pb.grad(total, argnums=tuple(range(len(args))))


def assert_alike(found, expected, rtol=1e-9):
    for one, other in zip(trees.flatten(found)[0], trees.flatten(expected)[0], strict=True):
        one, other = np.asarray(one), np.asarray(other)
        assert one.dtype == other.dtype and one.shape == other.shape
        scale = np.max(np.abs(other[np.isfinite(other)]), initial=1e-300)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize("n", ORDERS)
@pytest.mark.parametrize("lead", [(), (3,), (2, 1)])
def test_interpreted_loops_give_what_numpy_gives(n, lead):
    for name, function, args in functions(n, lead):
        graph = pb.trace(function, *args)
        found, lowered = interpreted(graph, args)
        assert not lowered.calls, name
        assert_alike(found, trees.flatten(function(*args))[0])


@pytest.mark.parametrize("n", [3, 9])
def test_machine_code_gives_the_values_and_gradients_of_numpy(n):
    for name, function, args in functions(n):
        if "triangular" in name and (n != 9 or args[1].shape[1] == 1):
            continue
        for each in (function, gradient(function, args)):
            assert_alike(compile(each)(*args), each(*args), rtol=1e-7)


def test_many_small_matrices_are_taken_side_by_side():
    for name, function, args in functions(6, (64,)):
        compiled = compile(function)
        assert_alike(compiled(*args), function(*args))
        if name != "many right sides":
            assert "cython" not in compiled.loops(*args), name


def test_single_precision_stays_so():
    for name, function, args in (*functions(3), *functions(9)):
        if "triangular" not in name:
            args = [x.astype(np.float32) for x in args]
            assert_alike(compile(function)(*args), function(*args), rtol=2e-4)


@pytest.mark.parametrize("n", [3, 9])
def test_matrices_may_lie_in_any_way(n):
    a, b = RNG.normal(size=(2 * n, n)), RNG.normal(size=(n, 2, 3))

    def function(a, b):
        first = np.linalg.solve(a[::2], b[:, 1])
        return (
            first,
            np.linalg.inv(a[n:].T),
            np.linalg.det(a[::-2]),
            np.linalg.solve(a[:n], b[..., 0]),
        )

    assert_alike(compile(function)(a, b), function(a, b))
    layouts = (np.asfortranarray(a), np.asfortranarray(b))
    assert_alike(compile(function)(*layouts), function(*layouts))


SINGULAR = {
    "a row of zeros": lambda a: np.where(np.arange(len(a))[:, None] == 1, 0, a),
    "equal rows": lambda a: np.where(np.arange(len(a))[:, None] == 1, a[0], a),
    "zeros": np.zeros_like,
}


@pytest.mark.parametrize("n", [3, 9])
@pytest.mark.parametrize("kind", sorted(SINGULAR))
def test_singular_matrices_are_errors_or_have_determinant_0(n, kind):
    a, b = SINGULAR[kind](regular(n, n)), np.ones((n, 1))
    batch = np.stack([np.eye(n), a])
    for function, args in (
        (np.linalg.solve, (a, b)), (np.linalg.inv, (a,)), (np.linalg.inv, (batch,)),
        (np.linalg.solve, (batch, b)), (by_factors, (a, b)),
    ):  # fmt: skip
        with pytest.raises(np.linalg.LinAlgError) as eager:
            function(*args)
        with pytest.raises(np.linalg.LinAlgError, match=f"{eager.value}$"):
            compile(function)(*args)
    for x in (a, batch):
        assert_alike(compile(slogdet)(x), slogdet(x))
        assert_alike(compile(np.linalg.det)(x), np.linalg.det(x))


@pytest.mark.parametrize("n", [2, 7, 9])
def test_triangles_with_a_zero_and_indefinite_matrices_are_errors(n):
    t, b = regular(n, n), np.ones((n, 2))
    t[1, 1] = 0
    with pytest.raises(np.linalg.LinAlgError, match=r"Singular matrix$"):
        compile(triangular(True, False))(t, b)
    for a in (-np.eye(n), np.diag(np.arange(n) - 1.0), np.stack([np.eye(n), -np.eye(n)])):
        with pytest.raises(np.linalg.LinAlgError, match=r"Matrix is not positive definite$"):
            compile(np.linalg.cholesky)(a)


def test_leading_minors_may_be_singular():
    for n in (2, 3, 4, 9):
        a = np.roll(np.eye(n), 1, axis=0) * np.arange(1.0, n + 1)
        for function, args in (
            (np.linalg.inv, (a,)), (np.linalg.det, (a,)), (slogdet, (a,)),
            (by_factors, (a, np.eye(n))),
        ):  # fmt: skip
            assert_alike(compile(function)(*args), function(*args))


def test_a_determinant_is_not_lost_on_the_way():
    for factors in (
        (1e200, 1e-200, 1e200),
        (1e-200, 1e-200, 1e250),
        (1e200, 1e200, 1e-250, 1e-140),
    ):
        a = np.diag(factors)
        assert_alike(compile(np.linalg.det)(a), np.linalg.det(a))


@pytest.mark.parametrize("n", [2, 7, 9])
def test_what_is_undefined_stays_undefined(n):
    a = definite(n, n)
    a[0, 0] = np.nan
    with np.errstate(invalid="ignore"):
        for function in (np.linalg.cholesky, np.linalg.inv, np.linalg.det):
            found, expected = compile(function)(a), function(a)
            assert np.isnan(found).any() and np.isnan(expected).any()
        assert np.isnan(compile(slogdet)(a)[1])


def test_matrices_without_elements():
    empty, none = np.zeros((0, 0)), np.zeros((0, 9, 9))
    for function, args in (
        (np.linalg.det, (empty,)), (slogdet, (empty,)), (np.linalg.inv, (empty,)),
        (np.linalg.cholesky, (empty,)), (np.linalg.solve, (empty, np.zeros((0, 3)))),
        (np.linalg.det, (none,)), (np.linalg.inv, (none,)), (np.linalg.det, (np.zeros((2, 0, 0)),)),
        (np.linalg.solve, (np.eye(3), np.zeros((3, 0)))), (slogdet, (none,)),
        (np.linalg.solve, (np.eye(9), np.zeros((9, 0)))),
    ):  # fmt: skip
        assert_alike(compile(function)(*args), function(*args))


def test_one_matrix_for_many_right_sides_is_factorised_once():
    a, b = regular(9, 9), RNG.normal(size=(3, 9, 2))

    def function(a, b):
        x = np.linalg.solve(a, b)
        return np.sum(np.linalg.solve(a.T, x) ** 2) + np.linalg.slogdet(a)[1]

    both = compile(pb.value_and_grad(function))
    assert_alike(both(a, b), pb.value_and_grad(function)(a, b))
    assert both.loops(a, b).count("dgetrf") == 1


def test_factors_are_of_the_matrix_as_it_is():
    a = regular(9, 9)

    def function(a):
        a = a + 0.0
        first = np.linalg.inv(a)
        a[0, 0] = 7.0
        return first, np.linalg.inv(a)

    assert_alike(compile(function)(a), function(a))


def test_factors_may_come_from_another_iteration():
    a, b = regular(3, 9, 9), RNG.normal(size=(9, 1))

    def function(a, b):
        def step(carry, x):
            factors, places = factorise(x)
            return solve_factored(x, factors, places, carry), (factors, places)

        total, (factors, places) = pb.scan(step, b, a)
        return solve_factored(a[1], factors[1], places[1], total)

    assert_alike(compile(function)(a, b), function(a, b))
    graph = pb.trace(function, a, b)
    assert_alike(interpreted(graph, (a, b), lower(graph))[0], [function(a, b)])


def test_matrices_of_all_orders_one_after_the_other():
    def function(x, y):
        k = np.exp(-0.5 * (x[:, None] - x) ** 2) + 0.1 * np.eye(len(x))
        factor = np.linalg.cholesky(k)
        return y @ np.linalg.solve(k, y) + np.sum(np.linalg.solve(factor, y) ** 2)

    gradient = pb.value_and_grad(function, argnums=(0, 1))
    compiled = compile(gradient)
    for n in (9, 12, 20, 3, 1, 6):
        x, y = RNG.normal(size=n), RNG.normal(size=n)
        assert_alike(compiled(x, y), gradient(x, y), rtol=1e-7)
