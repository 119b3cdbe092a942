"""What every function of `scipy.integrate` is asked, as a function of one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from numpy.testing import assert_allclose

import pullback as pb

__all__ = ["agrees", "closed_form"]


def closed_form(f: Callable[[Any], Any]) -> Callable[[float], tuple[float, float, float]]:
    """The value and two derivatives of a function of mpmath's."""

    def evaluated(p: float) -> tuple[float, float, float]:
        with mpmath.workdps(30):
            return tuple(float(mpmath.diff(f, mpmath.mpf(p), n)) for n in range(3))

    return evaluated


def agrees(
    name: str,
    f: Callable[[Any], Any],
    p: float,
    expected: Any,
    rtol: float = 1e-9,
    second: float | None = None,
) -> None:
    """The value is SciPy's to the bit, and derivatives are those expected, in every mode.

    `expected` are the value and two derivatives at p.
    """
    second = rtol if second is None else second
    value, slope, bend = expected
    plain = f(p)
    assert_allclose(plain, value, rtol=max(rtol, 1e-6), err_msg=name)
    out, pull = pb.vjp(f, p)
    assert np.array_equal(out, plain), name
    assert_allclose(pull(1.0)[0], slope, rtol=rtol, atol=rtol, err_msg=name)
    out, dot = pb.jvp(f, (p,), (2.0,))
    assert np.array_equal(out, plain), name
    assert_allclose(dot, 2 * slope, rtol=rtol, atol=rtol, err_msg=name)
    several = np.array([p, p])
    values, slopes = pb.vmap(pb.value_and_grad(f))(several)
    assert np.array_equal(values, [plain, plain]), name
    assert_allclose(slopes, [slope, slope], rtol=rtol, atol=rtol, err_msg=name)
    over = pb.grad(lambda ps: np.sum(pb.vmap(f)(ps)))(several)
    assert_allclose(over, [slope, slope], rtol=rtol, atol=rtol, err_msg=name)
    bends = (
        pb.hessian(f)(p),
        pb.grad(pb.grad(f))(p),
        pb.jvp(lambda x: pb.jvp(f, (x,), (1.0,))[1], (p,), (1.0,))[1],
    )
    assert_allclose(bends, [bend] * 3, rtol=second, atol=second, err_msg=name)
