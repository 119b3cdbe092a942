"""What compiled functions promise: the results of the function itself up to rounding."""

from __future__ import annotations

import numpy as np

from pullback.core import trees

__all__ = ["ROUNDINGS", "assert_agree"]

ROUNDINGS = 256
"""How many roundings of its largest element, or of 1, a result's elements may differ by."""


def assert_agree(got, expected, what=""):
    """The same tree of the same shapes and dtypes, and the numbers up to `ROUNDINGS`."""
    one, spec = trees.flatten(got)
    other, wanted = trees.flatten(expected)
    assert spec == wanted, f"{what}: {spec}, expected {wanted}"
    for position, (a, b) in enumerate(zip(one, other, strict=True)):
        _compare(a, b, f"{what} [{position}]")


def _compare(a, b, what):
    a, b = np.asarray(a), np.asarray(b)
    assert (a.dtype, a.shape) == (b.dtype, b.shape), f"{what}: {a!r}, expected {b!r}"
    if b.dtype.kind not in "fc":
        np.testing.assert_array_equal(a, b, err_msg=what)
        return
    finite = np.isfinite(b)
    if b.dtype.kind == "c":
        # Of an infinite or undefined complex number only that it is one is kept.
        np.testing.assert_array_equal(np.isfinite(a), finite, err_msg=what)
        a, b = a[finite], b[finite]
        finite = np.isfinite(b)
    bound = ROUNDINGS * float(np.finfo(b.dtype).eps)
    size = float(np.max(np.abs(b[finite]), initial=1.0))
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(a, b, rtol=bound, atol=bound * size, err_msg=what)
