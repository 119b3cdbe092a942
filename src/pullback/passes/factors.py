"""Factors: equations with matrices of which factors are there, or are wanted more than once.

* With a Cholesky factor, which is triangular, equations are solved without another factorisation.
* Several equations with one matrix, or with its transpose, share one factorisation. Those of a
  gradient are with the transpose.
"""

from __future__ import annotations

from typing import NamedTuple

from pullback.core.shapes import shape_of
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.factored import factorise, solve_factored, triangular_solve
from pullback.rules.linalg import cholesky, solve
from pullback.rules.shaping import transpose

__all__ = ["share_factors"]

share_factors = Pass()


class Operator(NamedTuple):
    """A matrix, or the adjoint of one."""

    matrix: Variable
    adjoint: bool


@share_factors.rewrites(solve)
def _triangular(rw: Rewriting, _x: Variable, a: Atom, b: Atom) -> Atom | None:
    """LX = B and LᴴX = B for a Cholesky factor L."""
    operator = _operator(rw, a)
    if operator is None or rw.made_by(operator.matrix, cholesky) is None:
        return None
    factor, adjoint = operator
    return rw.bind(triangular_solve, factor, b, lower=True, adjoint=adjoint)


@share_factors.rewrites(solve)
def _again(rw: Rewriting, _x: Variable, a: Atom, b: Atom) -> Atom | None:
    """One of several equations with the same matrix."""
    operator = _operator(rw, a)
    if operator is None or len(shape_of(b)) != 2 or operator.matrix.ndim != 2:
        return None
    matrix, adjoint = operator
    if len(_solved(rw, matrix)) < 2 and rw.notes.get((factorise, matrix)) is None:
        return None
    rw.notes[factorise, matrix] = True
    factors, places = rw.bind(factorise, matrix)
    return rw.bind(solve_factored, matrix, factors, places, b, adjoint=adjoint)


def _operator(rw: Rewriting, a: Atom) -> Operator | None:
    """What a matrix is, or is the transpose of; of a complex one that is not the adjoint."""
    if type(a) is not Variable or a.dtype.kind not in "fc":
        return None
    made = rw.made_by(a, transpose)
    if made is None or a.dtype.kind == "c" or not _swaps(made.params.get("axes"), a.ndim):
        return Operator(a, adjoint=False)
    return Operator(made.inputs[0], adjoint=True)


def _swaps(axes: tuple[int, ...] | None, rank: int) -> bool:
    """Whether axes are in their order, but for the last two."""
    if axes is None:
        return rank == 2
    return tuple(axes) == (*range(rank - 2), rank - 1, rank - 2)


def _solved(rw: Rewriting, matrix: Variable) -> set[tuple[bool, Atom]]:
    """The equations with a matrix, or with its transpose: which it is, and the right-hand side."""
    found: set[tuple[bool, Atom]] = set()
    for reader in rw.readers(matrix):
        if reader is None:
            continue
        if reader.primitive is solve and rw.becomes(reader.inputs[0]) is matrix:
            found.add((False, reader.inputs[1]))
        elif reader.primitive is transpose and _swaps(reader.params.get("axes"), matrix.ndim):
            (out,) = reader.outputs
            found.update(
                (True, other.inputs[1])
                for other in rw.readers(out)
                if other is not None and other.primitive is solve and other.inputs[0] is out
            )
    return found
