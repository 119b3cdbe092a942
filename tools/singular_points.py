"""Write `docs/singular_points.md`: what is taken where a function has no derivative.

    python tools/singular_points.py

The table of the primitives is made of what their rules state; that of the functions composed of
them is here, as they have no rules of their own. The tests check each row in both modes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.special as sc
import scipy.stats

import pullback as pb
from pullback.core.primitive import registry
from pullback.core.singular import SingularPoint

assert scipy.stats  # enters its primitives in the rule book

__all__ = ["COMPOSITIONS", "PAGE", "primitives", "text"]

PAGE = Path(__file__).parents[1] / "docs" / "singular_points.md"

NAN = np.nan
ORIGIN = (np.zeros(2),)
LINE = (np.array([0.0, 1.0, 2.0]),)


def _point(place: str, example: Any, first: Any, second: Any, kind: str = "kink") -> SingularPoint:
    return SingularPoint(place, lambda *_: True, example, (first,), (second,), kind)


def _norm(order: float | str | None, shape: tuple[int, ...] = (2,)) -> tuple[Any, Any]:
    example = (np.zeros(shape),)
    second = 0 if order in (1, np.inf, -np.inf) else NAN
    name = "" if order is None else f", {order!r}" if order != np.inf else ", inf"
    return f"np.linalg.norm(x{name})", (
        lambda x: np.linalg.norm(x, order),  # type: ignore[arg-type]
        _point("x = 0", example, 0, second),
    )


def _labels(loss: Callable[..., Any], label: float) -> Callable[[Any], Any]:
    return lambda x: loss(x, np.full(np.shape(x), label))


COMPOSITIONS: dict[str, tuple[Callable[..., Any], SingularPoint]] = {
    **dict(
        [_norm(None), _norm(1), _norm(1.5), _norm(2), _norm(3), _norm(np.inf),
         _norm("fro", (2, 2))]
    ),
    "np.linalg.norm(x)**2": (lambda x: np.linalg.norm(x) ** 2, _point("x = 0", ORIGIN, 0, NAN)),
    "np.sqrt(x @ x)": (lambda x: np.sqrt(x @ x), _point("x = 0", ORIGIN, NAN, NAN, "pole")),
    "np.sqrt(x**2)": (lambda x: np.sqrt(x**2), _point("x = 0", (0.0,), NAN, NAN, "pole")),
    "np.sqrt(x)**2": (lambda x: np.sqrt(x) ** 2, _point("x = 0", (0.0,), NAN, NAN, "pole")),
    "np.log(x**2)": (lambda x: np.log(x**2), _point("x = 0", (0.0,), NAN, NAN, "pole")),
    "np.abs(x)**2": (lambda x: np.abs(x) ** 2, _point("x = 0", (0.0,), 0, 0)),
    "np.std(x)": (np.std, _point("x constant", (np.ones(3),), 0, NAN)),
    "np.std(x)**2": (lambda x: np.std(x) ** 2, _point("x constant", (np.ones(3),), 0, NAN)),
    "np.clip(x, 0, 1)": (lambda x: np.clip(x, 0.0, 1.0), _point("x = 0 or 1", (0.0,), 0.5, 0)),
    "np.ptp(x)": (np.ptp, _point("x constant", ORIGIN, 0, 0)),
    "np.median(x)": (np.median, _point("ties", (np.array([0.0, 1.0, 1.0]),), (0, 1, 0), 0)),
    "np.sort(x)[0]": (lambda x: np.sort(x)[0], _point("ties", ORIGIN, (1, 0), 0)),
    "np.unwrap(x)[1]": (
        lambda x: np.unwrap(x)[1],
        _point("a step of half a period", (np.array([0.0, math.pi]),), (0, 1), 0, "jump"),
    ),
    "np.sinc(x)": (np.sinc, _point("x = 0, a removable one", (0.0,), 0, -(math.pi**2) / 3)),
    "np.max(x)": (np.max, _point("all elements tie", ORIGIN, 0.5, 0)),
    "np.floor(x)": (np.floor, _point("x an integer", (1.0,), 0, 0, "jump")),
    "np.round(x)": (np.round, _point("x half an integer", (0.5,), 0, 0, "jump")),
    "x % 2": (lambda x: x % 2.0, _point("x an even number", (4.0,), 1, 0, "jump")),
    "np.interp(x, (0, 1), (0, 2))": (
        lambda x: np.interp(x, np.array([0.0, 1.0]), np.array([0.0, 2.0])),
        _point("x at a node", (0.5,), 2, 0),
    ),
    "scipy.special.logsumexp(x)": (
        lambda x: np.logaddexp(x[0], x[1]), _point("x = −∞", (np.full(2, -np.inf),), 0.5, 0.0)
    ),
    "scipy.special.xlogy(x, x)": (
        lambda x: sc.xlogy(x, x), _point("x = 0", (0.0,), -np.inf, NAN, "pole")
    ),
    "nn.relu(x)": (pb.nn.activations.relu, _point("x = 0", (0.0,), 0, 0)),
    "losses.hinge(x, 1)": (
        _labels(pb.losses.hinge, 1.0), _point("the margin, x = 1", (1.0,), 0, 0)
    ),
    "losses.perceptron(x, 1)": (
        _labels(pb.losses.perceptron, 1.0), _point("the margin, x = 0", (0.0,), 0, 0)
    ),
    "losses.mae(x, 0)": (_labels(pb.losses.mae, 0.0), _point("x = 0", (np.zeros(1),), 0, 0)),
    "losses.l2(x, 0)": (_labels(pb.losses.l2, 0.0), _point("x = 0, none", (np.zeros(1),), 0, 1)),
}  # fmt: skip
"""Functions composed of primitives: each with an example and what its derivatives are there."""


def primitives() -> Iterator[tuple[str, SingularPoint]]:
    """The singular points that rules state."""
    for name in sorted(registry):
        for point in registry[name].singular_points:
            yield name, point


def text() -> str:
    """The page."""
    rows = [_row(name, point) for name, point in primitives()]
    composed = [_row(f"`{name}`", point) for name, (_, point) in COMPOSITIONS.items()]
    return HEAD + "\n".join(rows) + MIDDLE + "\n".join(composed) + "\n" + TAIL


def _row(name: str, point: SingularPoint) -> str:
    if point.params:
        name += " (" + ", ".join(f"{key} = {x}" for key, x in point.params.items()) + ")"
    example = ", ".join(map(_plain, point.example))
    first, second = (
        ", ".join("no rule" if x is None else _number(x) for x in row)
        for row in (point.first, point.second)
    )
    if all(x is None for x in point.first):
        first = second = "see below"
    return f"| {name} | {point.place} | {point.kind} | {example} | {first} | {second} |"


def _number(x: Any) -> str:
    values = np.unique(np.ravel(x)) if np.ndim(x) else [x]
    if len(values) > 1:
        return _plain(np.asarray(x))
    (value,) = values
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{float(value):.4g}".replace("-", "−")


def _plain(x: Any) -> str:
    return "(" + ", ".join(map(_plain, x)) + ")" if np.ndim(x) else f"{x:g}".replace("-", "−")


HEAD = """\
# Singular points

