"""The grammar of the language of loops.

    Program   ::= buffers, statements
    Statement ::= Let | Store | Check | Kernel | For | While | Branch | Tiles | Copy | Call
                | External
    Expr      ::= Const | Name | Load | Op
    Place     ::= buffer [ offset + Σ step · name ]

Scalars have names, each given once. A buffer is a row of elements of one dtype; an array is one in
C order, so that reshapes cost nothing and an index is a single number, affine in loop indices and
other integers. All numbers may differ between programs of one machine code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pullback.compiler.loops.expressions import Const, Expr, Load, Name, Op, Place, Scalar

__all__ = [
    "Axis",
    "Branch",
    "Buffer",
    "Call",
    "Check",
    "Const",
    "Copy",
    "Count",
    "Expr",
    "External",
    "For",
    "Kernel",
    "Let",
    "Load",
    "Name",
    "Op",
    "Place",
    "Program",
    "Scalar",
    "Statement",
    "Store",
    "Sum",
    "Tiles",
    "While",
    "Write",
]


@dataclass(frozen=True, slots=True)
class Buffer:
    """A row of `size` elements.

    Attributes
    ----------
    name : str
    dtype : str
        ``"float64"``, ``"float32"``, ``"bool"``, ``"int64"`` or another integer.
    size : int
    kind : {"input", "output", "constant", "scratch", "tile"}
        Inputs and constants are only read. Scratch and outputs hold anything at first, as do those
        of a tile, which each tile has for itself.
    """

    name: str
    dtype: str
    size: int
    kind: Literal["input", "output", "constant", "scratch", "tile"]


@dataclass(frozen=True, slots=True)
class _Remembering:
    """A statement; what has been found out about it, it keeps."""

    effects: Any = field(default=None, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Let(_Remembering):
    """``name = value``, for all that follows."""

    scalar: Scalar
    value: Expr


@dataclass(frozen=True, slots=True)
class Store(_Remembering):
    """``place = value``."""

    place: Place
    value: Expr


@dataclass(frozen=True, slots=True)
class Check(_Remembering):
    """Leave the program with the error of this number, from 1, unless the condition holds."""

    condition: Expr
    error: int


class Count(int):
    """The extent of an axis that a scalar says: that of the samples of a tile, or of a loop.

    Attributes
    ----------
    name : str
        The scalar, which is not negative.
    times : int
        How many indices there are for each.
    told : bool
        Whether it is that of a tile, which is at most the integer that this is; or else that is a
        guess.
    """

    name: str
    times: int
    told: bool

    def __new__(cls, name: str, most: int, times: int = 1, *, told: bool = True) -> Count:
        found = super().__new__(cls, most)
        found.name, found.times, found.told = name, times, told
        return found

    def __repr__(self) -> str:
        return self.name if self.times == 1 else f"{self.times}·{self.name}"

    __str__ = __repr__


class Axis(NamedTuple):
    """An axis of an iteration space: the name of its index, from 0, and its extent."""

    name: str
    extent: int


@dataclass(frozen=True, slots=True)
class Write:
    """What a kernel does with a value at each point.

    Attributes
    ----------
    target : Place or Scalar
        A scalar is given after the kernel, and joined over all points.
    value : Expr
    combine : {"", "add", "multiply", "maximum", "minimum", "logical_and", "logical_or"}
        How values with the same target are joined, in an order that the numbers of points fix.
        Without, each point has a target of its own.
    start : Expr, optional
        What the values are joined with: for each target at once. None is the target's own content.
        It is a constant, or a scalar from outside.
    """

    target: Place | Scalar
    value: Expr
    combine: str = ""
    start: Expr | None = None


@dataclass(frozen=True, slots=True)
class Kernel(_Remembering):
    """A perfect nest: at each point of the product of the axes the `body`, then the `writes`.

    The points may be visited in any order, and at once: no point reads what another one writes. It
    may read what it overwrites itself. The scalars of the body are the point's own.

    Attributes
    ----------
    axes : tuple of Axis
    body : tuple of Let or Check
    writes : tuple of Write
    place : optional
        The user's line that most of it comes from.
    """

    axes: tuple[Axis, ...]
    body: tuple[Let | Check, ...]
    writes: tuple[Write, ...]
    place: Any = None


@dataclass(frozen=True, slots=True)
class For(_Remembering):
    """``for index in range(extent)``, one after the other, from the last one if `reverse`.

    Attributes
    ----------
    index : str
    extent : Expr of dtype int64
    carries : tuple of (Scalar, Expr)
        What goes from one iteration to the next, as the body names it, and what it is at first.
    body : tuple of Statement
    nexts : tuple of Expr
        For each carry what it is in the next iteration.
    results : tuple of Scalar
        The names of the carries after the loop.
    reverse : bool
    """

    index: str
    extent: Expr
    carries: tuple[tuple[Scalar, Expr], ...]
    body: tuple[Statement, ...]
    nexts: tuple[Expr, ...]
    results: tuple[Scalar, ...]
    reverse: bool = False
    place: Any = None


@dataclass(frozen=True, slots=True)
class While(_Remembering):
    """As long as `condition`, which is evaluated after the statements of `test`, holds: `body`.

    The test and the body see the carries; the body sees what the test named, too.
    """

    carries: tuple[tuple[Scalar, Expr], ...]
    test: tuple[Statement, ...]
    condition: Expr
    body: tuple[Statement, ...]
    nexts: tuple[Expr, ...]
    results: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Branch(_Remembering):
    """The statements of the branch with the number `index`; of the last one if it's beyond.

    Attributes
    ----------
    index : Expr
        Of dtype int64; what is below 0 is taken for 0.
    branches : tuple of (statements, values)
    results : tuple of Scalar
        The names of the branch's values, afterwards.
    """

    index: Expr
    branches: tuple[tuple[tuple[Statement, ...], tuple[Expr, ...]], ...]
    results: tuple[Scalar, ...]


class Sum(NamedTuple):
    """What all samples of tiles make together.

    Attributes
    ----------
    buffer : str
        Within the tiles it holds what those of a block have made so far; afterwards what all have.
    combine : str
        As in `Write`. What changes nothing is there at first.
    """

    buffer: str
    combine: str


@dataclass(frozen=True, slots=True)
class Tiles(_Remembering):
    """The body for each `tile` of `extent` samples, the last of which may have fewer.

    So many tiles as `block` says are a block, one after the other; blocks may be computed at once.
    Their sums are joined two by two, then those of the pairs, and so on; what has no partner waits
    for the next round.

    Attributes
    ----------
    first, count : str
        The scalars of dtype int64 that say which sample is a tile's first, and how many it has.
    extent, tile, block : int
    sums : tuple of Sum
    body : tuple of Statement
        It writes to a sample's own elements alone, to buffers of the tile, and to the sums.
    """

    first: str
    count: str
    extent: int
    tile: int
    block: int
    sums: tuple[Sum, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Copy(_Remembering):
    """`size` elements from one place to another, of one dtype; they don't overlap."""

    target: Place
    source: Place
    size: int


