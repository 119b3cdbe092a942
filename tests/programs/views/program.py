"""A program of views and writes, as data: statements in plain NumPy on a few arguments.

The text is what runs, in plain NumPy and under pullback alike, and what is printed when something
goes wrong. The result is a list of real numbers, one for each variable that is measured.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["OUTSIDE", "PRELUDE", "Program", "Statement"]

PRELUDE = """\
def doubled(a):
    a *= 2.0
    return a

def with_first(a, value):
    a[0] = value

def shifted(a):
    b = np.asarray(a)
    b[...] += 0.25
    return b

def swapped(a, b):
    a[...], b[...] = b.copy(), a.copy()

def square(a):
    if a.shape[0] != a.shape[1]:
        raise ValueError(a.shape)
    return a
"""
"""Functions that write to their arguments, and one that keeps NumPy from harm.

Of an array of shape (0, 2), NumPy's ``einsum('ii->i', a)`` is a view of two elements, which lie
outside of its memory: what is written to them corrupts the heap.
"""

OUTSIDE = {
    "P": np.array([0.7, -0.4, 1.1]),
    "Q": np.array([[0.3, -0.8, 0.5], [1.2, 0.1, -0.6]]),
    "I": np.array([0, 1, 0]),
}
"""Arrays from outside, which are only read."""
for _array in OUTSIDE.values():
    _array.flags.writeable = False


@dataclass(frozen=True)
class Statement:
    """A line of a program.

    Attributes
    ----------
    template : str
        The line, with fields in braces.
    fields : tuple of pairs of str
        What stands in the fields.
    name : str
        The variable that the line introduces; empty if it introduces none.
    """

    template: str
    fields: tuple[tuple[str, str], ...] = ()
    name: str = ""

    @property
    def text(self) -> str:
        line = self.template.format_map(dict(self.fields))
        return f"{self.name} = {line}" if self.name else line

    def with_field(self, key: str, value: str) -> Statement:
        return replace(self, fields=tuple((k, value if k == key else v) for k, v in self.fields))


@dataclass(frozen=True)
class Program:
    """Statements on arguments ``x``, ``y``, …, and the variables that are measured at the end.

    Attributes
    ----------
    arguments : dict
        Arrays, NumPy scalars and Python floats, by name.
    statements : tuple of Statement
    results : tuple of str
    """

    arguments: dict[str, Any]
    statements: tuple[Statement, ...] = ()
    results: tuple[str, ...] = ()

    @property
    def point(self) -> tuple[Any, ...]:
        """The arguments, in memory of their own, laid out as they are."""
        return tuple(
            np.array(x, order="K") if isinstance(x, np.ndarray) else x
            for x in self.arguments.values()
        )

    @property
    def source(self) -> str:
        """The function, as text."""
        lines = [s.text for s in self.statements]
        terms = ", ".join(f"measure({name}, {k})" for k, name in enumerate(self.results))
        body = "".join(f"    {line}\n" for line in [*lines, f"return [{terms}]"])
        return f"def f({', '.join(self.arguments)}):\n{body}"

    def __str__(self) -> str:
        where = [f"{name} = {_shown(x)}" for name, x in self.arguments.items()]
        used = self.source
        outside = [f"{k} = {_shown(v)}" for k, v in OUTSIDE.items() if k in used]
        functions = [
            block for block in PRELUDE.split("\n\n") if block.split("(")[0].split()[1] in used
        ]
        return "\n".join([*functions, *outside, *where, used])

    def compiled(self, measure: Callable[[Any, int], Any]) -> Callable[..., list[Any]]:
        """The function, which returns the list of ``measure(v, k)`` of its k-th result `v`."""
        namespace: dict[str, Any] = {"np": np, "measure": measure, **OUTSIDE}
        exec(_prelude(), namespace)
        exec(compile(self.source, "<program>", "exec"), namespace)
        function: Callable[..., list[Any]] = namespace["f"]
        return function

    @property
    def contiguous(self) -> bool:
        """Whether all arguments lie in C order."""
        return all(
            not isinstance(x, np.ndarray) or x.flags.c_contiguous for x in self.arguments.values()
        )


@functools.cache
def _prelude() -> Any:
    return compile(PRELUDE, "<prelude>", "exec")


def _shown(x: Any) -> str:
    if not isinstance(x, np.ndarray):
        return repr(x)
    text = f"np.array({np.array2string(x, separator=', ', floatmode='unique')})"
    text = " ".join(text.split())
    if not x.size:
        text = f"np.zeros({x.shape}, {x.dtype})"
    return text if x.flags.c_contiguous else f"np.asfortranarray({text})"
