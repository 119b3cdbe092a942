"""Leaves that a body hands on are none of the loop's or the choice's business."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb


def tree(count):
    return {f"k{i}": np.full(2, 1.0 + i) for i in range(count)}


def halved(carry):
    return {**carry, "k1": 0.5 * carry["k1"]}


LOOPS = {
    "fori_loop": lambda d: pb.fori_loop(0, 3, lambda _, c: halved(c), d),
    "scan": lambda d: pb.scan(lambda c, _: (halved(c), None), d, length=3)[0],
    "while_loop": lambda d: pb.while_loop(lambda c: c["k1"][0] > 0.3, halved, d),
    "cond": lambda d: pb.cond(d["k0"][0] > 0, halved, lambda c: {**c, "k1": c["k2"]}, d),
    "switch": lambda d: pb.switch(1, [lambda c: c, halved], d),
    "checkpoint": lambda d: pb.checkpoint(halved)(d),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_only_what_is_looked_at_is_taken(loop):
    graph = pb.trace(LOOPS[loop], tree(50))
    nested = [each for each in graph.equations if each.graphs]
    assert len(nested) == 1
    assert all(len(each.inputs) <= 4 for each in nested)
    assert all(len(each.outputs) == 1 for each in nested)


@pytest.mark.parametrize("loop", LOOPS)
def test_results_and_derivatives_are_those_of_all_leaves(loop):
    d = tree(4)
    out, pull = pb.vjp(LOOPS[loop], d)
    (bars,) = pull({name: np.array([1.0, 10.0]) * x for name, x in tree(4).items()})
    dots = pb.jvp(LOOPS[loop], (d,), (tree(4),))[1]
    factor = {"fori_loop": 0.125, "scan": 0.125, "while_loop": 0.125}.get(loop, 0.5)
    for name, x in d.items():
        scale = factor if name == "k1" else 1.0
        np.testing.assert_array_equal(out[name], scale * x)
        np.testing.assert_array_equal(bars[name], scale * x * [1.0, 10.0])
        np.testing.assert_array_equal(dots[name], scale * x)
        assert out[name] is not x
        assert not np.may_share_memory(out[name], x)


@pytest.mark.parametrize("loop", LOOPS)
def test_each_example_of_a_batch_keeps_its_own(loop):
    d = {name: np.stack([x, x + 0.25]) for name, x in tree(4).items()}
    many = pb.vmap(LOOPS[loop])(d)
    for i in range(2):
        one = LOOPS[loop]({name: x[i] for name, x in d.items()})
        for name, x in one.items():
            np.testing.assert_array_equal(many[name][i], x)


HANDED_ON = {
    "fori_loop": lambda x, n: pb.fori_loop(0, 2, lambda _, c: (c[0] * 2.0, c[1]), (x, n))[1],
    "while_loop": lambda x, n: pb.while_loop(
        lambda c: c[0] < 9.0, lambda c: (c[0] * 2.0, c[1]), (x, n)
    )[1],
    "cond": lambda x, n: pb.cond(x > 0, lambda x, n: n, lambda x, n: n, x, n),
    "checkpoint": lambda x, n: pb.checkpoint(lambda x, n: (x * 2.0, n))(x, n)[1],
}


@pytest.mark.parametrize("loop", HANDED_ON)
def test_python_numbers_come_out_as_scalars(loop):
    """They decide on dtypes then, also where a derivative is followed or a graph recorded."""
    function = HANDED_ON[loop]
    single = np.ones(2, np.float32)

    def product(n):
        return function(1.0, n) * single

    assert type(function(1.0, 0.1)) is np.float64
    assert type(function(1.0, 3)) is np.int64
    assert product(0.1).dtype == np.float64
    assert pb.vjp(product, 0.1)[0].dtype == np.float64
    assert pb.trace(product, 0.1)(0.1).dtype == np.float64
    assert pb.grad(lambda n: np.sum(product(n)))(0.1) == 2.0
    assert pb.jvp(product, (0.1,), (1.0,))[1].tolist() == [1.0, 1.0]
    assert pb.hessian(lambda n: np.sum(product(n) ** 2))(0.1) == 4.0


def test_a_carry_that_a_condition_or_another_one_reads_stays():
    assert pb.while_loop(lambda c: c[0] < c[1], lambda c: (c[0] + 1.0, c[1]), (0.0, 3.0)) == (3, 3)
    swapped = pb.fori_loop(0, 3, lambda _, c: (c[1], c[0], c[2]), (1.0, 2.0, 3.0))
    assert swapped == (2.0, 1.0, 3.0)
    last, ys = pb.scan(lambda c, _: (c, c), 4.0, length=2)
    assert last == 4.0
    assert ys.tolist() == [4.0, 4.0]
    assert pb.fori_loop(0, 3, lambda _, c: c, (1.0, 2)) == (1.0, 2)
