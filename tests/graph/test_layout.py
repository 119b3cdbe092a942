"""What a recording knows of how arrays lie in memory, and what it refuses to guess."""

from __future__ import annotations

import itertools
import pickle
import warnings

import numpy as np
import pytest

import pullback as pb

C = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
F = np.asfortranarray(C)
GAPS = np.repeat(C, 2, axis=1)[:, ::2]
WEIGHTS = np.arange(6.0)


def in_memory_order(x):
    return np.sum(x.ravel("K") * WEIGHTS)


def write_to_reshaped(x):
    y = 2 * x
    y.reshape(-1)[0] = 100.0
    return y


def write_to_the_base(x):
    y = 2 * x
    z = y.reshape(-1)
    y[0] = 100.0
    return z


def write_to_contiguous(x):
    y = 2 * x
    z = np.ascontiguousarray(y)
    z[1] = 100.0
    return y


def by_flags(x):
    return np.sum(x) if x.flags.c_contiguous else x[0, 0]


DEPENDENT = [
    in_memory_order,
    write_to_reshaped,
    write_to_the_base,
    write_to_contiguous,
    by_flags,
    lambda x: np.sum(x.reshape(-1, order="A") * WEIGHTS),
    lambda x: np.sum(np.exp(x).flatten("A") * WEIGHTS),
    lambda x: np.sum(np.zeros_like(x) + x).ravel("K")[0] * x.strides[0],
    lambda x: pb.checkpoint(in_memory_order)(x),
    lambda x: pb.cond(x[0, 0] > 0, in_memory_order, by_flags, x),
    lambda x: pb.scan(lambda c, y: (c + in_memory_order(y), None), 0.0, x[None])[0],
    lambda x: in_memory_order(pb.checkpoint(lambda x: x + 1)(x)),
    lambda x: pb.vmap(in_memory_order)(x[None])[0],
    pb.grad(in_memory_order),
]


@pytest.mark.parametrize("f", DEPENDENT)
@pytest.mark.parametrize("x", [C, F, GAPS], ids=["C", "F", "gaps"])
def test_a_graph_that_depends_on_a_layout_refuses_others(f, x):
    graph = pb.trace(f, x)
    for same in (graph, pb.simplify(graph), pickle.loads(pickle.dumps(graph))):
        np.testing.assert_array_equal(same(x), f(x))
        np.testing.assert_array_equal(same(x.copy("K") if x is not GAPS else x), f(x))
        for other in (C, F, GAPS):
            if other.strides != x.strides:
                with pytest.raises(pb.ArgumentValueError, match=r"argument x.* lies with strides"):
                    same(other)


INDEPENDENT = [
    lambda x: np.sum(x.reshape(-1) * WEIGHTS),
    lambda x: np.sum(x.ravel("F") * WEIGHTS),
    lambda x: np.sum(x.T.reshape(3, 2) * 2),
    lambda x: x.copy().ravel("K"),
    lambda x: (x @ np.ones((3, 2))).ravel("K"),
    lambda x: np.exp(x[0]).ravel("K"),
    lambda x: pb.checkpoint(lambda x: np.sum(np.sin(x) * x))(x),
    pb.grad(lambda x: np.sum(np.sin(x.reshape(-1)) * WEIGHTS)),
]


@pytest.mark.parametrize("f", INDEPENDENT)
def test_a_graph_that_does_not_depend_on_it_takes_any(f):
    for x in (C, F, GAPS):
        graph = pb.trace(f, x)
        for other in (C, F, GAPS):
            np.testing.assert_array_equal(graph(other), f(other))


def test_a_shape_stands_for_an_array_in_order():
    graph = pb.trace(in_memory_order, pb.ShapeDtype((2, 3)))
    assert graph(C) == in_memory_order(C)
    with pytest.raises(pb.ArgumentValueError, match=r"strides \(8, 16\).*np.ascontiguousarray"):
        graph(F)


def test_a_graph_inside_another_transformation_looks_at_its_arguments():
    graph = pb.trace(in_memory_order, F)
    np.testing.assert_array_equal(pb.grad(graph)(F), pb.grad(in_memory_order)(F))
    with pytest.raises(pb.ArgumentValueError, match="lies with strides"):
        pb.grad(graph)(C)
    outer = pb.trace(lambda x: graph(x) + x[0, 0], F)
    with pytest.raises(pb.ArgumentValueError, match="lies with strides"):
        outer(C)


