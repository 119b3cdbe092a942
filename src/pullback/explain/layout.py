"""From expressions to boxes: the order of factors, signs and brackets."""

from __future__ import annotations

from fractions import Fraction as Rational
from typing import Any

from pullback.explain import matrices as mx
from pullback.explain.arithmetic import split
from pullback.explain.boxes import (
    Box,
    Call,
    Fenced,
    Fraction,
    Mark,
    Named,
    Over,
    Root,
    SumOver,
    Superscript,
    Text,
    row,
)
from pullback.explain.expression import (
    At,
    Delta,
    Expr,
    Fn,
    Index,
    Num,
    Partial,
    Plus,
    Power,
    Sigma,
    Sym,
    Times,
    free,
    times,
)
from pullback.explain.matrices import Matrix
from pullback.explain.names import Name

__all__ = ["Letters", "entry_box", "matrix_box", "number_box"]

LETTERS = "ijklmnpqrstabcdefgh"

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
"""How tightly a box holds together."""

VULGAR = {
    Rational(1, 2): "½", Rational(1, 3): "⅓", Rational(2, 3): "⅔", Rational(1, 4): "¼",
    Rational(3, 4): "¾",
}  # fmt: skip


class Letters:
    """The letters of indices in one derivation.

    Parameters
    ----------
    *indices : Index
        Those that are not summed over, in the order in which they get letters.
    """

    def __init__(self, *indices: At) -> None:
        self.given: dict[Index, str] = {}
        self.preferred: dict[Index, str] = {}
        for index in indices:
            if isinstance(index, Index):
                self.letter(index)

    def letter(self, at: At) -> str:
        """The letter of an index, or the number."""
        if not isinstance(at, Index):
            return str(at)
        if at not in self.given:
            taken = set(self.given.values())
            wish = self.preferred.get(at)
            if wish is None or wish in taken:
                wish = next((x for x in LETTERS if x not in taken), None) or f"i{len(self.given)}"
            self.given[at] = wish
        return self.given[at]

    def bind(self, index: Index, body: Expr) -> str:
        """The letter of an index that is summed over."""
        for other in free(body):
            if other is not index:
                self.letter(other)
        hidden = self.given.pop(index, None)
        if hidden is not None:
            self.preferred.setdefault(index, hidden)
        return self.letter(index)

    def release(self, index: Index) -> None:
        """The sum is over."""
        self.preferred[index] = self.given.pop(index)

    def below(self, at: tuple[At, ...]) -> tuple[str, ...]:
        """What stands below a name."""
        return tuple(map(self.letter, at))


def number_box(value: Any) -> tuple[Box, int]:
    """A number, and how tightly it holds together."""
    if isinstance(value, Rational):
        if value < 0:
            box, _ = number_box(-value)
            return row(Mark("−", prefix=True), box), SIGN
        if value in VULGAR:
            return Text(VULGAR[value], upright=True), ATOM
        short = repr(float(value))
        if len(short) < 7:
            return Text(short, upright=True), ATOM
        above, below = str(value.numerator), str(value.denominator)
        return Fraction(Text(above, upright=True), Text(below, upright=True)), PRODUCT
    if isinstance(value, complex):
        return Fenced(Text(f"{value:.6g}", upright=True)), ATOM
    if value < 0:
        box, _ = number_box(-value)
        return row(Mark("−", prefix=True), box), SIGN
    if isinstance(value, float) and value == float("inf"):
        return Text("∞", upright=True), ATOM
    text = str(value) if isinstance(value, int) else f"{value:.12g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = Superscript(Text("10", upright=True), number_box(int(exponent))[0])
        return row(Text(mantissa, upright=True), Mark("·"), power), PRODUCT
    return Text(text, upright=True), ATOM


def fenced(found: tuple[Box, int], least: int) -> Box:
    """The box, in brackets if it does not hold together tightly enough."""
    box, tight = found
    return box if tight >= least else Fenced(box)


# -- in entries -------------------------------------------------------------------------------


def entry_box(e: Expr, letters: Letters) -> Box:
    """An expression in entries."""
    return _entry(e, letters)[0]


def _entry(e: Expr, letters: Letters) -> tuple[Box, int]:
    if isinstance(e, Num):
        return number_box(e.value)
    if isinstance(e, Sym):
        return Named(e.name, letters.below(e.at)), ATOM
    if isinstance(e, Delta):
        return Named(Name("δ"), letters.below((e.left, e.right))), ATOM
    if isinstance(e, Plus):
        return _terms([(e, lambda x: _entry(x, letters)) for e in e.terms])
    if isinstance(e, Times):
        return _times(e, letters)
    if isinstance(e, Power):
        return _power(e, letters)
    if isinstance(e, Fn):
        args = tuple(_entry(x, letters)[0] for x in e.args)
        return called(e.name, e.primes, args), ATOM
    if isinstance(e, Sigma):
        letter = letters.bind(e.index, e.body)
        found = _entry(e.body, letters)
        body = Fenced(found[0]) if found[1] in (SUM, SIGN) else found[0]
        letters.release(e.index)
        return SumOver(letter, body), PRODUCT
    assert isinstance(e, Partial)
    below = Named(e.by.name, letters.below(e.by.at))
    if isinstance(e.body, Sym):
        return Over(Named(e.body.name, letters.below(e.body.at)), below), ATOM
    body = fenced(_entry(e.body, letters), POWER)
    base = body.base if isinstance(body, Superscript) else body
    if not isinstance(base, Fenced | Call):
        body = Fenced(body)
    return Over(None, below, body), PRODUCT


