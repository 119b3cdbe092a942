"""The walk that every pass is made of.

A walk goes once through the equations of a graph, in order, and writes a new graph. What an
equation stands for is decided by *rules*, functions entered by primitive, which look at the
equation's inputs and at the equations that these come from: all of them have been rewritten before.
A rule returns what the result is instead, or `None` if it has nothing to say; what it makes with
`Rewriting.bind` goes through the rules in its turn. So one walk applies any number of rules, each
as often as there is something to do, and takes time in proportion to the number of equations.

Equations that nothing reads any longer stay behind; `pullback.passes.dead` clears them away.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from pullback.core.memory import once_each, repeated
from pullback.core.primitive import Primitive
from pullback.core.shapes import shape_of
from pullback.core.tracing import is_plain
from pullback.graph.graph import Graph
from pullback.graph.places import Place
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.graph.verification import abstract_outputs
from pullback.rules.conversion import astype
from pullback.rules.shaping import broadcast_to, transpose

__all__ = ["GeneralRule", "Pass", "Rewriting", "Rule", "Shared", "is_number", "is_strong"]

Rule = Callable[..., Any]
"""``rule(rewriting, out, *inputs, **params)``: the atom that the equation's output is instead.

`out` is the output's variable (a tuple of them for a primitive with several outputs, and so is the
result). The result may lack extent, and may have a narrower dtype: it is broadcast and converted.
"""

GeneralRule = Callable[..., Any]
"""``rule(rewriting, equation)``, for all primitives; a tuple of atoms."""


class Shared(Protocol):
    """Finds equations and constants that are there already; see `pullback.graph.numbering`."""

    def find(self, equation: Equation) -> Any:
        """The outputs of an equal equation, and what to call `enter` with otherwise."""

    def enter(self, key: Any, outputs: tuple[Variable, ...]) -> None:
        """Remember the outputs of an equation."""

    def constant(self, array: np.ndarray[Any, Any], variable: Variable) -> tuple[Variable, bool]:
        """The variable of an equal constant, or of its transpose, and whether it is the latter."""


def is_number(x: Atom, value: complex) -> bool:
    """Whether an atom is this number."""
    return type(x) is not Variable and bool(x == value)


class Pass:
    """What a walk looks for.

    Parameters
    ----------
    *parts : Pass
        Passes that are made in one walk.
    general : GeneralRule, optional
        A rule for all primitives, tried first.
    shared : callable, optional
        Makes the `Shared` of a walk; without it equal equations stay as they are.
    """

    def __init__(
        self,
        *parts: Pass,
        general: GeneralRule | None = None,
        shared: Callable[[], Shared] | None = None,
    ) -> None:
        self.rules: dict[Primitive, list[Rule]] = {}
        self.general = [] if general is None else [general]
        self.shared = shared
        for part in parts:
            self.general += part.general
            self.shared = self.shared or part.shared
            for primitive, rules in part.rules.items():
                self.rules.setdefault(primitive, []).extend(rules)

    def rewrites(self, *primitives: Primitive) -> Callable[[Rule], Rule]:
        """Enter the decorated rule for each of these primitives."""

        def enter(rule: Rule) -> Rule:
            for primitive in primitives:
                self.rules.setdefault(primitive, []).append(rule)
            return rule

        return enter

    def rewrites_each(self, *primitives: Primitive) -> Callable[[Rule], Rule]:
        """Enter the decorated rule, which takes the primitive first, for each of these."""

        def enter(rule: Rule) -> Rule:
            for primitive in primitives:
                self.rewrites(primitive)(functools.partial(rule, primitive))
            return rule

        return enter

    def __call__(self, graph: Graph) -> Graph:
        """The graph rewritten; the graph itself if there was nothing to do."""
        return Rewriting(self, graph, self).run()


class Rewriting:
    """One walk over a graph.

    Parameters
    ----------
    what : Pass
    graph : Graph
    nested : callable
        What to do with graphs among the parameters of equations.

    Attributes
    ----------
    constants : dict of Variable to array
    equations : list of Equation
        Those of the new graph.
    origin : dict of Variable to Equation
        Where the variables of the new graph come from.
    sources : dict of Variable to Atom
        What variables that are only repeated are repetitions of: the operand of a broadcast, or
        the number that a constant array is filled with.
    count : int
        How many equations have been replaced.
    notes : dict
        What rules want to remember of variables of the new graph.
    """

    def __init__(self, what: Pass, graph: Graph, nested: Callable[[Graph], Graph]) -> None:
        self.graph = graph
        self.rules = what.rules
        self.general = what.general
        self.shared = None if what.shared is None else what.shared()
        self.nested = nested
        self.constants: dict[Variable, Any] = {}
        self.equations: list[Equation] = []
        self.origin: dict[Variable, Equation] = {}
        self.sources: dict[Variable, Atom] = {}
        self.count = 0
        self.notes: dict[Any, Any] = {}
        self._now: dict[Variable, Atom] = {}
        self._place: Place | None = None
        self._readers: dict[Variable, list[Equation | None]] | None = None

    def run(self) -> Graph:
        """The rewritten graph; the graph itself if there was nothing to do."""
        graph, now = self.graph, self._now
        for variable, value in graph.constants.items():
            found = self._enter_constant(variable, value)
            if found is not variable:
                now[variable] = found
        with np.errstate(all="ignore"):
            for equation in graph.equations:
                self._visit(equation)
        if not self.count:
            return graph
        return Graph(
            graph.name,
            graph.inputs,
            self.constants,
            self.equations,
            [now.get(x, x) if type(x) is Variable else x for x in graph.outputs],
            graph.signature,
        )

    # -- equations -----------------------------------------------------------------------------

    def _visit(self, equation: Equation) -> None:
        now = self._now
        self._place = equation.place
        inputs, params = equation.inputs, equation.params
        if now:
            inputs = tuple([now.get(x, x) if type(x) is Variable else x for x in inputs])
        params = self._rewritten(params)
        outputs = equation.outputs
        if inputs is not equation.inputs or params is not equation.params:
            equation = Equation(equation.primitive, inputs, params, outputs, equation.place)
        atoms = self._result(equation)
        if atoms is not outputs:
            now.update(zip(outputs, atoms, strict=True))
            if self._readers is not None:
                self._hand_on(self._readers, outputs)
            self.count += 1

    def _rewritten(self, params: dict[str, Any]) -> dict[str, Any]:
        """Parameters with their nested graphs rewritten; the same ones if nothing was done."""
        changed = {}
        for name, value in params.items():
            if _holds_graphs(value):
                new = self._with_nested(value)
                if new is not value:
                    self.count += 1
                    changed[name] = new
        return {**params, **changed} if changed else params

    def _with_nested(self, value: Any) -> Any:
        """A parameter that holds graphs, with these rewritten; the same one if nothing was done."""
        if type(value) is Graph:
            return self.nested(value)
        if type(value) is tuple:
            graphs = tuple(map(self.nested, value))
            return value if all(map(operator.is_, graphs, value)) else graphs
        held = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        new = {k: self._with_nested(each) for k, each in held.items() if _holds_graphs(each)}
        same = all(each is held[name] for name, each in new.items())
        return value if same else dataclasses.replace(value, **new)

    def _result(self, equation: Equation) -> tuple[Atom, ...]:
        """What the outputs of an equation are; its own variables if it is to stay."""
        primitive, inputs, outputs = equation.primitive, equation.inputs, equation.outputs
        for general in self.general:
            atoms = general(self, equation)
            if atoms is not None:
                return self._fitted(atoms, outputs)
        out: Any = outputs if primitive.multiple else outputs[0]
        for rule in self.rules.get(primitive, ()):
            found = rule(self, out, *inputs, **equation.params)
            if found is not None:
                return self._fitted(found if primitive.multiple else (found,), outputs)
        if self.shared is not None:
            found, key = self.shared.find(equation)
            if found is not None:
                return found  # type: ignore[no-any-return]
            self.shared.enter(key, outputs)
        self.equations.append(equation)
        for variable in outputs:
            self.origin[variable] = equation
        if primitive is broadcast_to and is_strong(inputs[0]):
            self.sources[outputs[0]] = inputs[0]
        return outputs

    def bind(self, primitive: Primitive, *inputs: Atom, **params: Any) -> Any:
        """Apply a primitive in the new graph; the atom, or the tuple of atoms, that it gives."""
        params = self._rewritten(params)
        outputs = tuple(
            Variable(out.shape, out.dtype)
            for out in abstract_outputs(primitive, self._values(inputs), params)
        )
        atoms = self._result(Equation(primitive, inputs, params, outputs, self._place))
        return atoms if primitive.multiple else atoms[0]

    def bind_like(self, out: Variable, primitive: Primitive, *inputs: Atom, **params: Any) -> Any:
        """The same if it gives the dtype of `out`, else `None`: for what is weak in promotion."""
        (given,) = abstract_outputs(primitive, self._values(inputs), params)
        if given.dtype != out.dtype:
            return None
        return self.bind(primitive, *inputs, **params)

    def _values(self, inputs: Sequence[Atom]) -> list[Any]:
        """What a shape rule is handed: constants themselves, for it may depend on a mask."""
        constants = self.constants
        return [constants.get(x, x) if type(x) is Variable else x for x in inputs]

    def inline(self, graph: Graph, atoms: Sequence[Atom]) -> list[Atom]:
        """The results of a nested graph for these arguments, computed in the new graph itself."""
        now: dict[Variable, Atom] = {}
        for x, atom in zip(graph.inputs, atoms, strict=True):
            now[x] = atom if x.weak is not None else self.cast(atom, x.dtype)
        for x, value in graph.constants.items():
            now[x] = self._enter_constant(x, value)
        for equation in graph.equations:
            inputs = tuple([now[x] if type(x) is Variable else x for x in equation.inputs])
            outputs = tuple(Variable(x.shape, x.dtype, array=x.array) for x in equation.outputs)
            place = equation.place or self._place
            atoms = self._result(
                Equation(equation.primitive, inputs, equation.params, outputs, place)
            )
            now.update(zip(equation.outputs, atoms, strict=True))
        return [now[x] if type(x) is Variable else x for x in graph.outputs]

    # -- atoms ---------------------------------------------------------------------------------

    def made_by(self, x: Atom, primitive: Primitive) -> Equation | None:
        """The equation that `x` comes from, if it is one of this primitive."""
        if type(x) is not Variable:
            return None
        equation = self.origin.get(x)
        return equation if equation is not None and equation.primitive is primitive else None

    def operand(self, x: Atom, primitive: Primitive) -> Atom | None:
        """y where `x` is ``primitive(y)`` of the same dtype, else `None`."""
        equation = self.made_by(x, primitive)
        if equation is None:
            return None
        y = equation.inputs[0]
        return y if is_strong(y) and y.dtype == x.dtype else None

    def readers(self, x: Variable) -> Sequence[Equation | None]:
        """The equations of the old graph that read `x`, and `None` where it is an output."""
        readers = self._readers
        if readers is None:
            self._readers = readers = {}
            for equation in self.graph.equations:
                for y in equation.inputs:
                    if type(y) is Variable:
                        readers.setdefault(y, []).append(equation)
            for y in self.graph.outputs:
                if type(y) is Variable:
                    readers.setdefault(y, []).append(None)
            self._hand_on(readers, self._now)
        return readers.get(x, ())

    def _hand_on(
        self, readers: dict[Variable, list[Equation | None]], variables: Iterable[Variable]
    ) -> None:
        """What has read a variable reads what it has become."""
        for old in variables:
            new = self._now[old]
            if type(new) is Variable and old in readers:
                readers.setdefault(new, []).extend(readers[old])

    def used_once(self, x: Atom) -> bool:
        """Whether at most one equation or output reads `x`, as far as is known."""
        return type(x) is not Variable or len(self.readers(x)) <= 1

    def becomes(self, x: Atom) -> Atom:
        """What an atom of the old graph is in the new one, as far as the walk has come."""
        return self._now.get(x, x) if type(x) is Variable else x

    def source(self, x: Atom) -> Atom | None:
        """What `x` repeats, if it is a repetition; a number is one of itself."""
        return self.sources.get(x) if type(x) is Variable else x

    def filled_with(self, x: Atom, value: complex) -> bool:
        """Whether every element of `x` is this number."""
        return is_number(self.sources.get(x, x) if type(x) is Variable else x, value)

    def constant(self, value: Any) -> Atom:
        """What stands for a constant: a number, a repeated number, or a variable."""
        if not is_plain(value):
            return value
        if not value.shape and value.dtype.isnative:
            return value[()]
        if (number := repeated(value)) is not None:
            return self.bind(broadcast_to, number, shape=value.shape)
        value.flags.writeable = False
        return self._enter_constant(
            Variable(value.shape, value.dtype, array=True, layout=value), value
        )

    def _enter_constant(self, variable: Variable, value: Any) -> Atom:
        if is_plain(value):
            if self.shared is not None:
                found, turned = self.shared.constant(value, variable)
                if found is not variable:
                    self.count += 1
                    return self.bind(transpose, found, axes=(1, 0)) if turned else found
            number = repeated(value)
            if number is not None:
                self.sources[variable] = number
            elif not all(value.strides) and (once := value[once_each(value)]).shape != value.shape:
                self.sources[variable] = self.constant(once)
        self.constants[variable] = value
        return variable

    def _fitted(self, atoms: Sequence[Atom], outputs: tuple[Variable, ...]) -> tuple[Atom, ...]:
        return tuple([self.fit(x, out) for x, out in zip(atoms, outputs, strict=True)])

    def fit(self, x: Atom, out: Variable) -> Atom:
        """`x`, broadcast and converted to the shape and dtype of `out`."""
        x = self.cast(x, out.dtype)
        return x if shape_of(x) == out.shape else self.bind(broadcast_to, x, shape=out.shape)

    def cast(self, x: Atom, dtype: np.dtype[Any]) -> Atom:
        """`x`, converted to a dtype, which then counts in promotion."""
        if type(x) is not Variable:
            same = is_plain(x, np.generic) and x.dtype == dtype
            return x if same else np.asarray(x).astype(dtype)[()]
        return x if is_strong(x) and x.dtype == dtype else self.bind(astype, x, dtype=dtype)


def _holds_graphs(value: Any) -> bool:
    """Whether a parameter is a graph, or several, or a dataclass, which may have some."""
    kind = type(value)
    return (
        kind is Graph
        or (kind is tuple and bool(value) and type(value[0]) is Graph)
        or hasattr(kind, "__dataclass_fields__")
    )


def is_strong(x: Atom) -> bool:
    """Whether an atom has a dtype of its own, which counts in promotion."""
    return x.weak is None if type(x) is Variable else is_plain(x, np.generic)
