"""The rewriting of expressions: what is called, read, or chosen by a condition."""

from __future__ import annotations

import ast

from pullback.lifting.syntax import binds, call, placed, thunk

__all__ = ["Expressions"]


class Expressions(ast.NodeTransformer):
    """Rewrites the expressions of a function."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node.slice = self.visit(node.slice)
        value = self.visit(node.value)
        node.value = placed(call("read", value), node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = placed(call("call", self.visit(node.func)), node.func)
        node.func = function
        node.args = [self.visit(each) for each in node.args]
        node.keywords = [self.visit(each) for each in node.keywords]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        if any(map(binds, node.values)):
            return node
        method = "and_" if isinstance(node.op, ast.And) else "or_"
        values: list[ast.expr] = [self.visit(each) for each in node.values]
        *before, out = values
        for each in reversed(before):
            out = placed(call(method, each, thunk(out)), node)
        return out

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if len(node.ops) == 1 or any(map(binds, (node.left, *node.comparators))):
            self.generic_visit(node)
            return node
        values = [self.visit(each) for each in (node.left, *node.comparators)]
        signs = ast.Constant(" ".join(type(each).__name__ for each in node.ops))
        return placed(call("chain", values[0], signs, *map(thunk, values[1:])), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return placed(call("not_", node.operand), node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return placed(call("power", node.left, node.right), node)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        self.generic_visit(node)
        node.value = placed(call("formatted", node.value), node.value)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        node.iter = placed(call("iterated", node.iter), node.iter)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        if any(map(binds, (node.test, node.body, node.orelse))):
            return node
        test, body, orelse = (self.visit(x) for x in (node.test, node.body, node.orelse))
        return placed(call("choose", test, thunk(body), thunk(orelse)), node)
