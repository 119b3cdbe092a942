"""Choices by value between functions: `cond` and `switch`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.primitive import bind
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.core.validation import describe, name_of, refuse, require_function
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.graph.building import build, like
from pullback.graph.graph import Graph
from pullback.graph.variable import Variable
from pullback.rules import conversion
from pullback.rules.control_flow import choice
from pullback.rules.control_flow.bodies import Result
from pullback.rules.control_flow.leaves import Leaves
from pullback.rules.control_flow.reading import Reading
from pullback.rules.control_flow.recording import Recorded, record_unevaluated, recorded
from pullback.rules.control_flow.untouched import handed_on, looked_at, without

__all__ = ["cond", "switch"]


def cond(
    predicate: Any,
    if_true: Callable[..., Any],
    if_false: Callable[..., Any],
    *operands: Any,
) -> Any:
    """One of two functions, by a predicate: ``(if_true if predicate else if_false)(*operands)``.

    Parameters
    ----------
    predicate : bool
        A scalar; traced or not.
    if_true, if_false : callable
        Functions of the operands, which return pytrees of the same structure, shapes and dtypes.
        They may write to their operands, and read other values from outside.
    *operands : pytree

    Returns
    -------
    pytree

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the predicate is no boolean scalar, or the results disagree; the error names the
        leaf and both.
    DataDependenceError
        Where the course of a function depends on a value.

    Notes
    -----
    Both functions are recorded; one is evaluated, also where it reads nothing but values from
    outside (plain scalars apart, with which Python computes at once). With a predicate that is
    mapped by `vmap` both are, and each example takes its own; what the other one would have
    contributed to a derivative is zero, even where it is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> def root(x):
    ...     return pb.cond(x > 0, np.sqrt, lambda x: 0 * x, x)
    >>> float(root(4.0)), float(pb.grad(root)(4.0)), float(pb.grad(root)(-1.0))
    (2.0, 0.25, 0.0)
    """
    usage = "pullback.cond(predicate, if_true, if_false, x), with functions of x"
    require_function(if_true, "cond", "if_true", usage)
    require_function(if_false, "cond", "if_false", usage)
    where = f"cond of {name_of(if_true)} and {name_of(if_false)}"
    if type(predicate) is bool:
        predicate = np.bool_(predicate)
    if not _is_scalar(predicate) or dtype_of(predicate).kind != "b":
        raise ArgumentTypeError(
            f"{where}: the predicate is {describe(predicate)}, wanted a boolean scalar; compare "
            "numbers, and join the elements of an array with np.all or np.any"
        )
    index = bind(conversion.astype, (predicate,), {"dtype": np.dtype(np.int64)})
    return _choose(index, (if_false, if_true), operands, where)


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """One of several functions, by its number: ``branches[index](*operands)``.

    Parameters
    ----------
    index : int
        A scalar; traced or not. It is clipped to the range of `branches`.
    branches : sequence of callable
        At least one; as in `cond`.
    *operands : pytree

    Returns
    -------
    pytree

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the index is no integer scalar, or the results disagree; the error names the leaf
        and both.
    DataDependenceError
        Where the course of a function depends on a value.

    See Also
    --------
    cond : between two functions, with more about both.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> [float(pb.switch(i, [np.sin, np.cos, np.exp], 0.0)) for i in (0, 1, 7)]
    [0.0, 1.0, 1.0]
    """
    if not isinstance(branches, tuple | list):
        usage = "pullback.switch(index, [f, g, h], x)"
        raise refuse("switch", "branches", branches, "a list of functions", f"write {usage}")
    for place, branch in enumerate(branches):
        require_function(branch, "switch", f"branches[{place}]", "pullback.switch(index, [f], x)")
    branches = tuple(branches)
    where = f"switch between {', '.join(map(name_of, branches))}"
    if not branches:
        raise ArgumentValueError("switch: branches is empty, wanted one function or more")
    if not _is_scalar(index) or dtype_of(index).kind not in "iu":
        raise ArgumentTypeError(
            f"{where}: the index is {describe(index)}, wanted an integer scalar; convert it with "
            ".astype(int)"
        )
    return _choose(index, branches, operands, where)


def _is_scalar(x: Any) -> bool:
    return isinstance(x, Tracer | np.ndarray | np.generic | int) and not shape_of(x)


def _choose(
    index: Any,
    branches: Sequence[Callable[..., Any]],
    operands: tuple[Any, ...],
    where: str,
) -> Any:
    given = Leaves(operands, where, "operands")

    def make(reading: Reading | None) -> Recorded:
        rows = [_record(branch, given, reading) for branch in branches]
        spec = rows[0][-1]
        for number, (branch, (*_, other)) in enumerate(zip(branches, rows, strict=True)):
            if other != spec:
                raise ArgumentValueError(
                    f"{where}: branch {number} ({name_of(branch)}) returns the structure "
                    f"{trees.contrast(other, spec)}, that of branch 0 ({name_of(branches[0])}); "
                    "return the same from each"
                )
        places = [(graph, len(values)) for graph, values, _ in rows]
        same = handed_on(places)
        read = looked_at(places, same)
        dtypes = _agreed(branches, [graph for graph, _, _ in rows], spec, where, same)
        unread = set(range(len(given.values))).difference(read)
        rows = [
            (without(graph, [len(values) + i for i in unread], same), values, spec)
            for graph, values, _ in rows
        ]
        free = {_identity(x): x for _, values, _ in rows for x in values}
        place = {identity: i for i, identity in enumerate(free)}
        extra = {
            _identity(x): like(y)
            for graph, values, _ in rows
            for x, y in zip(values, graph.inputs[: len(values)], strict=True)
        }
        graphs = tuple(
            _conformed(graph, [*extra.values()], [place[_identity(x)] for x in values], dtypes)
            for graph, values, _ in rows
        )
        return (graphs, spec, read, same), graphs, [*free.values()]

    (graphs, spec, read, same), free = recorded(make, where, branches, (given,))
    operands = tuple(given.values[i] for i in read)
    outs = bind(choice.switch, (index, *free, *operands), {"branches": graphs})
    given.spec = spec
    return given.results(outs, free, same)


def _identity(x: Any) -> Any:
    """The same for all handles on a traced value, and for equal places."""
    if type(x) is Tracer:
        return id(x._value), id(x._payload)
    return x if isinstance(x, int | tuple) else id(x)


def _record(
    branch: Callable[..., Any], given: Leaves, reading: Reading | None
) -> tuple[Graph, list[Any], trees.TreeSpec]:
    """A branch as a graph of its free values and the operands' leaves; the values; the result."""
    result = Result()

    def function(*leaves: Any) -> list[Any]:
        return result.leaves(branch(*given.tree(leaves)))

    graph, free = record_unevaluated(function, given.arguments, name_of(branch), 0, reading)
    return graph, free, result.spec


