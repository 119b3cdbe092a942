"""Linear algebra of complex matrices in machine code: NumPy's values and derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.rules.factored import factorise, solve_factored, triangular_solve
from tests.compiler.agreement import assert_agree
from tests.compiler.interpreted import interpreted

RNG = np.random.default_rng(8)


def numbers(dtype, *shape):
    return (RNG.normal(size=shape) + 1j * RNG.normal(size=shape)).astype(dtype)


def regular(dtype, *shape):
    return numbers(dtype, *shape) + np.asarray(3 * np.eye(shape[-1]), dtype)


def definite(dtype, *shape):
    a = numbers(dtype, *shape)
    return a @ np.conj(a).mT + np.asarray(shape[-1] * np.eye(shape[-1]), dtype)


def by_factors(a, b):
    factors, places = factorise(a)
    x = solve_factored(a, factors, places, b)
    return solve_factored(a, factors, places, x, adjoint=True)


def by_cholesky(a, b):
    factor = np.linalg.cholesky(a)
    return np.linalg.solve(np.conj(factor).mT, np.linalg.solve(factor, b))


def cases(dtype, n, lead=()):
    """Names, functions and arguments."""
    a, s = regular(dtype, *lead, n, n), definite(dtype, *lead, n, n)
    b = numbers(dtype, *lead, n, 2)
    yield "cholesky", np.linalg.cholesky, (s,)
    yield "inv", np.linalg.inv, (a,)
    yield "solve", np.linalg.solve, (a, b)
    yield "one right side", np.linalg.solve, (a, b[..., :1])
    yield "a real right side", np.linalg.solve, (a, b.real)
    yield "solve transposed", lambda a, b: np.linalg.solve(a.mT, b), (a, b)
    yield "by Cholesky", by_cholesky, (s, b)
    if not lead:
        yield "by factors", by_factors, (a, b)
        for lower in (True, False):
            for adjoint in (True, False):
                for right in (b, b[:, :1], np.asfortranarray(b)):
                    yield (
                        f"triangular, lower={lower}, adjoint={adjoint}",
                        lambda a, b, lower=lower, adjoint=adjoint: triangular_solve(
                            a, b, lower=lower, adjoint=adjoint
                        ),
                        (a, right),
                    )


def together(rows):
    """All functions in one, so that they are compiled at once."""
    functions = [(function, len(args)) for _, function, args in rows]
    leaves = [x for _, _, args in rows for x in args]

    def function(*leaves):
        rest = iter(leaves)
        return [each(*(next(rest) for _ in range(count))) for each, count in functions]

    return function, leaves


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
def test_values(dtype):
    for n, lead in ((1, ()), (3, ()), (9, ()), (4, (2, 3))):
        rows = list(cases(dtype, n, lead))
        function, leaves = together(rows)
        compiled = pb.compile(function)
        assert not compiled.report(*leaves).fallbacks
        for (name, _, _), got, want in zip(rows, compiled(*leaves), function(*leaves), strict=True):
            assert_agree(got, want, f"{name}, {n}, {lead}")
        found, _ = interpreted(pb.trace(function, *leaves), leaves)
        for (name, _, _), got, want in zip(rows, found, function(*leaves), strict=True):
            assert_agree(got, np.asarray(want), f"{name}, interpreted, {n}, {lead}")


def test_derivatives():
    for n, lead in ((3, ()), (5, (2,))):
        rows = list(cases(np.complex128, n, lead))[:8]
        function, leaves = together(rows)

        def total(*leaves, function=function):
            return sum(np.sum(np.sin(np.abs(y) ** 2)) for y in function(*leaves))

        gradient = pb.grad(total, argnums=tuple(range(len(leaves))))
        compiled = pb.compile(gradient)
        assert not compiled.report(*leaves).fallbacks
        got, want = compiled(*leaves), gradient(*leaves)
        for number, (one, other) in enumerate(zip(got, want, strict=True)):
            assert_agree(one, other, f"{number}, {n}, {lead}")


def test_what_is_singular():
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        pb.compile(np.linalg.solve)(np.zeros((2, 2), complex), np.ones(2))
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        pb.compile(np.linalg.cholesky)(-np.eye(2) + 0j)
