"""What is checked: a function of lists of arrays, with names for its arguments and results."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, is_inexact
from pullback.core.tracing import Tracer
from pullback.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    CheckError,
    DetachedError,
    LeakedTracerError,
    NoRuleError,
)
from pullback.testing.differences import PRECISIONS, Precision
from pullback.testing.directions import NOISE_SAMPLES, Array, nudges, scales
from pullback.testing.joining import Joined
from pullback.testing.ladder import Ladder
from pullback.testing.names import Name, subscript
from pullback.testing.reached import reached
from pullback.transforms.arguments import flatten_arrays, name_of
from pullback.transforms.forward import pushforward
from pullback.transforms.reverse import pullback

__all__ = ["Subject", "subject_of"]


class Subject:
    """A function of several arrays that returns several, at a point.

    Parameters
    ----------
    title : str
        The function, for messages.
    function : callable
        ``function(*arrays)`` returns a tuple of inexact arrays.
    x : sequence of array
    names : sequence of Name
        Of the arguments.
    results : callable
        ``results(position)`` names a result.

    Attributes
    ----------
    y : list of array
        The function's value at x.
    magnitudes : list of array
        The size of what each element of the value is computed from, as far as is known.
        Rounding errors are relative to it.
    inherited : list of array
        The rounding errors of its elements beyond that, those of the function whose gradient it is.
    wide : bool
        Whether a function of single precision arrays can be evaluated in double precision.
    """

    def __init__(
        self,
        title: str,
        function: Callable[..., tuple[Any, ...]],
        x: Sequence[Array],
        names: Sequence[Name],
        results: Callable[[int], str],
    ) -> None:
        self.title, self.function, self.names, self.results = title, function, names, results
        self.x = list(x)
        self.y = self.evaluate(self.x)
        # Subnormal numbers are rounded as the smallest normal ones are.
        self.magnitudes = [
            np.maximum(np.abs(y).astype(float), float(np.finfo(y.dtype).tiny)) for y in self.y
        ]
        for position, y in enumerate(self.y):
            if not np.isfinite(y).all():
                raise ArgumentValueError(
                    f"check of {title}: {results(position)} of shape {y.shape} is not finite at "
                    "the point given, wanted a point inside the function's domain; choose other "
                    "primals"
                )
        self.inherited = [np.zeros_like(size) for size in self.magnitudes]
        self.single = any(_is_single(a) for a in (*self.x, *self.y))
        self.wide = self.single and self._widens()

    def _widens(self) -> bool:
        try:
            y = self.evaluate(widen(self.x))
        except (ArithmeticError, TypeError, ValueError):
            return False
        return not any(map(_is_single, y)) and [a.shape for a in y] == [a.shape for a in self.y]

    def evaluate(self, x: Sequence[Array]) -> list[Array]:
        """The value of the function, from copies, so that it may write to its arguments."""
        with np.errstate(all="ignore"):
            return [np.array(y) for y in self.function(*(np.array(leaf) for leaf in x))]

    def vector(self, x: Sequence[Array]) -> Array:
        """The value as one vector in double precision."""
        return pack(self.evaluate(x))

    def push(self, dots: Sequence[Array | None], x: Sequence[Array] | None = None) -> list[Array]:
        """Jẋ by forward mode."""
        x = self.x if x is None else x
        return self._derivative("pushforward", lambda: pushforward(self.function, x, dots)[1])

    def pull(self, bars: Sequence[Array | None], x: Sequence[Array] | None = None) -> list[Array]:
        """Jᵀȳ by reverse mode."""
        x = self.x if x is None else x
        cotangent = tuple(bars)
        return self._derivative("pullback", lambda: pullback(self.function, tuple(x), cotangent)[1])

    def _derivative(self, mode: str, evaluate: Callable[[], Any]) -> list[Array]:
        try:
            with np.errstate(all="ignore"):
                return [np.asarray(leaf) for leaf in evaluate()]
        except (DetachedError, LeakedTracerError, NoRuleError):
            raise
        except Exception as error:
            arguments = ", ".join(
                f"{name}: {Abstract.of(x)}" for name, x in zip(self.names, self.x, strict=True)
            )
            raise CheckError(
                f"check of {self.title}: the function itself can be evaluated, but its {mode} "
                f"raised {type(error).__name__}: {error}. The arguments were ({arguments}); a "
                "rule's pushforward must return the output's shape and its pullback the "
                "argument's"
            ) from error

    def gradient(self, w: Sequence[Array]) -> Subject:
        """x ↦ J(x)ᵀ w, whose derivative is the Hessian of ⟨w, f⟩."""
        cotangent = tuple(w)

        def pulled(*x: Any) -> tuple[Any, ...]:
            bars: tuple[Any, ...] = pullback(self.function, x, cotangent)[1]
            return bars

        gradient = Subject(
            f"the gradient of {self.title}",
            pulled,
            self.x,
            self.names,
            lambda position: f"gradient[{self.names[position]}]",
        )
        gradient.wide &= self.wide
        total = sum(
            float(np.sum(np.abs(pack([a])) * b.ravel()))
            for a, b in zip(w, self.magnitudes, strict=True)
        )
        gradient.magnitudes = [
            np.maximum(own, np.asarray(total / scales(x), dtype=float))
            for own, x in zip(gradient.magnitudes, self.x, strict=True)
        ]
        gradient.inherited = [np.asarray(self._shared(w) / scales(x), dtype=float) for x in self.x]
        return gradient

    def along(self, u: Sequence[Array]) -> Subject:
        """x ↦ J(x) u."""

        def pushed(*x: Any) -> tuple[Any, ...]:
            dots: tuple[Any, ...] = pushforward(self.function, x, tuple(u))[1]
            return dots

        along = Subject(
            f"the pushforward of {self.title}",
            pushed,
            self.x,
            self.names,
            lambda position: f"pushforward[{self.results(position)}]",
        )
        along.wide &= self.wide
        along.magnitudes = [
            np.maximum(own, size)
            for own, size in zip(along.magnitudes, self.magnitudes, strict=True)
        ]
        return along

    @property
    def precision(self) -> Precision:
        """What can be asked of the differences of the function."""
        return PRECISIONS["mixed" if self.wide else "single" if self.single else "double"]

    def ladder(self, d: Sequence[Array]) -> Ladder:
        """The function along a direction; in double precision where that is possible."""
        if not self.wide:
            return Ladder(self.vector, self.x, d, pack(self.y))
        x = widen(self.x)
        return Ladder(self.vector, x, widen(d), self.vector(x))

    @cached_property
    def noise(self) -> Array:
        """The rounding error of each element of the vector of differences, from values alone.

        Over a few units in the last place of x the function is straight, and its second
        differences are what rounding does (J. J. Moré and S. M. Wild, "Estimating computational
        noise", SIAM Journal on Scientific Computing 33 (2011)).
        """
        x = widen(self.x) if self.wide else self.x
        here, rng = self.vector(x), np.random.default_rng(0)
        noise = np.zeros(here.shape)
        for _ in range(NOISE_SAMPLES):
            d = nudges(x, rng)
            ahead = self.vector([np.asarray(a + b) for a, b in zip(x, d, strict=True)])
            behind = self.vector([np.asarray(a - b) for a, b in zip(x, d, strict=True)])
            if ahead.shape == behind.shape == here.shape:
                noise = np.fmax(noise, 0.5 * np.abs(ahead - 2 * here + behind))
        return np.where(np.isfinite(noise), noise, 0.0)

    def epsilons(self) -> Array:
        """The relative rounding error of each element of the vector of differences."""
        eps = [np.finfo(np.float64 if self.wide else y.dtype).eps for y in self.y]
        return np.concatenate(
            [np.zeros(0), *(np.full(y.size, float(e)) for y, e in zip(self.y, eps, strict=True))]
        )

    def parts(self) -> list[slice]:
        """Where each result stands in the vector."""
        ends = np.cumsum([0, *(y.size for y in self.y)]).tolist()
        return [slice(start, stop) for start, stop in itertools.pairwise(ends)]

    def rule_rounding(self) -> Array:
        """The rounding error of the derivative along a direction of the arguments' own size."""
        eps = max(float(np.finfo(array.dtype).eps) for array in (*self.x, *self.y))
        return eps * pack(self.magnitudes).real

    def rounding(self, w: Sequence[Array]) -> float:
        """How large ⟨w, y⟩ may be from rounding errors alone."""
        own = sum(
            64 * np.finfo(y.dtype).eps * np.sum(np.abs(bar) * size, dtype=float)
            for bar, size, y in zip(w, self.magnitudes, self.y, strict=True)
        )
        inherited = sum(
            np.sum(np.abs(bar) * size, dtype=float)
            for bar, size in zip(w, self.inherited, strict=True)
        )
        return float(own + inherited) + self._shared(w)

    def _shared(self, w: Sequence[Array]) -> float:
        """How large ⟨w, y⟩ may be from the rounding errors that elements have of larger ones."""
        return shared([np.asarray(size) for size in self.magnitudes], w, self.y)

    def locate(self, element: int) -> str:
        """Which element of which result stands at a place of the vector."""
        for position, y in enumerate(self.y):
            if element < y.size:
                index = np.unravel_index(element, y.shape)
                return self.results(position) + subscript(index)
            element -= y.size
        raise IndexError(element)


def _is_single(x: Array) -> bool:
    return bool(np.finfo(x.dtype).eps > 1e-10)


def widen(arrays: Sequence[Array]) -> list[Array]:
    """The same numbers in double precision."""
    return [np.asarray(x.astype(np.result_type(x, np.float64))) for x in arrays]


def pack(arrays: Sequence[Array]) -> Array:
    """Arrays as one vector in double precision."""
    kinds = {array.dtype.kind for array in arrays}
    dtype = np.complex128 if "c" in kinds else np.float64
    return np.concatenate([np.zeros(0, dtype), *(np.ravel(a).astype(dtype) for a in arrays)])


def shared(sizes: Sequence[Array], w: Sequence[Array], like: Sequence[Array]) -> float:
    """The rounding error of ⟨w, y⟩ that comes from elements larger than those of y, of given sizes.

    Elements of a softmax, or of a solution of equations, have the rounding errors of the largest
    among them. One that is smaller still than those errors has evidently been computed apart.
    """
    total = 0.0
    with np.errstate(all="ignore"):
        for size, weight, y in zip(sizes, w, like, strict=True):
            if size.size:
                eps = float(np.finfo(y.dtype).eps)
                ordered = np.sort(size, axis=None)
                peers = ordered[np.searchsorted(ordered, size / eps, side="right") - 1]
                total += 8 * eps * float(np.sum(np.abs(weight) * peers))
    return total if np.isfinite(total) else 0.0


def subject_of(f: Callable[..., Any], primals: Sequence[Any]) -> Subject:
    """A function of pytrees, as a function of its inexact leaves.

    Integer and boolean leaves are handed to the function as they are; such results are left out.
    """
    title = f.name if isinstance(f, Primitive) else name_of(f)
    where = f"check of {title}"
    parameters = _parameters(f, len(primals))
    specs: list[trees.TreeSpec] = []
    all_leaves: list[Any] = []
    moving: list[int] = []
    leaf_names: list[str] = []
    for parameter, primal in zip(parameters, primals, strict=True):
        leaves, spec = flatten_arrays(primal, where, f"argument {parameter}")
        for leaf, path in zip(leaves, trees.leaf_paths(spec), strict=True):
            if type(leaf) is Tracer:
                leaf._interpreter.require_open(f"{where}: argument {parameter}{path}")
                raise ArgumentTypeError(
                    f"{where}: argument {parameter + path} is a traced value, wanted numbers, "
                    "which are compared; call check outside of transformations"
                )
            if is_inexact(leaf):
                moving.append(len(all_leaves))
                leaf_names.append(parameter + path)
            all_leaves.append(leaf)
        specs.append(spec)
    if not moving:
        raise ArgumentTypeError(
            f"{where}: none of the {len(primals)} arguments has a floating or complex dtype, so "
            "there is nothing to differentiate; convert with x.astype(float) or write 3.0 for 3"
        )
    paths: list[str] = []

    fixed = [i for i, x in enumerate(all_leaves) if type(x) is np.ndarray and not is_inexact(x)]

    def of_leaves(moved: Sequence[Any]) -> tuple[Any, ...]:
        leaves = [*moved]
        if len(leaves) < len(all_leaves):
            leaves = [*all_leaves]
            for i in fixed:
                leaves[i] = leaves[i].copy()
            for i, leaf in zip(moving, moved, strict=True):
                leaves[i] = leaf
        remaining = iter(leaves)
        args = [
            trees.unflatten(spec, [*itertools.islice(remaining, spec.num_leaves)]) for spec in specs
        ]
        out, spec = flatten_arrays(f(*args), where, "the result")
        found = [
            (leaf, path)
            for leaf, path in zip(out, trees.leaf_paths(spec), strict=True)
            if is_inexact(leaf)
        ]
        paths[:] = [path for _, path in found]
        return tuple(leaf for leaf, _ in found)

    point = [all_leaves[position] for position in moving]
    joined = Joined(point)
    if not all(np.isfinite(x).all() for x in joined.arrays):
        bad = next(i for i, leaf in enumerate(point) if not np.isfinite(leaf).all())
        raise ArgumentValueError(
            f"{where}: argument {leaf_names[bad]} holds NaN or infinity, wanted finite numbers; "
            "choose other primals"
        )
    # All leaves move, those that the function doesn't read too: a derivative that is lost shows.
    followed: Collection[int] = range(len(point))
    if len(joined.arrays) < len(point):
        copies = joined.apart([*map(np.array, joined.arrays)], ())
        followed = frozenset(reached(of_leaves, copies, where))

    def function(*x: Any) -> tuple[Any, ...]:
        return of_leaves(joined.apart(x, followed))

    names = [Name.of([leaf_names[i] for i in group]) for group in joined.groups]
    subject = Subject(
        title, function, joined.arrays, names, lambda position: f"output{paths[position]}"
    )
    if not subject.y:
        raise ArgumentTypeError(
            f"{where}: no array of the result has a floating or complex dtype, so there is nothing "
            "to differentiate; return a floating result"
        )
    return subject


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    """The names of the first `count` positional parameters of `f`."""
    try:
        signature = inspect.signature(f.value if isinstance(f, Primitive) else f)
    except (TypeError, ValueError):
        return [f"argument {position}" for position in range(count)]
    names: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            start = len(names)
            names += [f"{parameter.name}[{i - start}]" for i in range(start, count)]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
    names += [f"argument {position}" for position in range(len(names), count)]
    return names[:count]
