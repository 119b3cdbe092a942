"""The functions whose compiled derivatives are measured, each at a small size."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import pullback as pb
from benchmarks.native.problem import OURS, Problem
from benchmarks.native.samples import differ, first_calls
from benchmarks.native.sides import arrays, make
from benchmarks.native.workloads import SAMPLES, WORKLOADS
from pullback.core import trees
from tests.grouping import for_each

SMALL: dict[str, dict[str, Any]] = {
    "vector": {},
    "two-layer": {"batch": 5, "inputs": 3, "hidden": 4},
    "l2-10": {"size": 4},
    "l2-1000": {"size": 5},
    "l2-100000": {"size": 6},
    "l2-10000000": {"size": 7},
    "l2-reused": {"size": 5},
    "logsumexp-1000": {"size": 6},
    "logsumexp-1000000": {"size": 7},
    "polynomial": {"n": 9, "m": 4},
    "logistic": {"n": 10, "d": 3},
    "lotka-volterra": {"steps": 12},
    "hidden-markov": {"steps": 9},
    "runge-kutta": {"n": 4, "steps": 6},
    "scalar-loop": {"steps": 50},
    "arm": {"joints": 3},
    "differences": {"n": 4, "dtype": np.float64},
    "upwind": {"n": 5, "steps": 2},
    "lstm": {"length": 4, "batch": 2, "dtype": np.float64},
    "hessian": {"n": 5},
    "gauss-seidel": {"n": 6, "sweeps": 2},
    "neuron": {"steps": 20},
    "kalman": {"steps": 6},
    "interpolation": {"n": 5, "points": 8},
    "gaussian-process-30": {"n": 6},
    "gaussian-process-200": {"n": 7},
    "residual": {"d": 2, "layers": 3, "m": 5},
}
SAMPLES_SMALL: dict[str, dict[str, Any]] = {
    **{name: {"m": 3, "layers": 2} for name in SAMPLES if name.startswith("net-")},
    "digits": {"batch": 5, "width": 4, "depth": 2},
    **{name: {"n": 6, "d": 3, "k": 2} for name in SAMPLES if name.startswith("mixture-")},
    "k-means": {"k": 3, "n": 20, "d": 2},
    "logistic-1000000": {"n": 11, "d": 3},
    "moved-points": {"n": 7},
    "per-example": {"m": 4, "inputs": 3, "hidden": 2},
}
SINGLE = "-float32"


def small(name: str) -> Problem:
    if name.removesuffix(SINGLE) in SAMPLES:
        return resized(WORKLOADS[name], SAMPLES_SMALL[name.removesuffix(SINGLE)])
    return WORKLOADS[name](**SMALL[name])


def resized(make: Any, sizes: dict[str, Any]) -> Problem:
    """The problem with other sizes, also where the whole one's are given by position."""
    bound = inspect.signature(make.func).bind_partial(*make.args, **make.keywords)
    return make.func(**bound.arguments | sizes)


def test_every_workload_has_a_small_size() -> None:
    assert [*SMALL, *SAMPLES_SMALL, *(name + SINGLE for name in SAMPLES_SMALL)] == list(WORKLOADS)


DIFFERENTIATED = [
    *SMALL,
    *(name for name in SAMPLES if small(name).derivative != "as written"),
]


def copied(tree: Any) -> Any:
    return trees.map_tree(np.copy, tree)


