"""What is called with arrays: functions, and objects that are called like one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.validation import refuse

__all__ = ["require_callable"]


def require_callable(f: Any, where: str, argument: str, wanted: str) -> Callable[..., Any]:
    """`f`, if it can be called and is no class: what a class makes is called, not the class."""
    if isinstance(f, type):
        raise refuse(where, argument, f, wanted, f"call it: {f.__name__}(...)")
    if not callable(f):
        raise refuse(where, argument, f, wanted)
    return f  # type: ignore[no-any-return]
