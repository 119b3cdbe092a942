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


def test_an_array_that_the_function_makes_is_called_as_there() -> None:
    def f(x):
        K = np.array([[1.0, 2.0], [0.5, -1.0]])
        y = np.zeros(2)
        y[0] = np.sum(K @ x)
        return y[0]

    assert {"K", "y"} <= set(names(pb.explain(f, V)))


def test_names_stay_where_a_condition_is_kept() -> None:
    def f(x):
        return np.sum((x - TARGET) ** 2) if x[0] > 0 else np.sum(x)

    assert "TARGET" in names(pb.explain(f, V))
