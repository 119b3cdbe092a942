"""Every kind of primitive under every transformation, against loops and differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb
from tests.rules.own.functions import KINDS

B = 4

kinds = pytest.mark.parametrize("name", KINDS)
traced = pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name]().traced_rule])


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def examples(args):
    return list(zip(*args, strict=True))


def differences(f, args, h=1e-5):
    """The gradient of a scalar function of plain arrays, by central differences."""
    gradient = []
    for position, arg in enumerate(args):
        bar = np.zeros(np.shape(arg))
        for index in np.ndindex(np.shape(arg)):
            ends = []
            for sign in (1, -1):
                moved = np.array(arg, dtype=float)
                moved[index] += sign * h
                ends.append(f(*args[:position], moved[()], *args[position + 1 :]))
            bar[index] = (ends[0] - ends[1]) / (2 * h)
        gradient.append(bar)
    return gradient


def close(got, wanted, rtol=1e-9):
    """Trees with the same leaves."""
    got, wanted = (tree if isinstance(tree, tuple | list) else [tree] for tree in (got, wanted))
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        if isinstance(b, tuple | list):
            close(a, b, rtol)
        else:
            assert_allclose(a, b, rtol=rtol, atol=rtol)


def argnums(args):
    return tuple(range(len(args)))


@kinds
def test_gradient(name, rng):
    kind = KINDS[name]()
    args = kind.arguments(rng)
    gradient = pb.grad(kind.scalar, argnums(args))(*args)
    close(gradient, differences(kind.scalar, args), 1e-6)


@kinds
def test_pushforward_is_the_gradients_product(name, rng):
    kind = KINDS[name]()
    args, dots = kind.arguments(rng), kind.arguments(rng)
    gradient = pb.grad(kind.scalar, argnums(args))(*args)
    wanted = sum(np.sum(bar * dot) for bar, dot in zip(gradient, dots, strict=True))
    close(pb.pushforward(kind.scalar, tuple(args), tuple(dots))[1], wanted)
    close(pb.linearize(kind.scalar, *args)[1](*dots), wanted)


@kinds
def test_vmap_is_a_loop(name, rng):
    kind = KINDS[name]()
    args = kind.arguments(rng, B)
    wanted = np.stack([kind.scalar(*each) for each in examples(args)])
    close(pb.vmap(kind.scalar)(*args), wanted)


@kinds
def test_vmap_of_the_gradient_is_a_loop(name, rng):
    kind = KINDS[name]()
    args = kind.arguments(rng, B)
    gradient = pb.grad(kind.scalar, argnums(args))
    wanted = [np.stack(bars) for bars in zip(*(gradient(*x) for x in examples(args)), strict=True)]
    close(pb.vmap(gradient)(*args), wanted)


@kinds
def test_derivatives_of_vmap(name, rng):
    kind = KINDS[name]()
    args, dots = kind.arguments(rng, B), kind.arguments(rng, B)
    gradient = pb.grad(kind.scalar, argnums(args))
    wanted = [np.stack(bars) for bars in zip(*(gradient(*x) for x in examples(args)), strict=True)]

    def total(*args):
        return np.sum(pb.vmap(kind.scalar)(*args))

    close(pb.grad(total, argnums(args))(*args), wanted)
    along = sum(np.sum(bar * dot) for bar, dot in zip(wanted, dots, strict=True))
    close(pb.pushforward(total, tuple(args), tuple(dots))[1], along)
    for mode in ("forward", "reverse"):
        rows = pb.jacobian(pb.vmap(kind.scalar), argnums(args), mode=mode)(*args)
        for row, bars in zip(rows, wanted, strict=True):
            full = np.zeros((B, *bars.shape))
            full[np.arange(B), np.arange(B)] = bars
            close(row, full)


@kinds
def test_an_argument_that_examples_share(name, rng):
    kind = KINDS[name]()
    args = kind.arguments(rng, B)
    args[-1] = args[-1][0]
    axes = (0,) * (len(args) - 1) + (None,)
    if len(args) == 1:
        args, axes = [args[0], np.arange(float(B))], (None, 0)

        def function(x, scale):
            return kind.scalar(x * (1 + 0.1 * scale))
    else:
        function = kind.scalar

    def total(*args):
        return np.sum(pb.vmap(function, in_axes=axes)(*args))

    def loop(*args):
        rows = [
            [x[i] if axis == 0 else x for x, axis in zip(args, axes, strict=True)] for i in range(B)
        ]
        return sum(function(*row) for row in rows)

    close(total(*args), loop(*args))
    close(pb.grad(total, argnums(args))(*args), differences(loop, args), 1e-6)


@kinds
def test_nested_vmaps(name, rng):
    kind = KINDS[name]()
    args = kind.arguments(rng, 2, 3)
    gradient = pb.grad(kind.scalar, argnums(args))
    flat = [x.reshape(6, *x.shape[2:]) for x in args]
    wanted = [
        np.stack(bars).reshape(2, 3, *bars[0].shape)
        for bars in zip(*(gradient(*x) for x in examples(flat)), strict=True)
    ]
    close(pb.vmap(pb.vmap(gradient))(*args), wanted)

    def total(*args):
        return np.sum(pb.vmap(pb.vmap(kind.scalar))(*args))

    close(pb.grad(total, argnums(args))(*args), wanted)
    swapped = [np.swapaxes(x, 0, 1) for x in args]
    inside = pb.vmap(pb.vmap(kind.scalar), in_axes=1)
    close(pb.grad(lambda *a: np.sum(inside(*a)), argnums(args))(*swapped),
          [np.swapaxes(x, 0, 1) for x in wanted])  # fmt: skip
    per_row = pb.vmap(pb.grad(lambda *a: np.sum(pb.vmap(kind.scalar)(*a)), argnums(args)))
    close(per_row(*args), wanted)


@kinds
def test_graphs(name, rng):
    kind = KINDS[name]()
    args, others = kind.arguments(rng), kind.arguments(rng)
    for f in (kind.scalar, pb.grad(kind.scalar, argnums(args))):
        graph = pb.trace(f, *others)
        own = kind.function._primitive
        assert sum(each.primitive is own for each in graph.equations) == 1
        simple = pb.simplify(graph)
        simple.verify()
        for each in (graph, simple):
            close(each(*args), f(*args))
            close(pb.vmap(each)(*(np.stack([x, x]) for x in args)), pb.vmap(f)(
                *(np.stack([x, x]) for x in args)))  # fmt: skip
        assert graph.cost().operations > 0
    close(pb.grad(pb.trace(kind.scalar, *args), argnums(args))(*args),
          pb.grad(kind.scalar, argnums(args))(*args))  # fmt: skip


@kinds
def test_graphs_of_batches(name, rng):
    kind = KINDS[name]()
    args, others = kind.arguments(rng, B), kind.arguments(rng, B)
    total = pb.grad(lambda *args: np.sum(pb.vmap(kind.scalar)(*args)), argnums(args))
    for f in (pb.vmap(kind.scalar), total, pb.vmap(pb.grad(kind.scalar, argnums(args)))):
        graph = pb.trace(f, *others)
        close(graph(*args), f(*args))
        close(pb.simplify(graph)(*args), f(*args))
        assert graph.cost().operations > 0


@kinds
def test_loops(name, rng):
    kind = KINDS[name]()
    xs = kind.arguments(rng, 3)

    def scanned(*xs):
        def body(carry, row):
            y = kind.scalar(*row)
            return carry + 0.1 * y * carry, y

        carry, ys = pb.scan(body, 1.0, xs)
        return carry + np.sum(ys)

    def unrolled(*xs):
        carry, total = 1.0, 0.0
        for row in examples(xs):
            y = kind.scalar(*row)
            carry, total = carry + 0.1 * y * carry, total + y
        return carry + total

    gradient = differences(unrolled, xs)
    close(scanned(*xs), unrolled(*xs))
    close(pb.grad(scanned, argnums(xs))(*xs), gradient, 1e-5)
    dots = tuple(kind.arguments(rng, 3))
    along = sum(np.sum(bar * dot) for bar, dot in zip(gradient, dots, strict=True))
    close(pb.pushforward(scanned, tuple(xs), dots)[1], along, 1e-5)
    stacked = [np.stack([x, x]) for x in xs]
    close(pb.vmap(pb.grad(scanned))(*stacked), np.stack([gradient[0]] * 2), 1e-5)
    batched = pb.vmap(scanned)
    close(pb.grad(lambda *a: np.sum(batched(*a)))(*stacked), np.stack([gradient[0]] * 2), 1e-5)


@kinds
def test_fori_loop_and_checkpoint(name, rng):
    kind = KINDS[name]()
    args = kind.arguments(rng)

    def looped(*args):
        return pb.fori_loop(
            0, 3, lambda _, c: 1 + np.tanh(0.1 * kind.scalar(*(c * x for x in args))), 1.0
        )

    def unrolled(*args):
        c = 1.0
        for _ in range(3):
            c = 1 + np.tanh(0.1 * kind.scalar(*(c * x for x in args)))
        return c

    close(looped(*args), unrolled(*args))
    close(pb.grad(looped, argnums(args))(*args), differences(unrolled, args), 1e-6)
    close(pb.grad(pb.checkpoint(kind.scalar), argnums(args))(*args),
          pb.grad(kind.scalar, argnums(args))(*args))  # fmt: skip


@traced
def test_second_derivatives(name, rng):
    kind = KINDS[name]()
    args, dots = kind.arguments(rng), kind.arguments(rng)
    gradient = pb.grad(kind.scalar, argnums(args))

    def along(*args):
        return sum(np.sum(bar * dot) for bar, dot in zip(gradient(*args), dots, strict=True))

    product = differences(along, args)
    close(pb.grad(along, argnums(args))(*args), product, 1e-5)
    close(pb.hvp(kind.scalar, tuple(args), tuple(dots)), product, 1e-5)
    hessian = pb.hessian(kind.scalar, argnums(args))(*args)
    for row, wanted in zip(hessian, product, strict=True):
        got = sum(
            np.tensordot(block, dot, np.ndim(dot)) for block, dot in zip(row, dots, strict=True)
        )
        close(got, wanted, 1e-5)

    def push(*args):
        return pb.pushforward(kind.scalar, args, tuple(dots))[1]

    close(pb.grad(push, argnums(args))(*args), product, 1e-5)
    twice = pb.pushforward(push, tuple(args), tuple(dots))[1]
    close(twice, sum(np.sum(x * dot) for x, dot in zip(product, dots, strict=True)), 1e-5)


@traced
def test_second_derivatives_of_batches_graphs_and_loops(name, rng):
    kind = KINDS[name]()
    args = kind.arguments(rng, B)

    def curvature(*args):
        gradient = pb.grad(kind.scalar, argnums(args))
        return sum(np.sum(np.sin(bar)) for bar in gradient(*args))

    second = pb.grad(curvature, argnums(args))
    wanted = [np.stack(bars) for bars in zip(*(second(*x) for x in examples(args)), strict=True)]
    close(pb.vmap(second)(*args), wanted)
    total = pb.grad(lambda *args: np.sum(pb.vmap(curvature)(*args)), argnums(args))
    close(total(*args), wanted)
    close(pb.trace(total, *args)(*args), wanted)
    close(pb.simplify(pb.trace(pb.vmap(second), *args))(*args), wanted)

    def outside(*args):
        gradient = pb.grad(lambda *args: np.sum(pb.vmap(kind.scalar)(*args)), argnums(args))
        return sum(np.sum(np.sin(bar)) for bar in gradient(*args))

    close(pb.grad(outside, argnums(args))(*args), wanted)

    def scanned(*args):
        return pb.scan(lambda total, row: (total + curvature(*row), None), 0.0, args)[0]

    close(pb.grad(scanned, argnums(args))(*args), wanted)


@kinds
def test_check_passes(name, rng):
    kind = KINDS[name]()
    args = kind.arguments(rng)
    order = 2 if kind.traced_rule else 1
    assert pb.check(kind.scalar, *args, order=order).passed
