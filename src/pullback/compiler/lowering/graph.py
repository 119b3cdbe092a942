"""From a graph to a program of loops.

Each value of the graph becomes an array (`pullback.compiler.lowering.arrays`). What is computed
element by element stays so, and is computed where it is read, unless that would be done again and
again: then it is stored. Small arrays are scalars.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, For, Kernel, Program
from pullback.compiler.lowering.arrays import Array, Computed, Elements, Stored
from pullback.compiler.lowering.context import Context, Frame, PythonCall, buffers_of, literal
from pullback.compiler.lowering.control import CONTROL
from pullback.compiler.lowering.elementwise import elementwise, unrolled
from pullback.compiler.lowering.kernels import DTYPES
from pullback.compiler.lowering.linalg import LINEAR_ALGEBRA, is_factorised, linear_algebra
from pullback.compiler.lowering.memory import Memory
from pullback.compiler.lowering.movement import read, scattered, view
from pullback.compiler.lowering.progressions import is_uniform, progression
from pullback.compiler.lowering.reductions import joined, running
from pullback.compiler.lowering.scalars import dtype_name
from pullback.compiler.lowering.scope import Scope
from pullback.compiler.lowering.search import searched
from pullback.compiler.lowering.spectral import SPECTRAL, spectral
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import (
    Contraction,
    Elementwise,
    Gather,
    Loops,
    Reduction,
    Scatter,
    View,
)
from pullback.core.tracing import is_plain
from pullback.graph.graph import Graph
from pullback.graph.ordering import outliving_views, updates_last
from pullback.graph.program import Equation
from pullback.graph.program import Program as GraphProgram
from pullback.graph.variable import Variable

__all__ = ["Lowered", "lower"]

_CHEAP = 4
"""Up to how many operations an element is computed again rather than stored."""

_READ = 3
"""For how many elements that are read for each it is stored, too: then one is read instead."""

_SMALL = (16, 8, 4, 1)
_MOST_SCALARS = 1500
"""How many elements of small arrays are scalars, and up to what size an array is small then."""

_DEEP = 40
"""How many arrays an index is handed on through at most."""


@dataclass(frozen=True)
class Lowered:
    """A program of loops, and what it needs from outside.

    Attributes
    ----------
    program : Program
    constants : list of array
    calls : list of PythonCall
    errors : list of (exception class, str)
    spared : int
        How many products that a library would compute are loops, so that they can be tiled.
    """

    program: Program
    constants: list[Any]
    calls: list[PythonCall]
    errors: list[tuple[type[Exception], str]]
    spared: int = 0


def lower(graph: Graph, varying: Collection[int] = (), *, in_loops: bool = False) -> Lowered:
    """The program of a graph: an input buffer for each input, an output buffer for each output.

    Parameters
    ----------
    graph : Graph
    varying : collection of int
        Extents that are others for other sizes of the arguments: code is made of loops along them,
        however short they are here, so that programs for all sizes have one structure.
    in_loops : bool
        Whether products of many samples with little else are loops, even where a library is faster.
    """
    memory = Memory(frozenset(varying))
    context = Context(_lowered, _small(graph, memory), memory, in_loops=in_loops)
    scope = Scope()
    inputs = [memory.buffer(x.shape, x.dtype.name, "input") for x in graph.inputs]
    targets = [memory.buffer(shape_of(x), str(dtype_of(x)), "output") for x in graph.outputs]
    found = _lowered(context, scope, graph, inputs, targets)
    for target, array in zip(targets, found, strict=True):
        if not (isinstance(array, Stored) and array.buffer == target.buffer):
            memory.fill(scope, target, array)
    order = ("input", "output", "constant", "scratch")
    buffers = sorted(memory.buffers, key=lambda buffer: order.index(buffer.kind))
    program = Program(graph.name, tuple(buffers), tuple(scope.statements))
    return Lowered(program, context.constants, context.calls, context.errors, context.spared)


def _small(graph: GraphProgram, memory: Memory) -> int:
    """Up to how many elements arrays are scalars: fewer, where these would be too many.

    Code without loops takes more than its share of time to compile, and to fetch when it runs.
    """
    shapes = [out.shape for each in _everywhere_in(graph) for out in each.outputs]
    sizes = [math.prod(shape) for shape in shapes if memory.is_small(shape, _SMALL[0])]
    for small in _SMALL:
        if sum(size for size in sizes if size <= small) <= _MOST_SCALARS:
            return small
    return _SMALL[-1]


def _everywhere_in(graph: GraphProgram) -> Iterator[Equation]:
    for equation in graph.equations:
        yield equation
        for nested in equation.graphs.values():
            yield from _everywhere_in(nested)


def _lowered(
    context: Context,
    scope: Scope,
    graph: GraphProgram,
    inputs: Sequence[Array],
    targets: Sequence[Stored | None] = (),
    own: Collection[int] = (),
) -> list[Array]:
    frame = _frame(graph, targets)
    for position, array in enumerate(inputs):
        if position not in own:
            frame.shared |= buffers_of(array)
    frame.values.update(zip(graph.inputs, inputs, strict=True))
    for variable, value in graph.constants.items():
        frame.values[variable] = _constant(context, scope, value, variable.shape)
    equations, moving = _order(graph)
    for equation in equations:
        read = {x for x in equation.inputs if type(x) is Variable}
        for atom in read:
            frame.uses[atom] -= 1
        begin = len(scope.statements)
        results = _equation(context, scope, graph, frame, equation)
        for atom in read:
            if not frame.uses[atom]:
                del frame.values[atom]  # so that only what is still needed is looked through
        for variable, array in zip(equation.outputs, results, strict=True):
            array = _settled(context, scope, frame, variable, array)
            if variable in moving and isinstance(array, Stored):
                array = context.memory.copied(scope, array)
            frame.values[variable] = array
        _place(scope, begin, equation)
    return [frame.values[x] if type(x) is Variable else literal(scope, x) for x in graph.outputs]


def _place(scope: Scope, begin: int, equation: Equation) -> None:
    """Have the loops from a statement on say which line they come from."""
    for number in range(begin, len(scope.statements)):
        statement = scope.statements[number]
        if isinstance(statement, Kernel | For) and statement.place is None:
            scope.statements[number] = replace(statement, place=equation.place)


def _order(graph: GraphProgram) -> tuple[list[Equation], set[Variable]]:
    """The equations, updates of arrays last, and views of what is updated while they are needed."""
    found = graph.derived.get("order of loops")
    if found is None:
        equations = updates_last(graph.equations)
        found = equations, outliving_views(equations, graph.outputs)
        graph.derived["order of loops"] = found
    equations, views = found
    return equations, views


def _frame(graph: GraphProgram, targets: Sequence[Stored | None]) -> Frame:
    """How often values are read, and where outputs are wanted."""
    uses: dict[Any, int] = dict.fromkeys((*graph.inputs, *graph.constants), 0)
    repeated = set()
    for equation in graph.equations:
        uses.update(dict.fromkeys(equation.outputs, 0))
        structure = equation.primitive.structure
        most = max(math.prod(out.shape) for out in equation.outputs)
        contracts = isinstance(structure, Contraction) or is_factorised(equation)
        joins = isinstance(structure, View) and len(equation.inputs) > 1
        if joins or isinstance(structure, Scatter):
            most = 0  # each element is read in one place
        for atom in {x for x in equation.inputs if type(x) is Variable}:
            uses[atom] += 1
            if contracts or 1 < math.prod(atom.shape) < most:
                repeated.add(atom)
    wanted: dict[Any, Stored] = {}
    for position, atom in enumerate(graph.outputs):
        if type(atom) is Variable:
            uses[atom] += 1
            target = targets[position] if targets else None
            if target is not None and atom not in wanted and atom not in graph.inputs:
                wanted[atom] = target
    return Frame({}, uses, repeated, wanted, set())


def _constant(context: Context, scope: Scope, value: Any, shape: tuple[int, ...]) -> Array:
    """A constant array; one number everywhere is that number, and a small array is numbers."""
    value = np.asarray(value)
    value = value.astype(value.dtype.newbyteorder("="), copy=False)
    dtype = value.dtype.name
    if dtype in DTYPES:
        if is_uniform(value):
            (number,) = literal(scope, value.ravel()[0], dtype).values
            return _everywhere(context, number, shape, dtype)
        if context.is_small(shape):
            values = tuple(literal(scope, x, dtype).values[0] for x in value.ravel())
            return Elements(shape=value.shape, dtype=dtype, values=values)
    found = progression(value)
    if found is not None:
        return replace(found, shape=shape)
    return context.constant(np.ascontiguousarray(value).reshape(value.shape), shape)


def _everywhere(context: Context, number: Any, shape: tuple[int, ...], dtype: str) -> Array:
    if context.is_small(shape):
        return Elements(shape=shape, dtype=dtype, values=(number,) * math.prod(shape))

    def made(_: tuple[Array, ...], shape: tuple[int, ...]) -> Computed:
        return Computed(
            shape=shape, dtype=dtype, at=lambda _scope, _indices, _where: number, again=made
        )

    return made((), shape)


def _settled(
    context: Context, scope: Scope, frame: Frame, variable: Variable, array: Array
) -> Array:
    """The array as it will be read: stored, if computing elements again would take longer."""
    target = frame.targets.get(variable)
    if isinstance(array, Stored) or array.dtype not in DTYPES:
        return array
    if isinstance(array, Elements) or (
        context.is_small(array.shape) and (target is None or _of_scalars(array))
    ):
        return unrolled(context, scope, array)
    uses = frame.uses[variable]
    again = uses > 1 and (array.cost > _CHEAP or _read(array) >= _READ * array.size)
    often = variable in frame.repeated and array.cost > 0
    if target is not None:
        context.memory.fill(scope, target, array)
        return target
    if again or often or array.depth > _DEEP:
        return context.memory.stored(scope, array)
    return array


def _read(array: Array) -> int:
    """How many elements are read to compute all of an array."""
    sizes: dict[str, int] = {}
    for source in array.sources_within:
        if isinstance(source, Stored):
            sizes[source.buffer] = max(source.size, sizes.get(source.buffer, 0))
    return sum(sizes.values())


def _of_scalars(array: Array) -> bool:
    """Whether an array is computed from others that are scalars."""
    return any(
        isinstance(source, Elements) and not all(isinstance(x, Const) for x in source.values)
        for source in array.sources_within
        if source.size > 1
    )


def _equation(
    context: Context, scope: Scope, graph: GraphProgram, frame: Frame, equation: Equation
) -> list[Array]:
    args = [frame.values[x] if type(x) is Variable else x for x in equation.inputs]
    control = CONTROL.get(equation.primitive.name)
    if control is not None:
        arrays = [x if isinstance(x, Array) else literal(scope, x) for x in args]
        found = control(context, scope, frame, equation, arrays)
        if found is not None:
            return found
        return context.call(scope, equation, args, "its loop has no native form")
    dtypes = {dtype_name(dtype_of(x)) for x in (*equation.inputs, *equation.outputs)}
    if not dtypes <= DTYPES:
        return context.call(scope, equation, args, f"its dtypes are {', '.join(sorted(dtypes))}")
    results = _native(context, scope, graph, frame, equation, args)
    if results is None:
        return context.call(scope, equation, args, "it has no kernel")
    return results


def _native(
    context: Context,
    scope: Scope,
    graph: GraphProgram,
    frame: Frame,
    equation: Equation,
    args: list[Any],
) -> list[Array] | None:
    """The results as loops; `None` if there are none."""
    primitive = equation.primitive
    structure = primitive.structure
    if isinstance(structure, Elementwise):
        return elementwise(context, scope, equation, args)
    targets = [frame.targets.get(out) for out in equation.outputs]
    if primitive.name in LINEAR_ALGEBRA:
        return linear_algebra(context, scope, equation, args, targets)
    if primitive.name in SPECTRAL:
        used = [bool(frame.uses[out]) for out in equation.outputs]
        return spectral(context, scope, equation, args, targets, used)
    if primitive.name == "searchsorted":
        return searched(context, scope, equation, args)
    if not isinstance(structure, Reduction | Contraction | View | Gather | Scatter):
        return None
    facts = [_fact(graph, x) for x in equation.inputs]
    loops: tuple[Loops, ...] | None = structure.loops(primitive, facts, equation.params)
    if loops is None:
        return None
    arrays: list[Any] = [x if isinstance(x, Array) else literal(scope, x) for x in args]
    for position in _masks(loops):
        arrays[position] = facts[position]
    if isinstance(structure, Reduction) and structure.running:
        return running(context, scope, equation, arrays, loops[0], targets[0])
    if isinstance(structure, Reduction | Contraction):
        return joined(context, scope, equation, arrays, loops[0], targets[0])
    if isinstance(structure, View):
        return view(context, scope, equation, arrays, loops)
    if isinstance(structure, Gather):
        return read(context, scope, equation, arrays, loops)

    def own() -> bool:
        return frame.owns(context.memory, equation.inputs[0], equation)

    return scattered(context, scope, equation, arrays, loops[0], own)


def _masks(loops: tuple[Loops, ...]) -> set[int]:
    """The arguments that are masks, of which only the places where they hold matter."""
    return {
        index.load.argument
        for each in loops
        for access in (*each.reads, each.write)
        for index in access.indices
        if index.load is not None and index.load.part is not None
    }


def _fact(graph: GraphProgram, atom: Any) -> Any:
    """What is known of an argument: a mask, a number, or shape and dtype."""
    if type(atom) is not Variable:
        return atom
    constant = graph.constants.get(atom)
    if constant is not None and is_plain(constant) and constant.dtype.kind == "b":
        return constant  # a mask: how many hold decides on shapes
    return Abstract(atom.shape, atom.dtype)
