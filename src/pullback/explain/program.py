"""The user's function as definitions between named values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of
from pullback.explain.expression import At, Expr, Index, Num, Sigma, Sym, exact, walk
from pullback.explain.formulas import Formula, formula_of, is_nonlinear
from pullback.explain.laws import Abbreviation
from pullback.explain.names import Name, from_path, from_word
from pullback.explain.recording import Recording
from pullback.graph.program import Equation, Program
from pullback.graph.variable import Variable

__all__ = ["Definition", "Reading", "read"]

MOST_NODES = 40
"""Of an expression, before a part of it gets a name of its own."""


@dataclass(eq=False)
class Definition:
    """What one named value is.

    Attributes
    ----------
    variable : Variable
    name : Name
    at : tuple of Index
        One for each axis.
    body : Expr or None
        Its entry at these; `None` for what is told by a rule.
    equations : list of Equation
        What is computed for it.
    operands : dict of Name to Variable
        The named values that it reads.
    active : bool
        Whether it depends on what is differentiated by.
    """

    variable: Variable
    name: Name
    at: tuple[At, ...]
    body: Expr | None
    equations: list[Equation]
    operands: dict[Name, Variable]
    active: bool = False

    @property
    def equation(self) -> Equation:
        """The last equation of those that compute it."""
        return self.equations[-1]


@dataclass(eq=False)
class Reading:
    """A program as definitions.

    Attributes
    ----------
    program : Program
    recording : Recording
    names : dict of Variable to Name
    definitions : list of Definition
        In the order in which they are evaluated.
    abbreviations : dict of Name to Abbreviation
        Names that stand for a part of a definition.
    active : set of Variable
    places : dict of Variable to Equation
        What computes each value.
    outputs : list
        The results: variables or numbers.
    layers : set of Variable
        The pre-activations of layers of `pullback.nn`.
    """

    program: Program
    recording: Recording
    names: dict[Variable, Name] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    abbreviations: dict[Name, Abbreviation] = field(default_factory=dict)
    active: set[Variable] = field(default_factory=set)
    sources: dict[Variable, Equation] = field(default_factory=dict)
    outputs: list[Any] = field(default_factory=list)
    layers: set[Variable] = field(default_factory=set)


class _Reader:
    def __init__(
        self,
        recording: Recording,
        program: Program,
        wrt: set[int],
        output: str,
        several: frozenset[Name] = frozenset(),
        given: Mapping[Variable, Name] | None = None,
    ) -> None:
        self.given = given
        self.carried: list[Variable] = []
        self.several = several
        self.recording = recording
        self.program = program
        self.found = Reading(program, recording, outputs=list(program.outputs))
        self.output = output
        self.taken: dict[Name, int] = {}
        self.formulas: dict[Variable, Formula] = {}
        self.uses: dict[Variable, int] = {}
        self.sizes: dict[Variable, int] = {}
        self.deep: dict[Variable, tuple[bool, bool]] = {}
        for equation in program.equations:
            for x in {x for x in equation.inputs if type(x) is Variable}:
                self.uses[x] = self.uses.get(x, 0) + 1
        self.ordinals: dict[Variable, tuple[int, int]] = {}
        self._count_words()
        self._activate(wrt)

    def _count_words(self) -> None:
        """How many values in the program had each word by then, and have it in all."""
        words = self.recording.words
        outs = (x for e in self.program.equations for x in e.outputs)
        row = [x for x in (*self.program.inputs, *outs) if x in words]
        total: dict[str, int] = {}
        for x in row:
            total[words[x]] = total.get(words[x], 0) + 1
            self.ordinals[x] = (total[words[x]], 0)
        for x in row:
            self.ordinals[x] = (self.ordinals[x][0], total[words[x]])

    def _activate(self, wrt: set[int]) -> None:
        active = self.found.active
        active.update(x for i, x in enumerate(self.program.inputs) if i in wrt)
        for equation in self.program.equations:
            for out in equation.outputs:
                self.found.sources[out] = equation
            if equation.primitive.is_constant or equation.primitive.name == "stop_gradient":
                continue
            if any(type(x) is Variable and x in active for x in equation.inputs):
                active.update(x for x in equation.outputs if dtype_of(x).kind in "fc")

    # -- names ---------------------------------------------------------------------------------

    def unique(self, name: Name) -> Name:
        """The name, numbered if something else has it."""
        if name not in self.taken:
            self.taken[name] = 1
            if name not in self.several:
                return name
            self.taken[name] = 0
        while True:
            self.taken[name] += 1
            other = name.numbered(self.taken[name])
            if other not in self.taken:
                self.taken[other] = 1
                return other

    def give(self, variable: Variable, name: Name) -> None:
        self.found.names[variable] = self.unique(name)

    def word(self, variable: Variable) -> Name | None:
        """What the user calls a value."""
        if variable not in self.ordinals:
            return None
        word = self.recording.words[variable]
        count, total = self.ordinals[variable]
        if word in self.recording.overrides:
            name = self.recording.overrides[word]
        else:
            name = from_word(word)
        if total > 1 and len(name.mark) == 1 and name.mark != "r":
            name = replace(name, mark="")  # the W_k of a loop is W⁽¹⁾, W⁽²⁾, …
        return name.numbered(count) if total > 1 and not name.mark else name

    def inputs(self) -> None:
        """Name the arguments and the constants."""
        if self.given is not None:
            for x in self.program.inputs:
                self.give(x, self.given.get(x) or self.word(x) or Name("s"))
            for x in self.program.constants:
                self.give(x, Name("c"))
            return
        names = zip(self.program.inputs, self.program.signature.names, strict=True)
        for variable, path in names:
            word = self.word(variable)
            if path in self.recording.overrides:
                self.give(variable, self.recording.overrides[path])
                continue
            plain = path.isidentifier() or not path.rstrip("]").rsplit("[", 1)[-1].isdigit()
            listed = len(re.findall(r"\[\d+\]", path)) == 1  # W[0] is W⁽¹⁾
            numbered = word is not None and path.isidentifier() and word.mark.startswith("(")
            written = (plain or listed) and not numbered
            use = from_path(path) if written or word is None else word
            self.give(variable, use)
        for variable, array in self.program.constants.items():
            given = self.recording.constants.get(id(array))
            self.give(variable, from_word(given) if given else Name("c"))

    def automatic(self, equation: Equation) -> Name:
        """The name of a value that the user has not named."""
        kind = equation.primitive.name
        if kind == "matmul" or any(
            self.source_is(x, "matmul") for x in equation.inputs if kind in ("add", "subtract")
        ):
            return Name("v")
        if is_nonlinear(equation):
            return Name("z")
        return Name("u")

    def source_is(self, x: Any, kind: str) -> bool:
        source = self.found.sources.get(x) if type(x) is Variable else None
        return source is not None and source.primitive.name == kind

    # -- what is named -------------------------------------------------------------------------

    def entry(self, x: Any, at: tuple[At, ...]) -> Expr:
        """An entry of anything an equation reads."""
        if type(x) is not Variable:
            return Num(exact(x.item() if isinstance(x, np.generic) else x))
        if x in self.found.names:
            return Sym(self.found.names[x], at)
        equation = self.found.sources[x]
        return self.formulas[x](equation, lambda k, a: self.entry(equation.inputs[k], a), at)

    def ensure(self, x: Any) -> None:
        """Give a value that is read by something without a formula a name."""
        if type(x) is Variable and x not in self.found.names:
            self.define(x, self.automatic(self.found.sources[x]))

    def define(self, variable: Variable, name: Name, *, force: bool = False) -> None:
        equation = self.found.sources[variable]
        at = tuple(Index(n) if n != 1 else 0 for n in variable.shape)
        body = None
        if variable in self.formulas:
            body = self.formulas[variable](
                equation, lambda k, a: self.entry(equation.inputs[k], a), at
            )
        name = name if force else self.word(variable) or name
        inlined, operands = self.inlined(equation)
        self.give(variable, name)
        self.found.definitions.append(
            Definition(
                variable,
                self.found.names[variable],
                at,
                body,
                inlined,
                operands,
                variable in self.found.active,
            )
        )

    def inlined(self, equation: Equation) -> tuple[list[Equation], dict[Name, Variable]]:
        """The equations that a definition stands for, and the named values that they read."""
        seen: dict[Equation, None] = {}
        operands: dict[Name, Variable] = {}

        def visit(e: Equation) -> None:
            for x in e.inputs:
                if type(x) is not Variable:
                    continue
                if x in self.found.names and self.found.names[x] not in self.found.abbreviations:
                    operands[self.found.names[x]] = x
                elif self.found.sources[x] not in seen:
                    visit(self.found.sources[x])
            seen[e] = None

        visit(equation)
        return list(seen), operands

    def abbreviate(self, x: Any) -> None:
        """Give the argument of a nonlinear function a name, if it is worth it."""
        if type(x) is not Variable or x in self.found.names or x not in self.formulas:
            return
        at = tuple(Index(n) if n != 1 else 0 for n in x.shape)
        body = self.entry(x, at)
        if any(isinstance(e, Sigma) for e in walk(body)) and x.shape:
            self.give(x, self.automatic(self.found.sources[x]))
            self.found.abbreviations[self.found.names[x]] = Abbreviation(at, body)

    def run(self) -> Reading:
        self.inputs()
        outputs = [x for x in self.program.outputs if type(x) is Variable]
        outs = [x for x in dict.fromkeys(outputs) if x not in self.found.names]
        for equation in self.program.equations:
            formula = formula_of(equation)
            for x in equation.inputs:
                if (
                    formula is None
                    or (equation.primitive.name == "matmul" and self.is_deep(x))
                    or self.size_of(x) > MOST_NODES
                ):
                    self.ensure(x)
            if is_nonlinear(equation):
                self.abbreviate(equation.inputs[0])
            for out in equation.outputs:
                if formula is not None:
                    self.formulas[out] = formula
                    self.sizes[out] = 1 + sum(map(self.size_of, equation.inputs))
                if out in outs:
                    self.define(out, self.result(outs, out), force=True)
                elif formula is None or self.is_named(out, equation):
                    self.define(out, self.automatic(equation))
        return self.found

    def result(self, outs: list[Variable], out: Variable) -> Name:
        """What a result is called."""
        if self.given is not None:
            place = self.program.outputs.index(out)
            if place < len(self.carried):
                before = self.found.names[self.carried[place]]
                return replace(before, mark=before.mark + "+")
            return self.word(out) or self.automatic(self.found.sources[out])
        name = from_word(self.output)
        return name.numbered(outs.index(out) + 1) if len(outs) > 1 else name

    def is_named(self, out: Variable, equation: Equation) -> bool:
        if out in self.ordinals:
            return True
        view = equation.primitive.name in ("transpose", "reshape", "broadcast_to", "astype")
        return self.uses.get(out, 0) > 1 and not view

    def size_of(self, x: Any) -> int:
        return 1 if type(x) is not Variable or x in self.found.names else self.sizes.get(x, 1)

    def is_deep(self, x: Any) -> bool:
        """Whether a matrix product should read a name in place of this expression."""
        if type(x) is not Variable or x in self.found.names:
            return False
        equation = self.found.sources[x]
        return is_nonlinear(equation) or any(is_nonlinear(e) for e in self.inlined(equation)[0])


def read(
    recording: Recording,
    program: Program,
    wrt: set[int],
    output: str,
    overrides: Mapping[str, str] | None = None,
) -> Reading:
    """The recorded function as definitions between named values.

    Parameters
    ----------
    recording : Recording
    program : Program
        What was recorded, as it runs.
    wrt : set of int
        The positions of the inputs that are differentiated by.
    output : str
        What the result is called.
    overrides : mapping of str to str, optional
        Names to be used in place of a word, or of a path to an argument.
    """
    for path, name in (overrides or {}).items():
        recording.overrides[path] = from_word(name)
    first = _Reader(recording, program, wrt, output)
    first.run()
    several = frozenset(name for name in map(Name, "vzuc") if first.taken.get(name, 0) > 1)
    return _Reader(recording, program, wrt, output, several).run() if several else first.found


def read_body(
    recording: Recording,
    body: Program,
    active: set[int],
    given: Mapping[Variable, Name],
    carried: range,
) -> Reading:
    """The body of a loop, likewise.

    Parameters
    ----------
    recording : Recording
    body : Program
    active : set of int
    given : mapping of Variable to Name
        What the inputs are called that are the same in each round.
    carried : range
        Which inputs are the state; a result is called as the state that it becomes, with a +.
    """
    reader = _Reader(recording, body, active, "E", given=given)
    reader.carried = [body.inputs[k] for k in carried]
    return reader.run()
