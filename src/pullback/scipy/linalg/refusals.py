"""What of `scipy.linalg` has no derivative here, or can't have one, and what to use instead."""

from __future__ import annotations

from typing import Any

import scipy.linalg

from pullback.numpy.operands import operand, require_known
from pullback.scipy.decisions import constant, refused
from pullback.scipy.first_step import plain, serves

__all__: list[str] = []


def _answers(name: str) -> None:
    """Let a question about the elements of a matrix be answered, if they are known."""
    function = getattr(scipy.linalg, name, None)
    if function is None:
        return
    original = plain(function)

    def answer(*args: Any, **kwargs: Any) -> Any:
        given = [require_known(f"scipy.linalg.{name}", "a", operand(x)) for x in args]
        return original(*given, **kwargs)

    serves(function)(answer)


for _name in ("bandwidth", "ishermitian", "issymmetric"):
    _answers(_name)

constant(
    scipy.linalg,
    "dft hadamard helmert hilbert invhilbert invpascal pascal",
    "takes a number of rows, and no array",
)
constant(
    scipy.linalg,
    "find_best_blas_type get_blas_funcs get_lapack_funcs",
    "reads the dtypes of arrays; the routines that it gives take plain arrays",
)
constant(scipy.linalg, "LinAlgError LinAlgWarning", "is an exception")
refused(
    scipy.linalg,
    "schur hessenberg rsf2csf cdf2rdf",
    "Its vectors are determined for eigenvalues in one order only, and not where some are equal: "
    "use scipy.linalg.eig for eigenvalues and vectors, or expm, sqrtm, logm and the other "
    "functions of a matrix, which know their derivatives",
)
refused(
    scipy.linalg,
    "qz ordqz",
    "Use scipy.linalg.eigvals(numpy.linalg.solve(b, a)), or scipy.linalg.eigh(a, b) for Hermitian "
    "matrices",
)
refused(
    scipy.linalg,
    "funm",
    "Use expm, logm, sqrtm, fractional_matrix_power or the trigonometric functions of "
    "scipy.linalg; or w, v = numpy.linalg.eig(a) and (v * f(w)) @ numpy.linalg.inv(v)",
)
refused(scipy.linalg, "expm_cond", "Use numpy.linalg.norm of scipy.linalg.expm_frechet")
refused(
    scipy.linalg,
    "ldl",
    "Use scipy.linalg.solve(a, b, assume_a='sym') to solve with a symmetric matrix, and cholesky "
    "or lu for its factors",
)
refused(
    scipy.linalg,
    "cossin",
    "Use numpy.linalg.svd of the blocks, which gives the cosines and sines",
)
refused(
    scipy.linalg,
    "qr_delete qr_insert qr_update qr_multiply",
    "Use scipy.linalg.qr(a, mode='economic') of the changed matrix, and products with @",
)
refused(
    scipy.linalg,
    "eig_banded eigvals_banded",
    "Use scipy.linalg.eigh, or eigvalsh, of the whole matrix",
)
refused(
    scipy.linalg,
    "eigh_tridiagonal eigvalsh_tridiagonal",
    "Use scipy.linalg.eigh, or eigvalsh, of np.diag(d) + np.diag(e, 1) + np.diag(e, -1)",
)
refused(
    scipy.linalg,
    "matrix_balance",
    "Its scales are powers of 2 and constant: compute them of plain values outside, and multiply "
    "the matrix by them",
)
refused(
    scipy.linalg,
    "clarkson_woodruff_transform",
    "Its matrix is random and constant: make it outside, of np.eye(n), and multiply by it",
)
