"""NumPy under recording: aliasing, integers, and what must not be done there."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.graph.programs import assert_traces

x2 = np.arange(6.0).reshape(2, 3) + 0.5
v3 = np.array([3.0, 1.0, 2.0])


def _ravel(x):
    y = x * 1.0
    r = y.ravel()
    r[0] = 9
    return y, r


def _transposed(x):
    y = x * 1.0
    t = y.T
    t[0] = 7
    y[1, 1] = -1
    return y, t


def _rows_of_rows(x):
    y = np.zeros_like(x)
    y[...] = x
    z = y[0]
    z += 1
    z[::2].ravel()[0] = 5  # a copy
    z[::2].reshape(-1)[1] = 50  # a view
    y.reshape(3, 2)[2, 0] *= 2
    return y, z


def _ravel_of_transposed(x):
    y = x * 1.0
    r = y.T.ravel()  # a copy
    r += 1
    return y, r, y.T.ravel("K"), y.flatten("F"), np.asfortranarray(y).ravel("A")


def _rows_at_unknown_places(x):
    i = np.argmax(x[:, 0])
    y = x * 1.0
    row = y[i]
    row += 1
    y[i, 0] = 0
    return y, row, i


def _scalars_are_immutable(x):
    s = x.sum()
    t = s
    s += 1
    z = np.zeros((), like=x)
    w = z
    w += s
    u = np.reshape(x[0, :1] * 1.0, ())
    q = u
    q += 1
    e = x[0] * 1.0
    e[0, ...] += 5
    return s, t, z, w, u, q, e


def _broadcast(x):
    y = np.broadcast_to(x[0], (4, 3)).copy()
    y[0] = 0
    return y, np.expand_dims(x, 0)[0], np.squeeze(x[:, :1])


def _parts(x):
    z = x + 1j
    z.real[0] = 4
    z.imag *= 2
    return z


def _masked(x):
    y = x * 1.0
    y[y > 2] = 0
    y[y[:, 0] < 1] = -1.0
    return y


def _filled(x):
    y = np.empty((3, 3), like=x)
    y[0] = x[0]
    y[1:] = x
    np.add.at(y, ([0, 0],), 1.0)
    y[np.arange(3), np.arange(3)] *= 2
    return y


PROGRAMS = [
    _ravel, _transposed, _rows_of_rows, _ravel_of_transposed, _rows_at_unknown_places,
    _scalars_are_immutable, _broadcast, _parts, _masked, _filled,
]  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS)
def test_views_and_copies_as_in_numpy(f):
    assert_traces(f, x2)


@pytest.mark.parametrize("f", [f for f in PROGRAMS if f is not _parts])
def test_views_and_copies_in_a_gradient(f):
    def loss(x):
        return sum(np.sum(np.sin(part)) for part in _as_tuple(f(x)) if part.dtype.kind == "f")

    assert_traces(pb.grad(loss), x2)
    assert_traces(pb.vmap(pb.grad(loss)), np.stack([x2, x2[::-1]]))


def _as_tuple(x):
    return x if isinstance(x, tuple) else (x,)


def _either(x):
    """Laid out as x, or as its transpose is: that depends on a value."""
    return pb.cond(x[0, 0] > 0, lambda x: x + 1, lambda x: np.array(x, order="F"), x)


def test_the_write_is_refused_where_a_view_and_a_copy_cannot_be_told_apart():
    def f(x, y):
        z = _either(x)
        r = z.reshape(-1)
        r[0] = 1
        return z

    with pytest.raises(pb.AliasError, match=r"may share memory.*r\[0\] = 1.*\.copy\(\)"):
        pb.trace(f, x2, x2)

    def g(x):
        z = _either(x)
        r = z.reshape(-1)
        z[0] = 1
        return r

    with pytest.raises(pb.AliasError, match="may share memory"):
        pb.trace(g, x2)
    assert_traces(lambda x: _either(x).reshape(-1) * 2, x2)


def test_a_write_through_what_a_function_has_laid_out_in_another_order():
    def f(x):
        z = np.exp(x.T)  # in Fortran order, as x.T is
        z.reshape(-1)[0] = 1
        z.T.reshape(-1)[1] = 2
        return z

    assert_traces(f, x2)


def test_integers_stay_traced():
    def f(v):
        order = np.argsort(v)
        best = np.argmax(v)
        return (v[order], v[best], np.take(v, order[:2]), best + 1, order == best, v > 1,
                np.sort(v)[best], np.where(order > 0, v, 0), np.array([best, best]),
                np.count_nonzero(v > 1), v[:, None][best],
                np.asarray([1.0, 2.0, 3.0], like=v)[best])  # fmt: skip

    assert_traces(f, v3)
    graph = pb.trace(lambda v: v[np.argmax(v)], v3)
    assert graph.outputs[0].shape == ()
    np.testing.assert_array_equal(graph(np.array([1.0, 2.0, 5.0])), 5.0)


# -- what is refused -----------------------------------------------------------------------------


def test_results_that_are_no_arrays_are_refused():
    with pytest.raises(pb.ArgumentTypeError, match=r"the result.0. is a str, wanted an array"):
        pb.trace(lambda v: ("text", v), v3)


def test_primitives_whose_shape_cannot_be_found_out_are_refused():
    @pb.primitive
    def opaque(x):
        return np.ones(5)[int(x[0]) + 7]

    with pytest.raises(pb.NoRuleError, match=r"opaque has no shape rule.*@opaque\.shape"):
        pb.trace(opaque, v3)
