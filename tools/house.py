"""Draw the house: the parts of the package in their order, and the imports between them.

    python -m tools.house

Writes `docs/house.svg` and, for who wants it in words, `docs/house.md`. A part stands one floor
above the highest one that it imports. The tests compare parts, floors and arrows of both files with
what is imported, and no counts.
"""

from __future__ import annotations

import ast
import html
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from tools import check_imports

__all__ = ["DRAWING", "PAGE", "House", "drawing", "read", "structure", "text"]

ROOT = Path(__file__).parents[1]
DRAWING, PAGE = ROOT / "docs" / "house.svg", ROOT / "docs" / "house.md"

CHARACTER, ROOM, STOREY, GAP, PASSAGE, MARGIN = 5.9, 44.0, 92.0, 26.0, 10.0, 24.0
"""Widths of a character, of the gap beside a room and of a line that passes by; heights of a room
and of a floor with what is above it; the margin."""

INK, LINE, PAPER, WALL = "#243447", "#7d90a3", "#fbfaf7", "#eaf0f5"
FONT = "Segoe UI, Helvetica Neue, Helvetica, Arial, sans-serif"
TIP = {"id": "tip", "viewBox": "0 0 8 8", "refX": 7, "refY": 4, "markerWidth": 7,
       "markerHeight": 7, "orient": "auto"}  # fmt: skip
END = {"marker-end": "url(#tip)"}
COUNT = {"font-size": 10, "text-anchor": "middle", "fill": INK, "stroke": PAPER, "stroke-width": 5,
         "paint-order": "stroke"}  # fmt: skip
DESCRIPTION = "An arrow leads from a part to one that it imports; the number on it says how often."


@dataclass(frozen=True)
class House:
    """Rooms and what is imported from one to another.

    Attributes
    ----------
    rooms : dict
        For each part of the package what it says of itself.
    counts : dict
        How many imports there are of one part into another, by (importing, imported).
    """

    rooms: Mapping[str, str]
    counts: Mapping[tuple[str, str], int]

    @cached_property
    def floors(self) -> dict[str, int]:
        """The floor of each room, from below to above."""
        floors: dict[str, int] = {}
        while len(floors) < len(self.rooms):
            level = max(floors.values(), default=-1) + 1
            ready = [
                room
                for room in sorted(self.rooms)
                if room not in floors and all(low in floors for low in self.below(room))
            ]
            assert ready, f"imports go in a circle among {sorted(set(self.rooms) - set(floors))}"
            floors |= dict.fromkeys(ready, level)
        return floors

    def below(self, room: str) -> list[str]:
        """What a room imports directly."""
        return [low for up, low in self.counts if up == room]

    @cached_property
    def arrows(self) -> list[tuple[str, str]]:
        """Imports, as (importing, imported), but those of what an imported room imports itself."""
        reached: dict[str, set[str]] = {}
        for room in self.floors:
            below = self.below(room)
            reached[room] = set(below).union(*(reached[low] for low in below))
        return sorted(
            (up, low)
            for up, low in self.counts
            if not any(low in reached[other] for other in self.below(up))
        )


