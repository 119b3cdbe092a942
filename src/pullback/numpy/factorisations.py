"""NumPy's QR factorisation, and eigenvalues of matrices that need not be Hermitian."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import known, strip
from pullback.errors import ArgumentTypeError
from pullback.numpy.operands import of_rank, square
from pullback.numpy.registration import implements
from pullback.numpy.spectral import completed
from pullback.rules import eigenvalues, orthogonal

__all__ = ["factors", "only_real"]

_QRResult: Any = type(np.linalg.qr(np.eye(1)))
_EigResult: Any = type(np.linalg.eig(np.eye(1)))


def factors(a: Any) -> tuple[Any, Any]:
    """Q and R with as many columns in Q as rows in R, the fewer of those of A."""
    rows, columns = shape_of(a)[-2:]
    if rows >= columns:
        return orthogonal.qr(a)  # type: ignore[no-any-return]
    q, r = orthogonal.qr(a[..., :rows])
    return q, np.concatenate([r, np.conj(q).mT @ a[..., rows:]], axis=-1)


@implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Of what completes Q for a tall matrix, only the space is determined, and has a derivative."""
    a = of_rank(2, a, "np.linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentTypeError(
            f"np.linalg.qr: got mode={mode!r} where a matrix is being differentiated; call it with "
            "mode='reduced', 'complete' or 'r'"
        )
    q, r = factors(a)
    if mode == "r":
        return r
    rows, columns = shape_of(a)[-2:]
    if mode == "complete" and rows > columns:
        q = completed(q, orthogonal.basis(a), "np.linalg.qr")
        below = np.zeros((*shape_of(r)[:-2], rows - columns, columns), dtype_of(r))
        r = np.concatenate([r, below], axis=-2)
    return _QRResult(q, r)


def only_real(a: Any, w: Any) -> bool:
    """Whether all eigenvalues of a real matrix are real, which a recording can't know."""
    return dtype_of(a).kind != "c" and known(w) and not np.any(np.imag(strip(w)))


@implements(np.linalg.eig)
def eig(a: Any) -> Any:
    """Real where NumPy's are; complex in recorded bodies, where that is not known."""
    a = square(a, "np.linalg.eig")
    w, v = eigenvalues.eig(a)
    return _EigResult(*((np.real(w), np.real(v)) if only_real(a, w) else (w, v)))


@implements(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    return eig(a)[0]
