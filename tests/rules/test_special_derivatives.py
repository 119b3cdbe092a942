"""Derivatives of the gamma family and the distribution functions against a table of mpmath's.

Each has 100 points over the domain, into both tails; `tools/special_values.py` writes the table.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.special as sc

import pullback as pb

TABLE = json.loads(Path(__file__).with_name("special_values.json").read_text(encoding="utf-8"))


def column(name, place):
    return np.array([row[place] for row in TABLE[name]["rows"]])


def arguments(name):
    count = sc.zeta if name == "zeta" else getattr(sc, name)
    rank = 2 if name == "zeta" else count.nin
    args = [column(name, i) for i in range(rank)]
    if name == "bdtr":
        args[1] = args[1].astype(int)
    return args


def partial(f, args, position):
    """The derivatives of an elementwise function in one of its arguments, in reverse mode."""
    return pb.grad(
        lambda x: np.sum(f(*args[:position], x, *args[position + 1 :]))
    )(args[position])  # fmt: skip


# Derivatives that cross zero are compared with the terms that cancel there.
CROSSING = {
    ("fdtr", 0): lambda m, n, x: x * density_of_f(m, n, x) / m,
    ("fdtr", 1): lambda m, n, x: x * density_of_f(m, n, x) / n,
}


def density_of_f(m, n, x):
    u = m * x / (m * x + n)
    return np.exp(m / 2 * np.log(u) + n / 2 * np.log1p(-u) - sc.betaln(m / 2, n / 2)) / x


def worst(found, expected):
    return np.max(np.abs(found / expected - 1))


@pytest.mark.parametrize("name", TABLE)
def test_first_derivatives(name):
    f, args = getattr(sc, name), arguments(name)
    for k, position in enumerate(TABLE[name]["positions"]):
        expected = column(name, len(args) + k)
        found = partial(f, args, position)
        if (name, position) in CROSSING:
            scale = np.maximum(np.abs(expected), CROSSING[name, position](*args))
            assert np.max(np.abs(found - expected) / scale) <= 1e-12, (name, position)
        else:
            assert worst(found, expected) <= 1e-12, (name, position)
        dot = np.ones_like(expected)
        forward = pb.pushforward(
            lambda x, p=position: f(*args[:p], x, *args[p + 1 :]), (args[position],), (dot,)
        )[1]
        np.testing.assert_array_equal(forward, found)


COMPLEMENTS = {"gammainc": "gammaincc", "betainc": "betaincc", "chdtr": "chdtrc", "gdtr": "gdtrc",
               "fdtr": "fdtrc", "pdtr": "pdtrc", "bdtr": "bdtrc"}  # fmt: skip


@pytest.mark.parametrize("name", COMPLEMENTS)
def test_complements_have_the_derivatives_with_the_other_sign(name):
    args = arguments(name)
    for position in TABLE[name]["positions"]:
        of = [partial(getattr(sc, each), args, position) for each in (name, COMPLEMENTS[name])]
        np.testing.assert_allclose(-of[0], of[1], rtol=1e-13)


@pytest.mark.parametrize("name", [name for name, entry in TABLE.items() if entry["second"]])
def test_second_derivatives(name):
    """Relative to the derivative where that is not near one of its zeros."""
    f, args = getattr(sc, name), arguments(name)
    positions = TABLE[name]["positions"]
    place = len(args) + len(positions)
    for i in positions:
        for j in positions[positions.index(i) :]:
            expected = column(name, place)
            place += 1

            def first(x, i=i, j=j):
                rest = [x if k == j else each for k, each in enumerate(args)]
                return partial(f, rest, i)

            found = pb.pushforward(first, (args[j],), (np.ones_like(expected),))[1]
            error = np.abs(found / expected - 1)
            assert np.quantile(error, 0.9) < 1e-11, (name, i, j)
            assert np.max(error) < 1e-7, (name, i, j)
