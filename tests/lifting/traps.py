"""Functions with loops that do more than compute: what they do must happen each time.

Each takes an array of ten numbers and `log`, a list in which its effects are counted.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

Trap = Callable[[Any, list[Any]], Any]
TRAPS: dict[str, tuple[Trap, str]] = {}
"""By name: the function, and a word of the reason."""

total = 0


def trap(word: str) -> Callable[[Trap], Trap]:
    def keep(f: Trap) -> Trap:
        TRAPS[f.__name__] = f, word
        return f

    return keep


class Counter:
    def __init__(self, log: list[Any]) -> None:
        self.count, self.log = 0, log

    def step(self) -> None:
        self.count += 1
        self.log.append(self.count)


class Sum(Counter):
    def __add__(self, x: Any) -> Any:
        self.step()
        return self.count + x


class Property(Counter):
    @property
    def has_next(self) -> int:
        self.step()
        return self.count


@trap("append")
def appends(x, log):
    s = 0.0
    for i in range(10):
        log.append(1)
        s += x[i]
    return s


@trap("list")
def grows_by_an_operator(x, log):
    s = 0.0
    for i in range(10):
        log += [1]
        s += x[i]
    return s


@trap("list")
def writes_to_a_list(x, log):
    found = [0.0] * 10
    for i in range(10):
        found[i] = x[i]
        log.append(1)
    return found[2] * found[9]


@trap("dict")
def writes_to_a_dict(x, log):
    found = {}
    for i in range(10):
        found[i] = x[i] ** 2
    log += found
    return sum(found.values())


@trap("Generator.normal")
def draws(x, log):
    rng = np.random.default_rng(3)
    s = 0.0
    for i in range(10):
        w = rng.normal()
        s += w * x[i]
    return s


@trap("attribute")
def changes_an_attribute(x, log):
    counter = Counter(log)
    s = 0.0
    for i in range(10):
        counter.count += 1
        s += x[i] * counter.count
    return s


@trap("attribute")
def calls_a_method_that_counts(x, log):
    counter = Counter(log)
    s = 0.0
    for i in range(10):
        counter.step()
        s += x[i]
    return s * counter.count


@trap("__add__")
def has_an_operator_that_counts(x, log):
    counter = Sum(log)
    s = 0.0
    for i in range(10):
        s += counter + x[i]
    return s


@trap("has_next")
def has_a_property_that_counts(x, log):
    counter = Property(log)
    s = 0.0
    for i in range(10):
        s += counter.has_next * x[i]
    return s


@trap("total")
def changes_a_global(x, log):
    global total  # noqa: PLW0603
    total = 0
    s = 0.0
    for i in range(10):
        total += 1
        s += x[i] * total
    return s


@trap("n, which is not its own")
def changes_a_nonlocal(x, log):
    n = 0

    def bump():
        nonlocal n
        n += 1
        return n

    s = 0.0
    for i in range(10):
        s += x[i] * bump()
    return s


@trap("uses up")
def goes_through_an_iterator(x, log):
    weights = iter([1.0, 2.0, 3.0] * 4)
    s = 0.0
    for i in range(10):
        s += x[i] * next(weights)
    return s


@trap("uses up")
def goes_over_an_iterator(x, log):
    weights = iter([1.0, 2.0, 3.0] * 4)
    s = 0.0
    for i in range(10):
        for w in weights:
            s += x[i] * w
    return s


@trap("count")
def calls_what_counts(x, log):
    counted = itertools.count(1).__next__
    s = 0.0
    for i in range(10):
        s += x[i] * counted()
    return s


@trap("Counter")
def makes_objects(x, log):
    s = 0.0
    for i in range(10):
        s += x[i] + Counter(log).count
    return s


@trap("changes a ndarray")
def scales_a_plain_array(x, log):
    w = OUTSIDE.copy() if log is None else np.array(OUTSIDE)
    w = PLAIN[0]
    w[:] = 1.0
    s = 0.0
    for i in range(10):
        w *= 2.0
        s += x[i] * w[0]
    return s


OUTSIDE = np.ones(3)
PLAIN = [np.ones(3)]


@trap("writes to a ndarray")
def writes_to_a_plain_array(x, log):
    OUTSIDE[:] = 1.0
    s = 0.0
    for i in range(10):
        OUTSIDE[0] = OUTSIDE[0] + 1.0
        s += x[i] * OUTSIDE[0]
    return s


@trap("writes to a ndarray")
def writes_by_out(x, log):
    OUTSIDE[:] = 1.0
    s = 0.0
    for i in range(10):
        np.add(OUTSIDE, 1.0, out=OUTSIDE)
        np.copyto(OUTSIDE, OUTSIDE + 1.0)
        s += x[i] * OUTSIDE[0]
    return s


@trap("handles errors")
def handles_errors(x, log):
    s = 0.0
    for i in range(10):
        try:
            s += x[i + 3]
        except IndexError:
            s += 1.0
    return s


@trap("string")
def looks_up_by_a_string(x, log):
    weights = {f"w{k}": float(k) for k in range(10)}
    s = 0.0
    for i in range(10):
        s += x[i] * weights[f"w{i}"]
    return s


@trap("str of a value")
def makes_a_string(x, log):
    s = 0.0
    for i in range(10):
        s += x[i] * len(str(i * 7))
    return s


@trap("power that may be negative")
def has_a_negative_power(x, log):
    s = 0.0
    for i in range(10):
        s += x[i] * 2 ** (3 - i)
    return s


@trap("hash")
def looks_up_by_number(x, log):
    weights = dict(enumerate(range(10)))
    s = 0.0
    for i in range(10):
        s += x[i] * weights[i]
    return s


@trap("append")
def has_an_effect_in_an_argument(x, log):
    def weight(i):
        log.append(1)
        return 2.0 * i

    s = 0.0
    for i in range(10):
        s += x[i] * sum(map(weight, [1, 2]))
    return s


@trap("raises an error")
def raises(x, log):
    s = 0.0
    for i in range(10):
        if i % 2 == 1 - i % 2:
            raise ValueError
        s += x[i]
    return s


@trap("defines a class")
def defines_a_class(x, log):
    s = 0.0
    for i in range(10):

        class Local:
            log.append(1)

        s += x[i] * len(Local.__name__)
    return s


@trap("generator")
def calls_a_generator(x, log):
    def values(k):
        log.append(1)
        yield x[k]

    s = 0.0
    for i in range(10):
        for v in values(i):
            s += v
    return s


@trap("has the shape")
def binds_other_shapes(x, log):
    y = x[:1]
    for i in range(6):
        y = np.concatenate([y, x[i : i + 1]])
    return np.sum(y * np.arange(7))


@trap("slice")
def sorts_slices_of_varying_length(x, log):
    s = 0.0
    for i in range(1, 10):
        s += np.sort(x[:i])[0] * i
    return s
