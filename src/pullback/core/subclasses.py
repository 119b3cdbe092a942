"""Arrays of subclasses, which may be more than their elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["elements_of", "is_of_subclass", "requirements"]

requirements: list[Callable[[Any, str], None]] = []
"""What raises an error for an array that is more than its elements, which would be lost."""


def is_of_subclass(x: Any) -> bool:
    """Whether `x` is an array of a class other than `numpy.ndarray`; a tracer is none."""
    cls = type(x)
    return cls is not np.ndarray and issubclass(cls, np.ndarray)


def elements_of(x: Any, where: str) -> Any:
    """An array of a subclass as one that has elements alone, if there is no more to it.

    Parameters
    ----------
    x : array
    where : str
        What it was given to, for the message.
    """
    for require in requirements:
        require(x, where)
    return x.view(np.ndarray)
