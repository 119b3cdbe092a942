"""Every primitive of the rule book gives the same in loops that are fused."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.decomposition import decompose
from pullback.compiler.fusion import arrange, fuse
from pullback.compiler.loops import interpret, verify
from pullback.compiler.lowering import lower
from pullback.core.primitive import registry
from tests.compiler.fortran import SYMBOLS
from tests.compiler.interpreted import parts, python_call
from tests.compiler.lowering.test_primitives import traced
from tests.grouping import together
from tests.rules.cases import CASES


@together("name")
@pytest.mark.parametrize("name", sorted(set(CASES) - {"nonzero"}))  # its shape is not known
def test_a_primitive_in_fused_loops(name):
    for case in CASES[name][:2]:
        if not any(np.asarray(arg).dtype.kind in "fc" for arg in case.args):
            continue
        graph, leaves = traced(registry[name], case)
        lowered = lower(decompose(pb.simplify(graph)))
        fused = arrange(fuse(lowered.program))
        verify(fused)
        values = [*map(parts, leaves), *map(parts, lowered.constants)]
        calls = [*map(python_call, lowered.calls)]
        before, after = (
            interpret(made, values, calls, SYMBOLS) for made in (lowered.program, fused)
        )
        for one, other in zip(before, after, strict=True):
            single = one.dtype == np.float32
            np.testing.assert_allclose(other, one, rtol=2e-6 if single else 1e-11, atol=1e-13)
