"""All passes together: the same results, nothing left to do, and nothing left that is of no use."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special  # noqa: F401
from hypothesis import given, settings

import pullback as pb
from pullback.core.primitive import registry
from pullback.graph.graph import Graph
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.passes import simplification
from pullback.passes.simplification import simplify
from tests.graph.programs import TRANSFORMS
from tests.grouping import together
from tests.passes.agreement import assert_agree, special
from tests.passes.generation import sprinkled
from tests.passes.inspection import findings
from tests.programs.generation import BINARY, OPERATIONS, PIECEWISE_BINARY, programs
from tests.rules.cases import CASES

pytestmark = pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")
rng = np.random.default_rng(0)


def assert_simplifies(f, *args, exact=True, what=""):
    """The simplified graph is clean and computes the same; simplifying it again changes nothing."""
    graph = pb.trace(f, *args)
    simplified = simplify(graph)
    assert findings(simplified) == [], f"{what}\n{graph}\n{simplified}"
    assert str(simplify(simplified)) == str(simplified), what
    assert simplified.cost().operations <= graph.cost().operations, what
    assert_agree(simplified(*args), graph(*args), f"{what}\n{graph}\n{simplified}")
    if exact:
        numbers = any(map(_leaves_the_complex, graph.equations))
        args = [special(x, numbers=numbers) for x in args]
        assert_agree(simplified(*args), graph(*args), f"{what}\n{args}\n{graph}\n{simplified}")
    return simplified


def _leaves_the_complex(equation):
    """Whether it makes something real of complex numbers.

    Which of its parts make an infinite complex number that, 1·z doesn't keep; |z| tells.
    """
    kinds = [np.asarray(x).dtype.kind if np.isscalar(x) else x.dtype.kind for x in equation.inputs]
    return "c" in kinds and any(out.dtype.kind != "c" for out in equation.outputs)


@settings(max_examples=1200)
@given(sprinkled())
def test_sprinkled_programs(program):
    with np.errstate(all="ignore"):
        simplified = assert_simplifies(program, *program.arguments)
        assert_agree(simplified(*program.arguments), program(*program.arguments), types=False)


@settings(max_examples=400)
@given(sprinkled(dtypes=("float16", "float32", "float64")))
def test_gradients_of_sprinkled_programs(program):
    def objective(*x):
        return sum(np.sum(value.real * 1.0) for value in program(*x))

    everything = tuple(range(len(program.arguments)))
    gradient = pb.grad(objective, everything)

    def product(*x):
        return pb.hvp(objective, x, tuple(np.ones_like(each) for each in x))

    with np.errstate(all="ignore"):
        for f in (gradient, product):
            simplified = assert_simplifies(f, *program.arguments)
            assert_agree(simplified(*program.arguments), f(*program.arguments), types=False)


@settings(max_examples=40)
@given(programs())
def test_random_programs(program):
    if any(name == "branch" for name, _ in program.instructions):
        return
    everything = tuple(range(len(program.arguments)))
    for f in (program, pb.grad(program, everything), pb.hessian(program)):
        assert_simplifies(f, *program.arguments, exact=False)


@together("name")
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"branch"}))
def test_operations_through_transforms(name, transform):
    f = OPERATIONS[name]
    count = 2 if name in {**BINARY, **PIECEWISE_BINARY} else 1
    for shape in [(), (3,), (2, 3)]:
        if shape == () and "vmap" in transform:
            continue
        args = [rng.normal(size=shape) for _ in range(count)]
        assert_simplifies(TRANSFORMS[transform](f), *args, exact=False, what=(name, transform))


# -- every primitive -----------------------------------------------------------------------------

FIXED = {"index", "index_add", "index_update", "last_writes", "scatter"}
"""Primitives whose shapes depend on the elements of a mask."""


@together()
@pytest.mark.parametrize("name", sorted(set(CASES) - {"nonzero"}))
def test_every_primitive(name):
    primitive = registry[name]
    for number, case in enumerate(CASES[name]):
        given = [np.asarray(a) if isinstance(a, np.ndarray) else a for a in case.args]
        kinds = "fc" if name in FIXED else "biufc"
        places = [i for i, a in enumerate(given) if np.asarray(a).dtype.kind in kinds]

        def f(*values, given=given, places=places, case=case):
            full = list(given)
            for place, value in zip(places, values, strict=True):
                full[place] = value
            return primitive(*full, **case.params)

        chosen = [given[i] for i in places]
        if not chosen:
            continue
        assert_simplifies(f, *chosen, exact=False, what=name)
        inexact = all(np.asarray(a).dtype.kind in "fc" for a in chosen)
        if number < 2 and inexact and not primitive.is_constant:
            assert_simplifies(lambda *x, f=f: pb.pushforward(f, x, x), *chosen, exact=False)
            assert_simplifies(_pulled(f), *chosen, exact=False, what=name)


def _pulled(f):
    def pulled(*x):
        out, pull = pb.vjp(f, *x)
        outs = out if isinstance(out, tuple) else (out,)
        bars = tuple(np.ones_like(y) if y.dtype.kind in "fc" else None for y in outs)
        return pull(bars if isinstance(out, tuple) else bars[0])

    return pulled


# -- the rounds ----------------------------------------------------------------------------------


def test_the_verifier_runs_after_each_walk(monkeypatch):
    graph = pb.trace(pb.grad(lambda x: np.sum(np.sin(x) ** 2)), np.ones(3))
    verified = []
    monkeypatch.setattr(Graph, "verify", lambda graph: verified.append(graph))
    simplify(graph)
    assert len(verified) == 1
    del verified[:]
    simplify(graph, verify=False)
    assert verified == []


def test_a_pass_that_spoils_a_graph_is_found_out(monkeypatch):
    def spoiled(graph):
        return Graph(graph.name, graph.inputs, {}, (), graph.outputs, graph.signature)

    monkeypatch.setattr(simplification, "remove_dead", spoiled)
    with pytest.raises(pb.GraphError, match="used before it is defined"):
        simplify(pb.trace(np.sin, 1.0))


def test_a_body_that_several_loops_share_is_simplified_once():
    def f(x):
        one, _ = pb.scan(lambda c, _: (np.sin(c) * 1.0, None), x, length=3)
        return one

    graph = pb.trace(f, np.ones(3))
    (loop,) = graph.equations
    twice = Equation(loop.primitive, loop.outputs, loop.params, (Variable((3,), np.dtype(float)),))
    graph = Graph("f", graph.inputs, {}, [loop, twice], twice.outputs, graph.signature)
    first, second = simplify(graph).equations
    assert first.params["loop"].body is second.params["loop"].body


def test_the_graph_that_is_given_stays_as_it_is():
    graph = pb.trace(pb.hessian(lambda x: np.sum(np.sin(x) * x[0])), np.ones(3))
    before = str(graph)
    simplify(graph)
    assert str(graph) == before
    graph.verify()


def test_what_is_simple_already_is_returned_as_it_is():
    graph = pb.trace(lambda x: np.sin(x) * 2.0, np.ones(3))
    assert simplify(graph) is graph


def test_traced_constants_of_an_outer_transformation():
    def f(w):
        inner = simplify(pb.trace(lambda x: x * w * 1.0 + 0.0, np.ones(3)))
        assert len(inner.equations) == 1
        return np.sum(inner(w) ** 2)

    w = np.array([0.5, 1.0, 2.0])
    np.testing.assert_allclose(pb.grad(f)(w), 4 * w**3)


def test_a_simplified_graph_has_the_same_derivatives():
    def f(x):
        return np.sum(np.where(x > 0, np.log(x) * 1.0 + 0.0, x - x[0]) ** 2)

    x = np.array([0.5, 1.5, -1.0])
    xs = np.stack([x, -x])
    simplified = simplify(pb.trace(f, x))
    with np.errstate(invalid="ignore"):
        assert_agree(pb.grad(simplified)(x), pb.grad(f)(x))
        assert_agree(pb.hessian(simplified)(x), pb.hessian(f)(x))
        assert_agree(pb.vmap(simplified)(xs), pb.vmap(f)(xs))


def test_a_function_is_to_be_recorded_first():
    with pytest.raises(pb.ArgumentTypeError, match=r"simplify: graph is a function.*trace\(f"):
        simplify(lambda x: x)
