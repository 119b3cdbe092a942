"""Programs as scientists write them with NumPy and SciPy; their gradients are measured.

Each is written once for NumPy and SciPy, and for autograd and JAX in the spelling that they have
for it, if they can run it at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.workload import Workload
from benchmarks.workloads.scientific.equations import kalman, poisson
from benchmarks.workloads.scientific.likelihoods import arma, mixture, survival
from benchmarks.workloads.scientific.processes import by_cho_factor, by_density, by_solve
from benchmarks.workloads.scientific.program import Program, workload
from benchmarks.workloads.scientific.signals import by_convolve, by_fft2
from benchmarks.workloads.scientific.spectra import by_eigh, by_svd, photonic

__all__ = ["PROGRAMS", "SCIENTIFIC", "Program"]

PROGRAMS: dict[str, Callable[[], Program]] = {
    "gp-cho-factor": by_cho_factor,
    "gp-solve": by_solve,
    "gp-density": by_density,
    "deconvolution-fft2": by_fft2,
    "deconvolution-convolve": by_convolve,
    "survival": survival,
    "mixture": mixture,
    "arma": arma,
    "poisson": poisson,
    "kalman": kalman,
    "components-eigh": by_eigh,
    "components-svd": by_svd,
    "photonic": photonic,
}
"""What makes each program."""

SCIENTIFIC: dict[str, Callable[[], Workload]] = {
    f"scientific-{name}": partial(workload, name, program) for name, program in PROGRAMS.items()
}
