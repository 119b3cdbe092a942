"""Linear programs: a corner, which the rows and bounds that hold it determine.

Source: T. Gal, *Postoptimal Analyses, Parametric Programming, and Related Topics*, 2nd ed., de
Gruyter 1995, chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentTypeError
from pullback.numpy.operands import operand
from pullback.rules.implicit import anchored
from pullback.scipy.optimize.active import Side, bound_sides
from pullback.scipy.optimize.calls import Call, solves
from pullback.scipy.optimize.minimisation import minimum
from pullback.scipy.optimize.recorded import NUMBER, like_start, returns
from pullback.scipy.optimize.results import solution

__all__: list[str] = []


def _rows(call: Call, kind: str) -> tuple[Any, Any] | None:
    """The matrix and the right-hand side of the rows of a kind, if there are any."""
    matrix, right = call[f"A_{kind}"], call[f"b_{kind}"]
    if matrix is None or not np.size(right):
        return None
    return operand(matrix), np.reshape(operand(right), (-1,))


def _bounds(bounds: Any, n: int) -> list[Any]:
    """A pair for each of n unknowns."""
    if bounds is None:
        return [(0.0, None)] * n
    pairs = [*bounds]
    if not pairs or (len(pairs) == n and all(np.size(each) == 2 for each in pairs)):
        return pairs or [(0.0, None)] * n
    pair = pairs if len(pairs) == 2 else pairs[0]
    return [tuple(pair)] * n


def _sides(call: Call, rows: dict[str, Any], n: int) -> Iterator[Side]:
    if rows["ub"] is not None:
        matrix, right = rows["ub"]
        yield Side(lambda x: right - matrix @ x)
    if rows["eq"] is not None:
        equal_matrix, equal = rows["eq"]
        yield Side(lambda x: equal - equal_matrix @ x, True)
    yield from bound_sides(_bounds(call["bounds"], n))


@solves("linprog", recorded=returns(lambda call: {"x": like_start("c")(call), "fun": NUMBER}))
def linprog(call: Call) -> Any:
    """Of the result x, fun, slack and con have the derivatives.

    A corner that more rows and bounds meet than there are unknowns, or that is one of several
    solutions, is no differentiable function of them, and refused.
    """
    if not call.follows():
        return call.unfollowed()
    if call["integrality"] is not None and np.any(call["integrality"]):
        raise ArgumentTypeError(
            f"{call.where}: integrality asks for integers, which are piecewise constant functions "
            "of what is traced; detach it with pullback.stop_gradient, and compute the cost of "
            "what is returned from c"
        )
    costs = np.reshape(operand(call["c"]), (-1,))
    (n,) = shape_of(costs)
    rows = {kind: _rows(call, kind) for kind in ("ub", "eq")}
    results = call.solve()
    for each in results:
        call.require(each.success, each.message)
    x = minimum(
        call, lambda x: np.sum(costs * x), [each.x for each in results], [*_sides(call, rows, n)]
    )
    followed = {"fun": np.sum(costs * x)}
    for name, each in (("slack", rows["ub"]), ("con", rows["eq"])):
        followed[name] = np.empty(0) if each is None else each[1] - each[0] @ x
    for name, value in followed.items():
        found = call.examples.together([each[name] for each in results])
        followed[name] = anchored(found, value)
    return solution(call, results, x=x, **followed)
