"""What an entry is told about the native function that it calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["NUMBERS", "Array", "Instance", "Kind", "NativeFunction", "require_alike"]

Kind = Literal["array", "scalar", "number"]
"""An array; a scalar of NumPy; a number of Python. The last two have shape ()."""

NUMBERS: dict[np.dtype[Any], type] = {
    np.dtype(np.float64): float,
    np.dtype(np.int64): int,
    np.dtype(np.bool_): bool,
    np.dtype(np.complex128): complex,
}
"""The numbers of Python by the dtype that stands for them in native code."""

_NOT_NATIVE = "gG"
"""Characters of the numeric dtypes whose width and form differ between machines."""


@dataclass(frozen=True, slots=True)
class Array:
    """An argument or a result.

    Attributes
    ----------
    dtype : numpy.dtype
        Boolean, integer, floating or complex, in the machine's byte order.
    shape : tuple of int
    kind : {"array", "scalar", "number"}
        What it is to Python. It is matched exactly: an array of shape () is not taken for a scalar.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...] = ()
    kind: Kind = "array"

    def __post_init__(self) -> None:
        dtype = np.dtype(self.dtype)
        if dtype.kind not in "biufc" or dtype.char in _NOT_NATIVE or not dtype.isnative:
            raise ArgumentTypeError(
                f"Array: the dtype is {dtype}, wanted a boolean, integer, floating or complex one "
                "of at most 16 bytes in the machine's byte order; leave others to NumPy"
            )
        # The one object that NumPy itself gives arrays of this dtype.
        object.__setattr__(self, "dtype", np.dtype(dtype.str))
        if self.kind != "array" and self.shape:
            raise ArgumentValueError(
                f"Array: the shape is {self.shape}, wanted () for a {self.kind}; "
                'what has a shape is of kind "array"'
            )
        if self.kind == "number" and dtype not in NUMBERS:
            raise ArgumentTypeError(
                f"Array: the dtype of a Python number is {dtype}, wanted one of "
                f"{', '.join(map(str, NUMBERS))}; others are scalars of NumPy"
            )

    @property
    def bytes(self) -> int:
        """How much memory the elements take."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class Instance:
    """One set of shapes that a native function serves, and the numbers it has to be told then.

    Attributes
    ----------
    inputs, outputs : tuple of Array
        All instances of a function have them in equal number, dtype, kind and rank.
    holes : bytes or None
        Its run-time numbers, 8 bytes each.
    scratch : int
        Bytes of working memory.
    long : bool
        Whether a call lasts so long that other threads should run meanwhile.
    """

    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    holes: bytes | None = None
    scratch: int = 0
    long: bool = False

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Those of the inputs, by which instances of a function are told apart."""
        return tuple(x.shape for x in self.inputs)

    def __post_init__(self) -> None:
        if self.holes is not None and len(self.holes) % 8:
            raise ArgumentValueError(
                f"Instance: the holes are {len(self.holes)} bytes, wanted 8 for each number"
            )
        if self.scratch < 0:
            raise ArgumentValueError(f"Instance: scratch is {self.scratch}, wanted at least 0")


@dataclass(frozen=True, slots=True, eq=False)
class NativeFunction:
    """A function of the binary interface, and what calls have in common whatever their shapes.

    Attributes
    ----------
    name : str
        What messages call it.
    address : int
        Of ``i32 run(ptr buffers, ptr holes, ptr scratch, ptr context)``.
    constants : tuple of numpy.ndarray
        C-contiguous, as the native function reads them; they follow the outputs.
    context : numpy.ndarray or None
        64-bit words: the addresses of this process that the native code asks for.
    errors : tuple of (class, str)
        What the returned number k > 0 raises: number k − 1 of these, the message after the name.
    kept : callable or None
        Takes out the exception that a callback has kept in this thread; `None` if there is none.
    donated : tuple of (int, int)
        Of an input and the output that may take over its memory.
    single : bool
        Whether the only output is returned by itself; otherwise they are a tuple.
    witness : callable or None
        Evaluates the function of leaves step by step, to raise an `IndexError` with the words for
        it: native code knows that an index is outside, and doesn't keep which.
    owner : object
        Whatever must live as long as calls may come, such as the library of the native function.
    """

    name: str
    address: int
    constants: tuple[np.ndarray[Any, Any], ...] = ()
    context: np.ndarray[Any, Any] | None = None
    errors: tuple[tuple[type[Exception], str], ...] = ()
    kept: Callable[[], BaseException | None] | None = None
    donated: tuple[tuple[int, int], ...] = ()
    single: bool = False
    witness: Callable[[Sequence[Any]], Any] | None = field(default=None, repr=False)
    owner: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for number, constant in enumerate(self.constants):
            if not constant.flags.c_contiguous or not constant.dtype.isnative:
                raise ArgumentValueError(
                    f"{self.name}: constant {number} is not contiguous in the machine's byte "
                    "order; pass it through np.ascontiguousarray"
                )
        context = self.context
        if context is not None and (
            context.dtype.itemsize != 8 or not context.flags.c_contiguous or not context.size
        ):
            raise ArgumentValueError(
                f"{self.name}: the context has dtype {context.dtype} and shape {context.shape}, "
                "wanted contiguous 64-bit words, at least one"
            )
        inputs, outputs = zip(*self.donated, strict=True) if self.donated else ((), ())
        if len(set(inputs)) < len(inputs) or len(set(outputs)) < len(outputs):
            raise ArgumentValueError(
                f"{self.name}: donated is {self.donated}, wanted each input and output once"
            )

    @property
    def calls_back(self) -> bool:
        """Whether native code may call Python, which may call this function again."""
        return self.context is not None and bool(self.context[0])


def require_alike(function: NativeFunction, first: Instance | None, new: Instance) -> None:
    """Raise unless a function can have an instance beside the `first` one it was made with."""
    where = f"an instance of {function.name}"
    if function.single and len(new.outputs) != 1:
        raise ArgumentValueError(
            f"{where}: it has {len(new.outputs)} outputs, wanted the single one that is returned"
        )
    for i, o in function.donated:
        if not (0 <= i < len(new.inputs) and 0 <= o < len(new.outputs)):
            raise ArgumentValueError(f"{where}: input {i} is donated to output {o}; one is absent")
        given, taken = new.inputs[i], new.outputs[o]
        if given != taken or given.kind != "array":
            raise ArgumentValueError(
                f"{where}: input {i} is donated to output {o}, which are {given} and {taken}; "
                "wanted arrays of one shape and dtype"
            )
    if first is not None and _signature(first) != _signature(new):
        raise ArgumentValueError(
            f"{where}: inputs and outputs are {_signature(new)}, wanted dtypes, kinds and ranks of "
            f"the first instance, {_signature(first)}; make another entry"
        )


def _signature(instance: Instance) -> tuple[list[str], list[str]]:
    inputs, outputs = (
        [f"{x.dtype} {x.kind} of rank {len(x.shape)}" for x in leaves]
        for leaves in (instance.inputs, instance.outputs)
    )
    return inputs, outputs
