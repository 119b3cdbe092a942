"""The rewriting of control flow: loops, conditions and calls are handed to a dispatcher.

A block becomes a function of no arguments, inside the function that it belongs to, which assigns to
the names of that function; the dispatcher calls it. What leaves a block early becomes what that
function returns. Everything else stays as it is, lines and columns too.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Iterable, Iterator, Sequence

from pullback.lifting.source import Definition

__all__ = ["DISPATCHER", "UnconvertedError", "rewritten"]

DISPATCHER = "_lift"
"""What the dispatcher is called in a rewritten function."""

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SUSPENDING = (ast.Yield, ast.YieldFrom, ast.Await)
_PEEKING = frozenset({"super", "locals", "vars", "dir", "eval", "exec", "globals", "__class__"})
"""Names of what looks at the frame that it is called from."""


class UnconvertedError(Exception):
    """A function that is left as it is, and why, in words."""


def rewritten(node: Definition) -> ast.FunctionDef | ast.Lambda:
    """The definition with its control flow handed to the dispatcher; `node` itself is kept."""
    for each in _own(node):
        if isinstance(each, _SUSPENDING):
            raise UnconvertedError("it is a generator or a coroutine")
        if isinstance(each, ast.Name) and each.id in _PEEKING and hasattr(builtins, each.id):
            raise UnconvertedError(f"it calls {each.id}(), which looks at the frame")
        name = getattr(each, "id", None) or getattr(each, "attr", None)
        if isinstance(name, str) and name.startswith("__") and not name.endswith("__"):
            raise UnconvertedError(f"it has the private name {name}")
    node = copy.deepcopy(node)
    if isinstance(node, ast.Lambda):
        return _Rewriter(node).visit_in_place(node)
    return _Rewriter(node).function(node)


def _own(node: ast.AST) -> Iterator[ast.AST]:
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


def _leaves(statements: Sequence[ast.stmt], *, loops: bool = True) -> bool:
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
            if _leaves(getattr(node, name, ()), loops=here):
                return True
        for handler in getattr(node, "handlers", ()):
            if _leaves(handler.body, loops=loops):
                return True
        for case in getattr(node, "cases", ()):
            if _leaves(case.body, loops=loops):
                return True
    return False


class _Rewriter(ast.NodeTransformer):
    """Rewrites one function, and those inside it."""

    def __init__(self, node: Definition) -> None:
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        own = list(_own(node))
        self.globals = {n for each in own if isinstance(each, ast.Global) for n in each.names}
        self.names = {*assigned(body)} - self.globals
        given = node.args
        stars = [each for each in (given.vararg, given.kwarg) if each is not None]
        arguments = (*given.posonlyargs, *given.args, *given.kwonlyargs, *stars)
        self.names.update(each.arg for each in arguments)
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
        if hasattr(node, "type_params"):
            out.type_params = []
        return ast.copy_location(out, node)

    def _declared(self, node: ast.FunctionDef) -> list[ast.stmt]:
        """A statement that is never reached, which makes the names of blocks the function's."""
        names = [each for each in assigned(node.body) if each not in self.globals]
        outer = {n for each in _own(node) if isinstance(each, ast.Nonlocal) for n in each.names}
        targets: list[ast.expr] = [ast.Name(n, ast.Store()) for n in names if n not in outer]
        if not targets:
            return []
        never = ast.If(ast.Constant(False), [ast.Assign(targets, ast.Constant(None))], [])
        return [_placed(never, node)]

    def visit_in_place(self, node: ast.Lambda) -> ast.Lambda:
        return ast.copy_location(ast.Lambda(node.args, self.visit(node.body)), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function inside is left as it is: it is converted when it is called."""
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda  # type: ignore[assignment]

    def block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The statements of a block, rewritten."""
        out: list[ast.stmt] = []
        for position, node in enumerate(statements):
            rest = statements[position + 1 :]
            if isinstance(node, ast.If) and _leaves([node]) and not self.guarded:
                out += self._leaving_if(node, rest)
                return out
            new = self.visit(node)
            out += new if isinstance(new, list) else [new]
            if isinstance(node, ast.For | ast.While) and self._returns(node) and not self.guarded:
                out += self._after_loop(out.pop(), node, rest)
                return out
        return out or [ast.Pass()]

    def _nested(self, role: str, statements: list[ast.stmt], at: ast.AST) -> ast.FunctionDef:
        """The function of a block whose statements are rewritten already."""
        self.count += 1
        bound = [name for name in assigned(statements) if name in self.names]
        body: list[ast.stmt] = [ast.Nonlocal(bound)] if bound else []
        shared = sorted(self.globals.intersection(assigned(statements)))
        body += [ast.Global(shared)] if shared else []
        empty = ast.arguments([], [], None, [], [], None, [])
        out = ast.FunctionDef(
            f"{DISPATCHER}_{role}{self.count}", empty, [*body, *statements], [], None, None
        )
        if hasattr(ast, "TypeAlias"):
            out.type_params = []
        return _placed(out, at)

    def _inside(self, role: str, statements: Sequence[ast.stmt], at: ast.AST) -> ast.FunctionDef:
        self.depth += 1
        made = self.block(statements)
        self.depth -= 1
        return self._nested(role, made, at)

    def _returns(self, node: ast.For | ast.While) -> bool:
        """Whether the function returns inside a loop."""
        return _leaves(node.body, loops=False) or _leaves(node.orelse)

    def _after_loop(
        self, loop: ast.stmt, node: ast.For | ast.While, rest: Sequence[ast.stmt]
    ) -> list[ast.stmt]:
        """What follows a loop in which the function may return: a block of its own."""
        assert isinstance(loop, ast.Expr)
        after = self._inside("rest", rest or [ast.Pass()], rest[0] if rest else node)
        call = _call("after", loop.value, ast.Name(after.name, ast.Load()))
        out = call if self.depth else _call("value", call)
        return [after, _placed(ast.Return(out), node)]

    def _handled(self, call: ast.expr, node: ast.For | ast.While) -> list[ast.stmt]:
        """The statement of a loop, which says what the block around it is left by."""
        if not self.guarded or not self._returns(node):
            return [_placed(ast.Expr(call), node)]
        name = f"{DISPATCHER}_left{self.count}"
        store = ast.Assign([ast.Name(name, ast.Store())], call)
        load = ast.Name(name, ast.Load())
        value = load if self.depth else _call("value", load)
        test = ast.Compare(load, [ast.IsNot()], [ast.Constant(None)])
        return [_placed(store, node), _placed(ast.If(test, [ast.Return(value)], []), node)]

    # -- statements --------------------------------------------------------------------------------

    def visit_For(self, node: ast.For) -> list[ast.stmt]:
        iterable = self.visit(node.iter)
        match iterable:
            case ast.Call(ast.Call(_, [ast.Name("range") as called]), arguments, []):
                iterable = _placed(_call("range", called, *arguments), node)
        self.count += 1
        item = f"{DISPATCHER}_item{self.count}"
        target = ast.Assign([node.target], ast.Name(item, ast.Load()))
        function = self._inside("body", [_placed(target, node), *node.body], node)
        function.args.args = [_placed(ast.arg(item), node)]
        simple = node.target.id if isinstance(node.target, ast.Name) else None
        return self._loop("each", node, iterable, function, ast.Constant(simple))

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        self.depth += 1
        test = self._nested("test", [_placed(ast.Return(self.visit(node.test)), node)], node)
        self.depth -= 1
        function = self._inside("body", node.body, node)
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
        call = _call(method, *arguments)
        return [*made, *self._handled(call, node)]

    def visit_If(self, node: ast.If) -> list[ast.stmt] | ast.If:
        if self.guarded and _leaves([node]):
            return ast.copy_location(
                ast.If(self.visit(node.test), self.block(node.body), self.block(node.orelse))
                if node.orelse
                else ast.If(self.visit(node.test), self.block(node.body), []),
                node,
            )
        test = self.visit(node.test)
        then = self._inside("then", node.body, node)
        other = self._inside("else", node.orelse or [ast.Pass()], node)
        call = _call("if_", test, *(ast.Name(each.name, ast.Load()) for each in (then, other)))
        return [then, other, _placed(ast.Expr(call), node)]

    def _leaving_if(self, node: ast.If, rest: Sequence[ast.stmt]) -> list[ast.stmt]:
        """A condition in one of whose blocks the block around it is left; what follows it as well.

        What follows is a block of its own, that is run where neither leaves.
        """
        test = self.visit(node.test)
        then = self._inside("then", node.body, node)
        other = self._inside("else", node.orelse or [ast.Pass()], node)
        after = self._inside("rest", rest or [ast.Pass()], rest[0] if rest else node)
        names = (ast.Name(each.name, ast.Load()) for each in (then, other, after))
        call = _call("leaving", test, *names)
        out = call if self.depth else _call("value", call)
        return [then, other, after, _placed(ast.Return(out), node)]

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        value = ast.Constant(None) if node.value is None else self.visit(node.value)
        if self.depth:
            value = _call("Returned", value)
        return _placed(ast.Return(value), node)

    def visit_Break(self, node: ast.Break) -> ast.stmt:
        return _placed(ast.Return(_attribute("BREAK")), node)

    def visit_Continue(self, node: ast.Continue) -> ast.stmt:
        return _placed(ast.Return(_attribute("CONTINUE")), node)

    def _guarded(self, node: ast.stmt) -> ast.stmt:
        """A statement with blocks of its own: what leaves these is a plain condition's."""
        before, self.guarded = self.guarded, True
        for name in ("body", "orelse", "finalbody"):
            if getattr(node, name, None):
                setattr(node, name, self.block(getattr(node, name)))
        for each in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            each.body = self.block(each.body)
        for each in getattr(node, "items", ()):
            each.context_expr = self.visit(each.context_expr)
        self.guarded = before
        return node

    visit_With = visit_Try = visit_TryStar = visit_Match = _guarded

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        message = _thunk(node.msg) if node.msg is not None else ast.Constant(None)
        test = self.visit(node.test)
        return _placed(ast.Expr(_call("assert_", test, message)), node)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        node.value = self.visit(node.value)
        node.targets = [self._target(each) for each in node.targets]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        node.value = self.visit(node.value)
        node.target = self._target(node.target)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is not None:
            node.value = self.visit(node.value)
            node.target = self._target(node.target)
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
                node.value = _placed(_call("written", self.visit(node.value)), node.value)
            case ast.Attribute():
                node.value = _placed(_call("changed", self.visit(node.value)), node.value)
        return node

    # -- expressions -------------------------------------------------------------------------------

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node.slice = self.visit(node.slice)
        value = self.visit(node.value)
        node.value = _placed(_call("read", value), node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = _placed(_call("call", self.visit(node.func)), node.func)
        node.func = function
        node.args = [self.visit(each) for each in node.args]
        node.keywords = [self.visit(each) for each in node.keywords]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        if any(map(_binds, node.values)):
            return node
        method = "and_" if isinstance(node.op, ast.And) else "or_"
        *before, out = [self.visit(each) for each in node.values]
        for each in reversed(before):
            out = _placed(_call(method, each, _thunk(out)), node)
        return out

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if len(node.ops) == 1 or any(map(_binds, (node.left, *node.comparators))):
            self.generic_visit(node)
            return node
        values = [self.visit(each) for each in (node.left, *node.comparators)]
        if not all(isinstance(each, ast.Name | ast.Constant) for each in values[1:-1]):
            node.left, node.comparators = values[0], values[1:]
            return node  # an operand in the middle would be evaluated twice
        out: ast.expr | None = None
        for k in reversed(range(len(node.ops))):
            pair: ast.expr = ast.Compare(values[k], [node.ops[k]], [values[k + 1]])
            out = pair if out is None else _call("and_", pair, _thunk(out))
        assert out is not None
        return _placed(out, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return _placed(_call("not_", node.operand), node)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        if any(map(_binds, (node.test, node.body, node.orelse))):
            return node
        test, body, orelse = (self.visit(x) for x in (node.test, node.body, node.orelse))
        return _placed(_call("choose", test, _thunk(body), _thunk(orelse)), node)


def _binds(node: ast.AST) -> bool:
    """Whether an expression binds a name, which it would not do in a function of its own."""
    return any(isinstance(each, ast.NamedExpr) for each in ast.walk(node))


def _thunk(body: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)


def _attribute(name: str) -> ast.expr:
    return ast.Attribute(ast.Name(DISPATCHER, ast.Load()), name, ast.Load())


def _call(method: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(_attribute(method), list(arguments), [])


def _placed(new: ast.AST, old: ast.AST) -> ast.AST:
    """`new`, and what is new in it, at the place of `old`."""
    for node in ast.walk(new):
        if "lineno" in node._attributes and not hasattr(node, "lineno"):
            ast.copy_location(node, old)
    return new