def read(root: Path = ROOT / "src") -> House:
    """The house that the sources in ``root/pullback`` make."""
    rooms: dict[str, str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for path in sorted((root / check_imports.PACKAGE).rglob("*.py")):
        module = list(path.relative_to(root).with_suffix("").parts)
        package = module[:-1]
        if module[-1] == "__init__":
            module.pop()
        room = check_imports.part_of(module)
        if room == "__main__":
            continue  # the door to cli
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if len(module) == 2 and path.stem in ("__init__", module[1]):
            rooms[room] = re.split(r"[:.,]", ast.get_docstring(tree) or "")[0]
        for node, _ in check_imports.imports(tree):
            named = set(map(tuple, check_imports.targets(node, package, root)))
            inside = [target for target in named if target[0] == check_imports.PACKAGE]
            counts.update((room, low) for low in map(check_imports.part_of, inside) if low != room)
    rooms[""] = "the public names"
    return House(rooms, counts)


def called(room: str) -> str:
    """The name of a room; that of the package itself is empty in the table of imports."""
    return room or check_imports.PACKAGE


# -- the drawing ---------------------------------------------------------------------------------

Place = tuple[str, ...]
"""A room ``(name,)``, or where the arrow ``(importing, imported, floor)`` passes a floor."""


def drawing(house: House) -> str:
    """The picture, as SVG."""
    routes = {arrow: list(_route(house, *arrow)) for arrow in house.arrows}
    storeys = _ordered(house, list(routes.values()))
    centres = _centres(house, storeys)
    ports = _ports(house, routes, centres)
    width = MARGIN + max(centres[row[-1]] + _width(house, row[-1]) / 2 for row in storeys)
    height = 2 * MARGIN + ROOM + (len(storeys) - 1) * STOREY

    def top(place: Place) -> float:
        return height - MARGIN - ROOM - _floor(house, place) * STOREY

    tip = _tag("path", d="M0 0.8 8 4 0 7.2z", fill=LINE)
    parts = [
        _tag("title", f"The parts of {check_imports.PACKAGE}, and what imports what"),
        _tag("desc", f"From below to above: {', '.join(map(called, house.floors))}. {DESCRIPTION}"),
        _tag("defs", _tag("marker", tip, **TIP)),
        _tag("rect", width=width, height=height, rx=10, fill=PAPER),
    ]
    counts = []
    for (up, low), route in routes.items():
        x, end = ports[(up, low), up], ports[(up, low), low]
        path = f"M{x:.1f} {top(route[0]) + ROOM:.1f}"
        for place in route[1:]:
            before, x, y = x, centres[place] if len(place) > 1 else end, top(place)
            middle = y - (STOREY - ROOM) / 2
            path += f" C{before:.1f} {middle:.1f} {x:.1f} {middle:.1f} {x:.1f} {y:.1f}"
            if len(place) > 1:
                path += f" V{y + ROOM:.1f}"
        line = _tag("path", d=path, fill="none", stroke=LINE, stroke_width=1.4, **END)
        parts.append(_tag("g", line, data_from=called(up), data_to=called(low)))
        counts.append(_tag("text", house.counts[up, low], x=x, y=y - 12, **COUNT))
    parts += counts
    for room, floor in house.floors.items():
        x, y, w = centres[room,], top((room,)), _width(house, (room,))
        wall = _tag("rect", x=x - w / 2, y=y, width=w, height=ROOM, rx=5, fill=WALL, stroke=INK)
        name = _tag("text", called(room), x=x, y=y + 19, font_size=14, font_weight=600)
        note = _tag("text", house.rooms[room], x=x, y=y + 34, font_size=10.5, opacity=0.75)
        data = {"data_room": called(room), "data_floor": floor}
        parts.append(_tag("g", wall + name + note, **data, text_anchor="middle", fill=INK))
    size = {"viewBox": f"0 0 {width:.0f} {height:.0f}", "width": width, "height": height}
    xmlns = "http://www.w3.org/2000/svg"
    content = "\n".join(["", *parts, ""])
    return _tag("svg", content, xmlns=xmlns, **size, role="img", font_family=FONT) + "\n"


def _tag(name: str, content: Any = "", /, **attributes: Any) -> str:
    """An element of SVG; text in it is escaped, other elements are not."""
    if not str(content).lstrip().startswith("<"):
        content = html.escape(str(content), quote=False)
    listed = "".join(
        f' {key.replace("_", "-")}="{f"{x:.4g}" if isinstance(x, float) else x}"'
        for key, x in attributes.items()
    )
    return f"<{name}{listed}>{content}</{name}>"


def _route(house: House, up: str, low: str) -> Iterator[Place]:
    """What an arrow comes by, from above to below."""
    yield (up,)
    for floor in range(house.floors[up] - 1, house.floors[low], -1):
        yield up, low, str(floor)
    yield (low,)


def _floor(house: House, place: Place) -> int:
    return int(place[2]) if len(place) > 1 else house.floors[place[0]]


def _width(house: House, place: Place) -> float:
    if len(place) > 1:
        return PASSAGE
    return max(CHARACTER * len(house.rooms[place[0]]), 9 * len(called(place[0]))) + 22


def _ordered(house: House, routes: Sequence[Sequence[Place]]) -> list[list[Place]]:
    """The places of each floor from left to right, beside what they are connected with.

    Sweeps up and down put each place at the mean of its neighbours on the floor before.
    """
    storeys: list[list[Place]] = [[] for _ in range(1 + max(house.floors.values()))]
    for place in sorted({place for route in routes for place in route}):
        storeys[_floor(house, place)].append(place)
    neighbours: defaultdict[Place, set[Place]] = defaultdict(set)
    for one, other in itertools.chain.from_iterable(map(itertools.pairwise, routes)):
        neighbours[one].add(other)
        neighbours[other].add(one)
    for _ in range(6):
        for rows in (storeys, storeys[::-1]):
            for before, row in itertools.pairwise(rows):
                at = {place: (n + 0.5) / len(before) for n, place in enumerate(before)}
                means = {place: [at[x] for x in neighbours[place] if x in at] for place in row}
                row.sort(key=lambda place: fmean(means[place] or [0.5]))
    return storeys


def _centres(house: House, storeys: Sequence[Sequence[Place]]) -> dict[Place, float]:
    """The horizontal middle of each place; each floor stands in the middle of the widest."""
    widths = [[_width(house, place) for place in row] for row in storeys]
    totals = [sum(row) + GAP * (len(row) - 1) for row in widths]
    centres = {}
    for row, wide, total in zip(storeys, widths, totals, strict=True):
        x = MARGIN + (max(totals) - total) / 2
        for place, width in zip(row, wide, strict=True):
            centres[place] = x + width / 2
            x += width + GAP
    return centres


def _ports(
    house: House, routes: Mapping[tuple[str, str], Sequence[Place]], centres: Mapping[Place, float]
) -> dict[tuple[tuple[str, str], str], float]:
    """Where each arrow leaves a room and enters another, in the order of where it comes from."""
    ports = {}
    for room in house.rooms:
        leaving = [(route[1], arrow) for arrow, route in routes.items() if arrow[0] == room]
        entering = [(route[-2], arrow) for arrow, route in routes.items() if arrow[1] == room]
        for ends in (leaving, entering):
            ends.sort(key=lambda end: centres[end[0]])
            for n, (_, arrow) in enumerate(ends):
                share = (n + 1) / (len(ends) + 1) - 0.5
                ports[arrow, room] = centres[room,] + share * _width(house, (room,))
    return ports


# -- the page ------------------------------------------------------------------------------------

HEAD = """\
# The house

Written by `python -m tools.house` from the imports; don't edit it. Each part of `src/pullback`
stands above all that it imports, and nothing imports what is above it.

![The parts of pullback as boxes, arrows to what they import; the table says the same](house.svg)

Arrows that others imply are left out of the drawing. The table counts all imports, from above to
below.

| floor | part | imports |
| --- | --- | --- |
"""


def text(house: House) -> str:
    """The page."""
    rows = []
    for room, floor in reversed(house.floors.items()):
        below = sorted(house.below(room), key=list(house.floors).index)
        counted = ", ".join(f"{called(low)} {house.counts[room, low]}" for low in below)
        rows.append(f"| {floor} | {called(room)} | {counted or 'nothing'} |\n")
    return HEAD + "".join(rows)


def structure(written: str) -> list[str]:
    """What a drawing or a page says of parts, floors and arrows, without the counts."""
    if written.startswith("<svg"):
        return re.findall(r'<g (data-[\w-]+="\w+" data-[\w-]+="\w+")', written)
    return re.sub(r" \d+(,| \|$)", r"\1", written, flags=re.MULTILINE).splitlines()


if __name__ == "__main__":
    DRAWING.write_text(drawing(read()), encoding="utf-8")
    PAGE.write_text(text(read()), encoding="utf-8")
