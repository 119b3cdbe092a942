"""Targets and predictions that do not fit a loss, and what it says to do."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback import losses
from pullback.errors import ArgumentTypeError, ArgumentValueError
from tests.losses.samples import ELEMENTWISE, fitting

# -- targets that do not fit ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["l2", *ELEMENTWISE])
def test_shapes_that_would_broadcast_are_refused(name):
    loss = getattr(losses, name)
    p, t = fitting(name, (5,))
    with pytest.raises(ArgumentValueError) as caught:
        loss(p, t[:, np.newaxis])
    for words in (f"losses.{name}", "(5,)", "(5, 1)", "target.reshape((5,))"):
        assert words in str(caught.value)
    with pytest.raises(ArgumentValueError, match=r"one target for each prediction"):
        loss(p, t[:3])
    with pytest.raises(ArgumentValueError, match=r"shape \(5,\) and target \(\)"):
        loss(p, t[0])


@pytest.mark.parametrize("name", ["l2", *ELEMENTWISE])
def test_empty_arrays_are_refused(name):
    with pytest.raises(ArgumentValueError, match=r"shape \(0,\), which holds no sample"):
        getattr(losses, name)(np.zeros(0), np.zeros(0))
    with pytest.raises(ArgumentValueError, match="holds no sample"):
        losses.softmax_cross_entropy(np.zeros((0, 3)), np.zeros(0, dtype=int))


@pytest.mark.parametrize("name", ["l2", "mse", "mae"])
def test_targets_must_be_finite(name):
    with pytest.raises(ArgumentValueError, match=f"losses.{name}: target holds NaN or infinity"):
        getattr(losses, name)(np.zeros(2), np.array([1.0, np.nan]))


@pytest.mark.parametrize("name", ["hinge", "perceptron", "zero_one"])
def test_labels_of_the_other_kind_are_refused_with_the_way_out(name):
    loss = getattr(losses, name)
    with pytest.raises(ArgumentValueError, match=r"labels 0 and 1, wanted .* 2 \* target - 1"):
        loss(np.zeros(2), np.array([0, 1]))
    with pytest.raises(ArgumentValueError, match=r"2 \* target - 1"):
        loss(np.zeros(2), np.array([True, True]))
    with pytest.raises(ArgumentValueError, match=r"from 1\S* to 3\S*, wanted labels -1 and \+1"):
        loss(np.zeros(2), np.array([1, 3]))
    assert loss(np.ones(2), 2 * np.array([True, True]) - 1) == 0


def test_binary_cross_entropy_says_what_labels_and_probabilities_are():
    loss = losses.binary_cross_entropy
    with pytest.raises(ArgumentValueError, match=r"write \(target \+ 1\) / 2"):
        loss(np.full(2, 0.5), np.array([-1, 1]))
    with pytest.raises(ArgumentValueError, match=r"wanted labels in \[0, 1\]; labels are 0 and 1"):
        loss(np.full(2, 0.5), np.array([1, 2]))
    with pytest.raises(ArgumentValueError, match=r"from -0.5 to 3.0.*from_logits=True"):
        loss(np.array([-0.5, 3.0]), np.array([0, 1]))
    with pytest.raises(ArgumentValueError, match=r"from_logits=True"):
        pb.grad(loss)(np.array([-0.5, 3.0]), np.array([0, 1]))
    assert np.isnan(loss(np.array([np.nan]), np.array([1])))


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        ([0, 3], ArgumentValueError, r"classes from 0 to 3, wanted 0 to 2 .*target - 1"),
        ([-1, 0], ArgumentValueError, r"classes from -1 to 0"),
        ([0.0, 1.0], ArgumentTypeError, r"dtype float64 .* target.astype\(int\)"),
        ([[0], [1]], ArgumentValueError, r"target.reshape\(\(2,\)\)"),
        ([0, 1, 2], ArgumentValueError, r"class labels of shape \(2,\) or .* \(2, 3\)"),
        ([[0.5, 0.5, 0.5]] * 2, ArgumentValueError, r"sums to 1.5, wanted 1; divide"),
        ([[1.5, -0.5, 0.0]] * 2, ArgumentValueError, r"negative entry, -0.5"),
        ([[np.nan, 0.5, 0.5]] * 2, ArgumentValueError, r"NaN or infinity"),
        ([True, False], ArgumentTypeError, r"dtype bool .* x.astype\(int\)"),
    ],
)
def test_softmax_cross_entropy_says_what_classes_are(target, error, words):
    with pytest.raises(error, match=words):
        losses.softmax_cross_entropy(np.zeros((2, 3)), np.array(target))


def test_other_arguments_that_do_not_fit():
    with pytest.raises(ArgumentValueError, match=r"shape \(\), wanted \(\.\.\., K\)"):
        losses.softmax_cross_entropy(np.array(1.0), np.array(0))
    with pytest.raises(ArgumentValueError, match=r"reduction is 'avg', wanted 'mean', 'sum'"):
        losses.mse(np.ones(2), np.ones(2), reduction="avg")
    with pytest.raises(ArgumentTypeError, match=r"losses.hinge: prediction has dtype complex128"):
        losses.hinge(np.ones(2) * 1j, np.ones(2))
    with pytest.raises(ArgumentTypeError, match=r"losses.mse: prediction has dtype <U1"):
        losses.mse(np.array(["a"]), np.ones(1))
    with pytest.raises(ArgumentTypeError, match=r"losses.mse: prediction has dtype bool"):
        losses.mse(np.array([True]), np.ones(1))
