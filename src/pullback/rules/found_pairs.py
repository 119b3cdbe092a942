"""Eigenvalues and singular values that SciPy's iterations find, with their vectors, as constants.

What is computed with a rule is matched with them.
"""

from __future__ import annotations

import numpy as np

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.rules.registration import constant

__all__ = ["found_pairs", "found_triples"]


def _solved_in(*matrices):
    """The dtype in which ARPACK solves: single or double precision, real or complex."""
    dtype = np.result_type(*map(dtype_of, matrices))
    return dtype if dtype.char in "fdFD" else np.dtype(float)


def _found_pairs(a, b, *, k, solver, options):
    import scipy.sparse.linalg as sl

    given = {name: np.array(x) if type(x) is tuple else x for name, x in options}
    with_b = given.pop("with_b")
    a, b = (x.astype(_solved_in(a, b)) for x in (a, b))
    return getattr(sl, solver)(a, k, b if with_b else None, **given)


def _pairs_shape(_primitive, a, b, *, k, solver, options):
    dtype = np.result_type(_solved_in(a, b), *([np.complex64] if solver == "eigs" else []))
    values = dtype if solver == "eigs" else dtype.type(0).real.dtype
    return Abstract((k,), values), Abstract((shape_of(a)[0], k), dtype)


def _each(primitive, size, mapped, values, params):
    rows = [
        primitive(*(x[i] if one else x for x, one in zip(values, mapped, strict=True)), **params)
        for i in range(size)
    ]
    return tuple(np.stack(column) for column in zip(*rows, strict=True))


found_pairs = constant(_found_pairs, Opaque(_pairs_shape, _each, multiple=True), name="found_pairs")
"""k eigenvalues and vectors as `scipy.sparse.linalg.eigsh` or `eigs` gives them."""


def _found_triples(a, *, k, options):
    import scipy.sparse.linalg as sl

    given = {name: np.array(x) if type(x) is tuple else x for name, x in options}
    return sl.svds(a.astype(_solved_in(a)), k, **given)


def _triples_shape(_primitive, a, *, k, options):
    (m, n), dtype = shape_of(a), _solved_in(a)
    return (
        Abstract((m, k), dtype), Abstract((k,), dtype.type(0).real.dtype), Abstract((k, n), dtype)
    )  # fmt: skip


found_triples = constant(
    _found_triples, Opaque(_triples_shape, _each, multiple=True), name="found_triples"
)
"""k singular values with their vectors as `scipy.sparse.linalg.svds` gives them."""
