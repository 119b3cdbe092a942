"""The letters of indices."""

from __future__ import annotations

from pullback.explain.expression import At, Expr, Index, free

__all__ = ["Letters"]

LETTERS = "ijklmnpqrstabcdefgh"


class Letters:
    """The letters of indices in one derivation.

    Parameters
    ----------
    *indices : Index
        Those that are not summed over, in the order in which they get letters.
    """

    def __init__(self, *indices: At) -> None:
        self.given: dict[Index, str] = {}
        self.preferred: dict[Index, str] = {}
        for index in indices:
            if isinstance(index, Index):
                self.letter(index)

    def letter(self, at: At) -> str:
        """The letter of an index, or the number."""
        if not isinstance(at, Index):
            return str(at)
        if at not in self.given:
            taken = set(self.given.values())
            wish = self.preferred.get(at)
            if wish is None or wish in taken:
                wish = next((x for x in LETTERS if x not in taken), None) or f"i{len(self.given)}"
            self.given[at] = wish
        return self.given[at]

    def bind(self, index: Index, body: Expr) -> str:
        """The letter of an index that is summed over."""
        for other in free(body):
            if other is not index:
                self.letter(other)
        hidden = self.given.pop(index, None)
        if hidden is not None:
            self.preferred.setdefault(index, hidden)
        return self.letter(index)

    def release(self, index: Index) -> None:
        """The sum is over."""
        self.preferred[index] = self.given.pop(index)

    def below(self, at: tuple[At, ...]) -> tuple[str, ...]:
        """What stands below a name."""
        return tuple(map(self.letter, at))
