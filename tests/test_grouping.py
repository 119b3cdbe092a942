"""That no point of a group is left out, and that a failing one is named."""

from __future__ import annotations

import pytest

from tests.grouping import at_every_point, for_each, together

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


def test_checks_are_named():
    def is_small(k):
        assert k < 5

    def is_known(k):
        assert k in range(6)

    @for_each(at_every_point(POINTS, is_small, is_known), of)
    def every_number(check, k):
        seen.append((k, check.__name__))
        check(k)

    seen.clear()
    with pytest.raises(AssertionError) as alone:
        every_number("odd")
    assert alone.value.__notes__ == ["at point odd-5: is_small"]
    assert seen == [(k, name) for k in (1, 3, 5) for name in ("is_small", "is_known")]


@together("k", "pair")
@pytest.mark.parametrize("k", [1, pytest.param(2, id="two")])
@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize(("pair", "sign"), {"a": (("x", "y"), 1), "b": (("z",), -1)}.values())
def test_parameters_together(k, pair, sign, factor, tmp_path):
    assert tmp_path.exists()
    seen.append((k, pair, sign, factor))


def test_all_combinations_were_run(tmp_path):
    seen.clear()
    assert [mark.args[0] for mark in test_parameters_together.pytestmark] == ["factor"]
    test_parameters_together(factor=3, tmp_path=tmp_path)
    assert seen == [(k, *row, 3) for row in ((("x", "y"), 1), (("z",), -1)) for k in (1, 2)]


def test_failing_combinations_are_named():
    @together()
    @pytest.mark.parametrize("name", ["a", "b"])
    @pytest.mark.parametrize("f", [abs, len], ids=["abs", "len"])
    def fails_once(name, f):
        assert (name, f) != ("b", len)

    with pytest.raises(AssertionError) as alone:
        fails_once()
    assert alone.value.__notes__ == ["at point len-b"]
