"""Random programs that make arrays, look into them, and write to them, as text.

A program is a list of statements. Each is drawn from a table of templates, run in plain NumPy, and
kept if it runs there without error or warning and leaves all values moderate.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Program", "generate"]

NEW = {
    "of nothing": [
        "np.zeros({shape}{kind})", "np.ones({shape}{kind})", "np.full({shape}, {real}{kind})",
        "np.eye(3)", "np.identity(2)", "np.tri(3)", "np.arange(3.0)", "np.linspace(s, 1, 3)",
        "np.zeros(3, like=x)", "np.diag([1.0, s])", "np.zeros((2, 3)).T", "np.zeros(0)",
        "np.fromfunction(lambda i, j: i + j * s, (2, 3))", "np.meshgrid([1.0, s], [2.0, 3.0])[0]",
        "np.zeros_like({a}{kind})", "np.full_like({a}, {real}{order})", "np.ones_like({a})",
        "np.geomspace(1.0, np.array(2.0), 3)", "np.linspace(0.0, np.ones(()), 3)",
    ],
    "of others": [
        "np.array({square}{kind}{copied})", "np.array({triple}{copied})",
        "np.array([{row}, {row}])",
        "np.asarray({square}{order})", "np.asfortranarray([{row}, {a}[0]])", "np.array({scalar})",
        "np.array({a}{order}{copied})", "np.asarray({a})", "np.asanyarray({a}{order})",
        "np.asarray({a}, copy=None)", "np.array({a}, copy=None)", "np.copy({a}{order})",
        "np.ascontiguousarray({a})", "np.asfortranarray({a})", "np.require({a}, None, {demands})",
        "{a}.copy()", "{a}.astype({a}.dtype)", "{a}.astype({a}.dtype, copy=False)",
        "np.fromiter(({real}, {real}), float)", "np.fromiter((e * 2 for e in [{real}, s]), float)",
        "np.block([{pair}, {scalar}])", "np.block([[{square}, {square}]])", "np.atleast_1d({real})",
        "np.array(np.array({pair}, dtype=object).tolist())", "np.atleast_2d({pair})",
        "np.array([e for e in {a}])",
    ],
    "joined": [
        "np.stack([{a}, {value}])", "np.concatenate([{a}, {same}])", "np.vstack([{a}, {same}])",
        "np.concatenate(({a}, {same}), axis=None)", "np.hstack([{a}, {same} * s])",
        "np.column_stack([{a}, {same}])", "np.append({a}, {scalar})", "np.tile({a}, 2)",
        "np.repeat({a}, 2)", "np.dstack([{a}, {same}])", "np.pad({a}, 1)", "np.roll({a}, 1)",
        "np.resize({a}, (2, 2))", "np.insert({a}, 1, {real})", "np.delete({a}, 0)",
        "np.where({a}.real > 0, {a}, {same})", "np.where({a}.real > 0, 1.0, -0.5)",
    ],
    "views": [
        "{a}[{slices}]", "{a}[{slices}]", "{a}[{slices}]", "{a}.T", "{a}.reshape(-1)",
        "{a}.reshape({a}.shape[::-1])", "{a}.reshape(-1, order='F')", "np.reshape({a}, (-1, 1))",
        "{a}.ravel()", "np.ravel({a}, 'F')", "{a}.ravel('K')", "{a}.flatten()", "{a}.real",
        "{a}.imag", "np.diagonal({a})", "np.diag({a})", "np.swapaxes({a}, 0, -1)",
        "np.squeeze({a})", "np.expand_dims({a}, 0)", "np.atleast_2d({a})", "np.flip({a})",
        "np.broadcast_to({a}, (2, *{a}.shape))", "np.moveaxis({a}, 0, -1)", "{a}.conj()",
        "np.array_split({a}, 2)[1]", "np.real({a})", "np.rot90(np.atleast_2d({a}))",
        "np.asarray({a}[...])", "next(iter({a}))", "list({a})[-1]", "np.einsum('ij->ji', {a})",
        "np.broadcast_arrays({a}, 1.0)[0]", "np.nan_to_num({a}, copy=False)", "{a}[I]",
    ],
    "values": [
        "{a} + {value}", "{a} - {value}", "{a} * {scalar}", "np.sin({a})",
        "np.multiply({a}, {value})",
        "np.sum({a}, axis=0)", "np.cumsum({a})", "np.outer({a}, {pair})", "np.dot({a}, {row})",
        "np.mean({triple})", "np.sum({square})", "np.exp({pair})", "-{a}", "{a} ** 2",
        "{a} @ {a}.T",
        "{a}.sum()", "{a}.mean(0)", "np.linalg.det(np.array({square}))", "sum({a})",
        "np.cross({triple}, {triple})", "np.interp(s, [0.0, 1.0], {reals})", "np.kron({a}, {pair})",
    ],
}  # fmt: skip

WRITES = [
    "{a}[{index}] = {storable}", "{a}[{index}] *= {storable}", "{a}[{slices}] = {part}",
    "{a}[{slices}] = {part}", "{a}[{slices}] += {part}", "{a}[{slices}] *= {part}",
    "{a} += {filling}", "{a} *= {storable}", "{a} -= {a}", "{a}[...] = {filling}",
    "{a}[I] = {storable}", "{a}[I] += {storable}", "{a}[[0, -1]] = {storable}",
    "np.add.at({a}, [0, 0, -1], {storable})", "np.multiply.at({a}, [0, -1], {storable})",
    "np.copyto({a}, {filling})", "np.copyto({a}, {storable}, where={even})",
    "np.put({a}, [0, -1], [{storable}, {storable}])", "np.fill_diagonal({a}, {storable})",
    "np.add({a}, {storable}, out={a})", "np.sin({a}, {a})", "np.negative({a}, out={a}[...])",
    "np.multiply({a}, {filling}, out={a})", "np.cumsum({a}, axis=0, out={a})",
    "np.sum({a}, axis=0, out={a}[0])", "np.matmul({a}, {a}, out={a})", "{a}.fill({storable})",
    "{a}.flat[0] = {storable}", "{a}.flat = {storable}", "{a}.real = {real}", "{a}[::-1] = {a}",
    "{a}[1:] += {a}[:-1]", "{a}[:-1] = {a}[1:]", "{a}[{a}.real > 0] = {storable}",
    "np.putmask({a}, {a}.real > 0, {storable})", "np.add({a}, 1.0, out={a}, where={a}.real > 0)",
    "{a}[0], {a}[-1] = {a}[-1], {a}[0]", "np.asarray({a})[...] = {storable}",
    "{a}.reshape(-1)[0] = {storable}", "{a}.ravel()[-1] = {storable}", "{a} **= 2", "{a} += {a}.T",
    "for row in {a}: row *= {storable}", "for row in {a}: row[...] = {storable}",
    "{a}[None, ..., 0] = {storable}", "np.exp({a} * 0.5, out={a})", "{a}[()] = {filling}",
    "np.put_along_axis({a}, np.zeros((1, *{a}.shape[1:]), int), {storable}, 0)",
]  # fmt: skip

MAKERS = re.compile(
    r"np\.(array|copy|zeros|ones|full|require|as|atleast|stack|concatenate|vstack|hstack|dstack|"
    r"column_stack|append|tile|repeat|block|pad|resize|insert|delete|where|diag\()"
)
"""What makes an array that can hold derivatives, even of arrays from outside."""

SHAPES = [(3,), (4,), (2, 3), (2, 2), (3, 3), (2, 1, 2)]


@dataclass
class Program:
    """Statements on ``x``, an array, ``s``, a number, and arrays ``P``, ``Q``, ``I`` from outside.

    Attributes
    ----------
    x : array
    s : float
    outside : dict of arrays
    statements : list of str
    """

    x: Any
    s: Any
    outside: dict[str, Any]
    statements: list[str] = field(default_factory=list)

    def source(self, copied: bool = False) -> str:
        """The function; its results are all variables, which ``log`` has been told of before."""
        names: list[str] = []
        body = ["P, Q, I = outside()", *(["x = np.array(x)"] if copied else [])]
        for statement in self.statements:
            body.append(statement)
            name = statement.partition(" = ")[0]
            if re.fullmatch(r"v\d+", name) and name not in names:
                names.append(name)
                body.append(f"log({name})")
        lines = "".join(f"    {line}\n" for line in body)
        return f"def f(x, s):\n{lines}    return [{', '.join([*names, 'x', 's'])}]\n"

    def compiled(self, log: Callable[[Any], Any], copied: bool = False) -> Callable[..., Any]:
        """The function, which works on `x` itself, or with `copied` on a copy of it."""

        def outside() -> list[Any]:
            return [array.copy(order="K") for array in self.outside.values()]

        namespace: dict[str, Any] = {"np": np, "log": log, "outside": outside}
        exec(compile(self.source(copied), "<program>", "exec"), namespace)
        function: Callable[..., Any] = namespace["f"]
        return function


class UnfitError(Exception):
    """No array is there that a template could be about."""


class Fields:
    """What stands in the fields of a template, drawn as they are asked for."""

    def __init__(self, writer: Writer, name: str) -> None:
        self.writer = writer
        self.name = name
        self.slices = ""

    def __getitem__(self, key: str) -> str:
        writer, rng = self.writer, self.writer.rng
        v = writer.values[self.name]
        pick = writer.pick
        kinds = "f" if v.dtype.kind == "f" else "fc"
        match key:
            case "a":
                return self.name
            case "shape":
                return str(pick([(2,), (3,), (2, 2), (2, 3), (3, 1), ()]))
            case "kind":
                return pick(["", "", ", dtype=complex", ", order='F'", ", dtype='d'"])
            case "order":
                return pick(["", ", order='C'", ", order='F'", ", order='A'", ", order='K'"])
            case "copied":
                return pick(["", "", ", ndmin=2", ", ndmin=3"])
            case "demands":
                return pick(["['C']", "['F']", "['O']", "['A', 'O']", "[]", "['W']"])
            case "scalar":
                return writer.scalar("fc")
            case "real":
                return writer.scalar("f")
            case "storable":
                return writer.scalar(kinds)
            case "pair" | "triple" | "square" | "row" | "reals":
                row = v.shape[-1:] or (1,)
                shape = {"pair": (2,), "triple": (3,), "square": (2, 2), "reals": (2,)}
                return writer.nest(shape.get(key, row), "f" if key == "reals" else "fc")
            case "same":
                return writer.array(shape=v.shape)
            case "value":
                return writer.broadcast(v.shape, "fc")
            case "filling":
                return writer.broadcast(v.shape, kinds)
            case "index":
                return ", ".join(str(rng.integers(-n, n)) for n in v.shape) or "()"
            case "slices":
                self.slices = writer.slices(v.shape)
                return self.slices
            case "part":
                target = eval(f"v[{self.slices}]", {"v": v})
                return writer.broadcast(np.shape(target), kinds)
            case "even":
                return f"np.arange({v.size}).reshape({v.shape}) % 2 == 0"
        raise KeyError(key)


class Writer:
    """Writes a program, statement by statement, and runs it in plain NumPy meanwhile."""

    def __init__(self, seed: int, length: int, complex_numbers: bool) -> None:
        self.rng = rng = np.random.default_rng(seed)
        x = rng.uniform(-1.3, 1.3, self.pick(SHAPES))
        if complex_numbers:
            x = x + 1j * rng.uniform(-1.0, 1.0, x.shape)
        s = self.pick([float, np.float64])(rng.uniform(-1.0, 1.0))
        outside = {
            "P": rng.uniform(-1.0, 1.0, 3),
            "Q": np.asarray(rng.uniform(-1.0, 1.0, (2, 3)), order="F"),
            "I": np.array([0, 1, 0]),
        }
        self.program = Program(x, s, outside)
        self.plain = set(outside)
        self.count = 0
        self.restart()
        for _ in range(20 * length):
            if len(self.program.statements) >= length:
                break
            self.step()

    def pick(self, options: list[Any]) -> Any:
        return options[self.rng.integers(len(options))]

    def restart(self) -> None:
        """Run what has been written from the beginning."""
        program = self.program
        copies = {name: array.copy(order="K") for name, array in program.outside.items()}
        self.values: dict[str, Any] = {"np": np, "x": program.x.copy(), "s": program.s, **copies}
        for statement in program.statements:
            exec(statement, self.values)

    def array(self, *, writable: bool = False, shape: Any = None) -> str:
        """The name of an array; of one that can be written to traced values."""
        names = [
            name
            for name, v in self.values.items()
            if isinstance(v, np.ndarray)
            and v.dtype.kind in "fc"
            and (v.size or not writable)
            and (shape is None or v.shape == shape)
            and not (writable and (name in self.plain or not v.flags.writeable))
        ]
        if not names:
            raise UnfitError
        return str(self.pick(names if self.rng.random() < 0.5 else names[-3:]))

    def scalar(self, kinds: str) -> str:
        choice = self.rng.integers(7)
        if choice < 4:
            number = f"{self.rng.uniform(-1.0, 1.0):.3f}"
            return str(["s", "np.sin(s)", number, "2"][choice])
        name = self.array()
        v = self.values[name]
        if not v.size:
            raise UnfitError
        index = ", ".join(str(self.rng.integers(-n, n)) for n in v.shape) or "()"
        real = ".real" if v.dtype.kind not in kinds else ""
        return f"{name}[{index}]{real}"

    def nest(self, shape: tuple[int, ...], kinds: str) -> str:
        """Lists and tuples in each other, and arrays, that make an array of a shape."""
        if not shape:
            return self.scalar(kinds)
        inner = ", ".join(self.nest(shape[1:], kinds) for _ in range(shape[0]))
        return f"({inner},)" if self.rng.random() < 0.3 else f"[{inner}]"

    def broadcast(self, shape: tuple[int, ...], kinds: str) -> str:
        """Something that can be stored in an array of a shape."""
        choice = self.rng.integers(4)
        if choice == 0:
            return self.scalar(kinds)
        if choice == 1 and 0 < len(shape) < 3 and 0 not in shape:
            return self.nest(shape, kinds)
        names = [
            name
            for name, v in self.values.items()
            if isinstance(v, np.ndarray)
            and v.dtype.kind in kinds
            and v.ndim <= len(shape)
            and all(m in (1, n) for m, n in zip(v.shape[::-1], shape[::-1], strict=False))
        ]
        if not names:
            return self.scalar(kinds)
        name = self.pick(names)
        return str(self.pick([name, f"np.sin({name})", f"{name} * s", f"{name}[...]"]))

    def slices(self, shape: tuple[int, ...]) -> str:
        parts = [self.pick([":", "::-1", "::2", "1:", ":2", "0", "-1", ":"]) for _ in shape]
        parts = parts[: max(1, len(parts) - int(self.rng.random() < 0.25))]
        if self.rng.random() < 0.15:
            parts.append("...")
        if self.rng.random() < 0.15:
            parts.insert(0, "None")
        return ", ".join(parts) or "..."

    def step(self) -> None:
        try:
            if self.rng.random() < 0.4:
                template, name = self.pick(WRITES), self.array(writable=True)
                statement = template.format_map(Fields(self, name))
            else:
                template, name = self.pick(NEW[self.pick(list(NEW))]), self.array()
                fields = Fields(self, name)
                statement = f"v{self.count} = {template.format_map(fields)}"
            self.attempt(statement)
        except Exception:
            self.restart()

    def attempt(self, statement: str) -> None:
        """Run a statement, and keep it if it went well."""
        with warnings.catch_warnings(), np.errstate(all="raise"):
            warnings.simplefilter("error")
            exec(statement, self.values)
        for helper in ("__builtins__", "row"):
            self.values.pop(helper, None)
        for v in self.values.values():
            if np.size(v) > 40 or (isinstance(v, np.ndarray) and not np.all(np.abs(v) < 30.0)):
                raise UnfitError
        name, _, expression = statement.partition(" = ")
        if name == f"v{self.count}":
            self.introduce(name, expression)
        self.program.statements.append(statement)

    def introduce(self, name: str, expression: str) -> None:
        """Note a new variable, and whether it is an array that nothing traced can be written to."""
        v = self.values[name]
        if np.asarray(v).dtype.kind not in "fc":
            raise UnfitError
        self.count += 1
        names = set(re.findall(r"\b(?:[xsPQI]|v\d+)\b", expression))
        if not names <= self.plain or name in self.plain:
            return
        shares = isinstance(v, np.ndarray) and any(
            np.shares_memory(v, self.values[other]) for other in self.plain if other in self.values
        )
        if shares or not MAKERS.match(expression):
            self.plain.add(name)


def generate(seed: int, length: int = 10, *, complex_numbers: bool = False) -> Program:
    """A random program of so many statements."""
    return Writer(seed, length, complex_numbers).program
