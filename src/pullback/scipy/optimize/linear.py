"""Linear least squares with bounds, and isotonic regression: linear where their sets are fixed."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import Abstract
from pullback.core.tracing import strip
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.rules.custom import stop_gradient
from pullback.rules.implicit import anchored
from pullback.scipy.optimize.active import bound_sides, in_pairs
from pullback.scipy.optimize.calls import Call, solves
from pullback.scipy.optimize.minimisation import minimum
from pullback.scipy.optimize.recorded import NUMBER, returns
from pullback.scipy.optimize.results import solution

__all__: list[str] = []


def _half_squares(matrix: Any, b: Any) -> Any:
    def cost(x: Any) -> Any:
        r = matrix @ x - b
        return 0.5 * np.sum(r * r)

    return cost


def _floats(*shape: int) -> Abstract:
    return Abstract(shape, np.dtype(float))


def _of_matrix(call: Call) -> tuple[Abstract, Abstract]:
    """Shapes of the solution and of the residual."""
    rows, columns = np.shape(operand(call["A"]))
    return _floats(columns), _floats(rows)


@solves("nnls", recorded=returns(lambda call: (_of_matrix(call)[0], NUMBER)))
def nnls(call: Call) -> Any:
    """The solution, and the norm of the residual."""
    if not call.follows():
        return call.unfollowed()
    matrix, b = operand(call["A"]), operand(call["b"])
    results = call.solve()
    found = [each[0] for each in results]
    sides = [*bound_sides([(0.0, None)] * found[0].size)]
    x = minimum(call, _half_squares(matrix, b), found, sides)
    norm = call.examples.together([each[1] for each in results])
    return x, anchored(norm, np.linalg.norm(matrix @ x - b))


@solves(
    "lsq_linear",
    recorded=returns(lambda call: dict(zip(("x", "fun"), _of_matrix(call), strict=True))
                     | {"cost": NUMBER}),
)  # fmt: skip
def lsq_linear(call: Call) -> Any:
    """Of the result x, fun and cost have the derivatives."""
    if not call.follows():
        return call.unfollowed()
    matrix, b = operand(call["A"]), operand(call["b"])
    results = call.solve()
    for each in results:
        call.require(each.success, each.message)
    found = [each.x for each in results]
    sides = [*bound_sides(in_pairs(call["bounds"], found[0].shape))]
    x = minimum(call, _half_squares(matrix, b), found, sides)
    fun, cost = (
        call.examples.together([each[name] for each in results]) for name in ("fun", "cost")
    )
    r = matrix @ x - b
    return solution(
        call, results, x=x, fun=anchored(fun, r), cost=anchored(cost, 0.5 * np.sum(r * r))
    )


@solves("isotonic_regression")
def isotonic_regression(call: Call) -> Any:
    """The means of the blocks that SciPy finds; x of the result has the derivatives."""
    if not call.follows():
        return call.unfollowed()
    if call.examples.batches:
        raise ArgumentTypeError(
            f"{call.where}: y is mapped by vmap, and each example has blocks of its own; call it "
            "in a loop over the examples, and stack what it returns"
        )
    (result,) = call.solve()
    y = operand(call["y"])
    weights = np.ones(y.shape) if call["weights"] is None else operand(call["weights"])
    _require_apart(call, result, *(strip(stop_gradient(each)) for each in (y, weights)))
    starts = result.blocks[:-1]
    sums, totals = (np.add.reduceat(x, starts) for x in (weights * y, weights))
    x = np.repeat(sums / totals, np.diff(result.blocks))
    return solution(
        call, [result], x=anchored(result.x, x), weights=anchored(result.weights, totals),
        blocks=result.blocks,
    )  # fmt: skip


def _require_apart(call: Call, result: Any, y: Any, weights: Any) -> None:
    """Raise where blocks are about to merge, or to be split."""
    x, blocks = result.x, result.blocks
    sums = np.cumsum(weights * (y - x))[:-1]
    inside = np.ones(sums.size, dtype=bool)
    inside[blocks[1:-1] - 1] = False
    size = np.finfo(float).eps * y.size * np.sum(np.abs(weights * y))
    if np.any(np.diff(x[blocks[:-1]]) == 0) or np.any(inside & (np.abs(sums) <= size)):
        raise ArgumentValueError(
            f"{call.where}: a block could be split, or joined with its neighbour, and have the "
            "same value, so that the solution has a kink as a function of y, and no derivative"
        )
