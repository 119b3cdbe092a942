"""The roots of polynomials, by the theorem on implicit functions."""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, dtype_of, is_inexact, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import in_batches
from pullback.rules.registration import rule, strong_multiply

__all__ = ["roots"]


def _roots(p, *, real=False):
    p = p if is_inexact(p) else p.astype(float)
    found = _eigenvalues(p) if p.ndim > 1 and np.all(p[..., -1]) else _one_by_one(p)
    if real:
        return np.array(np.real(found), order="C")
    return found.astype(np.result_type(p.dtype, np.complex64), order="C")


def _one_by_one(p):
    """NumPy's roots, those at 0 last."""
    rows = [np.roots(row) for row in p.reshape(-1, p.shape[-1])]
    return np.reshape(rows, (*p.shape[:-1], p.shape[-1] - 1))


def _eigenvalues(p):
    """Those of the companion matrix, as in NumPy."""
    companion = np.zeros((*p.shape[:-1], p.shape[-1] - 1, p.shape[-1] - 1), p.dtype)
    companion[..., 1:, :-1] = np.eye(p.shape[-1] - 2)
    companion[..., 0, :] = -p[..., 1:] / p[..., :1]
    return np.linalg.eigvals(companion)


def _shape(_primitive, p, *, real=False):
    dtype = np.result_type(dtype_of(p) if is_inexact(p) else float, np.complex64)
    *batch, n = shape_of(p)
    return Abstract((*batch, n - 1), np.zeros((), dtype).real.dtype if real else dtype)


def _count(out, *_, **__):
    """10n³ for n eigenvalues of a matrix of n rows."""
    *batch, n = shape_of(out)
    return int(np.prod(batch, dtype=int)) * 10 * n**3


def _slopes(r, p):
    """p′(r), and the sum of the moduli of its terms."""
    n = shape_of(p)[-1] - 1
    slope, size = np.zeros_like(r), np.zeros_like(np.abs(r))
    for k in range(n):
        slope = slope * r + (n - k) * p[..., k : k + 1]
        size = size * np.abs(r) + (n - k) * np.abs(p[..., k : k + 1])
    return slope, size


def _are_multiple(r, p):
    """Whether roots are so near to others that rounding may have moved them apart."""
    slope, size = _slopes(r, p)
    return np.abs(slope) <= 8 * np.sqrt(np.finfo(dtype_of(size)).eps) * size


@rule(_roots, Opaque(_shape, in_batches, count=_count))
def roots(r, p, *, real):
    """Σ pₖ rⁿ⁻ᵏ = 0, so ṙ = −(Σ ṗₖ rⁿ⁻ᵏ) / p′(r).

    Source: M. Wilkinson, *Rounding errors in algebraic processes*, 1963, section 2.7. At roots that
    are multiple to rounding, where p′(r) = 0, the derivative is infinite, and NaN here.
    """
    slope, _ = _slopes(r, p)
    slope = slope * np.where(_are_multiple(r, p), np.nan, 1)
    powers = [np.ones_like(r)]
    while len(powers) < shape_of(p)[-1]:
        powers.append(powers[-1] * r)
    jacobian = -np.stack(powers[::-1], axis=-1) / slope[..., None]
    is_complex = dtype_of(p).kind == "c"

    def pull(r_bar):
        p_bar = np.sum(strong_multiply(np.conj(jacobian), r_bar[..., None]), axis=-2)
        return p_bar if is_complex else np.real(p_bar)

    def push(p_dot):
        return np.sum(strong_multiply(jacobian, p_dot[..., None, :]), axis=-1)

    return Linear(push, pull)


def _meets_multiple(p, *, real=False):
    return _are_multiple(roots(p, real=real), p)


roots.singular_at(
    "a multiple root", _meets_multiple, (np.array([1.0, -2.0, 1.0]),), np.nan, np.nan, "pole",
    params={"real": True}, whole=True,
)  # fmt: skip
