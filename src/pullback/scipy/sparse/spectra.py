"""scipy.sparse.linalg: parts of spectra.

SciPy's iterations find the values and the vectors. Their derivatives are those of the dense
problem, which costs n³ operations where the iteration costs a few products: a matrix of some
thousand rows takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg as sl

from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer, strip
from pullback.errors import ArgumentTypeError
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant
from pullback.rules.found_pairs import found_pairs, found_triples
from pullback.rules.implicit.polishing import anchored
from pullback.scipy.constants import constant_call
from pullback.scipy.first_step import any_traced, serves
from pullback.scipy.linalg.generalized import matched, nearest

__all__ = ["dense", "eigs", "eigsh", "svds"]


def dense(a: Any, name: str) -> Any:
    """A matrix as a dense array; of an operator, what it makes of the unit matrix."""
    if type(a) is Tracer or isinstance(a, np.ndarray):
        return operand(a)
    if scipy.sparse.issparse(a):
        return a.toarray()
    if hasattr(a, "shape") and hasattr(a, "__matmul__"):
        return a @ np.eye(a.shape[1])
    raise ArgumentTypeError(f"{name}: got {type(a).__name__}, wanted a matrix, dense or sparse")


def _options(name: str, options: dict[str, Any]) -> tuple[Any, ...]:
    """What SciPy is told besides, as a parameter of a primitive: constants, and no arrays."""
    options = {
        key: strip(x) if type(x) is Tracer and are_constant(x) else x for key, x in options.items()
    }
    if any_traced(options.values()):
        raise ArgumentTypeError(
            f"{name}: something else than a matrix is traced, of which the result is no function; "
            "detach it with pullback.stop_gradient"
        )
    for each in ("Minv", "OPinv"):
        if options.pop(each, None) is not None:
            raise ArgumentTypeError(
                f"{name}: {each} is not supported where a matrix is being differentiated; leave it "
                "out, which changes the time that it takes and not the result"
            )
    return tuple(
        (key, tuple(np.asarray(x).tolist()) if isinstance(x, np.ndarray | list) else x)
        for key, x in options.items()
        if x is not None
    )


def _solver(function: Callable[..., Any], dense_problem: Callable[[Any, Any], Any]) -> Any:
    solver = function.__name__
    name = f"scipy.sparse.linalg.{solver}"

    def solved(
        A: Any, k: Any = 6, M: Any = None, *args: Any, return_eigenvectors: Any = True, **kwds: Any
    ) -> Any:
        names = ("sigma", "which", "v0", "ncv", "maxiter", "tol")
        given = {**dict(zip(names, args, strict=False)), **kwds}
        if len(args) > len(names):
            return_eigenvectors = args[len(names)]
        everything = {**given, "return_eigenvectors": return_eigenvectors}
        out = constant_call(function, (A, k, M), everything)
        if out is not NotImplemented:
            return out
        a = dense(A, name)
        b = None if M is None else dense(M, name)
        options = (*_options(name, given), ("with_b", b is not None))
        values, vectors = found_pairs(
            a, a if b is None else b, k=int(k), solver=solver, options=options
        )
        w, v = dense_problem(a, b)
        place = nearest(w, values)
        w = anchored(values, np.take_along_axis(w, place, -1))
        if not return_eigenvectors:
            return w
        v = np.take_along_axis(v, place[None, :], -1)
        if b is None or solver == "eigs":
            return w, matched(v, vectors)
        overlap = np.sum(np.conj(v) * (b @ vectors), axis=0)  # the length is 1 by M
        return w, anchored(vectors, v * np.sign(overlap))

    solved.__name__ = solved.__qualname__ = solver
    return serves(function)(solved)


eigsh = _solver(sl.eigsh, scipy.linalg.eigh)
eigs = _solver(sl.eigs, scipy.linalg.eig)


@serves(sl.svds)
def svds(A: Any, k: Any = 6, *args: Any, return_singular_vectors: Any = True, **kwds: Any) -> Any:
    names = ("ncv", "tol", "which", "v0", "maxiter")
    given = {**dict(zip(names, args, strict=False)), **kwds}
    if len(args) > len(names):
        return_singular_vectors = args[len(names)]
    everything = {**given, "return_singular_vectors": return_singular_vectors}
    out = constant_call(sl.svds, (A, k), everything)
    if out is not NotImplemented:
        return out
    name = "scipy.sparse.linalg.svds"
    a = dense(A, name)
    left, values, right = found_triples(a, k=int(k), options=_options(name, given))
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    place = nearest(s, values)
    s = anchored(values, s[place])
    if return_singular_vectors is False:
        return s
    u, vh = u[:, place], vh[place]
    overlap = np.sum(np.conj(u) * left, axis=0)
    phase = np.sign(overlap)
    u, vh = anchored(left, u * phase), anchored(right, np.conj(phase)[:, None] * vh)
    if return_singular_vectors == "u" and shape_of(a)[0] > shape_of(a)[1]:
        return u, s, None
    return u, s, vh
