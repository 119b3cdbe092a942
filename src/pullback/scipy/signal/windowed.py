"""Filters by windows, whose frequencies and attenuations may not be known."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal

from pullback.core.shapes import shape_of
from pullback.numpy.operands import operand
from pullback.numpy.passed_checks import decidable
from pullback.scipy.first_step import serves
from pullback.scipy.retelling import retold

__all__ = ["firwin", "kaiser_beta"]

_retold = retold(scipy.signal.firwin)


@serves(scipy.signal.firwin)
def firwin(
    numtaps: Any,
    cutoff: Any,
    *,
    width: Any = None,
    window: Any = "hamming",
    pass_zero: Any = True,
    scale: Any = True,
    fs: Any = None,
) -> Any:
    """SciPy's code; where it asks for an edge of the first band, as many edges decide as there are.

    That is the case where the frequencies are recorded or mapped, so that it isn't known that an
    edge is 0 or 1.
    """
    cutoff = operand(cutoff)
    given: dict[str, Any] = {"width": width, "window": window, "pass_zero": pass_zero, "fs": fs}
    if decidable(cutoff) or not scale:
        return _retold(numtaps, cutoff, scale=scale, **given)
    taps = _retold(numtaps, cutoff, scale=False, **given)
    edges = np.atleast_1d(cutoff) / (0.5 * (2 if fs is None else fs))
    if pass_zero is True or pass_zero in ("bandstop", "lowpass"):
        centre = 0.0
    else:
        centre = 1.0 if shape_of(edges) == (1,) else 0.5 * (edges[0] + edges[1])
    m = np.arange(0, numtaps, dtype=taps.dtype) - 0.5 * (numtaps - 1)
    return taps / np.sum(taps * np.cos(np.pi * m * centre))


_retold_beta = retold(scipy.signal.kaiser_beta)


@serves(scipy.signal.kaiser_beta)
def kaiser_beta(a: Any) -> Any:
    """SciPy's code, or its three cases at once where it isn't known which applies."""
    a = operand(a)
    if decidable(a):
        return _retold_beta(a)
    above = np.maximum(a - 21, 0)
    middle = np.where(a > 21, np.where(a > 21, above, 1.0) ** 0.4 * 0.5842 + 0.07886 * above, 0.0)
    return np.where(a > 50, 0.1102 * (a - 8.7), middle)
