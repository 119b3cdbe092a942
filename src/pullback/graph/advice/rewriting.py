"""A Python loop rewritten as `scan`, `fori_loop` or `while_loop`, as a proposal to its author.

The source is read, not run. What the loop's body assigns and an iteration, or the code behind the
loop, reads again is the carry; a list to which each iteration appends is what `scan` stacks.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullback.graph.advice.user_loops import (
    Comprehension,
    Loop,
    Statement,
    covers,
    value_of,
    within,
)

__all__ = ["rewritten"]

TEMPLATE = """\
    def body(carry, x):     # what iterations hand on, and what this one reads
        ...
        return carry, y     # y: what this one leaves behind, or None

    carry, ys = pb.scan(body, carry, xs)    # the x are slices of xs along axis 0
    # or, where nothing is left behind and only the index is read, with body(i, carry) -> carry:
    carry = pb.fori_loop(0, n, body, carry)"""

COMPREHENSION = """\
    ys = pb.vmap(lambda x: ...)(xs)    # where no item depends on another; the x are slices of xs
    # or, where an item depends on those before it, pb.scan(body, carry, xs)"""


# -- names ---------------------------------------------------------------------------------------


@dataclass
class Names:
    """What statements read and write, in the order of their evaluation."""

    read: dict[str, None] = field(default_factory=dict)
    """Names whose value from before is read."""
    written: dict[str, None] = field(default_factory=dict)
    _certain: set[str] = field(default_factory=set)

    def follow(self, statements: Iterable[ast.stmt], *, certain: bool = True) -> Names:
        """Take note of statements; if they are not `certain` to run, what they write may not be."""
        for statement in statements:
            self._statement(statement, certain)
        return self

    def _statement(self, node: ast.stmt, certain: bool) -> None:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            if node.value is not None:
                self._expression(node.value)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(node, ast.AugAssign) and isinstance(target, ast.Name):
                    self._note_read(target.id)
                self._target(target, certain)
            return
        if isinstance(node, ast.For):
            self._expression(node.iter)
            self._target(node.target, certain)
        else:
            for child in ast.iter_child_nodes(node):
                if not isinstance(child, ast.stmt):
                    self._expression(child)
        inner = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)]
        self.follow(inner, certain=certain and isinstance(node, ast.With))

    def _target(self, node: ast.expr, certain: bool) -> None:
        if isinstance(node, ast.Tuple | ast.List):
            for each in node.elts:
                self._target(each, certain)
        elif isinstance(node, ast.Name):
            self.written[node.id] = None
            if certain:
                self._certain.add(node.id)
        elif isinstance(node, ast.Starred):
            self._target(node.value, certain)
        else:
            self._expression(node)
            base: Any = node
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name):
                self.written[base.id] = None

    def _expression(self, node: ast.AST) -> None:
        bound = {name.id for name in _names(node, ast.Store)}
        for name in _names(node, ast.Load):
            if name.id not in bound:
                self._note_read(name.id)

    def _note_read(self, name: str) -> None:
        if name not in self._certain:
            self.read[name] = None


def _names(node: ast.AST, context: Any) -> list[ast.Name]:
    """The names that are loaded, or stored, in a node, in the order of the text."""
    names = [
        each
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, context)
    ]
    return sorted(names, key=lambda each: (each.lineno, each.col_offset))


def _read_elsewhere(loop: Loop) -> set[str]:
    """The names that the function reads behind the loop, or in a loop around it."""
    node: Any = loop.node
    around = [
        each
        for each in within(loop.scope)
        if isinstance(each, Statement) and each is not node and covers(each, loop.line)
    ]
    inside = set(ast.walk(node))
    return {
        name.id
        for name in _names(loop.scope, ast.Load)
        if name not in inside
        and (name.lineno > node.end_lineno or any(covers(each, name.lineno) for each in around))
    }


# -- writing -------------------------------------------------------------------------------------


def rewritten(loop: Loop) -> str:
    """The code that keeps the loop a loop; a pattern, where the loop is not a simple one."""
    node = loop.node
    if isinstance(node, Comprehension):
        return COMPREHENSION
    if node is None or node.orelse or any(map(_leaves, ast.walk(node))):
        return TEMPLATE
    text = _while(loop, node) if isinstance(node, ast.While) else _for(loop, node)
    return textwrap.indent("\n".join(text), "    ")


def _leaves(node: ast.AST) -> bool:
    """Whether a statement leaves the loop, or does what a body cannot."""
    return isinstance(
        node,
        ast.Break | ast.Continue | ast.Return | ast.Yield | ast.YieldFrom | ast.Await
        | ast.Global | ast.Nonlocal | ast.Delete,
    )  # fmt: skip


def _for(loop: Loop, node: ast.For) -> list[str]:
    """`fori_loop` for a loop over consecutive integers that leaves nothing behind, else `scan`."""
    append = _append(node)
    before = [node.target.id] if isinstance(node.target, ast.Name) else []
    carry = _carry(loop, [each for each in node.body if each is not append], before)
    body = _text(loop, node, append)
    target, xs, note, reverse = _iterated(loop, node)
    bounds = _bounds(node.iter)
    if bounds and append is None:
        head = [f"def body({target}, {carry.argument}):", *carry.unpacking]
        call = f"{carry.names} = pb.fori_loop({bounds}, body, {carry.packed})"
        return [*head, *_indented(body), f"    return {carry.names}", "", call]
    left, ys = "None", "_"
    if append is not None:
        left = ast.unparse(append.value.args[0])
        ys = append.value.func.value.id
    argument = target if target.isidentifier() else "item"
    unpacking = [f"    {target} = item"] if argument == "item" else []
    return [
        *note,
        f"def body({carry.argument}, {argument}):",
        *carry.unpacking,
        *unpacking,
        *_indented(body),
        f"    return {carry.packed}, {left}",
        "",
        f"{carry.target}, {ys} = pb.scan(body, {carry.packed}, {xs}{reverse})",
    ]


