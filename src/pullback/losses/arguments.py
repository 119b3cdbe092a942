"""What the losses ask of their arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core.tracer import known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.transforms.arguments import require_array

__all__ = [
    "as_array",
    "labels_like",
    "pair",
    "require_finite",
    "require_finite_result",
    "require_nonempty",
    "reshaping",
    "signed",
]


def as_array(x: Any, argument: str, name: str, kinds: str = "fiu") -> Any:
    """`x` as an array or tracer of one of the kinds of dtype; integer predictions as floats."""
    if not (hasattr(x, "shape") and hasattr(x, "dtype")):
        x = np.asarray(x)
    if x.dtype.kind == "O":
        x = require_array(x, f"losses.{name}: {argument}")
    kind = x.dtype.kind
    if kind not in kinds and kind not in "iu":
        wanted = "a real or complex" if "c" in kinds else "a real"
        remedy = {
            "b": "convert it with x.astype(int)",
            "c": "take its real part, its absolute value or its phase",
        }.get(kind, "convert it with np.asarray(x, dtype=float)")
        raise ArgumentTypeError(
            f"losses.{name}: {argument} has dtype {x.dtype} and shape {x.shape}, wanted {wanted} "
            f"dtype; {remedy}"
        )
    return x.astype(np.float64) if argument == "prediction" and kind in "iu" else x


def pair(prediction: Any, target: Any, name: str, kinds: str = "f") -> tuple[Any, Any]:
    """Prediction and target as arrays of the same shape, which hold something."""
    prediction = as_array(prediction, "prediction", name, kinds)
    if is_boolean(target):
        target = target.astype(np.int8)
    target = as_array(target, "target", name, kinds)
    if prediction.shape != target.shape:
        raise ArgumentValueError(
            f"losses.{name}: prediction has shape {prediction.shape} and target {target.shape}; "
            "they must be equal, since broadcasting would compare each prediction with other "
            "samples' targets" + reshaping(target, prediction.shape)
        )
    require_nonempty(prediction, name)
    return prediction, labels_like(target, prediction)


def signed(prediction: Any, target: Any, name: str) -> tuple[Any, Any]:
    """Scores, and labels −1 and +1."""
    boolean = is_boolean(target)
    prediction, target = pair(prediction, target, name)
    labels = strip(target)
    if boolean or (known(target) and not np.all(np.abs(labels) == 1)):
        require_finite(labels, name)
        if np.all((labels == 0) | (labels == 1)):
            got, remedy = "labels 0 and 1", "write 2 * target - 1"
        else:
            got = f"values from {labels.min()} to {labels.max()}"
            remedy = "write np.where(target == positive_class, 1, -1)"
        raise ArgumentValueError(
            f"losses.{name}: target has {got}, wanted labels -1 and +1; {remedy}"
        )
    return prediction, target


def is_boolean(x: Any) -> bool:
    """Whether `x` is an array of truth values."""
    return hasattr(x, "dtype") and x.dtype.kind == "b"


def labels_like(target: Any, prediction: Any) -> Any:
    """`target` in the prediction's dtype if it is made of integers."""
    return target.astype(prediction.dtype) if target.dtype.kind in "iu" else target


def require_nonempty(prediction: Any, name: str) -> None:
    """Raise unless there is a sample."""
    if 0 in prediction.shape:
        raise ArgumentValueError(
            f"losses.{name}: prediction has shape {prediction.shape}, which holds no sample; "
            "the loss of nothing is not defined: leave empty batches out"
        )


def require_finite(target: Any, name: str) -> None:
    """Raise unless every target is finite."""
    if not np.isfinite(target).all():
        raise ArgumentValueError(
            f"losses.{name}: target holds NaN or infinity; wanted finite targets: leave those "
            "samples out, prediction[np.isfinite(target)] and target[np.isfinite(target)]"
        )


def require_finite_result(loss: Any, target: Any, name: str) -> Any:
    """`loss`, unless it's infinite or undefined because of the target.

    A finite loss has finite targets, so that they are looked at only if it isn't.
    """
    if not (known(loss) and known(target)):
        return loss
    value = strip(loss)
    finite = math.isfinite(value) if value.ndim == 0 else np.isfinite(value).all()
    if not finite:
        require_finite(strip(target), name)
    return loss


def reshaping(target: Any, shape: tuple[int, ...]) -> str:
    """The remedy for a target with the right number of elements in another shape."""
    if target.size != np.prod(shape, dtype=int):
        return "; give one target for each prediction"
    return f"; write target.reshape({shape})"
