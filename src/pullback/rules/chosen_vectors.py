"""The vectors that SciPy chooses, where their signs are its drivers' and no function of a matrix's.

They are constant: what is computed with a rule takes their signs, or phases.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from pullback.core.structure import rowwise
from pullback.rules.registration import constant

__all__ = ["chosen_vectors", "generalized_pairs", "left_vectors"]


def _chosen_vectors(a, b, *, first=0, options=()):
    """Those of a part of the spectrum, from the place `first` on, and zeros beside them."""
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, b))
    found = np.zeros((*lead, *a.shape[-2:]), np.result_type(a, b))
    given = dict(options)
    with_b = given.pop("generalized", False)
    for place in np.ndindex(lead):
        v = scipy.linalg.eigh(
            a[place], b[place] if with_b else None, check_finite=False, **given
        )[1]  # fmt: skip
        width = min(v.shape[-1], found.shape[-1] - first)
        found[(*place, slice(None), slice(first, first + width))] = v[:, :width]
    return found


chosen_vectors = constant(
    _chosen_vectors,
    rowwise("(n,n),(n,n)->(n,n)", lambda n: 14 * n**3),
    name="chosen_vectors",
)
"""Eigenvectors of a Hermitian problem as `scipy.linalg.eigh` gives them."""


def _left_vectors(a):
    found = np.zeros(a.shape, np.result_type(a, np.complex64))
    for place in np.ndindex(a.shape[:-2]):
        found[place] = scipy.linalg.eig(a[place], left=True, right=False, check_finite=False)[1]
    return found


left_vectors = constant(_left_vectors, rowwise("(n,n)->(n,n)", lambda n: 25 * n**3))
"""Left eigenvectors as `scipy.linalg.eig` gives them."""


def _generalized_pairs(a, b):
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, b))
    dtype = np.result_type(a, b, np.complex64)
    w, left, right = (
        np.empty((*lead, *shape), dtype) for shape in (a.shape[-1:], *[a.shape[-2:]] * 2)
    )
    for place in np.ndindex(lead):
        w[place], left[place], right[place] = scipy.linalg.eig(
            a[place], b[place], left=True, right=True, check_finite=False
        )
    return w, left, right


generalized_pairs = constant(
    _generalized_pairs,
    rowwise("(n,n),(n,n)->(n),(n,n),(n,n)", lambda n: 66 * n**3, multiple=True),
    name="generalized_pairs",
)
"""Eigenvalues, left and right vectors of two matrices as `scipy.linalg.eig` gives them."""
