"""Calls of functions of `scipy.signal` whose own code runs on traced values."""

from __future__ import annotations

import numpy as np
import scipy.signal as s

RNG = np.random.default_rng(11)
LINE, ROWS = RNG.normal(size=40), RNG.normal(size=(2, 30))
ZEROS, POLES = np.array([0.3 + 0.2j, 0.3 - 0.2j]), np.array([0.5 + 0.3j, 0.5 - 0.3j])
UNEQUAL = np.array([0.3, 1.3])
B, A = np.array([0.2, 0.3, 0.1]), np.array([1.2, -0.4, 0.2])
SECTIONS = s.butter(4, 0.3, output="sos")
FREE = np.ascontiguousarray(SECTIONS[:, [0, 1, 2, 4, 5]])
STATE = np.array([[-0.5, 0.2], [0.1, -0.7]])
INPUT, OUTPUT, DIRECT = np.array([[1.0], [0.0]]), np.array([[1.0, 2.0]]), np.array([[0.5]])
PLACES = np.linspace(0.1, 0.9, 5)
SHORT = s.ShortTimeFFT(np.hanning(8), 4, 1.0)
TIMES = np.linspace(0, 1, 5)
BAND = np.array([0.2, 0.5])
HALF = np.array([0.1, 0.25, 0.4])


def with_ones(q):
    """Sections of filters from their coefficients but for the one that must be 1."""
    return np.concatenate([q[:, :3], np.ones((len(q), 1)), q[:, 3:]], axis=1)


