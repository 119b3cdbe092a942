"""Names: those of the user's code, and none of ours in the way of them."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.explain.writers import name_text

TARGET = np.array([1.0, 2.0])
V = np.array([0.3, -0.7])


def names(e: pb.Explanation) -> list[str]:
    return [name_text(step.name) for step in (*e.arguments, *e.definitions)]


def from_closure():
    M = np.array([[1.0, 2.0], [3.0, 4.0]])
    return lambda x: np.sum(np.tanh(M @ x))


@pytest.mark.parametrize(
    ("f", "name"), [(lambda x: np.sum((x - TARGET) ** 2), "TARGET"), (from_closure(), "M")]
)
def test_an_array_from_outside_is_called_as_outside(f, name: str) -> None:
    """Though the graph has a copy of it."""
    assert names(pb.explain(f, V)) == ["x", name, "E"]


def test_what_has_no_name_gets_a_letter_that_the_user_has_not_taken() -> None:
    def f(u, v, c, z):
        return np.sum(np.tanh(c @ u) * np.cumsum(u[::-1]) * v * z)

    c = np.array([[1.0, 0.5], [0.2, -0.3]])
    assert names(pb.explain(f, V, V, c, V))[:4] == ["u", "v", "c", "z"]
    assert names(pb.explain(lambda E: np.sum(E**2), V)) == ["E", "L"]
    assert names(pb.explain(lambda x: np.sum(x**2), V, output="x"))[0] == "x"


def test_x1_beside_the_values_of_x_is_none_of_them() -> None:
    def f(x):
        x1 = 2 * x
        x = x * x1
        x = x + x1
        return x @ x1

    assert names(pb.explain(f, V)) == ["x⁽¹⁾", "x1", "x⁽²⁾", "x⁽³⁾", "E"]
    assert names(pb.explain(lambda x0, x: x @ x0, V, V)) == ["x⁽⁰⁾", "x", "E"]
