"""Eigenvalue problems under SciPy's names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.linalg

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError, DataDependenceError
from pullback.numpy.factorisations import only_real
from pullback.rules import eigenvalues, linalg, spectral
from pullback.rules.chosen_vectors import chosen_vectors, left_vectors
from pullback.rules.complex import adjoint
from pullback.rules.custom import stop_gradient
from pullback.scipy.first_step import serves
from pullback.scipy.linalg.arguments import fixed, hermitian_of, matrices, square
from pullback.scipy.linalg.generalized import generalized
from pullback.scipy.linalg.solving import triangular

__all__ = ["eig", "eigh", "eigvals", "eigvalsh"]


# -- Hermitian problems ---------------------------------------------------------------------------


class _Problem(NamedTuple):
    """A Hermitian eigenvalue problem, as `scipy.linalg.eigh` is asked for it."""

    name: str
    lower: bool
    type: int
    driver: Any
    by_index: Any
    by_value: Any


@serves(scipy.linalg.eigh)
def eigh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: Any = None,
) -> Any:
    name = "scipy.linalg.eigh"
    problem = _Problem(name, bool(lower), type, driver, subset_by_index, subset_by_value)
    _require_sense(problem, b)
    a = square(a, name, check_finite)
    if b is not None:
        a, b = matrices(a, square(b, name, check_finite))
        if shape_of(b)[-1] != shape_of(a)[-1]:
            raise ArgumentValueError(f"wrong b dimensions {shape_of(b)}, should be {shape_of(a)}")
    w, v = _decomposed(a, b, problem, not eigvals_only)
    first, last = _part(w, problem)
    whole = (first, last) == (0, shape_of(a)[-1])
    if eigvals_only:
        return w if whole else w[..., first:last]
    if not whole:
        w, v = w[..., first:last], v[..., first:last]
    if driver is not None or not whole:
        v = _aligned(v, a, b, problem, first, last)
    return w, v


@serves(scipy.linalg.eigvalsh)
def eigvalsh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: Any = None,
) -> Any:
    return eigh(
        a, b, lower=lower, eigvals_only=True, type=type, check_finite=check_finite,
        subset_by_index=subset_by_index, subset_by_value=subset_by_value, driver=driver,
    )  # fmt: skip


def _require_sense(problem: _Problem, b: Any) -> None:
    """Raise where arguments contradict one another, in SciPy's words."""
    driver, subset = problem.driver, problem.by_index or problem.by_value
    known_ones = (None, "ev", "evd", "evr", "evx", "gv", "gvd", "gvx")
    if driver not in known_ones:
        names = ", ".join(map(str, known_ones))
        raise ArgumentValueError(f'"{driver}" is unknown. Possible values are {names}')
    if driver and (driver[0] == "g") != (b is not None):
        raise ArgumentValueError(
            f"{driver} requires input b array to be supplied for generalized eigenvalue problems."
            if b is None
            else f'"{driver}" does not accept input b array for standard eigenvalue problems.'
        )
    if subset and driver in ("ev", "evd", "gv", "gvd"):
        raise ArgumentValueError(f'"{driver}" cannot compute subsets of eigenvalues')
    if problem.by_index and problem.by_value:
        raise ArgumentValueError("Either index or value subset can be requested.")
    if b is not None and problem.type not in (1, 2, 3):
        raise ArgumentValueError('"type" keyword only accepts 1, 2, and 3.')


def _decomposed(a: Any, b: Any, problem: _Problem, vectors: bool) -> Any:
    """All eigenvalues and vectors.

    With B = LLᴴ, or UᴴU, the problem is that of a single Hermitian matrix, as in LAPACK.
    """
    lower = problem.lower
    if b is None:
        driver = "evr" if vectors else None
        return spectral.eigh(a, uplo="L" if lower else "U", driver=driver)
    factor = linalg.cholesky(b) if lower else linalg.cholesky(b.mT).mT
    a = hermitian_of(a, lower)
    if problem.type == 1:
        inner = triangular(factor, a, lower, 0 if lower else 2)
        a = triangular(factor, adjoint(inner), lower, 0 if lower else 2)
    else:
        a = adjoint(factor) @ a @ factor if lower else factor @ a @ adjoint(factor)
    w, y = spectral.eigh(a, uplo="L" if lower else "U")
    if not vectors:
        return w, None
    if problem.type == 3:
        return w, (factor if lower else adjoint(factor)) @ y
    return w, triangular(factor, y, lower, 2 if lower else 0)


