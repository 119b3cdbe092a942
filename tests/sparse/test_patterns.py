"""Patterns against what changes when one argument does, at several random points."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.sparse.kinds import BAND, KINDS, Kind

POINTS = 6


def changes(kind: Kind, points: int = POINTS) -> np.ndarray:
    """Which elements of the result change if an element of the argument does, at random points."""
    rng = np.random.default_rng(0)
    found = None
    for _ in range(points):
        x = rng.normal(size=kind.shape)
        y = np.ravel(kind.function(x))
        columns = []
        for place in np.ndindex(*kind.shape):
            other = x.copy()
            other[place] += 1e-4 * (1 + rng.random())
            columns.append(np.ravel(kind.function(other)) != y)
        changed = np.stack(columns, axis=1)
        # What a transform rounds otherwise has not changed.
        found = changed if found is None else found | changed
    return found


@pytest.mark.parametrize("name", KINDS)
def test_pattern_has_what_changes(name: str) -> None:
    kind = KINDS[name]
    pattern = pb.sparsity(kind.function, np.ones(kind.shape))
    assert pattern.dtype == np.bool_
    assert pattern.has_canonical_format
    found, wanted = pattern.toarray(), changes(kind)
    assert found.shape == wanted.shape
    assert not np.any(wanted & ~found)
    assert kind.extra or np.array_equal(found, wanted)


def test_of_a_long_loop_the_body_is_followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is carried depends on all that it may come to, what is stacked on its own items."""

    def body(carry, item):
        return np.roll(carry, 1) * 0.5 + item[0], (carry[0] * item, np.sum(item))

    def f(x):
        last, (ys, sums) = pb.scan(body, x[:2], x[2:].reshape(-1, 2))
        return np.concatenate([last, np.ravel(ys), sums])

    exact = pb.sparsity(f, np.ones(8)).toarray()
    assert np.array_equal(exact, changes(Kind(f, (8,))))
    monkeypatch.setattr("pullback.sparse.loops.MOST_STEPS", 1)
    found = pb.sparsity(f, np.ones(8)).toarray()
    assert not np.any(exact & ~found)
    assert np.array_equal(found[-3:], exact[-3:])
    assert np.all(found[:2, ::2])
    assert not np.any(found[:2, 3::2])


def test_where_indices_are_arguments_all_that_they_may_select_counts() -> None:
    def f(x, i):
        return x[i, :] * 2.0

    pattern = pb.sparsity(f, np.ones((3, 2)), np.array([0, 1]))
    assert np.array_equal(pattern.toarray(), np.tile(np.eye(2), (2, 3)))

    def g(x, i):
        y = np.zeros((3, 2))
        y[i, :] = x
        return y

    pattern = pb.sparsity(g, np.ones((2, 2)), np.array([0, 1]))
    assert np.array_equal(pattern.toarray(), np.tile(np.eye(2), (3, 2)))


def test_pattern_depends_on_what_is_read_from_outside_and_not_on_arguments() -> None:
    def f(x, p):
        return p * x[::-1] + np.where(p > 0, x, 0)

    weights = np.array([1.0, 0.0, 2.0])
    x = np.ones(3)
    cross = np.eye(3) + np.eye(3)[::-1] > 0
    assert np.array_equal(pb.sparsity(f, x, weights).toarray(), cross)
    inside = pb.sparsity(lambda x: f(x, weights), x).toarray()
    assert np.array_equal(inside, cross & (weights != 0)[:, None])
    assert np.array_equal(pb.sparsity(f, x, weights, wrt=(1, 0)).toarray()[:, 3:], cross)
    assert np.array_equal(pb.sparsity(f, x, weights, wrt="p").toarray(), np.eye(3))


def test_pytrees_are_taken_leaf_after_leaf() -> None:
    def f(tree):
        return {"b": tree["x"] * tree["y"][0], "a": tree["y"][::-1]}

    pattern = pb.sparsity(f, {"x": np.ones(3), "y": np.ones(2)})
    wanted = [[0, 0, 0, 0, 1], [0, 0, 0, 1, 0], [1, 0, 0, 1, 0], [0, 1, 0, 1, 0], [0, 0, 1, 1, 0]]
    assert np.array_equal(pattern.toarray(), wanted)


def test_local_pattern_is_that_of_the_branches_taken() -> None:
    def branching(x):
        return x[:2] * x[3] if x[0] > 0 else x[2:]

    assert np.array_equal(
        pb.sparsity(branching, np.array([1.0, 2, 3, 0]), local=True).toarray(),
        [[1, 0, 0, 1], [0, 1, 0, 1]],
    )
    assert np.array_equal(
        pb.sparsity(branching, np.array([-1.0, 2, 3, 0]), local=True).toarray(),
        [[0, 0, 1, 0], [0, 0, 0, 1]],
    )
    x = np.array([1.0, 4.0, 3.0, 2.0])
    order = np.argsort(x)
    assert np.array_equal(pb.sparsity(np.sort, x, local=True).toarray(), np.eye(4)[order])
    chosen = pb.sparsity(lambda x: np.where(x > 2.5, x, x[::-1]), x, local=True).toarray()
    assert np.array_equal(chosen, np.where((x > 2.5)[:, None], np.eye(4), np.eye(4)[::-1]))

    def loop(x):
        return pb.while_loop(lambda c: c[1] < 3, lambda c: (c[0] * x[c[1]], c[1] + 1), (x[0], 0))[0]

    assert np.array_equal(pb.sparsity(loop, x, local=True).toarray(), [[1, 1, 1, 0]])


@pytest.mark.parametrize("local", [False, True])
def test_pattern_that_would_fill_memory_is_foreseen(local: bool) -> None:
    def mixing(x):
        return x / np.sum(x)

    with pytest.raises(pb.ArgumentValueError) as caught:
        pb.sparsity(mixing, np.ones(50_000), local=local)
    assert "return x / np.sum(x)" in str(caught.value)
    assert "2e+09 entries" in str(caught.value)
    assert __file__ in str(caught.value)


def test_integers_and_constants_depend_on_nothing() -> None:
    def f(x):
        return np.argsort(x) * 1.0, np.floor(x), pb.stop_gradient(x), np.ones(2), x.astype(int)

    assert pb.sparsity(f, np.ones(3)).nnz == 0
    assert pb.sparsity(lambda x: BAND[:0], np.ones(3)).shape == (0, 3)
    assert pb.sparsity(lambda x: x * 2.0, np.ones(0)).shape == (0, 0)
    with pytest.raises(pb.ArgumentTypeError, match="wanted an array of a floating"):
        pb.sparsity(lambda x: x, np.arange(3))


def test_masks_of_gradients_are_no_factors() -> None:
    """A product that leaves out elements has a mask for its third argument, which may be zero."""

    def f(x):
        return np.sum(np.where(np.arange(4) < 2, np.sqrt(x), x**2) * x[::-1])

    x = np.array([1.0, 2.0, 0.5, 0.25])
    pattern = pb.sparsity(pb.grad(f), x).toarray()
    assert not np.any((pb.hessian(f)(x) != 0) & ~pattern)
