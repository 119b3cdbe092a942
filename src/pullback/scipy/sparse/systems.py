"""scipy.sparse.linalg: systems of equations, beside and of traced values."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg as sl

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.rules.sparse_systems import Iteration, iterative_solve, remember, sparse_solve
from pullback.scipy.constants import constant_call
from pullback.scipy.first_step import any_traced, give_first_step, plain, served, serves
from pullback.scipy.sparse.linear_operators import TracedOperator, matrix_of
from pullback.scipy.sparse.parts import Parts, parts_of

__all__ = ["factorized", "spsolve", "spsolve_triangular"]

# -- by factorisation ------------------------------------------------------------------------------


def _system(a: Any, b: Any, name: str) -> tuple[Parts, str, Any]:
    """The parts of a square matrix, how it is stored, and the right-hand side."""
    if scipy.sparse.issparse(b) and type(b) is not Tracer:
        raise ArgumentTypeError(
            f"{name}: b is a sparse matrix of shape {b.shape} and something is traced, wanted a "
            "dense array; write b.toarray(), for the solution is dense"
        )
    a = matrix_of(a, name)
    compressed = a.format
    if compressed not in ("csc", "csr"):
        compressed = "csc"
        warnings.warn(
            f"{name} wants A in CSC or CSR format, got {a.format}",
            scipy.sparse.SparseEfficiencyWarning,
            stacklevel=4,
        )
    b = operand(b)
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ArgumentValueError(f"{name}: A has shape {a.shape}, wanted a square matrix")
    if not 1 <= len(shape_of(b)) <= 2 or shape_of(b)[0] != a.shape[0]:
        raise ArgumentValueError(
            f"{name}: A has shape {a.shape} and b has shape {shape_of(b)}, wanted "
            f"({a.shape[0]},) or ({a.shape[0]}, k)"
        )
    return parts_of(a), compressed, b


def _solved(parts: Parts, b: Any, **how: Any) -> Any:
    return sparse_solve(parts.data, b, parts.rows, parts.columns, **how)


@serves(sl.spsolve)
def spsolve(A: Any, b: Any, permc_spec: Any = None, use_umfpack: bool = True) -> Any:
    """A⁻¹b; of a b of one column a vector. It is SuperLU that solves, whatever `use_umfpack`."""
    constants = constant_call(sl.spsolve, (A, b, permc_spec, use_umfpack), {})
    if constants is not NotImplemented:
        return constants
    parts, compressed, b = _system(A, b, "scipy.sparse.linalg.spsolve")
    if shape_of(b)[1:] == (1,):
        b = np.reshape(b, (-1,))
    return _solved(parts, b, compressed=compressed, ordering=permc_spec)


@serves(sl.spsolve_triangular)
def spsolve_triangular(
    A: Any,
    b: Any,
    lower: bool = True,
    overwrite_A: bool = False,
    overwrite_b: bool = False,
    unit_diagonal: bool = False,
) -> Any:
    """A⁻¹b of a triangular A; nothing is overwritten."""
    given = (A, b, lower, overwrite_A, overwrite_b, unit_diagonal)
    constants = constant_call(sl.spsolve_triangular, given, {})
    if constants is not NotImplemented:
        return constants
    parts, compressed, b = _system(A, b, "scipy.sparse.linalg.spsolve_triangular")
    rows, columns = parts.rows, parts.columns
    kept = rows >= columns if lower else rows <= columns
    if unit_diagonal:
        kept = kept & (rows != columns)
    if not np.all(kept):
        parts = Parts(parts.data[kept], rows[kept], columns[kept], parts.shape)
    triangle = f"{'unit ' if unit_diagonal else ''}{'lower' if lower else 'upper'}"
    return _solved(parts, b, compressed=compressed, triangle=triangle)


class Factors:
    """What `splu` returns for a matrix of traced elements: it solves."""

    def __init__(self, parts: Parts, ordering: Any) -> None:
        self._parts = parts
        self._ordering = ordering
        self.shape = parts.shape
        self.nnz = parts.rows.size

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        """A⁻¹b, A⁻ᵀb or A⁻ᴴb."""
        parts, form = self._parts, "csc"
        if trans in ("T", "H"):
            parts, form = parts.transposed, "csr"
        elif trans != "N":
            raise ArgumentValueError(
                f"scipy.sparse.linalg.splu: trans is {trans!r}, wanted N, T or H"
            )
        if trans == "H":
            parts = parts.with_data(np.conj(parts.data))
        return _solved(parts, operand(rhs), compressed=form, ordering=self._ordering)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"scipy.sparse.linalg.SuperLU.{name}: the factors of a matrix with traced elements are "
            "not kept, they only solve; use numpy.linalg for factors with derivatives"
        )


def _by_columns(a: Any, name: str) -> Parts:
    a = matrix_of(a, name)
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ArgumentValueError(f"{name}: A has shape {a.shape}, wanted a square matrix")
    return parts_of(a)


def _splu(A: Any, permc_spec: Any = None, **options: Any) -> Any:
    """LU factors that solve."""
    constants = constant_call(sl.splu, (A, permc_spec), options)
    if constants is not NotImplemented:
        return constants
    if any_traced((permc_spec, *options.values())):
        raise ArgumentTypeError("scipy.sparse.linalg.splu: an option is traced, and is constant")
    return Factors(_by_columns(A, "scipy.sparse.linalg.splu"), permc_spec)


serves(sl.splu)(_splu)


def factorized(A: Any) -> Callable[[Any], Any]:
    """A function that solves with A, for plain right-hand sides with the factors of SuperLU."""
    if not any_traced((A,)):
        return _solver(A, plain(sl.factorized)(A))
    constants = constant_call(sl.factorized, (A,), {})
    if constants is NotImplemented:
        return Factors(_by_columns(A, "scipy.sparse.linalg.factorized"), None).solve
    return _solver(strip(A), constants)


def _solver(a: Any, plainly: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """SciPy's solver of a plain matrix, which solves for traced right-hand sides too."""
    parts = parts_of(scipy.sparse.csc_array(a, copy=True))
    n = parts.shape[0]
    remember(parts.data, parts.rows, parts.columns, n, plainly)

    def solve(rhs: Any) -> Any:
        if not any_traced((rhs,)):
            return plainly(rhs)
        b = operand(rhs)
        if not 1 <= len(shape_of(b)) <= 2 or shape_of(b)[0] != n:
            raise ArgumentValueError(
                f"scipy.sparse.linalg.factorized: A has shape {parts.shape} and b has shape "
                f"{shape_of(b)}, wanted ({n},) or ({n}, k)"
            )
        return _solved(parts, b, compressed="csc")

    solve.__self__ = getattr(plainly, "__self__", None)  # type: ignore[attr-defined]
    solve.__doc__ = plainly.__doc__
    return solve


