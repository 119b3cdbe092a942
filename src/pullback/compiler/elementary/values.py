"""LLVM text, one value after another: what the bodies of elementary functions are written with.

A `Value` stands for a number in each lane, and is computed with like a number. Nothing is ever
contracted or reassociated: an operation written here is an operation of the machine, so that
error-free transformations hold, and a fused multiply-add is where `Body.fma` says so.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

__all__ = ["Body", "Operand", "Value", "lane_type", "symbol"]

REAL = {"float64": "double", "float32": "float"}
INTEGER = {"double": "i64", "float": "i32"}
SUFFIX = {"double": "f64", "float": "f32"}
OUTLINED = 'noinline cold nounwind "min-legal-vector-width"="512" "prefer-vector-width"="512"'
"""The attributes of functions for rare cases, which take vectors as their callers do."""


def lane_type(kind: str, lanes: int) -> str:
    """The LLVM type of so many lanes; one lane is a scalar."""
    return kind if lanes == 1 else f"<{lanes} x {kind}>"


def symbol(name: str, dtype: str, lanes: int) -> str:
    """The name in LLVM text of an elementary function: ``@pb.exp.f64x8``, ``@pb.exp.f64``."""
    return f"@pb.{name}.{SUFFIX[REAL[dtype]]}{'' if lanes == 1 else f'x{lanes}'}"


def _hexadecimal(number: float) -> str:
    """The bits of a double, which is how LLVM writes one exactly."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"


