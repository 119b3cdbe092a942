"""An explanation as plain text, and as LaTeX."""

from __future__ import annotations

from typing import Any

from pullback.explain.boxes import Box, Mark, Named, row
from pullback.explain.steps import Equation, Repeat, Route, Step, folded
from pullback.explain.values import space
from pullback.explain.writers import name_text, to_latex, to_text

__all__ = ["as_latex", "as_text", "belongs", "costs", "saying"]

LAW_COLUMN, VALUE_COLUMN = 58, 50


def belongs(step: Step) -> Box:
    """``y ∈ ℝ³``."""
    return row(step.left, Mark("∈"), space(step.shape, step.dtype))


def saying(repeat: Repeat, first: list[Step]) -> str:
    """What is said in place of steps that are the same as those before."""
    rounds = len(repeat.steps) // repeat.period
    words = ", ".join(to_text(x.left) for x in repeat.steps[: repeat.period])
    last = ", ".join(to_text(x.left) for x in repeat.steps[-repeat.period :])
    like = ", ".join(to_text(x.left) for x in first)
    times = "once more" if rounds == 1 else f"{rounds} times more"
    return f"The same as for {like} {times}: {words}" + (f" … {last}" if rounds > 1 else "")


# -- text -------------------------------------------------------------------------------------


def as_text(e: Any) -> str:
    """The explanation as plain text."""
    lines = [f"{e.title}, {e.mode} mode", *e.notes, ""]
    lines += ["Given"]
    lines += _folded_text(e.arguments, _argument)
    if e.definitions:
        lines += ["", "Forward"]
        lines += _folded_text(e.definitions, _definition)
    lines += ["", "Backward" if e.mode == "reverse" else "Pushforward"]
    lines += _folded_text(e.passes, _pass)
    lines += ["", costs(e), f"{e.count}."]
    return "\n".join(line.rstrip() for line in lines)


def costs(e: Any) -> str:
    """What both sweeps cost."""
    forward = sum(s.operations for s in e.definitions), sum(s.bytes for s in e.definitions)
    back = sum(s.operations for s in e.passes), sum(s.bytes for s in e.passes)
    word = "backward" if e.mode == "reverse" else "pushforward"
    return (
        f"Operations and bytes: {forward[0]:,} and {forward[1]:,} forward, {back[0]:,} and "
        f"{back[1]:,} {word}, as written."
    )


def _folded_text(steps: Any, write: Any) -> list[str]:
    lines: list[str] = []
    shown: list[Step] = []
    for each in folded(list(steps)):
        if isinstance(each, Repeat):
            lines.append("  " + saying(each, shown[-each.period :]) + ".")
        else:
            shown.append(each)
            lines += write(each)
    return lines


def _with(text: str, more: str, column: int) -> str:
    return f"{text:<{column}}  {more}" if more else text


def _argument(step: Step) -> list[str]:
    value = f"= {step.value}" if step.value else ""
    note = f"   ({', '.join(step.notes)})" if step.notes else ""
    return [_with("  " + to_text(belongs(step)), value + note, 24)]


def _definition(step: Step) -> list[str]:
    value = f"= {step.value}" if step.value else ""
    name = to_text(step.left)
    lines = []
    entries = list(step.entries)
    if step.result is not None:
        lines.append(_with(f"  {name} = {to_text(step.result)}", value, VALUE_COLUMN))
        indent = "      "
    else:
        first = entries.pop(0)
        assert first.left is not None
        text = f"  {to_text(first.left)} = {to_text(first.right)}"
        lines.append(_with(text, value, VALUE_COLUMN))
        indent = "      "
    for x in entries:
        assert x.left is not None
        where = "with " if x.law == "abbreviation" else ""
        text = f"{to_text(x.left)} = {to_text(x.right)}"
        if text.replace(" ", "") != f"{name}={to_text(step.result or x.right)}".replace(" ", ""):
            lines.append(f"{indent}{where}{text}")
    lines += [f"{indent}{note}" for note in step.notes]
    for title, steps in step.inner:
        lines.append(f"{indent}{title}:")
        for each in steps:
            inside = _definition(each) if each.kind == "definition" else _pass(each)
            lines += [f"{indent}{line}" for line in inside]
    return lines


def _pass(step: Step) -> list[str]:
    value = f"= {step.value}" if step.value else ""
    if step.kind == "seed":
        notes = f"   ({', '.join(step.notes)})" if step.notes else ""
        assert step.result is not None
        return [f"  {to_text(step.left)} = {to_text(step.result)}{notes}"]
    lines = [""]
    for route in step.routes:
        lines += _route(route, step)
    lines += [f"  {note}" for note in step.notes]
    assert step.result is not None
    lines.append(_with(f"  {to_text(step.left)} = {to_text(step.result)}", value, VALUE_COLUMN))
    keeps = ", ".join(map(name_text, step.keeps))
    kept = f"; it reads {keeps} of the forward sweep" if keeps else ""
    lines.append(f"      {step.operations:,} operations, {step.bytes:,} bytes{kept}")
    return lines


