"""Systems of equations with sparse matrices, by factorisation and by iteration.

A matrix is its stored elements, their rows and their columns, as in `pullback.rules.sparse`. Of
AX = B it is AẊ = Ḃ − ȦX, AᴴB̄ = X̄, and for the stored elements āₑ = −Σₖ b̄ᵢₖ conj(xⱼₖ), with i and j
the row and the column of e: the derivative of the solution, whoever finds it, formed where an
element is stored (M. Giles, *An extended collection of matrix derivative results for forward and
reverse mode algorithmic differentiation*, Oxford 2008, of which the other places are left out).

A solution by iteration is as accurate as its tolerance says, and so are its derivatives, which are
solutions with the same method and the same tolerance.
"""

from __future__ import annotations

import functools
import math
import weakref
from collections import deque
from typing import Any, NamedTuple

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import in_front, rank_of
from pullback.errors import ArgumentTypeError, ArgumentValueError, NoRuleError
from pullback.rules.complex import conjugated
from pullback.rules.registration import rule
from pullback.rules.sparse import on_pattern, sparse_matmul, stacked

__all__ = ["Iteration", "iterative_solve", "remember", "solution_dtype", "sparse_solve"]


def solution_dtype(*arrays):
    """The dtype of a solution: floating or complex, as SciPy's solvers have it."""
    dtypes = [dtype_of(x) for x in arrays]
    matrix = dtypes[0] if dtypes[0].char in "fdFD" else _floating(dtypes[0])
    return np.promote_types(matrix, dtypes[-1])


def _floating(dtype):
    for each in "fdFD":
        if np.can_cast(dtype, each):
            return np.dtype(each)
    raise ArgumentTypeError(f"a sparse matrix has dtype {dtype}, in which SciPy solves nothing")


# -- by factorisation ------------------------------------------------------------------------------


class _Factors(NamedTuple):
    """What SuperLU has made of a matrix, and what it was made of."""

    owner: Any
    given: tuple[Any, ...]
    how: tuple[Any, ...]
    solve: Any


_known: list[_Factors] = []
"""The last factorisations. Each goes with the first solution that it gave: while that is kept, by
the user or for a derivative, the adjoint is solved with the same factors."""

MOST_KNOWN = 4

_latest: deque[Any] = deque(maxlen=2)
"""Solutions that are kept here, if they and their factors are small: a program that is called again
and again with the same matrix, by which nothing is differentiated, factorises it once."""

_SMALL = 1_000_000
"""Up to how many numbers are kept so."""


def _factorised(data, rows, columns, how):
    """SuperLU's solver of the matrix with these columns, and whether it is new."""
    for known in list(_known):
        if known.how == how and all(map(_same, known.given, (data, rows, columns))):
            return known.solve, False
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import splu

    n, ordering, dtype = how
    matrix = coo_array((data.astype(dtype), (rows, columns)), shape=(n, n)).tocsc()
    return splu(matrix, permc_spec=ordering).solve, True


def _keep(owner, matrix, how, solve):
    data, rows, columns = matrix
    _known.append(_Factors(weakref.ref(owner, _forget), (data.copy(), rows, columns), how, solve))
    del _known[:-MOST_KNOWN]


def remember(data: Any, rows: Any, columns: Any, n: int, solve: Any) -> None:
    """Keep SciPy's solver of the matrix with these columns as long as there is this `data`."""
    if getattr(solve, "__name__", "") == "solve" and data.dtype.char in "fdFD":
        _keep(data, (data, rows, columns), (n, None, data.dtype), solve)


def _same(one, other):
    return one is other or (one.dtype == other.dtype and np.array_equal(one, other))


def _forget(owner):
    _known[:] = [each for each in _known if each.owner is not owner]


def _sparse_solve(data, b, rows, columns, *, compressed, ordering=None, triangle=""):
    n = b.shape[0]
    if not n:
        return np.zeros(b.shape, solution_dtype(data, b))
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import spsolve, spsolve_triangular

    if triangle:
        # SuperLU has C's integers, and not every release of SciPy makes them of others.
        rows, columns = rows.astype(np.intc, copy=False), columns.astype(np.intc, copy=False)
        matrix = coo_array((data, (rows, columns)), shape=(n, n)).asformat(compressed)
        unit = triangle.startswith("unit")
        lower = triangle.endswith("lower")
        return spsolve_triangular(matrix, b, lower=lower, unit_diagonal=unit)
    dtype = solution_dtype(data, b)
    if dtype.char in "fdFD":
        # SuperLU has columns. Of a matrix that is stored by rows they are those of its transpose.
        by_columns = compressed == "csc"
        given = (data, rows, columns) if by_columns else (data, columns, rows)
        how = (n, ordering, dtype)
        try:
            solve, new = _factorised(*given, how)
        except RuntimeError:  # a singular matrix, of which SciPy warns
            pass
        else:
            x = np.ascontiguousarray(solve(b.astype(dtype), "N" if by_columns else "T"))
            if new:
                _keep(x, given, how, solve)
                if x.size + solve.__self__.nnz <= _SMALL:
                    _latest.append(x)
            return x
    matrix = coo_array((data, (rows, columns)), shape=(n, n)).asformat(compressed)
    x = spsolve(matrix, b, permc_spec=ordering, use_umfpack=False)
    return np.ascontiguousarray(np.reshape(x, b.shape))


