"""Functions of an array of ten numbers with slices whose length depends on an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

LIFTED: list[Callable[..., Any]] = []
"""Functions all loops of which are kept."""

UNROLLED: dict[Callable[..., Any], str] = {}
"""Functions with a loop that can't be, and a word of the reason."""


def kept(f: Callable[..., Any]) -> Callable[..., Any]:
    LIFTED.append(f)
    return f


def unrolled(word: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def keep(f: Callable[..., Any]) -> Callable[..., Any]:
        UNROLLED[f] = word
        return f

    return keep


@kept
def has_slices_without_elements(x):
    s = 0.0
    for i in range(10):
        s += np.sum(x[:i]) * np.prod(x[i:]) + x[:i] @ x[:i] + np.linalg.norm(x[i + 1 :])
    return s


@kept
def wraps_around(x):
    s = 0.0
    for i in range(10):
        s += np.sum(x[: i - 1]) * (i + 1) + np.sum(x[i - 3 :]) + 2 * np.sum(x[i - 2 : i])
        s -= np.sum(x[-i:]) + 3 * np.sum(x[:-i]) + np.sum(x[i - 20 : i])
    return s


@kept
def leaves_the_array(x):
    s = 0.0
    for i in range(10):
        s += np.sum(x[: 2 * i]) * x[i] + np.sum(x[i + 5 :]) + np.sum(x[i : i + 4] * x[i : i + 4])
        s += len(x[i + 3 : 2 * i]) * np.sum(x[5:i]) + np.sum(x[i:5])
    return s


@kept
def has_steps(x):
    s = 0.0
    for i in range(10):
        s += np.sum(x[:i:2]) * (i + 1) + np.sum(x[1:i:3]) + x[i::-1] @ x[: i + 1]
        s -= np.sum(x[: i - 2 : -1] * (1 + i)) + np.sum(x[i:2:-1])
    return s


@kept
def has_parts_of_parts(x):
    s = 0.0
    for i in range(1, 10):
        v = x[:i]
        s += v[0] * v[-1] + np.sum(v[1:]) * np.sum(v[:-1]) + np.sum(v[::-1] * v) + len(v[2:])
        for j in range(len(v)):
            s += v[j] * np.sum(v[: j + 1]) + v[j:] @ v[j:]
    return s


@kept
def writes_through_views(x):
    y, A = x.copy(), np.outer(x, x)
    for i in range(1, 10):
        v = y[:i]
        v *= 0.9
        v[-1] += 0.1 * x[i]
        v[1:] -= 0.1 * v[:-1]
        y[0] += 0.5
        A[:i, i] = v[::-1]
        A[i, :i] = A.T[i, :i] * np.sum(v)
        w = A[i:, i:]
        w[0] = 0.5 * w[:, 0]
    return np.sum(y * y) + np.sum(np.sin(A))


@kept
def copies_and_exchanges(x):
    y = x.copy()
    for i in range(10):
        y[:i] = y[:i][::-1].copy()
        y[i:], y[: 10 - i] = y[: 10 - i].copy(), y[i:] * 0.5
        y[:i] = y[10 - i :]
    return y @ np.arange(10.0)


@kept
def has_infinity_beyond(x):
    D = np.full((10, 10), np.inf)
    y, s = np.full(10, np.nan), 0.0
    for i in range(10):
        y[i] = x[i]
        D[i, : i + 1] = x[i] * y[: i + 1]
        s += D[i, : i + 1] @ y[: i + 1] + np.sum(D[i, : i + 1] * y[: i + 1]) + np.sum(y[: i + 1])
        s += np.max(D[i, : i + 1]) * np.argmin(y[: i + 1]) + np.sum(np.log(2 + y[: i + 1]))
    return s


@kept
def divides_by_nothing(x):
    y, z = x.copy(), np.arange(10.0)[::-1].copy()
    for i in range(10):
        y[i + 1 :] /= z[i]
        y[:i] += 0.01 * y[:i] / z[:i] + 0.01 / np.sqrt(z[:i]) + 0.01 * z[:i] ** -0.5
        z[9] = 1.0 * (i == 9)
    return np.sum(y)


@kept
def combines_shapes(x):
    A = np.outer(x, x) + 1.0
    s = np.zeros(10)
    for i in range(1, 10):
        B = A[:i, :i] * x[:i, None] + x[None, :i] - x[i]
        s[i] = np.sum(B @ B.T) + np.sum(np.einsum("ij,j->i", B, x[:i])) + np.mean(B)
        s[i] += np.sum(B.mean(axis=0) * B.max(axis=1)) + np.sum(A[:, :i] @ A[:i]) + np.sum(A[:, i:])
        s[:i] += np.where(x[:i] > x[i], x[:i], 0.5) + np.cumsum(x[:i]) + np.sum(A[:i], axis=1)
    return np.sum(s * s)


@kept
def makes_arrays(x):
    s = 0.0
    for i in range(1, 10):
        y, z = np.zeros(i), np.ones((i, 10))
        y[:] = x[:i] * np.arange(i) + np.arange(10 - i, 10)
        y[0] = 2.0
        z[:, 0] = y
        s += np.sum(y) + np.sum(z @ x) + len(y) + y.size * y.shape[0] + z.ndim
        s += np.sum(np.zeros_like(y)) + np.sum(np.full(i, 0.5) * y)
    return s


@kept
def has_short_slices_of_long_arrays(x):
    """They are no longer than two elements, of ten and of forty."""
    y, z, s = np.concatenate([x, x, x, x]), x.copy(), 0.0
    for i in range(40):
        v = y[max(i - 1, 0) : i + 1]
        v *= 0.9
        s += v[0] * v[-1] + v @ v[::-1] + len(v) + np.sum(y[i : i + 2])
        y[i : i + 2][::-1] += 0.1 * x[i % 10]
    for i in range(10):
        z[i : i + 2] = z[max(i - 1, 0) : i + 1][0] + x[: len(z[i : i + 2])]
        A = np.outer(z, x)
        A[:, i : i + 2] *= 2.0
        s += np.sum(A[i : i + 2, i:])
    return s + np.sum(y * y) + np.sum(z)


@kept
def has_statistics(x):
    s = 0.0
    for i in range(2, 10):
        v = x[:i]
        s += v.mean() * np.var(v) + np.std(v, ddof=1) + v.max() - np.min(v) + np.ptp(v)
        s += v.argmax() + 2 * np.argmin(x[i:]) + np.count_nonzero(v > 0.3) + sum(v) / len(v)
        s += np.any(v > 0.9) + np.all(v < 2.0) + np.average(v) + np.sum(np.diff(v) ** 2)
    return s


@kept
def decides_by_its_bounds(x):
    s, n = 0.0, len(x)
    for i in range(n - 1):
        if i + 1 < n:
            s += x[i + 1]
        for j in range(i + 1, n):
            if not j > i or j == i or (i < j) & (j >= n):
                raise ValueError
            s += x[j - i] if 0 <= j - i <= j else np.sort(x)[0]
            for k in range(max(i, j - 2), min(j + 1, n)):
                s += x[i:j] @ x[n - j + i :] * (1 if k <= j else np.sort(x)[0])
    return s


@kept
def calls_functions_with_parts(x):
    y = x.copy()

    def halve(v):
        v *= 0.5
        return np.sum(v)

    s = 0.0
    for i in range(10):
        s += halve(y[i:]) + (lambda v: v @ np.cos(v))(y[:i])
    return s + np.sum(y)


@kept
def goes_over_parts(x):
    s = 0.0
    for i in range(2, 10):
        for v in x[:i]:
            s += v * v
        for k, (v, w) in enumerate(zip(x[:i], x[10 - i :], strict=True)):
            s -= k * v * w
        for row in np.outer(x, x)[i:]:
            s += np.sum(row[:i])
    return s


@kept
def leaves_a_part_behind(x):
    """The last part is of known length, and is read after the loop."""
    y = x.copy()
    for i in range(1, 10):
        v = y[:i] * 1.1
        y[:i] = v
    return np.sum(v * y[:9]) + len(v)


@kept
def is_bound_to_other_things(x):
    s = 0.0
    for i in range(1, 9):
        cut = slice(i, i + 2)
        name, pair = "row", (x[:i], x[i:])
        if name == "row":
            s += np.sum(x[cut]) + np.sum(pair[0]) * np.sum(pair[1])
    return s


@kept
def shares_an_array_before(x):
    a = x * 0.5
    c = a[1:]
    for i in range(6):
        if i % 2 == 0:
            c[i:] += 0.1
        c[:i] *= 0.9
        a = a + 0.1 * x
    return np.sum(a * np.arange(10.0)) + np.sum(c * c)


@kept
def binds_views_that_nobody_reads_later(x):
    A = np.outer(x, x)
    for i in range(9, -1, -1):
        A[0] *= 0.8
        row = A[i, ::-1]
        row[1:] += 0.1 * x[i]
    return np.sum(A * A)


@unrolled("whose length isn't known to be the same")
def combines_other_lengths(x):
    s = 0.0
    for j in range(5, 9):
        s += np.sum(x[:j] * x[: 5 + (j - 5) % 9])
    return s


@unrolled("combining it with an array of fixed extent")
def broadcasts_a_length_of_one(x):
    s = 0.0
    for i in range(1, 5):
        s += np.sum(x[: i // 4 + 1][:1] * x) + np.sum(x[: (i + 1) // 6 + 1] * x)
    return s


@unrolled("of one that may be empty")
def takes_extrema_of_what_may_be_empty(x):
    s = 0.0
    for i in range(5):
        s += np.max(x[: i % 3]) if i % 3 else 0.0
    return s


@unrolled("a call of sort")
def calls_what_does_not_know_them(x):
    s = 0.0
    for i in range(1, 6):
        s += np.sort(x[:i])[0]
    return s


@unrolled("has an element at this place")
def reads_beyond_what_is_known(x):
    s = 0.0
    for i in range(2, 7):
        s += x[: i % 4 + 2][i % 3]
    return s


@unrolled("with the step 2 from a place that varies")
def has_steps_from_other_places(x):
    s = 0.0
    for i in range(6):
        s += np.sum(x[i::2])
    return s


@unrolled("an index array")
def selects_by_places(x):
    s = 0.0
    for i in range(1, 6):
        s += np.sum(x[np.arange(i)])
    return s


@unrolled("list.append")
def keeps_parts(x):
    parts = []
    for i in range(5):
        parts.append(x[:i])
    return sum(np.sum(each) for each in parts)


@unrolled("shape")
def grows(x):
    y = x[:1]
    for i in range(1, 6):
        y = np.concatenate([y, x[i : i + 1]])
    return y @ y