def _route(route: Route, step: Step) -> list[str]:
    known = to_text(route.known)
    back = step.kind == "cotangent"
    source, target = (route.source, route.target) if back else (route.target, route.source)
    bar = name_text(source)
    text = f"  {bar} → {name_text(target)}"
    lines = [text + (f"   (its {'cotangent' if back else 'tangent'} is {known})" if known else "")]
    if route.rule:
        return [*lines, f"      {route.rule}"]
    for x in route.where:
        assert x.left is not None
        lines.append(f"      where {to_text(x.left)} = {to_text(x.right)}")
    if route.same_as:
        lines.append(f"      as for {route.same_as}")
    if route.lines:
        lines += _derivation(route.lines)
    if route.entries is not None:
        assert route.entries.left is not None
        entry = f"{to_text(route.entries.left)} = {to_text(route.entries.right)}"
        more = "" if len(step.routes) == 1 else " + …"
        lines.append(f"      {'hence ' if route.lines else ''}{entry}{more}")
    return lines


def _derivation(rows: tuple[Equation, ...]) -> list[str]:
    first = rows[0].left
    assert first is not None
    left = to_text(first)
    lines = []
    for position, each in enumerate(rows):
        start = left if not position else " " * len(left)
        law = each.law if isinstance(each.law, str) else to_text(each.law)
        lines.append(_with(f"      {start} = {to_text(each.right)}", law, LAW_COLUMN))
    return lines


# -- LaTeX ------------------------------------------------------------------------------------


def as_latex(e: Any) -> str:
    """The explanation as LaTeX."""
    lines = [
        f"\\section*{{{_prose(e.title)}}}",
        "",
        *map(_prose, e.notes),
        "\\subsection*{Given}",
        "\\begin{gather*}",
    ]
    shown = [to_latex(belongs(s)) for s in e.arguments]
    lines += [text + (" \\\\" if k < len(shown) - 1 else "") for k, text in enumerate(shown)]
    lines += ["\\end{gather*}"]
    if e.definitions:
        lines += ["", "\\subsection*{Forward}"]
        lines += _folded_latex(e.definitions, _latex_definition)
    title = "Backward" if e.mode == "reverse" else "Pushforward"
    lines += ["", f"\\subsection*{{{title}}}"]
    lines += _folded_latex(e.passes, _latex_pass)
    lines += ["", _prose(costs(e)), _prose(f"{e.count}.")]
    return "\n".join(lines) + "\n"


def _folded_latex(steps: Any, write: Any) -> list[str]:
    lines: list[str] = []
    shown: list[Step] = []
    for each in folded(list(steps)):
        if isinstance(each, Repeat):
            last = shown[-each.period :]
            rounds = len(each.steps) // each.period
            like = ", ".join(f"${to_latex(x.left)}$" for x in last)
            ends = ", ".join(f"${to_latex(x.left)}$" for x in each.steps[-each.period :])
            lines.append(f"The same as for {like} {rounds} times more, down to {ends}.")
        else:
            shown.append(each)
            lines += write(each)
    return lines


def _aligned(rows: list[tuple[str, str, str]]) -> list[str]:
    lines = ["\\begin{align*}"]
    for k, (left, right, law) in enumerate(rows):
        tail = f" && {law}" if law else ""
        end = " \\\\" if k < len(rows) - 1 else ""
        lines.append(f"{left} &= {right}{tail}{end}")
    return [*lines, "\\end{align*}"]


def _latex_definition(step: Step) -> list[str]:
    rows = []
    if step.result is not None:
        rows.append((to_latex(step.left), to_latex(step.result), ""))
    for x in step.entries:
        assert x.left is not None
        rows.append((to_latex(x.left), to_latex(x.right), ""))
    lines = _aligned(list(dict.fromkeys(rows)))
    for title, steps in step.inner:
        lines.append(_prose(title) + ".")
        for each in steps:
            lines += (_latex_definition if each.kind == "definition" else _latex_pass)(each)
    return lines


def _latex_pass(step: Step) -> list[str]:
    assert step.result is not None
    result = (to_latex(step.left), to_latex(step.result), "")
    if step.kind == "seed":
        return _aligned([result])
    lines = []
    for route in step.routes:
        back = step.kind == "cotangent"
        pair = (route.source, route.target) if back else (route.target, route.source)
        source, target = (to_latex(Named(n)) for n in pair)
        lines += ["", f"\\paragraph{{${source} \\to {target}$}}"]
        if route.rule:
            lines.append(_prose(route.rule))
        if route.same_as:
            lines.append(f"As for {_prose(route.same_as)}.")
        rows = []
        for k, each in enumerate(route.lines):
            first = route.lines[0].left
            assert first is not None
            rows.append((to_latex(first) if not k else "", to_latex(each.right), _law(each.law)))
        for x in route.where:
            assert x.left is not None
            rows.append((to_latex(x.left), to_latex(x.right), ""))
        if route.entries is not None and route.entries.left is not None:
            rows.append((to_latex(route.entries.left), to_latex(route.entries.right), ""))
        lines += _aligned(rows) if rows else []
    return [*lines, *_aligned([result])]


PROSE = {
    "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\\": "\\textbackslash{}",
}  # fmt: skip


def _prose(text: str) -> str:
    return "".join(PROSE.get(c, c) for c in text)


def _law(law: str | Box) -> str:
    """A law beside a display."""
    if not isinstance(law, str):
        return to_latex(law)
    if law.startswith("δ"):
        return "\\delta\\text{ leaves one term}"
    if law.startswith("definition of"):
        return "\\text{by definition}"
    return f"\\text{{{law}}}" if law else ""
