"""Programs whose loops are Python's, as they are written; value and gradient are measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.workload import Workload
from benchmarks.workloads.loops.factorisations import cholesky, lu, trisolv
from benchmarks.workloads.loops.program import Program, workload
from benchmarks.workloads.loops.sweeps import gauss_seidel, jacobi, stepper

__all__ = ["LOOPS", "PROGRAMS", "Program"]

PROGRAMS: dict[str, Callable[..., Program]] = {
    "lu-60": partial(lu, 60),
    "lu-240": partial(lu, 240),
    "cholesky-100": partial(cholesky, 100),
    "cholesky-400": partial(cholesky, 400),
    "trisolv-2000": partial(trisolv, 2000),
    "gauss-seidel": gauss_seidel,
    "jacobi": jacobi,
    "stepper": stepper,
}
"""What makes each program."""

LOOPS: dict[str, Callable[[], Workload]] = {
    f"loops-{name}": partial(workload, name, program) for name, program in PROGRAMS.items()
}
