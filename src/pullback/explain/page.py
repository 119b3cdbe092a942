"""An explanation as a page: one file, with MathML, without scripts, that loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from importlib import resources
from typing import Any

from pullback.explain.boxes import Box, Mark, Named, Row, SumOver, row
from pullback.explain.names import Name
from pullback.explain.plain import belongs, costs
from pullback.explain.steps import Equation, Repeat, Route, Step, folded
from pullback.explain.writers import name_text, to_mathml, to_text

__all__ = ["page"]

MOST_MARKED = 48
"""How many names are shown to be the same where the pointer is over one of them."""

FEW = 8
"""So many steps need no contents."""


class Page:
    """Writes the page of one explanation."""

    def __init__(self, e: Any) -> None:
        self.e = e
        self.classes: dict[Name, str] = {}
        self.anchors: dict[Name, str] = {}
        self.bars: dict[Name, Name] = {}
        self.within = 0
        self.linked: set[Name] = set()
        for step in (*e.arguments, *e.definitions):
            self.anchors.setdefault(step.name, f"d{len(self.anchors)}")
        for steps in (e.arguments, e.definitions, e.passes):
            for each in folded(list(steps)):
                if isinstance(each, Step) and isinstance(each.left, Named):
                    self._know(each.left.name, each.name)
                    self.linked.update(each.keeps)
        for step in e.passes:
            assert isinstance(step.left, Named)
            self.bars[step.name] = step.left.name

    def _know(self, name: Name, like: Name) -> None:
        if like not in self.classes and len(set(self.classes.values())) < MOST_MARKED:
            self.classes[like] = f"n{len(set(self.classes.values()))}"
        if like in self.classes:
            self.classes[name] = self.classes[like]

    # -- formulas ------------------------------------------------------------------------------

    def math(self, box: Box) -> str:
        """One formula."""
        return f"<math>{to_mathml(box, self.classes)}</math>"

    def broken(self, box: Box) -> str:
        """A formula that may be broken between its terms and factors."""
        chunks: list[list[Box]] = [[]]
        for part in _opened(box):
            if isinstance(part, Mark) and not part.prefix and chunks[-1]:
                chunks.append([part])
            else:
                chunks[-1].append(part)
        found = ""
        for chunk in chunks:
            mark = chunk[0]
            gap = isinstance(mark, Mark) and mark.text not in ("·", " ", ",")
            found += (" " if gap else "<wbr>" if found else "") + self.math(row(*chunk))
        return found

    def rows(self, equations: Iterable[Equation], *, long: bool = False) -> str:
        """Equations, aligned at their signs."""
        cells = ""
        for each in equations:
            left = self.math(each.left) if each.left is not None else ""
            law = escape(each.law) if isinstance(each.law, str) else self.math(each.law)
            law = f'<span class="law">{law}</span>' if law else ""
            cells += (
                f'<span class="lhs">{left}</span><span>=</span>'
                f'<div class="rhs">{self.broken(each.right)}{law}</div>'
            )
        return f'<div class="rows{" long" if long else ""}">{cells}</div>'

    # -- steps ---------------------------------------------------------------------------------

    def argument(self, step: Step) -> str:
        value = f'<span class="value">{escape(step.value)}</span>' if step.value else ""
        note = "".join(f'<p class="soft">{escape(x)}</p>' for x in step.notes)
        return (
            f'<div class="step" id="{self.anchors[step.name]}">{self.math(belongs(step))}'
            f"{value}{note}</div>"
        )

    def definition(self, step: Step) -> str:
        head = list(step.entries[:1]) if step.result is None else [Equation(step.left, step.result)]
        rest = step.entries if step.result is not None else step.entries[1:]
        rest = tuple(x for x in rest if (x.left, x.right) != (head[0].left, head[0].right))
        more = self.rows([Equation(x.left, x.right) for x in rest]) if rest else ""
        cost = f"{step.operations:,} operations, {step.bytes:,} bytes"
        code = f"<p><code>{escape(step.source)}</code></p>" if step.source else ""
        inside = f"{more}{code}<p class='soft'>{self.math(belongs(step))}, {cost}</p>"
        inner = "".join(self.inner(title, steps) for title, steps in step.inner)
        return (
            f'<div class="step" id="{self.anchors[step.name]}">{self.rows(head)}{self.value(step)}'
            f"{self.notes(step)}<details><summary>in entries</summary>"
            f"{inside.replace(chr(39), chr(34))}</details>{inner}</div>"
        )

    def inner(self, title: str, steps: tuple[Step, ...]) -> str:
        outside, self.anchors = self.anchors, dict(self.anchors)
        known, self.bars = self.bars, dict(self.bars)
        for s in steps:
            if isinstance(s.left, Named) and s.kind != "definition":
                self.bars[s.name] = s.left.name
            if s.kind == "definition":
                self.within += 1
                self.anchors[s.name] = f"i{self.within}"
        written = "".join(
            self.definition(s) if s.kind == "definition" else self.passing(s) for s in steps
        )
        self.anchors, self.bars = outside, known
        return f"<details><summary>{escape(title)}</summary>{written}</details>"

    def value(self, step: Step) -> str:
        return f'<span class="value">= {escape(step.value)}</span>' if step.value else ""

    def notes(self, step: Step) -> str:
        return "".join(f'<p class="soft">{escape(x)}</p>' for x in step.notes)

    def passing(self, step: Step) -> str:
        assert step.result is not None
        head = self.rows([Equation(step.left, step.result)])
        if step.kind == "seed":
            return f'<div class="step">{head}{self.notes(step)}</div>'
        routes = "".join(self.route(x, step) for x in step.routes)
        keeps = "".join(f"{', ' if k else ''}{self.link(n)}" for k, n in enumerate(step.keeps))
        kept = f"; it reads {keeps}, kept from the forward sweep" if keeps else ""
        cost = f"{step.operations:,} operations, {step.bytes:,} bytes{kept}"
        inner = "".join(self.inner(title, steps) for title, steps in step.inner)
        return (
            f'<div class="step">{head}{self.value(step)}{self.notes(step)}{routes}'
            f'<p class="soft">{cost}</p>{inner}</div>'
        )

    def link(self, name: Name) -> str:
        text = self.math(Named(name))
        anchor = self.anchors.get(name)
        mark = f' class="{self.classes[name]}"' if name in self.classes else ""
        return f'<a href="#{anchor}"{mark}>{text}</a>' if anchor else text

    def route(self, route: Route, step: Step) -> str:
        back = step.kind == "cotangent"
        pair = (route.source, route.target) if back else (route.target, route.source)
        title = f"{self.math(Named(pair[0]))} → {self.math(Named(pair[1]))}"
        bar = Named(self.bars[pair[0]])
        text = to_text(route.known)
        body = f"<p>We know {self.math(bar)} = {escape(text)}.</p>" if text else ""
        if route.rule:
            return f"<details><summary>{title}</summary>{body}<p>{escape(route.rule)}</p></details>"
        if route.same_as:
            body += f"<p>As for {escape(route.same_as)}, with other names.</p>"
        if route.where:
            body += "<p>Here</p>" + self.rows([Equation(x.left, x.right) for x in route.where])
        if route.lines:
            body += self.rows(route.lines, long=True)
        if route.entries is not None:
            body += "<p>Hence in entries</p>" + self.rows([route.entries])
        if route.matrix is not None and len(step.routes) > 1:
            body += "<p>and in matrix notation, to be added,</p>"
            body += f'<div class="rhs">{self.broken(route.matrix)}</div>'
        return f"<details><summary>{title}</summary>{body}</details>"

    def folded(self, steps: Iterable[Step], write: Callable[[Step], str]) -> str:
        found = ""
        shown: list[Step] = []
        for each in folded(list(steps)):
            if isinstance(each, Repeat):
                found += self.repeated(each, shown[-each.period :])
            else:
                shown.append(each)
                found += write(each)
        return found

    def repeated(self, repeat: Repeat, like: list[Step]) -> str:
        """What is said in place of rounds of equal steps, with their values."""
        rounds = len(repeat.steps) // repeat.period
        names = ", ".join(self.math(x.left) for x in like)
        ends = ", ".join(self.math(x.left) for x in repeat.steps[-repeat.period :])
        values = "".join(
            self._marked(s) + (f" = {escape(s.value)}" if s.value else "") + "<br>"
            for s in repeat.steps
            if s.value or self._id(s)
        )
        return (
            f'<div class="step"><p>The same as for {names}, {rounds} times more, to {ends}.</p>'
            f'<details><summary>their values</summary><p class="value">{values}</p>'
            "</details></div>"
        )

    def _marked(self, step: Step) -> str:
        assert isinstance(step.left, Named)
        text, mark = escape(name_text(step.left.name)), self._id(step)
        return f"<span{mark}>{text}</span>" if mark else text

    def _id(self, step: Step) -> str:
        known = step.kind in ("definition", "argument") and step.name in self.linked
        return f" id={self.anchors[step.name]}" if known else ""

    # -- the whole -----------------------------------------------------------------------------

    def contents(self) -> str:
        steps = self.e.definitions
        if len(steps) < FEW:
            return ""
        items = "".join(
            f"<li>{self.link(s.name)}</li>" for s in folded(list(steps)) if isinstance(s, Step)
        )
        return (
            '<nav aria-label="Contents"><h2>Contents</h2><p><a href="#given">Given</a>, '
            '<a href="#forward">forward</a>, <a href="#back">derivatives</a>; the values that are '
            f"computed:</p><ul>{items}</ul></nav>"
        )

    def main(self) -> str:
        e = self.e
        back = "Backward" if e.mode == "reverse" else "Pushforward"
        sections = [
            ("given", "Given", self.folded(e.arguments, self.argument)),
            ("forward", "Forward", self.folded(e.definitions, self.definition)),
            ("back", back, self.folded(e.passes, self.passing)),
        ]
        body = "".join(
            f'<section id="{anchor}"><h2>{title}</h2>{text}</section>'
            for anchor, title, text in sections
            if text
        )
        notes = "".join(f"<p>{escape(x)}</p>" for x in e.notes)
        bad = "".join(f"<li>{escape(x)}</li>" for x in e.count.wrong)
        wrong = f"<p>These lines do not agree with the values:</p><ul>{bad}</ul>" if bad else ""
        return (
            f"<h1>{escape(e.title)}</h1><p>{escape(LEADS[e.mode])}</p>"
            f'<p class="soft">{escape(str(e.count))}. {escape(costs(e))} Indices count from 0, as '
            f"in the code.</p>{wrong}{notes}{self.contents()}{body}"
        )

    def style(self) -> str:
        css = resources.files("pullback.explain").joinpath("page.css").read_text(encoding="utf-8")
        marks = dict.fromkeys(self.classes.values())
        same = ",".join(f".pb-explain:has(.{x}:is(:hover,:focus)) .{x}" for x in marks)
        return css + same + "{background:var(--mark)}"


LEADS = {
    "reverse": "The function as definitions, and its derivative from the result back: of each "
    "value its cotangent, with a bar, is the derivative of the result by it.",
    "forward": "The function as definitions, and its derivative from the arguments on: of each "
    "value its tangent, with a dot, is the derivative along the tangents of the arguments.",
}


def _opened(box: Box) -> list[Box]:
    """The parts of a row, and those of a sum at its end."""
    parts = list(box.parts) if isinstance(box, Row) else [box]
    found: list[Box] = []
    for part in parts:
        if isinstance(part, SumOver) and isinstance(part.body, Row):
            found += [SumOver(part.index, Row(())), *_opened(part.body)]
        else:
            found.append(part)
    return found


def page(e: Any, *, embedded: bool = False) -> str:
    """The page of an explanation.

    Parameters
    ----------
    e : Explanation
    embedded : bool
        Whether it is to stand in another page, as a notebook's.
    """
    made = Page(e)
    main = made.main()
    if embedded:
        return f'<div class="pb-explain"><style>{made.style()}</style>{main}</div>'
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(e.title)}: its derivative</title><style>{made.style()}</style></head>\n"
        f'<body class="page"><main class="pb-explain">{main}</main></body></html>\n'
    )
