"""Matrices with equal eigenvalues and singular values, and closed forms of derivatives there.

These need no choice of vectors: the theorem of Daleckii and Krein with divided differences, which
are derivatives where values are equal; for singular values, of the matrix [[0, A], [Aᴴ, 0]], whose
eigenvalues they are.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "adjoint",
    "daleckii_krein",
    "degenerate",
    "hermitian",
    "normal",
    "of_singular_values",
    "traced_hermitian",
    "unitary",
]


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def hermitian(x):
    return (x + adjoint(x)) / 2


def traced_hermitian(a):
    return (a + np.conj(a).mT) / 2 if a.dtype.kind == "c" else (a + a.mT) / 2


def normal(rng, shape, dtype):
    x = rng.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(size=shape)
    return x.astype(dtype)


def unitary(rng, shape, dtype, count):
    """Orthonormal columns: unit vectors for some seeds, where much is zero or stationary."""
    if rng.random() < 0.3:
        return np.broadcast_to(np.eye(shape[-1], dtype=dtype), shape)[..., :count]
    return np.linalg.qr(normal(rng, shape, dtype))[0][..., :count]


def daleckii_krein(f, slope, a, direction):
    """f(A) of a Hermitian matrix, and its derivative along a Hermitian direction."""
    w, v = np.linalg.eigh(a)
    gaps = w[..., None, :] - w[..., :, None]
    same = np.abs(gaps) < 1e-4
    middle = slope((w[..., None, :] + w[..., :, None]) / 2)
    values = f(w)
    divided = (values[..., None, :] - values[..., :, None]) / np.where(same, 1, gaps)
    inside = np.where(same, middle, divided) * (adjoint(v) @ direction @ v)
    return (v * values[..., None, :]) @ adjoint(v), v @ inside @ adjoint(v)


def of_singular_values(f, slope, a, direction):
    """U f(S) Vᴴ for an odd f, and its derivative."""
    m, n = a.shape[-2:]

    def dilated(x):
        top = np.concatenate([np.zeros((*x.shape[:-2], m, m)), x], -1)
        return np.concatenate([top, np.concatenate([adjoint(x), np.zeros((n, n))[None]], -1)], -2)

    def dilate(x):
        flat = x.reshape(-1, m, n)
        rows = [np.block([[np.zeros((m, m)), y], [adjoint(y), np.zeros((n, n))]]) for y in flat]
        return np.reshape(rows, (*x.shape[:-2], m + n, m + n))

    found = daleckii_krein(f, slope, dilate(a), dilate(direction))
    return [x[..., :m, m:] for x in found]


def degenerate(rng, w):
    """A symmetric matrix with these eigenvalues, and its parts."""
    v = np.linalg.qr(rng.normal(size=(len(w), len(w))))[0]
    return hermitian((v * np.array(w, float)) @ v.T), v
