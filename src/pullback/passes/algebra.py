"""Algebra: neutral elements, signs, and powers.

Every rewriting holds for NaN and infinity: 0·x is not 0, and x − x is not 0, unless x is an integer
or a truth value. What may change is the last bits of a result, and the sign of a zero: x + 0 is
taken to be x, and 0 − x to be −x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.precision import computing_dtype
from pullback.core.primitive import Primitive
from pullback.core.shapes import dtype_of
from pullback.core.tracing import is_plain
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.rewriting import Pass, Rewriting, is_number
from pullback.rules.arithmetic import (
    add,
    divide,
    multiply,
    negative,
    positive,
    power,
    reciprocal,
    square,
    subtract,
)
from pullback.rules.complex import absolute, conjugate, fabs, imag, real
from pullback.rules.contractions import matmul
from pullback.rules.conversion import astype
from pullback.rules.indexing import index
from pullback.rules.losses import difference, product
from pullback.rules.registration import strong_multiply
from pullback.rules.selection import maximum, minimum
from pullback.rules.shaping import reshape, transpose

__all__ = ["simplify_algebra"]

simplify_algebra = Pass()

_PLAIN = frozenset(map(np.dtype, ("float16", "float32", "float64", "complex64", "complex128")))
"""Dtypes whose numbers are Python's without loss."""


# -- numbers --------------------------------------------------------------------------------------


@simplify_algebra.rewrites_each(
    add, subtract, multiply, divide, strong_multiply, difference, product, maximum, minimum
)
def _in_one_spelling(
    primitive: Primitive, rw: Rewriting, z: Variable, x: Atom, y: Atom
) -> Atom | None:
    """A number beside a variable of the result's dtype is a Python number of that precision."""
    if type(x) is not Variable:
        number, variable = x, y
    elif type(y) is not Variable:
        number, variable = y, x
    else:
        return None
    dtype = z.dtype
    if (type(number) is float and dtype.char == "d") or dtype not in _PLAIN:
        return None
    if type(variable) is not Variable or variable.dtype != dtype or variable.weak is not None:
        return None
    plain = dtype.type(number).item()
    if type(plain) is type(number) and (plain == number or plain != plain):
        return None
    return rw.bind(primitive, *((plain, y) if number is x else (x, plain)))


def _precise(number: Any, z: Variable) -> Any:
    """A number in the precision of z: in its own, −2 may be 65534, and a product be rounded."""
    if not is_plain(number, np.generic):
        return number
    return computing_dtype(number.dtype, z.dtype).type(number)


# -- signs ----------------------------------------------------------------------------------------


def _negated(rw: Rewriting, z: Variable, x: Atom) -> Atom | None:
    """y where x is −y. Integers wrap around: −y of another dtype than z is no negative in z."""
    dtype = dtype_of(x)
    return rw.operand(x, negative) if dtype.kind in "fc" or dtype == z.dtype else None


@simplify_algebra.rewrites(negative)
def _negative(rw: Rewriting, z: Variable, x: Atom) -> Atom | None:
    """−(−y) = y; and of what is not used otherwise, −(a − b) = b − a and −(c·y) = (−c)·y."""
    y = _negated(rw, z, x)
    if y is not None:
        return y
    if not rw.used_once(x) or z.dtype.kind not in "fc":
        return None
    equation = rw.made_by(x, subtract)
    if equation is not None:
        return rw.bind(subtract, *reversed(equation.inputs))
    for primitive in (multiply, divide):
        equation = rw.made_by(x, primitive)
        if equation is not None:
            a, b = equation.inputs
            if type(a) is not Variable:
                return rw.bind(primitive, -_precise(a, z), b)
            if type(b) is not Variable:
                return rw.bind(primitive, a, -_precise(b, z))
    return None


# -- sums -----------------------------------------------------------------------------------------


