"""Shapes, axes, dtypes and memory."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.passes.layout import simplify_layout
from tests.passes.agreement import rewritten
from tests.passes.inspection import names

a = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (np.copy, []),
        (lambda x: np.array(x.T, order="F", like=x), ["transpose"]),
        (lambda x: x.astype(np.float64), []),
        (lambda x: x.astype(np.float32).astype(np.float64), ["astype", "astype"]),
        (lambda x: x.astype(np.complex128).astype(np.complex64), ["astype", "astype"]),
        (lambda x: x.reshape(2, 3), []),
        (lambda x: x.reshape(-1).reshape(3, 2), ["reshape"]),
        (lambda x: x.reshape(-1).reshape(2, 3), []),
        (lambda x: x.reshape(6, order="F"), ["reshape"]),
        (lambda x: x.reshape(6, order="F").reshape(2, 3, order="F"), []),
        (lambda x: x.reshape(6, order="F").reshape(3, 2, order="F"), ["reshape"]),
        (lambda x: x.reshape(6, order="F").reshape(3, 2), ["reshape", "reshape"]),
        (lambda x: x.reshape(6).reshape(3, 2, order="F"), ["reshape", "reshape"]),
        (lambda x: x.reshape(2, 1, 3, order="F").reshape(6), ["reshape"]),
        (lambda x: x.reshape(6).reshape(6, 1, order="F"), ["reshape"]),
        (lambda x: x.reshape(1, 1, 2, 3), ["broadcast_to"]),
        (lambda x: x.T.T, []),
        (lambda x: np.transpose(x, (0, 1)), []),
        (lambda x: np.transpose(np.reshape(x, (1, 6))), ["reshape"]),
        (lambda x: np.transpose(np.transpose(x[None], (2, 0, 1)), (1, 2, 0)), ["index"]),
        (lambda x: np.broadcast_to(x, (2, 3)), []),
        (lambda x: np.broadcast_to(np.broadcast_to(x, (4, 2, 3)), (5, 4, 2, 3)), ["broadcast_to"]),
        (
            lambda x: np.broadcast_to(x, (4, 2, 3)).reshape(1, 4, 2, 1, 3),
            ["reshape", "broadcast_to"],
        ),
        (lambda x: np.broadcast_to(x, (4, 2, 3)).reshape(8, 3), ["broadcast_to", "reshape"]),
        (
            lambda x: np.transpose(np.broadcast_to(x, (4, 2, 3))),
            ["broadcast_to", "transpose", "broadcast_to"],
        ),
        (lambda x: np.broadcast_to(x, (4, 2, 3)).astype(np.float32), ["astype", "broadcast_to"]),
    ],
)
def test_rules(f, left):
    assert names(rewritten(simplify_layout, f, a)) == left


def test_a_number_that_is_repeated_stays_one():
    def f(x):
        return np.transpose(np.reshape(np.broadcast_to(np.sum(x), (2, 3)), (3, 2)))

    assert names(rewritten(simplify_layout, f, a)) == ["sum", "broadcast_to"]


def test_conversions_that_lose_nothing_are_skipped():
    single = a.astype(np.float32)
    graph = rewritten(simplify_layout, lambda x: x.astype(np.float64).astype(np.float16), single)
    assert names(graph) == ["astype"]
    truth = rewritten(simplify_layout, lambda x: (x > 1).astype(int).astype(float), a)
    assert names(truth) == ["greater", "astype"]
    whole = rewritten(
        simplify_layout, lambda n: n.astype(np.float16).astype(np.float64), np.arange(3)
    )
    assert names(whole) == ["astype", "astype"]


def test_joined_numbers():
    def f(x):
        zeros = np.zeros_like(x)
        return np.concatenate([zeros * x[0, 0], zeros]), np.stack([zeros + 1, zeros + 1])

    graph = rewritten(simplify_layout, f, a)
    assert "stack" not in names(graph)


def test_each_has_one_spelling():
    def f(x):
        return (
            x.reshape(-1),
            x.reshape(6),
            x.ravel(),
            x.T,
            np.transpose(x, (1, 0)),
            np.transpose(x, (-1, 0)),
        )

    graph = simplify_layout(pb.trace(f, a))
    assert [each.params for each in graph.equations] == [
        *({"shape": (6,)},) * 3,
        *({"axes": (1, 0)},) * 3,
    ]


def test_a_python_number_gets_the_dtype_that_it_is_repeated_in():
    graph = rewritten(simplify_layout, lambda n: np.broadcast_to(n, (3,)) * np.float32(2), 1.5)
    assert graph.outputs[0].dtype == np.float64