Written by `python tools/singular_points.py` from what the rules state; don't edit it. Each row is
tested in forward and reverse mode, at first order and in all four nestings at second order.

Where a function has a **kink** the derivative is one value by convention: 0 for |x| and for a
norm, the mean of the sides for ties of `max` and `min`, 0 for a rectifier or a hinge at its
margin. Where it has a **pole** the derivative is infinite, or NaN where it has no sign. A **jump**
is passed over: the derivative is that of either side.

At second order piecewise linear kinks give 0. Points beside which the second derivative grows
without bound (a norm, a root, a standard deviation at 0) never give a plausible number: NaN in the
last column stands for NaN or an infinity, there and in whatever is composed of them. So the
Hessian of ‖x‖² written as `np.linalg.norm(x)**2` is NaN at 0; that of `x @ x` is right.

**Zeros.** A tangent or cotangent that is zero because nothing depends on the element (it is a zero
of the seed, or of a branch of `np.where` that was not taken, or was not read, or is a constant)
stays zero whatever it is multiplied by. A zero that is the product with a derivative that vanishes
is a number like any other: times infinity it is NaN, in both modes. So `np.where(x > 0,
np.sqrt(x), 0)` has the derivative 0 at x = 0, and `np.sqrt(x**2)` has none there.

Which of the two a zero is goes along with tangents and cotangents, into the bodies of loops, of
choices and of checkpointed functions, and out of them again: derivatives are those of the same
program with Python's loops and conditions, NaN where they are NaN. Three things can't be told:

* What a solution of linear equations, a decomposition with equal values in a body, or a rule of
  your own hands out, if zeros of the first kind went into it: all its zeros count as such, in
  bodies and without them.
* While a graph is recorded, whether an element of a tangent or cotangent that is an argument of the
  graph is zero. All its zeros count as zeros of the first kind where a function has a pole, and as
  numbers where a product overflows.
* What a loop that is differentiated while a graph is recorded starts with, if nothing is known of
  its tangent or cotangent, is told from what comes later at poles only. NaN may come where 0 would
  be right, if in the first iteration a factor is infinite.

Inside `with pullback.strict():` a derivative at any of the points that the first table lists raises
`SingularPointError`, where a tangent or cotangent that isn't zero meets it. A tangent does so
sooner: of a sorted array it meets all that are tied, whatever is read later. Equal eigenvalues and
singular values are not looked for.

## Primitives

The derivatives are those with respect to each argument, at the example.

| function | where | what | example | first derivative | second derivative |
| --- | --- | --- | --- | --- | --- |
"""

MIDDLE = """

## Functions that are composed of them

| function | where | what | example | gradient | Hessian |
| --- | --- | --- | --- | --- | --- |
"""

TAIL = """
## Equal eigenvalues and singular values

Vectors of equal values are any basis of their space. What does not depend on their choice (a
function of the matrix, a projector, a part of low rank, a vector of another value) has its first
derivatives, in both modes. Where the vectors' choice shows, reverse mode raises and tangents are
NaN; so it is with second derivatives of what is computed with the vectors.

The values themselves, in rising order, have kinks there. Their derivative is along one choice of
vectors, which is none of the function's: of the largest eigenvalue it is a subgradient, ``v vᵀ``
with a unit vector ``v`` of its space; that of a sum over all equal values is the derivative. Which
choice that is may differ between a recorded graph and what runs at once.

A derivative that is recorded before anything is known of the values, as those of
``pb.trace(pb.grad(f), a)``, of ``pb.compile(pb.grad(f))`` and of the bodies of loops are, looks at
them when it runs. Where some are equal it takes the derivative of the program anew, as
``pb.grad(f)(a)`` does: slower, with the same results and the same error. In a body this is done
body by body; what a body returns of single vectors, to be put together outside, is refused there.
A second derivative that is recorded is NaN in either direction where ``pb.hessian(f)(a)`` raises.
"""

if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
