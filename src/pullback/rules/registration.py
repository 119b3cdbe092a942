"""How a rule enters the rule book.

A rule is a function of the output and the inputs that returns one linear map per argument::

    @elementwise(np.tanh)
    def tanh(y, _x):
        return 1 - y * y

    @rule(np.matmul, Contraction(...))
    def matmul(c, a, b):
        return Linear(...), Linear(...)

The structure says what the function does with its arguments, and thereby its shape, its batching,
what it costs and what may be done with it; see :mod:`pullback.core.structure`.

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
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.choice import Choice, has_nan
from pullback.core.primitive import FullRule, Primitive, locally_constant, registry
from pullback.core.structure import Elementwise, Structure

__all__ = [
    "array_ufuncs",
    "constant",
    "elementwise",
    "masked_multiply",
    "rule",
    "strong_multiply",
    "ufunc_behind",
]

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


def rule(
    function: Callable[..., Any],
    structure: Structure,
    *,
    name: str | None = None,
    separate: Callable[..., tuple[Any, ...]] | None = None,
) -> Callable[[Callable[..., Any] | FullRule | None], Primitive]:
    """Enter the rule of a function; `None` for one that is set later.

    Parameters
    ----------
    function : callable
        Evaluates it on arrays: ``function(*arrays, **params)``. A ufunc, or one that it wraps, is
        served from now on when it meets a tracer.
    structure : Structure
    name : str, optional
        The primitive's name; by default that of `function`, but for a leading underscore.
    separate : callable, optional
        What a derivative goes on with where several of its results are equal; see `Primitive`.
    """
    function = ufunc_behind(function)

    def enter(rule: Callable[..., Any] | FullRule | None) -> Primitive:
        primitive = Primitive(
            name or function.__name__.lstrip("_"), function, structure, rule, separate=separate
        )
        if inspect.isfunction(rule) and rule is not locally_constant:
            primitive.__doc__ = rule.__doc__
        if primitive.name in registry:
            raise ValueError(f"the rule book has an entry for {primitive.name} already")
        registry[primitive.name] = primitive
        if isinstance(function, np.ufunc):
            if function in array_ufuncs:
                raise ValueError(
                    f"numpy.{function.__name__} is served by another primitive already"
                )
            array_ufuncs[function] = primitive
        return primitive

    return enter


def elementwise(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    poles: dict[float, float] | None = None,
    **differing: Any,
) -> Callable[[Callable[..., Any]], Primitive]:
    """Enter the rule of a function that acts element by element; see `Elementwise`.

    Parameters
    ----------
    poles : dict of float to float, optional
        Where the slope of a function of one argument is infinite, and what is taken for it there.
    """
    if poles is None:
        return rule(function, Elementwise(**differing), name=name)
    enter = rule(function, Elementwise(singular=True, **differing), name=name)
    first, *others = poles
    numbers = " or ".join(f"{x:g}".replace("-", "−") for x in poles)
    place = f"x = {f'±{first:g}' if others == [-first] else numbers}"

    def at(x: Any) -> Any:
        return functools.reduce(operator.or_, [np.equal(x, each) for each in poles])

    def enter_with_poles(rule: Callable[..., Any]) -> Primitive:
        primitive = enter(rule)
        primitive.singular_at(place, at, float(first), poles[first], np.nan, "pole")
        return primitive

    return enter_with_poles


def constant(
    function: Callable[..., Any], structure: Structure | None = None, *, name: str | None = None
) -> Primitive:
    """Enter a function that is locally constant wherever it is differentiable.

    Without a structure it acts element by element.
    """
    return rule(function, structure or Elementwise(), name=name)(locally_constant)


# -- strong zeros -----------------------------------------------------------------------------


def _strong_product(x: Any, y: Any) -> Any:
    product = np.multiply(x, y)
    if has_nan(product):
        either = np.equal(x, 0) | np.equal(y, 0)
        product = np.where(either, 0, product).astype(product.dtype)[()]
    return product


@elementwise(_strong_product, name="strong_multiply", masks=True, multilinear=True, symmetric=True)
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

    def first() -> Choice:
        nowhere = type(mask) is np.bool_ and not mask
        return Choice(y, taken=np.not_equal(y, 0) if nowhere else mask)

    return first, lambda: x, None


Choice.strong_product = strong_multiply
Choice.masked_product = masked_multiply
