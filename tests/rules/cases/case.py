"""A point, and static parameters, at which a primitive's rule is tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """Inputs of a primitive.

    Parameters
    ----------
    args : tuple of array
        Floating and complex arrays are differentiated, integers and booleans are not. They are
        given in double precision and converted.
    params : dict
        Static parameters.
    smooth : bool
        Whether the primitive is twice differentiable there.
    dtypes : tuple of str
        The precisions to test at.
    """

    args: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)
    smooth: bool = True
    dtypes: tuple[str, ...] = ("float64", "float32")
