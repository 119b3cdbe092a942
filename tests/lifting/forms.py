"""Functions of an array of ten numbers, with all forms of loops and conditions of the language."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

LIFTED: list[Callable[..., Any]] = []
"""Functions all loops of which are kept."""

SCALE = 1.5


UNROLLED: list[Callable[..., Any]] = []
"""Functions with a loop that can't be."""


def unrolled(f: Callable[..., Any]) -> Callable[..., Any]:
    UNROLLED.append(f)
    return f


def kept(f: Callable[..., Any]) -> Callable[..., Any]:
    LIFTED.append(f)
    return f


def doubled(f: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return 2.0 * f(*args, **kwargs)

    return wrapper


@kept
def reads_a_global(x):
    s = 0.0
    for i in range(10):
        s += SCALE * x[i] ** 2
    return s


@kept
@doubled
def is_decorated(x):
    s = 0.0
    for v in x:
        s = s + np.sin(v)
    return s


@kept
def enumerates(x):
    s = 0.0
    for i, v in enumerate(x, 2):
        s += i * v
    return s + i * v


@kept
def zips(x):
    s = 0.0
    for a, b in zip(x[1:], x * 2, strict=False):
        s += a * b
    return s


@kept
def zips_plainly(x):
    s = 0.0
    for i, (a, b) in enumerate(zip(x[1:], x * 2)):  # noqa: B905
        s += a * b * i
    return s


@kept
def goes_back(x):
    y = x.copy()
    for i in reversed(range(9)):
        y[i] += 0.5 * y[i + 1]
    for i in range(8, -1, -2):
        y[i] -= 0.1 * y[i + 1]
    return np.sum(y * y) + i


@kept
def has_traced_bounds(x):
    s = 0.0
    for i in range(10):
        for j in range(i, -1, -1):
            s += x[i] * x[j]
        for j in range(i + 1, 10, 3):
            s -= x[j]
    return s


@kept
def keeps_the_last_index(x):
    s = 0.0
    for i in range(6):
        j = 7
        for j in range(i):
            s += x[j]
        s += 0.1 * j
    return s + i


@kept
def breaks(x):
    s = 0.0
    for i in range(10):
        if x[i] > 0.5:
            break
        s += x[i]
    return s * i


@kept
def continues(x):
    s = 0.0
    for i in range(10):
        if x[i] < 0.3 or i == 7:
            continue
        s += x[i] ** 2
    return s


@kept
def returns_from_two_loops(x):
    for i in range(10):
        for j in range(10):
            if x[i] * x[j] > 0.5:
                return x[i] + 2 * x[j]
    return x[0]


@kept
def has_else(x):
    s = 0.0
    for i in range(10):
        s += x[i]
    else:
        s *= 2
    while s > 1:
        s = s / 2
    else:
        s += 1
    return s


@kept
def changes_its_index(x):
    s = 0.0
    for i in range(8):
        i = i + 2
        s += x[i]
    return s * i


@kept
def deletes(x):
    s = 0.0
    for i in range(10):
        t = x[i] * 2
        s += t * t
        del t
    return s


@kept
def unpacks(x):
    a, b = 0.0, 1.0
    for i in range(9):
        (a, b), [c, d] = (b, a + x[i]), (x[i], x[i + 1])
        a += 0.1 * c * d
    return a * b


@kept
def walks(x):
    s = 0.0
    for i in range(10):
        if (t := x[i] * 2) > 1:
            s += t
    return s


@unrolled
def grows(x):
    y = x[:1]
    for i in range(1, 6):
        y = np.concatenate([y, x[i : i + 1]])
    return y @ y


@kept
def unpacks_a_list(x):
    a, b = 0.0, 1.0
    for i in range(9):
        (a, b), [c, *d] = (b, a + x[i]), (x[i], x[i + 1], i)
        a += 0.1 * c + d[0]
    return a * b


@kept
def calls_a_local_function(x):
    y = np.zeros(10)

    def put(k, v):
        y[k] = v

    for i in range(9):
        put(i + 1, x[i] * 2)
    return np.sum(y * y)


@kept
def calls_a_lambda(x):
    square, s = lambda v: v * v if v > 0.3 else -v, 0.0
    for i in range(10):
        s += square(x[i])
    return s


@kept
def has_arguments_of_all_kinds(x, power=2, *rest, scale=0.5, **others):
    def inner(v, /, k=3, *args, c=1.0, **kwargs):
        return k * v**power + c

    s = 0.0
    for i in range(10):
        s += inner(x[i], c=scale) + len(rest) + len(others)
    return s


class Model:
    def __init__(self, x: Any) -> None:
        self.x, self.rate = x, 0.3

    def step(self, s: Any, i: Any) -> Any:
        return s + self.rate * self.x[i]

    def __call__(self, v: Any) -> Any:
        return v * self.rate if v > 0.5 else v


@kept
def calls_methods(x):
    model, s = Model(x), 0.0
    for i in range(10):
        s = model.step(s, i) + model(x[i])
    return s


def power(v, n):
    return v if n == 0 else v * power(v, n - 1)


@kept
def recurses(x):
    s = 0.0
    for i in range(10):
        s += power(x[i], 3)
    return s


@kept
def has_a_comprehension(x):
    s = 0.0
    for i in range(8):
        s += sum([x[i + k] * k for k in range(3)]) + max(k for k in (1, 2))
    return s


@kept
def has_with(x):
    s = 0.0
    with contextlib.nullcontext():
        for i in range(10):
            with np.errstate(all="ignore"):
                s += x[i]
    return s


@kept
def has_try_around(x):
    s = 0.0
    try:
        for i in range(10):
            s += x[i]
    except ValueError:
        s = -1.0
    finally:
        s *= 2
    return s


REFUSED: list[Callable[..., Any]] = []
"""Functions that depend on a value in a way that can't be kept."""


def refused(f: Callable[..., Any]) -> Callable[..., Any]:
    REFUSED.append(f)
    return f


@refused
def appends_while_it_converges(x):
    found = []
    while np.sum(x) > 0.1:
        x = x * 0.5
        found.append(x)
    return np.sum(x)


@refused
def raises_by_value(x):
    if x[0] > 5:
        raise ValueError("too large")
    return np.sum(x)


@refused
def prints_by_value(x):
    if x[0] > 5:
        print(x)  # noqa: T201
    return np.sum(x)


@refused
def has_an_else_after_a_break(x):
    s = 0.0
    for i in range(10):
        if x[i] > 0.5:
            break
        s += x[i]
    else:
        s *= 2
    return s


@refused
def returns_from_try(x):
    try:
        for i in range(10):
            if x[i] > 0.5:
                return x[i]
        return 0.0
    finally:
        x = None


@kept
def matches(x, kind="a"):
    s = 0.0
    match kind:
        case "a":
            for i in range(10):
                s += x[i]
        case _:
            s = 2.0
    return s


@kept
def goes_over_rows(x):
    A = np.outer(x, x)
    s = 0.0
    for row in A:
        s += np.max(row) * row[0]
    return s


@kept
def has_chained_comparisons(x):
    s = 0.0
    for i in range(10):
        if 0.2 < x[i] <= 0.7 and not i % 4 > 2:
            s += x[i]
    return s


@kept
def has_conditional_expressions(x):
    s = 0.0
    for i in range(10):
        s += x[i] if x[i] > 0.5 else (-x[i] if i % 2 else 0.0)
    return s


@kept
def alternates(x):
    s = 0.0
    for i in range(10):
        s += (-1) ** i * x[i] + 2.0**-i
    return s


@kept
def makes_an_array_each_time(x):
    for i in range(9):
        u = np.zeros(3)
        u[0] = x[i] + 1
    return u[0] * u[1] + u[0] ** 2


@kept
def writes_to_a_view(x):
    A = np.zeros((10, 3))
    V = A[1:]
    for i in range(9):
        V[i] = A[i] + x[i]
    return np.sum(A * A) + np.sum(V)


@kept
def does_not_write_to_what_a_name_was(x):
    B = np.ones(10)
    y = B
    for _ in range(6):
        y = y + x
        y[0] = y[0] * 2
    return np.sum(y) + np.sum(B)


@kept
def swaps(x):
    a, b = np.zeros(10), x.copy()
    for _ in range(7):
        a[1:-1] = 0.5 * (b[:-2] + b[2:])
        a, b = b, a
    return np.sum(a * np.arange(10)) + b[3]


@kept
def starts_with_none(x):
    before, s = None, 0.0
    for i in range(10):
        if before is not None:
            s += before * x[i]
        before = x[i]
    return s


@kept
def changes_its_type(x):
    s = 0
    for i in range(10):
        s = s + x * i
    return np.sum(s)


@kept
def repeats_until(x):
    y, n = x.copy(), 0
    while True:
        y *= 0.5
        n += 1
        if np.max(y) < 0.01:
            break
    return np.sum(y) * n


@kept
def tests_both(x):
    a, i = 0.0, 0
    while i < 10 and x[i] < 0.6:
        a += x[i]
        i += 1
    return a * i


@kept
def has_an_assertion(x):
    s = 0.0
    for i in range(10):
        s += x[i]
    return s


@kept
def binds_arrays_in_conditions(x):
    y = np.zeros(10)
    z = x * 2
    if x[0] > 0.01:
        y = z + 1
    else:
        y[0] = x[1]
    if x[1] > 5:
        z[0] = 3.0
    return np.sum(y * z)


@kept
def leaves_two_names_for_one_array(x):
    v = x.copy()
    for _ in range(6):
        w = v * 0.5 + 1
        v = w
    v[0] = 3.0
    return np.sum(w * x) + np.sum(v)


@kept
def never_runs(x):
    s = 0.0
    for i in range(10):
        for j in range(i, 2):
            s += x[j]
    n = 0
    while s < 0:
        s += 1
        n += 1
    return s + n
