"""How a rule enters the rule book.

A rule is a function of the output and the inputs that returns one linear map per argument::

    @elementwise(np.tanh)
    def tanh(y, _x):
        return 1 - y * y

* A bare array is the coefficient of a diagonal map; 1 is the identity; `None` is zero; a function
  of no arguments is called only if that argument is differentiated; anything else is a
  `pullback.core.linear.LinearMap`.
* A parameter whose name starts with an underscore stands for a value that the rule doesn't read;
  what arrives is its shape and dtype only, so the value need not be kept.
* The engine sums the cotangent of a broadcast argument back to the argument's shape, broadcasts
  one that lacks extent, and keeps dtypes.
* What a rule computes with comes in the precision of the result, see
  :mod:`pullback.core.precision`: never as a Python number, an unsigned integer or a narrower float.
* Rules are written in NumPy calls, which run on arrays and on tracers of outer levels alike.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.choice import Choice, has_nan
from pullback.core.primitive import Primitive, locally_constant, registry
from pullback.graph.cost import Cost
from pullback.rules.batching import Batch, aligned
from pullback.rules.operation_counts import Count
from pullback.rules.shape_rules import Shape, broadcast

__all__ = ["array_ufuncs", "constant", "elementwise", "masked_multiply", "rule", "strong_multiply",
           "ufunc_behind"]  # fmt: skip

Rule = Callable[..., Any]

array_ufuncs: dict[np.ufunc | tuple[np.ufunc, str], Callable[..., Any]] = {}
"""What a ufunc does when an argument is a tracer.

