"""The loops of colouring, as they are in the literature; `pullback.compile` makes them fast.

They run on arrays of integers: the rows of a matrix in compressed form, and its columns likewise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import trees
from pullback.lifting import conversion
from pullback.sparse.native import native

__all__ = ["distance_two", "last_by_degree", "run", "star"]

SMALL = 300_000
"""Up to how many steps a loop is run by Python, for which nothing has to be compiled."""


def run(kernel: Any, steps: int, *args: Any) -> Any:
    """A loop of about so many steps, in machine code if they are many."""
    if steps <= SMALL:
        return np.asarray(kernel(*trees.map_tree(np.ndarray.tolist, args)))
    if kernel not in _compiled:
        conversion.kernels.add(kernel.__code__)
        _compiled[kernel] = native(kernel)
    return np.asarray(_compiled[kernel](*trees.map_tree(_integers, args)))


def _integers(x: Any) -> Any:
    return np.asarray(x, np.int64)


_compiled: dict[Any, Any] = {}


def distance_two(
    order: Any, pointers: Any, rows: Any, row_pointers: Any, columns: Any, colours: Any, seen: Any
) -> Any:
    """The colours of columns, of which no two in a row have the same: greedily, in an order.

    A. H. Gebremedhin, F. Manne and A. Pothen, *What color is your Jacobian? Graph coloring for
    computing derivatives*, SIAM Review 47 (2005), section 3.3. `colours` has a number for what has
    none yet, which is the last of those that are `seen`, and `seen` has −1.
    """
    colours = colours.copy()
    seen = seen.copy()
    for k in range(len(order)):
        j = order[k]
        for p in range(pointers[j], pointers[j + 1]):
            i = rows[p]
            for q in range(row_pointers[i], row_pointers[i + 1]):
                seen[colours[columns[q]]] = j
        c = 0
        while seen[c] == j:
            c += 1
        colours[j] = c
    return colours


def star(order: Any, graph: Any, colours: Any, marks: Any, stars: Any) -> Any:
    """The colours of a symmetric matrix of which no path of four elements has two alone.

    A. H. Gebremedhin, A. Tarafdar, F. Manne and A. Pothen, *New acyclic and star coloring
    algorithms with application to computing Hessians*, SIAM J. Sci. Comput. 29 (2007), algorithm
    4.1. `graph` has pointers, neighbours and numbers of edges; edge e belongs to the two-coloured
    star ``belongs[e]``, which has the hub ``hubs[belongs[e]]``, or −1 as long as it is the only
    one. There are an edge, a star and a vertex more than there are, where that is written which is
    not to be: so no array is written to under a condition.
    """
    pointers, neighbours, edges = graph
    colours = colours.copy()
    seen = marks[0].copy()
    first = marks[1].copy()
    first_at = marks[2].copy()
    treated = marks[3].copy()
    belongs = stars[0].copy()
    hubs = stars[1].copy()
    none = len(seen) - 1
    spare = len(hubs) - 1
    nobody = len(treated) - 1
    for k in range(len(order)):
        v = order[k]
        begin = pointers[v]
        end = pointers[v + 1]
        for p in range(begin, end):
            w = neighbours[p]
            c = colours[w]
            seen[c] = v
            again = (c != none) & (first_at[c] == v)
            fresh = (c != none) & (first_at[c] != v)
            other = first[c] if again else nobody
            other_begin = pointers[other]
            untreated = again & (treated[other] != v)
            for q in range(other_begin, pointers[other + 1] if untreated else other_begin):
                seen[colours[neighbours[q]]] = v
            treated[other] = v
            own_begin = pointers[w]
            own_end = pointers[w + 1]
            for q in range(own_begin, own_end if again else own_begin):
                seen[colours[neighbours[q]]] = v
            treated[w if again else nobody] = v
            place = c if fresh else none
            first_at[place] = v
            first[place] = w
            for q in range(own_begin, own_end if fresh else own_begin):
                x = neighbours[q]
                seen[colours[x] if hubs[belongs[edges[q]]] == x else none] = v
        c = 0
        while seen[c] == v:
            c += 1
        colours[v] = c
        for p in range(begin, end):
            w = neighbours[p]
            cw = colours[w]
            coloured = cw != none
            found = -1
            own_begin = pointers[w]
            for q in range(own_begin, pointers[w + 1] if coloured else own_begin):
                x = neighbours[q]
                found = edges[q] if (x != v) & (colours[x] == c) else found
            centred = found >= 0
            other = first[cw]
            paired = coloured & (found < 0) & (first_at[cw] == v) & (other != w)
            for q in range(begin, end if paired else begin):
                found = edges[q] if neighbours[q] == other else found
            joins = centred | paired
            joined = belongs[found if joins else spare]
            hubs[joined if joins else spare] = w if centred else v
            belongs[edges[p] if joins else spare] = joined
    return colours


def last_by_degree(graph: Any, degrees: Any, starts: Any, places: Any, line: Any) -> Any:
    """The vertices of a graph in the order of smallest degrees last.

    D. W. Matula and L. L. Beck, *Smallest-last ordering and clustering and graph coloring
    algorithms*, J. ACM 30 (1983). `line` has the vertices sorted by degree, those of degree d from
    ``starts[d]`` on, and ``places[v]`` is where v stands in it. Each has one element more, which is
    written to in place of those that stay.
    """
    pointers, neighbours = graph
    degrees = degrees.copy()
    starts = starts.copy()
    places = places.copy()
    line = line.copy()
    spare = len(line) - 1
    nothing = len(starts) - 1
    for k in range(spare):
        v = line[k]
        for p in range(pointers[v], pointers[v + 1]):
            w = neighbours[p]
            d = degrees[w]
            falls = d > degrees[v]
            at = places[w]
            begin = starts[d]
            u = line[begin]
            line[begin if falls else spare] = w
            line[at if falls else spare] = u
            places[w if falls else spare] = begin
            places[u if falls else spare] = at
            starts[d if falls else nothing] = begin + 1
            # Where both are the same it stays where it stands.
            places[w if falls else spare] = begin
            degrees[w if falls else spare] = d - 1
    return line
