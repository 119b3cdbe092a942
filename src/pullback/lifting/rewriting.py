"""The rewriting of control flow: loops, conditions and calls are handed to a dispatcher.

A block becomes a function of no arguments, inside the function that it belongs to, which assigns to
the names of that function; the dispatcher calls it. What leaves a block early becomes what that
function returns. Everything else stays as it is, lines and columns too.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Sequence

from pullback.lifting.blocks import assigned, bound_first, leaves, own, reads
from pullback.lifting.expressions import Expressions
from pullback.lifting.source import Definition
from pullback.lifting.syntax import (
    DISPATCHER,
    FIRST,
    OWN,
    attribute,
    call,
    placed,
    set_type_parameters,
    thunk,
)

__all__ = ["UnconvertedError", "rewritten"]

_ITERABLES = frozenset({"range", "enumerate", "zip", "reversed"})
_SUSPENDING = (ast.Yield, ast.YieldFrom, ast.Await)
_PEEKING = frozenset({"super", "locals", "vars", "dir", "eval", "exec", "globals", "__class__"})
"""Names of what looks at the frame that it is called from."""


class UnconvertedError(Exception):
    """A function that is left as it is, and why, in words."""


def rewritten(node: Definition) -> ast.FunctionDef | ast.Lambda:
    """The definition with its control flow handed to the dispatcher; `node` itself is kept."""
    for each in own(node):
        if isinstance(each, _SUSPENDING):
            raise UnconvertedError("it is a generator or a coroutine")
        if isinstance(each, ast.Name) and each.id in _PEEKING and hasattr(builtins, each.id):
            raise UnconvertedError(f"it calls {each.id}(), which looks at the frame")
        if isinstance(each, ast.Try | ast.TryStar) and leaves(each.finalbody):
            raise UnconvertedError("it leaves a finally block early")
        name = getattr(each, "id", None) or getattr(each, "attr", None)
        if isinstance(name, str) and name.startswith("__") and not name.endswith("__"):
            raise UnconvertedError(f"it has the private name {name}")
    node = copy.deepcopy(node)
    if isinstance(node, ast.Lambda):
        return _Rewriter(node).visit_in_place(node)
    return _Rewriter(node).function(node)


def _strings(names: Sequence[str]) -> ast.expr:
    return ast.Tuple([ast.Constant(each) for each in names], ast.Load())


class _Rewriter(Expressions):
    """Rewrites one function, and those inside it."""

    def __init__(self, node: Definition) -> None:
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        inside = list(own(node))
        self.globals = {n for each in inside if isinstance(each, ast.Global) for n in each.names}
        outer = {n for each in inside if isinstance(each, ast.Nonlocal) for n in each.names}
        self.shared = self.globals | outer
        """Names that belong to the module, or to a function around this one."""
        self.names = {*assigned(body)} - self.globals
        given = node.args
        stars = [each for each in (given.vararg, given.kwarg) if each is not None]
        arguments = (*given.posonlyargs, *given.args, *given.kwonlyargs, *stars)
        self.names.update(each.arg for each in arguments)
        self.reads = reads([node])
        self.depth = 0
        self.count = 0
        self.guarded = False

    # -- functions and blocks ----------------------------------------------------------------------

    def function(self, node: ast.FunctionDef) -> ast.FunctionDef:
        body = [*self._declared(node), *self.block(node.body)]
        out = ast.FunctionDef(
            name=node.name, args=self.visit(node.args), body=body, decorator_list=[],
            returns=None, type_comment=None,
        )  # fmt: skip
        set_type_parameters(out)
        return ast.copy_location(out, node)

    def _declared(self, node: ast.FunctionDef) -> list[ast.stmt]:
        """A statement that is never reached, which makes the names of blocks the function's."""
        names = [each for each in assigned(node.body) if each not in self.globals]
        outer = {n for each in own(node) if isinstance(each, ast.Nonlocal) for n in each.names}
        targets: list[ast.expr] = [ast.Name(n, ast.Store()) for n in names if n not in outer]
        if not targets:
            return []
        never = ast.If(ast.Constant(False), [ast.Assign(targets, ast.Constant(None))], [])
        return [placed(never, node)]

    def visit_in_place(self, node: ast.Lambda) -> ast.Lambda:
        return ast.copy_location(ast.Lambda(node.args, self.visit(node.body)), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function inside is left as it is: it is converted when it is called."""
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The statements of a block, rewritten."""
        out: list[ast.stmt] = []
        for position, node in enumerate(statements):
            rest = statements[position + 1 :]
            if isinstance(node, ast.If) and leaves([node]) and not self.guarded:
                out += self._leaving_if(node, rest)
                return out
            out += self._effects(node)
            new = self.visit(node)
            out += new if isinstance(new, list) else [new]
            if isinstance(node, ast.For | ast.While) and self._returns(node) and not self.guarded:
                out += self._after_loop(out.pop(), node, rest)
                return out
        return out or [ast.Pass()]

    def _effects(self, node: ast.stmt) -> list[ast.stmt]:
        """What is asked before a statement that does more than bind names and write to arrays."""
        asked: list[str] = []
        looks: list[ast.expr] = []
        match node:
            case ast.If() | ast.While():
                binding = assigned([node.test])
            case ast.For():
                binding = assigned([node.iter])
            case _:
                binding = assigned([node])
        asked += [f"it binds {n}, which is not its own" for n in binding if n in self.shared]
        match node:
            case ast.AugAssign(ast.Name(name)):
                looks = [call("augmented", ast.Name(name, ast.Load()))]
            case ast.Raise():
                asked.append("it raises an error")
            case ast.Try() if node.handlers or leaves(node.finalbody):
                asked.append("it handles errors")
            case ast.ClassDef() | ast.AsyncFor() | ast.AsyncWith():
                asked.append("it defines a class")
            case ast.FunctionDef() if node.decorator_list:
                asked.append("it decorates a function")
            case ast.Import() | ast.ImportFrom():
                asked.append("it imports a module")
        looks += [call("refused", ast.Constant(each)) for each in asked]
        return [placed(ast.Expr(each), node) for each in looks]

    def _nested(
        self, role: str, statements: list[ast.stmt], at: ast.AST, own: Sequence[str] = ()
    ) -> ast.FunctionDef:
        """The function of a block whose statements are rewritten already."""
        self.count += 1
        bound = [name for name in assigned(statements) if name in self.names]
        body: list[ast.stmt] = [ast.Nonlocal(bound)] if bound else []
        shared = sorted(self.globals.intersection(assigned(statements)))
        body += [ast.Global(shared)] if shared else []
        arguments = ast.arguments([], [], None, [ast.arg(OWN)], [_strings(own)], None, [])
        out = ast.FunctionDef(
            f"{DISPATCHER}_{role}{self.count}", arguments, [*body, *statements], [], None, None
        )
        set_type_parameters(out)
        return placed(out, at)

    def _inside(
        self, role: str, statements: Sequence[ast.stmt], at: ast.AST, own: Sequence[str] = ()
    ) -> ast.FunctionDef:
        before, self.guarded = self.guarded, False
        self.depth += 1
        made = self.block(statements)
        self.depth -= 1
        self.guarded = before
        return self._nested(role, made, at, own)

    def _own(self, *nodes: ast.AST) -> list[str]:
        """The names that statements bind, and that nothing else in the function reads."""
        inside = reads(nodes)
        names = [each for each in assigned(nodes) if each not in self.shared]
        return [each for each in names if inside[each] == self.reads[each]]

    def _returns(self, node: ast.For | ast.While) -> bool:
        """Whether the function returns inside a loop."""
        return leaves(node.body, loops=False) or leaves(node.orelse)

    def _after_loop(
        self, loop: ast.stmt, node: ast.For | ast.While, rest: Sequence[ast.stmt]
    ) -> list[ast.stmt]:
        """What follows a loop in which the function may return: a block of its own."""
        assert isinstance(loop, ast.Expr)
        after = self._inside("rest", rest or [ast.Pass()], rest[0] if rest else node)
        out = call("after", loop.value, ast.Name(after.name, ast.Load()))
        out = out if self.depth else call("value", out)
        return [after, placed(ast.Return(out), node)]

    def _handled(self, asked: ast.expr, node: ast.For | ast.While) -> list[ast.stmt]:
        """The statement of a loop, which says what the block around it is left by."""
        if not self.guarded or not self._returns(node):
            return [placed(ast.Expr(asked), node)]
        name = f"{DISPATCHER}_left{self.count}"
        store = ast.Assign([ast.Name(name, ast.Store())], asked)
        load = ast.Name(name, ast.Load())
        value = load if self.depth else call("value", load)
        test = ast.Compare(load, [ast.IsNot()], [ast.Constant(None)])
        return [placed(store, node), placed(ast.If(test, [ast.Return(value)], []), node)]

    # -- statements --------------------------------------------------------------------------------

    def visit_For(self, node: ast.For) -> list[ast.stmt]:
        own = self._own(node)
        iterable = self._iterable(node.iter)
        self.count += 1
        item = f"{DISPATCHER}_item{self.count}"
        target = ast.Assign([node.target], ast.Name(item, ast.Load()))
        function = self._inside("body", [placed(target, node), *node.body], node, own)
        function.args.args = [placed(ast.arg(item), node)]
        function.args.kwonlyargs.append(placed(ast.arg(FIRST), node))
        function.args.kw_defaults.append(placed(_strings(bound_first(node.body)), node))
        simple = node.target.id if isinstance(node.target, ast.Name) else None
        if simple in (*self.shared, *assigned(node.body)):
            simple = None  # it is a name like others
        return self._loop("each", node, iterable, function, ast.Constant(simple))

    def _iterable(self, node: ast.expr) -> ast.expr:
        """What a loop goes over: of `range`, `enumerate` and the like what they are given."""
        match node:
            case ast.Call(ast.Name(name), arguments, keywords) if name in _ITERABLES:
                inner = [self._iterable(each) for each in arguments]
                made = call("iterate", ast.Name(name, ast.Load()), *inner)
                made.keywords = [self.visit(each) for each in keywords]
                return placed(made, node)
        return self.visit(node)  # type: ignore[no-any-return]

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        own = self._own(node)
        self.depth += 1
        test = self._nested("test", [placed(ast.Return(self.visit(node.test)), node)], node)
        self.depth -= 1
        function = self._inside("body", node.body, node, own)
        asked = ast.Name(test.name, ast.Load())
        return [test, *self._loop("while_", node, asked, function)]

    def _loop(
        self,
        method: str,
        node: ast.For | ast.While,
        first: ast.expr,
        function: ast.FunctionDef,
        *others: ast.expr,
    ) -> list[ast.stmt]:
        made = [function]
        arguments = [first, ast.Name(function.name, ast.Load()), *others]
        if node.orelse:
            made.append(self._inside("orelse", node.orelse, node))
            arguments.append(ast.Name(made[1].name, ast.Load()))
        return [*made, *self._handled(call(method, *arguments), node)]

    def visit_If(self, node: ast.If) -> list[ast.stmt] | ast.If:
        if self.guarded and leaves([node]):
            return ast.copy_location(
                ast.If(self.visit(node.test), self.block(node.body), self.block(node.orelse))
                if node.orelse
                else ast.If(self.visit(node.test), self.block(node.body), []),
                node,
            )
        own = self._own(node)
        test = self.visit(node.test)
        then = self._inside("then", node.body, node, own)
        other = self._inside("else", node.orelse or [ast.Pass()], node, own)
        out = call("if_", test, *(ast.Name(each.name, ast.Load()) for each in (then, other)))
        return [then, other, placed(ast.Expr(out), node)]

    def _leaving_if(self, node: ast.If, rest: Sequence[ast.stmt]) -> list[ast.stmt]:
        """A condition in one of whose blocks the block around it is left; what follows it as well.

        What follows is a block of its own, that is run where neither leaves.
        """
        own = self._own(node, *rest)
        test = self.visit(node.test)
        then = self._inside("then", node.body, node, own)
        other = self._inside("else", node.orelse or [ast.Pass()], node, own)
        after = self._inside("rest", rest or [ast.Pass()], rest[0] if rest else node, own)
        names = (ast.Name(each.name, ast.Load()) for each in (then, other, after))
        out = call("leaving", test, *names)
        out = out if self.depth else call("value", out)
        return [then, other, after, placed(ast.Return(out), node)]

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        value = ast.Constant(None) if node.value is None else self.visit(node.value)
        if self.depth:
            value = call("Returned", value)
        return placed(ast.Return(value), node)

    def visit_Break(self, node: ast.Break) -> ast.stmt:
        return placed(ast.Return(attribute("BREAK")), node)

    def visit_Continue(self, node: ast.Continue) -> ast.stmt:
        return placed(ast.Return(attribute("CONTINUE")), node)

    def _guarded(self, node: ast.stmt) -> ast.stmt:
        """A statement with blocks of its own: what leaves these is a plain condition's."""
        before, self.guarded = self.guarded, True
        for name in ("body", "orelse", "finalbody"):
            if getattr(node, name, None):
                setattr(node, name, self.block(getattr(node, name)))
        for each in getattr(node, "handlers", ()):
            each.body = [placed(ast.Expr(call("caught")), node), *self.block(each.body)]
        for each in getattr(node, "cases", ()):
            each.body = self.block(each.body)
        if isinstance(node, ast.Match):
            node.subject = self.visit(node.subject)
        for each in getattr(node, "items", ()):
            entered = call("entered", self.visit(each.context_expr))
            each.context_expr = placed(entered, node)
        self.guarded = before
        return node

    visit_With = visit_Try = visit_TryStar = visit_Match = _guarded

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        message = thunk(node.msg) if node.msg is not None else ast.Constant(None)
        test = self.visit(node.test)
        return placed(ast.Expr(call("assert_", test, message)), node)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        node.value = self.visit(node.value)
        node.targets = [self._target(each) for each in node.targets]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        node.value = self.visit(node.value)
        node.target = self._target(node.target)  # type: ignore[assignment]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is not None:
            node.value = self.visit(node.value)
            node.target = self._target(node.target)  # type: ignore[assignment]
        return node

    def visit_Delete(self, node: ast.Delete) -> ast.stmt:
        node.targets = [self._target(each) for each in node.targets]
        return node

    def _target(self, node: ast.expr) -> ast.expr:
        """What is assigned to; of an element or an attribute, what has it is looked at first."""
        match node:
            case ast.Tuple() | ast.List():
                node.elts = [self._target(each) for each in node.elts]
            case ast.Starred():
                node.value = self._target(node.value)
            case ast.Subscript():
                node.slice = self.visit(node.slice)
                node.value = placed(call("written", self.visit(node.value)), node.value)
            case ast.Attribute():
                node.value = placed(call("changed", self.visit(node.value)), node.value)
        return node
