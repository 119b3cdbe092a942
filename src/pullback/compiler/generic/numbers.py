"""Numbers that know how they were computed, and from which.

A `Letter` is an integer or a float that varies with the sizes of arguments. What is computed with
one is one, or a number if it is the same for all sizes; and what is decided by one is noted on its
`Tape`. For other values of the first letters, all that was computed can be computed again, if all
is decided as it was.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Letter", "Tape", "alike", "plain", "varies"]

Form = tuple[tuple[tuple[int, int], ...], int]
"""Σ factor · step of the tape + a number: the steps with their factors, and the number."""

_tapes = itertools.count()


class Tape:
    """What was computed and decided with the letters of a program.

    Attributes
    ----------
    open : bool
        Whether anything is noted still. Afterwards letters are like any numbers.
    """

    def __init__(self) -> None:
        self.open = True
        self._number = next(_tapes)
        self._steps: list[tuple[Callable[[Any, Any], Any] | None, Any, Any]] = []
        self._known: dict[Any, int] = {}
        self._decisions: dict[tuple[Callable[[Any, Any], Any], Form, Form], Any] = {}

    def first(self, value: float) -> Letter:
        """A letter of which no other one is a part."""
        position = sum(step is None for step, _, _ in self._steps)
        self._steps.append((None, position, None))
        made: Letter = self._letter((((len(self._steps) - 1, 1),), 0), value)
        return made

    def _letter(self, form: Form, value: Any) -> Any:
        terms, rest = form
        if not terms:
            return rest
        made: Letter = (_Integer if type(value) is int else _Float)(value)
        made.tape, made.form = self, form
        return made

    def computed(self, operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
        """The value of an operation on a letter and another number."""
        value = operation(plain(a), plain(b))
        if not self.open:
            return value
        one, other = self._form(a), self._form(b)
        form = _affine(operation, one, other) if type(value) is int else None
        if operation in (operator.floordiv, operator.mod) and type(value) is int:
            times = _multiple(one, other)
            if times is not None:
                self.decided(operator.ne, b, 0)
                return times if operation is operator.floordiv else 0
        if form is None:
            key = (operation, *map(_key, (one, other)))
            if key not in self._known:
                self._steps.append((operation, one, other))
                self._known[key] = len(self._steps) - 1
            form = ((self._known[key], 1),), 0
        return self._letter(form, value)

    def decided(self, operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
        """The value of an operation on which it depends what is done."""
        value = operation(plain(a), plain(b))
        if self.open:
            one, other = self._form(a), self._form(b)
            if one != other:
                self._decisions[(operation, one, other)] = value
        return value

    def _form(self, x: Any) -> Form:
        if isinstance(x, Letter):
            assert x.tape is self
            return x.form
        return (), x

    # -- for other sizes ---------------------------------------------------------------------------

    def replayed(self, firsts: Sequence[Any]) -> list[Any] | None:
        """The values of all steps for other first letters; `None` where there are none."""
        values: list[Any] = []
        try:
            for operation, a, b in self._steps:
                if operation is None:
                    values.append(firsts[a])
                else:
                    values.append(operation(_value(a, values), _value(b, values)))
        except ArithmeticError:
            return None
        return values

    def decides_as_before(self, values: list[Any]) -> bool:
        """Whether all is decided as it was, if those are the values of all steps."""
        return all(
            operation(_value(a, values), _value(b, values)) == decided
            for (operation, a, b), decided in self._decisions.items()
        )

    @staticmethod
    def value(x: Any, values: list[Any]) -> Any:
        """What a number is, if those are the values of all steps."""
        return _value(x.form, values) if isinstance(x, Letter) else x


def _value(form: Form, values: list[Any]) -> Any:
    terms, rest = form
    if len(terms) == 1 and terms[0][1] == 1 and type(rest) is int and not rest:
        return values[terms[0][0]]
    return sum((values[step] * factor for step, factor in terms), rest)


def _key(form: Form) -> Any:
    """A form by which it is found: -0.0, 0.0 and 0 are not the same."""
    return form[0], repr(form[1])


def _affine(operation: Callable[[Any, Any], Any], a: Form, b: Form) -> Form | None:
    """The form of a sum, or of the product with a number, of integers."""
    if operation is operator.add:
        return _sum(a, b, 1)
    if operation is operator.sub:
        return _sum(a, b, -1)
    if operation is operator.mul and (not a[0] or not b[0]):
        (terms, rest), (_, factor) = (a, b) if a[0] else (b, a)
        return _sum(((), 0), (terms, rest), factor)
    if b[0] or not b[1] or any(factor % b[1] for _, factor in a[0]):
        return None
    if operation is operator.floordiv:
        return tuple((step, factor // b[1]) for step, factor in a[0]), a[1] // b[1]
    return ((), a[1] % b[1]) if operation is operator.mod else None


def _multiple(a: Form, b: Form) -> int | None:
    """How many times one form, with terms, is in another one, for all values of these."""
    if not a[0] or not b[0]:
        return None
    times = a[0][0][1] // b[0][0][1]
    return times if _sum(a, b, -times) == ((), 0) else None


def _sum(a: Form, b: Form, factor: int) -> Form:
    terms = dict(a[0])
    for step, times in b[0]:
        terms[step] = terms.get(step, 0) + times * factor
    kept = tuple(sorted((step, times) for step, times in terms.items() if times))
    return kept, a[1] + b[1] * factor


class Letter:
    """A number of a program that varies.

    Letters are equal to what has their value now, and that is noted. In sets and dicts they are
    apart from all others but those that have their value at all sizes: what is found there is as
    if sizes agreed in nothing by chance.
    """

    tape: Tape
    form: Form

    def __hash__(self) -> int:
        return hash((self.tape._number, self.form))

    def __bool__(self) -> bool:
        return bool(self.tape.decided(operator.ne, self, 0))

    def __neg__(self) -> Any:
        return 0 - self  # type: ignore[operator]

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return -self if self < 0 else self  # type: ignore[operator]

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def bit_length(self) -> int:
        return int(self.tape.decided(_bits, self, 0))

    def __reduce__(self) -> Any:
        return type(plain(self)), (plain(self),)


def _bits(x: int, _: int) -> int:
    return x.bit_length()


class _Integer(Letter, int):
    __hash__ = Letter.__hash__


class _Float(Letter, float):
    __hash__ = Letter.__hash__


def plain(x: Any) -> Any:
    """A letter as any number."""
    if isinstance(x, _Integer):
        return int(x)
    return float(x) if isinstance(x, _Float) else x


def varies(x: Any) -> bool:
    """Whether a number is another one for other sizes; what is decided then suits any size."""
    return isinstance(x, Letter)


def alike(x: Any, y: Any) -> bool:
    """Whether two numbers are the same at all sizes; of numbers that don't vary, whether at these.

    What sizes agree in by chance, as where one is even, is then no ground for anything.
    """
    if varies(x) or varies(y):
        return not varies(x - y) and x - y == 0
    return bool(x == y)


def _is_number(x: Any) -> bool:
    return type(x) in (int, bool, float, _Integer, _Float)


def _method(operation: Callable[[Any, Any], Any], *, turned: bool, decides: bool) -> Any:
    def method(self: Letter, other: Any) -> Any:
        if not _is_number(other):
            return NotImplemented
        pair = (other, self) if turned else (self, other)
        return (self.tape.decided if decides else self.tape.computed)(operation, *pair)

    return method


for _kind in (_Integer, _Float):
    for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
        _operation = getattr(operator, _name)
        setattr(_kind, f"__{_name}__", _method(_operation, turned=False, decides=False))
        setattr(_kind, f"__r{_name}__", _method(_operation, turned=True, decides=False))
    for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
        _operation = getattr(operator, _name)
        setattr(_kind, f"__{_name}__", _method(_operation, turned=False, decides=True))
for _name in ("and_", "or_", "xor", "lshift", "rshift"):
    _word = _name.strip("_")
    _operation = getattr(operator, _name)
    setattr(_Integer, f"__{_word}__", _method(_operation, turned=False, decides=False))
    setattr(_Integer, f"__r{_word}__", _method(_operation, turned=True, decides=False))