def _agreed(
    branches: Sequence[Callable[..., Any]],
    graphs: Sequence[Graph],
    spec: trees.TreeSpec,
    where: str,
    same: Collection[int],
) -> list[np.dtype[Any]]:
    """The dtype of each leaf, on which the branches agree; a Python number has none to say.

    What is the `same` operand in all of them is left out.
    """
    dtypes = []
    paths = trees.Paths(spec)
    for number in range(spec.num_leaves):
        if number in same:
            continue
        column = [graph.outputs[number] for graph in graphs]
        strong = [i for i, x in enumerate(column) if not _is_weak(x)]
        first = strong[0] if strong else 0
        for i, x in enumerate(column):
            one, other = Abstract.of(column[first]), Abstract.of(x)
            fits = other.dtype == one.dtype or (
                i not in strong and np.can_cast(other.dtype, one.dtype, "same_kind")
            )
            if one.shape != other.shape or not fits:
                error = ArgumentTypeError if one.shape == other.shape else ArgumentValueError
                raise error(
                    f"{where}: the result{paths[number]} has dtype {one.dtype} and shape "
                    f"{one.shape} from branch {first} ({name_of(branches[first])}), and dtype "
                    f"{other.dtype} and shape {other.shape} from branch {i} "
                    f"({name_of(branches[i])}); wanted the same: use .astype, np.broadcast_to or "
                    "np.zeros_like"
                )
        dtypes.append(Abstract.of(column[first]).dtype)
    return dtypes


def _is_weak(x: Any) -> bool:
    return x.weak is not None if type(x) is Variable else type(x) in PYTHON_NUMBERS


def _conformed(
    graph: Graph, extra: Sequence[Variable], places: Sequence[int], dtypes: Sequence[Any]
) -> Graph:
    """A branch that takes the free values of all, its own at `places`, and returns these dtypes."""
    names = [f"free{i}" for i in range(len(extra))]
    inputs = [*map(like, extra), *map(like, graph.inputs[len(places) :])]

    def function(*args: Any) -> list[Any]:
        outs = graph.run([*(args[i] for i in places), *args[len(extra) :]])
        return [
            bind(conversion.astype, (out,), {"dtype": dtype})
            if _is_weak(x) or dtype_of(out) != dtype
            else out
            for out, x, dtype in zip(outs, graph.outputs, dtypes, strict=True)
        ]

    return build(function, inputs, graph.name, [*names, *graph.signature.names[len(places) :]])
