"""The cheapest cut of a network: the edges to remove so that nothing flows from source to sink.

The algorithm is that of E. A. Dinic, *Algorithm for solution of a problem of maximum flow in a
network with power estimation*, Soviet Math. Doklady 11 (1970): as long as there is a way from the
source to the sink, along shortest ways as much flows as can.
"""

from __future__ import annotations

__all__ = ["Network"]


class Network:
    """Nodes, numbered from 0, and directed edges with capacities, which are integers.

    Node 0 is the source, node 1 the sink.
    """

    SOURCE, SINK = 0, 1

    def __init__(self) -> None:
        self._edges: list[list[int]] = [[], []]
        # Edge k goes to _ends[k] and has room for so much more; edge k ^ 1 is its reverse.
        self._ends: list[int] = []
        self._room: list[int] = []

    def node(self) -> int:
        """A new node."""
        self._edges.append([])
        return len(self._edges) - 1

    def connect(self, start: int, end: int, capacity: int) -> None:
        """An edge between two nodes."""
        for one, other, room in ((start, end, capacity), (end, start, 0)):
            self._edges[one].append(len(self._ends))
            self._ends.append(other)
            self._room.append(room)

    def sink_side(self) -> list[bool]:
        """Which nodes lie behind the cheapest cut; of several cuts, the one next to the sink."""
        while (levels := self._levels())[self.SOURCE] >= 0:
            self._fill(levels)
        return [level >= 0 for level in levels]

    def _levels(self) -> list[int]:
        """How many edges with room it takes from each node to the sink; −1 if there is no way."""
        levels = [-1] * len(self._edges)
        levels[self.SINK] = 0
        front = [self.SINK]
        while front:
            next_front = []
            for node in front:
                for edge in self._edges[node]:
                    start = self._ends[edge]
                    if levels[start] < 0 and self._room[edge ^ 1]:
                        levels[start] = levels[node] + 1
                        next_front.append(start)
            front = next_front
        return levels

    def _fill(self, levels: list[int]) -> None:
        """Let flow along shortest ways as much as can."""
        edges, ends, room = self._edges, self._ends, self._room
        tried = [0] * len(edges)
        way: list[int] = []
        node = self.SOURCE
        while True:
            if node == self.SINK:
                least = min(room[edge] for edge in way)
                for edge in way:
                    room[edge] -= least
                    room[edge ^ 1] += least
                full = next(i for i, edge in enumerate(way) if not room[edge])
                node = ends[way[full] ^ 1]
                del way[full:]
            while tried[node] < len(edges[node]):
                edge = edges[node][tried[node]]
                if room[edge] and levels[ends[edge]] == levels[node] - 1:
                    break
                tried[node] += 1
            else:
                if not way:
                    return
                node = ends[way.pop() ^ 1]
                tried[node] += 1
                continue
            way.append(edge)
            node = ends[edge]