@dataclass(frozen=True, slots=True)
class Call(_Remembering):
    """A function of Python's: number `number` of the program's calls gets pointers to operands.

    The operands are those that it reads, then those that it writes.
    """

    number: int
    operands: tuple[Place, ...]
    reads: int


@dataclass(frozen=True, slots=True)
class External(_Remembering):
    """A function of a library with pointers to its arguments, as Fortran's have them.

    Attributes
    ----------
    symbol : str
        ``"scipy.linalg.cython_lapack.dpotrf"``.
    arguments : tuple of (Place or Expr)
        A place is passed as the pointer to it; a value is stored and passed as a pointer to that.
        An integer of dtype int32 is Fortran's; ``Const("L", "char")`` is a letter.
    writes : tuple of int
        Which of the arguments the function writes to.
    results : tuple of (int, Scalar)
        Values that it leaves behind: which argument, and the name it is given.
    """

    symbol: str
    arguments: tuple[Place | Expr, ...]
    writes: tuple[int, ...] = ()
    results: tuple[tuple[int, Scalar], ...] = ()


Statement = (
    Let | Store | Check | Kernel | For | While | Branch | Tiles | Copy | Call | External
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """Buffers, and the statements that fill the outputs.

    Attributes
    ----------
    name : str
    buffers : tuple of Buffer
        Inputs, outputs and constants, each in order, then scratch, then those of tiles.
    body : tuple of Statement
    """

    name: str
    buffers: tuple[Buffer, ...]
    body: tuple[Statement, ...]