class Value:
    """A number in each lane: `kind` is double, float, i64, i32 or i1."""

    __slots__ = ("body", "kind", "text")

    def __init__(self, body: Body, kind: str, text: str) -> None:
        self.body, self.kind, self.text = body, kind, text

    def __add__(self, other: Operand) -> Value:
        return self.body.binary("add", self, other)

    def __radd__(self, other: Operand) -> Value:
        return self.body.binary("add", other, self)

    def __sub__(self, other: Operand) -> Value:
        return self.body.binary("sub", self, other)

    def __rsub__(self, other: Operand) -> Value:
        return self.body.binary("sub", other, self)

    def __mul__(self, other: Operand) -> Value:
        return self.body.binary("mul", self, other)

    def __rmul__(self, other: Operand) -> Value:
        return self.body.binary("mul", other, self)

    def __truediv__(self, other: Operand) -> Value:
        return self.body.binary("div", self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return self.body.binary("div", other, self)

    def __neg__(self) -> Value:
        return self.body.emit(self.kind, f"fneg {self.typed}")

    def __lshift__(self, places: int) -> Value:
        return self.body.binary("shl", self, places)

    def __rshift__(self, places: int) -> Value:
        """Zeros come in from the left."""
        return self.body.binary("lshr", self, places)

    def __and__(self, other: Operand) -> Value:
        return self.body.binary("and", self, other)

    def __or__(self, other: Operand) -> Value:
        return self.body.binary("or", self, other)

    def __xor__(self, other: Operand) -> Value:
        return self.body.binary("xor", self, other)

    def __invert__(self) -> Value:
        return self.body.binary("xor", self, -1)

    def __lt__(self, other: Operand) -> Value:
        return self.body.compare("lt", self, other)

    def __le__(self, other: Operand) -> Value:
        return self.body.compare("le", self, other)

    def __gt__(self, other: Operand) -> Value:
        return self.body.compare("gt", self, other)

    def __ge__(self, other: Operand) -> Value:
        return self.body.compare("ge", self, other)

    def equals(self, other: Operand) -> Value:
        """Whether the two are the same number; false for NaN."""
        return self.body.compare("eq", self, other)

    def differs(self, other: Operand) -> Value:
        """Whether the two are not the same number; true for NaN."""
        return self.body.compare("ne", self, other)

    @property
    def typed(self) -> str:
        """The value with its type in front, as LLVM wants its operands."""
        return f"{lane_type(self.kind, self.body.lanes)} {self.text}"


Operand: TypeAlias = Value | float | int


class Body:
    """The body of one function, which grows by a line with every operation."""

    def __init__(self, dtype: str, lanes: int) -> None:
        self.dtype, self.lanes = dtype, lanes
        self.real = REAL[dtype]
        self.integer = INTEGER[self.real]
        self.lines: list[str] = []
        self.block = "entry"
        """The label of the block that lines are appended to."""
        self.declarations: dict[str, None] = {}
        """The declarations of the intrinsic functions and tables that are used, in order."""
        self.calls: dict[tuple[str, str, int], None] = {}
        """The elementary functions that are called: name, dtype and lanes of each."""

    # -- lines --------------------------------------------------------------------------------

    def emit(self, kind: str, operation: str) -> Value:
        """Append an operation whose result is of this kind."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {operation}")
        return Value(self, kind, name)

    def constant(self, number: float | int, kind: str | None = None) -> Value:
        """A number in every lane."""
        kind = kind or self.real
        if kind == "double" or kind == "float":
            # LLVM writes both as the bits of a double; a float must be one exactly.
            if kind == "float":
                (number,) = struct.unpack("<f", struct.pack("<f", number))
            text = _hexadecimal(number)
        else:
            text = str(int(number))
        if self.lanes > 1:
            text = f"splat ({kind} {text})"
        return Value(self, kind, text)

    def binary(self, operation: str, x: Operand, y: Operand) -> Value:
        """An operation on two values of one kind, one of which may be a Python number."""
        a, b = self._same(x, y)
        prefix = "f" if a.kind in INTEGER and operation in ("add", "sub", "mul", "div") else ""
        return self.emit(a.kind, f"{prefix}{operation} {a.typed}, {b.text}")

    def compare(self, relation: str, x: Operand, y: Operand) -> Value:
        """A relation in each lane; with NaN only "ne" holds."""
        a, b = self._same(x, y)
        if a.kind in INTEGER:
            operation = f"fcmp {'u' if relation == 'ne' else 'o'}{relation}"
        else:
            operation = f"icmp {relation if relation in ('eq', 'ne') else f's{relation}'}"
        return self.emit("i1", f"{operation} {a.typed}, {b.text}")

    def select(self, condition: Value, x: Operand, y: Operand) -> Value:
        """`x` where the condition holds and `y` elsewhere."""
        a, b = self._same(x, y)
        return self.emit(a.kind, f"select {condition.typed}, {a.typed}, {b.typed}")

    def _same(self, x: Operand, y: Operand) -> tuple[Value, Value]:
        """Both as values, numbers taking the kind of the other."""
        kind = x.kind if isinstance(x, Value) else y.kind if isinstance(y, Value) else self.real
        a = x if isinstance(x, Value) else self.constant(x, kind)
        b = y if isinstance(y, Value) else self.constant(y, kind)
        assert a.kind == b.kind, (a.typed, b.typed)
        return a, b

    # -- intrinsic functions ------------------------------------------------------------------

    def intrinsic(self, name: str, *operands: Operand) -> Value:
        """An intrinsic function of LLVM on values of one kind, and with a result of it."""
        given = [x for x in operands if isinstance(x, Value)]
        kind = given[0].kind if given else self.real
        values = [x if isinstance(x, Value) else self.constant(x, kind) for x in operands]
        type_ = lane_type(kind, self.lanes)
        suffix = SUFFIX.get(kind, kind)
        full = f"@llvm.{name}.{suffix if self.lanes == 1 else f'v{self.lanes}{suffix}'}"
        self.declarations[f"declare {type_} {full}({', '.join([type_] * len(values))})"] = None
        return self.emit(kind, f"call {type_} {full}({', '.join(x.typed for x in values)})")

    def fma(self, x: Operand, y: Operand, z: Operand) -> Value:
        """x·y + z, rounded once."""
        return self.intrinsic("fma", x, y, z)

    def absolute(self, x: Value) -> Value:
        return self.intrinsic("fabs", x)

    def copysign(self, x: Operand, y: Value) -> Value:
        """The size of `x` with the sign of `y`."""
        if not isinstance(x, Value):
            x = self.constant(x, y.kind)
        return self.intrinsic("copysign", x, y)

    def sqrt(self, x: Value) -> Value:
        return self.intrinsic("sqrt", x)

    def rint(self, x: Value) -> Value:
        """The nearest whole number, the even one of two."""
        return self.intrinsic("rint", x)

    def smaller(self, x: Operand, y: Operand) -> Value:
        """The smaller of the two, and `y` if either is NaN: one instruction where there is one."""
        a, b = self._same(x, y)
        return self.select(a < b, a, b)

    def larger(self, x: Operand, y: Operand) -> Value:
        """The larger of the two, and `y` if either is NaN."""
        a, b = self._same(x, y)
        return self.select(a > b, a, b)

    def is_nan(self, x: Value) -> Value:
        return self.unordered(x, x)

    def unordered(self, x: Value, y: Value) -> Value:
        """Whether either is NaN."""
        return self.emit("i1", f"fcmp uno {x.typed}, {y.text}")

    # -- bits and conversions -----------------------------------------------------------------

    def bits(self, x: Value) -> Value:
        """The bits of a floating-point number as an integer."""
        return self._cast("bitcast", x, INTEGER[x.kind])

    def from_bits(self, x: Value) -> Value:
        """The floating-point number that has these bits."""
        return self._cast("bitcast", x, "double" if x.kind == "i64" else "float")

    @property
    def sign_bit(self) -> int:
        """The bit that makes a number of the body's dtype negative, as an integer of its size."""
        return -(2**63) if self.integer == "i64" else -(2**31)

    def widened(self, x: Value) -> Value:
        """A float as a double."""
        return self._cast("fpext", x, "double")

    def narrowed(self, x: Value) -> Value:
        """A double, rounded to a float."""
        return self._cast("fptrunc", x, "float")

    def _cast(self, operation: str, x: Value, kind: str) -> Value:
        return self.emit(kind, f"{operation} {x.typed} to {lane_type(kind, self.lanes)}")

    # -- rare cases, tables -------------------------------------------------------------------

    def unless_rare(
        self, rare: Value, common: Sequence[Value], otherwise: Callable[[], Sequence[Value]]
    ) -> list[Value]:
        """`common`, except in lanes where the condition `rare` holds, which have `otherwise`.

        What that writes is skipped if the condition holds in no lane.
        """
        start, number = self.block, len(self.lines)
        self._branch(rare, f"rare{number}", f"after{number}")
        self._begin(f"rare{number}")
        mixed = [self.select(rare, y, x) for x, y in zip(common, otherwise(), strict=True)]
        end = self.block
        self.lines.append(f"  br label %after{number}")
        self._begin(f"after{number}")
        return [
            self.emit(
                x.kind,
                f"phi {lane_type(x.kind, self.lanes)} [ {x.text}, %{start} ], [ {y.text}, %{end} ]",
            )
            for x, y in zip(common, mixed, strict=True)
        ]

    def _branch(self, condition: Value, where: str, elsewhere: str) -> None:
        """To `where` if the condition holds in any lane."""
        text = condition.text
        if self.lanes > 1:
            reduction = f"i1 @llvm.vector.reduce.or.v{self.lanes}i1"
            self.declarations[f"declare {reduction}(<{self.lanes} x i1>)"] = None
            text = self.emit("i1", f"call {reduction}({condition.typed})").text
        self.lines.append(f"  br i1 {text}, label %{where}, label %{elsewhere}")

    def _begin(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.block = label

    def looked_up(self, name: str, table: Sequence[float], index: Value) -> Value:
        """The element of a table of doubles that an i64 numbers, which must be inside."""
        content = ", ".join(f"double {_hexadecimal(number)}" for number in table)
        self.declarations[
            f"@pb.{name} = internal unnamed_addr constant [{len(table)} x double] [{content}]"
        ] = None
        pointer = self.emit("ptr", f"getelementptr double, ptr @pb.{name}, {index.typed}")
        if self.lanes == 1:
            return self.emit("double", f"load double, {pointer.typed}, align 8")
        type_, lanes = lane_type("double", self.lanes), self.lanes
        gather = f"{type_} @llvm.masked.gather.v{lanes}f64.v{lanes}p0"
        self.declarations[f"declare {gather}(<{lanes} x ptr>, i32, <{lanes} x i1>, {type_})"] = None
        arguments = f"<{lanes} x ptr> {pointer.text}, i32 8, <{lanes} x i1> splat (i1 true)"
        return self.emit("double", f"call {gather}({arguments}, {type_} poison)")

    # -- calls --------------------------------------------------------------------------------

    def call(self, name: str, *operands: Value) -> Value:
        """Another elementary function, of the dtype that the operands have."""
        kind = operands[0].kind
        dtype = "float64" if kind == "double" else "float32"
        self.calls[name, dtype, self.lanes] = None
        arguments = ", ".join(x.typed for x in operands)
        type_ = lane_type(kind, self.lanes)
        return self.emit(kind, f"call {type_} {symbol(name, dtype, self.lanes)}({arguments})")

    def call_outlined(self, name: str, results: int, *operands: Value) -> list[Value]:
        """A function that is not in line, of doubles, and has several results."""
        self.calls[name, "float64", self.lanes] = None
        arguments = ", ".join(x.typed for x in operands)
        type_ = f"{{ {', '.join([lane_type('double', self.lanes)] * results)} }}"
        parts = self.emit(type_, f"call {type_} {symbol(name, 'float64', self.lanes)}({arguments})")
        return [
            self.emit("double", f"extractvalue {type_} {parts.text}, {i}") for i in range(results)
        ]

    def define(self, name: str, parameters: Sequence[Value], results: Sequence[Value]) -> str:
        """The whole function as text: in line if it has one result, and outlined if several."""
        type_, attributes = lane_type(self.real, self.lanes), "alwaysinline nounwind"
        lines, last = ["entry:", *self.lines], results[0].typed
        if len(results) > 1:
            attributes, single = OUTLINED, type_
            type_ = f"{{ {', '.join([single] * len(results))} }}"
            last = f"{type_} poison"
            for i, result in enumerate(results):
                lines.append(f"  %r{i} = insertvalue {last}, {result.typed}, {i}")
                last = f"{type_} %r{i}"
        heading = (
            f"define internal {type_} "
            f"{symbol(name, self.dtype, self.lanes)}({', '.join(x.typed for x in parameters)})"
        )
        return "\n".join([f"{heading} {attributes} {{", *lines, f"  ret {last}", "}"])
