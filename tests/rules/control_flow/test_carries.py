"""What may be carried: integers, truth values, complex numbers, pytrees; and what NumPy gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from tests.rules.control_flow import unrolled

RNG = np.random.default_rng(11)
xs = RNG.standard_normal((4, 3))


def dtypes(tree):
    return [np.asarray(leaf).dtype.name for leaf in tree]


# -- dtypes --------------------------------------------------------------------------------------


def test_an_integer_carry_beside_a_differentiated_one():
    def f(x):
        def body(carry, row):
            i, y, seen = carry
            return (i * 2 + 1, y * np.sum(row) + i, seen | (i == 3)), i

        (i, y, seen), indices = pb.scan(body, (0, x, False), xs)
        return y, (i, seen, indices)

    def unroll(x):
        y, i = x, 0
        for row in xs:
            y, i = y * np.sum(row) + i, i * 2 + 1
        return y

    _, (i, seen, indices) = f(0.7)
    assert i == 15
    assert seen
    assert_array_equal(indices, [0, 1, 3, 7])
    assert dtypes((i, seen, indices)) == ["int64", "bool", "int64"]
    gradient, (i, _, _) = pb.grad(f, has_aux=True)(0.7)
    assert gradient == pytest.approx(pb.grad(unroll)(0.7), rel=1e-15)
    assert i == 15
    assert pb.pushforward(lambda x: f(x)[0], (0.7,), (1.0,))[1] == pytest.approx(gradient)


def test_only_integers():
    """Nothing to differentiate in the loop; plain loops work all the same."""
    n, total = pb.while_loop(lambda s: s[0] < 10, lambda s: (s[0] + 1, s[1] + s[0]), (0, 0))
    assert (n, total) == (10, 45)
    assert pb.fori_loop(0, 5, lambda i, k: k + i, 0) == 10
    assert pb.grad(lambda x: x * pb.fori_loop(0, 5, lambda i, k: k + i, 0))(2.0) == 10.0


def test_numbers_handed_on_in_their_places_and_exchanged():
    """Only what changes its place, or its value, takes an operation."""

    def body(i, carry):
        a, b, c, d, _ = carry
        return a, c, b, d + a, i

    start = (1, 2.0, 3.0, 4, 5)
    assert pb.fori_loop(0, 3, body, start) == (1, 3.0, 2.0, 7, 2)
    assert dtypes(pb.fori_loop(0, 3, body, start)) == ["int64", "float64", "float64"] + 2 * [
        "int64"
    ]
    kept = pb.trace(lambda x: pb.fori_loop(0, 3, lambda i, c: (c[0] * x, *c[1:]), (x, 1, 2.0)), 3.0)
    (loop,) = [each for each in kept.equations if each.graphs]
    assert [each.primitive.name for each in loop.graphs["body"].equations] == ["multiply"]
    slopes = pb.grad(lambda x: pb.fori_loop(0, 3, body, (1, x, 2.0 * x, 4, 5))[1])(3.0)
    assert slopes == 2.0
    for narrow in (np.float32(1), np.ones(2, np.float32)):
        out = pb.fori_loop(0, 2, lambda _, c: (c[0], c[1] * c[0]), (2, narrow))
        assert dtypes(out) == ["int64", "float32"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_keep_their_precision(dtype):
    c0, rows = dtype(0.5), xs.astype(dtype)

    def body(c, row):
        return np.tanh(c * 2.0 + np.sum(row)) * 0.5, row * c + 1

    c, ys = pb.scan(body, c0, rows)
    assert dtypes((c, ys)) == [np.dtype(dtype).name] * 2

    def loss(c0, rows):
        c, ys = pb.scan(body, c0, rows, checkpoint=2)
        return c + np.sum(ys)

    bars = pb.grad(loss, (0, 1))(c0, rows)
    assert dtypes(bars) == [np.dtype(dtype).name] * 2
    wanted = pb.grad(lambda c0, rows: sum(map(np.sum, unrolled.scan(body, c0, rows))), (0, 1))
    tolerance = 50 * np.finfo(dtype).eps
    for got, expected in zip(bars, wanted(c0, rows), strict=True):
        assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def test_a_python_number_takes_the_precision_of_the_body():
    """NEP 50: 0.0 and a float32 make a float32."""
    rows = xs.astype(np.float32)
    c, _ = pb.scan(lambda c, row: (c + np.sum(row), None), 0.0, rows)
    assert c.dtype == np.float32
    assert c == pytest.approx(np.sum(rows), rel=1e-5)
    c = pb.fori_loop(0, 4, lambda i, c: c * 0.5 + rows[0], np.zeros(3, np.float32))
    assert c.dtype == np.float32
    c, k = pb.while_loop(lambda s: s[1] < 3, lambda s: (s[0] * rows[0, 0], s[1] + 1), (1.0, 0))
    assert dtypes((c, k)) == ["float32", "int64"]
    # 0 in a body that makes a float of it
    c, _ = pb.scan(lambda c, row: (c + np.sum(row), None), 0, rows)
    assert c.dtype == np.float32
    # not touched at all
    c, _ = pb.scan(lambda c, row: (c, None), 1.5, rows)
    assert c == 1.5
    gradient = pb.grad(lambda s: pb.scan(lambda c, r: (c + s * np.sum(r), None), 0.0, rows)[0])
    assert gradient(np.float32(2)).dtype == np.float32


def test_complex_numbers():
    """A rotation, eight times: z ↦ z e^{iθ}, and |sum|² as a function of θ and z."""
    z0 = np.array([1.0 + 0.5j, -0.3j])

    def f(loops, theta, z):
        def body(z, k):
            z = z * np.exp(1j * theta * k)
            return z, z**2

        z, ys = loops.scan(body, z, np.arange(1.0, 5.0))
        return np.abs(np.sum(z)) ** 2 + np.sum(ys).real

    got = pb.grad(lambda *x: f(pb, *x), (0, 1))(0.3, z0)
    wanted = pb.grad(lambda *x: f(unrolled, *x), (0, 1))(0.3, z0)
    for one, other in zip(got, wanted, strict=True):
        assert_allclose(one, other, rtol=1e-13)
    assert got[1].dtype == np.complex128
    holomorphic = pb.grad(
        lambda z: pb.fori_loop(0, 3, lambda i, w: w * w + z, 0j * z), holomorphic=True
    )
    z = 0.2 + 0.1j
    assert holomorphic(z) == pytest.approx(1 + 2 * z + 6 * z**2 + 4 * z**3, rel=1e-14)


# -- structure -----------------------------------------------------------------------------------


class Point(NamedTuple):
    x: Any
    v: Any


@dataclass
class Body:
    point: Point
    mass: Any
    log: list


def test_pytrees():
    """Tuples, dictionaries, named tuples, dataclasses, lists, and None."""

    def step(body, inputs):
        force, extra = inputs["force"], inputs["more"]
        v = body.point.v + 0.1 * (force + extra[0]) / body.mass
        point = Point(x=body.point.x + 0.1 * v, v=v)
        return Body(point, body.mass, [v, None]), {"energy": v @ v * 0.5, "nothing": (None, ())}

    inputs = {"force": xs, "more": [xs[:, 0], None]}

    def run(loops, mass, v):
        start = Body(Point(np.zeros(3) * v, v), mass, [v, None])
        return loops.scan(step, start, inputs)

    end, results = run(pb, 2.0, np.ones(3))
    wanted, expected = run(unrolled, 2.0, np.ones(3))
    assert isinstance(end, Body)
    assert isinstance(end.point, Point)
    assert end.log[1] is None
    assert_allclose(end.point.x, wanted.point.x, rtol=1e-15)
    assert results["nothing"] == (None, ())
    assert_allclose(results["energy"], expected["energy"], rtol=1e-15)

    def loss(loops, mass, v):
        end, results = run(loops, mass, v)
        return np.sum(end.point.x) + np.sum(results["energy"])

    got = pb.grad(lambda *x: loss(pb, *x), (0, 1))(2.0, np.ones(3))
    expected = pb.grad(lambda *x: loss(unrolled, *x), (0, 1))(2.0, np.ones(3))
    for one, other in zip(got, expected, strict=True):
        assert_allclose(one, other, rtol=1e-13)


def test_an_empty_carry():
    carry, ys = pb.scan(lambda c, x: (c, x * x), None, xs)
    assert carry is None
    assert_array_equal(ys, xs * xs)
    carry, ys = pb.scan(lambda c, x: ((), x), (), xs)
    assert carry == ()
    got = pb.grad(lambda xs: np.sum(pb.scan(lambda c, x: (None, x**3), None, xs)[1]))(xs)
    assert_allclose(got, 3 * xs**2, rtol=1e-14)


def test_no_inputs():
    carry, ys = pb.scan(lambda c, x: (c * 2.0, c), 1.0, None, length=4)
    assert carry == 16.0
    assert_array_equal(ys, [1.0, 2.0, 4.0, 8.0])
    carry, ys = pb.scan(lambda c, x: (c * 2.0, x), 1.0, length=4)
    assert ys is None
    carry, _ = pb.scan(lambda c, x: (c + x, None), 0.0, xs[:, 0], length=4)
    assert carry == pytest.approx(np.sum(xs[:, 0]))


def test_reverse_scans_from_the_last_row():
    def body(c, x):
        c = np.sin(c) + x
        return c, c * x

    carry, ys = pb.scan(body, np.zeros(3), xs, reverse=True)
    wanted, expected = unrolled.scan(body, np.zeros(3), xs, reverse=True)
    assert_allclose(carry, wanted, rtol=1e-15)
    assert_allclose(ys, expected, rtol=1e-15)

    def loss(loops):
        def f(xs):
            carry, ys = loops.scan(body, np.zeros(3), xs, reverse=True)
            return np.sum(carry) + np.sum(ys**2)

        return f

    assert_allclose(pb.grad(loss(pb))(xs), pb.grad(loss(unrolled))(xs), rtol=1e-13)


def test_integer_rows_and_lists():
    """What is scanned may be an integer array, a list of numbers, or a range of indices."""

    def f(x):
        return pb.scan(lambda c, i: (c * x + i, None), 0.0 * x, np.arange(4))[0]

    assert pb.grad(f)(2.0) == 2 * 2.0 + 2
    powers = pb.grad(lambda x: pb.fori_loop(0, 4, lambda i, c: c + x**i, 0.0 * x))
    assert powers(2.0) == 1 + 2 * 2 + 3 * 4


# -- ranges --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lower", "upper"), [(0, 4), (2, 3), (-3, 2), (-7, -4), (4, 0)])
def test_ranges(lower, upper):
    def f(x):
        return pb.fori_loop(lower, upper, lambda i, c: c * np.sin(x) + i * x, x)

    def unroll(x):
        c = x
        for i in range(lower, upper):
            c = c * np.sin(x) + i * x
        return c

    assert f(0.8) == pytest.approx(unroll(0.8), rel=1e-15)
    assert pb.grad(f)(0.8) == pytest.approx(pb.grad(unroll)(0.8), rel=1e-14)
    assert pb.pushforward(f, (0.8,), (1.0,))[1] == pytest.approx(pb.grad(unroll)(0.8), rel=1e-14)


def test_bounds_that_are_known_only_at_run_time():
    def power(x, n):
        return pb.fori_loop(0, n, lambda i, c: c * x, 0.0 * x + 1.0)

    graph = pb.trace(power, 1.5, np.int64(3))
    for n in (0, 1, 3, 7):
        assert graph(1.5, np.int64(n)) == 1.5**n
    gradient = pb.trace(pb.grad(power), 1.5, np.int64(3))
    for n in (0, 1, 3, 7):
        assert gradient(1.5, np.int64(n)) == pytest.approx(n * 1.5 ** (n - 1), rel=1e-15)
    lower = pb.trace(
        lambda k, x: pb.fori_loop(k, k + 3, lambda i, c: c + i * x, 0.0 * x), np.int64(2), 1.0
    )
    assert lower(np.int64(-1), 2.0) == 0.0
    assert lower(np.int64(5), 2.0) == 36.0


def test_bounds_that_differ_between_examples():
    """Each example of a batch goes round as often as it wants."""
    counts = np.array([0, 3, 1, 6])

    def power(x, n):
        return pb.fori_loop(0, n, lambda i, c: c * x, 0.0 * x + 1.0)

    assert_allclose(pb.vmap(power, in_axes=(None, 0))(1.5, counts), 1.5**counts, rtol=1e-15)
    got = pb.vmap(pb.grad(power), in_axes=(None, 0))(1.5, counts)
    assert_allclose(got, counts * 1.5 ** (counts - 1.0), rtol=1e-14)


def test_bounds_in_a_loop():
    """A triangle of iterations: the inner bound is the outer index."""

    def f(x):
        return pb.fori_loop(
            0, 5, lambda i, c: pb.fori_loop(0, i, lambda j, c: c * np.cos(x) + j, c), x
        )

    def unroll(x):
        c = x
        for i in range(5):
            for j in range(i):
                c = c * np.cos(x) + j
        return c

    assert f(0.4) == pytest.approx(unroll(0.4), rel=1e-15)
    assert pb.grad(f)(0.4) == pytest.approx(pb.grad(unroll)(0.4), rel=1e-13)
    second = pb.grad(pb.grad(unroll))(0.4)
    assert pb.grad(pb.grad(f))(0.4) == pytest.approx(second, rel=1e-12)


def test_numbers_beside_single_precision_keep_their_own():
    """A traced Python number is one in bodies, too: it adapts, and its derivative is double."""
    c, x = np.array([0.7, 1.3, 2.1], np.float32), 0.3
    programs = (
        lambda x: np.sum(x / c),
        lambda x: np.sum(x**c),
        lambda x: np.sum(c**x),
        lambda x: np.sum(np.arctan2(x, c)),
        lambda x: np.sum(np.logaddexp(x, c)),
        lambda x: x / np.float32(3),
        lambda x: np.sum(x * x * c),
    )
    for f in programs:
        value, slope = pb.value_and_grad(f)(x)
        for within in (
            pb.checkpoint(f),
            lambda x, f=f: pb.cond(x > 0, f, lambda x: f(2 * x), x),
            lambda x, f=f: pb.fori_loop(0, 1, lambda _, s: s + f(x), np.float32(0)),
        ):
            got = pb.value_and_grad(within)(x)
            assert got[0] == value
            assert got[0].dtype == np.float32
            np.testing.assert_allclose(got[1], slope, rtol=1e-14)
    for start in (0.25, 0):  # it takes the dtype that the body gives it, traced or not
        got = pb.grad(lambda x, s=start: pb.fori_loop(0, 3, lambda _, y: y * c[1], x + s))(x)
        np.testing.assert_allclose(got, np.float64(c[1]) ** 3, rtol=1e-6)
        out = pb.fori_loop(0, 3, lambda _, y: y * c[1], x + start)
        assert pb.vjp(lambda x, s=start: pb.fori_loop(0, 3, lambda _, y: y * c[1], x + s), x)[
            0
        ] == pytest.approx(out, rel=1e-6)
