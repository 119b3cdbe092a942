"""The program: equations in static single assignment, their signature, and running them.

Everything that looks at a program, to print it, to count it or to order it, imports this; the
`Graph` of the public surface stands on top of them all.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.primitive import Primitive
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import is_plain
from pullback.core.validation import refuse
from pullback.errors import ArgumentValueError
from pullback.graph.places import Place, following
from pullback.graph.variable import Variable, require_64_bits

__all__ = ["Atom", "Equation", "Program", "Signature", "nested", "releases", "require_declared"]

Atom = Any
"""What an equation acts on: a `Variable`, or a Python or NumPy scalar."""


@dataclass(eq=False, repr=False, slots=True)
class Equation:
    """The application of a primitive."""

    primitive: Primitive
    inputs: tuple[Atom, ...]
    params: dict[str, Any]
    """Static parameters, graphs among them."""
    outputs: tuple[Variable, ...]
    place: Place | None = None
    """The line of the user's that it comes from."""

    @property
    def graphs(self) -> dict[str, Program]:
        """The nested graphs among the parameters, by path: ``body``, ``branches[1]``."""
        return nested(self.params)

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters that are no graphs; in place of a dataclass, its fields."""
        graphs = {path.partition("[")[0] for path in self.graphs}
        return {name: value for name, value in _fields(self.params) if name not in graphs}

    def blame(self, error: Exception) -> None:
        """Add to an error where this equation, whose evaluation has raised it, comes from."""
        if self.place is not None:
            error.add_note(f"This is {self.primitive.name}, recorded at {self.place.words()}")


def nested(params: dict[str, Any]) -> dict[str, Program]:
    """The graphs among parameters, by path."""
    found: dict[str, Program] = {}
    for name, value in _fields(params):
        if isinstance(value, Program):
            found[name] = value
        elif isinstance(value, tuple | list):
            found.update(
                (f"{name}[{i}]", each) for i, each in enumerate(value) if isinstance(each, Program)
            )
    return found


def _fields(params: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The parameters by name; in place of a dataclass, its fields."""
    for name, value in params.items():
        if hasattr(value, "__dataclass_fields__"):
            yield from ((f.name, getattr(value, f.name)) for f in fields(value))
        else:
            yield name, value


@dataclass(eq=False, repr=False, slots=True)
class Signature:
    """How the arguments and the result of a function are put together from arrays."""

    names: tuple[str, ...]
    """How to reach each array among the arguments, for messages and printing."""
    arguments: trees.TreeSpec
    """The structure of the tuple of arguments."""
    static: dict[int, Any]
    """The leaves of the arguments that are no arrays, by position."""
    result: trees.TreeSpec
    numbers: Collection[int] = ()
    """Which arrays of the result are to become Python numbers."""
    layouts: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """The strides of those arguments on whose layout in memory the program depends."""
    arrays: dict[int, bool] = field(default_factory=dict)
    """Whether a result of shape () is an array, and not a scalar, where that is known.

    What comes out of a loop, or of a function of the user's own, is as it comes.
    """


class Program:
    """Equations from inputs to outputs, each value of them defined once; see `Graph`.

    What has been made from it, such as its derivative, is kept in `derived`, to be made once.
    """

    def __init__(
        self,
        name: str,
        inputs: Sequence[Variable],
        constants: dict[Variable, Any],
        equations: Sequence[Equation],
        outputs: Sequence[Atom],
        signature: Signature,
    ) -> None:
        self.name = self.__name__ = name
        self.inputs = tuple(inputs)
        self.constants = constants
        self.equations = tuple(equations)
        self.outputs = tuple(outputs)
        self.signature = signature
        self.derived: dict[Any, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """What it is made of; what has been made from it is made again."""
        made = ("derived", "_releases", "_plan")
        return {**{k: v for k, v in self.__dict__.items() if k not in made}, "derived": {}}

    def run(self, values: Sequence[Any]) -> list[Any]:
        """The outputs from one value for each input, traced or not, without checks of shapes."""
        self._require_row(values, "run")
        for position, x in enumerate(values):
            if getattr(getattr(x, "dtype", None), "kind", "f") not in "biufc":
                raise refuse(f"{self.name}.run", f"values[{position}]", x, "an array of numbers")
            require_64_bits(x, f"{self.name}.run: values[{position}]")
        state: dict[Variable, Any] = dict(self.constants)
        state.update(zip(self.inputs, values, strict=True))
        around = following.place
        try:
            with np.errstate(all="ignore"):
                for equation, released in zip(self.equations, self._releases, strict=True):
                    following.place = equation.place or around
                    _apply(equation, state)
                    for variable in released:
                        del state[variable]
        finally:
            following.place = around
        return [state[x] if type(x) is Variable else x for x in self.outputs]

    def _require_row(self, values: Any, method: str, kinds: Any = (list, tuple)) -> None:
        """Raise unless there is one value for each input."""
        where = f"{self.name}.{method}"
        if not is_plain(values, kinds):
            raise refuse(
                where,
                "values",
                values,
                "a list with one value for each input",
                f"write graph.{method}([x]) for a single one, or call the graph itself: graph(x)",
            )
        if len(values) != len(self.inputs):
            raise ArgumentValueError(
                f"{where}: values has {len(values)} entries, wanted {len(self.inputs)}, one for "
                f"each input: {', '.join(self.signature.names[:4])}…; a pytree is taken apart by "
                "calling the graph itself: graph(*args)"
            )

    @functools.cached_property
    def _releases(self) -> list[list[Variable]]:
        return releases(self.equations, self.outputs)


def releases(equations: Sequence[Equation], outputs: Sequence[Atom]) -> list[list[Variable]]:
    """For each equation the values that nothing reads after it."""
    needed = {x for x in outputs if type(x) is Variable}
    released = []
    for equation in reversed(equations):
        atoms = (*equation.inputs, *equation.outputs)
        touched = dict.fromkeys(x for x in atoms if type(x) is Variable)
        released.append([x for x in touched if x not in needed])
        needed.update(touched)
    return released[::-1]


def _apply(equation: Equation, state: dict[Variable, Any]) -> None:
    """Evaluate an equation."""
    try:
        args = [state[x] if type(x) is Variable else x for x in equation.inputs]
        out = equation.primitive(*args, **equation.params)
        if not equation.primitive.trusted:
            require_declared(equation, out)
    except Exception as error:
        equation.blame(error)
        raise
    if equation.primitive.multiple:
        state.update(zip(equation.outputs, out, strict=True))
    else:
        state[equation.outputs[0]] = out


def require_declared(equation: Equation, out: Any) -> None:
    """Raise unless the value of an equation is what the graph declares."""
    outs = out if equation.primitive.multiple else (out,)
    got, wanted = ([(shape_of(x), dtype_of(x)) for x in row] for row in (outs, equation.outputs))
    if got != wanted:
        name = equation.primitive.name
        raise ArgumentValueError(
            f"{name}: returned {_listed(got)}, and in the graph it has {_listed(wanted)}, which "
            "its shape rule says, or what was found out without one; a result's shape and dtype "
            f"may depend on those of the arguments alone: say with @{name}.shape what they are"
        )


def _listed(types: Sequence[tuple[tuple[int, ...], Any]]) -> str:
    return ", ".join(f"dtype {dtype} and shape {shape}" for shape, dtype in types)