def _solve_shape(primitive, data, b, *_, **how):
    if not 1 <= rank_of(b) <= 2:
        raise ArgumentValueError(
            f"{primitive.name}: the right-hand side has shape {shape_of(b)}, wanted (n,) or (n, k)"
        )
    return Abstract(shape_of(b), _solved_dtype(dtype_of(data), dtype_of(b), **how))


@functools.lru_cache(maxsize=256)
def _solved_dtype(matrix, right, **how):
    """What SciPy makes of one equation in these dtypes; its solvers have ways of their own."""
    if not how.get("triangle"):
        return solution_dtype(np.ones(1, matrix), np.ones(1, right))
    count = 0 if how["triangle"].startswith("unit") else 1
    place = np.zeros(count, np.int32)
    return _sparse_solve(np.ones(count, matrix), np.ones(1, right), place, place, **how).dtype


def _solve_count(_out, data, b, *_, **__):
    """Of a factorisation without any fill, and two triangular solutions for each column."""
    elements = math.prod(shape_of(data))
    return elements + 2 * elements * math.prod(shape_of(b)[1:])


def _solve_batch(primitive, size, mapped, values, params):
    """Columns for all examples, or the solution with the block-diagonal matrix."""
    data, b, *places = values
    n = shape_of(b)[1 if mapped[1] else 0]
    marks = (mapped[0], *mapped[2:])
    if any(marks):
        data, rows, columns, _ = stacked(size, marks, (data, *places), (n, n))
        b = in_front(b, size, mapped=mapped[1])
        x = primitive(data, np.reshape(b, (size * n, *shape_of(b)[2:])), rows, columns, **params)
        return np.reshape(x, shape_of(b))
    if rank_of(b) == 2:
        return primitive(data, b.T, *places, **params).T
    _, n, k = shape_of(b)
    side_by_side = np.reshape(np.moveaxis(b, 0, 1), (n, size * k))
    x = primitive(data, side_by_side, *places, **params)
    return np.moveaxis(np.reshape(x, (n, size, k)), 1, 0)


_OTHER = {"csr": "csc", "csc": "csr", "lower": "upper", "upper": "lower", "": "",
          "unit lower": "unit upper", "unit upper": "unit lower"}  # fmt: skip
"""What the transpose of a matrix is."""


@rule(_sparse_solve, Opaque(_solve_shape, _solve_batch, count=_solve_count))
def sparse_solve(x, data, _b, rows, columns, *, compressed, ordering=None, triangle=""):
    """AX = B: AẊ = Ḃ − ȦX, AᴴB̄ = X̄, āₑ = −Σₖ b̄ᵢₖ conj(xⱼₖ).

    A singular matrix gives NaN, with a warning of SciPy's.

    Parameters
    ----------
    compressed : {"csr", "csc"}
        How SciPy stores A, by which it rounds.
    ordering : str, optional
        SciPy's ``permc_spec``.
    triangle : {"", "lower", "upper", "unit lower", "unit upper"}
        Of which A is known to be, with ones on the diagonal that are not stored if it says so.
    """
    n = shape_of(x)[0]
    how = {"compressed": compressed, "ordering": ordering, "triangle": triangle}
    back = {"compressed": _OTHER[compressed], "ordering": ordering, "triangle": _OTHER[triangle]}

    def adjoint_solve(x_bar):
        return sparse_solve(conjugated(data), x_bar, columns, rows, **back)

    def pushforward(data_dot):
        moved = sparse_matmul(data_dot, x, rows, columns, shape=(n, n))
        return -sparse_solve(data, moved, rows, columns, **how)

    return (
        Linear(
            pushforward,
            lambda x_bar: -on_pattern(adjoint_solve(x_bar), conjugated(x), rows, columns),
        ),
        Linear(lambda b_dot: sparse_solve(data, b_dot, rows, columns, **how), adjoint_solve),
        None,
        None,
    )


# -- by iteration ----------------------------------------------------------------------------------


