"""Linear maps: what a rule returns for each argument.

A linear map J has a ``pushforward`` (ẋ ↦ Jẋ) and a ``pullback`` (ȳ ↦ Jᵀȳ). The classes here know
their structure where it is cheap to know, so that a checker, an explainer or a planner can read it.

The pullback is the adjoint in the real inner product ⟨a, b⟩ = Re Σ conj(a)·b. For real arrays it is
the transpose; for complex arrays it is the conjugate transpose, so that the gradient of f: ℂⁿ → ℝ
points in the direction of steepest ascent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.adjoint import (
    Missing,
    directions,
    from_pullback,
    from_pushforward,
    require_spaces,
)
from pullback.core.memory import once_each
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, ground_level, strip
from pullback.core.validation import describe, require_integer, to_array
from pullback.errors import ArgumentTypeError, ArgumentValueError, PullbackError

__all__ = [
    "Dense",
    "Diagonal",
    "Identity",
    "Linear",
    "LinearMap",
    "Selection",
    "scaled",
    "unfit",
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


def scaled(coefficient: Any, x: Any) -> Any:
    """The product, element by element; of what both repeat along an axis it is formed once."""
    made_inside = type(x) is Tracer and x._interpreter.level == ground_level
    array = strip(x) if made_inside else x
    if type(array) is not np.ndarray or array.size < MANY or type(coefficient) is Tracer:
        return coefficient * x
    shape = shape_of(coefficient)
    if all(array.strides) or np.broadcast_shapes(shape, array.shape) != array.shape:
        return coefficient * x
    if shape:
        coefficient = np.broadcast_to(coefficient, array.shape)
        once = once_each(coefficient, array)
        product = coefficient[once] * array[once]
    else:
        once = once_each(array)
        product = coefficient * array[once]
    product = np.broadcast_to(product, array.shape)
    return x._interpreter.constant(product) if made_inside else product


MANY = 4096
"""How many elements take longer to multiply than it takes to look whether they are repeated."""


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
            return scaled(self.coefficient, x_dot)
        except Exception as error:
            raise unfit("Diagonal.pushforward", self.coefficient, x_dot, error) from error

    def pullback(self, y_bar: Any) -> Any:
        try:
            return scaled(self.conjugate, y_bar)
        except Exception as error:
            raise unfit("Diagonal.pullback", self.coefficient, y_bar, error) from error

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


def unfit(where: str, matrix: Any, x: Any, error: Exception) -> Exception:
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
            raise unfit("Dense.pushforward", self.jacobian, x_dot, error) from error

    def pullback(self, y_bar: Any) -> Any:
        jacobian = self.jacobian
        try:
            if dtype_of(jacobian).kind == "c":
                jacobian = np.conj(jacobian)
            return np.tensordot(y_bar, jacobian, axes=len(shape_of(y_bar)))
        except Exception as error:
            raise unfit("Dense.pullback", jacobian, y_bar, error) from error

    def __repr__(self) -> str:
        return f"Dense({self.jacobian!r}, ndim={self.ndim})"
