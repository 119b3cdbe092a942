"""Pytrees of many leaves take time in proportion to their number, whatever the leaves are.

Lines that Python runs are counted, the turns of comprehensions among them, which is the same on
every machine; and how often the paths of a tree are made, which is done in C for all at once.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from pullback.core.tracing import Tracer
from pullback.numpy import indexing

SIZES = 10, 20, 40

LEAVES = {
    "float": lambda i: float(i),
    "int": lambda i: i,
    "bool": lambda i: i % 2 == 0,
    "complex": lambda i: 1j * i,
    "float32": lambda i: np.float32(i),
    "int8": lambda i: np.int8(1),
    "longdouble": lambda i: np.longdouble(i),
    "array": lambda i: np.ones(2),
    "array of integers": lambda i: np.arange(2),
    "array of shape ()": lambda i: np.array(1.0),
    "None": lambda i: None,
    "list": lambda i: [1.0, i],
}


def doubled(carry):
    return carry[0] * 2.0, carry[1]


CALLS = {
    "vjp": lambda d: pb.vjp(lambda x, d: (x * 2.0, d), 2.0, d)[1]((1.0, None)),
    "vjp, aux": lambda d: pb.vjp(lambda x: (x * 2.0, d), 2.0, has_aux=True),
    "pullback": lambda d: pb.pullback(lambda x, d: (x * 2.0, d), (2.0, d), (1.0, None)),
    "pushforward": lambda d: pb.pushforward(lambda x, d: (x, d), (2.0, d), (1.0, None)),
    "linearize": lambda d: pb.linearize(lambda x, d: (x * 2.0, d), 2.0, d)[1](1.0, None),
    "grad": lambda d: pb.grad(lambda x, d: (x * x, d), has_aux=True)(2.0, d),
    "jacobian": lambda d: pb.jacobian(lambda x, d: x * x)(2.0, d),
    "hessian": lambda d: pb.hessian(lambda x, d: x * x)(2.0, d),
    "vmap": lambda d: pb.vmap(lambda x, d: (x, d), in_axes=(0, None))(np.ones(2), d),
    "vmap, a tree of axes": lambda d: pb.vmap(lambda x, d: x, (0, dict.fromkeys(d)))(np.ones(2), d),
    "checkpoint": lambda d: pb.grad(lambda x: pb.checkpoint(doubled)((x, d))[0])(2.0),
    "scan": lambda d: pb.grad(
        lambda x: pb.scan(lambda c, _: (doubled(c), d), (x, d), length=2)[0][0]
    )(2.0),
    "fori_loop": lambda d: pb.grad(
        lambda x: pb.fori_loop(0, 2, lambda _, c: doubled(c), (x, d))[0]
    )(2.0),
    "while_loop": lambda d: pb.grad(
        lambda x: pb.while_loop(lambda c: c[0] < 5.0, doubled, (x, d))[0]
    )(2.0),
    "cond": lambda d: pb.grad(lambda x: pb.cond(x > 0, doubled, doubled, (x, d))[0])(2.0),
    "trace": lambda d: str(pb.trace(lambda x, d: (x, d), 2.0, d)),
    "a graph": lambda d: pb.simplify(pb.trace(lambda x, d: (x, d), 2.0, d))(2.0, d),
    "stop_gradient": lambda d: pb.stop_gradient(d),
    "a primitive": lambda d: pb.primitive(lambda x, d=None: x)(2.0, d=d),
}
"""Functions of a tree that hand it through."""

FOLLOWED = {
    "vjp": lambda d: pb.vjp(lambda d: d, d)[1](d),
    "pushforward": lambda d: pb.pushforward(lambda d: d, (d,), (d,)),
    "grad": lambda d: pb.grad(lambda d: sum(d.values()) * 1.0)(d),
    "hvp": lambda d: pb.hvp(lambda d: sum(x * x for x in d.values()), (d,), (d,)),
    "checkpoint": lambda d: pb.grad(lambda d: pb.checkpoint(squares)(d)["k0"])(d),
    "scan": lambda d: pb.grad(
        lambda d: pb.scan(lambda c, _: (squares(c), None), d, length=2)[0]["k0"]
    )(d),
    "while_loop": lambda d: pb.grad(
        lambda d: pb.while_loop(lambda c: c["k1"] < 1.5, squares, d)["k0"]
    )(d),
    "cond": lambda d: pb.grad(lambda d: pb.cond(True, squares, squares, d)["k0"])(d),
}
"""Functions of a tree of floats, with derivatives by all of them."""


def squares(d):
    return {name: x * x for name, x in d.items()}


def tree(leaf, count):
    return {f"k{i}": leaf(i) for i in range(count)}


def lines_of(function, monkeypatch, *args):
    """How many lines of pullback were run, and how often the paths of all leaves were made."""
    counted = [0, 0]
    paths = trees.leaf_paths

    def leaf_paths(spec):
        counted[1] += 1
        return paths(spec)

    def trace(frame, event, _arg):
        if "pullback" not in frame.f_code.co_filename:
            return None
        counted[0] += event == "line"
        return trace

    before = sys.gettrace()
    monkeypatch.setattr(trees, "leaf_paths", leaf_paths)
    sys.settrace(trace)
    try:
        function(*args)
    finally:
        sys.settrace(before)
        monkeypatch.setattr(trees, "leaf_paths", paths)
    return counted


def assert_linear(function, leaf, monkeypatch):
    """Of twice as many more leaves come twice as many more lines."""
    function(tree(leaf, 2))
    rows = [lines_of(function, monkeypatch, tree(leaf, size)) for size in SIZES]
    (few, some), (more, same), (many, again) = rows
    assert some == same == again
    assert many - more <= 2.1 * (more - few)


RECORDED = {"checkpoint", "scan", "fori_loop", "while_loop", "cond", "trace", "a graph"}


@pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")
@pytest.mark.parametrize("call", CALLS)
def test_leaves_that_are_handed_through(call, monkeypatch):
    names = ("int", "array of shape ()", "None") if call in RECORDED else LEAVES
    for name in names:
        assert_linear(CALLS[call], LEAVES[name], monkeypatch)


@pytest.mark.parametrize("call", FOLLOWED)
def test_leaves_that_are_followed(call, monkeypatch):
    for leaf in (lambda i: 1.2 + i, lambda i: np.array(1.2)):
        assert_linear(FOLLOWED[call], leaf, monkeypatch)


def few(d):
    return np.sum(np.sin(d["k1"]) * d["k3"])


@pytest.mark.parametrize("leaf", ["float", "array", "array of shape ()"])
def test_check_follows_the_leaves_that_are_read(leaf, monkeypatch):
    """All of them move, and two are traced, however many there are."""
    counts = []
    for size in (70, 140):
        taken = [0]

        def counted(x, index, taken=taken):
            taken[0] += 1
            return indexing.getitem(x, index)

        with monkeypatch.context() as patched:
            patched.setattr(Tracer, "__getitem__", counted)
            assert pb.check(few, tree(LEAVES[leaf], size), order=1).passed
        counts.append(taken[0])
    assert counts[0] == counts[1] > 0


def test_check_sees_a_derivative_that_is_lost_among_many_leaves():
    with pytest.raises(pb.CheckError, match="k3"):
        pb.check(lambda d: few({**d, "k3": pb.stop_gradient(d["k3"])}), tree(lambda i: 1.5, 70))


def test_check_of_a_function_that_writes_to_leaves_among_many():
    def function(d):
        d["k0"][:] = d["k1"] * 2.0
        return np.sum(d["k0"] * d["k2"])

    assert pb.check(function, tree(lambda i: np.full(2, 1.5), 70)).passed


def test_thirty_thousand_leaves():
    d = tree(LEAVES["int"], 30_000)
    assert pb.vjp(lambda x, d: x * 2.0, 1.0, d)[1](1.0)[0] == 2.0