def _part(w: Any, problem: _Problem) -> tuple[int, int]:
    """Where the part of the spectrum that is asked for begins and ends."""
    n = shape_of(w)[-1]
    if problem.by_index:
        first, last = (int(fixed(x, problem.name, "subset_by_index")) for x in problem.by_index)
        if not 0 <= first <= last < n:
            raise ArgumentValueError(
                "Requested eigenvalue indices are not valid. Valid range is "
                f"[0, {n - 1}] and start <= end, but start={first}, end={last} is given"
            )
        return first, last + 1
    if not problem.by_value:
        return 0, n
    low, high = (float(fixed(x, problem.name, "subset_by_value")) for x in problem.by_value)
    if not low < high:
        raise ArgumentValueError(
            "Requested eigenvalue bounds are not valid. Valid range is (-inf, inf) and low < high, "
            f"but low={low}, high={high} is given"
        )
    if not known(w):
        raise DataDependenceError(
            f"{problem.name}: how many eigenvalues there are between {low} and {high} is not known "
            "while a function is recorded; use subset_by_index"
        )
    values = np.reshape(strip(w), (-1, n))
    below, most = (np.sum(values <= bound, axis=-1) for bound in (low, high))
    if np.ptp(below) or np.ptp(most):
        raise DataDependenceError(
            f"{problem.name}: the examples have different numbers of eigenvalues between {low} and "
            f"{high}, {below.tolist()} up to the first and {most.tolist()} up to the second; use "
            "subset_by_index"
        )
    return int(below[0]), int(most[0])


def _aligned(v: Any, a: Any, b: Any, problem: _Problem, first: int, last: int) -> Any:
    """Vectors with the signs, or phases, that SciPy chooses for this part of the spectrum."""
    options = {
        "generalized": b is not None, "lower": problem.lower, "type": problem.type,
        "driver": problem.driver,
    }  # fmt: skip
    if last - first < shape_of(a)[-1]:
        options["subset_by_index"] = (first, last - 1)
    if first == last:
        return v
    chosen = chosen_vectors(a, a if b is None else b, first=first, options=tuple(options.items()))
    overlap = stop_gradient(np.sum(np.conj(v) * chosen[..., first:last], axis=-2, keepdims=True))
    return v * np.where(np.equal(overlap, 0), 1, np.sign(overlap)).astype(dtype_of(v))


# -- other problems -------------------------------------------------------------------------------


@serves(scipy.linalg.eig)
def eig(
    a: Any,
    b: Any = None,
    left: bool = False,
    right: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    """Vectors are of length 1, with a real number in the place of the largest modulus."""
    name = "scipy.linalg.eig" if left or right else "scipy.linalg.eigvals"
    a = square(a, name, check_finite)
    if b is not None:
        if homogeneous_eigvals:
            raise ArgumentTypeError(
                f"{name}: homogeneous_eigvals with b is not supported where a matrix is being "
                f"differentiated, for only the quotients of the pairs are determined by the "
                f"matrices; call {name}(a, b), which returns these"
            )
        if left and not right:
            raise ArgumentTypeError(
                f"{name}: left vectors of two matrices alone, of which SciPy leaves the length "
                "open, are not supported where a matrix is being differentiated; call it with "
                "right=True, which returns both of length 1"
            )
        return generalized(*matrices(a, square(b, name, check_finite)), left=left, right=right)
    w, v = eigenvalues.eig(a)
    values = np.stack([w, np.ones_like(w)]) if homogeneous_eigvals else w
    if not (left or right):
        return values
    real = only_real(a, w)
    vectors = [_left(a, v)] if left else []
    vectors += [v] if right else []
    return values, *((np.real(x) for x in vectors) if real else vectors)


def _left(a: Any, v: Any) -> Any:
    """The columns of V⁻ᴴ, normalised in their turn, with the signs that LAPACK chooses."""
    found = adjoint(linalg.inv(v))
    size = np.sum(np.real(found * np.conj(found)), axis=-2, keepdims=True)
    found = found / np.sqrt(size)
    place = stop_gradient(np.abs(found)).argmax(axis=-2)[..., None, :]
    largest = np.take_along_axis(found, place, -2)
    found = found * (np.conj(largest) / np.abs(largest))
    overlap = np.real(np.sum(np.conj(found) * left_vectors(a), axis=-2, keepdims=True))
    signs = np.where(np.less(stop_gradient(overlap), 0), -1, 1)
    return found * signs.astype(dtype_of(overlap))


@serves(scipy.linalg.eigvals)
def eigvals(
    a: Any,
    b: Any = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    return eig(a, b, False, False, False, False, check_finite, homogeneous_eigvals)
