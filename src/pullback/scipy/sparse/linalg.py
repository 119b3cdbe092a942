"""scipy.sparse.linalg: what is served, and what is decided for everything else."""

import scipy.sparse.linalg

from pullback.scipy.decisions import constant, passed, refused
from pullback.scipy.sparse import functions, linear_operators, spectra, systems

__all__ = ["functions", "linear_operators", "spectra", "systems"]

_DENSE = "Write it with a dense matrix, A.toarray(), and"

constant(
    scipy.sparse.linalg,
    "ArpackError ArpackNoConvergence MatrixRankWarning use_solver is_sptriangular spbandwidth",
    "an exception, a setting, or a property of the places of elements",
)
passed(
    scipy.sparse.linalg,
    "LinearOperator",
    "made of functions as ever; its products with traced vectors run these functions",
)
refused(
    scipy.sparse.linalg,
    "SuperLU spilu",
    "It is compiled, and an incomplete factorisation; solve with traced right-hand sides by "
    "scipy.sparse.linalg.factorized(A)(b) or spsolve(A, b)",
)
refused(
    scipy.sparse.linalg,
    "lobpcg",
    "Call scipy.sparse.linalg.eigsh, which has a rule",
)
refused(
    scipy.sparse.linalg,
    "funm_multiply_krylov",
    f"{_DENSE} scipy.linalg.expm or another function of a matrix",
)
refused(
    scipy.sparse.linalg,
    "lsqr lsmr",
    "Where A has full column rank solve the normal equations, spsolve(A.T @ A, A.T @ b), or by "
    "cg; or write numpy.linalg.lstsq(A.toarray(), b)",
)
refused(
    scipy.sparse.linalg,
    "onenormest LaplacianNd",
    f"{_DENSE} numpy.linalg.norm(A, 1), or a Laplacian put together by scipy.sparse.diags",
)
