"""What LLVM calls the dtypes, and how it writes their values."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "MOVED",
    "SIZES",
    "Value",
    "is_float",
    "is_signed",
    "lane_type",
    "literal",
    "memory_type",
]

_LANES = {
    "float64": "double",
    "float32": "float",
    "bool": "i1",
    **{f"{sign}int{bits}": f"i{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}

MOVED = {"float16": "i16", "float128": "i128", "complex256": "i256"}
"""What is handed to Python and back, and never computed with: bits."""

_LANES |= MOVED

SIZES = {"float64": 8, "float32": 4, "bool": 1, "float16": 2, "complex64": 8, "complex128": 16}
SIZES |= {"float128": 16, "complex256": 32}
SIZES |= {f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)}
"""Bytes of an element in memory, which is aligned to as many."""


class Value(NamedTuple):
    """An operand: the name of a register or a literal, for one lane or several.

    Booleans are ``i1`` in registers, bytes in memory.
    """

    text: str
    dtype: str
    lanes: int = 1

    @property
    def type(self) -> str:
        return lane_type(self.dtype, self.lanes)

    @property
    def typed(self) -> str:
        """Type and operand, as instructions want their first one."""
        return f"{self.type} {self.text}"


def is_float(dtype: str) -> bool:
    """Whether a dtype is one of floats."""
    return dtype in ("float64", "float32")


def is_signed(dtype: str) -> bool:
    """Whether a dtype is one of integers with a sign."""
    return dtype.startswith("int")


def lane_type(dtype: str, lanes: int = 1) -> str:
    """The type of a register."""
    one = _LANES[dtype]
    return one if lanes == 1 else f"<{lanes} x {one}>"


def memory_type(dtype: str, lanes: int = 1) -> str:
    """The type of what a register is loaded from and stored to."""
    return lane_type("uint8" if dtype == "bool" else dtype, lanes)


def literal(value: Any, dtype: str) -> str:
    """A number of a dtype: floats and what is only moved by their bits, integers wrapped around."""
    if is_float(dtype):
        wide = float(value)
        if dtype == "float32":
            wide = _nearest_single(wide)
        return f"0x{struct.unpack('<Q', struct.pack('<d', wide))[0]:016X}"
    if dtype == "bool":
        return "true" if value else "false"
    if dtype in MOVED:
        return str(int.from_bytes(np.array(value, dtype).tobytes(), "little"))
    bits = 8 * SIZES[dtype]
    number = int(value) & ((1 << bits) - 1)
    signed = is_signed(dtype) and number >> (bits - 1)
    return str(number - (1 << bits) if signed else number)


def _nearest_single(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
