"""Programs and networks of the suite, compiled against eager: values, gradients, and products."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback import losses, nn
from pullback.core import trees
from tests.compiler.agreement import assert_agree
from tests.compiler.speed import quickly
from tests.graph.test_networks import METHODS, NETWORKS
from tests.grouping import together
from tests.passes.generation import sprinkled
from tests.passes.test_networks import problems
from tests.programs.generation import programs
from tests.programs.layouts import draw
from tests.programs.program import directions, nearby
from tests.programs.test_idioms import PROGRAMS
from tests.programs.views.subject import Subject
from tests.programs.views.writing import generate

pytestmark = pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")


def second_order(function):
    """The value, the gradient by all arguments, and its derivative along a direction."""

    def derivatives(arguments, direction):
        gradient = pb.grad(function, argnums=tuple(range(len(arguments))))
        return function(*arguments), pb.pushforward(gradient, arguments, direction)

    derivatives.__name__ = getattr(function, "__name__", "program")
    return derivatives


LONG = {"cavity", "lattice_boltzmann", "option_tree"}
"""Programs whose unrolled second derivatives take long to compile: their gradients are enough."""


def assert_compiled(function, *points, what=""):
    """It gives the same compiled, at each of the points."""
    compiled = pb.compile(function)
    for point in points:
        given = trees.flatten(point)[0]
        kept = [np.array(x) for x in given]
        with np.errstate(all="ignore"):
            assert_agree(compiled(*point), function(*point), what)
        for x, before in zip(given, kept, strict=True):
            np.testing.assert_array_equal(x, before, err_msg=f"{what}: an argument was written to")


@pytest.mark.parametrize(
    "program",
    [program for program in PROGRAMS if program.branches is None],
    ids=lambda program: program.name,
)
def test_ordinary_programs(program):
    points = [program.arguments, nearby(program.arguments)]
    if program.name in LONG:
        every = tuple(range(len(program.arguments)))
        assert_compiled(pb.value_and_grad(program.function, argnums=every), *points)
    else:
        pairs = [(arguments, directions(arguments)) for arguments in points]
        assert_compiled(second_order(program.function), *pairs)


TRACEABLE = programs().filter(lambda p: all(name != "branch" for name, _ in p.instructions))
"""Random programs of which there are graphs: no branch of Python's looks at a value."""


@given(st.lists(TRACEABLE, min_size=8, max_size=8))
@settings(max_examples=5, phases=[Phase.generate])
def test_random_programs(drawn):
    """Several at once: what they have in common is computed once."""

    def function(*arguments):
        return [
            second_order(program)(tuple(x), directions(tuple(x)))
            for program, x in zip(drawn, arguments, strict=True)
        ]

    given = [program.arguments for program in drawn]
    moved = [[0.9 * x + 0.01 for x in each] for each in given]
    assert_compiled(function, given, moved)


@given(st.lists(sprinkled(), min_size=10, max_size=10))
@settings(max_examples=12, phases=[Phase.generate])
def test_random_programs_of_all_dtypes(drawn):
    def function(*arguments):
        return [program(*x) for program, x in zip(drawn, arguments, strict=True)]

    assert_compiled(function, [program.arguments for program in drawn])


# -- networks -------------------------------------------------------------------------------------


@together("m", "n")
@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 2), (16, 8)])
def test_objectives_of_networks(m, n):
    """Those of the largest are compiled as users have them, and the others quickly."""
    for name, (objective, net, x, target) in problems(m, n).items():

        def derivatives(net, x, target, objective=objective):
            gradient = pb.grad(objective)
            return objective(net, x, target), pb.pushforward(
                lambda net: gradient(net, x, target), (net,), (net,)
            )

        with contextlib.nullcontext() if m == 16 else quickly():
            assert_compiled(derivatives, (net, x, target), (net, 0.5 * x, target), what=name)


@pytest.mark.parametrize("name", NETWORKS)
def test_backpropagation_and_steps(name):
    rng = np.random.default_rng(3)
    net = NETWORKS[name]
    x = rng.normal(size=(6, 3))
    target = 0.5 + np.zeros_like(net(x))

    def record(net, x, target):
        back = nn.backpropagate(net, losses.mse, x, target, jacobians=True)
        return back.loss, back.gradient, back.x_bar, [
            tuple(getattr(layer, field.name) for field in dataclasses.fields(layer))
            for layer in back.layers
        ]  # fmt: skip

    assert_compiled(record, (net, x, target), (net, -x, target))
    each = pb.vmap(pb.grad(lambda net, x, t: losses.mse(net(x), t)), in_axes=(None, 0, 0))
    assert_compiled(each, (net, x, target))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_steps_of_optimisation(method):
    rng = np.random.default_rng(4)
    net = NETWORKS["two layers"]
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))

    def step(net, state, x, y):
        gradient = pb.grad(lambda net: losses.mse(net(x), y))(net)
        return method.update(gradient, state, net)

    compiled = pb.compile(step)
    state, ours, theirs = method.init(net), (net, method.init(net)), (net, method.init(net))
    assert state is not None
    for _ in range(3):
        ours, theirs = compiled(*ours, x, y), step(*theirs, x, y)
        assert_agree(ours, theirs)


# -- memory ---------------------------------------------------------------------------------------


def test_programs_that_depend_on_how_arrays_lie():
    for seed in range(60):
        program, argument = draw(np.random.default_rng(seed))
        assert_compiled(pb.value_and_grad(program), (argument(),), what=f"{seed}: {program}")


@pytest.mark.parametrize("part", range(4))
def test_views_and_writes(part):
    """The values and the gradients of programs that can be recorded."""
    agree = 0
    for seed in range(25 * part, 25 * part + 25):
        subject = Subject(generate(seed))
        gradient = pb.value_and_grad(subject.total, argnums=subject.everything)
        try:
            pb.trace(gradient, *subject.point)
        except (pb.PullbackError, TypeError, ValueError, IndexError, AttributeError):
            continue
        assert_compiled(gradient, subject.point, what=str(subject.program))
        agree += 1
    assert agree > 12
