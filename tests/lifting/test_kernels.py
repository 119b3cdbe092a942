"""Kernels as users write them: recorded once, right in value and gradient, native too."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.lifting.trace import recorded
from tests.lifting.kernels import KERNELS


def agree(found: Any, expected: Any, rtol: float) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel(name: str) -> None:
    """Value and both derivatives, kept and compiled, beside NumPy's and differences."""
    kernel = KERNELS[name]
    f, args = kernel.loss(kernel.small)
    value = f(*args)
    places = kernel.inexact(args)
    both = pb.value_and_grad(f, argnums=places) if places else lambda *args: (f(*args), ())
    if kernel.refused:
        with pytest.raises(pb.PullbackError, match=kernel.refused):
            pb.trace(f, *args, lift=True)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pb.UnrolledLoopWarning)
        warnings.simplefilter("ignore", pb.IndependentOutputWarning)
        graph, unrolled = recorded(both, *args)
        native = pb.compile(both)
        results = graph(*args), native(*args)
        gradients = both(*args)[1]
    assert len(unrolled) == len(kernel.unrolled), [each.reason for each in unrolled]
    for each, words in zip(sorted(unrolled, key=lambda x: x.line), kernel.unrolled, strict=True):
        assert words in each.reason
    for found, derivatives in results:
        agree([found], [value], 1e-10)
        agree(derivatives, gradients, 1e-7)
    if places:
        rng = np.random.default_rng(3)
        numbers = tuple(args[i] for i in places)
        directions = tuple(np.asarray(rng.normal(size=np.shape(x)))[()] for x in numbers)

        def along(*given: Any) -> Any:
            every = list(args)
            for i, x in zip(places, given, strict=True):
                every[i] = x
            return f(*every)

        slope = sum(np.sum(np.real(g * d)) for g, d in zip(gradients, directions, strict=True))
        forward = pb.trace(lambda *x: pb.pushforward(along, x, directions)[1], *numbers, lift=True)
        agree([forward(*numbers)], [slope], 1e-8 * max(1.0, abs(slope)))
        h = 1e-6
        ahead, behind = (
            along(*(x + s * d for x, d in zip(numbers, directions, strict=True))) for s in (h, -h)
        )
        agree([(ahead - behind) / (2 * h)], [slope], 1e-5 * max(1.0, abs(slope)))
