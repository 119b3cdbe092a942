"""What the lowering of a graph has made so far, beside statements."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullback.compiler.loops import Call
from pullback.compiler.lowering.arrays import Array, Elements, Stored, number
from pullback.compiler.lowering.memory import Memory
from pullback.compiler.lowering.places import ZERO
from pullback.compiler.lowering.scope import Scope
from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.program import Equation, Program

__all__ = ["Context", "Frame", "PythonCall", "buffers_of", "literal"]


@dataclass(frozen=True)
class PythonCall:
    """A primitive that is called through Python, on arrays of these shapes and dtypes.

    Attributes
    ----------
    equation : Equation
    reads, writes : tuple of (shape, dtype)
    literals : dict of int to number
        The arguments that are no arrays, by position.
    reason : str
        Why it isn't native.
    """

    equation: Equation
    reads: tuple[tuple[tuple[int, ...], str], ...]
    writes: tuple[tuple[tuple[int, ...], str], ...]
    literals: dict[int, Any]
    reason: str


@dataclass
class Frame:
    """A graph while it is lowered.

    Attributes
    ----------
    values : dict of Variable to Array
    uses : dict of Variable to int
        How many equations that are still to come read each value; an output is read once more.
    repeated : set of Variable
        What is read more than once in each element.
    targets : dict of Variable to Stored
        Where outputs are wanted.
    shared : set of str
        The buffers that belong to somebody outside, and must not be written over.
    """

    values: dict[Any, Array]
    uses: dict[Any, int]
    repeated: set[Any]
    targets: dict[Any, Stored]
    shared: set[str]

    def owns(self, memory: Memory, atom: Any, equation: Equation) -> bool:
        """Whether an equation may write over an argument: nobody else reads it, now or later."""
        array = self.values.get(atom)
        if not isinstance(array, Stored) or self.uses[atom] or not array.whole:
            return False
        buffer = array.buffer
        if buffer in self.shared or memory.kinds[buffer] not in ("scratch", "output"):
            return False
        return not any(
            (self.uses.get(variable) or any(x is variable for x in equation.inputs))
            and buffer in buffers_of(other)
            for variable, other in self.values.items()
            if variable is not atom
        )


def buffers_of(array: Array) -> set[str]:
    """The buffers that an array is read from."""
    return {source.buffer for source in array.sources_within if isinstance(source, Stored)}


@dataclass
class Context:
    """What has been made of a program.

    Attributes
    ----------
    memory : Memory
    small : int
        Up to how many elements an array is one scalar for each.
    lower : callable
        ``lower(context, scope, program, inputs, targets, own)`` appends the statements of a graph,
        and returns its outputs.
    constants : list of array
        One for each constant buffer, in order.
    calls : list of PythonCall
    errors : list of (exception class, str)
        What `Check` raises, from number 1.
    in_loops : bool
        Whether products of many samples with little else are loops, however large they are.
    spared : int
        How many products are loops for that.
    """

    lower: Callable[..., list[Array]]
    small: int
    memory: Memory = field(default_factory=Memory)
    constants: list[Any] = field(default_factory=list)
    calls: list[PythonCall] = field(default_factory=list)
    errors: list[tuple[type[Exception], str]] = field(default_factory=list)
    in_loops: bool = False
    spared: int = 0
    _interned: dict[Any, Stored] = field(default_factory=dict)

    def is_small(self, shape: Sequence[int]) -> bool:
        """Whether an array of this shape is one scalar for each element."""
        return self.memory.is_small(shape, self.small)

    def graph(
        self,
        scope: Scope,
        program: Program,
        inputs: Sequence[Array],
        targets: Sequence[Stored | None] = (),
        own: Collection[int] = (),
    ) -> list[Array]:
        """The outputs of a nested graph, whose statements are appended to the scope.

        The inputs at the places `own` are given away.
        """
        return self.lower(self, scope, program, inputs, targets, own)

    def error(self, kind: type[Exception], words: str) -> int:
        """The number of an error."""
        if (kind, words) not in self.errors:
            self.errors.append((kind, words))
        return self.errors.index((kind, words)) + 1

    def constant(self, value: Any, shape: tuple[int, ...] | None = None) -> Stored:
        """A constant array in memory; those with the same elements are one."""
        key = (value.shape, value.dtype.str, value.tobytes())
        found = self._interned.get(key)
        if found is None:
            shape = value.shape if shape is None else shape
            found = self.memory.buffer(shape, value.dtype.name, "constant")
            self.constants.append(value)
            self._interned[key] = found
        return found

    def call(
        self, scope: Scope, equation: Equation, args: Sequence[Any], reason: str
    ) -> list[Array]:
        """The results of an equation that Python evaluates."""
        operands: list[Stored] = []
        literals: dict[int, Any] = {}
        for position, arg in enumerate(args):
            if isinstance(arg, Array):
                operands.append(self.memory.stored(scope, arg, whole=True))
            else:
                literals[position] = arg
        results = [self.memory.buffer(out.shape, out.dtype.name) for out in equation.outputs]
        reads, writes = (
            tuple((array.shape, array.dtype) for array in row) for row in (operands, results)
        )
        self.calls.append(PythonCall(equation, reads, writes, literals, reason))
        places = tuple(array.place([ZERO] * len(array.shape)) for array in (*operands, *results))
        scope.add(Call(len(self.calls) - 1, places, len(operands)))
        for result in results:
            scope.forget(result.buffer)
        return [*results]


def literal(scope: Scope, value: Any, dtype: str | None = None) -> Elements:
    """A number as an array of shape ()."""
    dtype = dtype or str(dtype_of(value))
    assert shape_of(value) == ()
    return Elements(shape=(), dtype=dtype, values=(number(scope, value, dtype),))
