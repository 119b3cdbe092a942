"""Values of which only the shape and dtype are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from pullback.core.creation import require_dtype, require_shape
from pullback.core.shapes import Abstract
from pullback.core.strides import Lying
from pullback.core.validation import shown
from pullback.errors import FILLING, ArgumentValueError, DataDependenceError
from pullback.graph.places import user_line

__all__ = ["Assumed", "Least", "ShapeDtype", "Variable", "require_64_bits", "unknown"]


class ShapeDtype(Abstract):
    """An array's shape and dtype, to record a function without an array at hand.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : dtype_like
        Of numbers or booleans.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where no array of numbers has such a shape or dtype.

    Examples
    --------
    >>> import pullback as pb
    >>> pb.ShapeDtype((2, 3), "float32")
    ShapeDtype((2, 3), float32)
    """

    __slots__ = ()

    def __init__(self, shape: int | tuple[int, ...], dtype: Any = np.float64) -> None:
        super().__init__(require_shape(shape, "ShapeDtype"), require_dtype(dtype, "ShapeDtype"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ShapeDtype):
            return NotImplemented
        return self.shape == other.shape and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"ShapeDtype({self.shape}, {self.dtype})"


def _refusing(target: str) -> Callable[..., NoReturn]:
    """A method that says that a value of which only shape and dtype are known can't become that."""

    def refuse(self: Variable, *_: Any, **__: Any) -> NoReturn:
        raise unknown("trace", self, target)

    return refuse


_new = object.__new__


@dataclass(eq=False, repr=False, slots=True)
class Assumed:
    """How an argument of a graph is taken to lie in memory."""

    outer: Variable | None = None
    """What stands for the argument in the recording around this one."""
    called: bool = False
    """Whether it is an argument of a graph that will be called with others."""
    relied: bool = False
    """Whether what is recorded depends on it."""


@dataclass(eq=False, repr=False, slots=True)
class Least:
    """Bounds of an integer, which all that stand for it share.

    Attributes
    ----------
    bounds : list of (Least or None, int)
        It is not less than the sum of another integer, or of 0, and a number.
    """

    bounds: list[tuple[Least | None, int]] = field(default_factory=list)


class Variable(Abstract):
    """A value in a graph, defined once.

    Attributes
    ----------
    weak : type or None
        The type of a Python scalar, which does not decide the dtype of what it is combined with.
    number : bool
        Whether it was computed from such scalars by Python's operators, while it is recorded.
    array : bool or None
        Whether a value of shape () is an array, which can be written to, not a scalar; `None` where
        that is not known, which is taken for a scalar.
    layout : object
        How the elements lie in memory: True, in C order without gaps; a tuple of strides; or
        `None`, where that is not known.
    laid_by : Assumed, Decided or None
        What decided on the layout, while it is recorded: what is assumed of an argument, or the
        inputs of the equation that the value comes from.
    least : Least or None
        What an integer among the inputs of a graph is never less than, if that is known.
    """

    __slots__ = ("array", "laid_by", "layout", "least", "number", "weak")

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        *,
        weak: type | None = None,
        array: bool | None = False,
        layout: Any = None,
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.weak = weak
        self.number = weak is not None
        self.array = array
        self.layout = layout
        self.laid_by: Any = None
        self.least: Least | None = None

    def twin(self) -> Variable:
        """Another one of which the same is known."""
        # As by __init__, in half the time: of a wide pytree there are many.
        twin = _new(Variable)
        twin.shape, twin.dtype = self.shape, self.dtype
        twin.weak, twin.number, twin.array = self.weak, self.number, self.array
        twin.layout, twin.laid_by, twin.least = self.layout, self.laid_by, self.least
        return twin

    def become_number(self) -> None:
        self.number = True

    @property
    def memory(self) -> Any:
        """How the elements lie in memory, if that is known; of a scalar, another one."""
        if not self.shape:
            return np.empty((), self.dtype) if self.array else self.dtype.type(0)
        if self.layout is None:
            return None
        return Lying(self.shape, self.dtype, None if self.layout is True else self.layout)

    def rely(self) -> None:
        """Note it with all arguments that have decided on the layout."""
        for assumed in self._assumptions(outside=True):
            assumed.relied = True

    def may_lie_otherwise(self) -> bool:
        """Whether the layout goes back to that of an argument of a graph that is to be called."""
        return any(assumed.called for assumed in self._assumptions(outside=False))

    def is_laid_by_argument(self) -> bool:
        """Whether the layout goes back to that of an argument, which may be another one later."""
        return any(True for _ in self._assumptions(outside=False))

    def _assumptions(self, *, outside: bool) -> Iterator[Assumed]:
        """What is assumed of the arguments that decide on the layout, also in recordings around."""
        stack, seen = [self], {self}
        while stack:
            by = stack.pop().laid_by
            found: Sequence[Any] = ()
            if type(by) is Assumed:
                yield by
                found = (by.outer,) if outside else ()
            elif by is not None:
                found = by.inputs
            for x in found:
                if type(x) is Variable and x not in seen:
                    seen.add(x)
                    stack.append(x)

    __array__ = _refusing("a plain array")
    __bool__ = _refusing("a condition")
    __float__ = _refusing("a Python float")
    __complex__ = _refusing("a Python complex")
    __int__ = __index__ = _refusing("a Python int")
    __round__ = __floor__ = __ceil__ = __trunc__ = __int__
    __iter__ = _refusing("a sequence of numbers")
    __format__ = _refusing("text")


def require_64_bits(x: Any, what: str) -> None:
    """Raise for a Python integer that no array holds."""
    if type(x) is int and not -(2**63) <= x < 2**63:
        raise ArgumentValueError(
            f"{what} is {shown(x)}, wanted an integer of 64 bits, which is what is recorded for "
            "one; make it a float"
        )


def unknown(where: str, x: Any, target: str) -> DataDependenceError:
    """The error for a value that the course of the program was about to depend on."""
    return DataDependenceError(
        f"{where}: a traced value of dtype {x.dtype} and shape {x.shape} was about to become "
        f"{target}{user_line()}, but while a graph is recorded only its shape and dtype are known. "
        f"{_remedy(target)} If it is an argument that stays the same, fix it outside: "
        "pullback.trace(lambda x: f(x, n), x)"
    )


def _remedy(target: str) -> str:
    """What to write instead."""
    if "condition" in target:
        return (
            "Choose between values with np.where(condition, a, b), and between computations with "
            "pullback.cond(condition, if_true, if_false, *operands); repeat one with "
            "pullback.while_loop(condition, body, carry). Join conditions with &, | and ~ in place "
            "of and, or and not: (0 <= x) & (x < 3)."
        )
    if "int" in target:
        return (
            "Run a loop a traced number of times with pullback.fori_loop(0, n, body, carry), read "
            "an array at a traced place with np.asarray(a, like=i)[i], and n elements from there "
            "with np.asarray(a, like=i)[i : i + n], call one of several functions with "
            "pullback.switch(i, functions, *operands); convert with x.astype(int). "
            "The shape of an array must be known."
        )
    if "shape" in target:
        return "Make the array as large as it can become; choose with np.where(condition, a, b)."
    if "text" in target:
        return "Return the value from the function and print what the graph gives for it."
    return (
        "Call NumPy's functions instead of the math module's, and choose between values with "
        f"np.where(condition, a, b). {FILLING}."
    )
