"""Naming: which value of a program gets which name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from pullback.explain.names import Name, from_path, from_word
from pullback.explain.recording import Recording
from pullback.graph.program import Program
from pullback.graph.variable import Variable

__all__ = ["LETTERS", "Naming"]

LETTERS = {"v": "vaq", "z": "zht", "u": "uqd", "c": "ckm", "s": "sro", "E": "ELJ"}
"""What a value is called that the user has not named: the first that the user has not taken."""


class Naming:
    """The names that are given so far, and what the user calls things.

    Parameters
    ----------
    recording : Recording
    program : Program
    given : mapping of Variable to Name or None
        In the body of a loop: what the inputs are called that are the same in each round.
    several : frozenset of Name
        Names that several values will ask for, so that the first is numbered too.
    """

    def __init__(
        self,
        recording: Recording,
        program: Program,
        given: Mapping[Variable, Name] | None = None,
        several: frozenset[Name] = frozenset(),
    ) -> None:
        self.recording = recording
        self.program = program
        self.given = given
        self.several = several
        self.taken: dict[Name, int] = {}
        self.ordinals: dict[Variable, tuple[int, int]] = {}
        self.totals: dict[str, int] = {}
        self._count_words()
        self.theirs = self._found()

    def _count_words(self) -> None:
        """How many values in the program had each word by then, and have it in all."""
        words = self.recording.words
        outs = (x for e in self.program.equations for x in e.outputs)
        row = [x for x in (*self.program.inputs, *outs) if x in words]
        total = self.totals
        for x in row:
            total[words[x]] = total.get(words[x], 0) + 1
            self.ordinals[x] = (total[words[x]], 0)
        for x in row:
            self.ordinals[x] = (self.ordinals[x][0], total[words[x]])

    def _found(self) -> set[str]:
        """What the user calls something in the program."""
        words = {self.recording.words[x] for x in self.ordinals}
        words |= {self.recording.word_of(x) or "" for x in self.program.constants.values()}
        names = [from_word(word) for word in words]
        if self.given is None:
            names += map(from_path, self.program.signature.names)
        else:
            names += self.given.values()
        return {name.base for name in (*names, *self.recording.overrides.values())}

    def letter(self, first: str) -> Name:
        """A letter for what has no name of its own, `first` if the user has not taken it."""
        row = LETTERS.get(first, first)
        return Name(next((x for x in row if x not in self.theirs), first))

    def unique(self, name: Name) -> Name:
        """The name, numbered if something else has it."""
        if name not in self.taken:
            self.taken[name] = 1
            if name not in self.several:
                return name
            self.taken[name] = 0
        while True:
            self.taken[name] += 1
            other = name.numbered(self.taken[name])
            if other not in self.taken:
                self.taken[other] = 1
                return other

    def word(self, variable: Variable) -> Name | None:
        """What the user calls a value."""
        if variable not in self.ordinals:
            return None
        word = self.recording.words[variable]
        count, total = self.ordinals[variable]
        if word in self.recording.overrides:
            name = self.recording.overrides[word]
        else:
            name = from_word(word)
            if total == 1 and self.is_number_of_another(word):
                return Name(word.replace("_", " "))
        if total > 1 and len(name.mark) == 1 and name.mark != "r":
            name = replace(name, mark="")  # the W_k of a loop is W⁽¹⁾, W⁽²⁾, …
        return name.numbered(count) if total > 1 and not name.mark else name

    def is_number_of_another(self, word: str) -> bool:
        """Whether x1 would be called as the first of several values of x."""
        split = re.fullmatch(r"(.*?[^\W\d_])_?(\d+)", word)
        total = 0 if split is None else self.totals.get(split[1], 0)
        return split is not None and total > 1 and 1 <= int(split[2]) <= total
