"""Losses: how far a prediction is from its target.

Every loss is called as ``loss(prediction, target)`` with two arrays of the same shape (but see
`softmax_cross_entropy`) and is differentiable in both. Each element of the prediction is a
sample's, so the mean, which is the default, is over all elements; for `softmax_cross_entropy` it is
over all axes but the last, which holds the classes. ``reduction="sum"`` adds the samples up and
``reduction="none"`` returns the loss of each. `l2` is a sum by definition.

For finite inputs of any size the value is finite: where it would be larger than any float, it is
the largest float. The gradient is that of the exact loss, bounded in the same way. Infinite and
undefined predictions give infinite and undefined losses, so that a diverging fit shows; targets
must be finite.

Elements are compared by position: frames, series and other libraries' arrays are taken for their
numbers, whatever their labels (axes that have names must have the same, in the same order). Masks,
units and sparse arrays are errors.

Targets that don't fit are errors: shapes that would broadcast against each other, labels of the
wrong kind, probabilities that aren't, and labels given first where that can be seen. Labels of an
integer type don't change the precision: the loss of a float32 prediction is a float32.
"""

from pullback.losses.binary import binary_cross_entropy, hinge, perceptron, zero_one
from pullback.losses.categorical import softmax_cross_entropy
from pullback.losses.regression import l2, mae, mse

__all__ = [
    "binary_cross_entropy",
    "hinge",
    "l2",
    "mae",
    "mse",
    "perceptron",
    "softmax_cross_entropy",
    "zero_one",
]
