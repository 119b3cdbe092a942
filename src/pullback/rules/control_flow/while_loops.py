"""Loops that end when a condition says so: `while_loop`, and ranges with traced bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.primitive import bind
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.core.validation import describe, name_of, require_function
from pullback.errors import ArgumentTypeError
from pullback.graph.building import flat_graph, like
from pullback.graph.graph import Graph
from pullback.rules import conversion
from pullback.rules.control_flow.bodies import Carry, index_variable, record, same_leaves
from pullback.rules.control_flow.loop import Loop

__all__ = ["count_up", "while_loop"]


def while_loop(condition: Callable[[Any], Any], body: Callable[[Any], Any], carry: Any) -> Any:
    """Loop as long as a condition holds: ``while condition(carry): carry = body(carry)``.

    Parameters
    ----------
    condition : callable
        ``condition(carry)`` is a boolean scalar.
    body : callable
        ``body(carry) -> carry``, of pytrees. It may write to its carry.
    carry : pytree
        The first carry; see `scan`.

    Returns
    -------
    pytree
        The last carry.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where a leaf of the carry changes its dtype or shape, or the condition is no boolean
        scalar.
    DataDependenceError
        Where the course of the body or the condition depends on a value.

    Notes
    -----
    Both modes work, to any order, for any number of iterations. Reverse mode keeps what it reads
    of each iteration; while a graph is recorded or under `vmap` it runs the loop a second time for
    that. The number of iterations is locally constant: the derivative is that of the iterations
    that were run. Under `vmap` examples that have come to their end stay as they are.

    Examples
    --------
    >>> import pullback as pb
    >>> def newton(a):
    ...     def error(x):
    ...         return abs(x * x - a) > 1e-12
    ...     return pb.while_loop(error, lambda x: 0.5 * (x + a / x), 1.0 + 0 * a)
    >>> round(float(pb.grad(newton)(2.0)), 6)
    0.353553
    """
    usage = "pullback.while_loop(condition, body, carry)"
    require_function(condition, "while_loop", "condition", usage)
    where = f"while_loop of {name_of(require_function(body, 'while_loop', 'body', usage))}"
    first = Carry(carry, where, "carry")

    def iteration(*leaves: Any) -> list[Any]:
        return same_leaves(body(first.tree(leaves)), first.spec, where, "carry")

    def going(*leaves: Any) -> Any:
        return condition(first.tree(leaves))

    names = name_of(condition), name_of(body)
    return first.results(_repeat(going, iteration, first, where, names))


def count_up(low: Any, high: Any, body: Callable[[Any, Any], Any], carry: Any, where: str) -> Any:
    """`fori_loop` between bounds that are traced."""
    first = Carry(carry, where, "carry")
    counted = Carry((_int64(low), carry), where, "carry")
    counted.variables[0].number = True  # as what a range gives, it doesn't decide any dtype
    counted.names = ["count", *first.names]

    def iteration(count: Any, *leaves: Any) -> list[Any]:
        return [
            count + 1,
            *same_leaves(body(count, first.tree(leaves)), first.spec, where, "carry"),
        ]

    def going(count: Any, *_leaves: Any) -> Any:
        return count < high

    outs = _repeat(going, iteration, counted, where, ("in_range", name_of(body)))
    return counted.results(outs)[1]


def _int64(bound: Any) -> Any:
    if isinstance(bound, Tracer):
        return bind(conversion.astype, (bound,), {"dtype": np.dtype(np.int64)})
    return np.int64(bound)


def _repeat(
    going: Callable[..., Any],
    iteration: Callable[..., list[Any]],
    first: Carry,
    where: str,
    names: tuple[str, str],
) -> tuple[Any, ...]:
    """Run an iteration of the carry's leaves as long as it is going.

    Parameters
    ----------
    names : tuple of str
        What to call the graphs of `going` and `iteration`.
    """

    def once(_index: Any, *leaves: Any) -> list[Any]:
        return iteration(*leaves)

    def truth(*leaves: Any) -> list[Any]:
        return [_truth(going(*leaves), where)]

    def record_body() -> tuple[Graph, list[Tracer]]:
        inputs = [index_variable(), *first.variables]
        return record(once, inputs, ["i", *first.names], names[1], 1, (Tracer,))

    graph, free = first.settle(record_body, where)
    test, test_free = record(truth, [like(x) for x in first.variables], first.names, names[0], 0)
    count = len(test_free)
    loop = Loop(
        _with_inputs(graph, 1, test, "condition", count),
        count + len(free),
        len(first.values),
        _with_inputs(test, count, graph, "body", len(free), 1),
    )
    return loop([*test_free, *free, *first.values])


def _with_inputs(
    graph: Graph, position: int, other: Graph, role: str, count: int, start: int = 0
) -> Graph:
    """A graph that takes some inputs of another one at `position`, and doesn't read them."""
    names, extra = list(graph.signature.names), range(start, start + count)
    names[position:position] = [f"{role}_{other.signature.names[i]}" for i in extra]
    inputs = list(graph.inputs)
    inputs[position:position] = [like(other.inputs[i]) for i in extra]
    return flat_graph(graph.name, inputs, graph.constants, graph.equations, graph.outputs, names)


def _truth(x: Any, where: str) -> Any:
    """What a condition returned, which must be a boolean scalar."""
    if type(x) is bool:
        return np.bool_(x)
    is_array = isinstance(x, Tracer | np.ndarray | np.generic)
    if not is_array or shape_of(x) or dtype_of(x).kind != "b":
        raise ArgumentTypeError(
            f"{where}: what the condition returned is {describe(x)}, wanted a boolean scalar; "
            "compare numbers, and join the elements of an array with np.all or np.any"
        )
    return x
