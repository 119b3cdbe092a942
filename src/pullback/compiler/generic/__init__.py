"""Programs for sizes that were never lowered: their numbers as functions of those of a recording."""

from pullback.compiler.generic.forms import Forms, Known, plainly
from pullback.compiler.generic.letters import Letters, letters
from pullback.compiler.generic.numbers import Letter, Tape, plain

__all__ = ["Forms", "Known", "Letter", "Letters", "Tape", "letters", "plain", "plainly"]
