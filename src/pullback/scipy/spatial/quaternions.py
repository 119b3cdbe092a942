"""Rotations as quaternions (x, y, z, w), in the last axis of arrays: formulas in NumPy's functions.

What depends on an angle depends on its square, so that derivatives of every order hold at the
identity, where the angle itself has a kink.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract
from pullback.core.tracing import strip
from pullback.errors import ArgumentValueError
from pullback.rules.custom import stop_gradient

__all__ = [
    "canonical",
    "composed",
    "fails",
    "from_angles",
    "from_matrix",
    "from_orthogonal",
    "from_rotvec",
    "inverse",
    "matrix",
    "normalised",
    "rotvec",
    "to_angles",
]

_HALF_SINE = [(-1) ** k / (2 * 4**k * math.factorial(2 * k + 1)) for k in range(9)]
_HALF_COSINE = [(-1) ** k / (4**k * math.factorial(2 * k)) for k in range(9)]
_ARC = [(-1) ** k / (2 * k + 1) for k in range(13)]
_LOCKED = 1e-7


def _analytic(s: Any, terms: Sequence[float], end: float, far: Callable[[Any], Any]) -> Any:
    """A function of s ≥ 0: the sum of ``terms[k]·sᵏ`` up to an end, and `far` beyond."""
    near = s <= end
    inner, total = np.where(near, s, 0.0), np.zeros(())
    for term in reversed(terms):
        total = term + inner * total
    return np.where(near, total, far(np.where(near, 1.0, s)))


def fails(condition: Any) -> bool:
    """Whether a condition is known not to hold everywhere."""
    values = strip(condition)
    return not isinstance(values, Abstract) and not np.all(values)


def _square(v: Any) -> Any:
    return np.sum(v * v, axis=-1, keepdims=True)


def normalised(q: Any) -> Any:
    """A quaternion over its length."""
    norm = np.linalg.norm(q, axis=-1, keepdims=True)
    if fails(norm > 0):
        raise ValueError("Found zero norm quaternions in `quat`.")
    return q / norm


def canonical(q: Any) -> Any:
    """That of q and −q whose w is above 0; where it is 0 the first that is not of x, y, z is."""
    x, y, z, w = (stop_gradient(q[..., i]) for i in range(4))
    first = np.where(w != 0, w, np.where(x != 0, x, np.where(y != 0, y, z)))
    return q * np.where(first < 0, -1.0, 1.0)[..., None]


def inverse(q: Any) -> Any:
    """The conjugate."""
    return q * np.array([-1.0, -1.0, -1.0, 1.0])


def composed(p: Any, q: Any) -> Any:
    """The product p·q: first q, then p."""
    u, a = p[..., :3], p[..., 3:]
    v, b = q[..., :3], q[..., 3:]
    vector = a * v + b * u + np.cross(u, v)
    return np.concatenate([vector, a * b - np.sum(u * v, axis=-1, keepdims=True)], axis=-1)


# -- rotation vectors and matrices -----------------------------------------------------------------


def from_rotvec(r: Any) -> Any:
    """(sin(θ/2)/θ·r, cos(θ/2)), θ = |r|."""
    square = _square(r)
    sine = _analytic(square, _HALF_SINE, 1.0, lambda s: np.sin(np.sqrt(s) / 2) / np.sqrt(s))
    cosine = _analytic(square, _HALF_COSINE, 1.0, lambda s: np.cos(np.sqrt(s) / 2))
    return np.concatenate([sine * r, cosine], axis=-1)


def rotvec(q: Any) -> Any:
    """θ/|v|·v, θ = 2·atan(|v|/w), of q = (v, w) with w ≥ 0."""
    q = canonical(q)
    v, w = q[..., :3], q[..., 3:]
    square = _square(v)
    near = square <= 0.04 * stop_gradient(w * w)
    positive = np.where(near, w, 1.0)
    ratio = np.where(near, square, 0.0) / (positive * positive)
    total: Any = np.zeros(())
    for term in reversed(_ARC):
        total = term + ratio * total
    length = np.sqrt(np.where(near, 1.0, square))
    far = np.arctan2(length, np.where(near, 1.0, w)) / length
    return 2 * np.where(near, total / positive, far) * v


def matrix(q: Any) -> Any:
    """The matrix of a rotation."""
    x, y, z, w = (q[..., i] for i in range(4))
    rows = [
        x * x - y * y - z * z + w * w, 2 * (x * y - z * w), 2 * (x * z + y * w),
        2 * (x * y + z * w), -x * x + y * y - z * z + w * w, 2 * (y * z - x * w),
        2 * (x * z - y * w), 2 * (y * z + x * w), -x * x - y * y + z * z + w * w,
    ]  # fmt: skip
    return np.reshape(np.stack(rows, axis=-1), (*np.shape(q)[:-1], 3, 3))


def from_matrix(m: Any) -> Any:
    """That of the rotation nearest to a matrix M: M·(MᵀM)^(−1/2)."""
    if fails(np.linalg.det(stop_gradient(m)) > 0):
        raise ValueError(
            "Non-positive determinant (left-handed or null coordinate frame) in rotation matrix"
        )
    values, vectors = np.linalg.eigh(np.swapaxes(m, -1, -2) @ m)
    root = (vectors / np.sqrt(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return from_orthogonal(m @ root)


def from_orthogonal(m: Any) -> Any:
    """That of a matrix which is a rotation, by the largest of the components' sizes."""
    diagonal = [m[..., i, i] for i in range(3)]
    trace = diagonal[0] + diagonal[1] + diagonal[2]
    choice = np.argmax(stop_gradient(np.stack([*diagonal, trace], axis=-1)), axis=-1)[..., None]
    found: Any = None
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        parts = {
            i: 1 - trace + 2 * diagonal[i],
            j: m[..., j, i] + m[..., i, j],
            k: m[..., k, i] + m[..., i, k],
            3: m[..., k, j] - m[..., j, k],
        }
        each = np.stack([parts[n] for n in range(4)], axis=-1)
        found = each if found is None else np.where(choice == i, each, found)
    twists = [m[..., (i + 2) % 3, (i + 1) % 3] - m[..., (i + 1) % 3, (i + 2) % 3] for i in range(3)]
    last = np.stack([*twists, 1 + trace], axis=-1)
    return normalised(np.where(choice == 3, last, found))


