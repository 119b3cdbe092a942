"""The graph: a program that is called like a function, shown, counted and verified."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.memory import in_memory, rely
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.subclasses import elements_of
from pullback.core.tracing import Tracer, is_plain
from pullback.core.validation import require_flag, require_instance, shown, to_array
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.graph import cost, dot, svg, text, verification
from pullback.graph.execution import Plan
from pullback.graph.key import Hole, Outline, are_equal
from pullback.graph.program import Program
from pullback.graph.variable import Variable, require_64_bits

__all__ = ["Graph"]


class Graph(Program):
    """A program recorded as primitives in static single assignment.

    It is made by `trace`. ``print(graph)`` shows it, ``graph(*args)`` runs it with NumPy.

    Attributes
    ----------
    name : str
    inputs : tuple of Variable
    constants : dict of Variable to array
        Arrays from outside the function. A read-only array is held by reference, any other as it
        was when the function read it.
    equations : tuple of Equation
    outputs : tuple of (Variable or scalar)
    signature : Signature
    """

    # -- running -------------------------------------------------------------------------------

    def __call__(self, *args: Any) -> Any:
        """Run the program.

        Parameters
        ----------
        *args
            As at recording: the same structure, shapes and dtypes.

        Returns
        -------
        pytree
            Fresh arrays.

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            Where an argument is not as at recording.

        Notes
        -----
        Values are freed after their last use. NumPy's floating-point warnings are off.
        Arguments may be traced: a graph can be differentiated, batched and recorded again.
        """
        values = self._bound(args)
        taken = set(map(id, (*values, *self.constants.values())))
        if any(type(x) is Tracer for x in (*values, *self.constants.values())):
            results = self.run(values)
        else:
            with np.errstate(all="ignore"):
                results = self.evaluate(values)
        leaves = [_fresh(out, taken) for out in results]
        for position, is_array in self.signature.arrays.items():
            if is_plain(leaves[position], np.ndarray | np.generic):
                leaf = np.asarray(leaves[position])
                leaves[position] = leaf if is_array else leaf[()]
        for position in self.signature.numbers:
            if is_plain(leaves[position], np.generic):
                leaves[position] = leaves[position].item()
        return trees.unflatten(self.signature.result, leaves)

    def evaluate(self, values: list[Any]) -> list[Any]:
        """The outputs from one plain array or scalar for each input, in the least time and memory.

        Parameters
        ----------
        values : list
            It is taken over: emptied, and an array to which nothing but this list refers may be
            overwritten. Every other array, also one of which a view is alive, stays as it is.

        Returns
        -------
        list
            What is not fresh is an argument, a constant or a view: nothing is copied for it.

        Notes
        -----
        What can be updated in place is: see `pullback.graph.execution`. To run a loop, hand each
        result over with nothing else referring to it::

            values = [i, *constants, *state]
            del state
            state = body.evaluate(values)

        NumPy's floating-point warnings are as they are outside.
        """
        if type(values) is not list or len(values) != len(self.inputs):
            self._require_row(values, "evaluate", list)
        return self._plan(values)

    @functools.cached_property
    def _plan(self) -> Plan:
        return Plan(self)

    def _bound(self, args: Sequence[Any]) -> list[Any]:
        """The arrays of arguments, in the order of the inputs, checked against the recording."""
        leaves, spec = trees.flatten(tuple(args))
        signature = self.signature
        if spec != signature.arguments:
            raise ArgumentValueError(
                f"{self.name}: the arguments have the structure "
                f"{trees.contrast(spec, signature.arguments)}, that of the recording; trace the "
                "function again"
            )
        values: list[Any] = []
        for position, leaf in enumerate(leaves):
            if position in signature.static:
                fixed = signature.static[position]
                if not (leaf is fixed or bool(leaf == fixed)):
                    raise ArgumentValueError(
                        f"{self.name}: args{trees.leaf_paths(spec)[position]} is {leaf!r}, and the "
                        f"graph was recorded with {fixed!r}; trace the function again"
                    )
                continue
            name, variable = signature.names[len(values)], self.inputs[len(values)]
            values.append(_checked(leaf, variable, f"{self.name}: argument {name}"))
        for place, strides in signature.layouts.items():
            _require_layout(
                values[place], strides, f"{self.name}: argument {signature.names[place]}"
            )
        return values

    # -- looking -------------------------------------------------------------------------------

    def verify(self) -> None:
        """Check that the graph is well formed.

        Each variable is defined once, and before it is used; shapes and dtypes are those that
        the primitives give; constants and nested graphs are as they are declared.

        Raises
        ------
        GraphError
            Names the equation and what is wrong with it.
        """
        verification.verify(self)

    def key(self) -> str:
        """The structure of the graph without its numbers, as hexadecimal digits.

        Returns
        -------
        str
            The same for graphs that differ in extents, in numbers among the parameters, in literals
            and constants alone, and the same in every process. The integers 0 and 1 belong to the
            structure, as extents and as parameters.

        See Also
        --------
        Graph.holes : the numbers.

        Examples
        --------
        >>> import numpy as np
        >>> import pullback as pb
        >>> def f(x):
        ...     return np.sum(np.sin(x[1:]))
        >>> three, four = pb.trace(f, np.ones(3)), pb.trace(f, np.ones(4))
        >>> three.key() == four.key()
        True
        >>> [three.holes()[i].where for i in three.differences(four)]
        ['x, axis 0', 'v0, axis 0', 'v1, axis 0']
        """
        return Outline(self).key

    def holes(self) -> tuple[Hole, ...]:
        """The numbers that the key leaves out, in order.

        Returns
        -------
        tuple of Hole
            Each has a `kind` (an extent, a parameter, a literal or a constant), says `where` it
            stands, and has a `value`.

        Examples
        --------
        >>> import pullback as pb
        >>> for hole in pb.trace(lambda x: 2.0 * x, pb.ShapeDtype((5, 1))).holes():
        ...     print(hole.kind, "of", hole.where, "is", hole.value)
        extent of x, axis 0 is 5
        literal of v0 = multiply, argument 0 is 2.0
        extent of v0, axis 0 is 5
        """
        return tuple(Outline(self).holes)

    def differences(self, other: Graph) -> tuple[int, ...]:
        """Which holes differ from those of a graph of the same key.

        Parameters
        ----------
        other : Graph

        Returns
        -------
        tuple of int
            Positions in `holes`. Numbers are compared bit by bit.

        Raises
        ------
        ArgumentValueError
            Where the keys differ.
        """
        where = f"{self.name}.differences"
        require_instance(other, Graph, where, "other", "a Graph", "record the function first")
        mine, theirs = Outline(self), Outline(other)
        if mine.key != theirs.key:
            raise ArgumentValueError(
                f"{where}: other is a graph of {other.name} with another key, wanted one of the "
                "same structure; compare key() first"
            )
        pairs = zip(mine.holes, theirs.holes, strict=True)
        return tuple(i for i, (a, b) in enumerate(pairs) if not are_equal(a.value, b.value))

    def cost(self) -> cost.Cost:
        """Floating-point operations and bytes read and written, counted from shapes and dtypes.

        Returns
        -------
        Cost
            With the attributes ``operations``, ``bytes`` and ``by_primitive``.
        """
        return cost.cost(self)

    def text(self, *, lines: bool = False) -> str:
        """The graph as text, as it is printed.

        Parameters
        ----------
        lines : bool
            Whether to show of each equation the file and the line that it comes from.

        Returns
        -------
        str
        """
        return text.show(self, lines=require_flag(lines, f"{self.name}.text", "lines"))

    def to_dot(self, *, lines: bool = False) -> str:
        """The graph in Graphviz's language.

        Parameters
        ----------
        lines : bool
            Whether boxes have the line that they come from as a tooltip.

        Returns
        -------
        str
        """
        return dot.to_dot(self, lines=require_flag(lines, f"{self.name}.to_dot", "lines"))

    def __str__(self) -> str:
        return text.show(self)

    def __repr__(self) -> str:
        return text.show(self)

    def _repr_html_(self) -> str:
        return svg.to_html(self)

    def _repr_svg_(self) -> str | None:
        return svg.to_svg(self)


def _checked(x: Any, variable: Variable, what: str) -> Any:
    """An argument as the graph takes it."""
    if type(x) is np.ndarray and x.dtype == variable.dtype and x.shape == variable.shape != ():
        return x
    if isinstance(x, list | tuple | str) or callable(x) or x is None:
        raise ArgumentTypeError(f"{what} is {shown(x)}, wanted {variable!r}")
    if not isinstance(x, Tracer | np.ndarray | np.generic | int | float | complex):
        x = to_array(x, what)
    x = elements_of(x, what)
    require_64_bits(x, what)
    if shape_of(x) != variable.shape:
        raise ArgumentValueError(
            f"{what} has shape {shape_of(x)}, wanted {variable.shape}, that of the recording; "
            "trace the function again for another shape"
        )
    if dtype_of(x) != variable.dtype:
        raise ArgumentTypeError(
            f"{what} has dtype {dtype_of(x)}, wanted {variable.dtype}, that of the recording; "
            f"convert it with x.astype({variable.dtype}), or trace the function again"
        )
    if isinstance(x, Tracer):
        return x._snapshot()
    if variable.weak is not None:
        return variable.weak(x)
    if isinstance(x, np.ndarray):
        return x if x.shape or variable.array else x[()]
    return np.asarray(x) if variable.array else variable.dtype.type(x)


def _require_layout(x: Any, strides: tuple[int, ...], what: str) -> None:
    """Raise unless `x`, of the right shape, lies in memory as the argument at recording did."""
    memory = in_memory(x)
    got = getattr(memory, "strides", strides)
    pairs = zip(got, strides, shape_of(x), strict=True)
    if (memory is not None and all(a == b or n < 2 for a, b, n in pairs)) or 0 in shape_of(x):
        rely(x)
        return
    known = "is not known how it lies" if memory is None else f"lies with strides {got}"
    raise ArgumentValueError(
        f"{what}, of dtype {dtype_of(x)} and shape {shape_of(x)}, {known} in memory, and at "
        f"recording it lay with strides {strides}, on which the program depends, as one with "
        'x.ravel("K") does, or with a write to x.reshape(shape), which is a view or a copy; trace '
        "the function again for arrays that lie so, or, for the order of rows, trace and call it "
        "with np.ascontiguousarray(x)"
    )


def _fresh(x: Any, taken: set[int]) -> Any:
    """A result that shares memory with nothing else."""
    if is_plain(x):
        if x.base is not None or not x.flags.writeable or id(x) in taken:
            x = np.array(x, order="K")
        taken.add(id(x))
        return x
    return x._snapshot() if isinstance(x, Tracer) else x
