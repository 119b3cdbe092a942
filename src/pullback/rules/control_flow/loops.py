"""Loops over arrays and ranges: `scan` and `fori_loop`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from pullback.core import trees
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, strip
from pullback.core.validation import (
    MOST_DIMENSIONS,
    describe,
    is_integer,
    name_of,
    refuse,
    require_flag,
    require_function,
    require_integer,
    shown,
)
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.graph.graph import Graph
from pullback.rules.control_flow.bodies import (
    Carry,
    Leaves,
    index_variable,
    record,
    record_unevaluated,
    same_leaves,
    slices,
)
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.while_loops import count_up

__all__ = ["fori_loop", "scan"]


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
    once.

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
    checkpoint = _checkpoint(checkpoint, where)
    first = Carry(carry, where, "carry")
    scanned = Leaves(xs, where, "x")
    length = _length(scanned, length, where)
    result: list[trees.TreeSpec] = []

    def iteration(_index: Any, *leaves: Any) -> list[Any]:
        count = len(first.values)
        out: Any = body(first.tree(leaves[:count]), scanned.tree(leaves[count:]))
        if not isinstance(out, tuple) or len(out) != 2:
            raise ArgumentTypeError(
                f"{where}: what the body returned is {describe(out)}, wanted a pair (carry, y); "
                "return (carry, None) if there is nothing to stack"
            )
        ys, spec = trees.flatten(out[1])
        result[:] = [spec]
        return [*same_leaves(out[0], first.spec, where, "carry"), *ys]

    def record_body() -> tuple[Graph, list[Tracer]]:
        inputs = [index_variable(), *first.variables, *slices(scanned)]
        names = ["i", *first.names, *scanned.names]
        recorded = record if length else record_unevaluated
        return recorded(iteration, inputs, names, name_of(body), 1)

    graph, free = first.settle(record_body, where, repeats=length > 1)
    for y in graph.outputs[len(first.values) :]:
        if len(shape_of(y)) >= MOST_DIMENSIONS:
            raise ArgumentValueError(
                f"{where}: the body returned a y of {len(shape_of(y))} dimensions, to be stacked "
                f"along one more, wanted fewer than {MOST_DIMENSIONS}, the most that an array has"
            )
    loop = Loop(
        graph,
        len(free),
        len(first.values),
        length=length,
        reverse=reverse,
        checkpoint=checkpoint,
    )
    outs = loop([*free, *first.values, *scanned.values])
    count = len(first.values)
    return first.results(outs[:count]), trees.unflatten(result[0], outs[count:])


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
    checkpoint = _checkpoint(checkpoint, where)
    low, high = _bound(lower, "lower", where), _bound(upper, "upper", where)
    if isinstance(low, Tracer) or isinstance(high, Tracer):
        if checkpoint is not None:
            raise ArgumentTypeError(
                f"{where}: checkpoint is {checkpoint!r}, and the number of iterations is not known "
                "while the bounds are traced; give bounds that are plain integers"
            )
        return count_up(low, high, body, carry, where)
    first = Carry(carry, where, "carry")
    length = max(0, high - low)

    def iteration(index: Any, *leaves: Any) -> list[Any]:
        return same_leaves(body(index, first.tree(leaves)), first.spec, where, "carry")

    def record_body() -> tuple[Graph, list[Tracer]]:
        inputs = [index_variable(), *first.variables]
        recorded = record if length else record_unevaluated
        return recorded(iteration, inputs, ["i", *first.names], name_of(body), 1)

    graph, free = first.settle(record_body, where, repeats=length > 1)
    loop = Loop(
        graph,
        len(free),
        len(first.values),
        start=low,
        length=length,
        checkpoint=checkpoint,
    )
    return first.results(loop([*free, *first.values]))


def _bound(bound: Any, name: str, where: str) -> Any:
    """A bound of a range: an int, or a traced integer scalar."""
    if isinstance(bound, Tracer):
        if bound._is_constant:
            return _bound(strip(bound), name, where)
        if dtype_of(bound).kind in "iu" and not shape_of(bound):
            return bound
    elif is_integer(bound):
        return require_integer(bound, where, name, least=-MOST, most=MOST)
    remedy = f"convert it with int({name}) outside the function, or with .astype(int) inside"
    raise refuse(where, name, bound, "an integer", remedy)


MOST = 2**62
"""The largest bound of a range: its integers are those of 64 bits."""


def _length(xs: Leaves, length: int | None, where: str) -> int:
    """The number of iterations, on which all scanned arrays agree."""
    if length is not None:
        length = require_integer(length, where, "length", least=0, most=MOST)
    if not xs.values:
        if length is None:
            raise ArgumentValueError(
                f"{where}: there are no arrays in xs, so their extent does not tell the number of "
                "iterations; give it as length"
            )
        return length
    extents: dict[int, str] = {} if length is None else {length: "length"}
    for x, name in zip(xs.values, xs.names, strict=True):
        if not shape_of(x):
            raise ArgumentValueError(
                f"{where}: xs{name[1:]} has shape (), wanted an axis to go along: join a list of "
                "numbers with np.array(xs); what is the same in each iteration is used in the body "
                "as it is"
            )
        extents.setdefault(shape_of(x)[0], f"xs{name[1:]} of shape {shape_of(x)}")
    if len(extents) > 1:
        (one, first), (other, second), *_ = extents.items()
        raise ArgumentValueError(
            f"{where}: {first} asks for {one} iterations, {second} for {other}; all must have the "
            "same extent along their first axis"
        )
    return next(iter(extents))


def _checkpoint(checkpoint: Any, where: str) -> Any:
    wanted = "None, 'sqrt', or how many carries to keep, 1 or more"
    if checkpoint is None or (isinstance(checkpoint, str) and checkpoint == "sqrt"):
        return checkpoint
    if is_integer(checkpoint) and checkpoint >= 1:
        return operator.index(checkpoint)
    raise ArgumentValueError(f"{where}: checkpoint is {shown(checkpoint)}, wanted {wanted}")
