"""The drawing of the house is that of the imports, and the house is the one that was planned."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tools import house

FILES = {
    "__init__.py": '"""A package."""\nfrom pullback import top',
    "__main__.py": "from pullback.top import a",
    "errors.py": '"""Every error: of all kinds."""',
    "core/__init__.py": '"""The engine, or <core>."""\nfrom pullback import errors',
    "core/a.py": "from pullback.core import b\nfrom pullback.errors import E",
    "core/b.py": "",
    "wing/__init__.py": '"""A wing."""\nimport pullback.core.a',
    "top/__init__.py": '"""The roof."""\nfrom pullback.wing import w\nfrom pullback import core',
    "top/a.py": "from pullback import errors",
}


@pytest.fixture
def small(tmp_path: Path) -> house.House:
    for name, source in FILES.items():
        path = tmp_path / "pullback" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return house.read(tmp_path)


@pytest.fixture(scope="module")
def whole() -> house.House:
    return house.read()


def test_parts_and_imports_are_found(small: house.House) -> None:
    assert small.rooms == {
        "": "the public names",
        "core": "The engine",
        "errors": "Every error",
        "top": "The roof",
        "wing": "A wing",
    }
    assert small.counts == {
        ("", "top"): 1,
        ("core", "errors"): 2,
        ("top", "core"): 1,
        ("top", "errors"): 1,
        ("top", "wing"): 1,
        ("wing", "core"): 1,
    }


def test_a_part_stands_above_what_it_imports(small: house.House) -> None:
    assert small.floors == {"errors": 0, "core": 1, "wing": 2, "top": 3, "": 4}
    assert small.arrows == [("", "top"), ("core", "errors"), ("top", "wing"), ("wing", "core")]


def test_a_circle_is_named() -> None:
    with pytest.raises(AssertionError, match=r"in a circle among \['a', 'b'\]"):
        _ = house.House({"a": "", "b": ""}, {("a", "b"): 1, ("b", "a"): 1}).floors


def test_the_drawing_shows_each_part_and_arrow_once(small: house.House) -> None:
    tree = ET.fromstring(house.drawing(small))
    groups = [group.attrib for group in tree.findall("{*}g")]
    assert {x["data-room"]: int(x["data-floor"]) for x in groups if "data-room" in x} == {
        name or "pullback": floor for name, floor in small.floors.items()
    }
    arrows = [(x["data-from"], x["data-to"]) for x in groups if "data-from" in x]
    assert arrows == [(up or "pullback", low) for up, low in small.arrows]
    assert "errors, core, wing, top, pullback" in "".join(tree.itertext())


def test_boxes_of_a_floor_lie_apart_and_within_the_picture(whole: house.House) -> None:
    tree = ET.fromstring(house.drawing(whole))
    walls = [
        [float(w.attrib[a]) for a in ("y", "x", "width")] for w in tree.findall("{*}g/{*}rect")
    ]
    for (y, x, width), (next_y, next_x, _) in itertools.pairwise(sorted(walls)):
        assert next_y > y or next_x > x + width
        assert 0 < x < x + width < float(tree.attrib["width"])


def test_the_page_says_the_same_in_words(small: house.House) -> None:
    assert house.text(small).splitlines()[-5:] == [
        "| 4 | pullback | top 1 |",
        "| 3 | top | errors 1, core 1, wing 1 |",
        "| 2 | wing | core 1 |",
        "| 1 | core | errors 2 |",
        "| 0 | errors | nothing |",
    ]


@pytest.mark.parametrize("write", [house.drawing, house.text])
def test_counts_do_not_matter_but_parts_and_arrows_do(small: house.House, write) -> None:
    before = house.structure(write(small))
    more = house.House(small.rooms, {arrow: 10 * n for arrow, n in small.counts.items()})
    assert house.structure(write(more)) == before
    counts = {**small.counts, ("", "errors"): 1, ("wing", "new"): 1}
    others = house.House({**small.rooms, "new": "A room"}, counts)
    assert house.structure(write(others)) != before


@pytest.mark.parametrize(
    ("path", "write"), [(house.DRAWING, house.drawing), (house.PAGE, house.text)]
)
def test_the_drawing_is_that_of_the_imports(path: Path, write, whole: house.House) -> None:
    written = house.structure(path.read_text(encoding="utf-8"))
    assert written == house.structure(write(whole)), "out of date: python -m tools.house"


def test_the_house_is_built_as_planned(whole: house.House) -> None:
    """Below is below: errors, core, transforms and graph, rules, numpy and passes, the users."""
    floors = whole.floors
    plan = [
        ["errors"],
        ["core"],
        ["transforms", "graph"],
        ["rules"],
        ["numpy", "passes"],
        [""],
        ["cli"],
    ]
    for below, above in itertools.pairwise(plan):
        assert max(floors[room] for room in below) < min(floors[room] for room in above)