class Iteration:
    """A solver of SciPy's with its options, and the operator where there is no matrix.

    Attributes
    ----------
    name : str
        Of the function in `scipy.sparse.linalg`.
    options : dict
    operator : LinearOperator or None
    """

    def __init__(self, name: str, options: dict[str, Any], operator: Any = None) -> None:
        self.name = name
        self.options = options
        self.operator = operator

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Iteration)
            and self.name == other.name
            and self.operator is other.operator
            and list(self.options) == list(other.options)
            and all(self.options[key] is other.options[key] for key in self.options)
        )

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name

    def solve(self, matrix: Any, b: Any, *start: Any) -> tuple[Any, Any]:
        import scipy.sparse.linalg

        solver = getattr(scipy.sparse.linalg, self.name)
        a = self.operator if matrix is None else matrix
        x, info = solver(a, b, *start, **self.options)
        return np.asarray(x), np.int64(info)

    @property
    def linear(self) -> Iteration:
        """The same without what is for the first solution alone: a start, and who watches."""
        options = {k: v for k, v in self.options.items() if k not in ("x0", "callback")}
        return Iteration(self.name, options, self.operator)

    @property
    def adjoint(self) -> Iteration:
        """That of Aᴴ: of a symmetric method the same."""
        once = self.linear
        if self.name in SYMMETRIC:
            return once
        options = {k: v for k, v in once.options.items() if k not in ("M1", "M2")}
        if options.get("M") is not None:
            options["M"] = _adjoint(options["M"])
        operator = None if self.operator is None else _adjoint(self.operator)
        return Iteration(self.name, options, operator)


SYMMETRIC = frozenset({"cg", "minres"})
"""Methods for matrices that are their own adjoint."""


def _adjoint(operator: Any) -> Any:
    if not hasattr(operator, "matvec"):
        return operator.conj().T
    try:
        operator.rmatvec(np.zeros(operator.shape[0], operator.dtype or float))
    except (NotImplementedError, TypeError):
        raise NoRuleError(
            f"scipy.sparse.linalg: the derivative in reverse mode solves with the adjoint of an "
            f"operator of shape {operator.shape} that has none; give LinearOperator an rmatvec="
        ) from None
    return operator.H


def _parted(rest, iteration):
    """Where the iteration starts, if that is given, and the matrix, if there is one."""
    matrix = rest[-3:] if iteration.operator is None else ()
    return rest[: len(rest) - len(matrix)], matrix


def _iterative_solve(b, *rest, iteration):
    start, matrix = _parted(rest, iteration)
    if not matrix:
        return iteration.solve(None, b, *start)
    from scipy.sparse import coo_array

    data, rows, columns = matrix
    n = b.shape[0]
    return iteration.solve(coo_array((data, (rows, columns)), shape=(n, n)).tocsr(), b, *start)


def _iterative_shape(_primitive, b, *rest, iteration):
    _, matrix = _parted(rest, iteration)
    given = matrix[0] if matrix else iteration.operator
    dtype = _iterated_dtype(iteration.name, dtype_of(given), dtype_of(b))
    return Abstract(shape_of(b), dtype), Abstract((), np.dtype(np.int64))


@functools.lru_cache(maxsize=256)
def _iterated_dtype(name, matrix, right):
    """What SciPy makes of one equation in these dtypes."""
    return Iteration(name, {}).solve(np.ones((1, 1), matrix), np.ones(1, right))[0].dtype


def _iterative_batch(primitive, size, mapped, values, params):
    """Example by example: each iterates until it is there."""
    found = [
        primitive(*(x[i] if one else x for x, one in zip(values, mapped, strict=True)), **params)
        for i in range(size)
    ]
    return tuple(map(np.stack, zip(*found, strict=True)))


@rule(
    _iterative_solve,
    Opaque(_iterative_shape, _iterative_batch, multiple=True),
)
def iterative_solve(outs, _b, *rest, iteration):
    """(x, info) with Ax = b up to a tolerance: Aẋ = ḃ − Ȧx, Aᴴb̄ = x̄, āₑ = −b̄ᵢ conj(xⱼ).

    The derivative is that of A⁻¹b, by the same method with the same tolerance. It does not depend
    on where the iteration starts.
    """
    start, matrix = _parted(rest, iteration)
    x, linear = outs[0], iteration.linear
    _, rows, columns = matrix or (None,) * 3

    def solve(b_dot):
        return iterative_solve(b_dot, *matrix, iteration=linear)[0], None

    def adjoint_solve(bars):
        if bars[0] is None:
            return None
        transposed = (conjugated(matrix[0]), columns, rows) if matrix else ()
        return iterative_solve(bars[0], *transposed, iteration=iteration.adjoint)[0]

    maps = (Linear(solve, adjoint_solve), *(None for _ in start))
    if not matrix:
        return maps

    def pushforward(data_dot):
        n = shape_of(x)[0]
        return solve(-sparse_matmul(data_dot, x, rows, columns, shape=(n, n)))

    def pullback(bars):
        b_bar = adjoint_solve(bars)
        return None if b_bar is None else -on_pattern(b_bar, conjugated(x), rows, columns)

    return *maps, Linear(pushforward, pullback), None, None
