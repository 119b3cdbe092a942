"""Where extrema are, which is constant, and how high, which is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal

from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError
from pullback.numpy.operands import operand, require_known
from pullback.rules.custom import stop_gradient
from pullback.scipy.decisions import constant
from pullback.scipy.first_step import plain, serves
from pullback.transforms.arguments import describe

__all__: list[str] = []


def _plain(name: str, argument: str, x: Any) -> Any:
    return require_known(f"scipy.signal.{name}", argument, stop_gradient(operand(x)))


def _serve_extrema(name: str) -> None:
    """Serve what returns places alone."""
    function = getattr(scipy.signal, name)
    original = plain(function)

    @serves(function)
    def places(data: Any, *args: Any, **kwargs: Any) -> Any:
        return original(_plain(name, "data", data), *args, **kwargs)


for _name in ("argrelextrema", "argrelmax", "argrelmin"):
    _serve_extrema(_name)


def _prominences(x: Any, peaks: Any, left: Any, right: Any) -> Any:
    return x[peaks] - np.maximum(x[left], x[right])


@serves(scipy.signal.peak_prominences)
def peak_prominences(x: Any, peaks: Any, wlen: Any = None) -> Any:
    """How far each peak is above the higher one of its bases."""
    if isinstance(peaks, Tracer):
        peaks = require_known("scipy.signal.peak_prominences", "peaks", peaks)
    given = _plain("peak_prominences", "x", x)
    _, left, right = scipy.signal.peak_prominences(given, peaks, wlen)
    return _prominences(operand(x), np.asarray(peaks, np.intp), left, right), left, right


@serves(scipy.signal.find_peaks)
def find_peaks(x: Any, *args: Any, **kwargs: Any) -> Any:
    """The places of peaks, and their properties; conditions on them are constants."""
    for argument in (*args, *kwargs.values()):
        if isinstance(argument, Tracer):
            raise ArgumentTypeError(
                f"scipy.signal.find_peaks: got a condition that is traced, {describe(argument)}; "
                "which peaks fulfil it is constant: detach it with pullback.stop_gradient"
            )
    peaks, found = scipy.signal.find_peaks(_plain("find_peaks", "x", x), *args, **kwargs)
    x = operand(x)
    if "widths" in found:
        raise ArgumentTypeError(
            "scipy.signal.find_peaks: the argument width is not supported where x is being "
            "differentiated, as the widths have no rule; choose from the peaks by another condition"
        )
    if "peak_heights" in found:
        found["peak_heights"] = x[peaks]
    if "left_thresholds" in found:
        found["left_thresholds"] = x[peaks] - x[peaks - 1]
        found["right_thresholds"] = x[peaks] - x[peaks + 1]
    if "prominences" in found:
        found["prominences"] = _prominences(x, peaks, found["left_bases"], found["right_bases"])
    return peaks, found


constant(scipy.signal, "argrelextrema argrelmax argrelmin", "places")
