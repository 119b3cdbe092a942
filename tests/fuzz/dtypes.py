"""Every rule with every dtype of a constant beside every dtype of an argument.

A rule says what a derivative is, whatever the dtypes of what it is given. So at values that all
dtypes at hand can hold, it must give what it gives where everything is a double: that is the
oracle, with a tolerance of the narrowest dtype of a result or an argument that is differentiated.
The rules in double precision are tested against differences elsewhere.
"""

from __future__ import annotations

import functools
import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special  # noqa: F401  (its functions have rules once it is imported)

import pullback as pb
from pullback.core.primitive import registry
from tests.rules.cases import CASES

__all__ = ["CONSTANTS", "MODES", "VARYING", "Draw", "fixed", "run"]

CONSTANTS: dict[str, Any] = {
    **{name: np.dtype(name) for name in (
        "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
        "float16", "float32", "float64", "longdouble", "complex64", "complex128",
        ">u2", ">i4", ">f4", ">f8", ">c16",
    )},
    **{f"a Python {kind.__name__}": kind for kind in (bool, int, float, complex)},
}  # fmt: skip
"""What an argument that is not differentiated may be."""

VARYING: dict[str, Any] = {
    name: kind for name, kind in CONSTANTS.items() if kind in (float, complex)
    or (isinstance(kind, np.dtype) and kind.kind in "fc")
}  # fmt: skip
"""What an argument that is differentiated may be."""

MODES = ("forward", "reverse", "second order", "vmap", "recorded", "checkpoint")

UNTESTED = {
    "stop_gradient": "its derivative is zero by decree",
    "unwrap": "its period is rounded to the dtype, and jumps with it",
    "nextafter": "its result is another one in another dtype",
    "spacing": "its result is another one in another dtype",
}


REAL = {"from_parts", "index_add", "index_update"}
"""Primitives that the surface hands real arguments only, or complex ones to complex ones."""

ABOUT_ONE = {"hazard", "hazard_excess", "log_ndtr"}
"""Primitives whose derivative is a difference that is right to rounding beside 1."""


@dataclass(frozen=True)
class Draw:
    """A primitive at a point, the dtype of each of its arguments, and how it is differentiated.

    Attributes
    ----------
    name : str
    case : int
        Which of the points that `tests.rules.cases` gives.
    dtypes : tuple of (str or None)
        A key of `CONSTANTS` for each argument; `None` for one that is left as it is.
    varying : tuple of int
        The arguments that are differentiated.
    mode : str
    """

    name: str
    case: int
    dtypes: tuple[str | None, ...]
    varying: tuple[int, ...]
    mode: str

    def fault(self) -> str | None:
        """What is wrong with the derivatives, if anything is."""
        case, primitive = CASES[self.name][self.case], registry[self.name]
        args = [
            x if key is None else converted(x, CONSTANTS[key])
            for x, key in zip(case.args, self.dtypes, strict=True)
        ]
        wide = [x if key is None else widened(x) for x, key in zip(args, self.dtypes, strict=True)]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                value = row_of(primitive.value(*args, **case.params))
                expected = row_of(primitive.value(*wide, **case.params))
            except (TypeError, ValueError, IndexError, AttributeError, OverflowError):
                return None  # NumPy doesn't take these dtypes
            precision = max(
                (eps_of(x) for x in (*value, *(args[i] for i in self.varying)) if is_inexact(x)),
                default=0.0,
            )
            if 0 < precision < eps_of(1.0) and all(map(is_double, value)):
                precision = eps_of(1.0)
            if not precision or not all(map(self._same(400 * precision), value, expected)):
                return None  # it overflows there, or is rounded to another integer
            if not all(dtype_of(y).kind in "fc" for y in value):
                return None
            tolerance = 400 * precision
            if self.mode == "second order":
                tolerance *= 10
            bars = [seed(y, number) for number, y in enumerate(value)]
            plainly = self.mode if self.mode == "second order" else "reverse"
            try:
                right = derivatives(primitive, wide, case.params, self.varying, bars, plainly)
            except pb.errors.PullbackError:
                return None  # a rule says that it has none there
            try:
                got = derivatives(primitive, args, case.params, self.varying, bars, self.mode)
            except Exception as error:  # what is raised is the finding
                return f"{type(error).__name__}: {error}"
        for position, (x, a, b) in enumerate(
            zip((args[i] for i in self.varying), got, right, strict=True)
        ):
            wanted = dtype_of(x)
            if dtype_of(a) != wanted:
                return f"[{position}] has dtype {dtype_of(a)}, wanted {wanted}"
            scale = 1.0 if self.name in ABOUT_ONE else scale_of(right)
            if not self._same(tolerance, scale)(a, b):
                return f"[{position}] is {a!r}, wanted {b!r}"
        return None

    @staticmethod
    def _same(tolerance: float, scale: float = 0.0) -> Any:
        def same(a: Any, b: Any) -> bool:
            """Whether both agree where `b` is a number that `a` has room for."""
            a, b = np.asarray(a), np.asarray(b)
            if a.shape != b.shape:
                return False
            if dtype_of(a).kind not in "fc":
                return bool(np.array_equal(a, b))
            wide = b.astype(np.result_type(b, np.float64))
            room = np.abs(wide) < float(np.finfo(a.dtype).max) ** 0.5
            with np.errstate(all="ignore"):
                close = np.abs(a - wide) <= tolerance * (np.abs(wide) + max(scale, 1e-3))
            return bool(np.all(close | ~room))

        return same


