"""scipy.sparse.linalg: solvers, operators and functions, beside and of traced values."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as sl

import pullback as pb
from pullback.rules import sparse_systems
from tests.scipy.sparse.test_operators import check

RNG = np.random.default_rng(7)
N = 5
DENSE = RNG.normal(size=(N, N)) * (RNG.random((N, N)) < 0.4) + 4 * np.eye(N)
DEFINITE = DENSE @ DENSE.T
B, COLUMNS = RNG.normal(size=N), RNG.normal(size=(N, 2))
NUMBER = np.float64(1.2)
MATRIX = sp.csr_array(DENSE)


def of(data):
    return sp.csr_array((data, MATRIX.indices, MATRIX.indptr), shape=(N, N))


@pytest.mark.parametrize("name", ["csc_array", "csr_array", "csr_matrix"])
def test_spsolve_and_its_kin(name):
    cls = getattr(sp, name)
    a = cls(DENSE)

    def made(data, like=a):
        return cls((data, like.indices, like.indptr))

    for b in (B, COLUMNS, B[:, None]):
        check("spsolve", lambda b: sl.spsolve(a, b), b)
    check("natural", lambda b: sl.spsolve(a, b, permc_spec="NATURAL"), B)
    check("data", lambda d: sl.spsolve(made(d), B), a.data)
    check("data", lambda d: sl.spsolve(made(d), COLUMNS), a.data)
    solve = sl.factorized(a.tocsc())
    check("factorized", solve, B)
    check("factorized", lambda d: sl.factorized(made(d).tocsc())(B), a.data)
    check("splu", lambda d: sl.splu(made(d).tocsc()).solve(B, "T"), a.data)
    t = sp.tril(a).asformat(a.format)
    check("lower", lambda b: sl.spsolve_triangular(t, b), COLUMNS)
    check("upper", lambda b: sl.spsolve_triangular(t.T, b, lower=False, unit_diagonal=True), B)
    check("lower data", lambda d: sl.spsolve_triangular(made(d, t), B), t.data)
    check("unit", lambda d: sl.spsolve_triangular(made(d, t), B, unit_diagonal=True), t.data)


@pytest.mark.parametrize(
    "name",
    ["bicg", "bicgstab", "cg", "cgs", "gcrotmk", "gmres", "lgmres", "minres", "qmr", "tfqmr"],
)
def test_iterative_solvers(name):
    solver, a = getattr(sl, name), sp.csr_array(DEFINITE)

    def solved(a, b, **options):
        return solver(a, b, rtol=1e-13, **options)[0]

    check("b", lambda b: solved(a, b), B)
    check("matrix", lambda t: solved(a * t, B), NUMBER)
    check("dense", lambda t: solved(DEFINITE * t, B), NUMBER, bits=False)
    operator = sl.LinearOperator(
        (N, N), matvec=lambda v: DEFINITE @ v, rmatvec=lambda v: DEFINITE.T @ v, dtype=float
    )
    check("operator", lambda b: solved(operator, b), B)
    check("a start that is traced", lambda b: solved(a, b, x0=b / 2), B)
    if name not in ("cg", "minres"):  # which want a symmetric matrix
        check("elements", lambda d: solved(of(d), B), MATRIX.data)
    if name not in ("qmr", "tfqmr"):  # SciPy's tfqmr stops early with a preconditioner
        preconditioner = sp.diags_array(1 / np.diag(DEFINITE))
        check("M", lambda b: solved(a, b, M=preconditioner), B)
    value, info = pb.vjp(lambda b: solver(a, b), B)[0]
    plain = solver(a, B)
    np.testing.assert_array_equal(value, plain[0])
    assert info == plain[1] == 0


def test_an_operator_without_an_adjoint_has_derivatives_forward():
    operator = sl.LinearOperator((N, N), matvec=lambda v: DENSE @ v, dtype=float)

    def f(b):
        return sl.gmres(operator, b, rtol=1e-13)[0]

    wanted = np.linalg.solve(DENSE, COLUMNS[:, 0])
    np.testing.assert_allclose(pb.jvp(f, (B,), (COLUMNS[:, 0],))[1], wanted, rtol=1e-9)
    with pytest.raises(pb.NoRuleError, match="give LinearOperator an rmatvec="):
        pb.vjp(f, B)[1](B)


def check_operator(operator):
    for label, f in {
        "@": lambda x: operator @ x,
        "()": lambda x: operator(x),
        "*": lambda x: operator * x,
        "dot": lambda x: operator.dot(x),
        "matvec": lambda x: operator.matvec(x),
        "rmatvec": lambda x: operator.rmatvec(x),
        "H": lambda x: operator.H @ x,
        "x @": lambda x: x @ operator,
    }.items():
        check(label, f, B, bits=False)
    check("matmat", lambda x: operator @ x, COLUMNS, bits=False)
    check("rmatmat", lambda x: operator.rmatmat(x), COLUMNS, bits=False)


def test_linear_operators():
    one, other = sl.aslinearoperator(DENSE), sl.aslinearoperator(MATRIX)
    own = sl.LinearOperator(
        (N, N), matvec=lambda v: DENSE @ v, rmatvec=lambda v: DENSE.T @ v, dtype=float
    )
    for operator in (one, other, own, one + own, 2 * one, one @ other, own.T, one**2):
        check_operator(operator)
    check("of traced elements", lambda a: sl.aslinearoperator(a).H @ COLUMNS, DENSE)
    check("sparse", lambda d: sl.aslinearoperator(of(d)).rmatvec(B), MATRIX.data)
    check("solved", lambda t: sl.gmres(sl.aslinearoperator(MATRIX * t), B, rtol=1e-13)[0], NUMBER)


def test_functions_of_matrices():
    a = sp.csc_array(DENSE) * 0.3
    for b in (B, COLUMNS):
        check("expm_multiply", lambda b: sl.expm_multiply(a, b), b, bits=False)
    for order in (None, "fro", 1, -1, np.inf):
        check("norm", lambda d, order=order: sl.norm(of(d), order), MATRIX.data, bits=False)
    check("norms", lambda d: sl.norm(of(d), axis=0), MATRIX.data, bits=False)


def loss(data, b):
    return np.sum(np.sin(sl.spsolve(of(data), b)))


def reference(dense, b):
    return np.sum(np.sin(np.linalg.solve(dense, b)))


def test_second_order_batches_recording_and_compiling():
    data = MATRIX.data
    places = MATRIX.nonzero()
    for argnums in (0, 1):
        wanted = pb.hessian(reference, argnums)(DENSE, B)
        if argnums == 0:
            i, j = places
            wanted = wanted[i[:, None], j[:, None], i, j]
        for nested in (pb.hessian(loss, argnums), pb.jacobian(pb.grad(loss, argnums), argnums)):
            np.testing.assert_allclose(nested(data, B), wanted, rtol=1e-8, atol=1e-10)
        gradient = pb.grad(loss, argnums)
        for f in (pb.trace(gradient, data, B), pb.compile(gradient)):
            np.testing.assert_allclose(f(data, B), gradient(data, B), rtol=1e-13)
        each = [gradient(data, B), gradient(2 * data, 3 * B)]
        many = pb.vmap(gradient)(np.stack([data, 2 * data]), np.stack([B, 3 * B]))
        np.testing.assert_allclose(many, each, rtol=1e-11)
    a = sp.csr_array(DEFINITE)
    graph = pb.trace(pb.grad(lambda b: np.sum(sl.cg(a, b)[0] ** 2)), B)
    np.testing.assert_allclose(graph(B), pb.grad(lambda b: np.sum(sl.cg(a, b)[0] ** 2))(B))


def test_a_matrix_is_factorised_once_and_its_factors_go_with_it(monkeypatch):
    monkeypatch.setattr(sparse_systems, "_SMALL", 0)
    sparse_systems._latest.clear()
    made = []
    plainly = sl.splu
    monkeypatch.setattr(sl, "splu", lambda *args, **more: made.append(1) or plainly(*args, **more))
    a = of(MATRIX.data + 0.25)
    pb.grad(lambda b: np.sum(sl.spsolve(a, b) ** 2))(B)
    assert len(made) == 1
    pb.grad(lambda d: np.sum(sl.spsolve(of(d), B) ** 2))(MATRIX.data + 0.5)
    assert len(made) == 2
    solve = sl.factorized(sp.csc_array(DENSE))
    pb.grad(lambda b: np.sum(solve(solve(b))))(B)
    assert len(made) == 2
    changed = of(MATRIX.data.copy())
    before = pb.vjp(lambda b: sl.spsolve(changed, b), B)[0]
    changed.data *= 2
    after = pb.vjp(lambda b: sl.spsolve(changed, b), B)[0]
    np.testing.assert_allclose(after, before / 2, rtol=1e-14)
    solve = changed = a = before = after = None
    gc.collect()
    assert not sparse_systems._known


def test_a_small_constant_matrix_is_factorised_once_by_all_calls(monkeypatch):
    sparse_systems._latest.clear()
    made = []
    plainly = sl.splu
    monkeypatch.setattr(sl, "splu", lambda *args, **more: made.append(1) or plainly(*args, **more))
    a = of(MATRIX.data + 0.75)
    gradient = pb.grad(lambda b: np.sum(sl.spsolve(a, b) ** 2))
    first = gradient(B)
    for f in (gradient, pb.compile(gradient)):
        np.testing.assert_allclose(f(B), first, rtol=1e-13)
        np.testing.assert_allclose(f(2 * B), 2 * first, rtol=1e-13)
    assert len(made) == 1
    for factor in (2.0, 3.0, 4.0):
        pb.grad(lambda b, a=factor * a: np.sum(sl.spsolve(a, b) ** 2))(B)
    gc.collect()
    assert len(made) == 4 and len(sparse_systems._known) == 2


@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128", "int64"])
def test_dtypes_are_scipys(dtype):
    a = MATRIX.astype(dtype)
    for x in (B, B.astype("float32"), B + 1j):
        for solver in (sl.spsolve, lambda a, b: sl.gmres(a, b, rtol=1e-5)[0]):
            value, pull = pb.vjp(lambda b, solver=solver: solver(a, b), x)
            plain = solver(a, x)
            assert value.dtype == plain.dtype
            np.testing.assert_array_equal(value, plain)
            assert pull(plain)[0].dtype == x.dtype


def test_singular_matrices_warn_and_give_nan_as_in_scipy():
    singular = sp.csr_array(np.diag([1.0, 0.0, 2.0]))
    with pytest.warns(sl.MatrixRankWarning):
        value = pb.vjp(lambda b: sl.spsolve(singular, b), np.ones(3))[0]
    assert np.isnan(value).all()
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        pb.vjp(lambda b: sl.spsolve_triangular(singular, b), np.ones(3))


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: sl.lobpcg(MATRIX * x, B[:, None]), r"linalg\.lobpcg met .*linalg\.eigsh"),
        (lambda x: sl.eigsh(MATRIX, 2, sigma=x), r"linalg\.eigsh: something else .*stop_gradient"),
        (lambda x: sl.lsqr(MATRIX, B * x), r"linalg\.lsqr met .*spsolve\(A\.T @ A"),
        (lambda x: sl.spsolve(MATRIX, MATRIX * x), r"b is a sparse matrix.*b\.toarray\(\)"),
        (lambda x: sl.spsolve(MATRIX, B[:3] * x), r"spsolve: A has shape \(5, 5\) .* \(3,\)"),
        (lambda x: sl.spsolve(MATRIX[:3], B * x), "wanted a square matrix"),
        (lambda x: sl.cg(MATRIX, B[:3] * x), r"cg: A has shape .* wanted \(n, n\) and \(n,\)"),
        (lambda x: sl.cg(MATRIX, B, rtol=x), "cg: rtol is traced"),
        (lambda x: sl.norm(MATRIX * x, 2), r"norm: ord is 2.*A\.toarray\(\)"),
        (lambda x: sl.splu(MATRIX.tocsc() * x).L, r"SuperLU\.L: the factors"),
        (lambda x: sl.splu(MATRIX.tocsc()).solve(B * x), r"factorized\(A\)\(b\) or spsolve"),
        (lambda x: x * sl.aslinearoperator(MATRIX), "multiplied by a traced scalar"),
        (
            lambda x: sl.cg(sl.LinearOperator((N, N), matvec=lambda v: x * v, dtype=float), B * x),
            "cg: the product of the operator with a plain vector is traced",
        ),
    ],
)
def test_what_is_refused_says_what_to_write(f, words):
    with pytest.raises((pb.PullbackError, AttributeError), match=words):
        pb.vjp(f, 1.5)


def test_what_is_refused_takes_constants_of_a_transformation():
    def f(x):
        values = sl.eigsh(sp.csr_array(DEFINITE), k=2, v0=np.ones(N))[0]
        return x * np.sum(values)

    wanted = np.sum(np.linalg.eigvalsh(DEFINITE)[-2:])
    np.testing.assert_allclose(pb.grad(f)(2.0), wanted, rtol=1e-12)
