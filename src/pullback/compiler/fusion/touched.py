"""What a kernel reads, writes and uses, place by place."""

from __future__ import annotations

from pullback.compiler.fusion.substitution import canonical
from pullback.compiler.loops import Expr, Kernel, Let, Load, Name, Op, Place, Scalar, Write

__all__ = ["Touched"]


class Touched:
    """The places of a kernel by their buffers, and the scalars.

    Attributes
    ----------
    loads : dict of str to set of Place
    stores : dict of str to list of Write
    results : set of str
        The scalars that are joined over all points.
    used : set of str
        All names in expressions and places.
    numbers : set of str
        All names that stand elsewhere than as terms of places.
    """

    def __init__(self) -> None:
        self.loads: dict[str, set[Place]] = {}
        self.stores: dict[str, list[Write]] = {}
        self.results: set[str] = set()
        self.used: set[str] = set()
        self.numbers: set[str] = set()

    @staticmethod
    def by(kernel: Kernel) -> Touched:
        """What a kernel touches."""
        found = Touched()
        for each in kernel.body:
            found.value(each.value if isinstance(each, Let) else each.condition)
        for write in kernel.writes:
            found.value(write.value)
            found.write(write)
        return found

    @property
    def buffers(self) -> set[str]:
        """All that are read or written."""
        return self.loads.keys() | self.stores.keys()

    def common(self, other: Touched) -> list[str]:
        """The buffers that both touch, in as many steps as the other one touches."""
        return [b for b in other.buffers if b in self.loads or b in self.stores]

    def one(self, buffer: str) -> Place:
        """A place of a buffer: where it is written, if it is."""
        stores = self.stores.get(buffer)
        if stores:
            target = stores[0].target
            assert isinstance(target, Place)
            return target
        return min(self.loads[buffer])

    def value(self, expr: Expr) -> None:
        """Add an expression that is computed."""
        if isinstance(expr, Name):
            self.used.add(expr.name)
            self.numbers.add(expr.name)
        elif isinstance(expr, Load):
            self.loads.setdefault(expr.place.buffer, set()).add(canonical(expr.place))
            self.used.update(name for name, _ in expr.place.terms)
            if expr.where is not None:
                self.value(expr.where)
        elif isinstance(expr, Op):
            for arg in expr.args:
                self.value(arg)

    def write(self, write: Write) -> None:
        """Add what is done with a value."""
        if write.start is not None:
            self.value(write.start)
        if isinstance(write.target, Scalar):
            self.results.add(write.target.name)
            return
        place = canonical(write.target)
        self.used.update(name for name, _ in place.terms)
        self.stores.setdefault(place.buffer, []).append(
            Write(place, write.value, write.combine, write.start)
        )
