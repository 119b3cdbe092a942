"""Programs of loops as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pullback.compiler.loops.language import (
    Branch,
    Call,
    Check,
    Const,
    Copy,
    Expr,
    External,
    For,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Program,
    Scalar,
    Statement,
    Store,
    Tiles,
    While,
    Write,
)

__all__ = ["expression", "place", "statements", "text"]

_INFIX = {
    "add": "+",
    "subtract": "-",
    "multiply": "·",
    "divide": "/",
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "logical_and": "and",
    "logical_or": "or",
}


def text(program: Program) -> str:
    """The program, a line for each buffer and each statement."""
    lines = [f"program {program.name}"]
    lines += [f"  {b.kind} {b.name}: {b.dtype}[{b.size}]" for b in program.buffers]
    lines += statements(program.body, "  ")
    return "\n".join(lines)


def place(at: Place) -> str:
    """``x[3 + 4·i + j]``."""
    parts = [str(at.offset)] if at.offset or not at.terms else []
    parts += [name if step == 1 else f"{step}·{name}" for name, step in at.terms]
    return f"{at.buffer}[{' + '.join(parts)}]"


def expression(expr: Expr) -> str:
    """An expression, with parentheses around each operation inside another."""
    if isinstance(expr, Const):
        return repr(expr.value)
    if isinstance(expr, Name):
        return expr.name
    if isinstance(expr, Load):
        where = "" if expr.where is None else f" where {expression(expr.where)}"
        return f"({place(expr.place)}{where})" if where else place(expr.place)
    return _operation(expr)


def _operation(op: Op) -> str:
    args = [
        f"({expression(arg)})" if isinstance(arg, Op) and arg.name in _INFIX else expression(arg)
        for arg in op.args
    ]
    if op.name in _INFIX:
        return f" {_INFIX[op.name]} ".join(args)
    if op.name == "convert":
        return f"{op.dtype}({', '.join(args)})"
    return f"{op.name}({', '.join(args)})"


def statements(body: Sequence[Statement], indent: str) -> Iterator[str]:
    """The lines of statements."""
    for statement in body:
        for line in _lines(statement):
            yield indent + line


def _let(statement: Let | Check) -> str:
    if isinstance(statement, Check):
        return f"check {expression(statement.condition)} else error {statement.error}"
    return _given(statement.scalar, expression(statement.value))


def _given(scalar: Scalar, value: str) -> str:
    return f"{scalar.name}: {scalar.dtype} = {value}"


def _write(write: Write) -> str:
    target = write.target
    where = f"{target.name}: {target.dtype}" if isinstance(target, Scalar) else place(target)
    start = "" if write.start is None else f" from {expression(write.start)}"
    return f"{where} {write.combine}= {expression(write.value)}{start}"


def _carries(carries: Sequence[tuple[Scalar, Expr]]) -> str:
    return ", ".join(_given(scalar, expression(initial)) for scalar, initial in carries)


def _after(nexts: Sequence[Expr], results: Sequence[Scalar]) -> list[str]:
    if not results:
        return []
    names = ", ".join(scalar.name for scalar in results)
    return [f"  next {', '.join(map(expression, nexts))}", f"  giving {names}"]


def _tiles(tiles: Tiles) -> list[str]:
    sizes = f"{tiles.tile} at a time, {tiles.block} tiles a block"
    lines = [f"tiles of {tiles.count} from {tiles.first} < {tiles.extent}, {sizes}:"]
    lines += [f"  join {buffer} by {combine}" for buffer, combine in tiles.sums]
    return [*lines, *statements(tiles.body, "  ")]


def _lines(statement: Statement) -> list[str]:
    if isinstance(statement, Let | Check):
        return [_let(statement)]
    if isinstance(statement, Store):
        return [f"{place(statement.place)} = {expression(statement.value)}"]
    if isinstance(statement, Copy):
        return [f"{place(statement.target)} = {place(statement.source)}, {statement.size} elements"]
    if isinstance(statement, Call):
        reads = ", ".join(map(place, statement.operands[: statement.reads]))
        writes = ", ".join(map(place, statement.operands[statement.reads :]))
        return [f"{writes} = call {statement.number}({reads})"]
    if isinstance(statement, External):
        args = [place(a) if isinstance(a, Place) else expression(a) for a in statement.arguments]
        results = ", ".join(scalar.name for _, scalar in statement.results)
        return [f"{results + ' = ' if results else ''}{statement.symbol}({', '.join(args)})"]
    if isinstance(statement, Kernel):
        axes = ", ".join(f"{name} < {extent}" for name, extent in statement.axes)
        lines = [f"for all {axes}:"]
        lines += ["  " + _let(each) for each in statement.body]
        return lines + ["  " + _write(write) for write in statement.writes]
    if isinstance(statement, For):
        order = ", reverse" if statement.reverse else ""
        carries = f"; {_carries(statement.carries)}" if statement.carries else ""
        lines = [f"for {statement.index} < {expression(statement.extent)}{order}{carries}:"]
        lines += statements(statement.body, "  ")
        return lines + _after(statement.nexts, statement.results)
    if isinstance(statement, Tiles):
        return _tiles(statement)
    if isinstance(statement, While):
        lines = [f"while; {_carries(statement.carries)}:"]
        lines += statements(statement.test, "  ")
        lines.append(f"  as long as {expression(statement.condition)}:")
        lines += statements(statement.body, "    ")
        return lines + _after(statement.nexts, statement.results)
    assert isinstance(statement, Branch)
    lines = [f"choose {expression(statement.index)}:"]
    for number, (body, values) in enumerate(statement.branches):
        lines.append(f"  {number}:")
        lines += statements(body, "    ")
        if values:
            lines.append(f"    give {', '.join(map(expression, values))}")
    if statement.results:
        lines.append(f"  giving {', '.join(scalar.name for scalar in statement.results)}")
    return lines
