"""Labels and predictions that were given in the other order, where that can be seen."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback import losses
from pullback.errors import ArgumentTypeError, ArgumentValueError
from tests.losses.samples import ELEMENTWISE, fitting

SCORES = np.array([0.4, -1.7, 2.2])
SIGNS = np.array([1.0, -1.0, 1.0])
PROBABILITIES = np.array([0.4, 0.9, 0.1])
LABELS = np.array([0.0, 1.0, 0.0])
CLASSES = np.array([2, 0, 1])
TABLE = np.array([[0.1, 2.0, -1.0], [0.5, 0.2, 0.3], [0.0, 1.0, 4.0]])
SHARES = np.exp(TABLE) / np.exp(TABLE).sum(1, keepdims=True)
ONE_HOT = np.eye(3)[CLASSES]

bce, softmax = losses.binary_cross_entropy, losses.softmax_cross_entropy


def logits(prediction, target):
    return bce(prediction, target, from_logits=True)


SWAPPED = [
    *((loss, SIGNS, SCORES) for loss in (losses.hinge, losses.perceptron, losses.zero_one)),
    (losses.hinge, SIGNS.astype(int), np.array([3, -2, 1])),
    (losses.perceptron, SIGNS > 0, SCORES),
    (bce, LABELS.astype(int), PROBABILITIES),
    (bce, LABELS.astype(int).tolist(), PROBABILITIES.tolist()),
    (bce, LABELS > 0, PROBABILITIES),
    (logits, LABELS, SCORES),
    (softmax, CLASSES, TABLE),
    (softmax, 2, TABLE[0]),
    (softmax, ONE_HOT, TABLE),
    (softmax, ONE_HOT.astype(int), SHARES + 0.1),
]


@pytest.mark.parametrize("position", range(len(SWAPPED)))
def test_what_can_be_seen_is_said_with_the_right_call(position):
    loss, labels, prediction = SWAPPED[position]
    name = "binary_cross_entropy" if loss is logits else loss.__name__
    with pytest.raises(
        (ArgumentTypeError, ArgumentValueError), match=rf"losses\.{name}\(prediction, target\)"
    ):
        loss(labels, prediction)


@pytest.mark.parametrize(
    ("loss", "labels", "prediction"),
    [
        (losses.hinge, SIGNS, SCORES),
        (bce, LABELS, PROBABILITIES),
        (logits, LABELS, SCORES),
        (softmax, ONE_HOT, SHARES),
        (softmax, CLASSES, TABLE),
    ],
)
def test_what_is_differentiated_is_the_prediction(loss, labels, prediction):
    calls = {
        "reverse": lambda: pb.grad(lambda z: loss(labels, z))(prediction),
        "forward": lambda: pb.jvp(lambda z: loss(labels, z), (prediction,), (prediction,)),
        "second": lambda: pb.hessian(lambda z: loss(labels, z))(prediction),
        "made inside": lambda: pb.grad(lambda z: loss(np.array(labels), z))(prediction),
        "of each": lambda: pb.vmap(pb.grad(lambda z: loss(labels, z)))(prediction[None]),
    }
    for call in calls.values():
        with pytest.raises(ArgumentValueError, match="the two are swapped"):
            call()


@pytest.mark.parametrize(
    ("loss", "prediction", "target"),
    [
        # Probabilities that were rounded to 0 and 1 may meet labels in between.
        (bce, np.array([0.0, 1.0]), np.array([0.1, 0.9])),
        (bce, np.array([1.0, 1.0]), np.array([0.5, 0.5])),
        (bce, np.array([1, 0]), np.array([1, 0])),
        (bce, np.array([0.0, 1.0]), np.array([0.0, 1.0])),
        (bce, np.array([0.0, 0.5]), np.array([0.0, 0.3])),
        (logits, np.array([0, 1]), np.array([0.2, 0.7])),
        (logits, np.zeros(2), np.array([0.2, 0.7])),
        (losses.hinge, np.array([1.0, -1.0]), np.array([1.0, -1.0])),
        (losses.zero_one, np.array([1, -1]), np.array([-1, 1])),
        (softmax, np.eye(3), SHARES),
        (softmax, np.eye(3, dtype=int), np.eye(3)),
        (softmax, TABLE.astype(int), ONE_HOT),
        (losses.mse, LABELS, PROBABILITIES),
        (losses.mae, LABELS.astype(int), PROBABILITIES),
        (losses.l2, SIGNS, SCORES),
    ],
)
def test_what_may_be_meant_is_left_alone(loss, prediction, target):
    assert np.isfinite(loss(prediction, target))
    if prediction.dtype.kind == "f":
        assert np.isfinite(pb.grad(loss)(prediction, target)).all()
        assert np.isfinite(pb.vmap(lambda t: loss(prediction, t))(target[None])).all()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_derivatives_by_both_arguments_are_left_alone(name):
    prediction, target = fitting(name, (4,))
    target = np.asarray(target, dtype=float)
    for bar in pb.grad(ELEMENTWISE[name], argnums=(0, 1))(prediction, target):
        assert np.isfinite(bar).all()
    assert np.isfinite(pb.grad(ELEMENTWISE[name], argnums=1)(prediction, target)).all()


def test_values_that_are_not_known_are_not_asked():
    text = str(pb.trace(lambda z: bce(LABELS, z), PROBABILITIES))
    assert "bernoulli" in text
