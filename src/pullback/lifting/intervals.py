"""What is known of the indices of loops: between which bounds they lie.

The index of a loop over ``range(i + 1, n)`` is at least ``i + 1`` and less than `n`, whatever these
are. So it is known of sums of multiples of indices where they lie, of nested loops too: the index
that is newest is replaced by its bound, which is such a sum of older ones, until a number is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from pullback.core.tracing import Tracer, strip
from pullback.numpy.affine import Form, call_of, form_of, number_of, total

__all__ = ["Intervals"]

Bound = int | Fraction | None

_DEPTH = 12
"""How many indices are replaced by their bounds, one after the other."""

_SIGNS = {"less": 1, "less_equal": 1, "greater": -1, "greater_equal": -1}
_STRICT = frozenset({"less", "greater"})


class Intervals:
    """The bounds of indices of loops that are recorded."""

    def __init__(self) -> None:
        self._same: dict[Any, Form] = {}
        self._most: dict[Any, list[Form]] = {}

    # -- what is said --------------------------------------------------------------------------

    def let_count(self, index: Any, most: Sequence[Form]) -> None:
        """Say that an index counts from 0 to the least of some forms, included."""
        bottom = strip(index)
        if type(index) is Tracer and bottom not in self._most:
            self._most[bottom] = list(most)

    def let_equal(self, inside: Any, outside: Any) -> None:
        """Say that an argument of what is recorded stands for an integer outside."""
        if type(inside) is Tracer and not inside.shape and inside.dtype.kind in "iub":
            self._same[strip(inside)] = self.form(outside)

    # -- what follows --------------------------------------------------------------------------

    def form(self, x: Any) -> Form:
        """An integer as a form."""
        return form_of(x, self._same)

    def difference(self, x: Any, y: Any) -> int | None:
        """x - y, if that is known."""
        form = total(self.form(x), self.form(y), -1)
        number = number_of(form)
        if number is None:
            low = self.low(form)
            number = low if low is not None and low == self.high(form) else None
        return None if number is None else int(number)

    def exceeds(self, x: Any, y: Any) -> bool:
        """Whether it is known that x ≥ y."""
        low = self.low(total(self.form(x), self.form(y), -1))
        return low is not None and low > -1

    def least(self, x: Any) -> int | None:
        """A number that an integer is not less than."""
        low = self.low(self.form(x))
        return None if low is None else math.ceil(low)

    def most(self, x: Any) -> int | None:
        """A number that an integer does not exceed."""
        high = self.high(self.form(x))
        return None if high is None else math.floor(high)

    def low(self, form: Form, depth: int = _DEPTH) -> Bound:
        """A number that a form is not less than."""
        high = self.high(total({}, form, -1), depth)
        return None if high is None else -high

    def high(self, form: Form, depth: int = _DEPTH) -> Bound:
        """A number that a form does not exceed."""
        number = number_of(form)
        if number is not None or not depth:
            return number
        key = max((x for x in form if x is not None), key=self._age)
        factor = form[key]
        rest = {x: count for x, count in form.items() if x is not key}
        bounds, all_count = self._bounds(key, factor > 0, depth - 1)
        found = [self.high(total(rest, each, factor), depth - 1) for each in bounds]
        known = [each for each in found if each is not None]
        if all_count:
            return max(known, default=None) if len(known) == len(found) else None
        return min(known, default=None)

    def _age(self, key: Any) -> tuple[int, int]:
        """By what forms are reduced first: what is computed from others, and later indices."""
        if type(key) is tuple:
            return 1, 0
        return 0, list(self._most).index(key) + 1 if key in self._most else 0

    def _bounds(self, key: Any, upper: bool, depth: int) -> tuple[list[Form], bool]:
        """Forms by which a value is bounded, and whether it is by all of them only, not by each."""
        if type(key) is not tuple:
            if key not in self._most:
                return [], False
            return (self._most[key] if upper else [{}]), False
        name, *parts = key
        forms = [dict(each) for each in parts]
        match name:
            case "minimum" | "maximum":
                return forms, upper == (name == "maximum")
            case "where":
                return forms[1:], True
            case "remainder" | "floor_divide":
                divisor = number_of(forms[1])
                if divisor is None or divisor <= 0:
                    return [], False
                if name == "remainder":
                    return [{None: divisor - 1} if upper else {}], False
                least = forms[0] if upper else total(forms[0], {None: divisor - 1}, -1)
                return [total({}, least, Fraction(1, int(divisor)))], False
            case "multiply":
                return self._corners(forms, depth), True
        return ([{None: 1} if upper else {}] if name in _TRUTHS else []), False

    def _corners(self, forms: list[Form], depth: int) -> list[Form]:
        """Products of the bounds of two factors."""
        ends = [[self.low(each, depth), self.high(each, depth)] for each in forms]
        known = [[end for end in each if end is not None] for each in ends]
        if known != ends:
            return []
        return [{None: one * other} for one in known[0] for other in known[1]]

    def truth(self, x: Any) -> bool | None:
        """A comparison of integers, if it is the same for all that the indices can be."""
        key = call_of(x, self._same)
        return None if key is None else self._truth(*key)

    def _truth(self, name: str, *parts: Any) -> bool | None:
        forms = [dict(each) for each in parts]
        if name in _SIGNS:
            form = total({}, total(forms[0], forms[1], -1), _SIGNS[name])  # to be below 0
            form = total(form, {None: 1}) if name in _STRICT else form
            high, low = self.high(form), self.low(form)
            if high is not None and high < 1:
                return True
            return False if low is not None and low > 0 else None
        if name in ("equal", "not_equal"):
            form = total(forms[0], forms[1], -1)
            low, high = self.low(form), self.high(form)
            if low is not None and high is not None and low == high == 0:
                return name == "equal"
            if (low is not None and low > 0) or (high is not None and high < 0):
                return name == "not_equal"
            return None
        if name in ("logical_not", "logical_and", "logical_or", "bitwise_and", "bitwise_or"):
            found = [self._of(each) for each in forms]
            if name == "logical_not":
                return None if found[0] is None else not found[0]
            decisive = name.endswith("or")
            if decisive in found:
                return decisive
            return None if None in found else not decisive
        return None

    def _of(self, form: Form) -> bool | None:
        number = number_of(form)
        if number in (0, 1):
            return number == 1
        for key, factor in form.items():
            if len(form) == 1 and type(key) is tuple and key[0] in _TRUTHS and factor == 1:
                return self._truth(*key)
        return None


_TRUTHS = frozenset({
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and",
    "logical_or", "logical_not",
})  # fmt: skip
