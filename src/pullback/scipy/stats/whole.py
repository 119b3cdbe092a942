"""Arguments that are integers by nature, in which nothing can be differentiated."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, is_inexact, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import NoRuleError
from pullback.rules.registration import elementwise

__all__ = ["whole"]


def _whole(x: Any, *, function: str, argument: str) -> Any:
    return np.asarray(x)[()]


@elementwise(_whole, name="whole_number")
def whole_number(out: Any, _x: Any, *, function: str, argument: str) -> Any:
    """y = x, where x is a count: a derivative by it is an error."""

    def refuse() -> Any:
        raise NoRuleError(
            f"{function}: its argument {argument}, of dtype {dtype_of(out)} and shape "
            f"{shape_of(out)}, is an integer by nature, and nothing can be differentiated with "
            "respect to it; detach it with pullback.stop_gradient where that is not wanted"
        )

    return refuse


def whole(x: Any, function: str, argument: str) -> Any:
    """`x`, which is an integer by nature: to differentiate with respect to it is an error."""
    if type(x) is not Tracer or not is_inexact(x):
        return x
    return whole_number(x, function=function, argument=argument)
