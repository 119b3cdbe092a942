"""Arrays that others stand for, too: kept as Python has it, or refused where it isn't known."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import pullback as pb

X = np.array([0.3, -0.2, 0.5, 0.1, -0.4, 0.25])


@dataclass
class Box:
    held: Any
    inside: list[Any] = field(default_factory=list)


def larger(y, z):
    return y if y[0] > z[0] else z


def first_positive(a, b):
    for i in range(6):
        if a[i] > 0.3:
            return a
    return b


# -- kept --------------------------------------------------------------------------------------


def a_loop_binds_another_name(x):
    a = x * 2
    b = x + 1
    for _ in range(6):
        b = a
    a[1] = 3.0
    return np.sum(b * x)


def a_loop_leaves_a_pair(x):
    q = (x * 2, x + 1)
    b = q[1]
    for i in range(6):
        q = (q[1], b)
        q[0][2] = x[i]
    return np.sum(q[0] * q[1]) + np.sum(b)


def both_branches_bind_one_array(x):
    a, b = x * 2, x + 1
    if x[0] > 0.1:
        b = a
        b[1] = 3.0
    else:
        b = a
    a[0] = 3.0
    return np.sum(a * x) + np.sum(b)


def exchanges_under_a_condition(x):
    a, b = x * 2, x + 1
    if x[0] > 0.1:
        a, b = b, a
    a[0] = 3.0
    b[1] *= 2
    return np.sum(a * x) + np.sum(b)


def writes_before_it_binds_anew(x):
    a = np.zeros(6)
    c = a
    if x[0] > 0:
        a[0] = x[1]
        a = a * 2
    return np.sum(c) + np.sum(a) + x[2]


def writes_until_it_binds_anew(x):
    a = np.zeros(6)
    c = a
    for i in range(6):
        a[0] += x[i]
        if i == 3:
            a = a + 1
    return np.sum(c) + np.sum(a)


def keeps_the_best(x):
    best, least = x, np.sum(x * x)
    y = x.copy()
    for _ in range(8):
        y = y * 0.9 + 0.1 * np.cos(y)
        v = np.sum((y - 1) ** 2)
        if v < least:
            least, best = v, y
    return np.sum(best) + least


def keeps_a_row(x):
    M = np.outer(x, x) + 1
    best, most = M[0], -1.0
    for i in range(6):
        if np.sum(M[i]) > most:
            most, best = np.sum(M[i]), M[i]
        row = M[i]
    return np.sum(best) + most + np.sum(row * x)


def starts_from_another(x):
    y = x * 2
    start = y
    for _ in range(10):
        old = y
        y = y - 0.1 * np.sin(y)
    y[0] = 3.0
    return np.sum(y * start) + np.sum(old)


def binds_a_dict_each_time(x):
    s, D = 0.0, {"s": 0.3}
    for i in range(6):
        if i == 5:
            s += D["s"]
        D = {"s": x[i]}
    return s + D["s"]


# -- how blocks are left -------------------------------------------------------------------------


def continues_in_a_condition(x):
    s = 0.0
    for i in range(6):
        if i > 1:  # noqa: SIM102
            if x[i] > 0.1:
                s += 1
                continue
        s += x[i] * 3
    return s


def breaks_in_a_condition(x):
    s = 0.0
    for i in range(6):
        if x[i] > -0.3:
            if x[i] > 0.4:
                s += 1
                break
            if x[i] > 0.2:
                s += 5
                continue
            s += 0.1
        else:
            if s < 0.1:
                continue
            s *= 2
        s += x[i] * 3
    return s


def returns_in_a_condition(x):
    def inner(k):
        if x[k] > 0:
            if x[k] > 0.2:
                return x[k] * 2
            k = k + 1
        return x[k] * 5

    s = 0.0
    for i in range(5):
        s += inner(i)
    return s


def leaves_a_while_loop(x):
    s, n = 0.0, 0
    while s < 3:
        n += 1
        s += 0.5
        if x[2] * n > 0.3:
            if x[1] * n < -0.4:
                continue
            if x[0] * n > 5:
                break
        s += 0.2 * x[0]
    return s * n


def binds_a_name_in_its_test(x):
    s, t = x[0], 0.0
    while (r := np.tanh(s) + 0.1) > 0.12:
        s = s * 0.7
        t += r
    return t + s + r


def values_of_and_or(x):
    s = x[5] or 0.96
    t = (x[0] - x[0]) or x[1]
    u = x[0] and x[1]
    v = (x[0] > 0) and x[1]
    w = (x[0] > 5) or x[1]
    return s + 2 * t + 3 * u + 4 * v + 5 * w


# -- not known -----------------------------------------------------------------------------------


def writes_to_what_a_function_chose(x):
    a, b = x * 2, x + 1
    c = larger(a, b)
    c[1:][0] = 3.0
    return np.sum(a * x) + np.sum(b)


def writes_to_what_was_not_chosen(x):
    a, b = x * 2, x + 1
    c = larger(a, b)
    b[0] = 3.0
    return np.sum(c)


def writes_to_what_a_loop_returned(x):
    a, b = x * 2, x + 1
    c = first_positive(a, b)
    c[0] = 3.0
    return np.sum(a * x) + np.sum(b)


def writes_after_a_loop(x):
    a = x * 2
    c = a
    for i in range(6):
        if x[i] > 5:
            a = a + 1
    a[0] = 5.0
    return np.sum(c)


def writes_to_the_last_row(x):
    M = np.outer(x, x)
    for i in range(6):
        row = M[i]
    row[0] = 5.0
    return np.sum(M)


def an_attribute_holds_it(x):
    a = x * 2
    box = Box(a)
    if x[0] > 0:
        a = a + 1
    a[0] = 5.0
    return np.sum(box.held)


def a_container_in_an_object_holds_it(x):
    a = x * 2
    box = Box(None, [{"deep": (1, a[1:])}])
    if x[0] > 0:
        a = a + 1
    a[1] = 5.0
    return np.sum(box.inside[0]["deep"][1])


def a_function_holds_it(x):
    a = x * 2

    def reads(kept=a):
        return np.sum(kept)

    if x[0] > 0:
        a = a + 1
    a[1] = 5.0
    return reads()


KEPT = [
    a_loop_binds_another_name, a_loop_leaves_a_pair, both_branches_bind_one_array,
    exchanges_under_a_condition, writes_before_it_binds_anew, writes_until_it_binds_anew,
    keeps_the_best, keeps_a_row, starts_from_another, binds_a_dict_each_time,
    continues_in_a_condition, breaks_in_a_condition, returns_in_a_condition, leaves_a_while_loop,
    binds_a_name_in_its_test, values_of_and_or,
]  # fmt: skip

REFUSED = [
    writes_to_what_a_function_chose, writes_to_what_was_not_chosen, writes_to_what_a_loop_returned,
    writes_after_a_loop, writes_to_the_last_row, an_attribute_holds_it,
    a_container_in_an_object_holds_it, a_function_holds_it,
]  # fmt: skip


@pytest.mark.parametrize("f", KEPT, ids=lambda f: f.__name__)
def test_what_is_kept_is_as_python_has_it(f: Any) -> None:
    both = pb.value_and_grad(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pb.UnrolledLoopWarning)
        graph = pb.trace(both, X, lift=True)
    for x in (X, -X, X[::-1].copy()):
        value, slope = both(x)
        np.testing.assert_allclose(f(x), value, rtol=1e-14)
        np.testing.assert_allclose(graph(x)[0], value, rtol=1e-12)
        np.testing.assert_allclose(graph(x)[1], slope, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("f", REFUSED, ids=lambda f: f.__name__)
def test_what_a_write_would_reach_is_not_guessed(f: Any) -> None:
    with pytest.raises(pb.AliasError, match=r"copy\(\)"):
        pb.trace(pb.value_and_grad(f), X, lift=True)
