"""A branch that is not taken does nothing, also where its function reads values from outside."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import pullback as pb

SINGULAR = np.zeros((2, 2))
REGULAR = np.array([[2.0, 1.0], [0.0, 1.0]])


def by_closure(a):
    return pb.cond(np.linalg.det(a) != 0, lambda: np.linalg.inv(a), lambda: a)


def by_operand(a):
    return pb.cond(np.linalg.det(a) != 0, np.linalg.inv, lambda a: a, a)


def by_default(a):
    return pb.cond(np.linalg.det(a) != 0, lambda a=a: np.linalg.inv(a), lambda a=a: a)


def by_partial(a):
    inverse = functools.partial(np.linalg.inv, a)
    return pb.cond(np.linalg.det(a) != 0, lambda: inverse(), lambda: a)


def by_function(a):
    def inverse():
        return np.linalg.inv(a)

    def nested():
        return inverse()

    return pb.switch(np.where(np.linalg.det(a) != 0, 1, 0), [lambda: a, nested])


WAYS = [by_closure, by_operand, by_default, by_partial, by_function]


@pytest.mark.parametrize("f", WAYS)
def test_a_branch_that_would_fail(f):
    """The inverse of a singular matrix is not computed, at any level."""
    for a, inverse in ((SINGULAR, SINGULAR), (REGULAR, np.linalg.inv(REGULAR))):
        np.testing.assert_allclose(f(a), inverse)
        np.testing.assert_allclose(pb.trace(f, a)(a), inverse)
        np.testing.assert_allclose(pb.simplify(pb.trace(f, a))(a), inverse)
        looped = pb.fori_loop(0, 3, lambda _, c: f(c), a)
        np.testing.assert_allclose(looped, inverse)
    identity = np.eye(4).reshape(2, 2, 2, 2)
    for mode in ("forward", "reverse"):
        jacobian = pb.jacobian(f, mode=mode)
        np.testing.assert_allclose(jacobian(SINGULAR), identity)
        np.testing.assert_allclose(pb.simplify(pb.trace(jacobian, SINGULAR))(SINGULAR), identity)
        np.testing.assert_allclose(jacobian(REGULAR), pb.jacobian(np.linalg.inv)(REGULAR))
    hessian = pb.hessian(lambda a: np.sum(f(a)))
    np.testing.assert_allclose(hessian(SINGULAR), np.zeros((2, 2, 2, 2)))
    batch = pb.vmap(lambda a: pb.fori_loop(0, 2, lambda _, c: f(c), a))(np.stack([REGULAR] * 2))
    np.testing.assert_allclose(batch, np.stack([np.linalg.inv(np.linalg.inv(REGULAR))] * 2))


def test_a_branch_that_would_warn():
    """Warnings are errors here."""

    def f(x):
        return pb.cond(x != 0, lambda: 1 / x, lambda: x)

    assert f(np.zeros(())) == 0
    assert f(np.float64(0)) == 0
    assert pb.grad(f)(0.0) == 1
    assert pb.grad(f)(2.0) == -0.25
    np.testing.assert_array_equal(pb.vmap(pb.grad(f))(np.array([0.0, 2.0])), [1.0, -0.25])


def test_a_branch_that_would_never_end():
    def f(x):
        def forever():
            return pb.while_loop(lambda y: y < 10, lambda y: y * x, x)

        return pb.cond(x > 1, forever, lambda: -x)

    assert pb.grad(f)(0.5) == -1
    assert pb.trace(f, 0.5)(0.5) == -0.5
    assert pb.grad(f)(2.0) == 4 * 2.0**3


def test_the_work_of_branches_is_theirs():
    W, x = np.eye(8), np.ones(8)

    def f(W, x):
        return pb.cond(np.sum(x) > 0, lambda: np.sin(W @ x), lambda: np.cos(W @ W @ x))

    (switch,) = [e for e in pb.trace(f, W, x).equations if e.primitive.name == "switch"]
    assert len(switch.inputs) == 3  # what both branches read is handed to them once
    inside = [[e.primitive.name for e in g.equations] for g in switch.graphs.values()]
    assert inside == [["matmul", "matmul", "cos"], ["matmul", "sin"]]


def test_branches_whose_course_depends_on_plain_arrays():
    """Python needs to know their values, so these are computed while the branch is recorded."""
    table, mask = np.arange(3.0), np.array([True, False, True])
    calls = []

    def chosen(x):
        calls.append(1)
        return x * 2 if table[1] > 0 else x

    def masked(x):
        return x * np.sum(x[mask])

    x = np.ones(3)
    np.testing.assert_array_equal(pb.cond(True, chosen, masked, x), [2, 2, 2])
    np.testing.assert_array_equal(pb.cond(False, chosen, masked, x), [2, 2, 2])
    gradient = pb.grad(lambda x: np.sum(pb.cond(x[0] > 0, masked, chosen, x)))(x)
    np.testing.assert_array_equal(gradient, [5, 2, 5])
    assert len(calls) <= 6


def test_branches_that_write_to_what_is_outside():
    x = np.ones(3)

    def write():
        x[0] = 2.0
        return x

    with pytest.raises(pb.AliasError, match="write: the body writes to x, an array of dtype"):
        pb.cond(True, write, lambda: x)
    assert x[0] == 1

    def of_traced(x):
        def write():
            x[0] = 2.0
            return x

        return pb.cond(np.sum(x) > 0, write, lambda: x)

    with pytest.raises(pb.AliasError, match="write: the body writes to x"):
        pb.jacobian(of_traced)(x)


def test_a_checkpointed_function_of_values_from_outside_keeps_nothing_of_its_own():
    def chain(x):
        return np.sin(np.cos(np.sin(np.cos(x))))

    def names(f):
        out, pull = pb.vjp(f, np.ones(3))
        (body,) = (g for e in pb.trace(f, np.ones(3)).equations for g in e.graphs.values())
        return out, pull(np.ones(3))[0], [e.primitive.name for e in body.equations]

    one = names(lambda x: pb.checkpoint(lambda: chain(x))())
    other = names(lambda x: pb.checkpoint(chain)(x))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n", [3, np.int64(3), np.int32(3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_the_index_between_traced_bounds_decides_no_dtype(n, dtype):
    x = np.ones(2, dtype)

    def up(n, x):
        return pb.fori_loop(0, n, lambda i, c: c * (i + 1) / 2 + 0.5 * i, x)

    def down(n, x):
        return pb.fori_loop(n, 5, lambda i, c: c * i, x)

    for f in (up, down):
        plain = f(int(n), x)
        assert plain.dtype == dtype
        for result in (pb.trace(f, n, x)(n, x), pb.vmap(f, (0, None))(np.array([n, n]), x)[1]):
            assert result.dtype == dtype
            np.testing.assert_array_equal(result, plain)


def test_errors_of_loops_between_traced_bounds_speak_of_the_loop_that_was_written():
    def body(i, state):
        return {"a": state["a"] * 1.5}

    def f(n):
        return pb.fori_loop(0, n, body, {"a": np.zeros(3, int)})

    words = r"fori_loop of body: carry\['a'\] has dtype int64 before an iteration and float64 after"
    with pytest.raises(pb.ArgumentTypeError, match=words):
        pb.trace(f, 3)


def test_bodies_that_are_methods_or_have_attributes():
    class Table:
        def body(self, i, c):
            return c * ROWS[i]

    def counted(i, c):
        counted.calls += 1
        return c * ROWS[i]

    counted.calls = 0
    wanted = np.ones(2) * ROWS[0] * ROWS[1]
    np.testing.assert_array_equal(pb.fori_loop(0, 2, Table().body, np.ones(2)), wanted)
    np.testing.assert_array_equal(pb.fori_loop(0, 2, counted, np.ones(2)), wanted)
    assert counted.calls == 1


ROWS = np.array([[2.0, 3.0], [4.0, 5.0]])


def no_fori(a, n):
    return pb.fori_loop(0, n, lambda i, c: c @ np.linalg.inv(a), a)


def no_scan(a, n):
    xs = np.zeros((n, 2))
    return pb.scan(lambda c, x: (c @ np.linalg.inv(a) + x, c), a, xs, checkpoint=2)[0]


def no_while(a, n):
    return pb.while_loop(lambda s: s[1] < n, lambda s: (s[0] @ np.linalg.inv(a), s[1] + 1), (a, 0))[
        0
    ]


@pytest.mark.parametrize("loop", [no_fori, no_scan, no_while])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_body_that_would_fail_and_is_not_run(loop, mode):
    """There is no inverse, and no iteration that would need it."""
    identity = np.eye(4).reshape(2, 2, 2, 2)
    jacobian = pb.jacobian(lambda a: loop(a, 0), mode=mode)
    np.testing.assert_array_equal(jacobian(SINGULAR), identity)
    recorded = pb.trace(jacobian, SINGULAR)
    np.testing.assert_array_equal(recorded(SINGULAR), identity)
    if loop is not no_while:
        np.testing.assert_array_equal(pb.simplify(recorded)(SINGULAR), identity)
    else:
        np.testing.assert_array_equal(pb.trace(loop, SINGULAR, 0)(SINGULAR, 0), SINGULAR)
    unrolled = pb.jacobian(lambda a: a @ np.linalg.inv(a) @ np.linalg.inv(a))(REGULAR)
    run = pb.jacobian(lambda a: loop(a, 2), mode=mode)(REGULAR)
    np.testing.assert_allclose(run, unrolled, atol=1e-14)
