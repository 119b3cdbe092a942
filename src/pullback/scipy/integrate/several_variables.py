"""Integrals of functions of several variables under SciPy's names: one of `quad` inside another."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.integrate

from pullback.core.shapes import Abstract
from pullback.rules.implicit import anchored
from pullback.scipy.first_step import plain, serves_always
from pullback.scipy.integrate.integrals import full_output_of_several, not_found
from pullback.scipy.integrate.quadrature import quad
from pullback.scipy.integrate.recorded import in_graph
from pullback.scipy.integrate.values import (
    UnknownValueError,
    Values,
    mapped,
    solves_plainly,
)

__all__ = ["nquad"]


@serves_always(scipy.integrate.nquad)
def nquad(
    func: Any, ranges: Any, args: Any = None, opts: Any = None, full_output: bool = False
) -> Any:
    """The value is SciPy's; `dblquad` and `tplquad` come here by SciPy's own code."""
    args = () if args is None else tuple(args)
    options = [{}] * len(ranges) if opts is None else opts
    options = [options] * len(ranges) if isinstance(options, dict) else list(options)
    own = plain(scipy.integrate.nquad)

    def by_scipy(values: Values) -> Any:
        def seen(each: Any) -> Any:
            return values.function(each) if callable(each) else values.of(each)

        return own(
            seen(func),
            [seen(each) for each in ranges],
            values.of(args),
            [seen(each) for each in options],
            full_output,
        )

    outer = solves_plainly()
    if outer is not None:
        return by_scipy(outer)
    try:
        return _nquad(by_scipy, (func, ranges, options, args), full_output)
    except UnknownValueError:
        if full_output or any(map(callable, options)):
            raise
    within = [number for number, each in enumerate(ranges) if callable(each)]

    def call(functions: list[Any], given: Any) -> Any:
        ranges, options, args = given
        for number, f in zip(within, functions[1:], strict=True):
            ranges[number] = f
        return nquad(functions[0], ranges, args, options)

    rest = [0.5] * len(ranges)
    functions = [(func, (*rest, *args))]
    functions += [(ranges[number], (*rest[number + 1 :], *args)) for number in within]
    known = [None if callable(each) else list(each) for each in ranges]
    number = Abstract((), np.dtype(float))
    return in_graph(call, functions, (known, options, args), [number] * 2)


def _nquad(by_scipy: Any, given: Any, full_output: bool) -> Any:
    """What `nquad` returns where values are known."""
    func, ranges, options, args = given
    values = Values("scipy.integrate.nquad")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", scipy.integrate.IntegrationWarning)
        batches, found = values.for_each_example(lambda: by_scipy(values))
    for each in said:
        if values.traced and each.category is scipy.integrate.IntegrationWarning:
            raise not_found(values.name, str(each.message))
        warnings.warn(each.message, each.category, stacklevel=2)
    if not values.traced:
        return found[0]
    if full_output and len(found) > 1:
        raise full_output_of_several(values.name)
    value, error = (mapped([each[i] for each in found], batches) for i in (0, 1))
    if values.levels:
        value = anchored(value, _iterated(func, list(ranges), options, args))
    return value, error, *found[0][2:]


def _iterated(f: Any, ranges: list[Any], options: list[Any], args: tuple[Any, ...]) -> Any:
    """The integral over the last variable of the integral over those before it."""
    *inner_ranges, last = ranges
    *inner_options, option = options
    low, high = last(*args) if callable(last) else last
    chosen = dict(option(*args) if callable(option) else option)

    def inner(x: Any, *others: Any) -> Any:
        return (
            _iterated(f, inner_ranges, inner_options, (x, *others))
            if inner_ranges
            else f(x, *others)
        )

    return quad(inner, low, high, args=args, **chosen)[0]
