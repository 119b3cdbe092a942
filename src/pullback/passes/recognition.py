"""Recognition: a softmax that was written out, and what its elements add up to.

What is written out is taken for a function only where they agree for infinite and undefined
arguments, too. So others stay: log Σ exp(x − max x) + max x is NaN where the largest x is infinite,
of which `logsumexp` is the limit; 1/(1 + exp(−x)) is 0 for some x for which the logistic function
isn't, whose logarithm is finite then; and exp(x)/(1 + exp(x)) is NaN for large x.
"""

from __future__ import annotations

from typing import Any

from pullback.core.shapes import shape_of
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.rewriting import Pass, Rewriting, is_number
from pullback.rules import reductions
from pullback.rules.arithmetic import divide, multiply, subtract
from pullback.rules.exponential import exp
from pullback.rules.shaping import reshape
from pullback.rules.softmax import softmax

__all__ = ["recognize"]

recognize = Pass()


@recognize.rewrites(divide)
def _softmax(rw: Rewriting, z: Variable, e: Atom, total: Atom) -> Atom | None:
    """e/Σe with e = exp(x − max x), along one axis or all of them."""
    shifted = _shifted(rw, z, e)
    summed = _reduction(rw, total, reductions.sum)
    if shifted is None or summed is None or summed.inputs[0] is not e or len(rw.readers(e)) > 2:
        return None
    x, top = shifted.inputs
    largest = _reduction(rw, top, reductions.max)
    if largest is None or largest.inputs[0] is not x or not rw.used_once(*shifted.outputs):
        return None
    if type(x) is not Variable or x.dtype != z.dtype or not x.size:
        return None
    axes = summed.params.get("axis")
    if largest.params.get("axis") != axes or not _lie_along(x, (top, total), axes):
        return None
    return rw.bind_like(z, softmax, x, axis=None if axes is None else axes[0])


@recognize.rewrites(reductions.sum)
def _total(rw: Rewriting, z: Variable, x: Atom, **params: Any) -> Atom | None:
    """Σ e·(1/Σe) is Σe · (1/Σe) with e = exp(x − max x), for its sum is finite wherever e is.

    The derivative of a logsumexp that was written out has it: how far it is from 1 goes to the
    largest x.
    """
    product = rw.made_by(x, multiply)
    if product is None:
        return None
    for e, inverse in (product.inputs, product.inputs[::-1]):
        divided = rw.made_by(inverse, divide)
        shifted = _shifted(rw, z, e)
        if divided is None or shifted is None or not is_number(divided.inputs[0], 1):
            continue
        total = divided.inputs[1]
        summed = rw.made_by(total, reductions.sum)
        largest = rw.made_by(shifted.inputs[1], reductions.max)
        if summed is None or largest is None or summed.inputs[0] is not e:
            continue
        axes = {_axes(each) for each in (summed.params, largest.params, params)}
        same = len(axes) == 1 and largest.inputs[0] is shifted.inputs[0] and total.dtype == z.dtype
        if same and shape_of(total) == shape_of(inverse) == z.shape:
            return rw.bind_like(z, multiply, total, inverse)
    return None


def _axes(params: dict[str, Any]) -> Any:
    axes = params.get("axis")
    return axes if axes is None or isinstance(axes, tuple) else (axes,)


def _shifted(rw: Rewriting, z: Variable, e: Atom) -> Equation | None:
    """The difference that `e` is the exponential of."""
    exponential = rw.made_by(e, exp)
    if exponential is None or z.dtype.kind != "f" or type(e) is not Variable:
        return None
    return rw.made_by(exponential.inputs[0], subtract)


def _reduction(rw: Rewriting, x: Atom, primitive: Any) -> Equation | None:
    """The reduction that `x` comes from, perhaps by a reshape, if nobody else reads it."""
    reshaped = rw.made_by(x, reshape)
    source = x if reshaped is None else reshaped.inputs[0]
    equation = rw.made_by(source, primitive)
    return equation if rw.used_once(x) and rw.used_once(source) else None


def _lie_along(x: Variable, reduced: tuple[Atom, ...], axes: Any) -> bool:
    """Whether what was reduced over all axes, or one, is subtracted along these again."""
    if axes is None:
        return all(max(shape_of(each), default=1) == 1 for each in reduced)
    if not isinstance(axes, tuple) or len(axes) != 1:
        return False
    kept = tuple(1 if place in axes else extent for place, extent in enumerate(x.shape))
    return all(shape_of(each) == kept for each in reduced)