@simplify_algebra.rewrites(add)
def _add(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """x + 0 = x, x + (−y) = x − y."""
    for a, b in ((x, y), (y, x)):
        if is_number(b, 0):
            return a
    for a, b in ((x, y), (y, x)):
        minus = _negated(rw, z, b)
        if minus is not None:
            return rw.bind(subtract, a, minus)
    return None


@simplify_algebra.rewrites(subtract)
def _subtract(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """x − 0 = x, 0 − y = −y, x − (−y) = x + y."""
    if is_number(y, 0):
        return x
    if is_number(x, 0):
        return rw.bind(negative, rw.cast(y, z.dtype))
    minus = _negated(rw, z, y)
    return None if minus is None else rw.bind(add, x, minus)


@simplify_algebra.rewrites(difference)
def _difference(_rw: Rewriting, _z: Variable, x: Atom, y: Atom) -> Atom | None:
    """x − 0 = x."""
    return x if is_number(y, 0) else None


# -- products -------------------------------------------------------------------------------------


@simplify_algebra.rewrites(multiply)
def _multiply(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """x·1 = x, x·(−1) = −x, (−x)·(−y) = x·y, c·(−y) = (−c)·y, x·x = x²."""
    if type(y) is not Variable:
        x, y = y, x
    if type(x) is not Variable:
        if x == 1:
            return y
        if x == 0 and z.dtype.kind in "biu":
            return x
        if x == -1:
            return rw.bind(negative, rw.cast(y, z.dtype))
        minus = _negated(rw, z, y)
        if minus is not None and z.dtype.kind in "fc":
            return rw.bind_like(z, multiply, -_precise(x, z), minus)
        return _joined(rw, z, x, y)
    if x is y and z.dtype.kind in "fc" and x.weak is None:
        return rw.bind(square, x)
    minus_x = _negated(rw, z, x)
    if minus_x is not None:
        minus_y = _negated(rw, z, y)
        if minus_y is not None:
            return rw.bind(multiply, minus_x, minus_y)
    return None


def _joined(rw: Rewriting, z: Variable, c: Atom, y: Atom) -> Atom | None:
    """c·(d·x) = (c·d)·x, if neither side overflows or underflows where the other does not."""
    equation = rw.made_by(y, multiply)
    if equation is None or z.dtype.kind != "f" or y.dtype != z.dtype:
        return None
    d, x = equation.inputs
    if type(d) is Variable:
        d, x = x, d
    if type(d) is Variable or dtype_of(x) != z.dtype:
        return None
    c, d = _precise(c, z), _precise(d, z)
    limits = np.finfo(z.dtype)
    both = abs(z.dtype.type(c) * z.dtype.type(d))
    if not limits.tiny <= both <= limits.max or (abs(c) < 1) is not (abs(d) < 1):
        return None
    return rw.bind_like(z, multiply, c * d, x)


@simplify_algebra.rewrites(product)
def _product(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """A saturated product with a number c is a plain one where |c| ≤ 1: nothing overflows."""
    for number, other in ((x, y), (y, x)):
        if type(number) is not Variable and abs(_precise(number, z)) <= 1:
            return rw.bind_like(z, multiply, number, other)
    return None


@simplify_algebra.rewrites(divide)
def _divide(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """x/1 = x, x/(−1) = −x, (−x)/(−y) = x/y, (−x)/c = x/(−c), (1/y)/y = (1/y)²."""
    if is_number(y, 1):
        return x
    if _reciprocal_of(rw, z, x) is y and z.dtype.kind == "f":
        return rw.bind(square, x)
    if is_number(y, -1):
        return rw.bind(negative, rw.cast(x, z.dtype))
    minus = _negated(rw, z, x)
    if minus is None or z.dtype.kind not in "fc":
        return None
    if type(y) is not Variable:
        return rw.bind_like(z, divide, minus, -_precise(y, z))
    minus_y = _negated(rw, z, y)
    return None if minus_y is None else rw.bind(divide, minus, minus_y)


def _reciprocal_of(rw: Rewriting, z: Variable, x: Atom) -> Atom | None:
    """y where x is 1/y."""
    quotient = rw.made_by(x, divide)
    if quotient is not None and is_number(quotient.inputs[0], 1) and dtype_of(x) == z.dtype:
        return quotient.inputs[1]
    return rw.operand(x, reciprocal)


@simplify_algebra.rewrites_each(multiply, strong_multiply, divide, matmul)
def _sign_of(primitive: Primitive, rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """(−x)·y = −(x·y), where that is no larger: the sign may meet another, or get into a sum."""
    if z.dtype.kind not in "fc":
        return None
    for negated, atoms in ((x, (None, y)), (y, (x, None))):
        minus = _negated(rw, z, negated)
        if minus is not None and rw.used_once(negated) and z.size <= negated.size:
            product = rw.bind(primitive, *(minus if a is None else a for a in atoms))
            return rw.bind(negative, product)
    return None


@simplify_algebra.rewrites_each(index, reshape, transpose)
def _sign_of_part(
    primitive: Primitive, rw: Rewriting, _y: Variable, x: Atom, *indices: Atom, **params: Any
) -> Atom | None:
    """The elements of −x are those of x, negated."""
    minus = rw.operand(x, negative)
    if minus is None or not rw.used_once(x):
        return None
    return rw.bind(negative, rw.bind(primitive, minus, *indices, **params))


# -- powers ---------------------------------------------------------------------------------------


@simplify_algebra.rewrites(power)
def _power(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """x⁰ = 1, x¹ = x, x² is a square, x⁻¹ a reciprocal."""
    if type(y) is Variable:
        return None
    if y == 0:
        return z.dtype.type(1)
    if y == 1:
        return x
    if dtype_of(x) != z.dtype or z.dtype.kind == "b":
        return None
    if y == 2:
        return rw.bind(square, x)
    return rw.bind(reciprocal, x) if y == -1 and z.dtype.kind == "f" else None


@simplify_algebra.rewrites(positive)
def _positive(_rw: Rewriting, _z: Variable, x: Atom) -> Atom:
    """+x = x."""
    return x


@simplify_algebra.rewrites(square)
def _square(rw: Rewriting, z: Variable, x: Atom) -> Atom | None:
    """(−x)² = x², and |x|² = x² for real x."""
    minus = _negated(rw, z, x)
    if minus is not None:
        return rw.bind(square, minus)
    inner = rw.operand(x, absolute)
    return None if inner is None or dtype_of(inner).kind != "f" else rw.bind(square, inner)


@simplify_algebra.rewrites_each(absolute, fabs)
def _modulus(primitive: Primitive, rw: Rewriting, z: Variable, x: Atom) -> Atom | None:
    """|−x| = |x|, ||x|| = |x|."""
    minus = _negated(rw, z, x)
    if minus is not None:
        return rw.bind(primitive, minus)
    return x if rw.made_by(x, primitive) is not None else None


# -- complex numbers ------------------------------------------------------------------------------


@simplify_algebra.rewrites(conjugate)
def _conjugate(rw: Rewriting, _z: Variable, x: Atom) -> Atom | None:
    """conj x = x for real x, conj conj x = x."""
    return x if dtype_of(x).kind != "c" else rw.operand(x, conjugate)


@simplify_algebra.rewrites(real)
def _real(rw: Rewriting, z: Variable, x: Atom) -> Atom | None:
    """Re x = x for real x, also if x was converted to a complex number in between."""
    if dtype_of(x).kind != "c":
        return x
    equation = rw.made_by(x, astype)
    inner = None if equation is None else equation.inputs[0]
    return inner if inner is not None and dtype_of(inner) == z.dtype else None


@simplify_algebra.rewrites(imag)
def _imag(_rw: Rewriting, z: Variable, x: Atom) -> Atom | None:
    """Im x = 0 for real x."""
    return z.dtype.type(0) if dtype_of(x).kind != "c" else None