def called(name: str, primes: int, args: tuple[Box, ...]) -> Box:
    """A function of boxes."""
    if name == "abs" and not primes:
        return Fenced(args[0], "||")
    if name == "holds":
        return Fenced(args[0], "[]")
    return Call({"log": "ln"}.get(name, name), primes, args)


def _terms(terms: list[Any]) -> tuple[Box, int]:
    """A sum; a term that begins with a minus is subtracted."""
    boxes: list[Box] = []
    for position, (term, draw) in enumerate(terms):
        number, rest = _signed(term)
        if number:
            box = fenced(draw(rest), PRODUCT)
            boxes.append(Mark("−", prefix=not position))
        else:
            found = draw(term)
            loose = found[1] == SUM or (found[1] == SIGN and position > 0)
            box = Fenced(found[0]) if loose else found[0]
            if position:
                boxes.append(Mark("+"))
        boxes.append(box)
    return row(*boxes), SUM


def _signed(term: Any) -> tuple[bool, Any]:
    """Whether a term is negative, and what it is without the sign."""
    if isinstance(term, Matrix):
        if isinstance(term, mx.Scaled) and isinstance(term.scalars[0], mx.Number):
            value = term.scalars[0].value
            if not isinstance(value, complex) and value < 0:
                rest = term.scalars[1:]
                front = () if value == -1 else (mx.Number((), -value),)
                left = (*front, *rest)
                return True, mx.Scaled(term.shape, left, term.value) if left else term.value
        if isinstance(term, mx.Number) and not isinstance(term.value, complex) and term.value < 0:
            return True, mx.Number((), -term.value)
        return False, term
    number, _ = split(term)
    if isinstance(number, complex) or not number < 0:
        return False, term
    factors = list(term.factors) if isinstance(term, Times) else [term]
    for place, factor in enumerate(factors):
        if isinstance(factor, Num) and factor.value < 0:
            factors[place] = Num(-factor.value)
    return True, times(*factors)


def _times(e: Times, letters: Letters) -> tuple[Box, int]:
    negative, rest = _signed(e)
    if negative:
        return row(Mark("−", prefix=True), fenced(_entry(rest, letters), PRODUCT)), SIGN
    above: list[Expr] = []
    below: list[Expr] = []
    for factor in e.factors:
        inverse = _inverse(factor)
        (above if inverse is None else below).append(factor if inverse is None else inverse)
    above.sort(key=lambda x: (not isinstance(x, Num), isinstance(x, Sigma | Partial)))
    if below:
        top = _product(above, letters) if above else (Text("1", upright=True), ATOM)
        return Fraction(top[0], _product(below, letters)[0]), PRODUCT
    return _product(above, letters)


def _inverse(e: Expr) -> Expr | None:
    """x^n of x^−n."""
    if isinstance(e, Power) and isinstance(e.exponent, Num):
        n = e.exponent.value
        if not isinstance(n, complex) and n < 0:
            return e.base if n == -1 else Power(e.base, Num(-n))
    return None


def _product(factors: list[Expr], letters: Letters) -> tuple[Box, int]:
    if len(factors) == 1:
        return _entry(factors[0], letters)
    signed = False
    boxes: list[Box] = []
    for position, factor in enumerate(factors):
        found = _entry(factor, letters)
        last = position == len(factors) - 1
        keeps = isinstance(factor, Sigma) or (
            isinstance(factor, Partial) and not isinstance(factor.body, Sym)
        )
        loose = found[1] < SIGN and not (last and keeps)
        if found[1] == SIGN:
            loose, signed = position > 0, signed or not position
        boxes += [Mark("·")] if position else []
        boxes.append(Fenced(found[0]) if loose else found[0])
    return row(*boxes), SIGN if signed else PRODUCT


def _power(e: Power, letters: Letters) -> tuple[Box, int]:
    inverse = _inverse(e)
    if inverse is not None:
        return Fraction(Text("1", upright=True), _entry(inverse, letters)[0]), PRODUCT
    return raised(_entry(e.base, letters), e.exponent, lambda x: _entry(x, letters))


def raised(base: tuple[Box, int], exponent: Any, draw: Any) -> tuple[Box, int]:
    """A power, or a root."""
    value = getattr(exponent, "value", None)
    if value == Rational(1, 2):
        return Root(base[0]), ATOM
    box = fenced(base, ATOM)
    if isinstance(box, Named) and box.name.mark:
        box = Fenced(box)  # so that a power is not taken for a part of the name
    return Superscript(box, draw(exponent)[0]), POWER


# -- in matrices ------------------------------------------------------------------------------


