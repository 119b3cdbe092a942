"""Losses of classification into two classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.tracing import Tracer, known, strip
from pullback.core.validation import require_flag
from pullback.errors import ArgumentValueError
from pullback.losses.arguments import (
    holds_only,
    is_differentiated,
    order_of,
    pair,
    require_finite,
    signed,
)
from pullback.losses.reduction import Reduction, reduce
from pullback.rules import losses as rules
from pullback.transforms.foreign import by_position

__all__ = ["binary_cross_entropy", "hinge", "perceptron", "zero_one"]


def hinge(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Hinge loss of the support vector machine: (1/n) Σᵢ max(0, 1 − yᵢŷᵢ).

    Parameters
    ----------
    prediction : real array of any shape
        Scores: the sign is the predicted class.
    target : array of the same shape
        Labels −1 and +1.
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    scalar, or array of the prediction's shape for ``reduction="none"``

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes differ, an array is empty or a label is neither −1 nor +1.

    Notes
    -----
    At the kink, on the margin yŷ = 1, the derivative is taken as 0. C. Cortes and V. Vapnik,
    "Support-vector networks", Machine Learning 20 (1995).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> pb.grad(pb.losses.hinge)(np.array([0.5, 1.0, -2.0, 3.0]), np.array([1, 1, 1, 1]))
    array([-0.25,  0.  , -0.25,  0.  ])
    """
    prediction, target = signed(prediction, target, "hinge")
    return reduce(_positive_part(1 - target * prediction), reduction, "hinge")


def perceptron(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Loss of the perceptron: (1/n) Σᵢ max(0, −yᵢŷᵢ).

    Parameters
    ----------
    prediction : real array of any shape
        Scores: the sign is the predicted class.
    target : array of the same shape
        Labels −1 and +1.
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    scalar, or array of the prediction's shape for ``reduction="none"``

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes differ, an array is empty or a label is neither −1 nor +1.

    Notes
    -----
    At the kink ŷ = 0 the derivative is taken as 0, so that a fit must not start with all weights
    zero. A step of steepest descent on one misclassified sample is the perceptron's learning rule;
    F. Rosenblatt, "The perceptron", Psychological Review 65 (1958).

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> float(pb.losses.perceptron(np.array([0.5, -2.0]), np.array([1, 1])))
    1.0
    """
    prediction, target = signed(prediction, target, "perceptron")
    return reduce(_positive_part(-target * prediction), reduction, "perceptron")


def zero_one(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Zero–one loss, the share of wrong signs: (1/n) Σᵢ [yᵢŷᵢ ≤ 0].

    **Its derivative is 0 wherever it has one**, and is returned as 0 at the jump ŷ = 0 too, without
    a warning: the loss counts mistakes and cannot be minimised by its gradient. Fit with `hinge`,
    `perceptron` or `binary_cross_entropy` and report this one.

    Parameters
    ----------
    prediction : real array of any shape
        Scores: the sign is the predicted class, and 0 counts as wrong.
    target : array of the same shape
        Labels −1 and +1.
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    scalar, or array of the prediction's shape for ``reduction="none"``

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes differ, an array is empty or a label is neither −1 nor +1.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> scores, labels = np.array([0.5, -2.0, 0.0, 1.0]), np.array([1, 1, 1, 1])
    >>> float(pb.losses.zero_one(scores, labels)), pb.grad(pb.losses.zero_one)(scores, labels)
    (0.5, array([0., 0., 0., 0.]))
    """
    prediction, target = signed(prediction, target, "zero_one")
    return reduce(rules.zero_one(target * prediction), reduction, "zero_one")


def binary_cross_entropy(
    prediction: Any, target: Any, *, from_logits: bool = False, reduction: Reduction = "mean"
) -> Any:
    """Cross entropy of two classes: −(1/n) Σᵢ (yᵢ ln ŷᵢ + (1 − yᵢ) ln(1 − ŷᵢ)).

    Parameters
    ----------
    prediction : real array of any shape
        The probability of class 1, in [0, 1]; with `from_logits` the score z whose logistic
        function σ(z) is that probability, any real number.
    target : array of the same shape
        Labels 0 and 1, or probabilities in between.
    from_logits : bool
        Whether the predictions are scores. Prefer it: where σ(z) rounds to 0 or 1, the score still
        tells how wrong a prediction is.
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    scalar, or array of the prediction's shape for ``reduction="none"``

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes differ, an array is empty, or a target or a probability is outside [0, 1].

    Notes
    -----
    From scores the loss is y ln(1 + e⁻ᶻ) + (1 − y) ln(1 + eᶻ), and its derivative σ(z) − y.

    From probabilities it is infinite where a probability of 0 meets a label 1, or 1 meets 0. The
    smallest normal float ε stands in for such a zero: the loss is −ln ε there (708 in double, 87
    in single precision) and the derivative ∓1/ε, of the right sign; the second derivative, 1/ε²,
    is bounded by the largest float.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> loss = pb.losses.binary_cross_entropy
    >>> round(float(loss(np.array([0.9, 0.2]), np.array([1, 0]))), 6)
    0.164252
    >>> float(loss(np.array([-1e300]), np.array([1]), from_logits=True))
    1e+300
    """
    name = "binary_cross_entropy"
    given, (prediction, target) = prediction, pair(prediction, target, name)
    labels = strip(target)
    if known(target) and not np.all((labels >= 0) & (labels <= 1)):
        require_finite(labels, "binary_cross_entropy")
        if np.all(np.abs(labels) == 1):
            remedy = "write (target + 1) / 2"
        elif holds_only(prediction, (0, 1)) and np.any(labels != np.round(labels)):
            remedy = f"prediction holds labels, the two are swapped: write {order_of(name)}"
        else:
            remedy = "labels are 0 and 1, soft labels in between"
        raise ArgumentValueError(
            f"losses.binary_cross_entropy: target has values from {labels.min()} to "
            f"{labels.max()}, wanted labels in [0, 1]; {remedy}"
        )
    if from_logits is not False and require_flag(from_logits, f"losses.{name}", "from_logits"):
        losses = rules.bernoulli_logits(prediction, target)
        return reduce(losses, reduction, "binary_cross_entropy")
    probabilities = strip(prediction)
    if known(prediction) and np.any((probabilities < 0) | (probabilities > 1)):
        raise ArgumentValueError(
            f"losses.binary_cross_entropy: prediction has values from {probabilities.min()} to "
            f"{probabilities.max()}, wanted probabilities in [0, 1]; if these are scores, pass "
            "from_logits=True"
        )
    if _are_labels(given, prediction, target) and np.any((labels > 0) & (labels < 1)):
        raise ArgumentValueError(
            "losses.binary_cross_entropy: prediction holds labels, 0 and 1 alone, and target "
            f"probabilities from {labels.min()} to {labels.max()}: the two are swapped; write "
            f"{order_of(name)}"
        )
    return reduce(rules.bernoulli(prediction, target), reduction, "binary_cross_entropy")


def _are_labels(given: Any, prediction: Any, target: Any) -> bool:
    """Whether a prediction of zeros and ones cannot be probabilities that were rounded to them.

    They are labels if they came as integers, and if they are constant while the target is what is
    differentiated.
    """
    if type(prediction) is Tracer and not prediction._is_constant:
        return False
    integers = by_position(given, "prediction").dtype.kind in "iu"
    if not integers and not is_differentiated(target):
        return False
    return known(target) and holds_only(prediction, (0, 1))


def _positive_part(x: Any) -> Any:
    """The positive part max(0, x), with derivative 0 at the kink; NaN stays NaN."""
    return np.where(x <= 0, 0, x)
