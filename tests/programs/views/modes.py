"""Every mode in which a program is run, against plain NumPy, differences, or the eager gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from tests.programs.views.subject import STEPS, MismatchError, Subject, close, inner

__all__ = ["MODES", "RECORDED", "SkippedError"]


class SkippedError(Exception):
    """A mode has nothing to say of a program."""


Mode = Callable[[Subject], None]
MODES: dict[str, Mode] = {}
RECORDED: set[str] = set()
"""The modes that record the program, for arguments of which only shape and dtype are known."""


def mode(name: str, *, recorded: bool = False) -> Callable[[Mode], Mode]:
    def enter(check: Mode) -> Mode:
        MODES[name] = check
        if recorded:
            RECORDED.add(name)
        return check

    return enter


def same(got: Any, expected: Any, tolerance: float, what: str = "gradient") -> None:
    for k, (a, b) in enumerate(zip(got, expected, strict=True)):
        close(a, b, tolerance, f"{what} by argument {k}")


def only_real(subject: Subject) -> None:
    if any(map(np.iscomplexobj, subject.point)):
        raise SkippedError


# -- eager -----------------------------------------------------------------------------------------


@mode("reverse")
def reverse(subject: Subject) -> None:
    value, bars = pb.value_and_grad(subject.total, argnums=subject.everything)(*subject.point)
    close(value, sum(subject.terms), 1e-12, "value")
    for bar, x in zip(bars, subject.point, strict=True):
        close(np.shape(bar), np.shape(x), 0.0, "shape of the gradient")
    if subject.slopes is not None:
        close(inner(bars, subject.u), sum(subject.slopes), 1e-6, "slope")


@mode("forward")
def forward(subject: Subject) -> None:
    values, dots = pb.jvp(subject.vector, subject.point, subject.u)
    close(values, subject.terms, 1e-12, "values")
    if subject.slopes is not None:
        close(dots, subject.slopes, 1e-6, "slopes")


def jacobian(subject: Subject, way: Any) -> None:
    only_real(subject)
    rows = pb.jacobian(subject.vector, subject.everything, mode=way)(*subject.point)
    same([np.sum(row, axis=0) for row in rows], subject.reference, 1e-9)


@mode("jacobian forward")
def jacobian_forward(subject: Subject) -> None:
    jacobian(subject, "forward")


@mode("jacobian reverse")
def jacobian_reverse(subject: Subject) -> None:
    jacobian(subject, "reverse")


def turned(subject: Subject) -> Any:
    """The derivative of the gradient along the direction, by differences."""
    return subject.differences(lambda x: subject.gradient(*x), STEPS[-2:], 3e-6)


@mode("forward over reverse")
def forward_over_reverse(subject: Subject) -> None:
    expected = turned(subject)
    if expected is not None:
        same(subject.product, expected, 1e-5)


@mode("reverse over reverse")
def reverse_over_reverse(subject: Subject) -> None:
    _, got = pb.pullback(lambda *x: subject.gradient(*x), subject.point, subject.u)
    expected = subject.product
    same([0.0 * x if g is None else g for g, x in zip(got, subject.point, strict=True)],
         expected, 1e-8)  # fmt: skip


@mode("reverse over forward")
def reverse_over_forward(subject: Subject) -> None:
    along = lambda *x: pb.jvp(subject.total, x, subject.u)[1]  # noqa: E731
    _, got = pb.pullback(along, subject.point)
    same(got, subject.product, 1e-8)


@mode("forward over forward")
def forward_over_forward(subject: Subject) -> None:
    along = lambda *x: pb.jvp(subject.total, x, subject.u)[1]  # noqa: E731
    got = pb.jvp(along, subject.point, subject.v)[1]
    close(got, inner(subject.product, subject.v), 1e-8, "second derivative")


@mode("hessian")
def hessian(subject: Subject) -> None:
    only_real(subject)
    rows = pb.hessian(subject.total, subject.everything)(*subject.point)
    got = [
        sum(np.tensordot(part, d, np.ndim(d)) for part, d in zip(row, subject.u, strict=True))
        for row in rows
    ]
    same(got, subject.product, 1e-8)


# -- mapped ----------------------------------------------------------------------------------------


def batch(subject: Subject) -> tuple[Any, ...]:
    """Two points, stacked; one argument may be the same for both."""
    return tuple(np.stack([x, 0.9 * x]) for x in subject.point)


def require_plain(subject: Subject, point: Any) -> None:
    """Skip what NumPy itself refuses, now that an example without dimensions is a scalar."""
    try:
        subject.plain(point)
    except (
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        FloatingPointError,
        Warning,
    ) as error:
        raise SkippedError from error


def each(subject: Subject, f: Callable[..., Any]) -> list[Any]:
    """What `f` gives for each example, as NumPy has them."""
    if ".item(" in subject.program.source:
        raise SkippedError  # of a batch, Python's numbers are NumPy's
    points = [tuple(xs[k] for xs in batch(subject)) for k in range(2)]
    for point in points:
        require_plain(subject, point)
    return [f(*point) for point in points]


def stacked(rows: list[Any]) -> list[Any]:
    return [np.stack(column) for column in zip(*rows, strict=True)]


@mode("map")
def mapped(subject: Subject) -> None:
    expected = [subject.plain(point) for point in each(subject, lambda *x: x)]
    got = pb.vmap(subject.vector)(*batch(subject))
    close(got, np.stack(expected), 1e-12, "values")


@mode("map of the gradient")
def map_of_gradient(subject: Subject) -> None:
    rows = each(subject, subject.gradient)
    same(pb.vmap(subject.gradient)(*batch(subject)), stacked(rows), 1e-9)


@mode("gradient of a map")
def gradient_of_map(subject: Subject) -> None:
    rows = each(subject, subject.gradient)
    summed = lambda *xs: np.sum(pb.vmap(subject.total)(*xs))  # noqa: E731
    got = pb.grad(summed, argnums=subject.everything)(*batch(subject))
    same(got, stacked(rows), 1e-9)


@mode("map of the pushforward")
def map_of_pushforward(subject: Subject) -> None:
    along = lambda *x: pb.jvp(subject.vector, x, subject.u)[1]  # noqa: E731
    rows = each(subject, along)
    close(pb.vmap(along)(*batch(subject)), np.stack(rows), 1e-9, "slopes")


@mode("map of the second derivative")
def map_of_second_derivative(subject: Subject) -> None:
    product = lambda *x: pb.hvp(subject.total, x, subject.u)  # noqa: E731
    rows = each(subject, product)
    same(pb.vmap(product)(*batch(subject)), stacked(rows), 1e-8)


@mode("map of some arguments")
def map_of_some(subject: Subject) -> None:
    """The first argument is the same for all examples, or all but the first are."""
    if len(subject.point) == 1 or ".item(" in subject.program.source:
        raise SkippedError
    first = len(subject.program.statements) % 2 == 0
    axes = tuple(0 if (k == 0) == first else None for k in subject.everything)
    xs = tuple(np.stack([x, 0.9 * x]) if axis == 0 else x
               for x, axis in zip(subject.point, axes, strict=True))  # fmt: skip
    points = [
        tuple(
            x if axis is None else np.array(x, order="K")[k]
            for x, axis in zip(xs, axes, strict=True)
        )
        for k in range(2)
    ]
    given = [np.copy(x)[()] if axis == 0 else x for x, axis in zip(points[0], axes, strict=True)]
    try:
        expected = [subject.plain(point) for point in points]
        subject.plain(tuple(given), as_it_is=True)
    except (
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        FloatingPointError,
        Warning,
    ) as error:
        raise SkippedError from error
    if any(
        not np.array_equal(x, y) for x, y in zip(subject.point, subject.program.point, strict=True)
    ):
        subject.point = subject.program.point
        raise SkippedError  # what is not mapped is handed over as it is, and written to
    close(pb.vmap(subject.vector, axes)(*xs), np.stack(expected), 1e-12, "values")
    rows = [subject.gradient(*point) for point in points]
    same(pb.vmap(subject.gradient, axes)(*xs), stacked(rows), 1e-9)


# -- recorded --------------------------------------------------------------------------------------


@mode("checkpoint", recorded=True)
def checkpoint(subject: Subject) -> None:
    value, got = pb.value_and_grad(pb.checkpoint(subject.total), subject.everything)(*subject.point)
    close(value, sum(subject.terms), 1e-12, "value")
    same(got, subject.reference, 1e-9)


@mode("trace", recorded=True)
def trace(subject: Subject) -> None:
    graph = pb.trace(subject.copied_vector, *subject.point)
    close(graph(*subject.point), subject.terms, 1e-12, "values")
    close(pb.simplify(graph)(*subject.point), subject.terms, 1e-12, "values, simplified")


@mode("trace of the gradient", recorded=True)
def trace_of_gradient(subject: Subject) -> None:
    graph = pb.trace(subject.gradient, *subject.point)
    expected = subject.reference
    same(graph(*subject.point), expected, 1e-9)
    same(pb.simplify(graph)(*subject.point), expected, 1e-9, "gradient, simplified,")


@mode("gradient of a trace", recorded=True)
def gradient_of_trace(subject: Subject) -> None:
    graph = pb.trace(subject.copied, *subject.point)
    got = pb.grad(graph, argnums=subject.everything)(*subject.point)
    same(got, subject.reference, 1e-9)


@mode("trace of a map", recorded=True)
def trace_of_map(subject: Subject) -> None:
    rows = each(subject, subject.gradient)
    xs = batch(subject)
    same(pb.trace(pb.vmap(subject.gradient), *xs)(*xs), stacked(rows), 1e-9)


@mode("body of a loop", recorded=True)
def body_of_loop(subject: Subject) -> None:
    def looped(*x: Any) -> Any:
        def step(_: Any, carry: Any) -> Any:
            total, kept = carry
            return 0.5 * total + subject.total(*(np.array(k) if np.ndim(k) else k * 1.0
                                                 for k in kept)), kept  # fmt: skip

        return pb.fori_loop(0, 2, step, (0.0, x))[0]

    expected = each_scalar(subject)
    got = pb.grad(looped, argnums=subject.everything)(*subject.point)
    same(got, [1.5 * g for g in expected], 1e-8)


@mode("closure of a loop", recorded=True)
def closure_of_loop(subject: Subject) -> None:
    """Arrays from outside that a body writes to change from one iteration to the next."""

    def looped(repeat: Any) -> Any:
        def f(*x: Any) -> Any:
            kept = [np.array(k) if np.ndim(k) else k * 1.0 for k in x]
            return repeat(lambda: subject.total(*kept))

        return f

    def plainly(total: Any) -> Any:
        return sum(total() for _ in range(2))

    def in_loop(total: Any) -> Any:
        return pb.fori_loop(0, 2, lambda _, carry: carry + total(), 0.0)

    each_scalar(subject)
    try:
        value, expected = pb.value_and_grad(looped(plainly), subject.everything)(*subject.point)
    except (pb.errors.PullbackError, MismatchError, TypeError, ValueError, IndexError) as error:
        raise SkippedError from error
    got, bars = pb.value_and_grad(looped(in_loop), subject.everything)(*subject.point)
    close(got, value, 1e-12, "value")
    same(bars, expected, 1e-9)


def each_scalar(subject: Subject) -> Any:
    """The gradient where arguments without dimensions are scalars."""
    point = tuple(x if np.ndim(x) else x * 1.0 for x in subject.point)
    require_plain(subject, point)
    return subject.gradient(*point)
