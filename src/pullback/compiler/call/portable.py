"""The entry for any build of Python and NumPy."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.compiler.call.failure import failure, out_of_memory
from pullback.compiler.call.leaves import address, is_alike, is_donated, laid_out
from pullback.compiler.call.spec import Array, Instance, NativeFunction, require_alike
from pullback.core.shapes import shape_of
from pullback.core.subclasses import elements_of

__all__ = ["ALIGNMENT", "PortableEntry"]

ALIGNMENT = 64
"""Of working memory, in bytes."""

_RUN = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 4)
"""Other threads run while it is called."""


class PortableEntry:
    """A native function as one of Python, of leaves in any layout.

    Arguments that are strided, misaligned, in another byte order or of a subclass that adds nothing
    are copied where native code cannot read them. Arguments of other kinds, dtypes and shapes than
    those of the instances, and keywords, go to the slow path.

    Parameters
    ----------
    function : NativeFunction
    instance : Instance
        The first; others can be added.
    slow : callable
        The slow path: called with the same arguments, and its result returned.
    """

    def __init__(
        self, function: NativeFunction, instance: Instance, slow: Callable[..., Any]
    ) -> None:
        require_alike(function, None, instance)
        self.function = function
        self._first = instance
        self._instances = {instance.shapes: instance}
        self._slow = slow
        self._run = _RUN(function.address)

    def add(self, instance: Instance) -> None:
        """Serve another set of shapes."""
        require_alike(self.function, self._first, instance)
        self._instances[instance.shapes] = instance

    def __call__(self, *leaves: Any, **keywords: Any) -> Any:
        """The outputs: the single one, or a tuple."""
        wanted = self._first.inputs
        if not keywords and len(leaves) == len(wanted):
            where = f"{self.function.name}: argument"
            plain = [elements_of(leaf, f"{where} {k}") for k, leaf in enumerate(leaves)]
            if all(map(is_alike, plain, wanted)):
                instance = self._instances.get(tuple(map(shape_of, plain)))
                if instance is not None:
                    outputs = self.outputs(instance, plain)
                    return outputs[0] if self.function.single else tuple(outputs)
        return self._slow(*leaves, **keywords)

    def outputs(self, instance: Instance, leaves: Sequence[Any]) -> list[Any]:
        """What the native function returns for leaves that fit an instance.

        Raises
        ------
        MemoryError
            If there is no memory for the outputs or for working memory.
        """
        function = self.function
        try:
            inputs = [laid_out(*pair) for pair in zip(leaves, instance.inputs, strict=True)]
            results = [_empty(x) for x in self._to_be_made(instance, leaves, inputs)]
            scratch = np.empty(instance.scratch + ALIGNMENT, np.uint8) if instance.scratch else None
        except (MemoryError, ValueError):  # the second where no machine could hold so much
            raise out_of_memory(function, instance) from None
        buffers = np.array(
            [address(x) for x in (*inputs, *results, *function.constants)], np.uint64
        )
        context = function.context
        status = self._run(
            address(buffers),
            instance.holes,
            None if scratch is None else -(-address(scratch) // ALIGNMENT) * ALIGNMENT,
            None if context is None else address(context),
        )
        if status:
            raise failure(function, status, leaves)
        return [_result(*pair) for pair in zip(results, instance.outputs, strict=True)]

    def _to_be_made(
        self, instance: Instance, leaves: Sequence[Any], inputs: list[np.ndarray[Any, Any]]
    ) -> list[Array | np.ndarray[Any, Any]]:
        """The outputs, those that take over the memory of an input as arrays."""
        wanted: list[Array | np.ndarray[Any, Any]] = list(instance.outputs)
        for i, o in self.function.donated:
            others = [*inputs[:i], *inputs[i + 1 :], *self.function.constants]
            if is_donated(leaves[i], inputs[i], others):
                wanted[o] = inputs[i]
        return wanted


def _empty(wanted: Array | np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.empty(wanted.shape, wanted.dtype) if isinstance(wanted, Array) else wanted


def _result(made: np.ndarray[Any, Any], wanted: Array) -> Any:
    if wanted.kind == "array":
        return made
    return made[()] if wanted.kind == "scalar" else made.item()
