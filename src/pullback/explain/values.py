"""Values as they are shown: few digits, small arrays, shapes as sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.explain.boxes import Box, Mark, Superscript, Text, row

__all__ = ["MOST_SHOWN", "shown", "space"]

MOST_SHOWN = 12
"""The number of elements up to which an array is written out."""


def shown(value: Any) -> str:
    """A small array on one line, rows behind semicolons; nothing for a large one."""
    array = np.asarray(value)
    if array.size > MOST_SHOWN or array.ndim > 2 or array.dtype.kind not in "biufc":
        return ""
    if not array.ndim:
        return _digits(array.item())
    if array.ndim == 1:
        return "[" + " ".join(map(_digits, array.tolist())) + "]"
    return "[" + "; ".join(" ".join(map(_digits, row)) for row in array.tolist()) + "]"


def _digits(x: Any) -> str:
    if isinstance(x, complex):
        sign = "−" if x.imag < 0 or str(x.imag).startswith("-") else "+"
        return f"{_digits(x.real)}{sign}{_digits(abs(x.imag))}i"
    if isinstance(x, bool):
        return str(x)
    return f"{x + 0:.4g}".replace("-", "−").replace("inf", "∞")


def space(shape: tuple[int, ...], dtype: Any) -> Box:
    """The set that a value belongs to: ℝ, ℝ³, ℝ⁵ˣ³."""
    kind = np.dtype(dtype).kind
    letter = Text({"c": "ℂ", "i": "ℤ", "u": "ℕ", "b": "𝔹"}.get(kind, "ℝ"), upright=True)
    if not shape:
        return letter
    sizes: list[Box] = []
    for n in shape:
        sizes += [Mark("×")] if sizes else []
        sizes.append(Text(str(n), upright=True))
    return Superscript(letter, row(*sizes))
