"""BLAS and LAPACK as `interpret` calls them: NumPy's functions on flat arrays, column by column."""

from __future__ import annotations

import numpy as np

__all__ = ["SYMBOLS"]


def _columns(flat, rows, columns, step):
    """The matrix that lies column by column, as a view."""
    (m,), (n,), (ld,) = rows, columns, step
    assert ld >= max(m, 1)
    whole = np.lib.stride_tricks.as_strided(
        flat, (m, n), (flat.itemsize, ld * flat.itemsize), writeable=flat.flags.writeable
    )
    assert not m * n or ld * (n - 1) + m <= flat.size
    return whole


def _is(letter, name):
    return letter[0] == ord(name)


def potrf(uplo, n, a, lda, info):
    a = _columns(a, n, n, lda)
    lower = np.tril(a if _is(uplo, "L") else a.T)
    try:
        factor = np.linalg.cholesky(lower)
    except np.linalg.LinAlgError:
        info[0] = 1
        return
    rows, columns = np.tril_indices(n[0])
    (a if _is(uplo, "L") else a.T)[rows, columns] = factor[rows, columns]


def getrf(m, n, a, lda, pivots, info):
    a = _columns(a, m, n, lda)
    for k in range(n[0]):
        row = k + int(np.argmax(np.abs(a[k:, k])))
        pivots[k] = row + 1
        a[[k, row]] = a[[row, k]]
        if a[k, k] == 0:
            info[0] = info[0] or k + 1
            continue
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])


def _from_factors(a, pivots):
    """The matrix with these factors."""
    found = (np.tril(a, -1) + np.eye(len(a), dtype=a.dtype)) @ np.triu(a)
    for k in reversed(range(len(a))):
        row = pivots[k] - 1
        found[[k, row]] = found[[row, k]]
    return found


def getrs(trans, n, count, a, lda, pivots, b, ldb, info):
    whole = _from_factors(_columns(a, n, n, lda), pivots)
    x = _columns(b, n, count, ldb)
    turned = {"N": whole, "T": whole.T, "C": np.conj(whole).T}[chr(trans[0])]
    x[...] = np.linalg.solve(turned, x)


def getri(n, a, lda, pivots, work, lwork, info):
    assert lwork[0] <= work.size
    a = _columns(a, n, n, lda)
    a[...] = np.linalg.inv(_from_factors(a, pivots))


def _triangle(uplo, trans, diag, n, a, lda):
    assert _is(diag, "N")
    a = _columns(a, n, n, lda)
    a = np.tril(a) if _is(uplo, "L") else np.triu(a)
    return a.T if _is(trans, "T") else a


def trsv(uplo, trans, diag, n, a, lda, x, step):
    assert step[0] == 1
    x[: n[0]] = np.linalg.solve(_triangle(uplo, trans, diag, n, a, lda), x[: n[0]])


def trsm(side, uplo, trans, diag, m, n, alpha, a, lda, b, ldb):
    left = _is(side, "L")
    t = _triangle(uplo, trans, diag, m if left else n, a, lda)
    x = _columns(b, m, n, ldb)
    x[...] = alpha[0] * (np.linalg.solve(t, x) if left else np.linalg.solve(t.T, x.T).T)


def gemm(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    a = _columns(a, k, m, lda).T if _is(transa, "T") else _columns(a, m, k, lda)
    b = _columns(b, n, k, ldb).T if _is(transb, "T") else _columns(b, k, n, ldb)
    c = _columns(c, m, n, ldc)
    c[...] = alpha[0] * (a @ b) + (beta[0] * c if beta[0] else 0)


def gemv(trans, m, n, alpha, a, lda, x, incx, beta, y, incy):
    a = _columns(a, m, n, lda)
    a = a.T if _is(trans, "T") else a
    x, y = x[:: incx[0]][: a.shape[1]], y[:: incy[0]][: a.shape[0]]
    y[...] = alpha[0] * (a @ x) + (beta[0] * y if beta[0] else 0)


def heevd(jobz, uplo, n, a, lda, w, work, lwork, rwork, lrwork, iwork, liwork, info):
    assert lrwork[0] == rwork.size >= 1 + (5 + 2 * n[0]) * n[0]
    syevd(jobz, uplo, n, a, lda, w, work, lwork, iwork, liwork, info)


def syevd(jobz, uplo, n, a, lda, w, work, lwork, iwork, liwork, info):
    assert lwork[0] == work.size >= (2 + n[0]) * n[0]
    assert liwork[0] == iwork.size >= 3 + 5 * n[0]
    a = _columns(a, n, n, lda)
    try:
        values, vectors = np.linalg.eigh(a, chr(uplo[0]))
    except np.linalg.LinAlgError:
        info[0] = 1
        return
    w[: n[0]] = values
    a[...] = vectors if _is(jobz, "V") else np.nan


def gesdd(jobz, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, *rest):
    few = min(m[0], n[0])
    assert lwork[0] <= work.size
    assert rest[-2].size >= 8 * few
    a = _columns(a, m, n, lda)
    try:
        left, values, right = np.linalg.svd(a, full_matrices=False)
    except np.linalg.LinAlgError:
        rest[-1][0] = 1
        return
    a[...] = np.nan
    s[:few] = values
    if _is(jobz, "S"):
        _columns(u, m, [few], ldu)[...] = left
        _columns(vt, [few], n, ldvt)[...] = right


_REAL = {"heevd": (5, 8), "gesdd": (5, 12)}
"""The arguments that are real where matrices are complex."""


def _of_pairs(function):
    """The function of complex numbers, which lie in memory as pairs of real ones."""
    real = _REAL.get(function.__name__, ())

    def called(*args):
        pairs = {"f4": np.complex64, "f8": np.complex128}
        function(
            *(
                x if i in real else x.view(pairs.get(x.dtype.str[1:], x.dtype))
                for i, x in enumerate(args)
            )
        )

    return called


SYMBOLS = {
    f"scipy.linalg.{module}.{letter}{function.__name__}": (
        _of_pairs(function) if letter in "cz" else function
    )
    for module, functions in (
        ("cython_blas", (gemm, gemv, trsm, trsv)),
        ("cython_lapack", (gesdd, getrf, getri, getrs, heevd, potrf, syevd)),
    )
    for function in functions
    for letter in "dscz"
}
