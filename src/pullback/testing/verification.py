"""`check`: whether the derivatives of a function belong to the function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.creation import require_generator
from pullback.core.validation import require_function, require_integer
from pullback.errors import ArgumentTypeError, CheckError
from pullback.testing.directions import Array, shaken
from pullback.testing.forward import differences, taylor
from pullback.testing.probes import Probe, cotangents, probes
from pullback.testing.report import Report, Row
from pullback.testing.reverse import adjointness, agreement, contraction
from pullback.testing.subject import Subject, subject_of

__all__ = ["HIGHEST_ORDER", "check"]

Pair = tuple[list[Array], list[Array]]

HIGHEST_ORDER = 8
"""The highest order that is checked: the work doubles or trebles with each."""


def check(f: Callable[..., Any], *primals: Any, order: int = 2, seed: int = 0) -> Report:
    """Check the derivatives of a function against the function, and against each other.

    For each argument, along random directions d on the scale of the argument and for random
    cotangents w:

    differences
        Jd by forward mode against extrapolated central differences of `f`.
    Taylor order
        ‖f(x + hd) − f(x) − hJd‖ = O(h²). At a kink, where the slopes to either side differ, the
        order is 1.
    adjointness
        ⟨Jd, w⟩ = ⟨d, Jᵀw⟩, forward against reverse mode.

    With ``order=2`` the same is asked of the gradient map x ↦ J(x)ᵀw, and its derivative, the
    Hessian H of ⟨w, f⟩, must be the same by each mix of modes:

    symmetry
        Hd by reverse over reverse mode, which is Hᵀd, against forward over reverse mode.
    reverse over forward
        The gradient of ⟨w, Jd⟩ against forward over reverse mode.
    forward over forward
        ⟨w, D²f[d, v]⟩ = ⟨Hd, v⟩.

    Higher orders ask it of the gradient's gradient, and so on.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays, a primitive, or a function with a rule of your own.
    *primals : pytree
        The arguments to check it at. Integer and boolean leaves are handed through.
    order : int
        The highest order of derivative to check, from 1 to 8: the work doubles or trebles with
        each.
    seed : int
        Of the random directions. The result is the same for the same seed.

    Returns
    -------
    Report
        A row for each comparison; it prints as a table.

    Raises
    ------
    CheckError
        Where a derivative is wrong. The message names the argument, the comparison, the element
        with the largest discrepancy, what was expected and what was found; its attribute `report`
        is the report.
    ArgumentTypeError
        Where no argument or no result has a floating or complex dtype.
    ArgumentValueError
        Where the order is beyond 8, or the primals or the function's values there are not finite.

    Notes
    -----
    Perturbations are relative: each element moves by a fraction of its own magnitude, or of its
    array's if it is zero or close to it; elements of very different magnitude move one group after
    the other. A step is a power of two and directions have short mantissas, so no perturbation is
    rounded. The steps adapt to each element of the output, from a few units in the last place of x
    to far beyond x, until three of them agree. What a discrepancy may be follows from that
    agreement, so that badly scaled functions pass and a wrong factor of 1.0001 does not. A function
    of single precision arrays is evaluated in double precision where it lets itself. Where even the
    best step says little, since rounding errors of `f` hide its derivative, the verdict is
    "unresolved"; the check does not fail then.

    The identities are those of A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed.,
    SIAM 2008, chapters 3 and 5. The extrapolation is that of C. J. F. Ridders, "Accurate
    computation of F′(x) and F′(x)F″(x)", Advances in Engineering Software 4 (1982).

    Of more than 64 leaves those of the same shape and dtype move together, as one argument does.

    A point at which `f` has a kink or a jump fails the check: choose primals away from it.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> report = pb.check(np.tanh, np.array([0.5, -2.0]))
    >>> report.passed
    True
    """
    require_function(f, "check", usage="pullback.check(f, *primals)")
    remedy = "the work doubles or trebles with each order"
    order = require_integer(order, "check", "order", least=1, most=HIGHEST_ORDER, remedy=remedy)
    rng = require_generator(seed, "check")
    if not primals:
        raise ArgumentTypeError(
            "check: got no primals, wanted a value for each argument of the function: the "
            "derivative is checked at a point; call pullback.check(f, *primals)"
        )
    with np.errstate(all="ignore"):
        subject = subject_of(f, primals)
        rows = _verify(subject, order, "", rng)
    report = Report(subject.title, tuple(rows), order)
    if not report.passed:
        raise CheckError(_message(report), report)
    return report


def _verify(subject: Subject, order: int, prefix: str, rng: np.random.Generator) -> list[Row]:
    """The checks of a function, and of its gradient map to one order less."""
    moving = [probes(subject, position, rng) for position in range(len(subject.x))]
    everything = [probe for group in moving for probe in group]
    seeds = cotangents(subject, everything, rng)
    pulled = [subject.pull(w) for w in seeds]
    rows = []
    for name, group in zip(subject.names, moving, strict=True):
        if not group:
            rows.append(Row(f"{prefix}differences", name, None, 0.0, "ok", "an empty array"))
            continue
        rows.append(_worst([differences(probe, f"{prefix}differences") for probe in group]))
        rows.append(_worst([taylor(probe, f"{prefix}Taylor order") for probe in group]))
        for probe in group:
            probe.forget()
    for group in moving:
        if group and seeds:
            rows.append(
                _worst(
                    [
                        adjointness(probe, w, bars, f"{prefix}adjointness")
                        for probe in group
                        for w, bars in zip(seeds, pulled, strict=True)
                    ]
                )
            )
    if order > 1 and seeds and all(row.verdict != "wrong" for row in rows):
        next_prefix = f"order {int(prefix.split()[1][:-1]) + 1 if prefix else 2}: "
        gradient = subject.gradient(_total(seeds))
        rows += _verify(gradient, order - 1, next_prefix, rng)
        rows += _mixes(subject, gradient, _total(seeds), moving, next_prefix, rng)
    return rows


def _total(seeds: Sequence[Sequence[Array]]) -> list[Array]:
    """The sum of cotangents whose nonzero elements are disjoint."""
    total = list(seeds[0])
    for w in seeds[1:]:
        total = [a + b for a, b in zip(total, w, strict=True)]
    return total


def _mixes(
    subject: Subject,
    gradient: Subject,
    w: list[Array],
    moving: Sequence[Sequence[Probe]],
    prefix: str,
    rng: np.random.Generator,
) -> list[Row]:
    """The Hessian of ⟨w, f⟩ along each argument's direction, by each mix of modes."""
    rows: list[Row] = []
    everywhere = [
        _sum([probe.d[position] for probe in group], subject.x[position])
        for position, group in enumerate(moving)
    ]
    for position, group in enumerate(moving):
        found = []
        for probe in group:
            d = probe.d
            along = subject.along(d)
            forward_reverse = gradient.push(d)

            def again_transposed(rng: np.random.Generator, d: list[Array] = d) -> Pair:
                x, u = shaken(subject.x, rng), shaken(d, rng)
                return gradient.pull(u, x), gradient.push(u, x)

            def again_forward(
                rng: np.random.Generator, d: list[Array] = d, along: Subject = along
            ) -> Pair:
                x = shaken(subject.x, rng)
                return along.pull(shaken(w, rng), x), gradient.push(shaken(d, rng), x)

            ways = (
                (f"{prefix}symmetry", gradient.pull(d), again_transposed),
                (f"{prefix}reverse over forward", along.pull(w), again_forward),
            )
            rounding = subject.rounding(w)
            rows_of_probe = [
                agreement(subject, position, got, forward_reverse, name, rounding, again)
                for name, got, again in ways
            ]
            name = f"{prefix}forward over forward"
            last = contraction(along, position, everywhere, w, forward_reverse, name)
            found.append([*rows_of_probe, last])
        rows += map(_worst, zip(*found, strict=True))
    return rows


