"""One test for many points: each is run, and those that fail are named.

The runner takes as long for a test as most points take to check, so that points that belong
together, such as all inputs of a primitive, are one test.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest

__all__ = ["for_each"]

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
            failures: list[Exception] = []
            for point in groups[group]:
                try:
                    test(*point.values, **others)
                except Exception as failure:
                    failure.add_note(f"at point {point.id}")
                    failures.append(failure)
            if len(failures) == 1:
                raise failures[0]
            if failures:
                raise ExceptionGroup(f"{len(failures)} points fail", failures)

        own = inspect.Parameter("group", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        run.__signature__ = inspect.Signature([own, *rest])  # type: ignore[attr-defined]
        run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
        return pytest.mark.parametrize("group", list(groups))(run)

    return decorate
