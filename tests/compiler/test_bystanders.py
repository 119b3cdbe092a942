"""Leaves that machine code has nothing to do with: they come back as they would through it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.compiler import bystanders

MANY = bystanders.FEWEST + 50

KINDS: dict[str, Any] = {
    "float": float,
    "int": int,
    "bool": lambda i: i % 2 == 0,
    "complex": lambda i: complex(i, 1),
    "float32": np.float32,
    "0-d": lambda i: np.array(float(i)),
    "array": lambda i: np.array([i, i + 1.0]),
    "strided": lambda i: np.full((3, 2), float(i)).T,
}


def _state(kind: str) -> dict[str, Any]:
    return {"x": 2.0, "rest": [KINDS[kind](i) for i in range(MANY)], "name": "of no array"}


def _step(state: dict[str, Any]) -> dict[str, Any]:
    """It looks at one leaf, hands on the others, and adds constants."""
    return {**state, "x": state["x"] * 3.0, "name": [np.arange(3.0), 5, np.float32(1)]}


def _same(one: Any, other: Any) -> None:
    """The same in value, dtype, class and order in memory."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.strides == other.strides
        assert one.flags.owndata
        assert one.flags.writeable
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_leaves_come_back_as_they_would_through_machine_code(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = _state(kind)
    outs = []
    for fewest in (bystanders.FEWEST, 10**9):
        monkeypatch.setattr(bystanders, "FEWEST", fewest)
        compiled = pb.compile(_step)
        outs.append([compiled(state), compiled(state)])
    for one, other in zip(*outs, strict=True):
        assert list(one) == list(other)
        for key in one:
            for a, b in zip(
                *(np.atleast_1d(each[key]) if key == "x" else each[key] for each in (one, other)),
                strict=True,
            ):
                _same(a, b)
    spared = outs[0]
    for each, leaf in zip(spared[0]["rest"], state["rest"], strict=True):
        assert each is not leaf or not isinstance(leaf, np.ndarray)
    constants = spared[0]["name"][0], spared[1]["name"][0]
    assert constants[0] is not constants[1]
    constants[0][:] = 7
    np.testing.assert_array_equal(constants[1], np.arange(3.0))


def test_other_kinds_of_leaves_are_another_version() -> None:
    """What is only handed on decides, too: nobody else looks at it."""

    @pb.compile
    def first_extent(xs: list[Any], y: Any) -> tuple[Any, Any]:
        return xs, y * np.shape(xs[-1])[0]

    for extent in (2, 3, 2):
        xs = [np.ones(extent) for _ in range(MANY)]
        given, y = first_extent(xs, np.array(5.0))
        assert y == 5.0 * extent
        assert len(given) == MANY
        assert all(each.shape == (extent,) for each in given)


def test_the_report_tells_of_what_is_compiled() -> None:
    compiled = pb.compile(_step)
    state = _state("float")
    assert "scratch" in str(compiled.report(state))
    assert len(compiled.graph(state).inputs) == 1
    derivative = pb.compile(pb.grad(lambda xs: xs[0] ** 2))([3.0] * MANY)
    assert derivative[0] == 6.0
    assert not any(derivative[1:])
