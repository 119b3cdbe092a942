"""Kernels up to names: equal ones become one function."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pullback.compiler.llvm.holes import Hole
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.loops import Expr, Kernel, Let, Name, Place, Scalar

__all__ = ["Canonical"]


class Canonical(Rewriting):
    """A kernel with names of its own, and what they stand for.

    Attributes
    ----------
    result : Kernel
    buffers : dict of str to str
        The buffers that it uses, in order, each with its name in `result`.
    scalars : dict of Name to str
        Those that it takes from outside.
    holes : dict of int to int
        Of each hole's index its index in `result`.
    results : dict of str to Scalar
        Of each scalar that it gives the one in `result`.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.buffers: dict[str, str] = {}
        self.scalars: dict[Name, str] = {}
        self.holes: dict[int, int] = {}
        self.results: dict[str, Scalar] = {}
        self._names = {axis.name: f"a{n}" for n, axis in enumerate(kernel.axes)}
        for n, let in enumerate(each for each in kernel.body if isinstance(each, Let)):
            self._names[let.scalar.name] = f"l{n}"
        for write in kernel.writes:
            if isinstance(write.target, Scalar):
                name = f"r{len(self.results)}"
                self._names[write.target.name] = name
                self.results[write.target.name] = Scalar(name, write.target.dtype)
        self.result = self.kernel(kernel)

    def key(self, local: Collection[str]) -> str:
        """What the function depends on; `local` are the buffers that may live in registers."""
        inside = [name for given, name in self.buffers.items() if given in local]
        return repr((self.result, inside, [(s.dtype, name) for s, name in self.scalars.items()]))

    def expr(self, expr: Expr) -> Expr:
        if isinstance(expr, Name) and expr.name not in self._names:
            return Name(self._outer(expr), expr.dtype)
        return super().expr(expr)

    def place(self, place: Place) -> Place:
        for name, _ in place.terms:
            if name not in self._names:
                self._outer(Name(name, "int64"))
        return super().place(place)

    def _outer(self, name: Name) -> str:
        return self.scalars.setdefault(name, f"s{len(self.scalars)}")

    def name(self, name: str) -> str:
        return self._names.get(name) or self.scalars[Name(name, "int64")]

    def buffer(self, name: str) -> str:
        return self.buffers.setdefault(name, f"b{len(self.buffers)}")

    def number(self, value: Any) -> Any:
        if isinstance(value, Hole):
            return value.at(self.holes.setdefault(value.index, len(self.holes)))
        return value

    def extent(self, value: int) -> int:
        return self.number(value)  # type: ignore[no-any-return]
