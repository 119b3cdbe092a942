"""NumPy's elementwise functions that are no ufuncs, and the operator ``**``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy._core import umath

from pullback.core.memory import in_memory
from pullback.core.primitive import bind
from pullback.core.running import GROUND
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, View, is_number, known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError, DataDependenceError
from pullback.graph.places import user_line
from pullback.numpy.conversion import convert, double, inexact
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.indexing import take
from pullback.numpy.operands import operand, refuse, require_known
from pullback.numpy.registration import implements
from pullback.numpy.views import array_of, as_array, copy_of, element_of, view_of
from pullback.rules import arithmetic, constants, selection, sinc
from pullback.rules import complex as complex_rules
from pullback.rules.registration import array_ufuncs

__all__ = ["divmod", "pow"]

_EXPONENTS = {
    -1: arithmetic.reciprocal,
    0.5: arithmetic.sqrt,
    1: arithmetic.positive,
    2: arithmetic.square,
}


def pow(x: Any, y: Any) -> Any:
    """``x ** y``, which NumPy evaluates as a reciprocal, a root or a square where y is one."""
    kind = type(y)
    if (kind is int or kind is float) and y in _EXPONENTS:
        return bind(_EXPONENTS[y], (x,), {})
    return bind(arithmetic.power, (x, y), {})


def divmod(x: Any, y: Any) -> tuple[Any, Any]:
    """Quotient and remainder."""
    return np.floor_divide(x, y), np.remainder(x, y)


array_ufuncs[np.divmod] = divmod


# -- selection ------------------------------------------------------------------------------------


@implements(np.where)
def where(condition: Any, /, *choices: Any) -> Any:
    if not choices:
        return np.nonzero(condition)
    if len(choices) != 2:
        raise ArgumentTypeError(
            f"np.where: got a condition and {len(choices)} choice, wanted both x and y or neither"
        )
    return as_array(selection.where(operand(condition), operand(choices[0]), operand(choices[1])))


_NOT_GIVEN = object()


@implements(np.clip)
def clip(
    a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = _NOT_GIVEN, max: Any = _NOT_GIVEN
) -> Any:
    """min(max(a, a_min), a_max): at a bound the derivative is split evenly, as at any tie."""
    low = a_min if min is _NOT_GIVEN else min
    high = a_max if max is _NOT_GIVEN else max
    x = operand(a)
    if low is not None:
        x = np.maximum(x, low)
    if high is not None:
        x = np.minimum(x, high)
    return np.positive(x) if x is a else x


array_ufuncs[vars(umath)["clip"]] = clip  # what the method of plain arrays calls


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Each function is evaluated where its condition holds, and nowhere else."""
    x = operand(x)
    single = not isinstance(condlist, list | tuple) and np.ndim(condlist) <= len(shape_of(x))
    conditions = [np.asarray(c, bool) for c in ([condlist] if single else condlist)]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(funclist) != len(conditions):
        raise ArgumentValueError(
            f"np.piecewise: got {len(funclist)} functions for {len(conditions)} conditions; give "
            "one for each, and one more for where none of them holds if that is wanted"
        )
    y = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if callable(function):
            chosen = x[condition]
            if 0 not in shape_of(chosen):
                y[condition] = function(chosen, *args, **kw)
        else:
            y[condition] = function
    return y


