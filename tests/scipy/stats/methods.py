"""The methods of distributions as functions of one argument, beside differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
from scipy.stats import _distr_params

import pullback as pb

__all__ = ["CONTINUOUS", "DISCRETE", "Subject", "differences", "disagreement", "subjects"]

_TOO_SLOW = {"levy_stable", "studentized_range"}
"""Distributions of which SciPy takes minutes."""


def _listed(entries: Any) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for name, shapes in entries:
        if isinstance(name, str) and name not in _TOO_SLOW:
            found.setdefault(name, tuple(shapes))
    return found


CONTINUOUS = _listed(_distr_params.distcont)
DISCRETE = _listed(_distr_params.distdiscrete)
"""SciPy's own distributions, with shapes at which it tests them."""

_WEIGHTS = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}


def differences(f: Any, x: Any, step: float) -> Any:
    """∂f/∂x for each element, by central differences of order 8."""
    total = sum(w * (f(x + k * step) - f(x - k * step)) for k, w in _WEIGHTS.items())
    return total / step


@dataclass(frozen=True)
class Subject:
    """A method of a distribution as a function of one of its arguments."""

    distribution: str
    method: str
    argument: str
    args: tuple[Any, ...]
    position: int

    def __call__(self, t: Any) -> Any:
        args = (*self.args[: self.position], t, *self.args[self.position + 1 :])
        out = getattr(getattr(scipy.stats, self.distribution), self.method)(*args)
        return np.concatenate([np.ravel(each) for each in out]) if type(out) is tuple else out

    @property
    def at(self) -> Any:
        return self.args[self.position] * 1.0


def subjects(name: str, methods: tuple[str, ...], **given: Any) -> list[Subject]:
    """The methods of a distribution, in each of their arguments.

    Parameters
    ----------
    **given
        ``shapes``, ``loc``, ``scale`` and the probabilities ``q``, at whose quantiles it is.
    """
    d = getattr(scipy.stats, name)
    continuous = isinstance(d, scipy.stats.rv_continuous)
    shapes = given.get("shapes", (CONTINUOUS if continuous else DISCRETE).get(name, ()))
    q = given.get("q", np.array([0.05, 0.3, 0.6, 0.95]))
    loc, scale = (given.get("loc", 0.3), (given.get("scale", 1.7),)) if continuous else (2, ())
    parameters = (*shapes, loc, *scale)
    names = [each.strip() for each in (d.shapes or "").split(",") if each.strip()]
    names += ["loc", "scale"][: len(parameters) - len(shapes)]
    x = d.ppf(q, *shapes) * (scale[0] if scale else 1) + loc
    out = []
    for method in methods:
        first: tuple[Any, ...] = (x,)
        if method in ("ppf", "isf", "interval"):
            first = (q,)
        elif method in ("mean", "var", "std", "entropy", "median", "support"):
            first = ()
        elif method == "moment":
            first = (3,)
        args = (*first, *parameters)
        labels = ["x"] * len(first) + names
        skipped = 1 if method == "moment" else 0
        out += [
            Subject(name, method, label, args, i) for i, label in enumerate(labels) if i >= skipped
        ]
    return out


def disagreement(subject: Subject, tolerance: float) -> str | None:
    """What is wrong with value, forward or reverse derivative of a subject; `None` if nothing is.

    Raises
    ------
    NoRuleError
        Where it is refused.
    """
    with np.errstate(all="ignore"):
        t = subject.at
        plain = np.asarray(subject(subject.args[subject.position]))
        value, tangent = pb.pushforward(subject, (t,), (np.ones_like(t),))
        size = np.min(np.abs(t)) if np.ndim(t) else abs(t)
        expected = differences(subject, t, 3e-4 * max(float(size), 0.05))
        tangent = np.zeros_like(plain) if tangent is None else np.asarray(tangent)
        sum_of = np.cos(np.arange(plain.size)).reshape(plain.shape)
        sum_of = np.where(np.isfinite(plain), sum_of, 0)
        tangent = np.where(np.isfinite(plain), tangent, 0)
        (reverse,) = pb.vjp(subject, t)[1](sum_of)
        reverse = np.zeros_like(t) if reverse is None else reverse
    what = f"{subject.distribution}.{subject.method} in {subject.argument}"
    if not np.allclose(np.asarray(value), plain, rtol=2e-14, atol=1e-300, equal_nan=True):
        return f"{what}: value {value}, SciPy's {plain}"
    finite = np.isfinite(plain) & np.isfinite(expected)
    scale = max(1.0, float(np.max(np.abs(expected[finite]), initial=0.0)))
    if not np.all(np.abs(tangent - expected)[finite] <= tolerance * scale):
        return f"{what}: tangent {tangent}, differences {expected}"
    total = sum_of * tangent if np.shape(t) == plain.shape else np.sum(sum_of * tangent)
    if np.all(np.isfinite(tangent)) and not np.allclose(reverse, total, rtol=1e-9, atol=1e-9):
        return f"{what}: cotangent {reverse}, tangent {total}"
    return None
