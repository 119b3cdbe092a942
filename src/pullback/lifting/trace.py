"""`pullback.trace`: recording a function as a graph, with its loops kept if that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import validation
from pullback.graph import trace as graph_trace
from pullback.graph.graph import Graph
from pullback.lifting.dispatch import lifted
from pullback.lifting.recording import Unrolled, recording

__all__ = ["recorded", "trace"]


def trace(f: Callable[..., Any], *args: Any, lift: bool = False) -> Graph:
    """Record a function as a graph of primitives, without running it.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays; any transform of one, and
        a graph too.
    *args : pytree
        The arguments of `f`: arrays or numbers, of which shape and dtype matter, or `ShapeDtype`
        in their place. A leaf that is neither, such as a string or a function, is handed to `f`
        as it is and belongs to the graph.
    lift : bool, optional
        Whether Python's loops and conditions are kept where they can be, as notes say.

    Returns
    -------
    Graph
        ``graph(*args)`` equals ``f(*args)``, for all arguments of these shapes and dtypes.

    Raises
    ------
    DataDependenceError
        Where the course of `f` depends on a value; it shows the line. With `lift`, only where the
        condition can't be kept, with the reason.
    AliasError
        Where `f` changes one of its arguments, or depends on a layout in memory that is not known.
    LeakedTracerError
        Where `f` stores a traced value in a place that outlives it.
    NoRuleError
        Where `f` calls a function that cannot be recorded.

    Warns
    -----
    UnrolledLoopWarning
        Where a Python loop has more than 300 iterations; it shows the loop rewritten with `scan`,
        `fori_loop` or `while_loop`. With `lift`, where such a loop can't be kept, and why.

    Notes
    -----
    Python runs once: loops are unrolled, and what depends on nothing but constants is evaluated
    at once. What `f` prints, or draws at random, happens at recording.

    With `lift`, the source of `f`, and of functions of yours that it calls, is rewritten before it
    is recorded. What runs is decided as it runs:

    * ``for`` over a range of at least four items, or with traced ends, over a traced array, and
      over `enumerate`, `zip` and `reversed` of them becomes a loop whose body is recorded once,
      with a traced index; ``while`` becomes one where its condition is traced. They may have
      ``break``, ``continue``, ``return`` and ``else``, bind names and write to arrays.
    * ``if``, ``and``, ``or``, ``not``, chained comparisons and conditional expressions on a traced
      value become a choice that is made when the graph runs. An ``assert`` on one is not checked.
    * Slices may have lengths that depend on the index: ``A[i, :j] @ A[:j, j]``, ``y[:k] += v``.
      They are arrays as large as they can become, of which a part counts. So are arrays that are
      made so, as ``np.zeros(i)``. They are read, written and looked into further by integers and
      slices; operators, NumPy's elementwise functions, sums, means, extrema, inner and outer
      products, `numpy.flip` and the like know them. What they are combined with has to be of a
      length that is known to be the same, whatever the indices are.
    * Other loops are unrolled: those over lists, and those whose body has an effect that would
      happen once in place of each time (it prints, draws at random, appends, changes an
      attribute or a global, raises an error, calls what isn't known to have no effect), binds a
      name to another type or shape each time, or hands a slice whose length depends on the index to
      what doesn't know such. That is found out before the effect happens. `Compiled.report` lists
      them.
    * Generators, coroutines, functions that look at their own frame (``super()``, ``locals()``),
      that have private names or no source are run as they are; in the body of a loop they unroll
      it.

    How an argument lies in memory decides on the order of ``x.ravel("K")``, and on what is a view:
    it counts as it is at recording, and a `ShapeDtype` as an array in C order without gaps. A graph
    that depends on it refuses arrays that lie in another way.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> print(pb.trace(lambda x: np.sum(np.sin(x) * x), np.ones(3)))
    f(x: float64[3]) -> float64:
      v0: float64[3] = sin(x)
      v1: float64[3] = multiply(v0, x)
      v2: float64 = sum(v1)
      return v2
    """
    if not validation.require_flag(lift, "trace", "lift"):
        return graph_trace.trace(f, *args)
    return recorded(f, *args)[0]


def recorded(
    f: Callable[..., Any], *args: Any, innermost: int = 0
) -> tuple[Graph, tuple[Unrolled, ...]]:
    """The graph of a function, and the loops in it that could not be kept.

    Loops of fewer iterations than `innermost` are left to Python if they have no loop inside.
    """
    validation.require_function(f, "trace", usage="pullback.trace(f, x)")
    with recording(innermost) as found:
        graph = graph_trace.trace(lifted(f), *args)
    return graph, tuple(found.unrolled.values())
