"""Loops over arrays, over ranges, and as long as a condition holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.creation import MOST_DIMENSIONS
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.core.validation import describe, name_of, require_flag, require_function
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.graph.building import like
from pullback.graph.graph import Graph
from pullback.graph.variable import Least, Variable
from pullback.rules.control_flow.bodies import (
    Carry,
    Result,
    bound_of,
    index_variable,
    length_of,
    require_checkpoint,
    same_leaves,
    slices,
)
from pullback.rules.control_flow.derived import with_inputs
from pullback.rules.control_flow.equality import with_each_given_once
from pullback.rules.control_flow.integers import least_of
from pullback.rules.control_flow.leaves import Leaves, in_dtype
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.reading import Reading
from pullback.rules.control_flow.recording import Recorded, record, record_unevaluated, recorded
from pullback.rules.control_flow.untouched import relieved, relieved_both

__all__ = ["count_up", "fori_loop", "scan", "while_loop"]


def scan(
    body: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    checkpoint: int | str | None = None,
) -> tuple[Any, Any]:
    """Loop over the slices of arrays, with values handed on from one iteration to the next.

    It is ``for x in xs: carry, y = body(carry, x)``, with every ``y`` stacked. The body is
    recorded once, whatever the number of iterations.

    Parameters
    ----------
    body : callable
        ``body(carry, x) -> (carry, y)``, of pytrees. It may write to its carry and to `x`.
    carry : pytree
        The first carry. The body returns one of the same structure, shapes and dtypes; a Python
        number among its leaves takes the dtype that comes out.
    xs : pytree, optional
        Arrays of the same extent along their first axis; `body` gets a slice of each. `None` for
        none, then `length` is needed.
    length : int, optional
        The number of iterations, if there are no `xs`.
    reverse : bool
        Whether to go from the last slice to the first; ``y`` is stacked at the place of its ``x``.
    checkpoint : None, "sqrt" or int
        What the reverse sweep has in store. `None`: what it reads of each iteration. An integer:
        that many carries, beside the first, and the iterations between them are evaluated again,
        as few times as possible; ``"sqrt"``: as many carries, about √(2n), as it takes to evaluate
        none more than once again. The derivative is the same to the last bit; where such loops are
        nested, sums may be taken in another order.

    Returns
    -------
    carry : pytree
        The last one.
    ys : pytree
        Of the structure of ``y``: for each array one with all of them, along a new first axis.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where a leaf of the carry changes its dtype or shape (the error names it), where `xs`
        disagree about their extent, or where an argument is not as described.
    DataDependenceError
        Where the body's course depends on a value.

    Notes
    -----
    Reverse mode is a loop in the other direction. It keeps the values of the body that the
    derivatives read, but those that are cheap to compute again, and slices rather than whole
    carries; cotangents of a carry that is read or written in places are updated in place.
    Snapshots are placed by the binomial schedule: A. Griewank and A. Walther, Algorithm 799:
    revolve, ACM Trans. Math. Software 26 (2000). While a graph is recorded or under `vmap`, the
    reverse sweep with `checkpoint` starts with one more forward sweep.

    The body may read arrays from outside, traced or plain, also at traced positions: ``a[i]``. A
    plain one that it does not reach through a variable, but through an attribute or a container,
    is indexed as ``np.asarray(a, like=i)[i]``. What the body prints or draws at random, it does
    once a call. A later call does not record it again if all that it reads is known to be the same:
    code, numbers and strings, lists and dicts of them, and arrays in variables up to their
    elements. Of an object with attributes that is not known: read these into variables.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> def step(y, x):
    ...     y = 0.5 * y + x
    ...     return y, y
    >>> pb.scan(step, 0.0, np.array([1.0, 2.0, 4.0]))
    (np.float64(5.25), array([1.  , 2.5 , 5.25]))
    """
    require_function(body, "scan", "body", "pullback.scan(body, carry, xs)")
    where = f"scan of {name_of(body)}"
    reverse = require_flag(reverse, where, "reverse")
    checkpoint = require_checkpoint(checkpoint, where)
    first = Carry(carry, where, "carry")
    scanned = Leaves(xs, where, "x")
    length = length_of(scanned, length, where)
    count = len(first.values)

    def make(reading: Reading | None) -> Recorded:
        result = Result()

        def iteration(_index: Any, *leaves: Any) -> list[Any]:
            out: Any = body(first.tree(leaves[:count]), scanned.tree(leaves[count:]))
            if not isinstance(out, tuple) or len(out) != 2:
                raise ArgumentTypeError(
                    f"{where}: what the body returned is {describe(out)}, wanted a pair (carry, "
                    "y); return (carry, None) if there is nothing to stack"
                )
            ys = result.leaves(out[1])
            return [*same_leaves(out[0], first, leaves[:count], where), *ys]

        graph, free = _recorded(iteration, first, scanned, where, length, reading)
        for y in graph.outputs[count:]:
            if len(shape_of(y)) >= MOST_DIMENSIONS:
                raise ArgumentValueError(
                    f"{where}: the body returned a y of {len(shape_of(y))} dimensions, to be "
                    f"stacked along one more, wanted fewer than {MOST_DIMENSIONS}, the most that "
                    "an array has"
                )
        graph, same = relieved(graph, 1 + len(free), count)
        return (graph, result.spec, same), (graph,), free

    made, free = recorded(make, where, (body,), (first, scanned), (min(length, 2),))
    graph, spec, same = made
    count -= len(same)
    loop = Loop(None, graph, len(free), count, 0, length, reverse, checkpoint)
    outs = loop([*free, *first.begun(graph, 1 + len(free), same), *scanned.values])
    return first.results(outs[:count], free, same), trees.unflatten(spec, outs[count:])


def fori_loop(
    lower: Any,
    upper: Any,
    body: Callable[[Any, Any], Any],
    carry: Any,
    checkpoint: int | str | None = None,
) -> Any:
    """Loop over integers: ``for i in range(lower, upper): carry = body(i, carry)``.

    Parameters
    ----------
    lower, upper : int
        The range. Where one of them is traced the number of iterations is known at run time only,
        and the loop is a `while_loop`.
    body : callable
        ``body(i, carry) -> carry``, of pytrees. It may write to its carry: ``y[i] = v``.
    carry : pytree
        The first carry; see `scan`.
    checkpoint : None, "sqrt" or int
        As for `scan`; the range must be known then.

    Returns
    -------
    pytree
        The last carry: the first one, if `upper` is not greater than `lower`.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where a leaf of the carry changes its dtype or shape, or a bound is no integer.
    DataDependenceError
        Where the body's course depends on a value.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> def fibonacci(i, y):
    ...     y[i] = y[i - 1] + y[i - 2]
    ...     return y
    >>> pb.fori_loop(2, 8, fibonacci, np.ones(8, int))
    array([ 1,  1,  2,  3,  5,  8, 13, 21])
    """
    require_function(body, "fori_loop", "body", "pullback.fori_loop(lower, upper, body, carry)")
    where = f"fori_loop of {name_of(body)}"
    checkpoint = require_checkpoint(checkpoint, where)
    low, high = bound_of(lower, "lower", where), bound_of(upper, "upper", where)
    if isinstance(low, Tracer) or isinstance(high, Tracer):
        if checkpoint is not None:
            raise ArgumentTypeError(
                f"{where}: checkpoint is {checkpoint!r}, and the number of iterations is not known "
                "while the bounds are traced; give bounds that are plain integers"
            )
        return count_up(low, high, body, carry, where)
    first = Carry(carry, where, "carry")
    length = max(0, high - low)
    least = 0 if low >= 0 else None

    def make(reading: Reading | None) -> Recorded:
        def iteration(index: Any, *leaves: Any) -> list[Any]:
            return same_leaves(body(index, first.tree(leaves)), first, leaves, where)

        graph, free = _recorded(iteration, first, None, where, length, reading, least)
        graph, same = relieved(graph, 1 + len(free), len(first.values))
        return (graph, same), (graph,), free

    (graph, same), free = recorded(make, where, (body,), (first,), (min(length, 2), least))
    count = len(first.values) - len(same)
    loop = Loop(None, graph, len(free), count, low, length, False, checkpoint)
    return first.results(loop([*free, *first.begun(graph, 1 + len(free), same)]), free, same)


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
        return same_leaves(body(first.tree(leaves)), first, leaves, where)

    def going(*leaves: Any) -> Any:
        return condition(first.tree(leaves))

    names = name_of(condition), name_of(body)
    return _repeat_while(going, iteration, first, where, names, (condition, body))


def _recorded(
    iteration: Callable[..., list[Any]],
    first: Carry,
    scanned: Leaves | None,
    where: str,
    length: int,
    reading: Reading | None,
    least: int | None = 0,
) -> tuple[Graph, list[Any]]:
    """The body of a loop over so many iterations, and the values from outside that it takes."""
    name = where.partition(" of ")[2]

    def record_body(carry: Sequence[Variable]) -> tuple[Graph, list[Any]]:
        arguments = {index_variable(least): "i"}
        arguments.update(zip(carry, first.names, strict=True))
        arguments.update(slices(scanned) if scanned else {})
        if length:
            return record(iteration, arguments, name, 1, reading=reading)
        return record_unevaluated(iteration, arguments, name, 1, reading)

    return first.settle(record_body, where, repeats=length > 1)


def count_up(
    low: Any,
    high: Any,
    body: Callable[[Any, Any], Any],
    carry: Any,
    where: str,
    most: int | None = None,
) -> Any:
    """`fori_loop` between bounds that are traced, with at most so many iterations, if known."""
    first = Carry(carry, where, "carry")
    counted = Carry((in_dtype(low, np.dtype(np.int64)), carry), where, "carry")
    counted.variables[0] = like(counted.variables[0])  # others are alike
    counted.variables[0].number = True  # as what a range gives, it doesn't decide any dtype
    least = least_of(low)
    counted.variables[0].least = None if least is None else Least([(None, least)])
    counted.names = ["count", *first.names]

    def iteration(count: Any, *leaves: Any) -> list[Any]:
        return [count + 1, *same_leaves(body(count, first.tree(leaves)), first, leaves, where)]

    def going(count: Any, *_leaves: Any) -> Any:
        return count < high

    names = "in_range", name_of(body)
    return _repeat_while(going, iteration, counted, where, names, (body, high), most)[1]


def _repeat_while(
    going: Callable[..., Any],
    iteration: Callable[..., list[Any]],
    first: Carry,
    where: str,
    names: tuple[str, str],
    reads: Sequence[Any],
    most: int | None = None,
) -> Any:
    """The last carry, after at most so many iterations of its leaves as long as it is going.

    The graphs of `going` and `iteration` are called `names`, and read the user's `reads`.
    """

    def once(_index: Any, *leaves: Any) -> list[Any]:
        return iteration(*leaves)

    def truth(*leaves: Any) -> list[Any]:
        return [_truth(going(*leaves), where)]

    def make(reading: Reading | None) -> Recorded:
        def record_body(carry: Sequence[Variable]) -> tuple[Graph, list[Any]]:
            arguments = {index_variable(): "i"}
            arguments.update(zip(carry, first.names, strict=True))
            return record(once, arguments, names[1], 1, (Tracer,), reading)

        graph, free = first.settle(record_body, where)
        carry = map(like, graph.inputs[1 + len(free) :])
        tested = dict(zip(carry, first.names, strict=True))
        test, test_free = record(truth, tested, names[0], 0, (Tracer,), reading)
        count = len(test_free)
        graph, test, same = relieved_both(graph, 1 + len(free), test, count)
        condition = _with_inputs(test, count, graph, "body", len(free), 1)
        body = _with_inputs(graph, 1, test, "condition", count)
        condition, body, consts = with_each_given_once(condition, body, [*test_free, *free])
        loop = Loop(condition, body, len(consts), len(first.values) - len(same), most=most)
        return (loop, same), (condition, body), consts

    bounds = [None if x.least is None else tuple(x.least.bounds) for x in first.variables]
    (loop, same), free = recorded(make, where, reads, (first,), (names, most, *bounds))
    outs = loop([*free, *first.begun(loop.body, 1 + len(free), same)])
    return first.results(outs, free, same)


def _with_inputs(
    graph: Graph, position: int, other: Graph, role: str, count: int, start: int = 0
) -> Graph:
    """A graph that takes some inputs of another one at `position`, and doesn't read them."""
    extra = range(start, start + count)
    names = [f"{role}_{other.signature.names[i]}" for i in extra]
    return with_inputs(graph, position, [like(other.inputs[i]) for i in extra], names)


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
