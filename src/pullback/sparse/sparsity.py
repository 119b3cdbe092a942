"""`pullback.sparsity`: which elements of a function's result depend on which of its arguments'."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pullback.core.validation import require_flag, require_function
from pullback.graph.program import Program
from pullback.sparse.flow import Flow, labelled
from pullback.sparse.local import local_pattern
from pullback.sparse.pattern import Pattern
from pullback.sparse.subject import record
from pullback.transforms.arguments import Argnums, name_of, positional, require_argnums

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["pattern_of", "sparsity"]


def sparsity(f: Callable[..., Any], *args: Any, wrt: Argnums = 0, local: bool = False) -> csr_array:
    """The pattern of the Jacobian of a function: where it may be other than zero.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays.
    *args : pytree
        Its arguments. Only shapes and dtypes matter, and `ShapeDtype` will do, unless `local`.
    wrt : int, str, or sequence of these
        Which arguments the columns belong to, by position or by name. The pattern does not depend
        on the values of any argument; it does on those of arrays that `f` reads from outside, where
        they are zeros, conditions or indices.
    local : bool
        Whether the pattern is that at the values of the arguments: of the branches that are taken
        there, by Python too, and of the elements that indices and conditions select.

    Returns
    -------
    scipy.sparse.csr_array, shape (m, n), dtype bool
        A row for each element of the results, a column for each element of the arguments, in C
        order, leaf after leaf.

    Raises
    ------
    ArgumentTypeError
        Where an argument of `wrt` is no floating or complex array.
    ArgumentValueError
        Where the pattern, or that of a value on the way, would fill memory; it names the line.
    DataDependenceError
        Where the course of `f` depends on a value, unless `local`.

    Notes
    -----
    No entry is missing. There is one where elements meet although they might not matter: an element
    of a sorted array depends on all of them, a maximum on all that it might be, what
    `numpy.linalg.solve` returns on the whole matrix. A loop of at most 20,000 operations, over all
    its iterations, is followed one by one; in a longer one, and in one that ends by a condition,
    what is carried depends on all that it could after any number of iterations.

    The pattern is found in one walk over the recorded function, with labels in place of numbers for
    what moves elements: A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008,
    section 7.1, has index domains.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> print(pb.sparsity(np.diff, np.ones(4)).toarray().astype(int))
    [[1 1 0 0]
     [0 1 1 0]
     [0 0 1 1]]
    """
    require_function(f, "sparsity", usage="pullback.sparsity(f, x)")
    where = f"sparsity of {name_of(f)}"
    wrt = require_argnums(wrt, where)
    if require_flag(local, where, "local"):
        function, args, positions = positional(f, wrt, args, {}, where)
        return local_pattern(function, args, positions, where)[0].csr()
    subject = record(f, args, wrt, where)
    return pattern_of(subject.graph, subject.order, where)[0].csr()


def pattern_of(graph: Program, order: Any, where: str) -> tuple[Pattern, Flow]:
    """The pattern of all outputs of a graph among some of its inputs, and what has found it."""
    states, inputs = labelled(graph.inputs, order)
    flow = Flow(where, inputs)
    outs = [out.pattern or Pattern.empty(out.shape, inputs) for out in flow.run(graph, states)]
    return (Pattern.stacked(outs) if outs else Pattern.empty((0,), inputs)), flow
