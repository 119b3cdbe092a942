"""Simplification: all passes, again and again until none finds anything to do.

The rules of all passes are applied in one walk, and what it leaves behind is cleared away.
"""

from __future__ import annotations

import operator

import numpy as np

from pullback.core.validation import require_flag, require_instance
from pullback.graph.graph import Atom, Equation, Graph
from pullback.graph.layout import makes_array
from pullback.graph.variable import Variable
from pullback.passes.accumulate import accumulate_in_place
from pullback.passes.algebra import simplify_algebra
from pullback.passes.broadcasts import simplify_broadcasts
from pullback.passes.choices import simplify_choices
from pullback.passes.common import share_equal
from pullback.passes.constants import fold_constants
from pullback.passes.dead import remove_dead
from pullback.passes.indexing import simplify_indexing
from pullback.passes.layout import simplify_layout
from pullback.passes.loops import simplify_loops
from pullback.passes.reductions import simplify_reductions
from pullback.passes.rewriting import Pass, Rewriting
from pullback.passes.switches import simplify_switches
from pullback.rules.conversion import copy
from pullback.rules.indexing import index

__all__ = ["simplify"]

MOST_ROUNDS = 100
"""A limit that is not reached: most graphs take two rounds, the last of which finds nothing."""

_ALL = Pass(
    fold_constants,
    simplify_algebra,
    simplify_choices,
    simplify_layout,
    simplify_reductions,
    simplify_broadcasts,
    accumulate_in_place,
    simplify_indexing,
    simplify_loops,
    simplify_switches,
    share_equal,
)


def simplify(graph: Graph, *, verify: bool = True) -> Graph:
    """A graph that computes the same with less.

    Constants are folded and equal expressions shared; nothing is computed that no output depends
    on; no zero is added, nothing is multiplied by one, and what is repeated is computed once;
    transposes, reshapes, conversions and broadcasts are merged; what is added to a few elements of
    an array, or written and read again, is so without arrays of zeros.

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
    result = _restored(graph, now)
    if verify and result is not now:
        result.verify()
    done[graph] = done[result] = result
    return result


# -- results of shape () --------------------------------------------------------------------------


def _restored(old: Graph, new: Graph) -> Graph:
    """The new graph with arrays of shape () where the old one gives them, and scalars likewise."""
    before, after = _kinds(old), _kinds(new)
    constants, equations = dict(new.constants), list(new.equations)
    outputs = list(new.outputs)
    wanted: dict[Atom, Variable] = {}
    for place, (x, y) in enumerate(zip(old.outputs, new.outputs, strict=True)):
        is_array, would_be = before.get(x, False), after.get(y, False)
        if type(x) is not Variable or x.shape or None in (is_array, would_be):
            continue
        if is_array is would_be:
            continue
        if y in constants and not is_array:
            outputs[place] = constants[y][()]
            continue
        if y not in wanted:
            wanted[y] = out = Variable((), x.dtype, array=bool(is_array))
            if type(y) is not Variable:
                constants[out] = np.array(y)
                constants[out].flags.writeable = False
            else:
                primitive, params = (copy, {"order": "C"}) if is_array else (index, {"key": ()})
                equations.append(Equation(primitive, (y,), params, (out,)))
        outputs[place] = wanted[y]
    if all(map(operator.is_, outputs, new.outputs)):
        return new
    return remove_dead(Graph(new.name, new.inputs, constants, equations, outputs, new.signature))


def _kinds(graph: Graph) -> dict[Atom, bool | None]:
    """Whether results of shape (), and what they are computed of, are arrays.

    `None` for results of loops and choices, of which nobody knows.
    """
    kinds: dict[Atom, bool | None] = {x: x.array for x in (*graph.inputs, *graph.constants)}
    needed = {x for x in graph.outputs if type(x) is Variable and not x.shape}
    deciding = []
    for equation in reversed(graph.equations):
        if not needed.isdisjoint(equation.outputs):
            deciding.append(equation)
            if not isinstance(equation.primitive.value, np.ufunc):
                needed.update(x for x in equation.inputs if type(x) is Variable and not x.shape)
    for equation in reversed(deciding):
        inputs = [
            Variable((), x.dtype, array=bool(kinds.get(x)))
            if type(x) is Variable and not x.shape
            else x
            for x in equation.inputs
        ]
        unknown = any(kinds.get(x, False) is None for x in equation.inputs)
        is_array = None
        if not equation.graphs and (not unknown or isinstance(equation.primitive.value, np.ufunc)):
            is_array = makes_array(equation.primitive, inputs, equation.params)
        kinds.update(dict.fromkeys(equation.outputs, is_array))
    return kinds