def derivatives(
    primitive: Any, args: Any, params: Any, varying: Any, bars: Any, mode: str
) -> list[Any]:
    """x̄ for each argument that varies: J(x)ᵀȳ, or at second order the derivative of ⟨u, Jᵀȳ⟩."""

    def f(*xs: Any) -> Any:
        full = list(args)
        for i, x in zip(varying, xs, strict=True):
            full[i] = x
        out = primitive(*full, **params)
        return out if primitive.multiple else (out,)

    xs = tuple(args[i] for i in varying)

    def pulled(*xs: Any) -> Any:
        out, pull = pb.vjp(f, *xs)
        return pull(tuple(bar.astype(dtype_of(y)) for bar, y in zip(bars, out, strict=True)))

    if mode == "reverse":
        return list(pulled(*xs))
    if mode == "recorded":
        return list(pb.simplify(pb.trace(pulled, *xs))(*xs))
    if mode == "checkpoint":
        f = pb.checkpoint(f)
        return list(pulled(*xs))
    if mode == "vmap":
        rows = pb.vmap(pulled)(*(np.stack([x, x]) for x in xs))
        return [as_kind(row[1], x) for row, x in zip(rows, xs, strict=True)]
    if mode == "second order":
        us = tuple(seed(x, number) for number, x in enumerate(xs))
        return list(pb.vjp(pulled, *xs)[1](us))
    return [pushed(f, xs, position, bars) for position in range(len(xs))]


def pushed(f: Any, xs: Any, position: int, bars: Any) -> Any:
    """x̄ of one argument, from tangents that are 1 at one element, and i if it is complex."""
    x = xs[position]
    dtype = dtype_of(x)
    x_bar = np.zeros(np.shape(x), dtype)
    for index in np.ndindex(np.shape(x)):
        for unit in (1, 1j) if dtype.kind == "c" else (1,):
            dot = np.zeros(np.shape(x), dtype)
            dot[index] = unit
            tangents = [None] * len(xs)
            tangents[position] = dot[()]
            outs, dots = pb.pushforward(f, xs, tuple(tangents))
            for y, y_dot, bar in zip(outs, dots, bars, strict=True):
                if dtype_of(y_dot) != dtype_of(y) or np.shape(y_dot) != np.shape(y):
                    raise AssertionError(f"a tangent of dtype {dtype_of(y_dot)}, not {dtype_of(y)}")
                total = np.sum(np.real(np.conj(widened(bar)) * widened(y_dot)))
                x_bar[index] += np.asarray(unit * total).astype(dtype)
    return x_bar[()]


# -- values -----------------------------------------------------------------------------------


def converted(x: Any, kind: Any) -> Any:
    """`x` in a dtype or as a Python number; integers are rounded away from zero."""
    x = np.asarray(x)
    to = np.dtype(kind)
    if to.kind != "c":
        x = np.real(x)
    if to.kind in "iu":
        x = np.sign(x) * np.ceil(np.abs(x))
    if to.kind == "u":
        x = np.abs(x)
    if not isinstance(kind, np.dtype):
        return kind(np.ravel(x)[0]) if x.size else x
    return x.astype(to)[()]


def widened(x: Any) -> Any:
    """`x` as a double, or a complex one, or a wider one if it is that."""
    x = np.asarray(x)
    kind = np.complex128 if x.dtype.kind == "c" else np.float64
    return x.astype(np.result_type(x.dtype.newbyteorder("="), kind))[()]


def as_kind(x: Any, like: Any) -> Any:
    return x if dtype_of(x) == dtype_of(like) else np.asarray(x).astype(dtype_of(x))


def seed(x: Any, number: int) -> Any:
    """A cotangent of the shape and dtype of `x`, the same for every draw."""
    dtype = dtype_of(x)
    return _pattern(np.shape(x), number, dtype.kind == "c").astype(dtype)[()]


@functools.cache
def _pattern(shape: tuple[int, ...], number: int, is_complex: bool) -> Any:
    rng = np.random.default_rng([number, math.prod(shape)])
    values = rng.choice([-1.0, -0.75, 0.5, 1.0, 1.25], shape)
    if is_complex:
        values = values + 1j * rng.choice([-0.5, 0.5], shape)
    return np.asarray(values)


