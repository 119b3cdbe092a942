"""Printed graphs, compared with files in ``golden/``.

``PULLBACK_REWRITE_GOLDEN=1 python -m pytest tests/graph/test_golden.py`` rewrites them.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import pullback as pb
from pullback.core.primitive import Primitive
from pullback.core.structure import Nested
from pullback.graph.graph import Graph

GOLDEN = Path(__file__).parent / "golden"
REWRITE = os.environ.get("PULLBACK_REWRITE_GOLDEN") == "1"
TABLE = np.linspace(0.0, 1.0, 4)


def loss(w, x):
    return np.sum(np.tanh(w @ x) ** 2)


def residual(y, layers):
    for W, b in layers:
        y = y + 0.5 * np.tanh(W @ y + b)
    return y


def indexing(x, i):
    y = np.zeros((3, 2), like=x)
    y[1:, 0] = x[:2]
    y[i] += np.asarray(TABLE, like=x)[i]
    return y, np.argmax(x), x[::-1], np.where(x > 0, x, np.float32(2))


def scaled(x, factor):
    return {"scaled": factor * x, "constant": 3.0, "table": TABLE + x}


F4 = np.dtype("float32")
LAYERS = [(np.ones((4, 4)), np.ones(4))] * 2


def nested():
    """A primitive with a body, as loops have one."""
    body = pb.trace(lambda x: np.sin(x) * 2.0, np.ones(3))
    twice = Primitive(
        "twice",
        lambda x, *, body, count: body(body(x)),
        Nested(lambda *_, **__: body.inputs[0], multiple=False),
    )
    return pb.trace(lambda x: twice(x + 1, body=body, count=2), np.ones(3))


def march(y, h):
    def body(i, y):
        return y + h * np.cos(y + 0.5 * h * np.sin(y))

    return pb.fori_loop(0, 100, body, y)


def sweep(y, b):
    def body(i, y):
        y[i] = 0.5 * (y[i - 1] + y[i + 1] + b[i])
        return y

    return pb.fori_loop(1, 9, body, y.copy())


def halve(x):
    def halved(carry):
        y, count = carry
        return y / 2, count + 1

    return pb.while_loop(lambda carry: carry[0] > 1e-3, halved, (x, 0))


def choose(i, x):
    return pb.switch(i, [np.sin, lambda x: 2 * x], x)


GRAPHS = {
    "loss": lambda: pb.trace(loss, np.ones((2, 3)), np.ones(3)),
    "gradient": lambda: pb.trace(pb.grad(loss), np.ones((2, 3)), np.ones(3)),
    "hessian": lambda: pb.trace(pb.hessian(loss, 1), np.ones((2, 3)), np.ones(3)),
    "batched": lambda: pb.trace(
        pb.vmap(loss, in_axes=(None, 0)), pb.ShapeDtype((2, 3), F4), pb.ShapeDtype((5, 3), F4)
    ),
    "residual": lambda: pb.trace(residual, np.ones(4), LAYERS),
    "indexing": lambda: pb.trace(indexing, np.ones(3), np.int64(1)),
    "scaled": lambda: pb.trace(scaled, np.ones(4), 2.0),
    "nested": nested,
    "march": lambda: pb.trace(march, np.ones(3), 0.1),
    "sweep": lambda: pb.trace(sweep, np.ones(10), np.ones(10)),
    "halve": lambda: pb.trace(halve, 1.0),
    "choose": lambda: pb.trace(choose, 1, np.ones(3)),
}


def check(name, text):
    path = GOLDEN / name
    if REWRITE:
        path.write_text(text + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text + "\n"


@pytest.mark.parametrize("name", GRAPHS)
def test_text(name):
    graph = GRAPHS[name]()
    check(f"{name}.txt", str(graph))
    assert repr(graph) == str(GRAPHS[name]())


@pytest.mark.parametrize("name", ["gradient", "nested", "choose"])
def test_dot(name):
    check(f"{name}.dot", GRAPHS[name]().to_dot())


def test_svg():
    check("loss.svg", GRAPHS["loss"]()._repr_svg_())


def test_every_golden_file_is_used():
    used = {f"{name}.txt" for name in GRAPHS} | {"loss.svg"}
    used |= {"gradient.dot", "nested.dot", "choose.dot"}
    assert {path.name for path in GOLDEN.iterdir()} == used


def test_notebook_shows_the_drawing_and_the_text():
    html = GRAPHS["loss"]()._repr_html_()
    assert html.startswith("<div><svg")
    assert "<pre>loss(w: float64[2, 3], x: float64[3]) -&gt; float64:" in html


def test_the_notebook_folds_the_drawings_of_nested_graphs():
    html = GRAPHS["choose"]()._repr_html_()
    assert html.count("<svg") == 3
    for path in ("branches[0]", "branches[1]"):
        assert f"<details><summary>{path} of v0 = switch</summary><svg" in html
    assert html.index("</details>") < html.index("<pre>choose(i: int, x: float64[3])")


def test_constants_are_shown_if_they_are_few_or_all_the_same():
    def f(x):
        return x * np.arange(3.0) + np.ones((2, 50))[:, :3] + np.eye(3)[:2] + np.zeros((4, 3))[:2]

    lines = str(pb.trace(f, np.ones((2, 3)))).splitlines()
    assert [line.strip() for line in lines if "constant" in line] == [
        "constant c0: float64[3] = [0.0, 1.0, 2.0]",
        "constant c1: float64[2, 3] = 1.0 everywhere",
        "constant c2: float64[2, 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]",
        "constant c3: float64[2, 3] = 0.0 everywhere",
    ]
    text = str(pb.trace(lambda x: x * np.full(9, 0.5) + np.arange(9), np.ones(9)))
    assert "constant c0: float64[9] = 0.5 everywhere\n" in text
    assert "constant c1: int64[9]\n" in text


def test_large_graphs_are_shown_as_text():
    def chain(x):
        for _ in range(100):
            x = np.sin(x)
        return x

    graph = pb.trace(chain, 1.0)
    assert graph._repr_svg_() is None
    assert graph._repr_html_().startswith("<div><pre>chain(x: float)")


def test_nested_graphs_run_and_are_counted():
    graph = nested()
    assert isinstance(graph.equations[1].graphs["body"], Graph)
    x = np.ones(3)
    np.testing.assert_array_equal(graph(x), 2 * np.sin(2 * np.sin(x + 1)))
    assert graph.cost().operations == 3 + 3 + 3
    assert set(graph.cost().by_primitive) == {"add", "sin", "multiply"}