def test_a_carry_whose_layout_changes_has_none_that_can_be_relied_on():
    def turned(_, y):
        return np.array(y + in_memory_order(y), order="F")

    with pytest.raises(pb.AliasError, match=r"lies in memory is not known.*x\.copy\(\)"):
        pb.fori_loop(0, 3, turned, C)
    assert pb.fori_loop(0, 1, turned, C).flags.f_contiguous
    expected = F
    for _ in range(3):
        expected = turned(0, expected)
    np.testing.assert_array_equal(pb.fori_loop(0, 3, turned, F), expected)

    def copied(_, y):
        return np.array(y + in_memory_order(y.copy()), order="F")

    expected = C
    for _ in range(3):
        expected = copied(0, expected)
    np.testing.assert_array_equal(pb.fori_loop(0, 3, copied, C), expected)


def test_branches_that_lay_their_results_out_differently():
    def chosen(x):
        return pb.cond(x[0, 0] > 0, lambda x: x + 1, lambda x: np.array(x, order="F"), x)

    assert in_memory_order(chosen(C)) == in_memory_order(C + 1)
    assert in_memory_order(chosen(-C)) == in_memory_order(-F)
    with pytest.raises(pb.AliasError, match="lies in memory is not known"):
        pb.trace(lambda x: in_memory_order(chosen(x)), C)

    def filled(x):
        z = np.zeros_like(chosen(x))
        z[0] = x[1]
        return np.sum(z * C), np.ones_like(chosen(x), dtype=complex), np.full_like(chosen(x), 3.0)

    for got, wanted in zip(pb.trace(filled, C)(C), filled(C), strict=True):
        np.testing.assert_array_equal(got, wanted)
        assert got.dtype == wanted.dtype


def test_results_of_a_users_own_primitive():
    @pb.primitive
    def turned(x):
        return np.array(x * 2.0, order="F")

    turned.rule(lambda y, x: 2.0)

    def f(x):
        return in_memory_order(turned(x))

    for x in (C, F):
        assert pb.trace(f, x)(x) == f(x) == in_memory_order(F) * 2
    turned.shape(lambda x: x)
    with pytest.raises(pb.AliasError, match="lies in memory is not known"):
        pb.trace(f, C)


def test_the_shape_of_a_result_may_depend_on_a_layout():
    @pb.primitive
    def first(x):
        return x[0] if x.flags.c_contiguous else x[:, 0]

    for x in (C, F):
        np.testing.assert_array_equal(pb.trace(first, x)(x), first(x))


