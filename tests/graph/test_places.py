"""Each equation knows the user's line that it comes from, and errors and drawings show it."""

from __future__ import annotations

import linecache
import pickle
import re

import numpy as np
import pytest

import pullback as pb
from pullback.errors import GraphError
from pullback.graph.program import Equation

SOURCE = """\
import numpy as np
import pullback as pb

def loss(w, x):
    z = w @ x
    return np.sum(
        np.tanh(z) ** 2
    )

def several(x):
    for _ in range(3):
        x = np.sin(x)
    return helper(x)

def helper(x):
    return np.linalg.inv(x)

def loop(x):
    def body(i, x):
        return x * np.cos(x)
    return pb.fori_loop(0, 3, body, x)

def gradient(w, x):
    return pb.grad(loss)(w, x)
"""
PATH = "/somewhere/model.py"
MODEL: dict = {}
exec(compile(SOURCE, PATH, "exec"), MODEL)
W, X = np.ones((2, 3)), np.ones(3)


@pytest.fixture(autouse=True)
def _source():
    linecache.cache[PATH] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), PATH)
    yield
    del linecache.cache[PATH]


def shown(graph):
    """Name and line of each equation, as they are printed."""
    pairs = re.findall(r"= (\w+)\(.*  # model\.py:(\d+)$", graph.text(lines=True), re.MULTILINE)
    return [(name, int(line)) for name, line in pairs]


def test_the_lines_of_a_function():
    graph = pb.trace(MODEL["loss"], W, X)
    assert shown(graph) == [("matmul", 5), ("tanh", 7), ("square", 7), ("sum", 6)]
    assert str(graph) == graph.text() == re.sub("  # .*", "", graph.text(lines=True))
    several = pb.trace(MODEL["several"], np.eye(2))
    assert shown(several) == [("sin", 12)] * 3 + [("inv", 16)]
    places = [equation.place for equation in several.equations[:3]]
    assert places[0] is places[1] is places[2]
    assert places[0] == (PATH, 12)


def test_what_a_derivative_records_comes_from_where_it_is_taken():
    lines = dict(shown(pb.trace(MODEL["gradient"], W, X)))
    assert lines["tanh"] == 7
    assert set(lines.values()) <= {5, 6, 7, 24}
    here = pb.trace(pb.grad(MODEL["loss"]), W, X)
    assert {each.place.path for each in here.equations} == {PATH, __file__}


@pytest.mark.parametrize("of", [lambda x: x, pb.simplify, lambda x: pickle.loads(pickle.dumps(x))])
def test_lines_are_kept(of):
    graph = of(pb.trace(MODEL["loop"], X))
    assert [line for _, line in shown(graph) if line != 20] == [21]
    assert ("cos", 20) in shown(graph)
    again = of(pb.trace(lambda x: graph(x) + 1, X))
    assert ("cos", 20) in shown(again)
    assert 21 in dict(shown(again)).values()
    gradient = of(pb.trace(lambda x: pb.grad(lambda x: np.sum(graph(x)))(x), X))
    assert ("cos", 20) in shown(gradient)
    assert {20, 21} <= {line for _, line in shown(gradient)}
    simplified = of(pb.trace(MODEL["loss"], W, X))
    assert dict(shown(simplified))["matmul"] == 5


@pytest.mark.parametrize("run", ["__call__", "run", "evaluate", "traced"])
def test_an_error_while_a_graph_runs_names_the_line(run):
    graph = pb.trace(MODEL["several"], np.eye(2))
    bad = np.zeros((2, 2))
    calls = {
        "__call__": lambda: graph(bad),
        "run": lambda: graph.run([bad]),
        "evaluate": lambda: graph.evaluate([bad]),
        "traced": lambda: pb.pushforward(graph, (bad,), (bad,)),
    }
    with pytest.raises(np.linalg.LinAlgError) as caught:
        calls[run]()
    assert caught.value.__notes__ == [
        f"This is inv, recorded at {PATH}, line 16: `return np.linalg.inv(x)`"
    ]


def test_an_error_in_a_loop_names_both_lines():
    def body(i, x):
        return np.linalg.inv(x) - 2

    graph = pb.trace(lambda x: pb.fori_loop(0, 3, body, x), np.eye(2))
    with pytest.raises(np.linalg.LinAlgError) as caught:
        graph(np.ones((2, 2)))
    first, second = caught.value.__notes__
    assert "This is inv, recorded at" in first
    assert first.endswith("`return np.linalg.inv(x) - 2`")
    assert second.endswith("`graph = pb.trace(lambda x: pb.fori_loop(0, 3, body, x), np.eye(2))`")


def test_what_is_met_while_a_graph_runs_comes_from_its_line():
    graph = pb.trace(lambda x: np.sum(np.abs(x)), X)
    line = f"line {graph.equations[0].place.line}"
    with pb.strict(), pytest.raises(pb.SingularPointError, match=line):
        pb.grad(graph)(np.zeros(3))


def test_the_verifier_names_the_line():
    graph = pb.trace(MODEL["loss"], W, X)
    first, *rest = graph.equations
    graph.equations = (
        first, Equation(rest[0].primitive, first.outputs, {}, first.outputs, rest[0].place), *rest
    )  # fmt: skip
    words = r"equation 1, tanh: v\d is defined a second time; it comes from .*line 7: `np\.tanh"
    with pytest.raises(GraphError, match=words):
        graph.verify()


def test_drawings_have_lines_as_tooltips():
    graph = pb.trace(MODEL["loss"], W, X)
    words = f"{PATH}, line 5: `z = w @ x`"
    assert f'label="matmul", tooltip="{words}"' in graph.to_dot(lines=True)
    assert "tooltip" not in graph.to_dot()
    assert f"<title>{words}</title></rect>" in graph._repr_html_()
    assert "<title>" not in graph._repr_svg_()
    with pytest.raises(pb.ArgumentTypeError, match=r"loss\.text.*lines"):
        graph.text(lines="yes")


def test_nothing_is_shown_of_an_equation_without_a_line():
    graph = pb.trace(MODEL["loss"], W, X)
    for equation in graph.equations:
        equation.place = None
    assert graph.text(lines=True) == str(graph)
    assert graph.to_dot(lines=True) == graph.to_dot()
