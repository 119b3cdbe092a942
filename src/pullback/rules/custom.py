"""Rules of the user's own, in the form of the built-in ones, and `stop_gradient`."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, ParamSpec, TypeVar, overload

import numpy as np

from pullback.core import trees
from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, is_inexact
from pullback.core.structure import Elementwise
from pullback.core.structure.axes import Marks, Params, Row
from pullback.core.tracing import Tracer
from pullback.core.validation import name_of, require_flag, require_function
from pullback.errors import ArgumentTypeError
from pullback.rules.own import OwnPrimitive
from pullback.rules.own.closures import require_separate
from pullback.rules.registration import constant

__all__ = ["CustomPrimitive", "primitive", "stop_gradient"]

P = ParamSpec("P")
R = TypeVar("R")


class CustomPrimitive(Generic[P, R]):
    """A user's function that carries its own rule; made by `primitive`."""

    def __init__(self, function: Callable[P, R], *, multiple: bool, constant: bool) -> None:
        require_function(function, "primitive", usage="@pullback.primitive above a function")
        multiple = require_flag(multiple, "primitive", "multiple")
        constant = require_flag(constant, "primitive", "constant")
        functools.update_wrapper(self, function)
        name = name_of(function)
        self._batch: Callable[..., Any] | None = None
        self._primitive = OwnPrimitive(function, name, multiple=multiple, constant=constant)

    def rule(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Attach the rule; used as a decorator.

        Parameters
        ----------
        rule : callable
            ``rule(out, *args, **params)``, with the positional arguments and the keywords of the
            function. It returns one entry for each argument, in a tuple if there are several:

            * an array, the coefficient of an elementwise derivative: ∂yᵢ/∂xᵢ;
            * a `Linear`, `Diagonal`, `Dense` or other `LinearMap`; a `Linear` may have one of its
              directions, and the other is made by transposing it;
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

        Notes
        -----
        For derivatives of higher order, batches and graphs the rule is run on traced arrays, and so
        are the functions of its linear maps. What raises an error there is run on plain arrays
        instead: for one example after the other under `vmap`; in a graph it becomes an operation of
        its own, ``pushforward_of_f`` or ``pullback_of_f``, which evaluates the rule whenever it is
        run. A derivative of higher order through it is an error that says so.

        Examples
        --------
        >>> import math
        >>> import numpy as np
        >>> import pullback as pb
        >>> @pb.primitive
        ... def log_gamma(x):
        ...     return math.lgamma(x)
        >>> @log_gamma.rule
        ... def log_gamma_rule(_y, x):
        ...     return (math.lgamma(x + 1e-6) - math.lgamma(x - 1e-6)) / 2e-6
        >>> np.round(pb.vmap(pb.grad(log_gamma))(np.array([1.0, 2.0])), 6)
        array([-0.577216,  0.422784])
        >>> pb.grad(pb.grad(log_gamma))(1.0)
        Traceback (most recent call last):
            ...
        pullback.errors.NoRuleError: the rule of log_gamma computes with something that cannot be...
        """
        self._require(rule, "rule")
        self._primitive.set_rule(rule)
        return rule

    def batch(self, batch: Callable[..., Any]) -> Callable[..., Any]:
        """Attach the batching, for `vmap`; used as a decorator.

        Without one the function is run once on traced arrays that stand for one example, so that
        its NumPy calls work on the whole batch. If that raises an error, it is called for one
        example after the other and the results are stacked, which costs as many calls; what it has
        done besides, before the error, it has done once in vain. That is remembered for arguments
        of these shapes and dtypes. Where plain arrays raise an error too, that one comes out.
        Derivatives use the rule for each example, and sum over the examples for an argument that
        they share. A batching of your own is worth its while where one call can do it all.

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

        Examples
        --------
        >>> import math
        >>> import numpy as np
        >>> import pullback as pb
        >>> @pb.primitive
        ... def factorial(n):
        ...     return math.gamma(n + 1)
        >>> pb.vmap(factorial)(np.array([3.0, 4.0]))
        array([ 6., 24.])
        >>> @factorial.batch
        ... def factorials(mapped, n):
        ...     return np.array(list(map(math.gamma, n + 1)))
        >>> pb.vmap(factorial)(np.array([3.0, 4.0]))
        array([ 6., 24.])
        """
        self._require(batch, "batch")

        def of_primitive(
            _primitive: Primitive, _size: int, mapped: Marks, values: Row, params: Params
        ) -> Any:
            return batch(tuple(mapped), *values, **params)

        self._batch = batch
        own = self._primitive
        own.structure = replace(own.structure, batching=of_primitive)
        return batch

    def shape(self, shape: Callable[..., Any]) -> Callable[..., Any]:
        """Attach the shape rule, by which the function is recorded; used as a decorator.

        Without one the shape and dtype of the result are found out, once for each signature: shapes
        and dtypes of the arguments, the values of those that are known, and the keywords. The
        function is recorded, which runs its Python code; if that raises an error, it is evaluated
        on made-up numbers, which costs a call: ones, with n more on the diagonal of n×n matrices
        and of stacks of them. Where those won't do, or the function must not be called in vain,
        give it a shape rule. Shape and dtype must not depend on the elements of arrays; a graph
        that meets a result of others raises `ArgumentValueError`.

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
        self._require(shape, "shape")
        name, multiple = self._primitive.name, self._primitive.multiple

        def of_arguments(_primitive: Primitive, *args: Any, **params: Any) -> Any:
            out = shape(
                *(a if type(a) in PYTHON_NUMBERS else Abstract.of(a) for a in args), **params
            )
            if not multiple:
                return _described(out, name)
            return tuple(_described(each, name) for each in out)

        own = self._primitive
        own.structure = replace(own.structure, shapes=of_arguments, infer=None, count=None)
        return shape

    def __call__(self, *args: P.args, **params: P.kwargs) -> R:
        for name, value in params.items():
            treatment = _treatment(value)
            if treatment is not None:
                raise ArgumentTypeError(
                    f"{self._primitive.name}: keyword {name!r} is being {treatment}; "
                    "a primitive's keywords are static: pass it by position, and return a linear "
                    "map for it from the rule"
                )
        for position, arg in enumerate(args):
            if isinstance(arg, Tracer | np.ndarray | np.generic | float | int | complex):
                continue
            treatment = _treatment(arg)
            if treatment is not None:
                raise ArgumentTypeError(
                    f"{self._primitive.name}: argument {position} is a {type(arg).__name__} that "
                    f"holds values being {treatment}; the arguments of a primitive are arrays: "
                    "pass its leaves as separate arguments, or join them with np.stack"
                )
        result: R = self._primitive(*args, **params)
        own = self._primitive
        require_separate(result, own.name, own.function, own.rule, self._batch)
        return result

    def _require(self, function: Any, attribute: str) -> None:
        """Raise unless a decorator was given a function."""
        name = self._primitive.name
        require_function(
            function, f"{name}.{attribute}", attribute, f"@{name}.{attribute} above a function"
        )

    def __repr__(self) -> str:
        return f"<primitive {self._primitive.name}>"


def _treatment(x: Any) -> str | None:
    """What is done to the first traced leaf, in the words of a message; `None` if there is none."""
    leaves = trees.flatten(x)[0]
    return next((leaf._interpreter.treatment for leaf in leaves if type(leaf) is Tracer), None)


def _described(out: Any, name: str) -> Abstract:
    """What a user's shape rule returned, as a shape and a dtype."""
    if hasattr(out, "shape") and hasattr(out, "dtype"):
        return Abstract(tuple(out.shape), np.dtype(out.dtype))
    if type(out) in PYTHON_NUMBERS:
        return Abstract.of(out)
    try:
        extents, dtype = out
        return Abstract(tuple(map(operator.index, extents)), np.dtype(dtype))
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"the shape rule of {name} returned {out!r}, wanted something with the shape and dtype "
            "of the result, or a tuple of the two: (shape, dtype)"
        ) from None


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
        arrays with `multiple`). It may call anything, and should depend on its arguments alone. For
        derivatives it is run on plain arrays.
    multiple : bool
        Whether `f` returns a tuple.
    constant : bool
        Whether the derivative of `f` is zero wherever it exists; no rule is needed then.

    Returns
    -------
    CustomPrimitive
        Is called like `f`. Its decorator ``rule`` attaches the rule. What ``batch`` and ``shape``
        attach, for `vmap` and for graphs, is made from `f` where they are not used.

    Raises
    ------
    NoRuleError
        When it is differentiated before it has a rule.

    See Also
    --------
    check : verify a rule.

    Notes
    -----
    All transformations know `f` as one operation, and take its derivative from the rule alone.

    =============================  =========================  ====================================
    what is asked                  `f` written in NumPy       `f` calls what can't be traced
    =============================  =========================  ====================================
    `vmap`                         one run for all examples   a call for each example
    `trace`, loops, `checkpoint`   recorded once, for shapes  evaluated once on ones, for shapes
    derivatives of higher order    through the rule           through the rule
    =============================  =========================  ====================================

    The same holds of the rule, but for derivatives of higher order, which must trace it. A rule may
    leave out a direction of a linear map. The costs are those in `CustomPrimitive.batch`,
    `CustomPrimitive.shape` and `Linear`.

    "Can't be traced" is whatever raises an exception on traced arrays: conversions to Python
    numbers, branches on values, compiled code, checks of types. The function is then run on plain
    arrays, and what it raises there comes out as it is.

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
    >>> pb.vmap(softplus)(np.zeros(2))
    array([0.69314718, 0.69314718])
    >>> print(pb.trace(lambda x: softplus(2 * x), np.zeros(2)))
    f(x: float64[2]) -> float64[2]:
      v0: float64[2] = multiply(2, x)
      v1: float64[2] = softplus(v0)
      return v1
    """
    if f is None:
        require_flag(multiple, "primitive", "multiple")
        require_flag(constant, "primitive", "constant")
        return functools.partial(CustomPrimitive, multiple=multiple, constant=constant)
    return CustomPrimitive(f, multiple=multiple, constant=constant)


def _unchanged(x: Any) -> Any:
    return x


_stop_gradient = constant(_unchanged, Elementwise(count=0, cheap=True), name="stop_gradient")


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
    return trees.map_tree(lambda leaf: _stop_gradient(leaf) if _is_followed(leaf) else leaf, x)


def _is_followed(x: Any) -> bool:
    """Whether `x` is an array or a number that can carry a derivative."""
    return isinstance(x, Tracer | np.ndarray | np.generic | float | complex) and is_inexact(x)
