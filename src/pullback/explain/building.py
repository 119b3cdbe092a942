"""The steps of an explanation, from a recorded function and its values."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pullback.explain import matrices as mx
from pullback.explain import told
from pullback.explain.boxes import Box, Named, Over, Text
from pullback.explain.contraction import Contributions, Link, only
from pullback.explain.expression import symbols
from pullback.explain.honesty import Count, Witness, check_link
from pullback.explain.layout import Letters, entry_box, matrix_box
from pullback.explain.matrices import Matrix
from pullback.explain.names import Name
from pullback.explain.notation import in_matrices
from pullback.explain.program import Definition, Reading, read_body
from pullback.explain.steps import Equation, Route, Step
from pullback.explain.sweeps import cotangents, tangents, values_of
from pullback.explain.values import shown
from pullback.explain.wording import law_of, remarks, shortened, summed, times_read
from pullback.explain.writers import name_text
from pullback.graph.cost import bytes_of, operations_of
from pullback.graph.variable import Variable

__all__ = ["Builder"]


class Builder:
    """Makes the steps of one function.

    Parameters
    ----------
    reading : Reading
    values : dict of Variable to array
        The value of every variable.
    passed : dict of Variable to array
        Its cotangent, or with `forward` its tangent.
    forward : bool
        Whether the steps push forward.
    count : Count
        What is added to as lines are evaluated.
    """

    def __init__(
        self,
        reading: Reading,
        values: Mapping[Variable, Any],
        passed: Mapping[Variable, Any],
        count: Count,
        *,
        forward: bool = False,
    ) -> None:
        self.reading = reading
        self.values = values
        self.passed = passed
        self.forward = forward
        self.shapes = {name: x.shape for x, name in reading.names.items()}
        self.bars = {name: self._bar(x, name) for x, name in reading.names.items()}
        self.barred = frozenset(self.bars.values())
        self.named: dict[Name, Any] = {name: values[x] for x, name in reading.names.items()}
        for x, name in reading.names.items():
            if x in passed:
                self.named[self.bars[name]] = passed[x]
        self.witness = Witness(self.named, count)
        self.contributions = Contributions(reading, self.shapes, self.bars, forward=forward)
        self.derived: dict[int, str] = {}
        self.where_forms: dict[Name, Any] = {}

    def _bar(self, x: Variable, name: Name) -> Name:
        if self.forward:
            return name.accented("dot")
        if x in self.reading.layers and x not in self.reading.outputs:
            return Name("δ", name.mark)
        return name.accented("bar")

    # -- forward -------------------------------------------------------------------------------

    def arguments(self) -> list[Step]:
        """The arguments and the constants."""
        program = self.reading.program
        steps = []
        for x in (*program.inputs, *program.constants):
            name = self.reading.names[x]
            note = () if x in self.reading.active else ("constant",)
            steps.append(
                Step(
                    "argument", name, Named(name), None, x.shape, str(x.dtype),
                    shown(self.values[x]), notes=note, form=(note, x.shape, name.base),
                    array=self.values[x],
                )
            )  # fmt: skip
        return steps

    def definitions(self) -> list[Step]:
        """What each named value is."""
        return [self.definition(d) for d in self.reading.definitions]

    def definition(self, d: Definition) -> Step:
        """What one named value is, in matrix notation and in entries."""
        left = Named(d.name)
        cost = sum(map(operations_of, d.equations)), sum(map(bytes_of, d.equations))
        common: dict[str, Any] = {
            "shape": d.variable.shape,
            "dtype": str(d.variable.dtype),
            "value": shown(self.values[d.variable]),
            "array": self.values[d.variable],
            "operations": cost[0],
            "bytes": cost[1],
            "source": self.source(d),
            "notes": tuple(told.singular(d, self.values)) if d.active else ("constant",),
        }
        if d.body is None:
            inner = self.inside(d) if told.is_loop(d.equation) else ()
            call = told.call(d, self.reading)
            return Step("definition", d.name, left, call, inner=inner, **common)
        order = only(d.at)
        value = self.values[d.variable]
        self.witness.look(
            lambda: self.witness.entries_agree(d.body, order, value), f"definition of {d.name}"
        )
        matrix = in_matrices(d.body, order, self.shapes, self.reading.abbreviations)
        if matrix is not None:
            self.witness.look(
                lambda: self.witness.matrix_agrees(matrix, value),
                f"matrix form of {d.name}",
            )
        letters = Letters(*d.at)
        entries = [Equation(Named(d.name, letters.below(d.at)), entry_box(d.body, letters))]
        entries += self.where(symbols(d.body), Letters())
        result = None if matrix is None else matrix_box(matrix)
        form = self.form(d)
        return Step("definition", d.name, left, result, entries=tuple(entries), form=form, **common)

    def inside(self, d: Definition) -> tuple[tuple[str, tuple[Step, ...]], ...]:
        """What happens in the body of a loop: one round, and what goes back through it."""
        equation = d.equation
        loop = equation.params["loop"]
        body = loop.body
        inputs = told.inner_values(equation, self.values)
        fixed = 1 + loop.consts
        outer = [self.reading.names.get(x) for x in equation.inputs[: loop.consts]]
        given = {x: n for x, n in zip(body.inputs[1:fixed], outer, strict=True) if n is not None}
        active = {
            k for k, x in enumerate(body.inputs)
            if k >= fixed or (k and equation.inputs[k - 1] in self.reading.active)
        }  # fmt: skip
        reading = read_body(
            self.reading.recording, body, active, given, range(fixed, fixed + loop.carry)
        )
        values = values_of(body, inputs)
        outputs = [x for x in body.outputs if type(x) is Variable and x in reading.active]
        if self.forward:
            seeds = {x: np.ones_like(values[x]) for x in body.inputs if x in reading.active}
            passed = tangents(reading, values, seeds)
        else:
            passed = cotangents(reading, values, {x: np.ones_like(values[x]) for x in outputs})
        inner = Builder(reading, values, passed, self.witness.count, forward=self.forward)
        steps = [replace(s, value="") for s in inner.definitions()]
        steps += [replace(s, value="") for s in (*inner.seeds(), *inner.passes())]
        return ((told.round_of(loop, reading, forward=self.forward), tuple(steps)),)

    def form(self, d: Definition) -> object:
        if not d.operands:
            return None
        return d.name.base, self.contributions.form(d, next(iter(d.operands)))[0]

    def where(self, names: frozenset[Name], letters: Letters) -> list[Equation]:
        """What the abbreviations among names stand for, in entries."""
        found = []
        for name in sorted(names & self.reading.abbreviations.keys(), key=repr):
            meant = self.reading.abbreviations[name]
            own = Letters(*meant.at)
            left = Named(name, own.below(meant.at))
            found.append(Equation(left, entry_box(meant.body, own), "abbreviation"))
        return found

    def source(self, d: Definition) -> str:
        place = d.equation.place if self.reading.recording.theirs else None
        return linecache.getline(place.path, place.line).strip() if place is not None else ""

    # -- backward, and forward with tangents ---------------------------------------------------

    def seeds(self) -> list[Step]:
        """What is known at the start."""
        steps = []
        for x in dict.fromkeys(self.reading.outputs):
            if type(x) is Variable and x in self.passed and not self.forward:
                steps.append(self._given(x, self.reading.names[x]))
        if self.forward:
            for x in self.reading.program.inputs:
                if x in self.passed:
                    steps.append(self._given(x, self.reading.names[x]))
        return steps

    def _given(self, x: Variable, name: Name) -> Step:
        value = self.values[x] * 0 + 1
        scalar = not x.shape
        box: Box = Text("1", upright=True) if scalar else Text("𝟏", upright=True)
        note = () if scalar and not self.forward else ("any; the values shown are for ones",)
        return Step(
            "seed", name, Named(self.bars[name]), box, x.shape, str(x.dtype), shown(value),
            notes=note, array=value,
        )  # fmt: skip

    def passes(self) -> list[Step]:
        """How cotangents come back to each value, or tangents reach it."""
        return self._pushed() if self.forward else self._pulled()

    def _pulled(self) -> list[Step]:
        first: dict[Name, Definition] = {}
        readers: dict[Name, list[Definition]] = {}
        for d in self.reading.definitions:
            for name, x in d.operands.items():
                if x in self.reading.active and d.active and d.variable in self.passed:
                    first.setdefault(name, d)
                    readers.setdefault(name, []).append(d)
        steps = []
        for d in reversed(self.reading.definitions):
            for name, x in d.operands.items():
                if first.get(name) is d and x in self.passed:
                    steps.append(self.cotangent(x, name, readers[name][::-1]))
        return steps

    def _pushed(self) -> list[Step]:
        steps = []
        for d in self.reading.definitions:
            if d.active and d.variable in self.passed:
                names = [n for n, x in d.operands.items() if x in self.passed]
                steps.append(self.tangent(d, names))
        return steps

    def cotangent(self, x: Variable, name: Name, readers: list[Definition]) -> Step:
        """ū from all that read u."""
        return self.gathered("cotangent", x, name, [(d, name) for d in readers])

    def tangent(self, d: Definition, names: list[Name]) -> Step:
        """ż from all that z reads."""
        return self.gathered("tangent", d.variable, d.name, [(d, name) for name in names])

    def gathered(
        self, kind: str, x: Variable, name: Name, pairs: list[tuple[Definition, Name]]
    ) -> Step:
        routes: list[Route] = []
        boxes: list[Box | None] = []
        links: list[Link] = []
        forms: list[Any] = []
        notes: list[str] = []
        for d, u in pairs:
            if d.body is None:
                routes.append(self.told(d, u))
                boxes.append(routes[-1].matrix)
                forms.append((d.equation.primitive.name, d.variable.shape))
                continue
            link = self.contributions.link(d, u)
            routes.append(self.route(d, u, link))
            forms.append(self.contributions.form(d, u)[0])
            links.append(link)
            boxes.append(None)
        left = Named(self.bars[name])
        if kind == "cotangent" and len(pairs) > 1:
            notes.append(
                f"{name_text(name)} is read {times_read(len(pairs))}: what comes back is added"
            )
        routes, left_out = shortened(routes)
        if left_out:
            notes.append(f"likewise from {', '.join(map(name_text, left_out))}")
        if kind == "cotangent" and x in self.reading.outputs:
            notes.append("it is a result too, so its own cotangent, of ones, is added")
        notes += remarks(links)
        matrices = [link.matrix for link in links]
        result, total = self.total(boxes, links, x, name, kind)
        if total is not None and len(links) == len(pairs):
            self.witness.look(
                lambda: self.witness.matrix_agrees(total, self.passed[x]), f"{name} {kind}"
            )
        operations = sum(mx.operations(m) for m in matrices if m is not None)
        keeps = tuple(n for n in dict.fromkeys(n for link in links for n in self.kept(link)))
        rules = [d for d, _ in pairs if d.body is None]
        operations += sum(operations_of(d.equation) for d in rules)
        size = int(np.prod(x.shape)) * x.dtype.itemsize
        moved = size + sum(
            int(np.prod(self.contributions.shapes[n])) * 8
            for link in links
            for n in symbols(link.passed)
        )
        return Step(
            kind, name, left, result, x.shape, str(x.dtype), shown(self.passed[x]),
            routes=tuple(routes), operations=operations, bytes=moved, keeps=keeps,
            array=self.passed.get(x), notes=tuple(notes), form=(kind, tuple(forms), name.base),
        )  # fmt: skip

    def kept(self, link: Link) -> list[Name]:
        """What the passing on reads besides cotangents."""
        names = symbols(link.passed)
        wide: set[Name] = set()
        for name in names:
            meant = self.reading.abbreviations.get(name)
            wide |= {name} if meant is None else symbols(meant.body)
        return sorted((n for n in wide if n not in self.barred), key=repr)

    def total(
        self,
        boxes: list[Any],
        links: list[Link],
        x: Variable,
        name: Name,
        kind: str,
    ) -> tuple[Box, Matrix | None]:
        """The sum of what all routes bring."""
        remaining = iter(links)
        terms: list[Box] = []
        parts: list[Matrix] = []
        own: Letters | None = None
        whole = all(link.matrix is not None for link in links)
        for box in boxes:
            if box is None:
                link = next(remaining)
                if whole and link.matrix is not None:
                    parts.append(link.matrix)
                    continue
                at = link.of.at if self.forward else link.by.at
                own = Letters(*at)
                box = entry_box(link.passed, own)
            terms.append(box)
        if kind == "cotangent" and x in self.reading.outputs:
            parts.append(mx.Ones(_squeezed(x.shape)) if x.shape else mx.Number((), 1))
        total: Matrix | None = None
        if parts:
            flat = [x for m in parts for x in (m.terms if isinstance(m, mx.Added) else (m,))]
            total = parts[0] if len(parts) == 1 else mx.Added(parts[0].shape, tuple(flat))
        return summed(terms, parts), total

    def route(self, d: Definition, u: Name, link: Link) -> Route:
        """One derivation: ∂z_k/∂u_i by the laws, and what it passes on."""
        target = self.named.get(self.bars[u if self.forward else d.name])
        known = Equation(
            Named(self.bars[u if self.forward else d.name]),
            Text(shown(target) if target is not None else "", upright=True),
        )
        at = link.of.at if self.forward else link.by.at
        if link.renamed is not None:
            first = self.derived[id(link.lines)]
            letters = Letters(*at)
            entries = Equation(
                Named(self.bars[d.name if self.forward else u], letters.below(at)),
                entry_box(link.passed, letters),
            )
            self.witness.passed_agrees(link, forward=self.forward)
            return Route(
                d.name, u, known.right, entries=entries,
                matrix=None if link.matrix is None else matrix_box(link.matrix), same_as=first,
            )  # fmt: skip
        self.derived[id(link.lines)] = f"{name_text(d.name)} → {name_text(u)}"
        check_link(link, self.named, self.reading.abbreviations, self.witness.count)
        letters = Letters(*link.by.at, *link.of.at)
        lines: list[Equation] = []
        left = Over(
            Named(link.of.name, letters.below(link.of.at)),
            Named(link.by.name, letters.below(link.by.at)),
        )
        for position, line in enumerate(link.lines):
            law = law_of(line.law, link, position, self.reading.abbreviations)
            box = entry_box(line.expr, letters)
            if not lines or box != lines[-1].right:  # what is written alike is written once
                lines.append(Equation(None if position else left, box, law))
        names = frozenset().union(*(symbols(line.expr) for line in link.lines))
        own = Letters(*at)
        entries = Equation(
            Named(self.bars[d.name if self.forward else u], own.below(at)),
            entry_box(link.passed, own),
        )
        self.witness.passed_agrees(link, forward=self.forward)
        return Route(
            d.name, u, known.right, tuple(self.where(names, letters)), tuple(lines), entries,
            None if link.matrix is None else matrix_box(link.matrix),
        )  # fmt: skip

    def told(self, d: Definition, u: Name) -> Route:
        """What a primitive without a formula brings."""
        value = self.named.get(self.bars[u if self.forward else d.name])
        known = Text(shown(value) if value is not None else "", upright=True)
        passed = told.slope(d, u, self.bars, forward=self.forward)
        return Route(d.name, u, known, matrix=passed, rule=told.rule_of(d.equation))


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)