def dtype_of(x: Any) -> np.dtype[Any]:
    return np.asarray(x).dtype.newbyteorder("=")


def is_inexact(x: Any) -> bool:
    return dtype_of(x).kind in "fc"


def eps_of(x: Any) -> float:
    return float(np.finfo(max(dtype_of(x), np.dtype("f2"), key=lambda d: d.itemsize)).eps)


def is_double(x: Any) -> bool:
    """Whether all elements are numbers that a double holds, as of a function computed in those."""
    x = np.asarray(x)
    double = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    return bool(np.array_equal(x, double, equal_nan=True))


def scale_of(xs: Any) -> float:
    finite = [np.abs(x)[np.isfinite(x)] for x in map(np.asarray, xs)]
    return float(max((np.max(x, initial=0.0) for x in finite), default=0.0))


def row_of(out: Any) -> Any:
    return out if isinstance(out, tuple) else (out,)


# -- draws ------------------------------------------------------------------------------------


def points() -> Iterator[tuple[str, int, list[int]]]:
    """The primitives and their points, with the arguments that can be differentiated."""
    for name, cases in sorted(CASES.items()):
        primitive = registry[name]
        if name in UNTESTED or primitive.is_constant or primitive.linearize is not None:
            continue  # what has a body has its dtypes
        for number, case in enumerate(cases):
            arrays = list(map(np.asarray, case.args))
            numbers = [i for i, x in enumerate(arrays) if x.dtype.kind in "fc"]
            if numbers and all(x.size for x in arrays):
                yield name, number, numbers


def drawn(rng: np.random.Generator, name: str, case: int, numbers: list[int], mode: str) -> Draw:
    """A random choice of dtypes, at least one of them of an argument that is differentiated."""
    varying = sorted(rng.choice(numbers, rng.integers(1, len(numbers) + 1), replace=False))
    dtypes: list[str | None] = [None] * len(CASES[name][case].args)
    for i in range(len(dtypes)):
        if i in varying:
            dtypes[i] = one_of(rng, allowed(VARYING, name, case, i))
        elif i in numbers or (registry[name].structure.numbers and not is_condition(name, case, i)):
            dtypes[i] = one_of(rng, allowed(CONSTANTS, name, case, i))
    return Draw(name, case, tuple(dtypes), tuple(map(int, varying)), mode)


def one_of(rng: np.random.Generator, names: list[str]) -> str:
    """What ``rng.choice`` gives, which makes an array of the names first."""
    return names[rng.integers(len(names))]


def is_condition(name: str, case: int, position: int) -> bool:
    """Whether an argument chooses, and is no number."""
    return bool(np.asarray(CASES[name][case].args[position]).dtype.kind == "b")


def allowed(kinds: dict[str, Any], name: str, case: int, position: int) -> list[str]:
    """What an argument may be: a Python number only where there can be a scalar."""
    whole = registry[name].structure.numbers or not np.ndim(CASES[name][case].args[position])
    real = name in REAL and np.asarray(CASES[name][case].args[position]).dtype.kind != "c"
    return [
        key
        for key, kind in kinds.items()
        if (whole or isinstance(kind, np.dtype)) and not (real and np.dtype(kind).kind == "c")
    ]


def fixed() -> dict[str, list[Draw]]:
    """For each primitive every dtype of a constant beside some of an argument, and every mode."""
    found: dict[str, list[Draw]] = {}
    turn = 0
    for name, case, numbers in points():
        draws = found.setdefault(name, [])
        if draws and (len(numbers) == 1 or any(d.case != case for d in draws[8:])):
            continue
        rng = np.random.default_rng([case, *map(ord, name)])
        for constant in (
            CONSTANTS if len(numbers) > 1 or registry[name].structure.numbers else VARYING
        ):
            for _ in range(3):
                turn += 1
                draw = drawn(rng, name, case, numbers, MODES[turn % len(MODES)])
                dtypes = [
                    constant
                    if key
                    and i not in draw.varying
                    and constant in allowed(CONSTANTS, name, case, i)
                    else key
                    for i, key in enumerate(draw.dtypes)
                ]
                draws.append(Draw(name, case, tuple(dtypes), draw.varying, draw.mode))
    return found


def run(seconds: float, seed: int) -> int:
    """Random draws for so many seconds.

    Returns
    -------
    int
        The number of faults; each is printed.
    """
    rng = np.random.default_rng(seed)
    available = list(points())
    faults = count = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name, case, numbers = available[rng.integers(len(available))]
        draw = drawn(rng, name, case, numbers, str(rng.choice(MODES)))
        count += 1
        fault = draw.fault()
        if fault is not None:
            faults += 1
            print(f"{draw}: {fault}", flush=True)
    print(f"rules × dtypes: {count} draws, {faults} faults")
    return faults
