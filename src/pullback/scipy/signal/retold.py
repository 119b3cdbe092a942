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
from pullback.numpy.copies import Namespace
from pullback.numpy.operands import operand
from pullback.numpy.passed_checks import decidable, passing
from pullback.scipy.first_step import any_traced, composite, first_traced, serves
from pullback.scipy.retelling import hooks, instead, instead_within, retold

__all__ = ["CLASSES", "FUNCTIONS", "WINDOWS"]

_FUNCTIONS = """
abcd_normalize band_stop_obj bessel bilinear bilinear_zpk bode butter buttord cheb1ap cheb1ord
cheb2ap cheb2ord cheby1 cheby2 coherence cont2discrete csd czt dbode decimate detrend dfreqresp
dimpulse dlsim dstep ellip ellipap ellipord envelope filtfilt findfreqs firls firwin2 freqresp
freqs freqs_zpk freqz freqz_sos freqz_zpk gauss_spline gausspulse get_window group_delay hilbert
hilbert2 iircomb iirdesign iirfilter iirnotch iirpeak impulse invres invresz istft kaiser_atten
kaiserord lombscargle lp2bp lp2bp_zpk lp2bs lp2bs_zpk lp2hp lp2hp_zpk lp2lp lp2lp_zpk lsim
minimum_phase normalize oaconvolve periodogram resample resample_poly savgol_coeffs savgol_filter
sos2tf sosfilt_zi sosfiltfilt sosfreqz spectrogram ss2tf ss2zpk step stft sweep_poly tf2sos tf2ss
tf2zpk vectorstrength welch wiener zoom_fft zpk2sos zpk2ss zpk2tf
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


def _all(x: Any, *args: Any, **kwargs: Any) -> Any:
    """`numpy.all`, of what is asked to be zero; what is not known is taken not to be."""
    out = np.all(x, *args, **kwargs)
    return out if decidable(out) else bool(passing())


def _any_known(x: Any, *args: Any, **kwargs: Any) -> Any:
    """`numpy.any`, likewise."""
    out = np.any(x, *args, **kwargs)
    return out if decidable(out) else bool(passing())


def _allclose(x: Any, *args: Any, **kwargs: Any) -> bool:
    """`numpy.allclose`, likewise."""
    return np.allclose(x, *args, **kwargs) if decidable(x) else bool(passing())


def _coefficients(z: Any, p: Any, k: Any) -> Any:
    """`zpk2tf` of a filter that has been designed, whose zeros and poles are pairs of conjugates.

    Where they aren't known SciPy's function can't tell that, and that the coefficients are real.
    """
    if decidable(z) and decidable(p):
        return scipy.signal.zpk2tf(z, p, k)
    return k * _polynomial(z), _polynomial(p)


def _polynomial(roots: Any) -> Any:
    """`numpy.poly` of pairs of conjugates."""
    found: Any = np.ones(1, dtype_of(roots))
    for n in range(shape_of(roots)[0]):
        found = np.convolve(found, np.stack([np.ones((), dtype_of(roots)), -roots[n]]))
    return np.real(found)


def _trim_zeros(x: Any, *args: Any, **kwargs: Any) -> Any:
    """`numpy.trim_zeros`; numbers that are not known are taken not to be zero."""
    return np.trim_zeros(x, *args, **kwargs) if decidable(x) else x


def _any(x: Any, *args: Any, **kwargs: Any) -> Any:
    """`numpy.any`; an input that is traced is taken to be not all zero."""
    return type(x) is Tracer or np.any(x, *args, **kwargs)


class _Rows:
    """`numpy.r_`, of arrays with traced ones among them."""

    def __getitem__(self, parts: Any) -> Any:
        return np.concatenate(parts, axis=0) if any_traced(parts) else np.r_[parts]


instead_within["scipy.signal._lti_conversion"] = {"r_": _Rows()}
instead_within["scipy.signal._ltisys"] = {
    "np": Namespace(
        hooks["array_namespace"](), lambda name, value: _any if name == "any" else value
    )
}
_UNKNOWN = {"all": _all, "allclose": _allclose, "any": _any_known, "trim_zeros": _trim_zeros}
"""What SciPy's code asks about zeros, where it isn't known whether a number is one."""

_design = Namespace(hooks["array_namespace"](), lambda name, value: _UNKNOWN.get(name, value))
_of_designs = {"np": _design, "np_compat": _design, "array_namespace": lambda *_, **__: _design}
instead_within["scipy.signal._fir_filter_design"] = {**_of_designs, "float": _Float()}
instead_within["scipy.signal._filter_design"] = {
    **_of_designs, "float": _Float(), "math": _Math(), "zpk2tf": _coefficients
}  # fmt: skip
hooks["_trim_zeros"] = _trim_zeros


hooks["_lstsq"] = _lstsq
hooks["mintypecode"] = _narrowest
instead[scipy.linalg.lstsq] = _lstsq


def _of_system(system: Any) -> Any:
    """A traced matrix of a system that such code has made of what it was given."""
    return first_traced((system.A, system.B, system.C, system.D))


_SYSTEM = np.ones((1, 1))
for _made in (scipy.signal.lti, scipy.signal.dlti):
    composite(type(_made(_SYSTEM, _SYSTEM, _SYSTEM, _SYSTEM)), _of_system)
