"""Steps of random programs over arrays: what is done, to which earlier values, and with what.

Each is drawn by a function of a `Draw`, which picks operands and parameters that fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special

__all__ = ["STEPS", "Draw", "Step", "UnfitError"]


class UnfitError(Exception):
    """There is no operand for such a step."""


@dataclass(frozen=True)
class Step:
    """``function(*operands, *parameters)``, the operands being numbers of earlier values."""

    name: str
    function: Callable[..., Any]
    operands: tuple[int, ...]
    parameters: tuple[Any, ...]

    def __call__(self, values: list[Any]) -> Any:
        return self.function(*(values[k] for k in self.operands), *self.parameters)

    def __str__(self) -> str:
        given = [f"v{k}" for k in self.operands] + [
            " ".join(repr(each).split()) for each in self.parameters
        ]
        return f"{self.name}({', '.join(given)})"


@dataclass
class Draw:
    """Random operands and parameters.

    Attributes
    ----------
    rng : numpy.random.Generator
    values : list of array
        So far.
    """

    rng: np.random.Generator
    values: list[Any]

    def one_of(self, row: Any) -> Any:
        return row[int(self.rng.integers(len(row)))]

    def chance(self, p: float = 0.5) -> bool:
        return bool(self.rng.random() < p)

    def integer(self, low: int, high: int) -> int:
        """From `low` to `high`, both of them possible."""
        return int(self.rng.integers(low, high + 1))

    def operand(self, fits: Callable[[Any], bool]) -> int:
        """One of the values, the last ones more often."""
        found = [k for k, value in enumerate(self.values) if fits(value)]
        if not found:
            raise UnfitError
        recent = found[-6:] if self.chance(0.6) else found
        return int(self.one_of(recent))

    def of(self, kinds: str, least: int = 0) -> int:
        """A value of a kind of dtype, with at least so many axes."""
        return self.operand(lambda v: v.dtype.kind in kinds and v.ndim >= least)

    def beside(self, k: int, kinds: str = "f") -> int:
        """A value that broadcasts with another one."""
        return self.operand(
            lambda v: v.dtype.kind in kinds and _broadcasts(v.shape, self.values[k].shape)
        )

    def axis(self, k: int) -> int:
        return self.integer(-self.values[k].ndim, self.values[k].ndim - 1)

    def axes(self, k: int) -> Any:
        """One axis, several or all."""
        rank = self.values[k].ndim
        if not rank or self.chance(0.25):
            return None
        some = tuple(a for a in range(rank) if self.chance())
        return self.axis(k) if self.chance() or not some else some


def _broadcasts(*shapes: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True


Drawn = tuple[Callable[..., Any], tuple[int, ...], tuple[Any, ...]]
STEPS: dict[str, Callable[[Draw], Drawn]] = {}


def _step(draw: Callable[[Draw], Drawn]) -> Callable[[Draw], Drawn]:
    STEPS[draw.__name__] = draw
    return draw


def apart(*rows: Any) -> None:
    """Refuse numbers so near to one another that rounding decides which is larger."""
    flat = np.sort(np.ravel(np.asarray(rows[0], np.float64)))
    if len(rows) == 1:
        close = np.diff(flat)
    else:
        close = np.abs(np.subtract(*np.broadcast_arrays(*map(np.asarray, rows)), dtype=np.float64))
    if np.any(close < 1e-3):
        raise UnfitError


# -- element by element ---------------------------------------------------------------------------

_SMOOTH = {
    "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "arctan": np.arctan, "negative": np.negative,
    "exp": lambda x: np.exp(x / 8), "expm1": lambda x: np.expm1(x / 8),
    "log": lambda x: np.log(2 + np.cos(x)), "log1p": lambda x: np.log1p(x * x),
    "sqrt": lambda x: np.sqrt(1 + x * x), "reciprocal": lambda x: 1 / (2 + np.sin(x)),
    "power": lambda x: (2 + np.sin(x)) ** 1.7, "cube": lambda x: np.tanh(x) ** 3,
    "square": np.square, "erf": scipy.special.erf, "expit": scipy.special.expit,
    "sinh": lambda x: np.sinh(x / 8), "log2": lambda x: np.log2(3 + np.sin(x)),
    "cbrt": lambda x: np.cbrt(2 + np.sin(x)), "softplus": lambda x: np.logaddexp(0, x),
    "gammaln": lambda x: scipy.special.gammaln(3 + np.sin(x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "arcsinh": np.arcsinh, "tan": lambda x: np.tan(np.sin(x)),
    "arccos": lambda x: np.arccos(np.sin(x) * 0.9), "half": lambda x: x * np.float32(0.5),
}  # fmt: skip

_TOGETHER = {
    "add": np.add, "subtract": np.subtract, "multiply": lambda x, y: x * y / 2,
    "divide": lambda x, y: x / (2 + np.sin(y)), "arctan2": lambda x, y: np.arctan2(x, 2 + y * y),
    "hypot": lambda x, y: np.hypot(x, y + 0.5), "logaddexp": np.logaddexp,
    "power": lambda x, y: (2 + np.sin(x)) ** np.tanh(y),
}  # fmt: skip


@_step
def smooth(d: Draw) -> Drawn:
    name = d.one_of(sorted(_SMOOTH))
    return (lambda x, name: _SMOOTH[name](x)), (d.of("f"),), (name,)


@_step
def together(d: Draw) -> Drawn:
    k = d.of("f")
    name = d.one_of(sorted(_TOGETHER))
    return (lambda x, y, name: _TOGETHER[name](x, y)), (k, d.beside(k)), (name,)


@_step
def affine(d: Draw) -> Drawn:
    """With a number of Python's, or of NumPy's."""
    kind = d.one_of([float, np.float64, np.float32, int])
    return (lambda x, a, b: a * x + b), (d.of("fi"),), (kind(2), kind(-1))


@_step
def of_integers(d: Draw) -> Drawn:
    k = d.of("i")
    functions = {
        "floor": lambda x, y: x // (abs(y) + 2), "modulo": lambda x, y: x % (abs(y) + 2),
        "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
        "add": np.add, "subtract": np.subtract, "multiply": lambda x, y: x * y % 17,
        "shift": lambda x, y: x << (y & 1), "maximum": np.maximum, "minimum": np.minimum,
        "square": lambda x, y: x**2 % 11 - y, "sign": lambda x, y: np.sign(x) - abs(y) % 3,
        "invert": lambda x, y: ~x + y,
    }  # fmt: skip
    name = d.one_of(sorted(functions))
    return (lambda x, y, name: functions[name](x, y)), (k, d.beside(k, "ib")), (name,)


@_step
def of_truths(d: Draw) -> Drawn:
    k = d.of("b")
    name = d.one_of(["logical_and", "logical_or", "logical_xor", "equal", "not_equal"])
    return (lambda x, y, name: getattr(np, name)(x, ~y)), (k, d.beside(k, "b")), (name,)


@_step
def compared(d: Draw) -> Drawn:
    k = d.of("fi")
    j = d.beside(k, "fi")
    if "f" in d.values[k].dtype.kind + d.values[j].dtype.kind:
        apart(d.values[k], d.values[j])
    name = d.one_of(["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"])
    return (lambda x, y, name: getattr(np, name)(x, y)), (k, j), (name,)


@_step
def converted(d: Draw) -> Drawn:
    k = d.of("fib")
    if d.values[k].dtype.kind == "f" and d.chance(0.3):
        apart(d.values[k] - np.rint(d.values[k]), np.zeros(()))
        return (lambda x, dtype: np.floor(x).astype(dtype)), (k,), ("int64",)
    kinds = ("float64", "float32", "bool", "int64") if d.values[k].dtype.kind != "f" else (
        "float64", "float32")  # fmt: skip
    return (lambda x, dtype: x.astype(dtype)), (k,), (d.one_of(kinds),)


@_step
def chosen(d: Draw) -> Drawn:
    k = d.of("f")
    return (lambda m, x, y: np.where(m, x, y)), (d.beside(k, "b"), k, d.beside(k, "fi")), ()


@_step
def limited(d: Draw) -> Drawn:
    k = d.of("f")
    j = d.beside(k)
    apart(d.values[k], d.values[j])
    name = d.one_of(["maximum", "minimum", "fmax"])
    return (lambda x, y, name: getattr(np, name)(x, y)), (k, j), (name,)


@_step
def bent(d: Draw) -> Drawn:
    """Functions with a kink or a step at zero."""
    k = d.of("f")
    apart(d.values[k], np.zeros(()))
    functions = {
        "abs": np.abs, "relu": lambda x: np.maximum(x, 0), "sign": lambda x: x * np.sign(x),
        "clip": lambda x: np.clip(x, 0.0, 1e4), "heaviside": lambda x: x * np.heaviside(x, 0.5),
        "mask": lambda x: x * (x > 0), "leaky": lambda x: np.where(x > 0, x, 0.1 * x),
    }  # fmt: skip
    return (lambda x, name: functions[name](x)), (k,), (d.one_of(sorted(functions)),)


# -- reductions -----------------------------------------------------------------------------------


@_step
def reduced(d: Draw) -> Drawn:
    k = d.of("fi")
    functions = {
        "sum": np.sum, "mean": np.mean, "var": np.var,
        "prod": lambda x, **_: np.prod(1 + np.tanh(x) / 4, **_),
        "squares": lambda x, **_: np.sum(x * x, **_),
        "logsumexp": lambda x, **_: np.log(1 + np.sum(np.exp(x / 8), **_)),
        "norm": lambda x, **_: np.sqrt(1 + np.sum(x * x, **_)),
        "scipy": lambda x, **_: scipy.special.logsumexp(x, **_),
    }  # fmt: skip
    name, axis = d.one_of(sorted(functions)), d.axes(k)
    if name == "scipy" and not d.values[k].ndim:
        raise UnfitError  # SciPy gives a number an axis
    return (
        (lambda x, name, axis, kept: functions[name](x, axis=axis, keepdims=kept)),
        (k,),
        (name, axis, d.chance(0.3)),
    )


@_step
def extreme(d: Draw) -> Drawn:
    k = d.operand(lambda v: v.dtype.kind in "fi" and v.size > 0)
    axis = d.axes(k)
    apart(d.values[k])
    name = d.one_of(["max", "min"] if type(axis) is tuple else ["max", "min", "argmax", "argmin"])
    return (lambda x, name, axis: getattr(np, name)(x, axis=axis)), (k,), (name, axis)


@_step
def truth(d: Draw) -> Drawn:
    k = d.of("bi")
    name = d.one_of(["any", "all", "sum", "count_nonzero"])
    return (lambda x, name, axis: getattr(np, name)(x, axis=axis)), (k,), (name, d.axes(k))


@_step
def running(d: Draw) -> Drawn:
    k = d.of("fi", 1)
    functions = {
        "cumsum": np.cumsum,
        "cumprod": lambda x, axis: np.cumprod(1 + np.tanh(x) / 4, axis=axis),
        "diff": lambda x, axis: np.diff(x, axis=axis),
    }
    name = d.one_of(sorted(functions))
    return (lambda x, name, axis: functions[name](x, axis=axis)), (k,), (name, d.axis(k))


@_step
def ordered(d: Draw) -> Drawn:
    k = d.operand(lambda v: v.ndim and v.size > 0 and v.dtype.kind in "fi")
    apart(d.values[k])
    name = d.one_of(["sort", "argsort", "median"])
    return (lambda x, name, axis: getattr(np, name)(x, axis=axis)), (k,), (name, d.axis(k))


# -- products -------------------------------------------------------------------------------------


@_step
def product(d: Draw) -> Drawn:
    k = d.of("f", 1)
    x = d.values[k]
    inner = x.shape[-1]
    j = d.operand(
        lambda v: (
            v.dtype.kind == "f"
            and v.ndim >= 1
            and v.shape[max(v.ndim - 2, 0)] == inner
            and (v.ndim < 3 or x.ndim < 3 or _broadcasts(v.shape[:-2], x.shape[:-2]))
        )
    )
    return (lambda x, y: x @ y / 3), (k, j), ()


@_step
def einsum(d: Draw) -> Drawn:
    """Random letters: summed, repeated, batched, or kept."""
    k = d.operand(lambda v: v.dtype.kind == "f" and v.ndim <= 3)
    j = d.operand(lambda v: v.dtype.kind == "f" and v.ndim <= 3)
    extents: dict[str, int] = {}
    terms = []
    for i in (k, j):
        term = ""
        for extent in d.values[i].shape:
            same = [a for a, e in extents.items() if e == extent]
            new = next(a for a in "abcdefgh" if a not in extents)
            letter = d.one_of(same) if same and d.chance(0.7) else new
            extents[letter] = extent
            term += letter
        terms.append(term)
    kept = [a for a in extents if d.chance()]
    order = "".join(kept[i] for i in d.rng.permutation(len(kept)))
    text = f"{terms[0]},{terms[1]}->{order}"
    return (lambda x, y, text: np.einsum(text, x, y) / 4), (k, j), (text,)


@_step
def convolved(d: Draw) -> Drawn:
    k, j = (d.operand(lambda v: v.dtype.kind == "f" and v.ndim == 1 and v.size) for _ in "xy")
    mode = d.one_of(["full", "same", "valid"])
    return (lambda x, y, mode: np.convolve(x, y, mode) / 4), (k, j), (mode,)


@_step
def solved(d: Draw) -> Drawn:
    k = d.operand(lambda v: v.dtype.kind == "f" and v.ndim == 2 and 0 < v.shape[0] <= 6)

    def function(x, name):
        a = np.tanh(x) @ np.tanh(x).T + 4 * np.eye(len(x), dtype=x.dtype)
        if name == "solve":
            return np.linalg.solve(a, np.sin(x))
        if name == "cholesky":
            return np.linalg.cholesky(a)
        return np.log(np.linalg.det(a)) if name == "det" else np.linalg.inv(a)

    return function, (k,), (d.one_of(["solve", "cholesky", "det", "inv"]),)
