"""A module of LLVM text in the making: its functions, and what they need declared."""

from __future__ import annotations

from typing import Protocol

from pullback.compiler.elementary import text as elementary_text
from pullback.compiler.llvm.values import Value, lane_type

__all__ = ["Code", "Lines", "Module", "Writing", "splat"]

_ATTRIBUTES = """\
attributes #0 = { nounwind "min-legal-vector-width"="512" "prefer-vector-width"="512" }
attributes #1 = { nounwind noinline "min-legal-vector-width"="512" "prefer-vector-width"="512" }
attributes #2 = { nounwind alwaysinline "min-legal-vector-width"="512" \
"prefer-vector-width"="512" }"""


class Module:
    """The functions that were written, each once, and what they call."""

    def __init__(self) -> None:
        self._functions: dict[str, str] = {}
        self._globals: dict[str, None] = {}
        self._declarations: dict[str, None] = {}
        self._elementary: dict[tuple[str, str, int], None] = {}

    def declare(self, declaration: str) -> None:
        self._declarations[declaration] = None

    def constant(self, definition: str) -> None:
        self._globals[definition] = None

    def define(self, name: str, function: str) -> None:
        """Add a function, unless there is one of this name."""
        self._functions.setdefault(name, function)

    def defines(self, name: str) -> bool:
        return name in self._functions

    def elementary(self, name: str, dtype: str, lanes: int) -> str:
        """The name of an elementary function, which the module will have."""
        self._elementary[name, dtype, lanes] = None
        suffix = "f64" if dtype == "float64" else "f32"
        return f"@pb.{name}.{suffix}" + (f"x{lanes}" if lanes > 1 else "")

    def text(self) -> str:
        taken = elementary_text(self._elementary)
        declared = dict.fromkeys((*self._declarations, *taken.declarations))
        parts = ["\n".join(self._globals), "\n".join(declared)]
        parts += [*taken.functions, *self._functions.values(), _ATTRIBUTES]
        return "\n\n".join(part for part in parts if part) + "\n"


class Writing(Protocol):
    """What takes instructions, and names the registers of their values."""

    def op(self, instruction: str) -> str: ...


class Code:
    """A function in the making: its registers and labels have names of their own."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._count = 0

    def fresh(self, hint: str = "v") -> str:
        self._count += 1
        return f"%{hint}{self._count}"

    def label(self, hint: str) -> str:
        self._count += 1
        return f"{hint}{self._count}"


class Lines:
    """A stretch of a function's text, which can still grow when later stretches have begun."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.module = code.module
        self._parts: list[str | Lines] = []

    def op(self, instruction: str) -> str:
        """Append an instruction; the register that holds its value."""
        name = self.code.fresh()
        self._parts.append(f"  {name} = {instruction}")
        return name

    def do(self, instruction: str) -> None:
        """Append an instruction without a value."""
        self._parts.append(f"  {instruction}")

    def line(self, text: str) -> None:
        self._parts.append(text)

    def block(self, label: str) -> None:
        self._parts.append(f"{label}:")

    def inner(self) -> Lines:
        """A stretch that begins here."""
        stretch = Lines(self.code)
        self._parts.append(stretch)
        return stretch

    def flat(self) -> list[str]:
        found: list[str] = []
        for part in self._parts:
            if isinstance(part, str):
                found.append(part)
            else:
                found += part.flat()
        return found

    def intrinsic(self, name: str, result: str, *args: Value) -> str:
        """Call a function of LLVM's, whose name ends in the first argument's type."""
        suffix = _suffix(args[0])
        types = ", ".join(arg.type for arg in args)
        self.module.declare(f"declare {result} @llvm.{name}.{suffix}({types})")
        given = ", ".join(arg.typed for arg in args)
        return self.op(f"call {result} @llvm.{name}.{suffix}({given})")


def _suffix(value: Value) -> str:
    lane = lane_type(value.dtype)
    short = {"double": "f64", "float": "f32"}.get(lane, lane)
    return short if value.lanes == 1 else f"v{value.lanes}{short}"


def splat(at: Writing, value: Value, lanes: int) -> Value:
    """The same number in each lane."""
    if value.lanes == lanes:
        return value
    if not value.text.startswith("%"):
        return Value(f"splat ({value.typed})", value.dtype, lanes)
    wide = Value("", value.dtype, lanes)
    first = at.op(f"insertelement {wide.type} poison, {value.typed}, i64 0")
    text = at.op(
        f"shufflevector {wide.type} {first}, {wide.type} poison, <{lanes} x i32> zeroinitializer"
    )
    return wide._replace(text=text)
