"""Signals and pictures found again from what a filter made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.signal

from benchmarks.workloads.scientific.program import Program

__all__ = ["by_convolve", "by_fft2"]

SIDE = 64
GRID = np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE))
BLUR = np.exp(-0.5 * (GRID[:, None] ** 2 + GRID**2) / 4.0)
TRANSFER = np.fft.fft2(BLUR / BLUR.sum())
PICTURE = np.random.default_rng(1).normal(size=(SIDE, SIDE))

LENGTH = 2000
KERNEL = np.hanning(63)[1:-1] / 31.0
SIGNAL = np.cumsum(np.random.default_rng(2).normal(size=LENGTH))
SMEARED = np.convolve(np.sin(np.arange(LENGTH) / 20.0), KERNEL)


def filtered(np: Any) -> Callable[..., Any]:
    """How far a blurred picture is from the one that was taken, and how rough it is."""

    def misfit(picture: Any) -> Any:
        blurred = np.real(np.fft.ifft2(TRANSFER * np.fft.fft2(picture)))
        steps = np.sum((picture[1:] - picture[:-1]) ** 2)
        return 0.5 * np.sum((blurred - PICTURE) ** 2) + 0.01 * steps

    return misfit


def with_autograd_filter() -> Callable[..., Any]:
    import autograd.numpy as anp

    return filtered(anp)


def with_jax_filter() -> Callable[..., Any]:
    import jax

    return filtered(jax.numpy)


def smeared(np: Any, convolve: Callable[..., Any]) -> Callable[..., Any]:
    """How far a convolved signal is from the one that was measured; also by the kernel."""

    def misfit(signal: Any, kernel: Any) -> Any:
        return 0.5 * np.sum((convolve(signal, kernel) - SMEARED) ** 2)

    return misfit


def with_autograd_convolve() -> Callable[..., Any]:
    import autograd.numpy as anp
    from autograd.scipy.signal import convolve

    return smeared(anp, convolve)


def with_jax_convolve() -> Callable[..., Any]:
    import jax

    return smeared(jax.numpy, jax.numpy.convolve)


def by_fft2() -> Program:
    """By `numpy.fft.fft2` and its inverse."""
    return Program(
        f"a deconvolution by fft2, {SIDE} × {SIDE}",
        filtered(np),
        (PICTURE + 1.0,),
        with_autograd_filter,
        with_jax_filter,
    )


def by_convolve() -> Program:
    """By `scipy.signal.convolve`."""
    return Program(
        f"a deconvolution by signal.convolve, {LENGTH} ∗ {len(KERNEL)}",
        smeared(np, scipy.signal.convolve),
        (SIGNAL, KERNEL),
        with_autograd_convolve,
        with_jax_convolve,
    )