def _while(loop: Loop, node: ast.While) -> list[str]:
    asked = [name.id for name in _names(node.test, ast.Load)]
    carry = _carry(loop, node.body, [], asked)
    return [
        f"def condition({carry.argument}):",
        *carry.unpacking,
        f"    return {ast.unparse(node.test)}",
        "",
        f"def body({carry.argument}):",
        *carry.unpacking,
        *_indented(_text(loop, node, None)),
        f"    return {carry.names}",
        "",
        f"{carry.names} = pb.while_loop(condition, body, {carry.packed})",
    ]


@dataclass(frozen=True)
class Carry:
    """The names that one iteration hands to the next."""

    each: Sequence[str]

    @property
    def names(self) -> str:
        return ", ".join(self.each) or "None"

    @property
    def packed(self) -> str:
        """As a value: one name, or a tuple of several."""
        return f"({self.names})" if len(self.each) > 1 else self.names

    @property
    def target(self) -> str:
        """What a pair of it and something else is assigned to."""
        return self.packed if self.each else "_"

    @property
    def argument(self) -> str:
        """What the body's parameter is called."""
        return self.each[0] if len(self.each) == 1 else "carry"

    @property
    def unpacking(self) -> list[str]:
        return [f"    {self.names} = carry"] if len(self.each) > 1 else []


def _carry(
    loop: Loop, statements: Sequence[ast.stmt], bound: Sequence[str], asked: Iterable[str] = ()
) -> Carry:
    """What is written, and read by a later iteration, or by `asked`, or behind the loop."""
    names = Names().follow(statements)
    needed = {*names.read, *asked, *_read_elsewhere(loop)}
    return Carry([name for name in names.written if name in needed and name not in bound])


def _text(loop: Loop, node: Statement, without: ast.stmt | None) -> list[str]:
    """The lines of the body; without the statement that appends."""
    kept = [each for each in node.body if each is not without]
    lines = {n for each in kept for n in range(each.lineno, (each.end_lineno or 0) + 1)}
    shared = without is not None and without.lineno in lines
    if shared or node.body[0].lineno == node.lineno:
        return [line for each in kept for line in ast.unparse(each).splitlines()]
    first, last = node.body[0].lineno, node.body[-1].end_lineno or 0
    gone = range(without.lineno, (without.end_lineno or 0) + 1) if without is not None else ()
    text = "".join(loop.lines[n - 1] for n in range(first, last + 1) if n not in gone)
    return textwrap.dedent(text).splitlines()


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" if line else "" for line in lines]


def _append(node: ast.For) -> Any:
    """The last statement, if it appends to a list that the body does nothing else with."""
    match node.body[-1]:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(out), "append"), [_], [])) as last if not any(
            name.id == out for each in node.body[:-1] for name in _names(each, ast.Load | ast.Store)
        ):
            return last
    return None


def _bounds(node: ast.expr) -> str | None:
    """The bounds of a range without a step."""
    match node:
        case ast.Call(ast.Name("range"), [upper], []):
            return f"0, {ast.unparse(upper)}"
        case ast.Call(ast.Name("range"), [lower, upper], []):
            return f"{ast.unparse(lower)}, {ast.unparse(upper)}"
    return None


def _iterated(loop: Loop, node: ast.For) -> tuple[str, str, list[str], str]:
    """What an iteration reads: its name, the arrays, a remark, and whether from the end."""
    target, over, reverse = ast.unparse(node.target).strip("()"), node.iter, ""
    match over:
        case ast.Call(ast.Name("reversed"), [sequence], []):
            over, reverse = sequence, ", reverse=True"
    match over:
        case ast.Call(ast.Name("range"), arguments, []):
            return target, f"np.arange({', '.join(map(ast.unparse, arguments))})", [], reverse
        case ast.Call(ast.Name("enumerate"), [sequence], []):
            parts = [sequence]
            xs = f"(np.arange(len({ast.unparse(sequence)})), {ast.unparse(sequence)})"
        case ast.Call(ast.Name("zip"), sequences, _):
            parts, xs = sequences, f"({', '.join(map(ast.unparse, sequences))})"
        case _:
            parts, xs = [over], ast.unparse(over)
    note = [remark for part in parts if (remark := _to_stack(part, loop))]
    return target, xs, note, reverse


def _to_stack(node: ast.expr, loop: Loop) -> str:
    """How a list of arrays, or of tuples of arrays, becomes what can be scanned."""
    value, name = value_of(node, loop.values), ast.unparse(node)
    if not isinstance(value, list | tuple) or not value:
        return ""
    several = isinstance(value[0], list | tuple)
    stacked = f"tuple(map(np.stack, zip(*{name})))" if several else f"np.stack({name})"
    return f"# with {name} = {stacked}, the items one behind the other along axis 0"
