"""What a block of statements binds, and how it is left."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["assigned", "bound_first", "leaves", "own", "reads"]

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions and classes inside it."""
    remaining = list(ast.iter_child_nodes(node))
    while remaining:
        each = remaining.pop()
        yield each
        if not isinstance(each, _SCOPES):
            remaining += ast.iter_child_nodes(each)


def assigned(statements: Iterable[ast.AST]) -> list[str]:
    """The names that are bound in a block, in the order of the text."""
    found: dict[str, None] = {}
    remaining = list(statements)[::-1]
    while remaining:
        node = remaining.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = None
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found[node.id] = None
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found[node.name] = None
        elif isinstance(node, ast.alias):
            found[(node.asname or node.name).partition(".")[0]] = None
        inside = list(ast.iter_child_nodes(node))
        if isinstance(node, _COMPREHENSIONS):  # its variables are its own; `:=` binds outside
            inside = [each for each in ast.walk(node) if isinstance(each, ast.NamedExpr)]
        remaining += inside[::-1]
    return list(found)


def reads(nodes: Iterable[ast.AST]) -> Counter[str]:
    """How often each name is read, in functions inside too."""
    found: Counter[str] = Counter()
    for node in (each for start in nodes for each in ast.walk(start)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            found[node.id] += 1
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] += 1
        elif isinstance(node, ast.Nonlocal):
            found.update(node.names)
    return found


def bound_first(statements: Sequence[ast.stmt]) -> list[str]:
    """The names that a block binds, however it goes on, before it reads them."""
    found: dict[str, None] = {}
    read: set[str] = set()
    for node in statements:
        read.update(reads([node]))
        if isinstance(node, ast.Assign):
            found.update(dict.fromkeys(name for name in assigned([node]) if name not in read))
        if leaves([node]):
            break
    return list(found)


def leaves(statements: Sequence[ast.stmt], *, loops: bool = True) -> bool:
    """Whether something in a block returns, or with `loops` leaves the loop that it is in."""
    for node in statements:
        if isinstance(node, ast.Return):
            return True
        if isinstance(node, ast.Break | ast.Continue):
            if loops:
                return True
            continue
        if isinstance(node, _SCOPES):
            continue
        inner = loops and not isinstance(node, ast.For | ast.While)
        for name in ("body", "orelse", "finalbody"):
            here = loops if name != "body" else inner
            if leaves(getattr(node, name, ()), loops=here):
                return True
        for handler in getattr(node, "handlers", ()):
            if leaves(handler.body, loops=loops):
                return True
        for case in getattr(node, "cases", ()):
            if leaves(case.body, loops=loops):
                return True
    return False
