"""That no point of a group is left out, and that a failing one is named."""

from __future__ import annotations

import pytest

from tests.grouping import for_each

POINTS = [pytest.param(k, id=f"{'even' if k % 2 == 0 else 'odd'}-{k}") for k in range(6)]
seen: list[int] = []


def of(identifier):
    return identifier.partition("-")[0]


@for_each(POINTS, of)
def test_every_point_is_run(k):
    seen.append(k)


@pytest.mark.parametrize("factor", [1, 2])
@for_each(POINTS, of)
def test_beside_other_parameters(k, factor):
    assert k in range(6)
    assert factor in (1, 2)


def test_all_points_were_run():
    seen.clear()
    for group in ("even", "odd"):
        test_every_point_is_run(group)
    assert seen == [0, 2, 4, 1, 3, 5]


def test_failing_points_are_named():
    @for_each(POINTS, of)
    def small(k):
        assert k < 3

    with pytest.raises(AssertionError) as alone:
        small("even")
    assert alone.value.__notes__ == ["at point even-4"]
    with pytest.raises(ExceptionGroup) as several:
        small("odd")
    assert [e.__notes__ for e in several.value.exceptions] == [
        ["at point odd-3"],
        ["at point odd-5"],
    ]
