"""Arrays of subclasses, which may be more than their elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["elements_of", "requirements"]

requirements: list[Callable[[Any, str], None]] = []
"""What raises an error for an array that is more than its elements, which would be lost."""


def elements_of(x: Any, where: str) -> Any:
    """An array of a subclass as one that has elements alone, if there is no more to it.

    Parameters
    ----------
    x : object
        What is no array of a subclass, or is a tracer, is returned as it is.
    where : str
        What it was given to, for the message.
    """
    cls = type(x)
    if cls is np.ndarray or not issubclass(cls, np.ndarray):
        return x
    for require in requirements:
        require(x, where)
    return x.view(np.ndarray)