def _sum(parts: Sequence[Array], like: Array) -> Array:
    total = np.zeros_like(like)
    for part in parts:
        total = np.asarray(total + part)
    return total


def _worst(rows: Sequence[Row]) -> Row:
    """The row to report for several directions at one argument."""
    severity = {"wrong": 2, "unresolved": 1, "ok": 0}

    def rank(row: Row) -> tuple[int, float]:
        if row.figure is None:
            return severity[row.verdict], -1.0
        return severity[row.verdict], abs(row.figure) / max(row.bound, 1e-300)

    return max(rows, key=rank)


def _message(report: Report) -> str:
    """What is wrong, where, and the whole table."""
    wrong = [row for row in report.rows if row.verdict == "wrong"]
    row = wrong[0]
    if "Taylor" in row.check:
        against = f"order {row.figure:.2f}, wanted 2"
    else:
        figure = float("nan") if row.figure is None else row.figure
        against = f"relative discrepancy {figure:.1e}, allowed {row.bound:.1e}"
    forward_holds = all(
        other.verdict != "wrong"
        for other in report.rows
        if "differences" in other.check or "Taylor" in other.check
    )
    if row.check.endswith("adjointness") and forward_holds:
        verdict = "The pushforward agrees with the function itself, so the rule's pullback is wrong"
    elif row.check.endswith(("adjointness", "differences")):
        verdict = "The rule is wrong, or the point is near a kink or a jump: try other primals"
    elif "Taylor" in row.check:
        verdict = "Choose primals away from the kink, or the rule is wrong"
    else:
        verdict = (
            "The modes disagree at second order: the rule does not let a derivative follow what "
            "it computes (an array that lost its history, an in-place operation, or a value read "
            "through a parameter that starts with an underscore)"
        )
    return (
        f"the derivative of {report.function} with respect to {row.argument} is wrong "
        f"({row.check}: {against})\n  {row.detail}\n  {verdict}\n\n{report}"
    )