A plain call is found under the ufunc itself; a call with keywords, and the other methods (reduce,
accumulate, at, outer), under the pair of the ufunc and the method's name, if a ufunc needs its own.
"""


def ufunc_behind(function: Callable[..., Any]) -> Callable[..., Any]:
    """The ufunc that a function wraps, as SciPy's do with SCIPY_ARRAY_API in the environment.

    Any other function is returned as it is.
    """
    behind = inspect.unwrap(function)
    return behind if isinstance(behind, np.ufunc) else function


def _enter(primitive: Primitive, function: Callable[..., Any], shape: Shape) -> Primitive:
    primitive.shape = functools.partial(shape, primitive)
    if primitive.name in registry:
        raise ValueError(f"the rule book has an entry for {primitive.name} already")
    registry[primitive.name] = primitive
    if isinstance(function, np.ufunc):
        if function in array_ufuncs:
            raise ValueError(f"numpy.{function.__name__} is served by another primitive already")
        array_ufuncs[function] = primitive
    return primitive


def elementwise(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    batch: Batch = aligned,
    shape: Shape = broadcast,
    operations: Count | None = None,
    rearranges: bool = False,
    singular: bool = False,
    masks: bool = False,
    multilinear: bool = False,
    pads: str = "",
) -> Callable[[Rule], Primitive]:
    """Enter the rule of a function that acts element by element, broadcasting its arguments.

    Parameters
    ----------
    function : callable
        Evaluates it on arrays. A ufunc, or one that it wraps, is served from now on when it meets a
        tracer.
    name : str, optional
        The primitive's name; by default that of `function`.
    batch : callable
        How it acts on arguments with a mapped axis; by default it broadcasts them.
    shape : callable
        The shape and dtype of its result; by default those of broadcasting the arguments.
    operations : callable, optional
        How many floating-point operations it takes; by default one for each element of its
        result. See `pullback.rules.operation_counts`.
    rearranges : bool
        Whether its result may lie in memory in another order; see `Primitive`.
    singular : bool
        Whether the derivative is infinite or undefined somewhere. A tangent or cotangent that is
        zero because nothing depends on it stays zero there (a strong zero); see `Primitive`.
    masks : bool
        Whether its pullback hands out exact zeros, as that of `where` does to the branch that was
        not taken; see `Primitive`.
    multilinear : bool
        Whether it is linear in each argument, and the rule only multiplies; see `Primitive`.
    pads : {"", "constants", "always"}
        When its pushforward does; see `Primitive`.
    """
    function = ufunc_behind(function)

    def enter(rule: Rule) -> Primitive:
        primitive = Primitive(
            name or function.__name__,
            function,
            rule,
            batch=batch,
            operations=operations,
            rearranges=rearranges,
            singular=singular,
            masks=masks,
            numbers=True,
            multilinear=multilinear,
            pads=pads,
        )
        primitive.__doc__ = rule.__doc__
        return _enter(primitive, function, shape)

    return enter


def rule(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    batch: Batch,
    shape: Shape,
    operations: Count | None = None,
    cost: Callable[..., Cost] | None = None,
    rearranges: bool = False,
    in_place: Callable[..., Any] | None = None,
    take_over: Callable[..., Any] | None = None,
    separate: Callable[..., tuple[Any, ...]] | None = None,
    multiple: bool = False,
    singular: bool = False,
    masks: bool = False,
    numbers: bool = False,
    multilinear: bool = False,
    pads: str = "",
    generic: bool = False,
) -> Callable[[Rule], Primitive]:
    """Enter the rule of any other function.

    Parameters
    ----------
    function : callable
        Evaluates it on arrays: ``function(*arrays, **params)``. A ufunc is served from now on
        when it meets a tracer.
    name : str, optional
        The primitive's name; by default that of `function`.
    batch : callable
        How it acts on arguments with a mapped axis; see `pullback.rules.batching`.
    shape : callable
        The shape and dtype of its result, or results; see `pullback.rules.shape_rules`.
    operations : callable, optional
        How many floating-point operations it takes; by default one for each element of its
        result. See `pullback.rules.operation_counts`.
    cost : callable, optional
        What it costs, if it has graphs among its parameters; see `Primitive`.
    rearranges : bool
        Whether its result may lie in memory in another order; see `Primitive`.
    in_place, take_over : callable, optional
        How it is evaluated in the memory of arguments that nobody else reads; see `Primitive`.
    separate : callable, optional
        What a derivative goes on with where several of its results are equal; see `Primitive`.
    multiple : bool
        Whether it returns a tuple of arrays.
    singular : bool
        Whether the derivative is infinite or undefined somewhere; see `elementwise`.
    masks : bool
        Whether its pullback hands out exact zeros, as that of a selection of elements does; see
        `Primitive`.
    numbers : bool
        Whether integers and booleans among its arguments are numbers; see `Primitive`.
    multilinear : bool
        Whether it is linear in each argument, and the rule only multiplies; see `Primitive`.
    pads : {"", "constants", "always"}
        When its pushforward does, as that of a concatenation; see `Primitive`.
    generic : bool
        Whether a value depends on the same elements at all arguments of the same shapes, as that
        of a product of matrices does; see `Primitive`.
    """

    def enter(rule: Rule) -> Primitive:
        primitive = Primitive(
            name or function.__name__,
            function,
            rule,
            batch=batch,
            operations=operations,
            cost=cost,
            rearranges=rearranges,
            in_place=in_place,
            take_over=take_over,
            separate=separate,
            multiple=multiple,
            singular=singular,
            masks=masks,
            numbers=numbers,
            multilinear=multilinear,
            pads=pads,
            generic=generic,
        )
        primitive.__doc__ = rule.__doc__
        return _enter(primitive, function, shape)

    return enter


def constant(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    batch: Batch = aligned,
    shape: Shape = broadcast,
    operations: Count | None = None,
    rearranges: bool = False,
    multiple: bool = False,
) -> Primitive:
    """Enter a function that is locally constant wherever it is differentiable.

    Parameters
    ----------
    function : callable
    name : str, optional
        The primitive's name; by default that of `function`.
    batch : callable
        How it acts on arguments with a mapped axis; by default element by element.
    shape : callable
        The shape and dtype of its result; by default those of broadcasting the arguments.
    operations : callable, optional
        How many floating-point operations it takes; by default one for each element of its
        result. See `pullback.rules.operation_counts`.
    rearranges : bool
        Whether its result may lie in memory in another order; see `Primitive`.
    multiple : bool
        Whether it returns a tuple of arrays.
    """
    primitive = Primitive(
        name or function.__name__,
        function,
        locally_constant,
        batch=batch,
        operations=operations,
        rearranges=rearranges,
        multiple=multiple,
    )
    return _enter(primitive, function, shape)


# -- strong zeros -----------------------------------------------------------------------------


def _strong_product(x: Any, y: Any) -> Any:
    product = np.multiply(x, y)
    if has_nan(product):
        either = np.equal(x, 0) | np.equal(y, 0)
        product = np.where(either, 0, product).astype(product.dtype)[()]
    return product


@elementwise(_strong_product, name="strong_multiply", masks=True, multilinear=True)
def strong_multiply(_z: Any, x: Any, y: Any) -> Any:
    """x·y, and 0 where either factor is exactly zero, whatever the other is.

    ∂z/∂x = y and ∂z/∂y = x, as strong products in their turn.
    """
    return lambda: Choice(y), lambda: Choice(x)


def _masked_product(x: Any, y: Any, mask: Any) -> Any:
    product = np.multiply(x, y)
    wider = np.ndim(mask) and np.broadcast_shapes(np.shape(mask), product.shape) != product.shape
    if wider or has_nan(product):
        kept = mask | np.not_equal(y, 0)
        product = np.where(kept, product, 0).astype(product.dtype)[()]
    return product


@elementwise(
    _masked_product,
    name="masked_multiply",
    singular=True,
    masks=True,
    pads="always",
    multilinear=True,
)
def masked_multiply(_z: Any, x: Any, y: Any, mask: Any) -> Any:
    """x·y, and 0 where y is exactly zero outside the mask, whatever x is.

    ∂z/∂x = y, which leaves out what it leaves out, and ∂z/∂y = x.
    """
    return lambda: Choice(y, taken=mask), lambda: x, None


Choice.strong_product = strong_multiply
Choice.masked_product = masked_multiply
