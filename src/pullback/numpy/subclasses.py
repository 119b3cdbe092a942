"""Arrays of subclasses, which may be more than their elements.

A traced value has elements and nothing else. Beside it an array of a subclass is its elements too,
if that is all there is to it, as of a `numpy.memmap`. What a mask, a product of matrices or a unit
adds to them would be lost without a word; such arrays are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.subclasses import requirements
from pullback.errors import ArgumentTypeError
from pullback.transforms.foreign import masks_nothing

__all__ = ["refuse_masks"]

_HOOKS = ("__array_ufunc__", "__array_function__")


def require_elements_alone(x: Any, where: str) -> None:
    """Raise where there is more to an array of a subclass than its elements.

    Some may be masked; a `numpy.matrix` has other operators; others have arithmetic of their own.
    """
    cls = type(x)
    if not masks_nothing(x):
        raise ArgumentTypeError(
            f"{where}: got a masked array of dtype {x.dtype} and shape {x.shape} with "
            f"{np.count_nonzero(x.mask)} of its elements masked, which would be lost where it "
            f"meets a traced value. {_CHOOSE}"
        )
    if issubclass(cls, np.matrix):
        raise ArgumentTypeError(
            f"{where}: got a numpy.matrix of shape {x.shape}, whose operators mean other things "
            "than those of arrays, beside a traced value; write np.asarray(M), and @ for the "
            "product of matrices"
        )
    if any(getattr(cls, hook) is not getattr(np.ndarray, hook) for hook in _HOOKS):
        raise ArgumentTypeError(
            f"{where}: got a {cls.__name__} of dtype {x.dtype} and shape {x.shape}, a class with "
            "arithmetic of its own, which would be lost where it meets a traced value; hand over "
            "its elements, np.asarray(x), in the unit or form that you mean"
        )


def refuse_masks(dtype: np.dtype[Any], shape: tuple[int, ...]) -> ArgumentTypeError:
    """The error for a traced value that is given to a function of masked arrays."""
    return ArgumentTypeError(
        f"numpy.ma: got an array of dtype {dtype} and shape {shape} that is traced, and a masked "
        f"array cannot hold its derivative. {_CHOOSE}"
    )


_CHOOSE = (
    "A mask is a constant selection: write it with NumPy's functions, as in "
    "np.where(np.ma.getmaskarray(m), 0, x - np.ma.filled(m, 0)), np.mean(x, "
    "where=~np.ma.getmaskarray(m)) or x[~np.ma.getmaskarray(m)]"
)

requirements.append(require_elements_alone)
