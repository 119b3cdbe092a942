"""Machine code, for which the compiler is loaded when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["native"]


def native(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """What `pullback.compile` makes of a function."""
    compiler = importlib.import_module("pullback.compiler.compiled")
    made: Callable[..., Any] = compiler.compile(function, **options)
    return made
