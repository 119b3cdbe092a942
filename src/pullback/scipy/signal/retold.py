"""Functions of `scipy.signal` whose own code runs on traced values."""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any, ClassVar

import numpy as np
import scipy.linalg
import scipy.signal

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand, refuse
from pullback.scipy.first_step import any_traced, serves
from pullback.scipy.retelling import hooks, instead, instead_within, retold
from pullback.scipy.signal.resampling import along_axis

__all__ = ["CLASSES", "FUNCTIONS", "WINDOWS"]

_FUNCTIONS = """
abcd_normalize bessel bilinear bilinear_zpk bode butter cheb1ap cheb2ap cheby1 cheby2 coherence
csd czt decimate detrend dimpulse dlsim dstep ellip envelope filtfilt firwin firwin2 freqresp
freqs freqs_zpk freqz freqz_sos freqz_zpk gauss_spline gausspulse get_window group_delay hilbert
hilbert2 iirfilter iirnotch iirpeak invres invresz istft kaiser_beta lombscargle lp2bp lp2bp_zpk
lp2bs lp2bs_zpk lp2hp lp2hp_zpk lp2lp lp2lp_zpk minimum_phase normalize oaconvolve periodogram
resample resample_poly savgol_coeffs savgol_filter sos2tf sosfilt_zi sosfiltfilt sosfreqz
spectrogram ss2tf ss2zpk stft sweep_poly tf2sos tf2zpk vectorstrength welch wiener zoom_fft
zpk2sos zpk2tf
"""

_WINDOWS = """
chebwin exponential gaussian general_cosine general_gaussian general_hamming kaiser
kaiser_bessel_derived tukey
"""
"""Those that have parameters besides their length."""

FUNCTIONS, WINDOWS = _FUNCTIONS.split(), _WINDOWS.split()

CLASSES = (scipy.signal.ShortTimeFFT, scipy.signal.CZT, scipy.signal.ZoomFFT)
"""Those that are made with constants, and whose methods take what is traced."""

for _module, _names in ((scipy.signal, FUNCTIONS), (scipy.signal.windows, WINDOWS)):
    for _name in _names:
        _function = getattr(_module, _name, None)  # None in releases that don't have it
        if _function is not None:
            serves(_function)(retold(_function))

for _class in CLASSES:
    for _method in vars(_class).values():
        if type(_method) is FunctionType:
            serves(_method)(retold(_method))


# -- what their code calls ------------------------------------------------------------------------

_MODES: dict[str, Any] = {
    "constant": "constant",
    "nearest": "edge",
    "mirror": "reflect",
    "wrap": "wrap",
    "reflect": "symmetric",
}


def _convolve1d(
    x: Any, weights: Any, axis: int = -1, mode: str = "reflect", cval: Any = 0.0, **_: Any
) -> Any:
    """`scipy.ndimage.convolve1d`, of an odd number of weights."""
    n = shape_of(weights)[0]
    if mode not in _MODES or n % 2 == 0:
        refuse("scipy.ndimage.convolve1d", "mode", mode, f"use one of {sorted(_MODES)}")
    widths = [(0, 0)] * len(shape_of(x))
    widths[axis] = (n // 2, n // 2)
    values: dict[str, Any] = {"constant_values": cval} if mode == "constant" else {}
    out = along_axis(np.pad(x, widths, _MODES[mode], **values), weights, axis)
    return convert(out, dtype_of(x))


def _lstsq(a: Any, b: Any, *_: Any, **__: Any) -> Any:
    return np.linalg.lstsq(a, b)


def _narrowest(arrays: Any, *_: Any, **__: Any) -> str:
    """`numpy.mintypecode`."""
    return np.mintypecode([each.dtype.char for each in map(operand, arrays)])


class _Float:
    """`float`, which a traced number passes through as it is; also as a dtype."""

    dtype = np.dtype(float)

    def __call__(self, x: Any) -> Any:
        return 1.0 * operand(x) if type(x) is Tracer else float(x)


class _Math:
    """`math`, whose functions are NumPy's for traced numbers."""

    _NAMES: ClassVar[dict[str, str]] = {"asinh": "arcsinh", "acosh": "arccosh", "atan": "arctan"}

    def __getattr__(self, name: str) -> Any:
        plainly = getattr(math, name)

        def either(*args: Any) -> Any:
            if any_traced(args):
                return getattr(np, self._NAMES.get(name, name))(*args)
            return plainly(*args)

        return either if callable(plainly) else plainly


instead_within["scipy.signal._filter_design"] = {"float": _Float(), "math": _Math()}
hooks["convolve1d"] = _convolve1d
hooks["_lstsq"] = _lstsq
hooks["mintypecode"] = _narrowest
instead[scipy.linalg.lstsq] = _lstsq
