"""scipy.spatial.distance: distances of points that are traced."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.spatial.distance as sd

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import double
from pullback.numpy.operands import operand
from pullback.rules.indexing import ARRAY, scatter
from pullback.scipy.constants import constant_call
from pullback.scipy.decisions import constant, refused
from pullback.scipy.first_step import any_traced, serves
from pullback.scipy.spatial.metrics import ALIASES, LOCALLY_CONSTANT, METRICS

__all__ = ["cdist", "directed_hausdorff", "pdist", "squareform"]

_CONSTANT = (
    "It asks which components are equal, or are not 0, so that it is constant where it has a "
    "derivative; hand over what is detached, pullback.stop_gradient(x)"
)


def _real(x: Any, where: str, what: str) -> Any:
    x = operand(x)
    if dtype_of(x).kind == "c":
        raise ArgumentTypeError(
            f"{where}: {what} has dtype {dtype_of(x)} and shape {shape_of(x)}, wanted real numbers"
        )
    return x


# -- of two vectors --------------------------------------------------------------------------------


def _of_vectors(name: str) -> Callable[..., Any]:
    function, metric = getattr(sd, name), METRICS[name]
    where = f"scipy.spatial.distance.{name}"
    last = {"minkowski": ("p", "w"), "seuclidean": ("V",), "mahalanobis": ("VI",),
            "correlation": ("w", "centered")}.get(name, ("w",))  # fmt: skip

    def served(u: Any, v: Any, *args: Any, **kwargs: Any) -> Any:
        out = constant_call(function, (u, v, *args), kwargs)
        if out is not NotImplemented:
            return out
        options = {**dict(zip(last, args, strict=False)), **kwargs}
        unknown = [key for key in options if key not in last]
        if unknown or len(args) > len(last):
            raise TypeError(f"{name}() takes u, v and {', '.join(last)}")
        u, v = _real(u, where, "u"), _real(v, where, "v")
        if len(shape_of(u)) != 1 or shape_of(u) != shape_of(v):
            raise ArgumentValueError(
                f"{where}: u has shape {shape_of(u)} and v has shape {shape_of(v)}, wanted two "
                "vectors of equal length"
            )
        return metric(u, v, **_options(options, where))

    served.__name__ = name
    return served


def _options(options: dict[str, Any], where: str) -> dict[str, Any]:
    """Weights and other numbers as arrays."""
    found: dict[str, Any] = {}
    for key, value in options.items():
        if key in ("w", "V", "VI") and value is not None:
            found[key] = _real(value, where, key)
        elif key == "p" and any_traced((value,)):
            raise ArgumentTypeError(
                f"{where}: p is traced, and is constant by nature; write the power with NumPy's "
                "functions, or hand over pullback.stop_gradient(p)"
            )
        else:
            found[key] = value
    if "p" in found and not found["p"] > 0:
        raise ArgumentValueError(f"{where}: p is {found['p']!r}, wanted a number above 0")
    w = found.get("w")
    if w is not None and known(w) and np.any(strip(w) < 0):
        raise ArgumentValueError(f"{where}: a weight is below 0, wanted none that is")
    return found


for _name in METRICS:
    if _name != "jensenshannon":
        serves(getattr(sd, _name))(_of_vectors(_name))


@serves(sd.jensenshannon)
def jensenshannon(
    p: Any, q: Any, base: Any = None, *, axis: int = 0, keepdims: bool = False
) -> Any:
    """The root of the divergence of two distributions along an axis, which are normalised."""
    where = "scipy.spatial.distance.jensenshannon"
    rows = (np.moveaxis(_real(x, where, name), axis, -1) for x, name in ((p, "p"), (q, "q")))
    out = METRICS["jensenshannon"](*rows, base=base)
    return np.expand_dims(out, axis) if keepdims else out


# -- of many points --------------------------------------------------------------------------------


def _metric_of(metric: Any, where: str) -> tuple[str, Callable[..., Any] | None]:
    """Its name, and what it is if it is not by name."""
    if callable(metric):
        name = getattr(metric, "__name__", "")
        if getattr(sd, name, None) is not metric:
            return "", metric
    else:
        name = str(metric).lower()
        name = ALIASES.get(name, name)
    if name in LOCALLY_CONSTANT:
        raise ArgumentTypeError(f"{where}: the metric is {name}. {_CONSTANT}")
    if name not in METRICS:
        raise ArgumentValueError(
            f"{where}: the metric is {metric!r}, wanted {', '.join(sorted(METRICS))}, or a function"
        )
    return name, None


def _from_sample(name: str, options: dict[str, Any], sample: Callable[[], Any], where: str) -> None:
    """Fill in the variances or the inverse covariance of all points, where none is given."""
    if name == "seuclidean" and options.get("V") is None:
        options["V"] = np.var(sample(), axis=0, ddof=1)
    if name == "mahalanobis" and options.get("VI") is None:
        points = sample()
        count, extent = shape_of(points)
        if count <= extent:
            raise ArgumentValueError(
                f"{where}: {count} points of {extent} components have a singular covariance; pass "
                "VI="
            )
        moved = points - np.mean(points, axis=0)
        options["VI"] = np.linalg.inv(moved.T @ moved / (count - 1)).T


def _delivered(distances: Any, out: Any) -> Any:
    if out is None:
        return distances
    out[...] = distances
    return out


@serves(sd.cdist)
def cdist(XA: Any, XB: Any, metric: Any = "euclidean", *, out: Any = None, **kwargs: Any) -> Any:
    """The distance of each point of one set from each of the other."""
    constants = constant_call(sd.cdist, (XA, XB, metric), {"out": out, **kwargs})
    if constants is not NotImplemented:
        return constants
    where = "scipy.spatial.distance.cdist"
    a, b = _real(XA, where, "XA"), _real(XB, where, "XB")
    if len(shape_of(a)) != 2 or len(shape_of(b)) != 2 or shape_of(a)[1] != shape_of(b)[1]:
        raise ArgumentValueError(
            f"{where}: XA has shape {shape_of(a)} and XB has shape {shape_of(b)}, wanted (m, k) "
            "and (n, k)"
        )
    name, function = _metric_of(metric, where)
    if function is not None:
        rows = [[function(u, v, **kwargs) for v in b] for u in a]
        return _delivered(np.reshape(operand(rows), (shape_of(a)[0], shape_of(b)[0])), out)
    options = _options(kwargs, where)
    a, b = double(a), double(b)
    _from_sample(name, options, lambda: np.concatenate([a, b]), where)
    return _delivered(METRICS[name](a[:, None, :], b, **options), out)


@serves(sd.pdist)
def pdist(X: Any, metric: Any = "euclidean", *, out: Any = None, **kwargs: Any) -> Any:
    """The distance of each pair of points."""
    constants = constant_call(sd.pdist, (X, metric), {"out": out, **kwargs})
    if constants is not NotImplemented:
        return constants
    where = "scipy.spatial.distance.pdist"
    x = _real(X, where, "X")
    if len(shape_of(x)) != 2:
        raise ArgumentValueError(f"{where}: X has shape {shape_of(x)}, wanted (n, k)")
    name, function = _metric_of(metric, where)
    if function is not None:
        pairs = [function(u, v, **kwargs) for u, v in itertools.combinations(x, 2)]
        return _delivered(operand(pairs) if pairs else np.zeros(0), out)
    options = _options(kwargs, where)
    x = double(x)
    _from_sample(name, options, lambda: x, where)
    i, j = np.triu_indices(shape_of(x)[0], 1)
    return _delivered(METRICS[name](x[i], x[j], **options), out)


@serves(sd.squareform)
def squareform(X: Any, force: str = "no", checks: bool = True) -> Any:
    """A matrix of distances of a vector of those of pairs, and a vector of a matrix."""
    constants = constant_call(sd.squareform, (X, force, checks), {})
    if constants is not NotImplemented:
        return constants
    where = "scipy.spatial.distance.squareform"
    x, shape = operand(X), shape_of(X)
    wanted = {"tomatrix": 1, "tovector": 2}.get(force.lower(), len(shape))
    if len(shape) not in (1, 2) or len(shape) != wanted:
        raise ArgumentValueError(
            f"{where}: X has shape {shape} and force is {force!r}, wanted a vector or a matrix"
        )
    if len(shape) == 2:
        if shape[0] != shape[1]:
            raise ArgumentValueError(f"{where}: X has shape {shape}, wanted a square matrix")
        if checks and known(x) and shape_of(strip(x)) == shape:
            sd.is_valid_dm(strip(x), throw=True, name="X")
        return x[np.triu_indices(shape[0], 1)]
    count = shape[0]
    n = int(np.ceil(np.sqrt(count * 2))) if count else 1
    if n * (n - 1) != count * 2:
        raise ArgumentValueError(f"{where}: X has {count} elements, wanted n(n − 1)/2 for some n")
    i, j = np.triu_indices(n, 1)
    key = (ARRAY, ARRAY)
    return scatter(x, i, j, key=key, shape=(n, n)) + scatter(x, j, i, key=key, shape=(n, n))


@serves(sd.directed_hausdorff)
def directed_hausdorff(u: Any, v: Any, rng: Any = 0, **seed: Any) -> Any:
    """The largest distance of a point of u from all of v, and which two points have it."""
    distances = cdist(u, v)
    nearest = np.min(distances, axis=1)
    first = np.argmax(nearest)
    return np.max(nearest), first, np.argmin(distances[first])


constant(sd, "is_valid_dm is_valid_y num_obs_dm num_obs_y", "a test, or a number of points")
refused(
    sd,
    " ".join(name for name in sorted(LOCALLY_CONSTANT) if name != "sokalmichener"),
    _CONSTANT,
)
