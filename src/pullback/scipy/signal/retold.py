"""Functions of `scipy.signal` whose own code runs on traced values."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np
import scipy.linalg
import scipy.signal

from pullback.numpy.operands import operand
from pullback.scipy.first_step import serves
from pullback.scipy.retelling import hooks, instead, retold

__all__ = ["CLASSES", "FUNCTIONS", "WINDOWS"]

_FUNCTIONS = """
abcd_normalize bilinear bilinear_zpk bode coherence csd czt decimate detrend dimpulse dlsim dstep
envelope filtfilt firwin firwin2 freqresp freqs freqs_zpk freqz freqz_sos freqz_zpk gauss_spline
gausspulse get_window group_delay hilbert hilbert2 invres invresz istft lombscargle lp2bp
lp2bp_zpk lp2bs lp2bs_zpk lp2hp lp2hp_zpk lp2lp lp2lp_zpk minimum_phase normalize oaconvolve
periodogram resample resample_poly savgol_coeffs savgol_filter sos2tf sosfilt_zi sosfiltfilt
sosfreqz spectrogram ss2tf ss2zpk stft sweep_poly tf2sos tf2zpk vectorstrength welch wiener
zoom_fft zpk2sos zpk2tf
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

def _lstsq(a: Any, b: Any, *_: Any, **__: Any) -> Any:
    return np.linalg.lstsq(a, b)


def _narrowest(arrays: Any, *_: Any, **__: Any) -> str:
    """`numpy.mintypecode`."""
    return np.mintypecode([each.dtype.char for each in map(operand, arrays)])


hooks["_lstsq"] = _lstsq
hooks["mintypecode"] = _narrowest
instead[scipy.linalg.lstsq] = _lstsq
