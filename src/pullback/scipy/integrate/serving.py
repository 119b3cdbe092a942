"""Functions of SciPy's that take functions: they are served whatever their arguments are.

What is integrated closes over what is traced, so that nothing of it may be among the arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pullback.core.running import innermost
from pullback.scipy.first_step import give_first_step, plain, served

__all__ = ["serves_always"]

F = TypeVar("F", bound=Callable[..., Any])


def serves_always(function: Callable[..., Any]) -> Callable[[F], F]:
    """Make the decorated function what SciPy's does in the code of functions that are transformed.

    Everywhere else SciPy's own code runs.
    """

    def enter(implementation: F) -> F:
        def step(*args: Any, **kwargs: Any) -> Any:
            if innermost() is None:
                return plain(function)(*args, **kwargs)
            return implementation(*args, **kwargs)

        give_first_step(function, step, always=True)
        served[function] = implementation
        return implementation

    return enter
