"""Names that a choice may have left bound to an array that others stand for, too.

After ``if c: a = 2 * a``, with `c` not known, `a` is a new array or the old one, and whether it
shares memory with a view of the old one isn't known. As long as neither is written to, that is no
matter. So what `a` stands for afterwards is tied to the old array: it can't be written to, nor be
used once the old one was written to.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

from pullback.core.tracing import Tracer, View
from pullback.errors import AliasError
from pullback.lifting.values import root_of
from pullback.numpy.callers import is_pullbacks_file

__all__ = ["tie"]


def tie(name: str, before: Any, after: Any) -> None:
    """Tie what a name stands for after a choice to what it stood for before, if others do so."""
    root = root_of(before)
    if type(root) is not Tracer or type(after) is not Tracer or after._alias is not None:
        return
    if not (root._mutable and after._mutable and _is_held(name, root)):
        return

    def refuse(*_: Any) -> NoReturn:
        raise AliasError(
            f"{name} is bound anew in one branch of a condition that is not known while the "
            "program is recorded, and not in the other, where it shares memory with another name; "
            f"one of them was written to afterwards. Write {name} = {name}.copy() before the "
            f"condition, or bind it in one statement, {name} = np.where(condition, new, {name})"
        )

    after._alias = View(root, refuse, refuse)


def _is_held(name: str, root: Tracer) -> bool:
    """Whether the user's functions that run have the array under another variable, too."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not is_pullbacks_file(code.co_filename):
            own = name if name in code.co_freevars or name in code.co_cellvars else None
            variables = frame.f_locals
            held = [x for key, each in variables.items() if key != own for x in _parts(each)]
            if type(variables) is dict and code.co_flags & inspect.CO_OPTIMIZED:
                variables.clear()  # a copy, which lives as long as the frame
            if any(root_of(x) is root for x in held):
                return True
        frame = frame.f_back
    return False


def _parts(x: Any) -> Iterator[Any]:
    if type(x) in (list, tuple):
        yield from x
    elif type(x) is dict:
        yield from x.values()
    else:
        yield x
