"""Pieces of syntax that rewritten functions are made of."""

from __future__ import annotations

import ast
from typing import TypeVar

__all__ = [
    "DISPATCHER", "FIRST", "OWN", "attribute", "binds", "call", "placed", "set_type_parameters",
    "thunk",
]  # fmt: skip

DISPATCHER = "_lift"
"""What the dispatcher is called in a rewritten function."""

OWN = "_lift_own"
"""The keyword of a block that says which names nobody reads outside of it."""

FIRST = "_lift_first"
"""The keyword of a block that says which names it binds before anything reads them."""

Node = TypeVar("Node", bound=ast.AST)


def set_type_parameters(node: ast.FunctionDef) -> None:
    """Give a function none, where Python's functions can have some."""
    if hasattr(ast, "TypeAlias"):
        node.type_params = []  # type: ignore[attr-defined]


def binds(node: ast.AST) -> bool:
    """Whether an expression binds a name, which it would not do in a function of its own."""
    return any(isinstance(each, ast.NamedExpr) for each in ast.walk(node))


def thunk(body: ast.expr) -> ast.Lambda:
    """A function of no arguments that evaluates an expression."""
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)


def attribute(name: str) -> ast.expr:
    """What the dispatcher has under a name."""
    return ast.Attribute(ast.Name(DISPATCHER, ast.Load()), name, ast.Load())


def call(method: str, *arguments: ast.expr) -> ast.Call:
    """A call of a method of the dispatcher."""
    return ast.Call(attribute(method), list(arguments), [])


def placed(new: Node, old: ast.AST) -> Node:
    """`new`, and what is new in it, at the place of `old`."""
    for node in ast.walk(new):
        if "lineno" in node._attributes and not hasattr(node, "lineno"):
            ast.copy_location(node, old)
    return new
