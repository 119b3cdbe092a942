"""Rules of the user's own, in the form of the built-in ones, and `stop_gradient`."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, overload

import numpy as np

from pullback.core import trees
from pullback.core.primitive import Primitive, locally_constant
from pullback.core.running import untraced
from pullback.core.shapes import Abstract, is_inexact
from pullback.core.tracer import Tracer
from pullback.errors import ArgumentTypeError
from pullback.rules import operation_counts as counts
from pullback.rules.registration import constant

__all__ = ["CustomPrimitive", "primitive", "stop_gradient"]

P = ParamSpec("P")
R = TypeVar("R")


class CustomPrimitive(Generic[P, R]):
    """A user's function that carries its own rule; made by `primitive`."""

    def __init__(self, function: Callable[P, R], *, multiple: bool, constant: bool) -> None:
        functools.update_wrapper(self, function)

        def value(*args: Any, **params: Any) -> Any:
            """The function, with its results as NumPy arrays and scalars."""
            out = untraced(function, args, params)
            return tuple(map(_as_array, out)) if multiple else _as_array(out)

        self._primitive = Primitive(
            getattr(function, "__name__", type(function).__name__),
            value,
            locally_constant if constant else None,
            multiple=multiple,
        )

    def rule(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Attach the rule; used as a decorator.

        Parameters
        ----------
        rule : callable
            ``rule(out, *args, **params)``, with the positional arguments and the keywords of the
            function. It returns one entry for each argument, in a tuple if there are several:

            * an array, the coefficient of an elementwise derivative: ∂yᵢ/∂xᵢ;
            * a `Linear`, `Diagonal`, `Dense` or other `LinearMap`;
            * `None`, where the derivative is zero;
            * a function of no arguments that returns one of these, called only if that argument
              is differentiated;

            or a single `Joint` for all arguments. A parameter whose name starts with an
            underscore receives only the shape and dtype of its value.

        Returns
        -------
        callable
            `rule` itself.

        Raises
        ------
        ArgumentTypeError
            If `rule` can't take an output and the arguments.
        """
        self._primitive.set_rule(rule)
        return rule

    def batch(self, batch: Callable[..., Any]) -> Callable[..., Any]:
        """Attach the batching, which `vmap` asks for; used as a decorator.

        Parameters
        ----------
        batch : callable
            ``batch(mapped, *args, **params)``, with the arguments of the function, some of which
            carry a mapped axis in front: those for which `mapped`, a tuple of bool, is True. It
            returns the result, or each of the results, with that axis in front.

        Returns
        -------
        callable
            `batch` itself.
        """

        def of_primitive(
            _primitive: Primitive,
            _size: int,
            mapped: Sequence[bool],
            values: Sequence[Any],
            params: dict[str, Any],
        ) -> Any:
            return batch(tuple(mapped), *values, **params)

        self._primitive.batch = of_primitive
        return batch

    def shape(self, shape: Callable[..., Any]) -> Callable[..., Any]:
        """Attach the shape rule, by which the function is recorded; used as a decorator.

        Parameters
        ----------
        shape : callable
            ``shape(*args, **params)``, with the arguments of the function. Of an array only its
            shape, dtype, ndim and size are known; a Python scalar comes as it is, so that
            ``np.result_type(x.dtype, scalar)`` promotes as NumPy does. It returns something with
            the shape and dtype of the result, such as one of the arguments, or a tuple of the two,
            ``(shape, dtype)``; a tuple of these with `multiple`.

        Returns
        -------
        callable
            `shape` itself.

        Examples
        --------
        >>> import numpy as np
        >>> import pullback as pb
        >>> @pb.primitive
        ... def row_sums(x):
        ...     return np.sum(x, axis=-1)
        >>> @row_sums.shape
        ... def row_sums_shape(x):
        ...     return x.shape[:-1], x.dtype
        """
        name, multiple = self._primitive.name, self._primitive.multiple

        def of_arguments(*args: Any, **params: Any) -> Any:
            out = shape(*(a if _is_weak(a) else Abstract.of(a) for a in args), **params)
            if not multiple:
                return _described(out, name)
            return tuple(_described(each, name) for each in out)

        self._primitive.shape = of_arguments
        return shape

    def __call__(self, *args: P.args, **params: P.kwargs) -> R:
        for name, value in params.items():
            if any(isinstance(leaf, Tracer) for leaf in trees.flatten(value)[0]):
                raise ArgumentTypeError(
                    f"{self._primitive.name}: keyword {name!r} is being differentiated or mapped; "
                    "a primitive's keywords are static: pass it by position, and return a linear "
                    "map for it from the rule"
                )
        for position, arg in enumerate(args):
            if not isinstance(arg, Tracer | np.ndarray | np.generic | float | int | complex) and (
                any(isinstance(leaf, Tracer) for leaf in trees.flatten(arg)[0])
            ):
                raise ArgumentTypeError(
                    f"{self._primitive.name}: argument {position} is a {type(arg).__name__} that "
                    "holds values being differentiated or mapped; the arguments of a primitive are "
                    "arrays: pass its leaves as separate arguments, or join them with np.stack"
                )
        result: R = self._primitive(*args, **params)
        return result

    def __repr__(self) -> str:
        return f"<primitive {self._primitive.name}>"


def _is_weak(x: Any) -> bool:
    return type(x) in (bool, int, float, complex)


def _described(out: Any, name: str) -> Abstract:
    """What a user's shape rule returned, as a shape and a dtype."""
    if hasattr(out, "shape") and hasattr(out, "dtype"):
        return Abstract(tuple(out.shape), np.dtype(out.dtype))
    if _is_weak(out):
        return Abstract.of(out)
    try:
        extents, dtype = out
        return Abstract(tuple(map(operator.index, extents)), np.dtype(dtype))
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"the shape rule of {name} returned {out!r}, wanted something with the shape and dtype "
            "of the result, or a tuple of the two: (shape, dtype)"
        ) from None


