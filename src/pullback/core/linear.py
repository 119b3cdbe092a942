"""Linear maps: what a rule returns, one per argument.

A linear map J has a ``pushforward`` (ẋ ↦ Jẋ) and a ``pullback`` (ȳ ↦ Jᵀȳ). The classes here know
their structure where it is cheap to know, so that a checker, an explainer or a planner can read it.

The pullback is the adjoint in the real inner product ⟨a, b⟩ = Re Σ conj(a)·b. For real arrays it is
the transpose; for complex arrays it is the conjugate transpose, so that the gradient of f: ℂⁿ → ℝ
points in the direction of steepest ascent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from pullback.core.adjoint import (
    Missing,
    directions,
    from_pullback,
    from_pushforward,
    require_spaces,
)
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.core.validation import describe, require_integer, to_array
from pullback.errors import ArgumentTypeError, ArgumentValueError, PullbackError

__all__ = [
    "Dense",
    "Diagonal",
    "Identity",
    "Joint",
    "Linear",
    "LinearMap",
    "Maps",
    "Selection",
    "as_map",
    "push",
]


class LinearMap:
    """Base class of the linear maps from the space of one argument to the output's space."""

    __slots__ = ()

    def pushforward(self, x_dot: Any) -> Any:
        """Apply the map: Jẋ. `None` stands for zero."""
        raise NotImplementedError

    def pullback(self, y_bar: Any) -> Any:
        """Apply the adjoint: Jᵀȳ. `None` stands for zero."""
        raise NotImplementedError


class Identity(LinearMap):
    """The identity, up to broadcasting, which the engine undoes."""

    __slots__ = ()

    def pushforward(self, x_dot: Any) -> Any:
        return x_dot

    def pullback(self, y_bar: Any) -> Any:
        return y_bar

    def __repr__(self) -> str:
        return "Identity()"


IDENTITY = Identity()


class Diagonal(LinearMap):
    """Elementwise multiplication by `coefficient`, which broadcasts to the output's shape.

    Parameters
    ----------
    coefficient : array_like
        ∂yᵢ/∂xᵢ for each element of the output.
    """

    __slots__ = ("coefficient",)

    def __init__(self, coefficient: Any) -> None:
        self.coefficient = coefficient

    def pushforward(self, x_dot: Any) -> Any:
        try:
            return self.coefficient * x_dot
        except Exception as error:
            raise _unfit("Diagonal.pushforward", self.coefficient, x_dot, error) from error

    def pullback(self, y_bar: Any) -> Any:
        try:
            return self.conjugate * y_bar
        except Exception as error:
            raise _unfit("Diagonal.pullback", self.coefficient, y_bar, error) from error

    @property
    def conjugate(self) -> Any:
        """The coefficient of the adjoint."""
        coefficient = self.coefficient
        return np.conj(coefficient) if dtype_of(coefficient).kind == "c" else coefficient

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.coefficient!r})"


class Linear(LinearMap):
    """A linear map given by its two functions, or by one of them.

    Parameters
    ----------
    pushforward : callable, optional
        ẋ ↦ Jẋ, an array of the output's shape.
    pullback : callable, optional
        ȳ ↦ Jᵀȳ, an array of the argument's shape.
    push_onto : callable, optional
        ``push_onto(y_dot, x_dot)`` is ẏ + Jẋ, where that takes less than making Jẋ first.
    pull_over : callable, optional
        ``pull_over(y_bar)`` is Jᵀȳ written over ȳ, a plain array that nobody else reads, where that
        takes less than a new array.

    Raises
    ------
    ArgumentTypeError
        If neither direction is given.

    Notes
    -----
    One direction of the two will do in a rule of your own. The other is made by transposing the
    one that is given: a linear function g is its own derivative, so that its adjoint is its
    pullback, at any point (A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM
    2008, section 3.2). Each application evaluates g once, at an arbitrary point, and pulls back
    through it: about three times the work of g, and no more memory than what lies between. If
    g computes with something that cannot be traced (the math module, compiled code), g is applied
    to every unit array of its argument's space instead, twice for complex ones, and what comes out
    is a dense matrix: n evaluations of g for n elements, and n times the memory of a result, for
    each application. Give both directions then if arrays are large.

    A function that is not linear is refused where that shows in ⟨g(p), z⟩ = ⟨p, gᵀz⟩, which is
    looked at where all of it is plain numbers; `check` tells for certain.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> @pb.primitive
    ... def cube(x):
    ...     return x ** 3
    >>> @cube.rule
    ... def cube_rule(_y, x):
    ...     return pb.Linear(pullback=lambda y_bar: 3 * x ** 2 * y_bar)
    >>> y, y_dot = pb.jvp(cube, (2.0,), (1.0,))
    >>> float(y_dot)
    12.0
    """

    __slots__ = ("pull_over", "pullback", "push_onto", "pushforward")

    def __init__(
        self,
        pushforward: Callable[[Any], Any] | None = None,
        pullback: Callable[[Any], Any] | None = None,
        push_onto: Callable[[Any, Any], Any] | None = None,
        pull_over: Callable[[Any], None] | None = None,
    ) -> None:
        given, back = directions("Linear", pushforward, pullback)
        self.pushforward = given  # type: ignore[method-assign]
        self.pullback = back  # type: ignore[method-assign]
        self.push_onto = push_onto
        self.pull_over = pull_over

    def between(
        self, x: Abstract, y: Abstract | Sequence[Abstract], where: str = "a linear map"
    ) -> Linear:
        """The map with both directions: itself, if it has both.

        Parameters
        ----------
        x : Abstract
            Shape and dtype of the argument, floating or complex; an array will do.
        y : Abstract or tuple of Abstract
            Those of the output; a tuple for a primitive with several.
        where : str
            What to call it in messages.

        Returns
        -------
        Linear
        """
        push, pull = self.pushforward, self.pullback
        require_spaces((x,), y, type(self).__name__, where)
        if type(push) is Missing:
            made = from_pullback(lambda y_bar: (pull(y_bar),), (x,), y, where)
            return Linear(made, pull, self.push_onto)
        if type(pull) is Missing:
            back = from_pushforward(push, (x,), y, where)
            return Linear(push, lambda y_bar: back(y_bar)[0], self.push_onto)
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.pushforward!r}, {self.pullback!r})"


