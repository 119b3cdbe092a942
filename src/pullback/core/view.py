"""Arrays that look into the memory of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pullback.core.tracer import Tracer

__all__ = ["View"]


class View:
    """The tie of an array to the array whose memory it shares in NumPy.

    Parameters
    ----------
    base : Tracer
        The array that is looked into.
    read : callable
        ``read(base)`` is the view's state, a new tracer or array, in terms of the base.
    write : callable or None
        ``write(base, value)`` is the state of the base after `value` is assigned to the view.
        `None` for a view that NumPy makes read-only.

    Attributes
    ----------
    root : Tracer
        The array that owns the memory: the base, or its root if it is a view too.
    version : int
        The version of the root that the view has seen.
    """

    __slots__ = ("base", "read", "root", "version", "write")

    def __init__(
        self,
        base: Tracer,
        read: Callable[[Any], Any],
        write: Callable[[Any, Any], Any] | None,
    ) -> None:
        self.base = base
        self.root: Tracer = base if base._alias is None else base._alias.root
        self.version = self.root._version
        self.read = read
        self.write = write
