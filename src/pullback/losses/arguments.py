"""What the losses ask of their arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.transforms.arguments import require_array
from pullback.transforms.foreign import by_position, require_same_axes
from pullback.transforms.forward import Pushforward
from pullback.transforms.tape import Tape

__all__ = [
    "as_array",
    "holds_only",
    "is_differentiated",
    "labels_like",
    "order_of",
    "pair",
    "require_finite",
    "require_finite_result",
    "require_nonempty",
    "reshaping",
    "signed",
]


def as_array(x: Any, argument: str, name: str, kinds: str = "fiu", *, truths: bool = False) -> Any:
    """`x` as an array or tracer of one of the kinds of dtype; integer predictions as floats.

    Truth values are taken where `truths` says so.
    """
    if type(x) is not Tracer and type(x) is not np.ndarray:
        x = by_position(x, f"losses.{name}: {argument}")
    if x.dtype.kind == "O":
        x = require_array(x, f"losses.{name}: {argument}")
    kind = x.dtype.kind
    if kind not in kinds and kind not in ("iub" if truths else "iu"):
        wanted = "a real or complex" if "c" in kinds else "a real"
        remedy = {
            "b": "convert it with x.astype(int)",
            "c": "take its real part, its absolute value or its phase",
        }.get(kind, "convert it with np.asarray(x, dtype=float)")
        if kind == "b" and argument == "prediction":
            remedy += f", or if it is the target, which comes second: {order_of(name)}"
        raise ArgumentTypeError(
            f"losses.{name}: {argument} has dtype {x.dtype} and shape {x.shape}, wanted {wanted} "
            f"dtype; {remedy}"
        )
    return x.astype(np.float64) if argument == "prediction" and kind in "iu" else x


def pair(prediction: Any, target: Any, name: str, kinds: str = "f") -> tuple[Any, Any]:
    """Prediction and target as arrays of the same shape, which hold something."""
    require_same_axes(prediction, target, name)
    prediction = as_array(prediction, "prediction", name, kinds)
    target = as_array(target, "target", name, kinds, truths=True)
    if target.dtype.kind == "b":
        target = target.astype(np.int8)
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
    require_same_axes(prediction, target, name)
    target = as_array(target, "target", name, truths=True)
    boolean = target.dtype.kind == "b"
    prediction, target = pair(prediction, target, name)
    labels = strip(target)
    if boolean or (known(target) and not np.all(np.abs(labels) == 1)):
        require_finite(labels, name)
        if np.all((labels == 0) | (labels == 1)):
            got, remedy = "labels 0 and 1", "write 2 * target - 1"
        elif holds_only(prediction, (-1, 0, 1)) and _are_scores(labels):
            got = f"values from {labels.min()} to {labels.max()}"
            remedy = f"prediction holds labels, the two are swapped: write {order_of(name)}"
        else:
            got = f"values from {labels.min()} to {labels.max()}"
            remedy = "write np.where(target == positive_class, 1, -1)"
        raise ArgumentValueError(
            f"losses.{name}: target has {got}, wanted labels -1 and +1; {remedy}"
        )
    return prediction, target


def holds_only(x: Any, labels: tuple[int, ...]) -> bool:
    """Whether every element of `x` is known and one of these labels."""
    return known(x) and bool(np.isin(strip(x), labels).all())


def _are_scores(x: Any) -> bool:
    """Whether there are values that don't count classes: parts of whole numbers, or below −1."""
    return bool(np.any(x != np.round(x)) or np.any(x < -1))


def order_of(name: str) -> str:
    """How a loss is called."""
    return f"losses.{name}(prediction, target)"


def is_differentiated(x: Any) -> bool:
    """Whether a derivative with respect to `x` is being taken."""
    while type(x) is Tracer:
        if isinstance(x._interpreter, Tape | Pushforward) and not x._is_constant:
            return True
        x = x._value
    return False


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
