"""Programs as users write them: recorded once, right in value and gradient, native too."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.lifting.trace import recorded
from tests.lifting.kernels import KERNELS


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_stays_loops(name: str) -> None:
    f, args, most = KERNELS[name]
    both = pb.value_and_grad(f, argnums=tuple(range(len(args))))
    value, gradients = both(*args)
    assert len(pb.trace(f, *args, lift=True).equations) <= most
    graph, unrolled = recorded(both, *args)
    assert unrolled == ()
    native = pb.compile(both, lift=True)
    for found, derivatives in (graph(*args), native(*args)):
        np.testing.assert_allclose(found, value, rtol=1e-11)
        for one, other in zip(derivatives, gradients, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-11)
    assert native.report(*args).unrolled == ()