@for_each(
    [pytest.param(name, id=name) for name in DIFFERENTIATED],
    group=lambda name: name.split("-")[0],
)
def test_derivatives_agree_with_central_differences(name: str) -> None:
    problem = small(name)
    before = copied(problem.arguments)
    rng = np.random.default_rng(1)
    directions = [
        trees.map_tree(
            lambda leaf, moves=position in problem.argnums: moves * rng.normal(size=leaf.shape),
            argument,
        )
        for position, argument in enumerate(problem.arguments)
    ]

    def along(t: float, f: Any) -> Any:
        moved = zip(problem.arguments, directions, strict=True)
        return f(*(trees.map_tree(lambda x, v: x + t * v, *pair) for pair in moved))

    differentiated = problem.loss
    if problem.derivative == "Hessian":
        differentiated = pb.grad(problem.loss)
    h = 1e-5
    slope = (along(h, differentiated) - along(-h, differentiated)) / (2 * h)
    results = arrays(make(problem, OURS).call()) if not problem.donate else _donated(problem)
    if problem.derivative == "value and gradient":
        np.testing.assert_allclose(results.pop(0), problem.loss(*problem.arguments), rtol=1e-12)
    assert all(np.isfinite(result).all() for result in results)
    moved, _ = trees.flatten([directions[position] for position in problem.argnums])
    inner = sum(
        np.tensordot(result, direction, direction.ndim)
        for result, direction in zip(results, moved, strict=True)
    )
    np.testing.assert_allclose(inner, slope, rtol=1e-6, atol=1e-6 * np.max(np.abs(inner)))
    for argument, unchanged in zip(*map(leaves, (problem.arguments, before)), strict=True):
        np.testing.assert_array_equal(argument, unchanged)


def leaves(tree: Any) -> list[Any]:
    return trees.flatten(tree)[0]


@pytest.mark.parametrize("name", ["k-means", "per-example"])
def test_what_is_written_with_derivatives_agrees_with_what_is_written_by_hand(name: str) -> None:
    problem = small(name)
    _, notes = first_calls(problem, ["by hand", OURS])
    assert notes["differ"][OURS] < 1e-12


def test_the_step_is_adams_along_the_gradient() -> None:
    """From the memory after the step comes the gradient, which central differences confirm."""
    problem = small("digits")
    net, state, pixels, labels = problem.arguments
    value, after, memory = problem.loss(*problem.arguments)
    gradient = [
        (new - 0.9 * old) / 0.1
        for new, old in zip(leaves(memory.mean), leaves(state.mean), strict=True)
    ]
    rng = np.random.default_rng(1)
    direction = trees.map_tree(lambda leaf: rng.normal(size=leaf.shape), net)

    def loss(t: float) -> Any:
        return pb.losses.softmax_cross_entropy(
            trees.map_tree(lambda p, v: p + t * v, net, direction)(pixels), labels
        )

    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    inner = sum(np.sum(g * v) for g, v in zip(gradient, leaves(direction), strict=True))
    np.testing.assert_allclose([value, inner], [loss(0.0), slope], rtol=1e-7)
    squares = map(leaves, (state.square, memory.square))
    for old, square, g in zip(*squares, gradient, strict=True):
        np.testing.assert_allclose(square, 0.999 * old + 0.001 * g**2, rtol=1e-7)
    for p, new, m, s in zip(*map(leaves, (net, after, memory.mean, memory.square)), strict=True):
        corrected = m / (1 - 0.9**101), s / (1 - 0.999**101)
        step = 3e-3 * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
        np.testing.assert_allclose(new, p - step, rtol=1e-12)
    assert memory.count == 101


@for_each([pytest.param(name, id=name) for name in SAMPLES], group=lambda name: name.split("-")[0])
def test_in_single_precision_it_is_the_same_program(name: str) -> None:
    double, single = small(name), small(name + SINGLE)
    assert (single.two_threads, single.bounds) == (double.two_threads, double.bounds)
    exact, rounded = arrays(make(double, OURS).call()), arrays(make(single, OURS).call())
    assert {array.dtype.name for array in rounded} <= {"float32", "int64"}
    assert (
        differ(
            [array.astype(np.float64) for array in rounded],
            [array.astype(np.float64) for array in exact],
        )
        < single.rtol
    )


def _donated(problem: Problem) -> list[Any]:
    """Of a problem whose compiled function may write over its arguments: of copies."""
    evaluate = pb.value_and_grad(problem.loss, problem.argnums)
    return arrays(evaluate(*(argument.copy() for argument in problem.arguments)))


def test_what_is_fed_back_stays_as_it_is() -> None:
    """The cotangents r/2 and −r/2 lie r apart again, call after call."""
    problem = small("l2-reused")
    gradient = pb.grad(problem.loss, problem.argnums)
    once = gradient(*problem.arguments)
    np.testing.assert_array_equal(gradient(*once), once)
