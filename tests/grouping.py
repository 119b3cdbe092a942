"""One test for many points: each is run, and those that fail are named.

The runner takes as long for a test as most points take to check, so that points that belong
together, such as all inputs of a primitive, are one test.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest

__all__ = ["at_every_point", "for_each", "together"]

Test = Callable[..., None]


def for_each(points: Iterable[Any], group: Callable[[str], str]) -> Callable[[Test], Test]:
    """Parametrize a test by the groups of its points.

    Parameters
    ----------
    points : iterable of pytest.param
        With ids, and without marks.
    group : callable
        The name of a point's group, from its id.

    Returns
    -------
    callable
        A decorator. The test takes a point's values as its first positional arguments, and whatever
        else it is parametrized by as keywords. All points of a group are run; what a failing one
        raises is noted with its id, and several failures are raised together.
    """
    groups: dict[str, list[Any]] = defaultdict(list)
    for point in points:
        groups[group(point.id)].append(point)

    def decorate(test: Test) -> Test:
        taken = len(next(iter(groups.values()))[0].values)
        rest = list(inspect.signature(test).parameters.values())[taken:]

        def run(group: str, **others: Any) -> None:
            _run_all(
                {point.id: functools.partial(test, *point.values) for point in groups[group]},
                others,
            )

        own = inspect.Parameter("group", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        run.__signature__ = inspect.Signature([own, *rest])  # type: ignore[attr-defined]
        run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
        return pytest.mark.parametrize("group", list(groups))(run)

    return decorate


def _run_all(tests: dict[str, Test], others: dict[str, Any]) -> None:
    """Run every test, and raise what those that fail raise."""
    failures: list[Exception] = []
    for name, test in tests.items():
        try:
            test(**others)
        except Exception as failure:
            failure.add_note(f"at point {name}")
            failures.append(failure)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ExceptionGroup(f"{len(failures)} points fail", failures)


def at_every_point(points: Iterable[Any], *checks: Test) -> list[Any]:
    """The points of a test that runs several checks: each of them with each check in front.

    Parameters
    ----------
    points : iterable of pytest.param
        With ids. The checks of a point follow one another.
    *checks : callable
        Functions of a point's values, by whose names failures are told apart.

    Returns
    -------
    list of pytest.param
    """
    return [
        pytest.param(check, *point.values, id=f"{point.id}: {check.__name__}")
        for point in points
        for check in checks
    ]


def together(*names: str) -> Callable[[Test], Test]:
    """Run a parametrized test for all its parameters, or for some of them, as one test.

    Parameters
    ----------
    *names : str
        Of the parameters that are run through in the test; the others make tests of their own. All
        of them if none is named.

    Returns
    -------
    callable
        A decorator, for above those that parametrize. Fixtures are shared.
    """

    def decorate(test: Test) -> Test:
        rows: list[list[tuple[str, dict[str, Any]]]] = []
        kept = []
        for mark in test.pytestmark:  # type: ignore[attr-defined]
            own = _names(mark.args[0]) if mark.name == "parametrize" else []
            if own and (not names or set(own) & set(names)):
                rows.append(_points(own, list(mark.args[1]), mark.kwargs.get("ids")))
            else:
                kept.append(mark)
        tests = {}
        for number, row in enumerate(itertools.product(*rows)):
            values = {key: value for _, each in row for key, value in each.items()}
            name = "-".join(name for name, _ in row)
            tests[name if name not in tests else f"{name}-{number}"] = functools.partial(
                test, **values
            )

        def run(**others: Any) -> None:
            _run_all(tests, others)

        joined = {key for row in rows for key in row[0][1]}
        signature = inspect.signature(test)
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[p for p in signature.parameters.values() if p.name not in joined]
        )
        run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
        run.pytestmark = kept  # type: ignore[attr-defined]
        return run

    return decorate


def _names(names: str | Iterable[str]) -> list[str]:
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


def _points(names: list[str], values: list[Any], ids: Any) -> list[tuple[str, dict[str, Any]]]:
    """Each point's id, and its parameters by name."""
    points = []
    shown = [ids(value) for value in values] if callable(ids) else list(ids or values)
    for value, given in zip(values, shown, strict=True):
        param = hasattr(value, "marks")  # what pytest.param makes
        row = value.values if param else value if len(names) > 1 else (value,)
        name = value.id if param and value.id else str(getattr(given, "__name__", given))[:40]
        points.append((name, dict(zip(names, row, strict=True))))
    return points
