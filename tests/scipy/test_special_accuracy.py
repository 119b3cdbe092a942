"""Derivatives of special functions over their domains, tails included, against mpmath.

What mpmath gives is stored, see `tools.special_oracles`.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import pullback as pb
from tests.grouping import together
from tools.special_oracles import PATH, ROWS

STORED = json.loads(PATH.read_text(encoding="utf-8"))
SMALLEST = 1e-290


def test_the_table_is_the_stored_one():
    assert list(STORED) == list(ROWS)
    assert all(
        len(ROWS[name].points) == len(each) for name, rows in STORED.items() for each in rows
    )


def of_one_argument(row):
    """The function of the argument that is differentiated, and where."""
    args = row.arguments
    whole = [np.all(x == np.rint(x)) and i != row.position for i, x in enumerate(args)]
    args = [x.astype(int) if is_whole else x for x, is_whole in zip(args, whole, strict=True)]

    def f(x):
        return row.function(*args[: row.position], x, *args[row.position + 1 :])

    return f, args[row.position]


def forward(f):
    return lambda x: pb.pushforward(f, (x,), (np.ones_like(x),))[1]


def reverse(f):
    return lambda x: pb.pullback(f, (x,), np.ones_like(f(x)))[1][0]


@together()
@pytest.mark.parametrize("name", ROWS)
def test_two_derivatives_are_right(name):
    row = ROWS[name]
    f, x = of_one_argument(row)
    with np.errstate(all="ignore"):
        found = [(forward(f)(x), reverse(f)(x)), (forward(reverse(f))(x), reverse(forward(f))(x))]
    for order, pair in enumerate(found):
        expected = np.array(STORED[name][order])
        there = np.isfinite(expected) & (np.abs(expected) > SMALLEST)
        for each in pair:
            error = np.abs(each[there] / expected[there] - 1)
            worst = np.argmax(error)
            assert error[worst] <= row.tolerances[order], (
                f"{name}, order {order + 1}, at {np.array(row.points)[there][worst]}: "
                f"{each[there][worst]!r}, wanted {expected[there][worst]!r}"
            )