# -- angles about the axes -------------------------------------------------------------------------


def axes_of(seq: str, *, least: int) -> tuple[list[int], bool]:
    """The axes that a sequence names, by number, and whether they turn with the body."""
    intrinsic = re.match(r"^[XYZ]{1,3}$", seq) is not None
    extrinsic = re.match(r"^[xyz]{1,3}$", seq) is not None
    if not (intrinsic or extrinsic) or len(seq) < least:
        raise ValueError(
            "Expected axes from `seq` to be from ['x', 'y', 'z'] or ['X', 'Y', 'Z'], "
            f"and {least} of them or more, got {seq}"
        )
    if any(a == b for a, b in itertools.pairwise(seq)):
        raise ValueError(f"Expected consecutive axes to be different, got {seq}")
    return ["xyz".index(each) for each in seq.lower()], intrinsic


def from_angles(seq: str, angles: Any) -> Any:
    """The composition of rotations about axes, whose angles are in the last axis."""
    axes, intrinsic = axes_of(seq, least=1)
    angles = angles if np.ndim(angles) else np.reshape(angles, (1,))
    if np.shape(angles)[-1] != len(axes):
        raise ArgumentValueError(
            f"scipy.spatial.transform.Rotation.from_euler: angles has shape {np.shape(angles)}, "
            f"wanted a last axis of {len(axes)}, as many as there are axes in {seq!r}"
        )
    out: Any = None
    for place, axis in enumerate(axes):
        half = 0.5 * angles[..., place]
        zero = np.zeros_like(half)
        vector = [np.sin(half) if i == axis else zero for i in range(3)]
        q = np.stack([*vector, np.cos(half)], axis=-1)
        out = q if out is None else composed(out, q) if intrinsic else composed(q, out)
    return out


def to_angles(q: Any, seq: str) -> Any:
    """The angles about three axes: Bernardes and Viollet, PLoS ONE 17 (2022) e0276302.

    Where the second angle is at an end of its range, the third is 0.
    """
    axes, intrinsic = axes_of(seq, least=3)
    i, j, k = axes[::-1] if intrinsic else axes
    symmetric = i == k
    k = 3 - i - j if symmetric else k
    sign = (i - j) * (j - k) * (k - i) // 2
    a, b, c, d = q[..., 3], q[..., i], q[..., j], q[..., k] * sign
    if not symmetric:
        a, b, c, d = a - c, b + d, c + a, d - b
    second = 2 * np.arctan2(np.hypot(c, d), np.hypot(a, b))
    at = stop_gradient(second)
    low, high = np.abs(at) <= _LOCKED, np.abs(at - np.pi) <= _LOCKED
    half_sum, half_difference = np.arctan2(b, a), np.arctan2(d, c)
    turn = np.where(low, 2 * half_sum, (2 if intrinsic else -2) * half_difference)
    locked = low | high
    first = np.where(locked, 0.0 if intrinsic else turn, half_sum - half_difference)
    third = np.where(locked, turn if intrinsic else 0.0, half_sum + half_difference)
    if not symmetric:
        third, second = sign * third, second - np.pi / 2
    if intrinsic:
        first, third = third, first
    angles = np.stack([first, second, third], axis=-1)
    return angles - 2 * np.pi * stop_gradient(np.floor((angles + np.pi) / (2 * np.pi)))
