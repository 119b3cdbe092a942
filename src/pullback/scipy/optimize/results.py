"""What a solver returns by names, with the derivatives of what has one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import optree
from scipy.optimize import OptimizeResult

from pullback.core.trees import NAMESPACE
from pullback.errors import NoRuleError
from pullback.scipy.optimize.calls import Call

__all__ = ["Solution", "partial", "solution"]


class Solution(OptimizeResult):  # type: ignore[misc]
    """A result in which what varies has its derivatives, or raises when it is asked for."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __missing__(self, name: str) -> Any:
        where, left_out = vars(self).get("_left_out", ("", ()))
        if left_out is None or name in left_out:
            raise NoRuleError(
                f"{where}: {name} of the result depends on what is traced, and is not followed. "
                "Compute it from x, as with pullback.jacobian, or call the solver with "
                "pullback.stop_gradient of what it depends on"
            )
        raise KeyError(name)


def _flatten(result: Any) -> tuple[list[Any], Any]:
    """Numbers are leaves; texts and what there is none of are not."""
    names = [name for name, x in result.items() if not isinstance(x, str | type(None))]
    rest = {name: x for name, x in result.items() if name not in names}
    fixed = (*rest.items(), ("_left_out", vars(result).get("_left_out")))
    return [result[name] for name in names], (tuple(names), fixed)


def _unflatten(fixed: Any, values: Iterable[Any]) -> Solution:
    names, rest = fixed
    *texts, (name, left_out) = rest
    out = Solution(zip(names, values, strict=True))
    out.update(texts)
    object.__setattr__(out, name, left_out)
    return out


optree.register_pytree_node(Solution, _flatten, _unflatten, namespace=NAMESPACE)


def partial(where: str, followed: dict[str, Any]) -> Solution:
    """A result of which nothing else is known."""
    out = Solution(followed)
    object.__setattr__(out, "_left_out", (where, None))
    return out


def solution(call: Call, results: Sequence[Any], **followed: Any) -> Any:
    """The results of all examples as one, with these values in place of SciPy's."""
    out = Solution()
    left_out = []
    for name, value in results[0].items():
        if name in followed:
            out[name] = followed[name]
        elif isinstance(value, str | bool | int | np.integer | np.bool_ | type(None)):
            each = [result[name] for result in results]
            counts = call.examples.batches and not isinstance(value, str | type(None))
            out[name] = call.examples.together(each) if counts else value
        else:
            left_out.append(name)
    object.__setattr__(out, "_left_out", (call.where, tuple(left_out)))
    return out
