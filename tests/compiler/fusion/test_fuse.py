"""Graphs that are lowered and fused: values and gradients stay, loops become fewer."""

from __future__ import annotations

import cProfile
import itertools

import numpy as np
import pytest
from hypothesis import given, settings

import pullback as pb
from pullback.compiler.decomposition import decompose
from pullback.compiler.fusion import arrange, fuse
from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.loops import Kernel, interpret, verify
from pullback.compiler.lowering import lower
from tests.compiler.fusion.written import at, axes, buffers, kernel, load, op, program, write
from tests.compiler.interpreted import python_call
from tests.programs.generation import programs


def lowered(function, *leaves):
    graph = pb.simplify(pb.trace(function, *leaves))
    return lower(pb.simplify(decompose(graph)))


def kernels(body):
    inner = sum(kernels(row) for each in body for row in bodies_of(each))
    return inner + sum(isinstance(each, Kernel) for each in body)


def scratch(made):
    return sum(b.size * np.dtype(b.dtype).itemsize for b in made.buffers if b.kind == "scratch")


def compared(function, *leaves, tolerance=1e-12):
    """The fused program, which gives what the lowered one does."""
    before = lowered(function, *leaves)
    after = arrange(fuse(before.program))
    verify(after)
    values = [*map(np.asarray, leaves), *before.constants]
    calls = [*map(python_call, before.calls)]
    for one, other in zip(
        interpret(before.program, values, calls), interpret(after, values, calls), strict=True
    ):
        scale = 1 + np.max(np.abs(one), initial=0)
        np.testing.assert_allclose(other, one, rtol=tolerance, atol=tolerance * scale)
    return before.program, after


@given(programs())
@settings(max_examples=25)
def test_random_graphs(made):
    leaves = tuple(made.arguments)
    compared(made, *leaves)
    compared(lambda *x: pb.pullback(made, x, 1.0), *leaves)


RNG = np.random.default_rng(0)


def network(w1, b1, w2, b2, x, y):
    return np.mean((np.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2)


def test_a_network():
    leaves = [RNG.normal(size=s) for s in [(8, 16), 16, (16, 1), 1, (32, 8), (32, 1)]]
    before, after = compared(pb.value_and_grad(network, argnums=(0, 1, 2, 3)), *leaves)
    assert kernels(after.body) <= 5 < kernels(before.body)
    assert scratch(after) < scratch(before)


def test_value_and_both_cotangents_of_a_loss_are_one_loop():
    x, y = RNG.normal(size=(2, 100))
    _, after = compared(pb.value_and_grad(lambda x, y: np.sum((x - y) ** 2), argnums=(0, 1)), x, y)
    assert kernels(after.body) == 1
    assert scratch(after) == 0


def recurrent(w, b, xs):
    def step(carry, x):
        h, s = carry
        z = np.concatenate([x, h], axis=1) @ w + b
        i, f, o = (1 / (1 + np.exp(-z[:, k : k + 5])) for k in (0, 5, 10))
        s = f * s + i * np.tanh(z[:, 15:])
        h = o * np.tanh(s)
        return (h, s), h

    _, hs = pb.scan(step, (np.zeros((4, 5)), np.zeros((4, 5))), xs)
    return np.sum(hs**2)


def test_a_recurrent_network():
    leaves = [RNG.normal(size=s) for s in [(8, 20), 20, (6, 4, 3)]]
    before, after = compared(pb.value_and_grad(recurrent, argnums=(0, 1, 2)), *leaves)
    assert 2 * kernels(after.body) < kernels(before.body)
    assert scratch(after) < scratch(before)


def upwind(u, v, c):
    for _ in range(2):
        by_x = np.where(u > 0, c - np.roll(c, 1, 0), np.roll(c, -1, 0) - c)
        by_y = np.where(v > 0, c - np.roll(c, 1, 1), np.roll(c, -1, 1) - c)
        c = c - 0.1 * (u * by_x + v * by_y)
    return np.sum(c**2)


def test_a_fluid():
    leaves = RNG.normal(size=(3, 9, 7))
    before, after = compared(pb.value_and_grad(upwind, argnums=(0, 1, 2)), *leaves)
    assert kernels(after.body) < 0.6 * kernels(before.body)
    assert scratch(after) < scratch(before)


def chain(length, *, merges):
    """Kernels that each read what the one before wrote: there, or the other way round."""
    names = ["x", *(f"t{k}" for k in range(length)), "y"]
    declared = buffers(x="input 6", y="output 6", **dict.fromkeys(names[1:-1], "scratch 6"))
    body = []
    for k, (source, target) in enumerate(itertools.pairwise(names)):
        axis = f"i{k}"
        there = load(source, (axis, 1)) if merges else load(source, (axis, -1), offset=5)
        body.append(kernel(axes(**{axis: 6}), write(at(target, (axis, 1)), op("sin", there))))
    return program(declared, *body)


@pytest.mark.parametrize("merges", [False, True])
def test_the_work_is_in_proportion_to_the_number_of_statements(merges):
    def work(made):
        """The number of calls of functions."""
        profile = cProfile.Profile()
        profile.runcall(fuse, made)
        return sum(entry.callcount for entry in profile.getstats())

    assert work(chain(400, merges=merges)) < 5 * work(chain(100, merges=merges))
