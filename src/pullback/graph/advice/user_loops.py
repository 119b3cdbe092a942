"""The loops in the user's code around a line, and how many iterations they have."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer

__all__ = ["Comprehension", "Loop", "Statement", "covers", "enclosing_loops", "value_of", "within"]

Statement = ast.For | ast.While
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Loop:
    """A loop in the user's code; it has no node where the source is not at hand."""

    path: str
    line: int
    node: Statement | Comprehension | None = None
    scope: ast.AST = field(default_factory=lambda: ast.Module([], []))
    """The function that the loop belongs to."""
    lines: Sequence[str] = ()
    """The source of the whole file."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What names stand for in the loop."""
    length: int | None = None
    """How many iterations it has, where that can be told."""

    @property
    def source(self) -> str:
        """The first line."""
        return self.lines[self.line - 1].strip() if self.node is not None else ""


def enclosing_loops(frame: FrameType) -> list[Loop]:
    """The loops around the line at which a frame is, the innermost first.

    Without source, the line itself stands for a loop that may be there.
    """
    path, line = frame.f_code.co_filename, frame.f_lineno
    # What Python was started with goes by the name that every executed string has.
    lines = [] if path == "<string>" else linecache.getlines(path, frame.f_globals)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        lines = []
    if not lines:
        return [Loop(path, line)]
    scope = _scope(tree, line)
    values = {**frame.f_globals, **frame.f_locals}
    found = [node for node in within(scope) if _repeats(node, line)]
    found.sort(key=lambda node: (node.lineno, node.col_offset), reverse=True)
    return [
        Loop(path, node.lineno, node, scope, lines, values, _length(node, values)) for node in found
    ]


def _scope(tree: ast.AST, line: int) -> ast.AST:
    """The innermost function around a line."""
    scope = tree
    for node in ast.walk(tree):  # outer nodes come first
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and covers(node, line):
            scope = node
    return scope


def covers(node: Any, line: int) -> bool:
    """Whether a line is one of those of a node."""
    return bool(node.lineno <= line <= node.end_lineno)


def within(scope: ast.AST) -> Iterable[Any]:
    """The nodes of a function, without those of functions inside it."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, Function):
            yield node
            yield from within(node)


def _repeats(node: ast.AST, line: int) -> bool:
    """Whether a line is run in each iteration of a loop."""
    if isinstance(node, ast.For):
        return node.body[0].lineno <= line <= (node.body[-1].end_lineno or 0)
    return isinstance(node, ast.While | Comprehension) and covers(node, line)


# -- lengths -------------------------------------------------------------------------------------


def _length(node: Statement | Comprehension, values: Mapping[str, Any]) -> int | None:
    """The number of iterations, where it can be told without running the user's code."""
    if isinstance(node, ast.While):
        return None
    if isinstance(node, ast.For):
        return _size(value_of(node.iter, values))
    (first, *others) = node.generators
    return None if others or first.ifs else _size(value_of(first.iter, values))


def _size(x: Any) -> int | None:
    if isinstance(x, list | tuple | dict | range):
        return len(x)
    return int(x.shape[0]) if isinstance(x, np.ndarray | Tracer) and x.shape else None


def value_of(node: ast.AST, values: Mapping[str, Any]) -> Any:
    """The value of a simple expression of numbers and sequences; None for any other."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return values.get(node.id)
    if isinstance(node, ast.Attribute):
        if node.attr == "shape":
            x = value_of(node.value, values)
            return x.shape if isinstance(x, np.ndarray | Tracer) else None
        return getattr(value_of(node.value, values), "__dict__", {}).get(node.attr)
    if isinstance(node, ast.Subscript | ast.BinOp):
        return _computed(node, values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _called(node.func.id, [value_of(arg, values) for arg in node.args])
    return None


def _computed(node: ast.Subscript | ast.BinOp, values: Mapping[str, Any]) -> Any:
    """A sum, difference, product or quotient of integers, or an extent of a shape."""
    if isinstance(node, ast.Subscript):
        sequence, index = value_of(node.value, values), value_of(node.slice, values)
        inside = type(sequence) is tuple and type(index) is int and index < len(sequence)
        return sequence[index] if inside else None
    left, right = value_of(node.left, values), value_of(node.right, values)
    if type(left) is not int or type(right) is not int:
        return None
    match node.op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.FloorDiv():
            return left // right if right else None
    return None


def _called(name: str, args: list[Any]) -> Any:
    """What the built-in functions that make loops give, as a range of that length."""
    if name == "range":
        return range(*args) if all(type(arg) is int for arg in args) else None
    sizes = [size for size in map(_size, args) if size is not None]
    if name == "len" and sizes:
        return sizes[0]
    if name in ("enumerate", "reversed", "zip", "list", "tuple") and sizes:
        return range(min(sizes))
    return None