class Selection(Linear):
    """A linear map whose matrix has at most one 1 in each row and 0 elsewhere.

    Indexing, reshaping and permuting are selections: the pushforward gathers, the pullback
    scatters.

    Parameters
    ----------
    pushforward, pullback : callable
        As for `Linear`.
    pull_into : callable, optional
        ``pull_into(x_bar, y_bar)`` adds Jᵀȳ to the plain array `x_bar` in place, for selections
        that pick few elements of many.
    pull_onto : callable, optional
        ``pull_onto(x_bar, y_bar)`` is x̄ + Jᵀȳ, a new array, without making Jᵀȳ first.
    """

    __slots__ = ("pull_into", "pull_onto")

    def __init__(
        self,
        pushforward: Callable[[Any], Any],
        pullback: Callable[[Any], Any],
        pull_into: Callable[[Any, Any], None] | None = None,
        pull_onto: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        self.pushforward = pushforward  # type: ignore[assignment, method-assign]
        self.pullback = pullback  # type: ignore[assignment, method-assign]
        self.push_onto = self.pull_over = None
        self.pull_into = pull_into
        self.pull_onto = pull_onto


def _unfit(where: str, matrix: Any, x: Any, error: Exception) -> Exception:
    """The error for an array that a linear map can't be applied to."""
    if isinstance(error, PullbackError):
        return error
    kind = ArgumentValueError if isinstance(error, ValueError) else ArgumentTypeError
    return kind(
        f"{where}: the map is {describe(matrix)}, and what it was applied to is {describe(x)}, "
        "wanted an array of numbers of a shape that fits; in a rule, return what fits the argument"
    )


class Dense(LinearMap):
    """A linear map given by its Jacobian array.

    Parameters
    ----------
    jacobian : array, shape ``y.shape + x.shape``
    ndim : int
        Number of dimensions of the argument x.
    """

    __slots__ = ("jacobian", "ndim")

    def __init__(self, jacobian: Any, ndim: int) -> None:
        if not isinstance(jacobian, Tracer):
            jacobian = to_array(jacobian, "Dense: jacobian")
        self.jacobian = jacobian
        self.ndim = require_integer(ndim, "Dense", "ndim", least=0, most=len(shape_of(jacobian)))

    def pushforward(self, x_dot: Any) -> Any:
        try:
            return np.tensordot(self.jacobian, x_dot, axes=self.ndim)
        except Exception as error:
            raise _unfit("Dense.pushforward", self.jacobian, x_dot, error) from error

    def pullback(self, y_bar: Any) -> Any:
        jacobian = self.jacobian
        try:
            if dtype_of(jacobian).kind == "c":
                jacobian = np.conj(jacobian)
            return np.tensordot(y_bar, jacobian, axes=len(shape_of(y_bar)))
        except Exception as error:
            raise _unfit("Dense.pullback", jacobian, y_bar, error) from error

    def __repr__(self) -> str:
        return f"Dense({self.jacobian!r}, ndim={self.ndim})"


class Joint:
    """The linear map of all arguments at once, for rules whose arguments share their work.

    Parameters
    ----------
    pushforward : callable, optional
        (ẋ₁, …, ẋₙ) ↦ ẏ. A tangent that is zero comes as `None`.
    pullback : callable, optional
        ȳ ↦ (x̄₁, …, x̄ₙ), with `None` for an argument that is not differentiated.
    pullback_onto : callable, optional
        ȳ, (s₁, …, sₙ) ↦ (s₁ + x̄₁, …, sₙ + x̄ₙ), where that takes less than the sums: `None`
        stands for a zero among the sᵢ.

    Raises
    ------
    ArgumentTypeError
        If neither direction is given.

    Notes
    -----
    As of a `Linear`, one direction of the two will do in a rule of your own.
    """

    __slots__ = ("pullback", "pullback_onto", "pushforward")

    def __init__(
        self,
        pushforward: Callable[..., Any] | None = None,
        pullback: Callable[[Any], Sequence[Any]] | None = None,
        pullback_onto: Callable[[Any, Sequence[Any]], Sequence[Any]] | None = None,
    ) -> None:
        self.pushforward, self.pullback = directions("Joint", pushforward, pullback)
        self.pullback_onto = pullback_onto

    def between(
        self,
        xs: Sequence[Abstract | None],
        y: Abstract | Sequence[Abstract],
        where: str = "a linear map",
    ) -> Joint:
        """The map with both directions: itself, if it has both; see `Linear.between`.

        Parameters
        ----------
        xs : sequence of (Abstract or None)
            Shape and dtype of each argument, `None` for those that are not differentiated.
        y : Abstract or tuple of Abstract
        where : str
        """
        push, pull = self.pushforward, self.pullback
        require_spaces(xs, y, "Joint", where)
        if type(push) is Missing:
            return Joint(from_pullback(pull, xs, y, where), pull, self.pullback_onto)
        if type(pull) is Missing:
            return Joint(push, from_pushforward(push, xs, y, where), self.pullback_onto)
        return self

    @classmethod
    def accumulating(
        cls,
        pushforward: Callable[..., Any],
        pullback_onto: Callable[[Any, Sequence[Any]], Sequence[Any]],
        count: int,
    ) -> Joint:
        """The map of `count` arguments whose pullback adds to cotangents that there are already."""
        return cls(pushforward, lambda y_bar: pullback_onto(y_bar, [None] * count), pullback_onto)


def as_map(entry: Any) -> LinearMap | None:
    """One entry of a rule's result as a linear map.

    Parameters
    ----------
    entry : LinearMap, array_like, callable or None
        A linear map; the coefficient of a diagonal one; a function of no arguments that returns
        either (evaluated here, so that nothing is computed for an argument that is not
        differentiated); or `None`, for a derivative that is zero.
    """
    cls = type(entry)
    if cls is FunctionType:
        entry = entry()
        cls = type(entry)
    if cls is np.ndarray:
        return Diagonal(entry)
    if entry is None or isinstance(entry, LinearMap):
        return entry
    if cls is int and entry == 1:
        return IDENTITY
    return Diagonal(entry)


Maps = list[LinearMap | None] | Joint
"""The linear maps of a primitive at a point: one per argument, `None` for zero, or a joint one."""


def push(entries: Any, dots: Sequence[Any]) -> Any:
    """Σ Jᵢẋᵢ, where `None` stands for a zero map, tangent or sum.

    For a primitive with several outputs each term, and the sum, is a tuple.

    Parameters
    ----------
    entries : sequence or Joint
        The linear maps, or what a rule returns in their place; see `as_map`.
    dots : sequence
    """
    if isinstance(entries, Joint):
        return entries.pushforward(*dots)
    total: Any = None
    for entry, dot in zip(entries, dots, strict=True):
        if dot is None:
            continue
        cls = type(entry)
        if cls is FunctionType:
            entry = entry()
            cls = type(entry)
        if cls is np.float64 or cls is np.ndarray or cls is float:
            try:
                term = entry * dot  # the commonest case, without making a map for it
            except Exception as error:
                raise _unfit("Diagonal.pushforward", entry, dot, error) from error
        else:
            linear = as_map(entry)
            if linear is None:
                continue
            if total is not None and isinstance(linear, Linear) and linear.push_onto is not None:
                total = linear.push_onto(total, dot)
                continue
            term = linear.pushforward(dot)
        if total is None or term is None:
            total = term if total is None else total
        elif isinstance(term, tuple):
            total = tuple(
                b if a is None else a if b is None else a + b
                for a, b in zip(total, term, strict=True)
            )
        else:
            total = total + term
    return total
