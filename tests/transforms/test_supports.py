"""Which elements depend on which: found without arrays of the samples' size."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import pullback as pb

CENTRES = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]])


def nearest(best):
    def f(centres, x):
        distances = np.sum((x[:, None] - centres) ** 2, axis=2)
        return np.sum(best(distances, axis=1))

    return f


def largest_of_products(centres, x):
    return np.sum(np.max(x @ centres.T, axis=1) ** 2)


def joined(centres, x):
    scores = np.concatenate([x @ centres.T, x[:, :1]], axis=1)
    return np.sum(np.maximum(scores, 0.25)[:, 1:] ** 3)


CASES = {
    "min": nearest(np.min),
    "max": nearest(np.max),
    "products": largest_of_products,
    "joined": joined,
}


def second_order(f):
    def direction(centres, x):
        gradient = pb.grad(lambda centres: f(centres, x))
        return pb.pushforward(gradient, (centres,), (np.ones_like(centres),))

    return direction


@pytest.mark.parametrize("name", ["min", "max", "products"])
def test_nothing_grows_with_the_samples_while_it_is_recorded(name):
    direction = second_order(CASES[name])
    sizes = []
    for count in (1_000, 200_000):
        x = np.random.default_rng(0).normal(size=(count, 2))
        pb.trace(direction, CENTRES, x[:10])
        tracemalloc.start()
        graph = pb.simplify(pb.trace(direction, CENTRES, x))
        sizes.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert all(np.size(each) < 1_000 for each in graph.constants.values()), graph
    assert sizes[1] < sizes[0] + 200_000


@pytest.mark.parametrize("name", CASES)
def test_the_second_derivative(name):
    x = np.random.default_rng(1).normal(size=(20, 2))
    direction = second_order(CASES[name])
    gradient, along = direction(CENTRES, x)
    recorded = pb.simplify(pb.trace(direction, CENTRES, x))(CENTRES, x)
    np.testing.assert_allclose(recorded[0], gradient, rtol=1e-12)
    np.testing.assert_allclose(recorded[1], along, rtol=1e-12)
    step = 1e-6
    ends = [pb.grad(CASES[name])(CENTRES + sign * step, x) for sign in (1, -1)]
    np.testing.assert_allclose(along, (ends[0] - ends[1]) / (2 * step), rtol=1e-5, atol=1e-5)


def test_what_was_not_the_nearest_has_no_part_in_it():
    x = np.array([[1e200, 0.0], [0.1, 0.9]])

    def f(centres):
        scaled = centres * np.array([[1.0], [np.inf], [1.0]])
        return np.sum(np.min(np.sum((x[1:, None] - scaled) ** 2, axis=2), axis=1))

    for gradient in (pb.grad(f), pb.trace(pb.grad(f), CENTRES), pb.compile(pb.grad(f))):
        with np.errstate(all="ignore"):
            found = gradient(CENTRES)
        np.testing.assert_allclose(found[0], 2 * (CENTRES[0] - x[1]))
        np.testing.assert_array_equal(found[1:], 0)
