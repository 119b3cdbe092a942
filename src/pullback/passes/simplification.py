"""Simplification: all passes, again and again until none finds anything to do.

The rules of all passes are applied in one walk, and what it leaves behind is cleared away.
"""

from __future__ import annotations

from pullback.core.validation import require_flag, require_instance
from pullback.graph.graph import Graph
from pullback.passes.accumulate import accumulate_in_place
from pullback.passes.accumulators import join_accumulators
from pullback.passes.algebra import simplify_algebra
from pullback.passes.assembly import assemble
from pullback.passes.broadcasts import simplify_broadcasts
from pullback.passes.carries import simplify_carries
from pullback.passes.choices import simplify_choices
from pullback.passes.common import share_equal
from pullback.passes.constants import fold_constants
from pullback.passes.contractions import simplify_contractions
from pullback.passes.dead import remove_dead
from pullback.passes.factors import share_factors
from pullback.passes.indexing import simplify_indexing
from pullback.passes.joining import simplify_joining
from pullback.passes.layout import simplify_layout
from pullback.passes.loops import simplify_loops
from pullback.passes.masks import simplify_masks
from pullback.passes.products import products_outside
from pullback.passes.recognition import recognize
from pullback.passes.reductions import simplify_reductions
from pullback.passes.rewriting import Pass, Rewriting
from pullback.passes.strength import weaken_products
from pullback.passes.sums import sums_inside
from pullback.passes.switches import simplify_switches
from pullback.passes.totals import totals_after_loops

__all__ = ["simplify"]

MOST_ROUNDS = 100
"""A limit that is not reached: most graphs take two rounds, the last of which finds nothing."""

_ALL = Pass(
    fold_constants,
    simplify_algebra,
    weaken_products,
    simplify_choices,
    simplify_layout,
    simplify_joining,
    simplify_reductions,
    simplify_broadcasts,
    simplify_contractions,
    sums_inside,
    accumulate_in_place,
    simplify_indexing,
    assemble,
    recognize,
    simplify_loops,
    simplify_carries,
    simplify_masks,
    join_accumulators,
    products_outside,
    totals_after_loops,
    share_factors,
    simplify_switches,
    share_equal,
)


def simplify(graph: Graph, *, verify: bool = True) -> Graph:
    """A graph that computes the same with less.

    Constants are folded and equal expressions shared; nothing is computed that no output depends
    on; no zero is added, nothing is multiplied by one, and what is repeated is computed once;
    transposes, reshapes, conversions and broadcasts are merged; what is added to a few elements of
    an array, or written and read again, is so without arrays of zeros, and what is written
    everywhere is joined; sums of products are matrix products where that saves an array of all
    products, and sums of products over what one factor lacks are products with a sum; loops carry,
    scan and stack nothing twice, and products with one matrix, or that a loop adds up, are formed
    at once.

    Parameters
    ----------
    graph : Graph
    verify : bool
        Whether to check after each walk over the graph that it is well formed; see `Graph.verify`.

    Returns
    -------
    Graph
        Of the same signature. Simplifying it again gives the same.

    Raises
    ------
    ArgumentTypeError
        Where `graph` is something else, such as a function.
    GraphError
        If a walk has made a graph that is not well formed.

    Notes
    -----
    Results are the same up to rounding, NaN and infinity included: 0·x is kept where x is not
    known to be finite. The sign of a zero may change: x + 0 is x, although −0.0 + 0.0 is 0.0. Of a
    complex number that is infinite or undefined it is kept that it is so, in whichever part.
    Graphs inside loops, choices and checkpoints are simplified too. What `pullback.checkpoint`
    computes again is not shared with what was computed before.
    Matrices that are multiplied by the same constant are added first, which may overflow where the
    products would not.
    The work grows in proportion to the number of equations.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> graph = pb.trace(pb.grad(lambda x: np.sum(np.sin(x) ** 2)), np.ones(3))
    >>> print(pb.simplify(graph))
    f(x: float64[3]) -> float64[3]:
      v0: float64[3] = sin(x)
      v1: float64[3] = multiply(2.0, v0)
      v2: float64[3] = cos(x)
      v3: float64[3] = multiply(v2, v1)
      return v3
    """
    remedy = "record the function first: pullback.simplify(pullback.trace(f, *args))"
    require_instance(graph, Graph, "simplify", "graph", "a Graph", remedy)
    return _simplified(graph, {}, verify=require_flag(verify, "simplify", "verify"))


def _simplified(graph: Graph, done: dict[Graph, Graph], *, verify: bool) -> Graph:
    """The same; `done` has what has been simplified already: nested graphs are shared."""
    if graph in done:
        return done[graph]

    def nested(inner: Graph) -> Graph:
        return _simplified(inner, done, verify=verify)

    now = graph
    for _ in range(MOST_ROUNDS):
        before, now = now, remove_dead(Rewriting(_ALL, now, nested).run())
        if now is before:
            break
        if verify:
            now.verify()
    done[graph] = done[now] = now
    return now
