"""Pytrees of real and complex arrays as one real vector, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import astype, dtype_of, shape_of

__all__ = ["Vector", "joined"]


def joined(leaves: Sequence[Any]) -> Any:
    """The elements of all leaves in one real vector, of complex ones the real parts first."""
    parts: list[Any] = []
    for x in leaves:
        flat = np.reshape(x, (-1,))
        parts += [np.real(flat), np.imag(flat)] if dtype_of(x).kind == "c" else [flat]
    return np.concatenate(parts) if parts else np.zeros(0)


class Vector:
    """The shapes and dtypes of plain leaves, by which a joined vector is taken apart."""

    def __init__(self, leaves: Sequence[Any]) -> None:
        self.kinds = [(shape_of(x), dtype_of(x), isinstance(x, np.ndarray)) for x in leaves]

    def leaves(self, vector: Any) -> list[Any]:
        """The leaves, as they were before they were joined."""
        out: list[Any] = []
        start = 0
        for shape, dtype, is_array in self.kinds:
            size = int(np.prod(shape, dtype=int))
            part = vector[start : start + size]
            start += size
            if dtype.kind == "c":
                part = part + 1j * vector[start : start + size]
                start += size
            part = np.reshape(part, shape) if is_array else part[0]
            out.append(astype(part, dtype))
        return out
