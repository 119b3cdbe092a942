"""Programs that depend on how arrays lie in memory are right however their arguments lie.

Plain NumPy says what is right, and differences, which are exact: the programs are of the second
degree, in whole numbers.
"""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.programs.layouts import draw

pytestmark = pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")

PROGRAMS = range(100)


def by_differences(f, argument):
    """The value of `f`, and its gradient with respect to the base of its argument."""
    base = argument.base
    units = np.eye(base.size).reshape(base.size, *base.shape)

    def at(point):
        return float(f(argument(point)))

    slopes = [(at(base + unit) - at(base - unit)) / 2 for unit in units]
    return at(base), np.reshape(slopes, base.shape)


def curvatures(f, argument):
    base = argument.base
    units = np.eye(base.size).reshape(base.size, *base.shape)

    def at(point):
        return float(f(argument(point)))

    return np.array([
        [
            (at(base + a + b) - at(base + a - b) - at(base - a + b) + at(base - a - b)) / 4
            for b in units
        ]
        for a in units
    ]).reshape(base.size, base.size)  # fmt: skip


def assert_gradient(run, wanted, argument, what):
    value, slopes = wanted
    got, bar = run(argument())
    np.testing.assert_array_equal(got, value, err_msg=what)
    np.testing.assert_array_equal(argument.onto_base(bar), slopes, err_msg=what)


def described(program, argument, mode):
    return f"{mode}: {argument.name} {argument.base.tolist()}: {program}"


def test_derivatives():
    for seed in PROGRAMS:
        program, argument = draw(np.random.default_rng(seed))
        what = described(program, argument, "eager")
        wanted = value, slopes = by_differences(program, argument)
        assert_gradient(pb.value_and_grad(program), wanted, argument, what)
        along = np.random.default_rng(seed).integers(-2, 3, argument.base.shape).astype(float)
        out, out_dot = pb.jvp(program, (argument(),), (argument(along),))
        assert (out, out_dot) == (value, np.sum(along * slopes)), what
        if 0 < argument.base.size <= 6:
            hessian = argument.onto_base(pb.hessian(program)(argument()))
            rows = [argument.onto_base(row) for row in hessian.reshape(-1, *argument().shape)]
            wanted = curvatures(program, argument)
            np.testing.assert_array_equal(np.reshape(rows, wanted.shape), wanted, err_msg=what)


def _carried(f):
    return lambda x: pb.fori_loop(0, 1, lambda _, c: (c[0], c[1] + f(c[0])), (x, 0.0))[1]


def _repeated(f):
    def body(c):
        return c[0], c[1] + f(c[0]), c[2] + 1

    return lambda x: pb.while_loop(lambda c: c[2] < 2, body, (x, 0.0, 0))[1] / 2


RECORDED = {
    "checkpoint": pb.checkpoint,
    "cond": lambda f: lambda x: pb.cond(np.sum(x) < 1e9, f, lambda x: 0 * np.sum(x), x),
    "scan": lambda f: lambda x: pb.scan(lambda c, y: (c + f(y), None), 0.0, x[None])[0],
    "scan, closed over": (
        lambda f: lambda x: pb.scan(lambda c, _: (c + f(x), None), 0.0, length=1)[0]
    ),
    "fori_loop": _carried,
    "while_loop": _repeated,
    "trace": lambda f: lambda x: pb.trace(f, x)(x),
    "checkpoint in scan": lambda f: _carried(pb.checkpoint(f)),
}
HANDED = {
    "through checkpoint": lambda x: pb.checkpoint(lambda x: x * 1.0)(x),
    "through a loop": lambda x: pb.fori_loop(0, 2, lambda _, y: y + 0.0, x * 1.0),
    "through cond": lambda x: pb.cond(True, lambda x: x * 1.0, lambda x: x + 0.0, x),
}


def test_what_is_recorded():
    for seed in PROGRAMS:
        program, argument = draw(np.random.default_rng(1000 + seed))
        wanted = by_differences(program, argument)
        for mode, record in list(RECORDED.items())[seed % 2 :: 2]:
            what = described(program, argument, mode)
            assert_gradient(pb.value_and_grad(record(program)), wanted, argument, what)
        graph = pb.trace(pb.value_and_grad(program), argument())
        assert_gradient(graph, wanted, argument, described(program, argument, "graph"))
        assert_gradient(pb.simplify(graph), wanted, argument, f"{program}\n{graph}")
        wanted = by_differences(lambda x, f=program: f(x * 1.0), argument)
        for mode, hand in list(HANDED.items())[seed % 3 :: 3]:
            what = described(program, argument, mode)
            run = pb.value_and_grad(lambda x, f=program, hand=hand: f(hand(x)))
            assert_gradient(run, wanted, argument, what)
            assert_gradient(pb.trace(run, argument()), wanted, argument, what)


MAPPED = {
    "vmap": lambda f: pb.vmap(pb.value_and_grad(f)),
    "vmap of a checkpoint": lambda f: pb.vmap(pb.value_and_grad(pb.checkpoint(f))),
    "vmap of a loop": lambda f: pb.vmap(pb.value_and_grad(_carried(f))),
    "graph of vmap": lambda f: lambda x: pb.trace(pb.vmap(pb.value_and_grad(f)), x)(x),
}


@pytest.mark.parametrize("mode", MAPPED)
def test_examples(mode):
    for seed in PROGRAMS[:50]:
        program, argument = draw(np.random.default_rng(2000 + seed))
        bases = np.stack([argument.base, argument.base + 1])
        what = described(program, argument, mode)
        values, bars = MAPPED[mode](program)(argument.batch(bases))
        for base, value, bar in zip(bases, values, bars, strict=True):
            one = type(argument)(base, argument.name)
            assert_gradient(
                lambda _, v=value, b=bar: (v, b), by_differences(program, one), one, what
            )