def _as_array(x: Any) -> Any:
    return x if isinstance(x, np.ndarray | np.generic) else np.asarray(x)[()]


@overload
def primitive(f: Callable[P, R]) -> CustomPrimitive[P, R]: ...


@overload
def primitive(
    *, multiple: bool = False, constant: bool = False
) -> Callable[[Callable[P, R]], CustomPrimitive[P, R]]: ...


def primitive(
    f: Callable[P, R] | None = None, *, multiple: bool = False, constant: bool = False
) -> Any:
    """Make a function a primitive: it then carries a rule of its own.

    Parameters
    ----------
    f : callable
        Takes arrays by position and static values by keyword, and returns an array (a tuple of
        arrays with `multiple`). It is run on plain arrays only, so it may call anything.
    multiple : bool
        Whether `f` returns a tuple.
    constant : bool
        Whether the derivative of `f` is zero wherever it exists; no rule is needed then.

    Returns
    -------
    CustomPrimitive
        Is called like `f`. Its decorator ``rule`` attaches the rule, ``batch`` what `vmap` asks
        for, and ``shape`` what recording asks for.

    Raises
    ------
    NoRuleError
        When it is differentiated before it has a rule.

    See Also
    --------
    check : verify a rule.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> @pb.primitive
    ... def softplus(x):
    ...     return np.logaddexp(0, x)
    >>> @softplus.rule
    ... def softplus_rule(_y, x):
    ...     return 1 / (1 + np.exp(-x))
    >>> float(pb.grad(softplus)(0.0))
    0.5
    """
    if f is None:
        return functools.partial(CustomPrimitive, multiple=multiple, constant=constant)
    return CustomPrimitive(f, multiple=multiple, constant=constant)


def _unchanged(x: Any) -> Any:
    return x


_stop_gradient = constant(_unchanged, name="stop_gradient", operations=counts.nothing)


def stop_gradient(x: Any) -> Any:
    """`x` as a constant: its value, and a derivative of zero in every mode and to every order.

    Parameters
    ----------
    x : pytree
        Arrays, of any dtype.

    Returns
    -------
    pytree
        Of the same structure and values.

    Examples
    --------
    >>> import pullback as pb
    >>> float(pb.grad(lambda x: x * pb.stop_gradient(x))(3.0))
    3.0
    """
    return trees.map_tree(lambda leaf: _stop_gradient(leaf) if is_inexact(leaf) else leaf, x)
