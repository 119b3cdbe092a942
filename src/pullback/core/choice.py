"""Linear maps that leave elements out, as those of a choice between two arguments do.

What comes of an element that is left out is zero whatever it was, infinite or not a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from pullback.core.linear import Diagonal, Linear

__all__ = ["Branch", "Choice", "has_nan"]


class Choice(Diagonal):
    """A diagonal map that leaves elements out: what comes of them is exactly zero.

    Parameters
    ----------
    coefficient : array_like
        As for `Diagonal`.
    taken : array_like of bool, optional
        Where the coefficient may be other than zero. By default where it is: each zero of it
        leaves its element out, be the tangent or cotangent there infinite.

    Attributes
    ----------
    strong_product, masked_product : callable
        Products in which a zero wins over what is infinite or not a number: any zero of the two
        factors, or those of the second one outside a mask, the third argument. The rule book
        provides them.
    """

    __slots__ = ("_taken",)

    strong_product: ClassVar[Callable[[Any, Any], Any]]
    masked_product: ClassVar[Callable[[Any, Any, Any], Any]]

    def __init__(self, coefficient: Any, taken: Any = None) -> None:
        super().__init__(coefficient)
        self._taken = taken

    @property
    def taken(self) -> Any:
        """Which elements are not left out."""
        return np.not_equal(self.coefficient, 0) if self._taken is None else self._taken

    @property
    def is_strong(self) -> bool:
        """Whether the zeros of what it is applied to win too."""
        return self._taken is None

    def times(self, coefficient: Any, x: Any) -> Any:
        """The product with a tangent or cotangent."""
        if self._taken is None:
            return Choice.strong_product(coefficient, x)
        return Choice.masked_product(x, coefficient, self._taken)

    def pushforward(self, x_dot: Any) -> Any:
        return self.times(self.coefficient, x_dot)

    def pullback(self, y_bar: Any) -> Any:
        return self.times(self.conjugate, y_bar)


class Branch(Linear):
    """A linear map that hands elements on, or leaves them out.

    Parameters
    ----------
    function : callable
        The map, which is its own adjoint.
    condition : array_like of bool
        Which elements are handed on; those for which it does not hold, if that is `negated`.
    """

    __slots__ = ("condition", "negated")

    def __init__(
        self, function: Callable[[Any], Any], condition: Any, *, negated: bool = False
    ) -> None:
        super().__init__(function, function)
        self.condition, self.negated = condition, negated

    @property
    def taken(self) -> Any:
        """Which elements are handed on."""
        return np.logical_not(self.condition) if self.negated else self.condition


def has_nan(product: Any) -> bool:
    """Whether an element may be NaN: a sum of squares of others is none, but for complex ones."""
    if type(product) is not np.ndarray:
        return bool(product != product)
    flat = product.ravel("K")
    total = flat.dot(flat)  # in one pass
    return bool(total != total)
