"""The derivatives that are measured, a file for each function."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.native.problem import Problem
from benchmarks.native.workloads.arm import arm
from benchmarks.native.workloads.differences import differences
from benchmarks.native.workloads.digits import digits
from benchmarks.native.workloads.gauss_seidel import gauss_seidel
from benchmarks.native.workloads.gaussian_process import gaussian_process
from benchmarks.native.workloads.hidden_markov import hidden_markov
from benchmarks.native.workloads.interpolation import interpolation
from benchmarks.native.workloads.k_means import k_means
from benchmarks.native.workloads.kalman import kalman
from benchmarks.native.workloads.l2 import l2, l2_reused
from benchmarks.native.workloads.logistic import logistic
from benchmarks.native.workloads.logsumexp import logsumexp
from benchmarks.native.workloads.lotka_volterra import lotka_volterra
from benchmarks.native.workloads.lstm import lstm
from benchmarks.native.workloads.mixture import mixture
from benchmarks.native.workloads.moved_points import moved_points
from benchmarks.native.workloads.neuron import neuron
from benchmarks.native.workloads.per_example import per_example
from benchmarks.native.workloads.polynomial import polynomial
from benchmarks.native.workloads.residual import residual
from benchmarks.native.workloads.residual_columns import residual_columns
from benchmarks.native.workloads.rosenbrock import hessian, vector
from benchmarks.native.workloads.runge_kutta import runge_kutta
from benchmarks.native.workloads.scalar_loop import scalar_loop
from benchmarks.native.workloads.two_layer import two_layer
from benchmarks.native.workloads.upwind import upwind

__all__ = ["SAMPLES", "WORKLOADS"]

SAMPLES: dict[str, Callable[..., Problem]] = {
    "net-2-1": partial(residual_columns, 2, 1, one_thread=0.08, two_threads=0.08),
    "net-4-1000": partial(residual_columns, 4, 1_000, one_thread=0.27, two_threads=0.25),
    "net-4-40000": partial(residual_columns, 4, 40_000, one_thread=0.20, two_threads=0.11),
    "net-16-1000": partial(residual_columns, 16, 1_000, one_thread=0.45, two_threads=0.25),
    "net-64-1000": partial(residual_columns, 64, 1_000, one_thread=0.75, two_threads=0.45),
    "net-256-1000": partial(residual_columns, 256, 1_000, 10, two_threads=0.8),
    "digits": partial(digits, two_threads=0.3),
    "mixture-1000-2-5": partial(mixture, 1_000, 2, 5, two_threads=0.25),
    "mixture-1000-10-25": partial(mixture, 1_000, 10, 25, two_threads=0.15),
    "mixture-1000-32-25": partial(mixture, 1_000, 32, 25, two_threads=0.4),
    "mixture-100000-10-25": partial(mixture, 100_000, 10, 25, two_threads=0.12),
    "k-means": partial(k_means, two_threads=0.3),
    "logistic-1000000": partial(logistic, 1_000_000, 20, two_threads=0.5),
    "moved-points": partial(moved_points, two_threads=0.15),
    "per-example": partial(per_example, two_threads=0.3),
}
"""Derivatives over many samples, which several threads may share; see `WORKLOADS`."""

WORKLOADS: dict[str, Callable[..., Problem]] = {
    "vector": vector,
    "two-layer": two_layer,
    "l2-10": partial(l2, size=10),
    "l2-1000": partial(l2, size=1_000),
    "l2-100000": partial(l2, size=100_000, most=0.5),
    "l2-10000000": partial(l2, size=10_000_000, most=0.6),
    "l2-reused": l2_reused,
    "logsumexp-1000": partial(logsumexp, size=1_000),
    "logsumexp-1000000": partial(logsumexp, size=1_000_000, most=0.6),
    "polynomial": polynomial,
    "logistic": logistic,
    "lotka-volterra": lotka_volterra,
    "hidden-markov": hidden_markov,
    "runge-kutta": runge_kutta,
    "scalar-loop": scalar_loop,
    "arm": arm,
    "differences": differences,
    "upwind": upwind,
    "lstm": lstm,
    "hessian": hessian,
    "gauss-seidel": gauss_seidel,
    "neuron": neuron,
    "kalman": kalman,
    "interpolation": interpolation,
    "gaussian-process-30": partial(gaussian_process, n=30),
    "gaussian-process-200": partial(gaussian_process, n=200),
    "residual": residual,
    **SAMPLES,
    **{f"{name}-float32": partial(make, dtype=np.float32) for name, make in SAMPLES.items()},
}
"""What makes each problem, at its full size, by the name that the command line knows."""
