"""Likelihoods of samples and of time series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.signal
import scipy.special
import scipy.stats

from benchmarks.workloads.scientific.program import Program

__all__ = ["arma", "mixture", "survival"]

RNG = np.random.default_rng(3)
SAMPLES = 1000
COVARIATES = RNG.normal(size=(SAMPLES, 4))
TIMES = COVARIATES @ np.array([0.5, -0.3, 0.2, 0.0]) + RNG.normal(size=SAMPLES)
ENDED = RNG.uniform(size=SAMPLES) < 0.7
"""Of whom the end was seen; the others left the study before."""

HEIGHTS = np.concatenate([RNG.normal(-2.0, 1.0, 400), RNG.normal(1.0, 0.5, 600)])
COMPONENTS = 5

STEPS = 500
SERIES = RNG.normal(size=STEPS)


def censored(np: Any, norm: Any) -> Callable[..., Any]:
    """−log likelihood of times, some of which are only known to be longer."""

    def likelihood(coefficients: Any, log_scale: Any) -> Any:
        location, scale = COVARIATES @ coefficients, np.exp(log_scale)
        seen = norm.logpdf(TIMES, location, scale)
        return -np.sum(np.where(ENDED, seen, norm.logsf(TIMES, location, scale)))

    return likelihood


def with_autograd_survival() -> Callable[..., Any]:
    import autograd.numpy as anp
    from autograd.scipy.stats import norm

    return censored(anp, norm)


def with_jax_survival() -> Callable[..., Any]:
    import jax

    return censored(jax.numpy, jax.scipy.stats.norm)


def mixed(np: Any, logsumexp: Callable[..., Any], norm: Any) -> Callable[..., Any]:
    """−log likelihood of a mixture of normal distributions."""

    def likelihood(weights: Any, means: Any, log_scales: Any) -> Any:
        logs = weights - logsumexp(weights)
        parts = logs + norm.logpdf(HEIGHTS[:, None], means, np.exp(log_scales))
        return -np.sum(logsumexp(parts, axis=1))

    return likelihood


def with_autograd_mixture() -> Callable[..., Any]:
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp
    from autograd.scipy.stats import norm

    return mixed(anp, logsumexp, norm)


def with_jax_mixture() -> Callable[..., Any]:
    import jax

    return mixed(jax.numpy, jax.scipy.special.logsumexp, jax.scipy.stats.norm)


def filtered(ar: Any, ma: Any, log_scale: Any) -> Any:
    """−log likelihood of an ARMA series; what is unexpected in it is what a filter leaves."""
    unexpected = scipy.signal.lfilter(
        np.concatenate([np.ones(1), -ar]), np.concatenate([np.ones(1), ma]), SERIES
    )
    return 0.5 * np.sum((unexpected * np.exp(-log_scale)) ** 2) + STEPS * log_scale


def with_autograd_arma() -> Callable[..., Any]:
    import autograd.numpy as anp

    def likelihood(ar: Any, ma: Any, log_scale: Any) -> Any:
        unexpected = [0.0] * len(ma)
        for n in range(STEPS):
            past = sum(ar[k] * SERIES[n - 1 - k] for k in range(len(ar)) if n > k)
            noise = sum(ma[k] * unexpected[-1 - k] for k in range(len(ma)))
            unexpected.append(SERIES[n] - past - noise)
        total = anp.sum((anp.array(unexpected) * anp.exp(-log_scale)) ** 2)
        return 0.5 * total + STEPS * log_scale

    return likelihood


def with_jax_arma() -> Callable[..., Any]:
    import jax

    def likelihood(ar: Any, ma: Any, log_scale: Any) -> Any:
        padded = jax.numpy.concatenate([jax.numpy.zeros(len(ar)), SERIES])
        past = sum(ar[k] * padded[len(ar) - 1 - k :][:STEPS] for k in range(len(ar)))

        def step(before: Any, given: Any) -> Any:
            new = given - ma @ before
            return jax.numpy.concatenate([new[None], before[:-1]]), new

        _, unexpected = jax.lax.scan(step, jax.numpy.zeros(len(ma)), SERIES - past)
        total = jax.numpy.sum((unexpected * jax.numpy.exp(-log_scale)) ** 2)
        return 0.5 * total + STEPS * log_scale

    return likelihood


def survival() -> Program:
    """By `scipy.stats.norm.logpdf` and `logsf`."""
    return Program(
        f"a survival likelihood, {SAMPLES} samples, by norm.logsf",
        censored(np, scipy.stats.norm),
        (np.array([0.4, -0.2, 0.1, 0.1]), np.array(0.1)),
        with_autograd_survival,
        with_jax_survival,
    )


def mixture() -> Program:
    """By `scipy.special.logsumexp` and `scipy.stats.norm.logpdf`."""
    return Program(
        f"a mixture of {COMPONENTS} normal distributions, {len(HEIGHTS)} samples",
        mixed(np, scipy.special.logsumexp, scipy.stats.norm),
        (np.zeros(COMPONENTS), np.linspace(-2.0, 2.0, COMPONENTS), np.zeros(COMPONENTS)),
        with_autograd_mixture,
        with_jax_mixture,
    )


def arma() -> Program:
    """By `scipy.signal.lfilter`."""
    return Program(
        f"an ARMA likelihood, {STEPS} steps, by lfilter",
        filtered,
        (np.array([0.4, -0.2]), np.array([0.3, 0.1]), np.array(0.1)),
        with_autograd_arma,
        with_jax_arma,
    )
