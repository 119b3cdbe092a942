"""Spectral decompositions in machine code: NumPy's, but for signs and phases of vectors."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.compiler.agreement import assert_agree
from tests.compiler.interpreted import interpreted

RNG = np.random.default_rng(4)
DTYPES = (np.float64, np.float32, np.complex128, np.complex64)


def matrices(dtype, *shape):
    """With singular values well apart."""
    a = RNG.normal(size=shape) / 4
    if np.dtype(dtype).kind == "c":
        a = a + 0.25j * RNG.normal(size=shape)
    spread = np.zeros(shape[-2:])
    np.fill_diagonal(spread, np.arange(1.0, 1 + min(shape[-2:])))
    return (a + spread).astype(dtype)


def hermitian(dtype, *shape):
    a = matrices(dtype, *shape)
    return a + np.conj(a).mT


def native(f, *args):
    """The compiled function; what Python is called for is the derivative where values are equal."""
    compiled = pb.compile(f)
    assert {each.primitive for each in compiled.report(*args).fallbacks} <= {"at_values"}
    return compiled


def parts(a, uplo="L"):
    """What the vectors of a Hermitian matrix determine: values, and the matrix of a function."""
    w, v = np.linalg.eigh(a, uplo)
    return w, (v * np.exp(-(w[..., None, :] ** 2) / 10)) @ np.conj(v).mT


def singular_parts(a):
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return s, (u * np.exp(-(s[..., None, :] ** 2) / 10)) @ vh


FUNCTIONS = {
    "eigh": (parts, hermitian),
    "eigh of the upper triangle": (lambda a: parts(a, "U"), matrices),
    "eigh of the lower triangle": (parts, matrices),
    "eigvalsh": (np.linalg.eigvalsh, hermitian),
    "svdvals": (np.linalg.svdvals, matrices),
    "pinv": (np.linalg.pinv, matrices),
    "pinv of a part": (lambda a: np.linalg.pinv(a, rcond=0.3), matrices),
    "pinv of Hermitian": (lambda a: np.linalg.pinv(a, hermitian=True), hermitian),
    "a norm": (lambda a: np.linalg.norm(a, 2, axis=(-2, -1)), matrices),
    "a condition": (np.linalg.cond, matrices),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_decompositions_of_square_matrices(name, dtype):
    function, make = FUNCTIONS[name]
    for shape in ((1, 1), (9, 9), (2, 3, 3, 3)):
        a = make(dtype, *shape)
        assert_agree(native(function, a)(a), function(a), f"{shape}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_decompositions_of_other_shapes(dtype):
    for shape in ((3, 1), (1, 1, 4), (2, 5, 3), (40, 3), (2, 2, 3, 40)):
        a = matrices(dtype, *shape)

        def function(a):
            return singular_parts(a), np.linalg.pinv(a)

        assert_agree(native(function, a)(a), function(a), f"{shape}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_vectors(dtype):
    """Orthonormal, and what they are called."""
    rounding = 200 * np.finfo(dtype).eps
    for n in (2, 6, 50):
        a = hermitian(dtype, 3, n, n)
        w, v = pb.compile(lambda a: tuple(np.linalg.eigh(a)))(a)
        np.testing.assert_allclose(a @ v, v * w[:, None], atol=rounding * n)
        np.testing.assert_allclose(np.conj(v).mT @ v, np.eye(n) + 0 * v, atol=rounding)
        np.testing.assert_array_equal(w, np.sort(w))
        b = a[..., : n // 2]
        u, s, vh = pb.compile(lambda b: tuple(np.linalg.svd(b, full_matrices=False)))(b)
        assert (u.shape, s.shape, vh.shape) == ((3, n, n // 2), (3, n // 2), (3, n // 2, n // 2))
        np.testing.assert_allclose((u * s[:, None]) @ vh, b, atol=rounding * n)
        np.testing.assert_allclose(np.conj(u).mT @ u, np.eye(n // 2) + 0 * vh, atol=rounding)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_derivatives(dtype):
    def loss(function):
        def f(a):
            outs = function(a)
            outs = outs if isinstance(outs, tuple) else (outs,)
            return sum(np.sum(np.abs(np.sin(out)) ** 2) for out in outs)

        return f

    for name, lead in (("eigh", ()), ("svdvals", (2,)), ("pinv", ()), ("pinv", (2,))):
        function, make = FUNCTIONS[name]
        a = make(dtype, *lead, 3, 3)
        f = pb.value_and_grad(loss(function))
        assert_agree(native(f, a)(a), f(a), name)
    if dtype == np.float64:
        a = hermitian(dtype, 3, 3)
        f = pb.hessian(loss(np.linalg.eigvalsh))
        assert_agree(native(f, a)(a), f(a))


def test_in_loops_and_batches():
    many = matrices(np.float64, 6, 4, 3)

    def f(many):
        def step(c, a):
            u, s, vh = np.linalg.svd(a * (1 + 0.1 * c), full_matrices=False)
            return np.tanh(s[-1]), (u[:, :1] * s[0]) @ vh[:1]

        c, ys = pb.scan(step, 0.5, many)
        return c + np.sum(ys**2)

    gradient = pb.value_and_grad(f)
    assert_agree(native(gradient, many)(many), gradient(many))
    mapped = pb.vmap(pb.grad(lambda a: np.sum(np.linalg.pinv(a) ** 2)))
    assert_agree(native(mapped, many)(many), mapped(many))


def test_other_sizes_and_orders_of_memory():
    compiled = pb.compile(parts)
    for n in (20, 31, 45, 7):
        a = hermitian(np.float64, n, n)
        assert_agree(compiled(a), parts(a))
        assert_agree(compiled(np.asfortranarray(a[::-1, ::-1])), parts(a[::-1, ::-1]))


def test_nothing_to_decompose():
    for shape in ((0, 0), (3, 0, 0), (0, 2, 2)):
        a = np.zeros(shape)
        for function in (parts, np.linalg.eigvalsh):
            assert_agree(native(function, a)(a), function(a))
    for shape in ((0, 3), (3, 0), (0, 3, 2)):
        a = np.zeros(shape)
        for function in (np.linalg.pinv, np.linalg.svdvals):
            assert_agree(native(function, a)(a), function(a))


def test_undefined_numbers_are_numpys_errors():
    a = np.full((3, 3), np.nan)
    for function in (np.linalg.svdvals, np.linalg.pinv, np.linalg.eigvalsh, parts):
        for matrix in (a, np.stack([np.eye(3), a])):
            try:
                expected = function(matrix)
            except np.linalg.LinAlgError as error:
                with pytest.raises(np.linalg.LinAlgError, match=str(error)):
                    pb.compile(function)(matrix)
            else:
                assert_agree(pb.compile(function)(matrix), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_loops_are_right_without_machine_code(dtype):
    for lead in ((), (2,)):
        for function, a in (
            (parts, hermitian(dtype, *lead, 4, 4)),
            (np.linalg.eigvalsh, hermitian(dtype, *lead, 4, 4)),
            (singular_parts, matrices(dtype, *lead, 5, 3)),
            (np.linalg.svdvals, matrices(dtype, *lead, 3, 5)),
        ):
            found, _ = interpreted(pb.trace(function, a), [a])
            expected = function(a)
            assert_agree(found, [*expected] if isinstance(expected, tuple) else [expected])
