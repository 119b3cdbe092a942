"""What is decided for the functions of `scipy.signal` that have no rule."""

from __future__ import annotations

import scipy.signal

from pullback.scipy.decisions import constant, passed, refused
from pullback.scipy.first_step import served
from pullback.scipy.signal import retold

__all__ = ["retold"]  # which serves windows before it is asked which are served

_DESIGN = (
    "Its parameters are numbers that the algorithm branches on: design the filter outside of the "
    "function, or write its coefficients, or its zeros and poles, with NumPy's functions"
)

constant(scipy.signal, "choose_conv_method correlation_lags unit_impulse max_len_seq", "sizes")
constant(scipy.signal, "buttap besselap", "an order")
constant(scipy.signal, "check_COLA check_NOLA", "whether something holds")
passed(scipy.signal, "czt_points", "powers of the ratio times the start")
constant(scipy.signal, "BadCoefficients", "a warning")
passed(
    scipy.signal,
    "ShortTimeFFT CZT ZoomFFT",
    "made with constants; their methods run on traced values",
)
refused(
    scipy.signal,
    "gammatone firwin_2d remez place_poles closest_STFT_dual_window",
    _DESIGN,
)
refused(
    scipy.signal,
    "sos2zpk residue residuez unique_roots",
    "Write the filter by its zeros and poles, of which zpk2tf, zpk2sos and freqz_zpk have rules",
)
refused(
    scipy.signal,
    "lti dlti StateSpace TransferFunction ZerosPolesGain",
    "Hand over the matrices, or the coefficients, in a tuple",
)
refused(
    scipy.signal,
    "cspline1d cspline1d_eval cspline2d qspline1d qspline1d_eval qspline2d spline_filter "
    "symiirorder1 symiirorder2 sepfir2d",
    "Write it with scipy.signal.lfilter, sosfiltfilt and convolve2d, which have rules",
)
refused(
    scipy.signal,
    "find_peaks_cwt peak_widths",
    "Find the places with pullback.stop_gradient(x), and compute with x[places]",
)

_windows = [
    name
    for name in scipy.signal.windows.__all__
    if getattr(scipy.signal.windows, name) not in served and name not in ("dpss", "taylor")
]
constant(scipy.signal.windows, " ".join(_windows), "the length")
refused(
    scipy.signal.windows,
    "dpss taylor",
    "Its parameters are constants: make the window outside of the function",
)
