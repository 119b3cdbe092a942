"""Derivatives of functions that act element by element, inside of rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.transforms.forward import pushforward

__all__ = ["slope"]


def slope(f: Callable[[Any], Any], x: Any) -> Any:
    """∂f/∂x for each element, where f acts element by element."""
    x = x * 1.0
    y, y_dot = pushforward(f, (x,), (np.ones_like(x),))
    return np.zeros_like(y) if y_dot is None else y_dot
