"""Arrays of subclasses beside traced values: followed where they are their elements, or refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pullback as pb

MASKED = np.ma.masked_equal([1.0, -999.0, 3.0], -999.0)
BARE = np.ma.array([1.0, 2.0, 3.0])
ONES = np.ones(3)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    MATRIX = np.matrix([[1.0, 2.0], [3.0, 4.0]])

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")


class Unit(np.ndarray):
    """Has arithmetic of its own, as quantities have."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return "a quantity"


class Named(np.ndarray):
    """Has a name beside its elements, and no arithmetic."""


def written(p):
    y = ONES * p
    y[:] = MASKED
    return np.sum(y)


def added(p):
    y = ONES * p
    y += MASKED
    return np.sum(y)


LOSING = {
    "the mean": lambda p: np.mean((p - MASKED) ** 2),
    "on the left": lambda p: np.mean((MASKED - p) ** 2),
    "a product": lambda p: np.sum(p * MASKED),
    "a power": lambda p: np.sum(MASKED**p),
    "a ufunc": lambda p: np.sum(np.multiply(MASKED, p)),
    "an outer product": lambda p: np.sum(np.multiply.outer(MASKED, ONES * p)),
    "a comparison": lambda p: np.sum(p * (p > MASKED)),
    "a choice": lambda p: np.sum(np.where(True, MASKED, p)),
    "a dot product": lambda p: np.dot(MASKED, ONES * p),
    "einsum": lambda p: np.einsum("i,i", MASKED, ONES * p),
    "joined": lambda p: np.sum(np.concatenate([MASKED, ONES * p])),
    "weights": lambda p: np.average(ONES * p, weights=MASKED),
    "knots": lambda p: np.interp(p, ONES, MASKED),
    "written": written,
    "added": added,
    "one element": lambda p: p * np.ma.masked,
    "np.ma.array": lambda p: np.ma.array(ONES * p, mask=[0, 1, 0]).sum(),
    "np.ma.masked_where": lambda p: np.ma.masked_where(ONES > 2, ONES * p).sum(),
    "np.ma.mean": lambda p: np.ma.mean(ONES * p),
    "np.ma.where": lambda p: np.ma.where(MASKED > 1, p, 0.0).sum(),
    "np.ma.filled": lambda p: np.ma.filled(MASKED * p, 0.0).sum(),
    "np.ma.masked_invalid": lambda p: np.ma.masked_invalid(ONES * p).sum(),
}


@pytest.mark.parametrize("name", LOSING)
def test_no_mask_is_lost(name):
    f = LOSING[name]
    for call in (
        lambda: pb.grad(f)(2.0),
        lambda: pb.pushforward(f, (2.0,), (1.0,)),
        lambda: pb.trace(f, 2.0),
        lambda: pb.vmap(f)(ONES),
    ):
        with pytest.raises(pb.errors.ArgumentTypeError, match=r"mask.*np\.ma\.getmaskarray"):
            call()


def test_the_remedies_of_the_message_are_right():
    def chosen(p):
        mask = np.ma.getmaskarray(MASKED)
        return np.sum(np.where(mask, 0, p - np.ma.filled(MASKED, 0)) ** 2)

    def left_out(p):
        return np.mean((p - np.ma.filled(MASKED, 0)) ** 2, where=~np.ma.getmaskarray(MASKED))

    def selected(p):
        return np.sum((ONES * p)[~np.ma.getmaskarray(MASKED)] * MASKED.compressed())

    assert pb.value_and_grad(chosen)(3.0) == (4.0, 4.0)
    assert pb.value_and_grad(left_out)(3.0) == (2.0, 2.0)
    assert pb.value_and_grad(selected)(3.0) == (12.0, 4.0)
    assert pb.grad(lambda p: np.mean(MASKED) * p)(3.0) == 2.0


@pytest.mark.parametrize("array", [MASKED, MATRIX, ONES.view(Unit)], ids=["mask", "matrix", "unit"])
def test_arguments_that_are_more_than_their_elements_are_refused(array):
    def f(x):
        return np.sum(np.sin(x))

    calls = (
        lambda: pb.grad(f)(array),
        lambda: pb.pushforward(f, (array,), (np.ones(array.shape),)),
        lambda: pb.vjp(np.sin, np.ones(array.shape))[1](array),
        lambda: pb.vmap(np.sin)(array),
        lambda: pb.trace(f, array),
        lambda: pb.trace(f, np.ones(array.shape))(array),
        lambda: pb.checkpoint(f)(array),
        lambda: pb.scan(lambda c, x: (c, x), 0.0, array),
    )
    for call in calls:
        with pytest.raises(pb.errors.ArgumentTypeError, match=r"np\.asarray|getmaskarray"):
            call()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x * MATRIX),
        lambda x: np.sum(MATRIX * x),
        lambda x: np.sum(MATRIX @ x),
        lambda x: np.sum(x + MATRIX),
        lambda x: np.sum(np.dot(MATRIX, x)),
        lambda x: np.sum(x * ONES[:2].view(Unit)),
        lambda x: np.sum(np.multiply(x, ONES[:2].view(Unit))),
    ],
)
def test_operands_that_are_more_than_their_elements_are_refused(f):
    with pytest.raises(pb.errors.ArgumentTypeError, match=r"np\.asarray"):
        pb.grad(f)(np.ones((2, 2)))


def test_what_is_its_elements_is_taken(tmp_path):
    mapped = np.memmap(tmp_path / "elements", dtype=float, mode="w+", shape=3)
    mapped[:] = 2.0
    for array in (
        mapped,
        BARE,
        (2 * ONES).view(Named),
        np.rec.array([(2.0,)] * 3, dtype=[("a", float)]).a.view(np.recarray),
    ):
        x = np.asarray(array)
        np.testing.assert_array_equal(pb.grad(lambda x: np.sum(x * x))(array), 2 * x)
        assert pb.grad(lambda p: np.sum(p * array))(1.0) == np.sum(x)  # noqa: B023
    assert pb.grad(lambda p: np.sum(np.asarray(MATRIX) @ (p * np.ones(2))))(1.0) == 10.0
