"""Quotients that an iteration waits for are products with an inverse that rounds no worse."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.quotients import with_inverses
from pullback.compiler.loops import For, Scalar, Store
from tests.compiler.fusion.written import (
    F,
    agrees,
    at,
    buffers,
    let,
    lines,
    load,
    name,
    number,
    op,
    program,
    with_body,
)


def run(*body, next_="e", extent=4):
    """A loop that carries c, and whose divisor k stands before it, with inverses."""
    declared = buffers(x="input 2", y="output 9")
    loop = For("n", number(extent, "int64"), ((Scalar("c", F), number(0.5)),), body,
               (name(next_),), (Scalar("r", F),))  # fmt: skip
    before = program(declared, let("k", load("x")), loop, Store(at("y"), name("r")))
    after = with_body(before, with_inverses(before.body, Names(before)))
    return [each.strip() for each in lines(agrees(before, after).body)]


def divisions(found):
    return [line for line in found if "/" in line]


QUOTIENT = let("q", op("divide", name("c"), name("k")))


def test_a_quotient_that_is_taken_from_something():
    found = run(
        QUOTIENT,
        let("d", op("subtract", number(1.0), name("q"))),
        let("e", op("multiply", name("c"), name("d"))),
    )
    assert len(divisions(found)) == 2
    assert found[1] == "w0: float64 = 1.0 / k"
    assert any("· w0" in line for line in found)
    assert found.index(divisions(found)[1]) < next(n for n, x in enumerate(found) if "· w0" in x)


@pytest.mark.parametrize(
    "rest",
    [
        [let("e", op("multiply", name("c"), name("q")))],
        [let("e", op("add", name("c"), name("q"))), Store(at("y", offset=1), name("q"))],
        [let("d", op("multiply", name("q"), name("q"))), let("e", op("add", name("d"), name("q")))],
        [let("d", op("add", name("q"), number(1.0))), let("e", op("add", name("c"), number(1.0))),
         Store(at("y", offset=1), name("d"))],
    ],
    ids=["a factor", "stored", "added and a factor", "not waited for"],
)  # fmt: skip
def test_other_quotients_stay(rest):
    assert len(divisions(run(QUOTIENT, *rest))) == 1
    assert not any("isfinite" in line for line in run(QUOTIENT, *rest))


def test_what_is_handed_on_stays():
    assert len(divisions(run(QUOTIENT, next_="q"))) == 1


def test_a_divisor_of_the_loop_stays():
    body = [
        let("k2", op("add", name("k"), name("c"))),
        let("q", op("divide", name("c"), name("k2"))),
        let("e", op("add", name("c"), name("q"))),
    ]
    assert not any("isfinite" in line for line in run(*body))


def test_one_inverse_of_a_divisor():
    found = run(
        QUOTIENT,
        let("d", op("subtract", number(1.0), name("q"))),
        let("p", op("divide", name("d"), name("k"))),
        let("e", op("add", name("p"), name("c"))),
    )
    assert sum("isfinite" in line for line in found) == 1
    assert sum("· w0" in line for line in found) == 2


def growth(theta):
    rate, limit = theta
    return pb.fori_loop(0, 200, lambda _, x: x + 0.1 * rate * x * (1 - x / limit), 0.1)


LIMITS = [0.9, -3.0, 1e-3, 1e300, 1.2e308, 3e-308, 1e-310, 5e-324]
LIMITS += [np.inf, -np.inf, np.nan, 0.0, -0.0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_divisor(dtype):
    """Denormal inverses and those that overflow are left alone, and what isn't finite agrees."""
    compiled = pb.compile(pb.value_and_grad(growth))
    eps = np.finfo(dtype).eps
    for limit in LIMITS:
        with np.errstate(all="ignore"):
            theta = np.array([0.7, limit], dtype)
            wanted = pb.value_and_grad(growth)(theta)
            found = compiled(theta)
        for got, right in zip(found, wanted, strict=True):
            np.testing.assert_allclose(got, right, rtol=2000 * eps, atol=0, err_msg=str(limit))


def test_the_error_is_that_of_a_division():
    """Sums of 1 and a quotient, in units of the last place, against 80-bit arithmetic."""
    rng = np.random.default_rng(3)

    def last(k, x):
        # The carry takes the number in, so that the loop waits for the quotient.
        def step(c, x):
            return 1 - (x + 0 * c) / k, None

        return pb.scan(step, x[0], x)[0]

    compiled = pb.compile(last)
    worst = 0.0
    for _ in range(300):
        k, x = rng.uniform(0.5, 2.0), rng.uniform(0.0, 0.4, 3)
        got = compiled(k, x)
        exact = 1 - np.longdouble(x[-1]) / np.longdouble(k)
        worst = max(worst, abs(float((np.longdouble(got) - exact) / np.spacing(float(exact)))))
    assert worst < 1.6
