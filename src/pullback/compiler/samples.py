"""What a user says about the samples that a function is split along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pullback.core import trees
from pullback.core.shapes import shape_of
from pullback.core.validation import is_integer, refuse, require_integer, require_word
from pullback.errors import ArgumentValueError

__all__ = ["AUTO", "Samples", "axes_given"]


@dataclass(frozen=True)
class Samples:
    """The `split` of `pullback.compile`.

    Attributes
    ----------
    axes : None, int, or tuple of (int or None)
        `None` leaves it to the compiler.
    never : bool
    """

    axes: int | tuple[int | None, ...] | None = None
    never: bool = False

    @staticmethod
    def given(split: Any) -> Samples:
        """What was given, looked at."""
        if split is None:
            return Samples(never=True)
        if isinstance(split, str):
            require_word(split, ("auto",), "compile", "split")
            return AUTO
        return Samples(axes_given(split, "compile", "split"))

    def extents(self, name: str, args: Sequence[Any]) -> frozenset[int] | None:
        """The numbers of samples that a call may be split along; `None` for any.

        Parameters
        ----------
        name : str
            Of the function.
        args : sequence
            Of the call, by position.
        """
        if self.never:
            return frozenset()
        if self.axes is None:
            return None
        axes = (self.axes,) * len(args) if isinstance(self.axes, int) else self.axes
        if len(axes) > len(args):
            raise ArgumentValueError(
                f"compile of {name}: split is for {len(axes)} arguments by position, and the call "
                f"has {len(args)}; pass arguments with samples by position"
            )
        found: dict[int, int] = {}
        for position, (axis, arg) in enumerate(zip(axes, args, strict=False)):
            if axis is None:
                continue
            for leaf in trees.flatten(arg)[0]:
                shape = shape_of(leaf)
                if not -len(shape) <= axis < len(shape):
                    raise ArgumentValueError(
                        f"compile of {name}: split says that the samples of argument {position} "
                        f"are along axis {axis}, and it has an array of shape {shape}"
                    )
                found.setdefault(shape[axis], position)
        if len(found) > 1:
            counts = " and ".join(f"{n} in argument {position}" for n, position in found.items())
            raise ArgumentValueError(
                f"compile of {name}: the samples that split names are {counts}; wanted as many in "
                "each"
            )
        return frozenset(found)


AUTO = Samples()


def axes_given(axes: Any, where: str, argument: str) -> int | tuple[int | None, ...] | None:
    """The samples' axis for each argument by position, one for all, or `None`; looked at."""
    if axes is None or is_integer(axes):
        return None if axes is None else require_integer(axes, where, argument)
    if not isinstance(axes, tuple | list):
        words = '"auto", ' * (argument == "split")
        wanted = f"{words}None, or the samples' axis for each argument by position"
        raise refuse(where, argument, axes, wanted, "write (None, 0), for example")
    return tuple(
        None if each is None else require_integer(each, where, f"{argument}[{place}]")
        for place, each in enumerate(axes)
    )
