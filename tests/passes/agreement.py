"""That a rewritten graph computes the same, for ordinary numbers and for special ones."""

from __future__ import annotations

import numpy as np

import pullback as pb
from pullback.passes.dead import remove_dead
from tests.graph.programs import leaves

__all__ = ["assert_agree", "rewritten", "special"]

SPECIAL = (np.nan, np.inf, -np.inf, 0.0, 1.0, -1.0, 0.5, -2.0, 3.0)
rng = np.random.default_rng(7)


def special(x, *, numbers=False):
    """An array like `x`, with infinities, NaN and zeros; complex ones may be `numbers` only."""
    x = np.asarray(x)
    if x.dtype.kind == "b":
        return _as(x, rng.integers(0, 2, x.shape))
    if x.dtype.kind in "iu":
        return _as(x, rng.choice([0, 1, 2, 3, 5], x.shape))
    finite = numbers and x.dtype.kind == "c"
    values = rng.choice([each for each in SPECIAL if np.isfinite(each) or not finite], x.shape)
    if x.dtype.kind == "c":
        values = values + 1j * rng.choice([0.0, 1.0, -0.5], x.shape)
    return _as(x, values)


def _as(x, values):
    """The values in the dtype of `x`, laid out in memory as that is."""
    out = np.empty_like(x)
    out[...] = values
    return out


def assert_agree(got, wanted, what="", *, types=True):
    """Types, shapes and dtypes are the same, and numbers up to rounding."""
    for one, other in zip(leaves(got), leaves(wanted), strict=True):
        assert not types or type(one) is type(other), (what, type(one), type(other))
        one, other = np.asarray(one), np.asarray(other)
        assert (one.dtype, one.shape) == (other.dtype, other.shape), what
        if one.dtype.kind not in "fc":
            np.testing.assert_array_equal(one, other, err_msg=str(what))
            continue
        if one.dtype.kind == "c":
            # Of an infinite or undefined complex number only that it is one is kept.
            finite = np.isfinite(other)
            np.testing.assert_array_equal(np.isfinite(one), finite, err_msg=str(what))
            one, other = one[finite], other[finite]
        size = np.max(np.abs(other[np.isfinite(other)]), initial=1.0)
        rounding = 64 * np.finfo(one.dtype).eps
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(
                one, other, rtol=rounding, atol=rounding * size, err_msg=str(what)
            )


def rewritten(what, f, *args):
    """The graph of `f` after a pass, without dead code; it is checked, and gives what `f` gives."""
    graph = pb.trace(f, *args)
    new = what(graph)
    new.verify()
    assert what(new) is new, f"{new}\n{what(new)}"
    new = remove_dead(new)
    for _ in range(3):
        assert_agree(new(*args), graph(*args), f"{graph}\n{new}", types=False)
        args = [special(x) if isinstance(x, np.ndarray) and x.dtype != int else x for x in args]
    return new
