"""The computations that are measured, a file for each kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.workload import Workload
from benchmarks.workloads.constants import constants
from benchmarks.workloads.gauss_seidel import gauss_seidel
from benchmarks.workloads.l2 import SIZES, l2
from benchmarks.workloads.loops import LOOPS
from benchmarks.workloads.residual import residual, residual_indexed
from benchmarks.workloads.scalars import scalars, scalars_forward
from benchmarks.workloads.scientific import SCIENTIFIC
from benchmarks.workloads.solvers import SOLVERS
from benchmarks.workloads.tracing import PROGRAMS, tracing
from benchmarks.workloads.two_layer import two_layer, two_layer_transposed
from benchmarks.workloads.vector import vector

__all__ = ["WORKLOADS"]

WORKLOADS: dict[str, Callable[[], Workload]] = {
    "two-layer": two_layer,
    "residual": residual,
    "two-layer-transposed": two_layer_transposed,
    "residual-indexed": residual_indexed,
    "scalars": scalars,
    "scalars-forward": scalars_forward,
    **{f"l2-{size}": partial(l2, size) for size in SIZES},
    "vector": vector,
    "constants": constants,
    "gauss-seidel": gauss_seidel,
    **SCIENTIFIC,
    **LOOPS,
    **SOLVERS,
    **{f"trace-{name}": partial(tracing, name) for name in PROGRAMS},
}
"""What makes each workload, by the name that the command line knows."""
