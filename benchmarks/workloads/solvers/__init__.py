"""Programs through SciPy's solvers; value and gradient are measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.workload import Workload
from benchmarks.workloads.solvers.equations import lotka_volterra, reactions, robertson
from benchmarks.workloads.solvers.fits import decay, rosenbrock
from benchmarks.workloads.solvers.program import Program, workload

__all__ = ["PROGRAMS", "SOLVERS", "Program"]

PROGRAMS: dict[str, Callable[[], Program]] = {
    "lotka-volterra": lotka_volterra,
    "reactions": reactions,
    "robertson": robertson,
    "decay": decay,
    "rosenbrock": rosenbrock,
}
"""What makes each program."""

SOLVERS: dict[str, Callable[[], Workload]] = {
    f"solvers-{name}": partial(workload, name, program) for name, program in PROGRAMS.items()
}
