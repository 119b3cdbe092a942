"""Waves as functions of time."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal

from pullback.core.tracing import known
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import inexact
from pullback.numpy.operands import anywhere, operand
from pullback.scipy.first_step import serves

__all__: list[str] = []


@serves(scipy.signal.chirp)
def chirp(
    t: Any,
    f0: Any,
    t1: Any,
    f1: Any,
    method: Any = "linear",
    phi: Any = 0,
    vertex_zero: Any = True,
    *,
    complex: bool = False,
) -> Any:
    """A cosine whose frequency goes from f0 at the time 0 to f1 at t1."""
    t, f0, t1, f1 = (inexact(operand(each)) for each in (t, f0, t1, f1))
    phase = _phase(t, f0, t1, f1, method, vertex_zero) + np.deg2rad(inexact(operand(phi)))
    return np.exp(1j * phase) if complex else np.cos(phase)


def _phase(t: Any, f0: Any, t1: Any, f1: Any, method: Any, vertex_zero: Any) -> Any:
    if method in ("linear", "lin", "li"):
        beta = (f1 - f0) / t1
        return 2 * np.pi * (f0 * t + 0.5 * beta * t * t)
    if method in ("quadratic", "quad", "q"):
        beta = (f1 - f0) / t1**2
        if vertex_zero:
            return 2 * np.pi * (f0 * t + beta * t**3 / 3)
        return 2 * np.pi * (f1 * t + beta * ((t1 - t) ** 3 - t1**3) / 3)
    if method in ("logarithmic", "log", "lo"):
        _require(f0 * f1 > 0, "f0 and f1 of one sign, and not 0, for a logarithmic chirp")
        _require(f0 != f1, "f0 and f1 that differ, as the derivative of a logarithmic chirp needs")
        beta = t1 / np.log(f1 / f0)
        return 2 * np.pi * beta * f0 * (np.power(f1 / f0, t / t1) - 1.0)
    if method in ("hyperbolic", "hyp"):
        _require(f0 * f1 != 0, "f0 and f1 that are not 0 for a hyperbolic chirp")
        _require(f0 != f1, "f0 and f1 that differ, as the derivative of a hyperbolic chirp needs")
        pole = -f1 * t1 / (f0 - f1)
        return 2 * np.pi * (-pole * f0) * np.log(np.abs(1 - t / pole))
    raise ArgumentValueError(
        f'scipy.signal.chirp: method is {method!r}, wanted "linear", "quadratic", "logarithmic" '
        'or "hyperbolic"'
    )


def _require(condition: Any, wanted: str) -> None:
    if known(condition) and anywhere(np.logical_not(condition)):
        raise ArgumentValueError(f"scipy.signal.chirp: wanted {wanted}")


@serves(scipy.signal.sawtooth)
def sawtooth(t: Any, width: Any = 1) -> Any:
    """From −1 up to 1 within a part of the period, and down again in the rest of it.

    Where it jumps or turns, the derivative is that after it.
    """
    t, w = inexact(operand(t)), inexact(operand(width))
    phase = np.mod(t, 2 * np.pi)
    rises = phase < 2 * np.pi * w
    up = phase / (np.pi * np.where(rises, w, 1)) - 1
    down = (np.pi * (w + 1) - phase) / (np.pi * np.where(rises, 1, 1 - w))
    wave = np.where(rises, up, down)
    return np.where((w >= 0) & (w <= 1), wave, np.nan)


@serves(scipy.signal.square)
def square(t: Any, duty: Any = 0.5) -> Any:
    """1 within a part of the period and −1 in the rest of it: constant wherever it is smooth."""
    t, w = inexact(operand(t)), inexact(operand(duty))
    wave = np.where(np.mod(t, 2 * np.pi) < 2 * np.pi * w, 1.0, -1.0)
    return np.where((w >= 0) & (w <= 1), wave, np.nan) + 0 * (t + w)