CALLS = {
    # filters, forward and backward
    "filtfilt": (lambda b, a, x: s.filtfilt(b, a, x), B, A, LINE),
    "filtfilt gust": (lambda b, a, x: s.filtfilt(b, a, x, method="gust"), B, A, LINE[:9]),
    "filtfilt even": (lambda x: s.filtfilt(B, A, x, axis=0, padtype="even", padlen=3), ROWS.T),
    "sosfiltfilt": (lambda x: s.sosfiltfilt(SECTIONS, x), LINE),
    "sosfiltfilt sos": (lambda q: s.sosfiltfilt(with_ones(q), LINE), FREE),
    "sosfilt_zi": (lambda q: s.sosfilt_zi(with_ones(q)), FREE),
    "lfilter_zi": (s.lfilter_zi, B, A),
    "oaconvolve": (s.oaconvolve, LINE, B),
    "oaconvolve axes": (lambda v: s.oaconvolve(ROWS, v, mode="same", axes=1), ROWS[:, :3]),
    # analytic signals, trends, resampling
    "hilbert": (s.hilbert, LINE),
    "hilbert2": (s.hilbert2, ROWS),
    "envelope": (lambda x: s.envelope(x)[0], LINE),
    "detrend": (lambda x: s.detrend(x, bp=[10]), ROWS),
    "detrend constant": (lambda x: s.detrend(x, 0, "constant"), ROWS),
    "resample": (lambda x: s.resample(x, 25, window="hann"), LINE),
    "resample_poly": (lambda x: s.resample_poly(x, 3, 2, axis=1), ROWS),
    "resample_poly mean": (lambda x: s.resample_poly(x, 2, 3, padtype="mean"), LINE),
    "decimate": (lambda x: s.decimate(x, 2), LINE),
    "decimate fir": (lambda x: s.decimate(x, 2, ftype="fir"), LINE),
    "savgol_filter": (lambda x: s.savgol_filter(x, 5, 2), LINE),
    "savgol_filter rows": (lambda x: s.savgol_filter(x, 5, 2, 1, 0.5, 1, "mirror"), ROWS),
    "savgol_coeffs": (lambda d: s.savgol_coeffs(5, 2, deriv=1, delta=d), np.array(0.5)),
    "wiener": (lambda x: s.wiener(x, 3), LINE),
    # spectra
    "periodogram": (lambda x: s.periodogram(x)[1], LINE),
    "welch": (lambda x: s.welch(x, 2.0, nperseg=16)[1], LINE),
    "welch median": (lambda x: s.welch(x, nperseg=8, average="median")[1], LINE),
    "csd": (lambda x, y: s.csd(x, y, nperseg=16)[1], LINE, LINE[::-1] ** 2),
    "coherence": (lambda x, y: s.coherence(x, y, nperseg=16)[1], LINE, LINE[::-1] ** 2),
    "spectrogram": (lambda x: s.spectrogram(x, nperseg=8)[2], LINE),
    "spectrogram magnitude": (lambda x: s.spectrogram(x, nperseg=8, mode="magnitude")[2], LINE),
    "stft": (lambda x: s.stft(x, nperseg=8)[2], LINE),
    "istft": (lambda z: s.istft(z, nperseg=8)[1], s.stft(LINE, nperseg=8)[2]),
    "lombscargle": (
        lambda t, y: s.lombscargle(t, y, PLACES), np.cumsum(np.abs(LINE[:12])), LINE[:12]
    ),
    "ShortTimeFFT.stft": (SHORT.stft, LINE),
    "ShortTimeFFT.spectrogram": (SHORT.spectrogram, LINE),
    "ShortTimeFFT.istft": (SHORT.istft, SHORT.stft(LINE)),
    "czt": (lambda x: s.czt(x, 7), LINE),
    "zoom_fft": (lambda x: s.zoom_fft(x, [0.1, 0.4], 7), ROWS),
    "CZT": (s.CZT(40, 7), LINE),
    "vectorstrength": (lambda t: s.vectorstrength(t, 2.0)[0], LINE),
    # responses of filters, and their forms
    "freqz": (lambda b, a: s.freqz(b, a, 8)[1], B, A),
    "freqz fir": (lambda b: s.freqz(b, 1, 16)[1], B),
    "freqs": (lambda b, a: s.freqs(b, a, PLACES)[1], B, A),
    "freqz_zpk": (lambda z, p: s.freqz_zpk(z, p, 2.0, 8)[1], ZEROS, POLES),
    "freqs_zpk": (lambda z, p: s.freqs_zpk(z, p, 2.0, PLACES)[1], ZEROS, POLES),
    "freqz_sos": (
        lambda q: s.freqz_sos(with_ones(q), 8)[1], FREE
    ),
    "group_delay": (lambda b, a: s.group_delay((b, a), 8)[1], B, A),
    "normalize": (s.normalize, B, A),
    "bilinear": (lambda b, a: s.bilinear(b, a, 2.0), B, A),
    "tf2zpk": (s.tf2zpk, np.array([2.0, -3.0, 1.1]), np.array([1.5, -2.0, 0.4])),
    "tf2sos": (s.tf2sos, np.array([2.0, -3.0, 1.1]), np.array([1.5, -2.0, 0.4])),
    "ss2tf": (lambda a: s.ss2tf(a, INPUT, OUTPUT, DIRECT), STATE),
    "ss2zpk": (lambda a: s.ss2zpk(a, INPUT, OUTPUT, DIRECT), STATE),
    "freqresp": (lambda a: s.freqresp((a, INPUT, OUTPUT, DIRECT), w=PLACES)[1], STATE),
    "bode": (lambda a: s.bode((a, INPUT, OUTPUT, DIRECT), w=PLACES)[1], STATE),
    "sos2tf": (s.sos2tf, SECTIONS),
    "zpk2tf": (lambda z, p: s.zpk2tf(z, p, 2.0), UNEQUAL, UNEQUAL / 2),
    "zpk2sos": (lambda z, p: s.zpk2sos(z, p, 1.0), UNEQUAL, UNEQUAL / 2),
    "bilinear_zpk": (lambda z, p: s.bilinear_zpk(z, p, 2.0, 3.0), ZEROS, POLES),
    "lp2lp": (lambda b, a: s.lp2lp(b, a, 2.0), B, A),
    "lp2hp": (lambda b, a: s.lp2hp(b, a, 2.0), B, A),
    "lp2bp": (lambda b, a: s.lp2bp(b, a, 2.0, 0.5), B, A),
    "lp2bs": (lambda b, a: s.lp2bs(b, a, 2.0, 0.5), B, A),
    "lp2lp_zpk": (lambda z, p: s.lp2lp_zpk(z, p, 1.0, 2.0), ZEROS, POLES),
    "lp2hp_zpk": (lambda z, p: s.lp2hp_zpk(z, p, 1.0, 2.0), ZEROS, POLES),
    "lp2bp_zpk": (lambda z, p: s.lp2bp_zpk(z, p, 1.0, 2.0, 0.5), ZEROS, POLES),
    "lp2bs_zpk": (lambda z, p: s.lp2bs_zpk(z, p, 1.0, 2.0, 0.5), ZEROS, POLES),
    "invres": (lambda r: s.invres(r, [0.5, 0.3], [1.0]), np.array([0.3, 0.2])),
    "invresz": (lambda r: s.invresz(r, [0.5, 0.3], [1.0]), np.array([0.3, 0.2])),
    "firwin": (lambda c: s.firwin(5, c), np.array(0.3)),
    "firwin2": (lambda g: s.firwin2(9, [0, 0.5, 1], g), np.array([1.0, 0.5, 0.1])),
    "minimum_phase": (lambda h: s.minimum_phase(h[[0, 1, 2, 1, 0]], n_fft=128), HALF),
    "abcd_normalize": (lambda a: s.abcd_normalize(a, INPUT, OUTPUT, DIRECT)[0], STATE),
    "dlsim": (
        lambda a, u: s.dlsim((a, INPUT, OUTPUT, DIRECT, 1.0), u)[1], STATE, LINE[:5, None]
    ),
    "dstep": (lambda a: s.dstep((a, INPUT, OUTPUT, DIRECT, 1.0), n=5)[1][0], STATE),
    "dimpulse": (lambda a: s.dimpulse((a, INPUT, OUTPUT, DIRECT, 1.0), n=5)[1][0], STATE),
    # filters by their frequencies
    "butter": (lambda w: s.butter(3, w), np.array(0.3)),
    "butter band": (lambda w: s.butter(2, w, "band", output="sos"), BAND),
    "butter high": (lambda w: s.butter(3, w, "high", fs=20.0, output="zpk")[1], np.array(3.0)),
    "butter stop": (lambda w: s.butter(2, w, "stop", analog=True), BAND),
    "cheby1": (lambda r, w: s.cheby1(3, r, w), np.array(1.5), np.array(0.3)),
    "cheby2": (lambda r, w: s.cheby2(4, r, w, output="sos"), np.array(30.0), np.array(0.3)),
    "ellip": (lambda w: s.ellip(3, 1.0, 30.0, w), np.array(0.3)),
    "bessel": (lambda w: s.bessel(3, w), np.array(0.3)),
    "iirfilter": (lambda w: s.iirfilter(3, w, 1, 30, "low", ftype="cheby2"), np.array(0.3)),
    "cheb1ap": (lambda r: s.cheb1ap(3, r)[1:], np.array(1.5)),
    "cheb2ap": (lambda r: s.cheb2ap(3, r), np.array(30.0)),
    "iirnotch": (s.iirnotch, np.array(0.3), np.array(5.0)),
    "iirpeak": (lambda w, q: s.iirpeak(w, q, fs=10.0), np.array(2.0), np.array(5.0)),
    "kaiser_beta": (s.kaiser_beta, np.array(65.0)),
    "buttord": (lambda p, w: s.buttord(p, w, 3.0, 40.0)[1], np.array(0.2), np.array(0.3)),
    "buttord pass": (lambda p, g: s.buttord(p, [0.1, 0.6], g, 40.0)[1], BAND, np.array(3.0)),
    "cheb1ord": (lambda p: s.cheb1ord(p, 10.0, 3.0, 40.0, fs=100.0)[1], np.array(20.0)),
    "cheb2ord": (lambda p: s.cheb2ord(p, 0.1, 3.0, 40.0)[1], np.array(0.3)),
    "ellipord": (lambda p: s.ellipord(p, [0.1, 0.6], 3.0, 40.0)[1], BAND),
    "iirdesign": (lambda p, g: s.iirdesign(p, 0.3, g, 40.0), np.array(0.2), np.array(1.0)),
    "iircomb": (lambda q: s.iircomb(0.2, q), np.array(30.0)),
    "ellipap": (lambda r: s.ellipap(3, r, 40.0), np.array(1.5)),
    "kaiserord": (lambda r: s.kaiserord(r, 0.1)[1], np.array(65.0)),
    "firls": (lambda d: s.firls(7, [0, 0.2, 0.3, 1], [1, d, 0, 0]), np.array(0.9)),
    "firwin high": (lambda c: s.firwin(5, c, pass_zero=False), np.array(0.3)),
    "firwin band": (lambda c: s.firwin(5, c, pass_zero="bandpass", fs=2.0), BAND),
    "firwin width": (lambda w: s.firwin(6, 0.3, width=w), np.array(0.2)),
    # systems in continuous time
    "lsim": (
        lambda a, u: s.lsim((a, INPUT, OUTPUT, DIRECT), u, TIMES)[1], STATE, LINE[:5]
    ),
    "lsim steps": (
        lambda u: s.lsim((STATE, INPUT, OUTPUT, DIRECT), u, TIMES, interp=False)[2], LINE[:5]
    ),
    "lsim start": (
        lambda a, x: s.lsim((a, INPUT, OUTPUT, DIRECT), None, TIMES, x)[1], STATE, UNEQUAL
    ),
    "lsim of a transfer function": (
        lambda b, a: s.lsim((b, a), LINE[:5], TIMES)[1], B[:2], A
    ),
    "impulse": (lambda a: s.impulse((a, INPUT, OUTPUT, DIRECT), T=TIMES)[1], STATE),
    "impulse of its own times": (lambda b, a: s.impulse((b, a), N=5)[1], B[:2], A + 1),
    "step": (lambda z, p: s.step((z, p, 2.0), T=TIMES)[1], UNEQUAL[:1], UNEQUAL - 2),
    "cont2discrete": (lambda a: s.cont2discrete((a, INPUT, OUTPUT, DIRECT), 0.1)[:2], STATE),
    "cont2discrete bilinear": (
        lambda b, a: s.cont2discrete((b, a), 0.1, "bilinear")[0], B[:2], A
    ),
    "cont2discrete foh": (
        lambda a: s.cont2discrete((a, INPUT, OUTPUT, DIRECT), 0.1, "foh")[3], STATE
    ),
    "tf2ss": (s.tf2ss, B, A),
    "zpk2ss": (lambda z, p: s.zpk2ss(z, p, 2.0), UNEQUAL, UNEQUAL - 2),
    "dfreqresp": (lambda b: s.dfreqresp((b, A, 0.1), w=PLACES)[1], B),
    "dbode": (lambda b: s.dbode((b, A, 0.1), w=PLACES)[1], B),
    # waves and windows
    "gauss_spline": (lambda t: s.gauss_spline(t, 3), LINE),
    "gausspulse": (lambda t: s.gausspulse(t, fc=5), PLACES),
    "sweep_poly": (lambda t: s.sweep_poly(t, [0.1, 2, 3]), PLACES),
    "get_window": (lambda c: s.get_window(("kaiser", c), 8), np.array(3.0)),
    "kaiser": (lambda c: s.windows.kaiser(8, c), np.array(3.0)),
    "kaiser_bessel_derived": (lambda c: s.windows.kaiser_bessel_derived(8, c), np.array(3.0)),
    "gaussian": (lambda c: s.windows.gaussian(8, c), np.array(2.0)),
    "general_gaussian": (lambda c: s.windows.general_gaussian(8, c[0], c[1]), UNEQUAL),
    "general_cosine": (lambda c: s.windows.general_cosine(8, c), np.array([0.5, 0.3, 0.2])),
    "general_hamming": (lambda c: s.windows.general_hamming(8, c), np.array(0.6)),
    "tukey": (lambda c: s.windows.tukey(8, c), np.array(0.4)),
    "chebwin": (lambda c: s.windows.chebwin(8, c), np.array(50.0)),
    "exponential": (lambda c: s.windows.exponential(8, None, c), np.array(2.0)),
}  # fmt: skip

BRANCHES = {
    "bode", "freqresp", "ss2tf", "ss2zpk", "tf2sos", "tf2zpk", "tukey", "zpk2sos", "butter band",
    "cheby2", "buttord", "buttord pass", "cheb1ord", "cheb2ord", "ellipord", "chebwin",
    "cont2discrete bilinear", "ellipap", "impulse of its own times", "sosfiltfilt sos", "iirdesign",
    "kaiserord",
}  # fmt: skip
"""Those whose code branches on values in some release, as sections do by which poles are near."""
