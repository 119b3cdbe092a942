"""Losses of regression: how far values are from values."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.losses.arguments import pair, require_finite_result
from pullback.losses.reduction import Reduction, count_of, reduce
from pullback.rules import losses as rules

__all__ = ["l2", "mae", "mse"]


def l2(prediction: Any, target: Any) -> Any:
    """Half the squared Euclidean distance: ½‖y − y_ref‖², a sum over all elements.

    Parameters
    ----------
    prediction : array of any shape, real or complex
    target : array of the same shape

    Returns
    -------
    scalar

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes differ, an array is empty or the target isn't finite.

    Notes
    -----
    With Δ = y − y_ref, the pushforward is ℓ̇ = Δᵀẏ − Δᵀẏ_ref, and the pullback of ℓ̄ is
    ȳ = ℓ̄Δ, ȳ_ref = −ℓ̄Δ.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> y, y_ref = np.array([1.0, 2.0]), np.array([0.0, 4.0])
    >>> loss, (y_bar, y_ref_bar) = pb.pullback(pb.losses.l2, (y, y_ref), 1.0)
    >>> float(loss), y_bar, y_ref_bar
    (2.5, array([ 1., -2.]), array([-1.,  2.]))
    """
    prediction, target = pair(prediction, target, "l2", "fc")
    loss = rules.squared_norm(rules.difference(prediction, target), scale=0.5)
    return require_finite_result(loss, target, "l2")


def mse(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Mean squared error: (1/n) Σᵢ (ŷᵢ − yᵢ)² over all n elements.

    Parameters
    ----------
    prediction : array of any shape, real or complex
    target : array of the same shape
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    scalar, or array of the prediction's shape for ``reduction="none"``

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes differ, an array is empty or the target isn't finite.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> float(pb.losses.mse(np.array([1.0, 2.0]), np.array([0.0, 4.0])))
    2.5
    """
    prediction, target = pair(prediction, target, "mse", "fc")
    residual = rules.difference(prediction, target)
    count = count_of(prediction.size, reduction, "mse")
    if count is not None:
        loss = rules.squared_norm(residual, scale=1 / count)
    elif residual.dtype.kind == "c":
        loss = np.square(np.real(residual)) + np.square(np.imag(residual))
    else:
        loss = rules.product(residual, residual)
    return require_finite_result(loss, target, "mse")


def mae(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Mean absolute error: (1/n) Σᵢ |ŷᵢ − yᵢ| over all n elements.

    Parameters
    ----------
    prediction : array of any shape, real or complex
    target : array of the same shape
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    scalar, or array of the prediction's shape for ``reduction="none"``

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where the shapes differ, an array is empty or the target isn't finite.

    Notes
    -----
    At the kink, where prediction and target agree, the derivative is taken as 0.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> y, y_ref = np.array([1.0, 2.0, 3.0, 3.0]), np.array([0.0, 4.0, 3.0, 3.0])
    >>> pb.grad(pb.losses.mae)(y, y_ref)
    array([ 0.25, -0.25,  0.  ,  0.  ])
    """
    prediction, target = pair(prediction, target, "mae", "fc")
    loss = reduce(np.abs(rules.difference(prediction, target)), reduction, "mae")
    return require_finite_result(loss, target, "mae")
