"""Products that sum over shared axes: NumPy's values, and the complex step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb
from tests.numpy.agreement import assert_analytic, assert_derivative

RNG = np.random.default_rng(11)


def normal(*shape):
    return RNG.normal(size=shape)


@st.composite
def matmul_shapes(draw):
    """Ranks 1 to 4, with batch axes that broadcast."""
    n, k, m = (draw(st.integers(1, 3)) for _ in range(3))
    batch = draw(st.lists(st.integers(1, 3), max_size=2))

    def side(row, column, vector):
        if draw(st.booleans()):
            return (vector,)
        lead = [extent if draw(st.booleans()) else 1 for extent in batch]
        return (*lead[draw(st.integers(0, len(lead))) :], row, column)

    return side(n, k, k), side(k, m, k)


@given(matmul_shapes())
def test_matmul_of_every_rank(shapes):
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=shape) for shape in shapes)
    assert_analytic(lambda a, b: a @ b, a, b)
    assert_analytic(np.matmul, a, b)
    assert_analytic(lambda b: a @ b, b)
    assert_analytic(lambda a: np.linalg.matmul(a, b), a)


def test_matmul_keeps_single_precision():
    a, b = normal(2, 3).astype(np.float32), normal(3, 2).astype(np.float32)
    out, bars = pb.pullback(lambda a, b: a @ b, (a, b), np.ones((2, 2), np.float32))
    assert {out.dtype, bars[0].dtype, bars[1].dtype} == {np.dtype(np.float32)}


def test_a_complex_product_has_the_adjoint_pullback():
    a, b, c_bar = (normal(2, 2) + 1j * normal(2, 2) for _ in range(3))
    _, (a_bar, b_bar) = pb.pullback(np.matmul, (a, b), c_bar)
    np.testing.assert_allclose(a_bar, c_bar @ b.conj().T, rtol=1e-14)
    np.testing.assert_allclose(b_bar, a.conj().T @ c_bar, rtol=1e-14)


@pytest.mark.parametrize(
    ("a", "b"),
    [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((2, 3), (4, 3, 2)),
     ((2, 2, 3), (4, 3, 2)), ((2, 2, 3), (3,)), ((), (2, 3)), ((2, 3), ()), ((), ())],
)  # fmt: skip
def test_dot(a, b):
    assert_analytic(np.dot, normal(*a), normal(*b))


@pytest.mark.parametrize(
    ("a", "b"),
    [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 1, 3), (4, 3)), ((), (2, 3)), ((2,), ())],
)
def test_inner(a, b):
    assert_analytic(np.inner, normal(*a), normal(*b))


@pytest.mark.parametrize(("a", "b"), [((3,), (2,)), ((2, 3), (4,)), ((), (2, 2)), ((0,), (2,))])
def test_outer(a, b):
    assert_analytic(np.outer, normal(*a), normal(*b))
    if len(a) == len(b) == 1:
        assert_analytic(np.linalg.outer, normal(*a), normal(*b))


def test_vdot_conjugates_its_first_argument():
    a, b = normal(2, 3) + 1j * normal(2, 3), normal(2, 3) + 1j * normal(2, 3)
    out, (a_bar, b_bar) = pb.pullback(np.vdot, (a, b), 1j)
    np.testing.assert_allclose(out, np.vdot(a, b), rtol=1e-14)
    np.testing.assert_allclose(a_bar, np.conj(1j) * b, rtol=1e-14)
    np.testing.assert_allclose(b_bar, 1j * a, rtol=1e-14)
    assert_derivative(np.vdot, normal(3), normal(3))


@pytest.mark.parametrize(
    ("a", "b", "axes"),
    [
        ((2, 3, 4), (3, 4, 5), 2),
        ((2, 3), (4,), 0),
        ((2, 3), (2, 3), 2),
        ((2, 3, 4), (4, 3, 5), ([1, 2], [1, 0])),
        ((2, 3, 4), (5, 2), (0, 1)),
        ((2, 3), (3, 2), ((-1, 0), (0, 1))),
        ((2, 0), (0, 3), 1),
        ((), (), 0),
    ],
)
def test_tensordot(a, b, axes):
    assert_analytic(lambda a, b: np.tensordot(a, b, axes), normal(*a), normal(*b))
    assert_analytic(lambda a, b: np.linalg.tensordot(a, b, axes=axes), normal(*a), normal(*b))


def test_kron():
    assert_analytic(np.kron, normal(2, 3), normal(3, 2))
    assert_analytic(np.kron, normal(2), normal(3, 2))
    assert_analytic(np.kron, normal(2, 1, 2), normal(3))


def test_cross():
    assert_analytic(np.cross, normal(3), normal(3))
    assert_analytic(np.cross, normal(4, 3), normal(3))
    assert_analytic(lambda a, b: np.cross(a, b, axis=0), normal(3, 2), normal(3, 2))
    assert_analytic(lambda a, b: np.cross(a, b, 0, 1, 0), normal(3, 2), normal(2, 3))
    assert_analytic(np.linalg.cross, normal(2, 3), normal(2, 3))


def test_multi_dot():
    a, b, c, d = normal(3, 4), normal(4, 2), normal(2, 5), normal(5, 3)
    assert_analytic(lambda *xs: np.linalg.multi_dot(xs), a, b, c, d, rtol=1e-12)
    assert_analytic(lambda *xs: np.linalg.multi_dot(xs), a[0], b, c[:, 0], rtol=1e-12)
    assert_analytic(lambda *xs: np.linalg.multi_dot(xs), a, b)


def test_multi_dot_multiplies_in_the_cheap_order():
    """(10000, 1)·((1, 10000)·(10000, 1)) rather than a matrix of 10⁸ elements."""
    column, row = normal(10_000, 1), normal(1, 10_000)
    out, _ = pb.vjp(lambda a: np.linalg.multi_dot([a, row, column]), column)
    assert out.shape == (10_000, 1)


def test_vecdot():
    assert_derivative(lambda a, b: np.vecdot(a, b), normal(2, 3), normal(3))
    assert_derivative(lambda a, b: np.linalg.vecdot(a, b, axis=0), normal(3, 2), normal(3, 2))
    a, b = normal(3) + 1j * normal(3), normal(3) + 1j * normal(3)
    out, push = pb.linearize(np.vecdot, a, b)
    np.testing.assert_allclose(out, np.vecdot(a, b), rtol=1e-14)
    np.testing.assert_allclose(push(b, a), np.vecdot(b, b) + np.vecdot(a, a), rtol=1e-14)


def test_matvec_and_vecmat():
    """They came with NumPy 2.2."""
    if not hasattr(np, "matvec"):
        return
    assert_analytic(np.matvec, normal(2, 3), normal(3))
    assert_analytic(np.matvec, normal(4, 2, 3), normal(4, 3))
    assert_analytic(np.matvec, normal(2, 3), normal(4, 3))
    assert_derivative(np.vecmat, normal(2), normal(2, 3))
    assert_derivative(np.vecmat, normal(4, 2), normal(4, 2, 3))
    x, a = normal(2) + 1j * normal(2), normal(2, 3) + 1j * normal(2, 3)
    out, push = pb.linearize(np.vecmat, x, a)
    np.testing.assert_allclose(out, np.vecmat(x, a), rtol=1e-14)
    np.testing.assert_allclose(push(1j * x, a), (1 - 1j) * np.vecmat(x, a), rtol=1e-14)


@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors")
def test_cross_products_of_vectors_in_the_plane():
    assert_analytic(np.cross, normal(4, 2), normal(4, 2))
    assert_analytic(np.cross, normal(3, 2), normal(3, 3))
    assert_analytic(lambda x, y: np.cross(x, y, axisa=0, axisc=0), normal(3, 4), normal(4, 2))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.tensordot(x, x, 3), "axes=3.*2 and 2 axes"),
        (lambda x: np.tensordot(x, x, ([0], [1])), "same extents"),
        (lambda x: np.tensordot(x, x, ([0, 1], [1])), "as many of one"),
        (lambda x: np.linalg.cross(x[:, :2], x[:, :2]), "2 and 2 components"),
        (lambda x: np.linalg.outer(x, x[0]), r"np\.outer"),
        (lambda x: np.convolve(x[0], x), "vectors"),
        (lambda x: np.convolve(x[0], x[1], "most"), "mode='most'"),
    ],
)
def test_arguments_that_do_not_fit(call, words):
    with pytest.raises(pb.ArgumentValueError, match=words):
        pb.grad(lambda x: np.sum(call(x)))(normal(2, 3))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "m"), [(5, 3), (3, 5), (4, 2), (2, 4), (4, 4), (1, 3), (1, 1)])
def test_convolve_and_correlate(n, m, mode):
    assert_analytic(lambda a, v: np.convolve(a, v, mode), normal(n), normal(m))
    assert_derivative(lambda a, v: np.correlate(a, v, mode), normal(n), normal(m))
    a, v = normal(n) + 1j * normal(n), normal(m) + 1j * normal(m)
    assert_derivative(lambda a, v: np.correlate(a, v, mode), a, v)


# -- einsum ---------------------------------------------------------------------------------------


SUBSCRIPTS = [
    ("i,i", (3,), (3,)),
    ("i,j", (3,), (2,)),
    ("i,j->ji", (3,), (2,)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("ij,kj->ik", (2, 3), (4, 3)),
    ("ij,j", (2, 3), (3,)),
    ("ij,i->", (2, 3), (2,)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij,ij->i", (2, 3), (2, 3)),
    ("ij,ij", (2, 3), (2, 3)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    ("bij,bj->bi", (2, 3, 4), (2, 4)),
    ("bi,bij->bj", (2, 3), (2, 3, 4)),
    ("bij,bij->b", (2, 3, 4), (2, 3, 4)),
    ("bhid,bhjd->bhij", (2, 2, 3, 4), (2, 2, 3, 4)),
    ("ijk,jil->kl", (2, 3, 4), (3, 2, 2)),
    ("ijk,kl->ijl", (2, 3, 4), (4, 2)),
    ("ij,kl->", (2, 3), (2, 2)),
    ("ij,kl->il", (2, 3), (2, 2)),
    ("ii,jj->ij", (2, 2), (3, 3)),
    ("iij,jk->ik", (2, 2, 3), (3, 4)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,ij->j", (1, 3), (2, 3)),
    ("...j,j", (2, 2, 3), (3,)),
    ("...j,jk->...k", (2, 2, 3), (3, 2)),
    ("i...,i...->...", (3, 2), (3, 2)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (4, 3, 2)),
    ("...,...", (2, 3), (3,)),
    (",ij", (), (2, 3)),
    ("ij, jk -> ik", (2, 3), (3, 2)),
    ("ij,jk->ik", (0, 3), (3, 2)),
    ("ij,jk->ik", (2, 0), (0, 2)),
    ("i->i", (3,)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ji", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij->j", (2, 2, 3)),
    ("iij->ij", (2, 2, 3)),
    ("iiijj->ij", (2, 2, 2, 3, 3)),
    ("...ii->...i", (2, 3, 3)),
    ("i...->...", (2, 3)),
    ("...", (2, 3)),
    ("ij,jk,kl", (2, 3), (3, 4), (4, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("i,j,k->ijk", (2,), (3,), (2,)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("i,i,i", (3,), (3,), (3,)),
    ("ab,ac,bc,ad->d", (2, 3), (2, 4), (3, 4), (2, 2)),
    ("bij,bjk,ik->b", (2, 3, 4), (2, 4, 2), (3, 2)),
    ("ii,ij,...j->...i", (3, 3), (3, 2), (2, 2)),
]


@pytest.mark.parametrize("case", SUBSCRIPTS, ids=lambda case: case[0].replace(" ", "_"))
def test_einsum(case):
    subscripts, *shapes = case
    primals = [normal(*shape) for shape in shapes]
    assert_analytic(lambda *xs: np.einsum(subscripts, *xs), *primals)
    assert_analytic(lambda *xs: np.einsum(subscripts, *xs, optimize=True), *primals)


@st.composite
def einsums(draw):
    """Random terms over a few labels, some axes of extent 1."""
    extents = {label: draw(st.integers(1, 3)) for label in "abcd"}
    terms = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    shapes = []
    for term in terms:
        single = {label: draw(st.integers(0, 4)) == 0 for label in term}
        shapes.append(tuple(1 if single[label] else extents[label] for label in term))
    known = sorted(set("".join(terms)))
    output = draw(st.permutations(known))[: draw(st.integers(0, len(known)))]
    return f"{','.join(terms)}->{''.join(output)}", shapes


@given(einsums())
def test_random_einsums(case):
    subscripts, shapes = case
    rng = np.random.default_rng(0)
    assert_analytic(
        lambda *xs: np.einsum(subscripts, *xs), *(rng.normal(size=shape) for shape in shapes)
    )


def test_axes_of_labels_that_nobody_orders_come_in_the_order_of_numbers():
    x = normal(2, 3)
    for term in ([40, 3], [3, 40], [51, 25]):
        got, _ = pb.vjp(lambda x, term=term: np.einsum(x, term), x)
        np.testing.assert_array_equal(got, np.einsum(x, term))
    wide = normal(*[1] * 27, 2, 3)
    got, _ = pb.vjp(lambda x: np.einsum(x, list(range(28, -1, -1))), wide)
    np.testing.assert_array_equal(got, wide.T)


def test_einsum_with_lists_of_labels():
    a, b = normal(2, 3), normal(3, 4)
    assert_analytic(lambda a, b: np.einsum(a, [0, 1], b, [1, 2]), a, b)
    assert_analytic(lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [2, 0]), a, b)
    assert_analytic(lambda a: np.einsum(a, [Ellipsis, 1], [1, Ellipsis]), a)
    assert_analytic(lambda a: np.einsum(a, [0, 0]), normal(3, 3))


@pytest.mark.parametrize("optimize", [False, True, "greedy", "optimal", ("greedy", 100),
                                      ["einsum_path", (1, 2), (0, 1)],
                                      ["einsum_path", (0, 1, 2)]])  # fmt: skip
def test_einsum_takes_every_way_to_optimize(optimize):
    primals = normal(2, 3), normal(3, 4), normal(4, 2)
    assert_analytic(lambda *xs: np.einsum("ij,jk,kl->il", *xs, optimize=optimize), *primals)


def test_einsum_path_of_traced_operands():
    a, b = normal(2, 3), normal(3, 4)
    paths = []

    def f(a):
        paths.append(np.einsum_path("ij,jk->ik", a, b)[0])
        return np.sum(a)

    pb.grad(f)(a)
    assert paths == [np.einsum_path("ij,jk->ik", a, b)[0]]


def test_complex_einsum():
    a, b = normal(2, 3) + 1j * normal(2, 3), normal(3, 2) + 1j * normal(3, 2)
    c_bar = normal(2, 2) + 1j * normal(2, 2)
    out, (a_bar, b_bar) = pb.pullback(lambda a, b: np.einsum("ij,jk->ik", a, b), (a, b), c_bar)
    np.testing.assert_allclose(out, a @ b, rtol=1e-14)
    np.testing.assert_allclose(a_bar, c_bar @ b.conj().T, rtol=1e-14)
    np.testing.assert_allclose(b_bar, a.conj().T @ c_bar, rtol=1e-14)


def test_a_permuting_einsum_is_a_view_that_can_be_written_through():
    def f(x):
        y = x * 1.0
        np.einsum("ij->ji", y)[0] = 0.0
        return np.sum(y * y)

    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(pb.grad(f)(x), 2 * x * [0, 1, 1])


def test_a_diagonal_by_einsum_is_written_to():
    def f(x):
        y = x * 1.0
        np.einsum("ii->i", y)[:] = 0.0
        np.einsum("ii->i", y)[1] += x[0, 2]
        return np.sum(y * x)

    x = np.arange(9.0).reshape(3, 3)
    expected = 2 * x * (1 - np.eye(3))
    expected[0, 2] += x[1, 1]
    expected[1, 1] = x[0, 2]
    np.testing.assert_allclose(pb.grad(f)(x), expected)
    np.testing.assert_allclose(pb.vmap(pb.grad(f))(x[None])[0], expected)
    np.testing.assert_allclose(pb.trace(pb.grad(f), x)(x), expected)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.einsum("ij,jk", x), "2 operands and 1 operands"),
        (lambda x: np.einsum("ijk", x), "3 labels for an operand with 2 axes"),
        (lambda x: np.einsum("i", x), "1 labels for an operand with 2 axes"),
        (lambda x: np.einsum(x, [0, 52], []), "a label is 52, wanted a whole number from 0 to 51"),
        (lambda x: np.einsum("ij,jk", x, x), "extents 3 and 2"),
        (lambda x: np.einsum("ij->ii", x), "once in the output"),
        (lambda x: np.einsum("ij->k", x), "one of the operands"),
        (lambda x: np.einsum("i...->i", x), "ellipsis"),
        (lambda x: np.einsum("i1", x), "'1'"),
    ],
)
def test_subscripts_that_do_not_fit(call, words):
    x = normal(2, 3)
    with pytest.raises(pb.ArgumentValueError, match=words):
        pb.grad(lambda x: np.sum(call(x)))(x)
    with pytest.raises(ValueError, match=r"."):
        call(x)