def test_finding_layouts_warns_of_nothing():
    x = np.arange(24.0).reshape(4, 6) ** 1.5
    for f in (
        lambda x: np.var(x, axis=1, ddof=3),
        lambda x: np.std(x, axis=0, ddof=2).ravel("K"),
        lambda x: np.nanvar(x, axis=1, ddof=2),
        lambda x: np.cov(x, ddof=3).ravel("K"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_allclose(pb.trace(f, x)(x), f(x))
            pb.grad(pb.checkpoint(lambda x, f=f: np.sum(f(x))))(np.asfortranarray(x))


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_copy_that_keeps_fortrans_order_of_what_comes_out_in_another(order):
    """The layout of ``copy("A")`` is that of an array with gaps only where there are some."""

    def written(c):
        v = c.ravel()
        v[1] = 7.0
        return c

    bodies = (
        lambda i, c: np.array(c.copy(order="A"), order=order),
        lambda i, c: np.array(c, order="A").copy(order=order),
        lambda i, c: np.asarray(c.copy("A"), order=order) + 0.0,
        lambda i, c: written(np.array(np.copy(c, order="A"), order=order) * 2),
    )
    for x in (C, F, np.repeat(C, 2, 1)[:, ::2], C[::-1]):
        for body in bodies:
            wanted = body(2, body(1, body(0, x)))
            found = pb.fori_loop(0, 3, body, x)
            np.testing.assert_array_equal(found, wanted)
            assert found.strides == wanted.strides
            found, _ = pb.scan(lambda c, i, b=body: (b(i, c), None), x, np.arange(3))
            assert found.strides == wanted.strides


REMADE = {
    "rolled": lambda y, i: np.roll(y, 1, axis=0),
    "rolled by what is traced": lambda y, i: np.roll(y, -i, axis=(0, 1)),
    "sorted": lambda y, i: np.sort(y, axis=0),
    "partitioned": lambda y, i: np.partition(y, 1, axis=1),
    "sorted in place": lambda y, i: y.sort(axis=0) or y,
    "a sum in place": lambda y, i: np.add(y, C + i, out=y),
    "a product in place": lambda y, i: np.multiply(C, F, out=y, where=y > i),
    "a part": lambda y, i: np.copyto(y, C, where=y > 3) or y,
    "a mask": lambda y, i: np.putmask(y, y > i, 2.0) or y,
    "elementwise": lambda y, i: np.where(y > i, y, C) + np.sin(y),
    "taken": lambda y, i: y[:, [1, 0, i]],
    "flipped": lambda y, i: np.flip(y, 0).copy("K"),
    "gradient": lambda y, i: np.gradient(y, axis=0),
}


@pytest.mark.parametrize("remake", REMADE.values(), ids=REMADE)
def test_what_is_made_of_a_carry_lies_as_that_does_in_each_iteration(remake):
    """The carry comes out in another order than it goes in; what can't be known is refused."""
    ways = (
        lambda c: c.T.copy().T,
        lambda c: np.ascontiguousarray(c),
        lambda c: np.asfortranarray(c),
        lambda c: c.copy("K"),
    )
    seen = 0
    for way in ways:

        def body(i, c, way=way):
            y = remake(c.copy("K"), i)
            return way(np.ravel(y, "K").reshape(c.shape) + 0.1 * y)

        for x in (C, F, np.repeat(C, 2, 1)[:, ::2], C[::-1], C[:, ::-1].T.copy().T):
            wanted = body(2, body(1, body(0, x)))
            try:
                found = pb.fori_loop(0, 3, body, x)
            except pb.AliasError:
                continue
            seen += 1
            np.testing.assert_allclose(found, wanted)
            np.testing.assert_allclose(
                pb.vmap(lambda x, b=body: pb.fori_loop(0, 3, b, x))(x[None])[0], wanted
            )
    assert seen >= 5


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8"])
def test_a_pythons_number_does_not_widen_what_lies_in_memory(dtype):
    def written(x, number):
        y = x.T.astype(dtype) * number
        y.ravel("K")[:1] = 7.0
        return np.abs(y)

    for number in (2.0, 2, 2j):
        wanted = written(C, number)
        for found in (
            pb.trace(lambda x, n=number: written(x, n), C)(C),
            pb.trace(written, C, number)(C, number),
            pb.fori_loop(0, 1, lambda _, y, n=number: written(C, n).astype(float), np.ones((3, 2))),
        ):
            np.testing.assert_array_equal(found, wanted)


def test_what_shares_memory_while_a_graph_is_recorded():
    looks = {
        "x": lambda x: x, "x[0]": lambda x: x[0], "x[1:]": lambda x: x[1:], "T": lambda x: x.T,
        "reshaped": lambda x: x.reshape(-1), "K": lambda x: x.ravel("K"), "copy": lambda x: 1.0 * x,
        "even": lambda x: x[:, ::2], "odd": lambda x: x[:, 1::2], "back": lambda x: x[::-1, ::-1],
        "empty": lambda x: x[:0], "a view of one": lambda x: x.T[1:][::-1],
    }  # fmt: skip
    for x in (C, F, GAPS):
        for a, b in itertools.product(looks.values(), looks.values()):
            for asks in (np.shares_memory, np.may_share_memory):
                found = []
                pb.trace(lambda x, f=asks: found.append(f(a(x), b(x))) or x, x)  # noqa: B023
                assert found == [asks(a(x), b(x))]
    one = np.array(2.0)
    views = [lambda x: x, lambda x: x.reshape(-1), lambda x: x[..., None], lambda x: 1.0 * x]
    for a, b in itertools.product(views, views):
        found = []
        pb.trace(lambda x: found.append(np.shares_memory(a(x), b(x))) or x, one)  # noqa: B023
        assert found == [np.shares_memory(a(one), b(one))]
