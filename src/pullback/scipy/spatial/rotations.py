"""`scipy.spatial.transform.Rotation` and `Slerp` of traced values.

SciPy's class is written in Python from release 1.17 on; older ones can't be served. A rotation that
is made of traced values is of a subclass, whose methods are formulas of its quaternion.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any, NoReturn

import numpy as np
from scipy.spatial import transform
from scipy.spatial.transform import Rotation, Slerp

from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, ArgumentValueError, NoRuleError
from pullback.numpy.conversion import double
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand
from pullback.rules.custom import stop_gradient
from pullback.scipy.decisions import refused
from pullback.scipy.first_step import composite, serves
from pullback.scipy.spatial import quaternions

__all__ = ["TracedRotation", "TracedSlerp"]

_PATH = "scipy.spatial.transform"
_INSTEAD = (
    "Write the matrix of the rotation with NumPy's functions, of the unit axis k and the angle t "
    "as np.cos(t) * np.eye(3) + np.sin(t) * K + (1 - np.cos(t)) * np.outer(k, k), where K @ x is "
    "np.cross(k, x); a constant rotation is rotation.as_matrix() @ x"
)


def _array(x: Any, what: str, last: int) -> Any:
    x = double(operand(x))
    if not shape_of(x) or shape_of(x)[-1] != last:
        raise ArgumentValueError(
            f"{_PATH}.Rotation.{what}: the argument has shape {shape_of(x)}, wanted (..., {last})"
        )
    return x


def _quaternion(rotation: Any) -> Any:
    if not isinstance(rotation, Rotation):
        raise ArgumentTypeError(
            f"{_PATH}.Rotation: got an object of type {type(rotation).__name__}, wanted a Rotation"
        )
    return rotation.as_quat()


class TracedRotation(Rotation):  # type: ignore[misc]
    """A rotation, or several, whose quaternion is traced."""

    def __new__(cls, quat: Any) -> Any:
        self = Rotation.__new__(cls)
        self._q = quat
        return self

    def __init__(self, quat: Any) -> None:
        pass

    def as_quat(self, canonical: bool = False, *, scalar_first: bool = False) -> Any:
        q = quaternions.canonical(self._q) if canonical else self._q
        return np.roll(q, 1, axis=-1) if scalar_first else q

    def as_matrix(self) -> Any:
        return quaternions.matrix(self._q)

    def as_rotvec(self, degrees: bool = False) -> Any:
        found = quaternions.rotvec(self._q)
        return np.rad2deg(found) if degrees else found

    def as_mrp(self) -> Any:
        q = self._q * np.where(stop_gradient(self._q[..., 3:]) < 0, -1.0, 1.0)
        return q[..., :3] / (1 + q[..., 3:])

    def as_euler(self, seq: str, degrees: bool = False, *, suppress_warnings: bool = False) -> Any:
        angles = quaternions.to_angles(self._q, seq)
        return np.rad2deg(angles) if degrees else angles

    def apply(self, vectors: Any, inverse: bool = False) -> Any:
        return _apply(self, vectors, inverse)

    def inv(self) -> Any:
        return TracedRotation(quaternions.inverse(self._q))

    def magnitude(self) -> Any:
        sine = np.linalg.norm(self._q[..., :3], axis=-1)
        return 2 * np.arctan2(sine, np.abs(self._q[..., 3]))

    def mean(self, weights: Any = None, axis: Any = None) -> Any:
        return _mean(self, weights, axis)

    def approx_equal(self, other: Any, atol: Any = None, degrees: bool = False) -> Any:
        limit = 1e-8 if atol is None else np.deg2rad(atol) if degrees else atol
        return (other * self.inv()).magnitude() < limit

    def __mul__(self, other: Any) -> Any:
        return _composed(self, other) if isinstance(other, Rotation) else NotImplemented

    def __rmul__(self, other: Any) -> Any:
        return _composed(other, self) if isinstance(other, Rotation) else NotImplemented

    def __pow__(self, n: Any, modulus: Any = None) -> Any:
        return _power(self, n, modulus)

    def __getitem__(self, indexer: Any) -> Any:
        if self.single:
            raise TypeError("Single rotation is not subscriptable.")
        return TracedRotation(self._q[indexer])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        if self.single:
            raise TypeError("Single rotation has no len().")
        return int(self._q.shape[0])

    def __repr__(self) -> str:
        return f"Rotation.from_quat({self._q!r})"

    @property
    def single(self) -> bool:
        return len(shape_of(self._q)) == 1

    @property
    def shape(self) -> tuple[int, ...]:
        return shape_of(self._q)[:-1]


def _refuse(method: str) -> Any:
    def refusal(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise NoRuleError(
            f"{_PATH}.Rotation.{method} met a traced value, and has no derivative rule in "
            "pullback. Compute with as_matrix(), as_quat() or as_rotvec(), which have rules"
        )

    return refusal


for _name in ("as_davenport", "reduce", "__setitem__", "__getstate__", "__reduce__"):
    setattr(TracedRotation, _name, _refuse(_name))
composite(TracedRotation, lambda rotation: rotation._q)


# -- what makes rotations --------------------------------------------------------------------------


def _from_quat(quat: Any, *, scalar_first: bool = False) -> Any:
    quat = _array(quat, "from_quat", 4)
    return TracedRotation(
        quaternions.normalised(np.roll(quat, -1, axis=-1) if scalar_first else quat)
    )


def _from_matrix(matrix: Any, *, assume_valid: bool = False) -> Any:
    """That of the nearest rotation, of which the derivative is that of a symmetric root."""
    matrix = _array(matrix, "from_matrix", 3)
    if shape_of(matrix)[-2:] != (3, 3):
        raise ArgumentValueError(
            f"{_PATH}.Rotation.from_matrix: matrix has shape {shape_of(matrix)}, wanted (..., 3, 3)"
        )
    of = quaternions.from_orthogonal if assume_valid else quaternions.from_matrix
    return TracedRotation(of(matrix))


def _from_rotvec(rotvec: Any, degrees: bool = False) -> Any:
    rotvec = _array(rotvec, "from_rotvec", 3)
    return TracedRotation(quaternions.from_rotvec(np.deg2rad(rotvec) if degrees else rotvec))


def _from_euler(seq: str, angles: Any, degrees: bool = False) -> Any:
    angles = double(operand(angles))
    return TracedRotation(quaternions.from_angles(seq, np.deg2rad(angles) if degrees else angles))


def _from_mrp(mrp: Any) -> Any:
    mrp = _array(mrp, "from_mrp", 3)
    square = np.sum(mrp * mrp, axis=-1, keepdims=True)
    return TracedRotation(np.concatenate([2 * mrp, 1 - square], axis=-1) / (1 + square))


def _concatenate(rotations: Any) -> Any:
    each = [rotations] if isinstance(rotations, Rotation) else rotations
    return TracedRotation(
        np.concatenate([np.reshape(q, (-1, 4)) for q in map(_quaternion, each)], axis=0)
    )


def _align_vectors(
    a: Any, b: Any, weights: Any = None, return_sensitivity: bool = False
) -> tuple[Any, Any]:
    """The rotation R and √Σ wᵢ|aᵢ − R·bᵢ|², by singular values: Kabsch 1976."""
    a, b = double(operand(a)), double(operand(b))
    if return_sensitivity or len(shape_of(a)) != 2 or shape_of(a) != shape_of(b) or len(a) < 2:
        raise NoRuleError(
            f"{_PATH}.Rotation.align_vectors met traced values with a of shape {shape_of(a)}, b of "
            f"shape {shape_of(b)} and return_sensitivity={return_sensitivity}: it has a derivative "
            "for as many vectors, two or more, (n, 3), and without the sensitivity"
        )
    w = np.ones(len(a)) if weights is None else double(operand(weights))
    if quaternions.fails(np.isfinite(w) & (w >= 0)):
        raise ArgumentValueError(
            f"{_PATH}.Rotation.align_vectors: weights has elements that are negative or infinite, "
            "which has no derivative; wanted numbers of at least 0"
        )
    u, s, vh = np.linalg.svd(np.swapaxes(w[:, None] * a, 0, 1) @ b)
    flip = np.where(stop_gradient(np.linalg.det(u @ vh)) < 0, -1.0, 1.0)
    signs = np.stack([np.ones_like(flip), np.ones_like(flip), flip])
    rest = np.sum(w[:, None] * (a * a + b * b)) - 2 * np.sum(signs * s)
    q = quaternions.from_orthogonal((u * signs) @ vh)
    return TracedRotation(q), np.sqrt(np.maximum(rest, 0.0))


# -- what rotations are asked for with traced arguments --------------------------------------------


def _apply(self: Any, vectors: Any, inverse: bool = False) -> Any:
    vectors = _array(vectors, "apply", 3)
    q = _quaternion(self)
    turned = quaternions.matrix(quaternions.inverse(q) if inverse else q)
    return (turned @ vectors[..., None])[..., 0]


def _composed(self: Any, other: Any) -> Any:
    return TracedRotation(
        quaternions.normalised(quaternions.composed(_quaternion(self), _quaternion(other)))
    )


def _power(self: Any, n: Any, modulus: Any = None) -> Any:
    if modulus is not None:
        raise NotImplementedError("modulus not supported")
    return TracedRotation(quaternions.from_rotvec(n * quaternions.rotvec(_quaternion(self))))


def _mean(self: Any, weights: Any = None, axis: Any = None) -> Any:
    """The vector of the largest eigenvalue of Σ wᵢ·qᵢqᵢᵀ."""
    q = _quaternion(self)
    if axis is not None or len(shape_of(q)) != 2:
        raise NoRuleError(
            f"{_PATH}.Rotation.mean met a traced value with a quaternion of shape {shape_of(q)} "
            f"and axis={axis!r}: it has a derivative for rotations in one axis, without axis="
        )
    w = np.ones(len(q)) if weights is None else double(operand(weights))
    return TracedRotation(np.linalg.eigh(np.swapaxes(w[:, None] * q, 0, 1) @ q)[1][:, -1])


# -- interpolation ---------------------------------------------------------------------------------


class TracedSlerp(Slerp):  # type: ignore[misc]
    """An interpolation between rotations that are traced, or at such times."""

    def __call__(self, times: Any) -> Any:
        return _interpolated(self, times)


def _slerp(self: Any, times: Any, rotations: Any) -> None:
    """What the constructor does."""
    times, q = double(operand(times)), _quaternion(rotations)
    if len(shape_of(q)) != 2 or len(q) < 2 or shape_of(times) != shape_of(q)[:1]:
        raise ArgumentValueError(
            f"{_PATH}.Slerp: times has shape {shape_of(times)} and there are rotations of shape "
            f"{shape_of(q)[:-1]}, wanted two or more in one axis, and as many times"
        )
    self.__class__ = TracedSlerp
    self.times, self.timedelta = times, times[1:] - times[:-1]
    if quaternions.fails(self.timedelta > 0):
        raise ValueError("Times must be in strictly increasing order.")
    self.rotations = TracedRotation(q[:-1])
    self.rotvecs = quaternions.rotvec(quaternions.composed(quaternions.inverse(q[:-1]), q[1:]))


def _interpolated(self: Any, times: Any) -> Any:
    """The rotation at each time; the interval is that of the time without its derivative."""
    times = double(operand(times))
    place = np.searchsorted(stop_gradient(self.times), stop_gradient(times)) - 1
    last = len(self.rotvecs) - 1
    if quaternions.fails((times >= self.times[0]) & (times <= self.times[-1])):
        raise ValueError("Interpolation times must be within the range of the given ones.")
    place = np.clip(place, 0, last)
    begin, length, start, rotvec = (
        _picked(x, place)
        for x in (self.times, self.timedelta, _quaternion(self.rotations), self.rotvecs)
    )
    turned = quaternions.from_rotvec(rotvec * ((times - begin) / length)[..., None])
    return TracedRotation(quaternions.composed(start, turned))


def _picked(x: Any, place: Any) -> Any:
    like: Any = place
    return np.asarray(x, like=like)[place] if type(place) is Tracer else x[place]


composite(TracedSlerp, lambda slerp: slerp.rotations._q)

_MADE: dict[str, Any] = {
    "from_quat": _from_quat, "from_matrix": _from_matrix, "from_rotvec": _from_rotvec,
    "from_euler": _from_euler, "from_mrp": _from_mrp, "concatenate": _concatenate,
    "align_vectors": _align_vectors, "apply": _apply, "__pow__": _power, "mean": _mean,
}  # fmt: skip


def _serve() -> None:
    for name, ours in _MADE.items():
        serves(getattr(Rotation, name))(ours)
    methods: Any = vars(Slerp)
    serves(methods["__init__"])(_slerp)
    serves(methods["__call__"])(_interpolated)
    decide(transform, "Rotation Slerp", Kind.DIFFERENTIABLE, "by its methods")
    refused(transform, "RigidTransform RotationSpline", _INSTEAD)


if isinstance(Rotation.from_rotvec, FunctionType):
    _serve()
else:
    refused(transform, "RigidTransform Rotation RotationSpline Slerp", _INSTEAD)