@implements(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """What is not finite becomes constant; the rest is handed on."""
    x = operand(x)
    if copy:
        x = copy_of(x)
    if dtype_of(x).kind == "c":
        parts = (_numbers(part, nan, posinf, neginf) for part in (np.real(x), np.imag(x)))
        out = complex_rules.from_parts(*parts)
    else:
        out = _numbers(x, nan, posinf, neginf)
    if copy:
        return element_of(out)
    x[...] = out
    return x if shape_of(x) else x[()]


def _numbers(x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    """`x` with numbers in place of NaN and the infinities."""
    dtype = dtype_of(x)
    limits = np.finfo(dtype) if dtype.kind == "f" else None
    if limits is None:
        return x
    nan, posinf, neginf = (
        each if each is None or dtype_of(each).kind == "c" else convert(operand(each), dtype)
        for each in (nan, posinf, neginf)
    )
    x = np.where(np.isnan(x), nan, x)
    x = np.where(np.equal(x, np.inf), limits.max if posinf is None else posinf, x)
    return np.where(np.equal(x, -np.inf), limits.min if neginf is None else neginf, x)


# -- complex numbers ------------------------------------------------------------------------------


@implements(np.real)
def real(val: Any) -> Any:
    x = operand(val)
    if dtype_of(x).kind != "c":
        return x
    return view_of(
        x, complex_rules.real, lambda z, y: complex_rules.from_parts(y, complex_rules.imag(z))
    )


@implements(np.imag)
def imag(val: Any) -> Any:
    x = operand(val)
    if dtype_of(x).kind != "c":
        return _nothing_imaginary(x)
    return view_of(
        x, complex_rules.imag, lambda z, y: complex_rules.from_parts(complex_rules.real(z), y)
    )


def _nothing_imaginary(x: Any) -> Any:
    """The imaginary part of real numbers: zeros, in an array that cannot be written to."""
    if isinstance(x, Tracer) and not x._mutable:
        return 0.0 if is_number(x) else dtype_of(x).type(0)
    flags = getattr(in_memory(x), "flags", None)
    zeros = np.zeros(shape_of(x), dtype_of(x), "F" if flags is not None and flags.fnc else "C")
    zeros.flags.writeable = False
    out = GROUND.constant(zeros)
    if type(out) is Tracer and type(x) is Tracer:
        out._alias = View(x, lambda _base: zeros, None)
    return out


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    a = np.arctan2(np.imag(z) if dtype_of(z).kind == "c" else 0, np.real(z))
    return np.rad2deg(a) if deg else a


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real part if all imaginary parts are within `tol` machine epsilons of 0, or `tol`."""
    x = operand(a)
    if dtype_of(x).kind == "c" and not known(x):
        raise DataDependenceError(
            "numpy.real_if_close: whether the result is real depends on the values of an array of "
            f"dtype {dtype_of(x)} and shape {shape_of(x)}, which are not known while a graph is "
            f"recorded{user_line()}. Call numpy.real where it is to be"
        )
    close = dtype_of(x).kind == "c" and dtype_of(np.real_if_close(strip(x), tol)).kind != "c"
    x = array_of(x)
    return np.real(x) if close else x


# -- functions ------------------------------------------------------------------------------------


@implements(np.sinc)
def sinc_function(x: Any) -> Any:
    return sinc.sinc(operand(x), order=0)


@implements(np.i0)
def i0(x: Any) -> Any:
    import scipy.special

    return array_of(scipy.special.i0(operand(x)))


@implements(np.kaiser)
def kaiser(M: Any, beta: Any) -> Any:
    """I₀(β√(1 − t²)) / I₀(β), t from −1 to 1; differentiable in β."""
    count = int(require_known("numpy.kaiser", "M", M))
    if count == 1:
        return np.ones(1)
    middle = (count - 1) / 2
    place = (np.arange(count) - middle) / middle
    return i0(beta * np.sqrt(1 - place**2)) / i0(beta)


@implements(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    return selection.unwrap(operand(p), discont=discont, axis=axis, period=period)


@implements(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """The line through the neighbouring knots; at a knot, the one to its right.

    In double precision, whatever comes, as in NumPy.
    """
    x, xp, fp = (double(operand(each)) for each in (x, xp, fp))
    left, right = (None if each is None else double(operand(each)) for each in (left, right))
    if period is not None:
        period = np.abs(inexact(operand(period)))
        x, xp = np.remainder(x, period), np.remainder(xp, period)
        order = np.argsort(xp)
        xp, fp = take(xp, order), take(fp, order)
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    last = shape_of(xp)[0] - 1
    right_knot = np.clip(np.searchsorted(xp, x, side="right"), min(1, last), last)
    left_knot = np.maximum(right_knot - 1, 0)
    x0, x1 = take(xp, left_knot), take(xp, right_knot)
    y0, y1 = take(fp, left_knot), take(fp, right_knot)
    y = (y1 - y0) / np.where(np.equal(x0, x1), 1, x1 - x0) * (x - x0) + y0
    if period is None:
        y = np.where(np.less(x, xp[0]), fp[0] if left is None else left, y)
        y = np.where(np.greater(x, xp[-1]), fp[-1] if right is None else right, y)
    return y[()]


# -- domains that widen to complex numbers --------------------------------------------------------


def _widening(function: Callable[..., Any], outside: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`function`, of a complex argument where a real one would be outside its domain."""
    name = function.__name__

    def widened(x: Any) -> Any:
        return function(_widen(operand(x), outside, name))

    return widened


def _widen(x: Any, outside: Callable[[Any], Any], name: str) -> Any:
    if dtype_of(x).kind == "c":
        return x
    if not known(x):
        raise DataDependenceError(
            f"numpy.emath.{name}: whether the result is real or complex depends on the values of "
            f"an array of dtype {dtype_of(x)} and shape {shape_of(x)}, which are not known while a "
            f"graph is recorded{user_line()}. Call numpy.{name}: of x where it is in the domain of "
            "the real function, of x + 0j where it may not be"
        )
    if not np.any(outside(strip(x))):
        return x
    return x + np.zeros((), np.result_type(dtype_of(x), np.complex64))


def _negative(x: Any) -> Any:
    return x < 0


def _large(x: Any) -> Any:
    return np.abs(x) > 1


for _name, _domain in {
    "sqrt": _negative,
    "log": _negative,
    "log2": _negative,
    "log10": _negative,
    "arccos": _large,
    "arcsin": _large,
    "arctanh": _large,
}.items():
    implements(getattr(np.emath, _name))(_widening(getattr(np, _name), _domain))


@implements(np.emath.logn)
def _logn(n: Any, x: Any) -> Any:
    return np.emath.log(x) / np.emath.log(n)


@implements(np.emath.power)
def _power(x: Any, p: Any) -> Any:
    p = operand(p)
    return np.power(
        _widen(operand(x), _negative, "power"), p if isinstance(p, Tracer) else np.asarray(p)
    )


# -- constants ------------------------------------------------------------------------------------


@implements(np.round, np.around)
def round(a: Any, decimals: int = 0) -> Any:
    return constants.CONSTANTS["round"](operand(a), decimals=decimals)


def fix(x: Any) -> Any:
    return constants.CONSTANTS["trunc"](operand(x))


if hasattr(np, "fix"):  # deprecated since NumPy 2.5
    implements(np.fix)(fix)


def _constant(name: str) -> Callable[..., Any]:
    primitive = constants.CONSTANTS[name]

    def evaluate(*args: Any, **kwargs: Any) -> Any:
        for argument, value in kwargs.items():
            if isinstance(value, Tracer):
                refuse(f"np.{name}", argument, value, "give a number: it has no derivative")
        return bind(primitive, tuple(map(operand, args)), kwargs)

    return evaluate


for _predicate in constants.PREDICATES:
    implements(_predicate)(_constant(_predicate.__name__))


decide(
    np, "allclose array_equal array_equiv isclose iscomplex isreal isneginf isposinf",
    Kind.CONSTANT, "tests and counts, which jump",
)  # fmt: skip
decide(np, "round around fix", Kind.CONSTANT, "locally constant")
