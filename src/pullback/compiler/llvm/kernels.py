"""Kernels as functions, each once for all that are equal up to names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from pullback.compiler.llvm.canonical import Canonical
from pullback.compiler.llvm.holes import Hole, constant_value
from pullback.compiler.llvm.joining import identity
from pullback.compiler.llvm.merging import merged
from pullback.compiler.llvm.module import Code, Lines, Module
from pullback.compiler.llvm.nests import Nest
from pullback.compiler.llvm.planning import Access, plan, starts_apart
from pullback.compiler.llvm.values import Value, lane_type
from pullback.compiler.loops import Check, Const, Expr, Kernel, Let, Name, Scalar, Write

__all__ = ["Call", "Kernels"]

_SMALL = 100
"""Lines of a function that is put where it is called, if it works on registers there."""


class Call(NamedTuple):
    """How to call the function of a kernel.

    Attributes
    ----------
    function : str
    buffers, scalars, holes : tuple
        What it takes, in this order.
    returns : str
        The type that it returns: void, or a structure of the error and the results.
    fails : bool
        Whether there may be an error.
    results : tuple of Scalar
    inline : int
        Lines of the function, if it is put where it is called; 0 if not.
    """

    function: str
    buffers: tuple[str, ...]
    scalars: tuple[Name, ...]
    holes: tuple[int, ...]
    returns: str
    fails: bool
    results: tuple[Scalar, ...]
    inline: int


class Kernels:
    """The functions of a module's kernels."""

    def __init__(self, module: Module, *, apart: bool = True) -> None:
        self._module = module
        self._apart = apart
        self._functions: dict[str, tuple[str, int]] = {}

    def call(self, kernel: Kernel, local: Collection[str]) -> Call:
        """The call of a kernel; `local` are the buffers that may live in registers."""
        canonical = Canonical(kernel)
        fails = any(isinstance(each, Check) for each in kernel.body)
        dtypes = [scalar.dtype for scalar in canonical.results.values()]
        members = ["i32"] * fails + [lane_type(dtype) for dtype in dtypes]
        returns = f"{{ {', '.join(members)} }}" if members else "void"
        key = canonical.key(local)
        if key not in self._functions:
            name = f"@kernel.{len(self._functions)}"
            inside = {new for old, new in canonical.buffers.items() if old in local}
            text = _Function(self._module, canonical, returns, apart=self._apart).text(name, inside)
            self._module.define(name, text)
            inline = text.count("\n") if text.partition("\n")[0].endswith("#2 {") else 0
            self._functions[key] = name, inline
        name, inline = self._functions[key]
        results = tuple(Scalar(given, s.dtype) for given, s in canonical.results.items())
        return Call(
            name,
            tuple(canonical.buffers),
            tuple(canonical.scalars),
            tuple(canonical.holes),
            returns,
            fails,
            results,
            inline,
        )


class _Function:
    """The function of a kernel in the making."""

    def __init__(self, module: Module, canonical: Canonical, returns: str, *, apart: bool) -> None:
        self._attribute = "noalias " if apart else ""
        self._code = Code(module)
        self._canonical = canonical
        self._returns = returns
        self._errors: dict[int, None] = {}

    def text(self, name: str, local: Collection[str]) -> str:
        lines = Lines(self._code)
        results = self._body(lines, local)
        self._return(lines, results)
        for error in self._errors:
            lines.block(f"error{error}")
            lines.do(f"ret {self._returns} {self._failed(error)}")
        body = lines.flat()
        looping = any(line.endswith(":") for line in body)
        inside = bool(local) and not looping and len(body) <= _SMALL
        header = (
            f"define internal {self._returns} {name}({self._parameters()}) #{2 if inside else 0}"
        )
        return "\n".join([f"{header} {{", *body, "}"])

    def _parameters(self) -> str:
        found = [f"ptr {self._attribute}%{name}" for name in self._canonical.buffers.values()]
        scalars = self._canonical.scalars.items()
        found += [f"{lane_type(scalar.dtype)} %{name}" for scalar, name in scalars]
        found += [f"i64 %hole{number}" for number in self._canonical.holes.values()]
        return ", ".join(found)

    def _body(self, lines: Lines, local: Collection[str]) -> dict[str, Value]:
        kernel = merged(self._canonical.result)
        if any(axis.extent == 0 and not isinstance(axis.extent, Hole) for axis in kernel.axes):
            return self._empty(lines, kernel, local)
        chosen = plan(kernel, local)
        writes: list[Write] = []
        for write in kernel.writes:
            if starts_apart(kernel, write, chosen):
                self._start(lines, kernel, write, local)
                write = replace(write, start=None)
            writes.append(write)
        nest = Nest(self._code, replace(kernel, writes=tuple(writes)), chosen, self._fail)
        return nest.emit(lines)

    def _start(self, lines: Lines, kernel: Kernel, write: Write, local: Collection[str]) -> None:
        """Write what is joined with values to come to each place that they go to."""
        assert write.start is not None and not isinstance(write.target, Scalar)
        access = Access(kernel)
        kept = access.place_axes(write.target)
        axes = tuple(axis for axis in kernel.axes if axis.name in kept)
        if any(axis.extent == 0 for axis in axes):
            return
        body = tuple(each for each in kernel.body if access.axes(_of(each)) <= kept)
        apart = Kernel(axes, body, (Write(write.target, write.start),))
        Nest(self._code, apart, plan(apart, local), self._fail).emit(lines)

    def _empty(self, lines: Lines, kernel: Kernel, local: Collection[str]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for write in kernel.writes:
            if isinstance(write.target, Scalar):
                found[write.target.name] = self._nothing(lines, write)
            elif write.start is not None:
                self._start(lines, kernel, write, local)
        return found

    def _nothing(self, lines: Lines, write: Write) -> Value:
        if write.start is None:
            return identity(write.combine, write.value.dtype, 1)
        if isinstance(write.start, Const):
            return constant_value(lines, write.start)
        assert isinstance(write.start, Name)
        return Value(f"%{write.start.name}", write.start.dtype)

    # -- leaving ---------------------------------------------------------------------------------

    def _fail(self, lines: Lines, failed: str, error: int) -> None:
        self._errors[error] = None
        following = self._code.label("holds")
        lines.do(f"br i1 {failed}, label %error{error}, label %{following}")
        lines.block(following)

    def _failed(self, error: int) -> str:
        members = [f"i32 {error}"]
        for scalar in self._canonical.results.values():
            members.append(f"{lane_type(scalar.dtype)} poison")
        return f"{{ {', '.join(members)} }}"

    def _return(self, lines: Lines, results: dict[str, Value]) -> None:
        if self._returns == "void":
            lines.do("ret void")
            return
        values = [results[scalar.name].typed for scalar in self._canonical.results.values()]
        if self._fails():
            values = ["i32 0", *values]
        record = f"{self._returns} poison"
        for number, value in enumerate(values):
            record = f"{self._returns} {lines.op(f'insertvalue {record}, {value}, {number}')}"
        lines.do(f"ret {record}")

    def _fails(self) -> bool:
        return any(isinstance(each, Check) for each in self._canonical.result.body)


def _of(statement: Let | Check) -> Expr:
    return statement.value if isinstance(statement, Let) else statement.condition