give_first_step(sl.factorized, factorized, always=True)
served[sl.factorized] = factorized

# -- by iteration ----------------------------------------------------------------------------------


def _iterating(name: str) -> Callable[..., Any]:
    function = getattr(sl, name)
    where = f"scipy.sparse.linalg.{name}"

    def solved(A: Any, b: Any, x0: Any = None, **options: Any) -> Any:
        constants = constant_call(function, (A, b), {"x0": x0, **options})
        if constants is not NotImplemented:
            return constants
        for option, value in options.items():
            if any_traced((value,)):
                raise ArgumentTypeError(
                    f"{where}: {option} is traced, and the solution does not depend on it; hand "
                    "over plain numbers, as pullback.stop_gradient gives them"
                )
        start: tuple[Any, ...] = ()
        if isinstance(x0, str):
            options["x0"] = x0
        elif x0 is not None:
            start = (operand(x0),)
        b = operand(b)
        column = len(shape_of(b)) == 2 and shape_of(b)[1] == 1
        if column:
            b = np.reshape(b, (-1,))
        if isinstance(A, sl.LinearOperator) and type(A) is not TracedOperator:
            _require_plain(A, b, where)
            matrix: tuple[Any, ...] = ()
            iteration = Iteration(name, options, A)
        else:
            a = matrix_of(A.matrix if type(A) is TracedOperator else A, where)
            _require_square(a, b, where)
            parts = parts_of(a)
            matrix = parts[:3]
            iteration = Iteration(name, options)
        if dtype_of(b).char not in "fdFD":
            b = b.astype(float)
        return iterative_solve(b, *start, *matrix, iteration=iteration)

    solved.__doc__ = "A⁻¹b up to a tolerance, and what became of the iteration; x0 is a constant."
    return solved


def _require_square(a: Any, b: Any, where: str) -> None:
    n = a.shape[0]
    if a.ndim != 2 or a.shape[1] != n or shape_of(b) != (n,):
        raise ArgumentValueError(
            f"{where}: A has shape {a.shape} and b has shape {shape_of(b)}, wanted (n, n) and (n,)"
        )


def _require_plain(operator: Any, b: Any, where: str) -> None:
    """Raise where an operator multiplies by something traced, which the rule doesn't know."""
    _require_square_operator(operator, b, where)
    found = operator._matvec(np.zeros(operator.shape[1], operator.dtype or float))
    if any_traced((found,)):
        raise ArgumentTypeError(
            f"{where}: the product of the operator with a plain vector is traced, so that it "
            "depends on a traced value that is none of its arguments; hand over the matrix, dense "
            "or sparse with traced elements, csr_array((data, indices, indptr))"
        )


def _require_square_operator(operator: Any, b: Any, where: str) -> None:
    n = operator.shape[0]
    if operator.shape[1] != n or shape_of(b) != (n,):
        raise ArgumentValueError(
            f"{where}: A has shape {operator.shape} and b has shape {shape_of(b)}, wanted (n, n) "
            "and (n,)"
        )


for _name in ("bicg", "bicgstab", "cg", "cgs", "gcrotmk", "gmres", "lgmres", "minres", "qmr",
              "tfqmr"):  # fmt: skip
    serves(getattr(sl, _name))(_iterating(_name))