def matrix_box(m: Matrix) -> Box:
    """An expression in matrix notation."""
    return _matrix(m)[0]


def _matrix(m: Matrix) -> tuple[Box, int]:
    if isinstance(m, mx.Letter):
        below = tuple(":" if n is None else str(n) for n in m.at)
        return Named(m.name, below), ATOM
    if isinstance(m, mx.Number):
        return number_box(m.value)
    if isinstance(m, mx.Added):
        return _terms([(x, _matrix) for x in m.terms])
    if isinstance(m, mx.Hadamard):
        return _chain(m.factors, "⊙"), PRODUCT
    if isinstance(m, mx.Scaled):
        return _scaled(m)
    if isinstance(m, mx.Product):
        return row(_side(m.left), Mark(" "), _side(m.right)), PRODUCT
    if isinstance(m, mx.Outer):
        return row(_side(m.left), Mark(" "), _flipped(m.right)), PRODUCT
    if isinstance(m, mx.Dot):
        if len(m.left.shape) == 1:
            return row(_flipped(m.left), Mark(" "), _side(m.right)), PRODUCT
        return Fenced(row(_matrix(m.left)[0], Mark(","), _matrix(m.right)[0]), "⟨⟩"), ATOM
    if isinstance(m, mx.Norm):
        return Superscript(Fenced(_matrix(m.value)[0], "‖‖"), Text("2", upright=True)), ATOM
    if isinstance(m, mx.Transposed):
        return _flipped(m.value), POWER
    if isinstance(m, mx.Ones):
        return Text("𝟏", upright=True), ATOM
    if isinstance(m, mx.Eye):
        return (Text("I"), ATOM) if m.row is None else (Named(Name("e"), (str(m.row),)), ATOM)
    if isinstance(m, mx.Diag):
        return Call("diag", 0, (_matrix(m.value)[0],)), ATOM
    if isinstance(m, mx.Applied):
        return called(m.function, m.primes, tuple(_matrix(x)[0] for x in m.args)), ATOM
    assert isinstance(m, mx.Raised)
    return _raised(m)


def _raised(m: mx.Raised) -> tuple[Box, int]:
    value = getattr(m.exponent, "value", None)
    base = _matrix(m.base)
    if value is not None and not isinstance(value, complex) and value < 0:
        below = base if value == -1 else raised(base, mx.Number((), -value), _matrix)
        return Fraction(Text("1", upright=True), below[0]), PRODUCT
    return raised(base, m.exponent, _matrix)


def _side(m: Matrix) -> Box:
    """One side of a product of matrices."""
    box, tight = _matrix(m)
    loose = (tight < SIGN and not isinstance(m, mx.Product)) or tight == SIGN
    return Fenced(box) if loose else box


def _flipped(m: Matrix) -> Box:
    """The transpose."""
    box = fenced(_matrix(m), ATOM)
    return Superscript(box, Text("T"))


def _chain(factors: tuple[Matrix, ...], mark: str) -> Box:
    above = [x for x in factors if _below(x) is None]
    below = [y for x in factors if (y := _below(x)) is not None]
    if below:
        top = _chain(tuple(above), mark) if above else Text("1", upright=True)
        return Fraction(top, _chain(tuple(below), mark))
    if len(factors) == 1:
        return _matrix(factors[0])[0]
    boxes: list[Box] = []
    for position, factor in enumerate(factors):
        box, tight = _matrix(factor)
        product = isinstance(factor, mx.Product | mx.Outer) and mark == "⊙"
        loose = tight < SIGN or product or (tight == SIGN and position > 0)
        boxes += [Mark(mark)] if position else []
        boxes.append(Fenced(box) if loose else box)
    return row(*boxes)


def _scaled(m: mx.Scaled) -> tuple[Box, int]:
    negative, rest = _signed(m)
    if negative:
        return row(Mark("−", prefix=True), fenced(_matrix(rest), PRODUCT)), SIGN
    if any(_below(x) is not None for x in m.scalars):
        above = [x for x in m.scalars if _below(x) is None]
        below = [y for x in m.scalars if (y := _below(x)) is not None]
        top = mx.Scaled(m.shape, tuple(above), m.value) if above else m.value
        return Fraction(_matrix(top)[0], _chain(tuple(below), "·")), PRODUCT
    box, tight = _matrix(m.value)
    if tight in (SUM, SIGN) or (
        tight == PRODUCT
        and not (isinstance(m.value, mx.Product | mx.Outer | mx.Dot) or isinstance(box, Fraction))
    ):
        box = Fenced(box)
    front = _chain(m.scalars, "·")
    if len(m.scalars) == 1:
        front = fenced(_matrix(m.scalars[0]), SIGN)
    return row(front, Mark("·"), box), PRODUCT


def _below(m: Matrix) -> Matrix | None:
    """What stands below the line, if this is an inverse."""
    value = getattr(m.exponent, "value", None) if isinstance(m, mx.Raised) else None
    if not isinstance(m, mx.Raised) or value is None or isinstance(value, complex) or value >= 0:
        return None
    return m.base if value == -1 else mx.Raised(m.shape, m.base, mx.Number((), -value))
