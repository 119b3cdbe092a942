"""Random programs with loops: every transform of them equals that of the unrolled program."""

from __future__ import annotations

import itertools

import numpy as np
import optree
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import pullback as pb
from tests.rules.control_flow import unrolled
from tests.rules.control_flow.programs import programs

EVERY = (0, 1, 2, 3, 4)


def directions(args, seed=3):
    rng = np.random.default_rng(seed)
    return tuple(np.asarray(rng.uniform(-1.0, 1.0, np.shape(x))) for x in args)


def assert_close(got, wanted, tolerance=1e-12):
    """Leaf by leaf: structure, shape, dtype, and values relative to the largest of the leaf."""
    got, one = optree.tree_flatten(got, namespace="pullback")
    wanted, other = optree.tree_flatten(wanted, namespace="pullback")
    assert one == other
    for a, b in zip(got, wanted, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        if np.all(a == b):
            continue
        scale = 1.0 + np.max(np.abs(b), initial=0.0)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


def gradient(f):
    """Of a program that may throw an argument away."""
    return lambda *args: pb.pullback(f, args, 1.0)[1]


def by_example(f, axes, size=3):
    """What `vmap` of `f` gives, an example at a time."""

    def g(*args):
        rows = [
            f(*(x if axis is None else x[i] for x, axis in zip(args, axes, strict=True)))
            for i in range(size)
        ]
        return optree.tree_map(lambda *leaves: np.stack(leaves), *rows, namespace="pullback")

    return g


def batch_of(args, axes):
    """Three examples along axis 0 of the mapped arguments."""
    return tuple(
        x if axis is None else np.stack([x, 0.7 * x - 0.1, -x])
        for x, axis in zip(args, axes, strict=True)
    )


mapped = st.tuples(*[st.sampled_from([0, None])] * 5).filter(lambda axes: 0 in axes)


@given(programs())
@settings(max_examples=60)
def test_the_value_and_every_leaf_of_the_state(program):
    assert_close(program.run(pb, *program.arguments), _as_arrays(program))


def _as_arrays(program):
    result = program.run(unrolled, *program.arguments)
    return optree.tree_map(lambda leaf: np.asarray(leaf)[()], result, namespace="pullback")


@given(programs())
@settings(max_examples=60)
def test_first_order(program):
    args, d = program.arguments, directions(program.arguments)
    f, reference = program.scalar(pb), program.scalar(unrolled)
    assert_close(pb.pushforward(f, args, d), pb.pushforward(reference, args, d))
    assert_close(pb.pullback(f, args, 1.0), pb.pullback(reference, args, 1.0))
    assert_close(pb.linearize(f, *args)[1](*d), pb.linearize(reference, *args)[1](*d))


@given(programs())
@settings(max_examples=15)
def test_the_unrolled_program_against_differences(program):
    args, d = program.arguments, directions(program.arguments)
    f = program.scalar(unrolled)
    row = [
        (f(*(x + h * v for x, v in zip(args, d, strict=True)))
         - f(*(x - h * v for x, v in zip(args, d, strict=True)))) / (2 * h)
        for h in (2.0**-9, 2.0**-10, 2.0**-11, 2.0**-12)
    ]  # fmt: skip
    raw = row[-1]
    for power in (4, 16, 64):
        row = [b + (b - a) / (power - 1) for a, b in itertools.pairwise(row)]
    scale = 1 + abs(row[0])
    assume(abs(row[0] - raw) <= 1e-3 * scale)  # a kink, or another branch
    assert abs(pb.pushforward(f, args, d)[1] - row[0]) <= 1e-6 * scale


@given(programs(longest=3), st.sampled_from(EVERY))
@settings(max_examples=25)
def test_jacobian_by_each_argument_in_both_modes(program, position):
    f, reference = program.vector(pb), program.vector(unrolled)
    wanted = pb.jacobian(reference, EVERY, mode="forward")(*program.arguments)[position]
    for mode in ("forward", "reverse"):
        got = pb.jacobian(f, position, mode=mode)(*program.arguments)
        assert_close(got, wanted)


@given(programs(longest=3, most=3))
@settings(max_examples=15)
def test_second_order(program):
    args, d = program.arguments, directions(program.arguments)
    f, reference = program.scalar(pb), program.scalar(unrolled)
    wanted = pb.pushforward(gradient(reference), args, d)[1]

    def along(*args):
        return pb.pushforward(f, args, d)[1]

    assert_close(pb.pushforward(gradient(f), args, d)[1], wanted, 1e-11)
    assert_close(pb.pullback(along, args, 1.0)[1], wanted, 1e-11)
    assert_close(pb.pullback(gradient(f), args, d)[1], wanted, 1e-11)


@given(programs(longest=2, most=2))
@settings(max_examples=10)
def test_hessian(program):
    f, reference = (gradient(program.scalar(loops)) for loops in (pb, unrolled))
    wanted = pb.jacobian(reference, (1, 3), mode="forward")(*program.arguments)
    for mode in ("forward", "reverse"):
        assert_close(pb.jacobian(f, (1, 3), mode=mode)(*program.arguments), wanted, 1e-11)


@given(programs(longest=4), mapped)
@settings(max_examples=30)
def test_vmap(program, axes):
    args = batch_of(program.arguments, axes)
    got = pb.vmap(program.vector(pb), in_axes=axes)(*args)
    assert_close(got, by_example(program.vector(unrolled), axes)(*args))


@given(programs(longest=3, most=3), mapped)
@settings(max_examples=20)
def test_vmap_of_a_gradient_and_gradient_of_a_vmap(program, axes):
    args = batch_of(program.arguments, axes)
    f, reference = program.scalar(pb), program.scalar(unrolled)
    got = pb.vmap(gradient(f), in_axes=axes)(*args)
    assert_close(got, by_example(gradient(reference), axes)(*args))
    got = gradient(lambda *x: np.sum(np.cos(pb.vmap(f, in_axes=axes)(*x))))(*args)
    examples = by_example(reference, axes)
    assert_close(got, gradient(lambda *x: np.sum(np.cos(examples(*x))))(*args))


TRANSFORMS = {
    "value": lambda f: f,
    "gradient": gradient,
    "pushforward": lambda f: lambda *x: pb.pushforward(f, x, directions(x))[1],
    "jacobian": lambda f: pb.jacobian(lambda *x: np.stack([f(*x)]), 3, mode="reverse"),
    "vmap": lambda f: lambda *x: pb.vmap(f)(*(np.stack([v, 0.5 * v]) for v in x)),
    "vmap of gradient": lambda f: (
        lambda *x: pb.vmap(gradient(f))(*(np.stack([v, 0.5 * v]) for v in x))
    ),
    "second order": lambda f: lambda *x: pb.pushforward(gradient(f), x, directions(x))[1],
}


@given(programs(longest=3, most=3), st.sampled_from(list(TRANSFORMS)))
@settings(max_examples=40)
def test_recorded_and_simplified(program, transform):
    args = program.arguments
    f = TRANSFORMS[transform](program.scalar(pb))
    wanted = f(*args)
    graph = pb.trace(f, *args)
    assert_close(graph(*args), wanted)
    simplified = pb.simplify(graph)
    simplified.verify()
    assert simplified.cost().operations <= 1.02 * graph.cost().operations
    assert str(pb.simplify(simplified)) == str(simplified)
    assert_close(simplified(*args), wanted, 1e-11)
    # At another point, where other branches may be taken.
    other = tuple(0.9 * x - 0.2 for x in args)
    assert_close(graph(*other), f(*other))
    assert_close(simplified(*other), f(*other), 1e-11)


@given(programs(longest=3, most=3), mapped)
@settings(max_examples=20)
def test_a_recorded_program_is_transformed_again(program, axes):
    """A graph is a function like any other, and so is a simplified one."""
    args, d = program.arguments, directions(program.arguments)
    reference = program.scalar(unrolled)
    graph = pb.trace(program.scalar(pb), *args)
    for f in (graph, pb.simplify(graph)):
        assert_close(gradient(f)(*args), gradient(reference)(*args), 1e-11)
        assert_close(pb.pushforward(f, args, d), pb.pushforward(reference, args, d), 1e-11)
        rows = batch_of(args, axes)
        assert_close(pb.vmap(f, in_axes=axes)(*rows), by_example(reference, axes)(*rows), 1e-11)
    wanted = pb.pushforward(gradient(reference), args, d)[1]
    slope = pb.simplify(pb.trace(gradient(graph), *args))
    assert_close(pb.pushforward(slope, args, d)[1], wanted, 1e-10)
    assert_close(pb.pullback(slope, args, d)[1], wanted, 1e-10)


@given(programs(longest=3, most=3))
@settings(max_examples=20)
def test_linear_maps_that_are_applied_often(program):
    """Each of them twice, and batched, recorded and differentiated."""
    args = program.arguments
    u, v = directions(args, 1), directions(args, 2)
    f, reference = program.vector(pb), program.vector(unrolled)
    (_, pull), (_, wanted_pull) = pb.vjp(f, *args), pb.vjp(reference, *args)
    (out, push), (_, wanted_push) = pb.linearize(f, *args), pb.linearize(reference, *args)
    w = np.cos(np.arange(out.size))
    for one, other in [(w, u), (w[::-1], v), (w, u)]:
        assert_close(pull(one), wanted_pull(one))
        assert_close(push(*other), wanted_push(*other))
    both = pb.vmap(pull)(np.stack([w, w[::-1]]))
    assert_close(both, by_example(wanted_pull, (0,), 2)(np.stack([w, w[::-1]])))
    assert_close(pb.trace(pull, w)(w), wanted_pull(w))
    squared = pb.grad(lambda w: sum(np.sum(x_bar**2) for x_bar in pull(w)))
    wanted = pb.grad(lambda w: sum(np.sum(x_bar**2) for x_bar in wanted_pull(w)))
    assert_close(squared(w), wanted(w), 1e-11)


@given(programs(longest=2, most=2))
@settings(max_examples=10)
def test_third_order(program):
    args = program.arguments
    u, v = directions(args, 1), directions(args, 2)
    f, reference = program.scalar(pb), program.scalar(unrolled)

    def twice(f):
        return lambda *x: pb.pushforward(lambda *x: pb.pushforward(f, x, u)[1], x, v)[1]

    def mixed(f):
        return lambda *x: sum(
            np.sum(a * b) for a, b in zip(pb.pushforward(gradient(f), x, u)[1], v, strict=True)
        )

    wanted = gradient(twice(reference))(*args)
    assert_close(gradient(twice(f))(*args), wanted, 1e-9)
    assert_close(gradient(mixed(f))(*args), wanted, 1e-9)
