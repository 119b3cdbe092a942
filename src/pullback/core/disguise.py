"""The class of a class whose instances say that they have another one."""

from __future__ import annotations

__all__ = ["Disguised"]


class Disguised(type):
    """A class whose instances are judged by the class that they say they have.

    Abstract base classes look at the methods along a type's order of resolution. That of a tracer
    has those of arrays, also where the tracer stands for a number.
    """

    @property
    def __mro__(cls) -> tuple[type, ...]:
        return (_Unhashable, object)


class _Unhashable:
    """Has no hash, as arrays have none."""

    __hash__ = None  # type: ignore[assignment]
