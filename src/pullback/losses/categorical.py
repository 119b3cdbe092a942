"""The loss of classification into any number of classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.tracing import known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.losses.arguments import (
    as_array,
    holds_only,
    is_differentiated,
    labels_like,
    order_of,
    require_finite,
    require_nonempty,
    reshaping,
)
from pullback.losses.reduction import Reduction, reduce
from pullback.rules import losses as rules
from pullback.transforms.foreign import require_same_axes

__all__ = ["softmax_cross_entropy"]


def softmax_cross_entropy(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Cross entropy of the softmax over the last axis: −(1/n) Σᵢ Σₖ tᵢₖ ln p(k | zᵢ).

    p(k | z) = exp(zₖ) / Σⱼ exp(zⱼ).

    Parameters
    ----------
    prediction : real array, shape (..., K)
        Scores (logits) of the K classes, any real numbers.
    target : integer array, shape (...), or real array, shape (..., K)
        The class of each sample, 0 to K − 1; or for each sample a distribution over the classes,
        which sums to 1.
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    scalar, or array of shape (...) for ``reduction="none"``

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes don't fit, an array is empty, a class is not one of the K, or a
        distribution has a negative entry or a sum other than 1.

    Notes
    -----
    The derivative is softmax(z) − t. Loss and derivative are evaluated together and don't overflow;
    C. M. Bishop, *Pattern Recognition and Machine Learning*, Springer 2006, section 4.3.4.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> scores = np.log(np.array([[1.0, 1.0, 2.0], [1.0, 2.0, 1.0]]))
    >>> pb.grad(pb.losses.softmax_cross_entropy)(scores, np.array([2, 0])).round(3)
    array([[ 0.125,  0.125, -0.25 ],
           [-0.375,  0.25 ,  0.125]])
    """
    name = "softmax_cross_entropy"
    require_same_axes(prediction, target, name)
    prediction = as_array(prediction, "prediction", name)
    target = as_array(target, "target", name, "fiu")
    require_nonempty(prediction, name)
    if target.ndim == prediction.ndim + 1 and target.shape[:-1] == prediction.shape:
        raise ArgumentValueError(
            f"losses.{name}: prediction has shape {prediction.shape} and target {target.shape}, "
            "which are the shapes of classes and of scores: the two are swapped; write "
            f"{order_of(name)}"
        )
    if prediction.ndim == 0:
        raise ArgumentValueError(
            f"losses.{name}: prediction has shape (), wanted (..., K) with the scores of the K "
            "classes along the last axis"
        )
    if target.shape == prediction.shape:
        if known(target):
            _require_distribution(strip(target), prediction, name)
            if is_differentiated(target) and not is_differentiated(prediction):
                _require_scores(prediction, strip(target), name)
        target = labels_like(target, prediction)
    elif target.shape == prediction.shape[:-1]:
        target = _one_hot(target, prediction, name)
    else:
        raise ArgumentValueError(
            f"losses.{name}: target has shape {target.shape} for a prediction of shape "
            f"{prediction.shape}; wanted class labels of shape {prediction.shape[:-1]} or "
            f"distributions of shape {prediction.shape}" + reshaping(target, prediction.shape[:-1])
        )
    return reduce(rules.categorical(prediction, target), reduction, name)


def _one_hot(labels: Any, prediction: Any, name: str) -> Any:
    """Class labels as distributions."""
    if labels.dtype.kind not in "iu":
        raise ArgumentTypeError(
            f"losses.{name}: target has dtype {labels.dtype} and shape {labels.shape}; class "
            f"labels are integers: write target.astype(int), or give distributions of shape "
            f"{prediction.shape}"
        )
    classes = prediction.shape[-1]
    given = strip(labels)
    if known(labels) and given.size and (given.min() < 0 or given.max() >= classes):
        raise ArgumentValueError(
            f"losses.{name}: target has classes from {given.min()} to {given.max()}, wanted 0 "
            f"to {classes - 1} for a prediction of shape {prediction.shape}; if they are counted "
            "from 1, write target - 1"
        )
    return np.equal(labels[..., np.newaxis], np.arange(classes)).astype(prediction.dtype)


def _require_distribution(target: Any, prediction: Any, name: str) -> None:
    """Raise unless each row of `target` is a probability distribution."""
    if not target.size:
        return  # a batch of no examples
    require_finite(target, name)
    swapped = (
        f"; prediction holds labels, the two are swapped: write {order_of(name)}"
        if _is_one_hot(prediction)
        else ""
    )
    if target.min() < 0:
        raise ArgumentValueError(
            f"losses.{name}: target has a negative entry, {target.min()}; a distribution over the "
            "classes has entries of at least 0"
            + (swapped or ": normalise it with softmax, or give class labels")
        )
    sums = np.sum(target, axis=-1)
    tolerance = 1e-5 if target.dtype.kind != "f" else max(1e-5, 8 * np.finfo(target.dtype).eps)
    worst = sums.flat[np.argmax(np.abs(sums - 1))]
    if not abs(worst - 1) <= tolerance:
        raise ArgumentValueError(
            f"losses.{name}: a distribution in target sums to {worst}, wanted 1"
            + (swapped or "; divide it by np.sum(target, axis=-1, keepdims=True)")
        )


def _require_scores(prediction: Any, target: Any, name: str) -> None:
    """Raise where constant labels come first, and what is differentiated second."""
    if _is_one_hot(prediction) and not holds_only(target, (0, 1)):
        raise ArgumentValueError(
            f"losses.{name}: prediction holds labels, a single 1 in each row, and target the "
            f"distributions that are differentiated: the two are swapped; write {order_of(name)}"
        )


def _is_one_hot(x: Any) -> bool:
    """Whether each row of `x` is known to be a single 1 among zeros."""
    return holds_only(x, (0, 1)) and bool((np.sum(strip(x), axis=-1) == 1).all())
