"""Names that a choice or a loop has left bound to arrays that others stand for, too.

After ``if c: a = 2 * a``, with `c` not known, `a` is a new array or the old one, and whether it
shares memory with a view of the old one isn't known. As long as neither is written to, that is no
matter. So what `a` stands for afterwards is tied to the old array: it can't be written to, nor be
used once the old one was written to.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, NoReturn

from pullback.core import trees
from pullback.core.tracing import Tracer
from pullback.errors import AliasError
from pullback.lifting.owners import Tie, let_own

__all__ = ["UNDECIDED", "tie", "tied"]

UNDECIDED = {
    "kept": (
        "{0} is bound anew in one branch of a condition that is not known while the program is "
        "recorded, and not in the other, where it shares memory with another name; one of them was "
        "written to afterwards. Write {0} = {0}.copy() before the condition, or bind it in one "
        "statement, {0} = np.where(condition, new, {0})"
    ),
    "chosen": (
        "which array {0} stands for is decided by a condition that is not known while the program "
        "is recorded, and others stand for that array, too; one of them was written to afterwards. "
        "Bind {0} to a copy: {0} = y.copy()"
    ),
    "looped": (
        "which array {0} stands for after a loop depends on how the loop runs, and others stand "
        "for that array, too; one of them was written to afterwards. Write {0} = {0}.copy() before "
        "the loop, and bind it to a copy there"
    ),
    "returned": (
        "which array is returned, or chosen by an expression, is only known once the program runs, "
        "and others stand for that array, too; one of them was written to afterwards. Return a "
        "copy: y.copy()"
    ),
}
"""What is said of a name that may stand for several arrays."""


def tie(tree: Any, owners: Iterable[Tracer], words: str, held: Container[int]) -> None:
    """Tie arrays to those that they may be, so far as others hold these.

    Parameters
    ----------
    tree : pytree
        What a choice or a loop has left.
    owners : iterable of Tracer
        What owns its memory, if the arrays are no new ones.
    words : str
        The error for what would need to know.
    held : container of int
        The ids of the owners that others hold.
    """
    found = [x for x in owners if x._mutable]
    for leaf in trees.flatten(tree)[0]:
        if type(leaf) is not Tracer or not leaf._mutable:
            continue
        others = [x for x in found if x is not leaf]  # a value may be handed on as it is
        let_own(leaf, others)
        ties = [x for x in others if id(x) in held]
        if ties:
            tied(leaf, ties, words)


def tied(x: Tracer, owners: list[Tracer], words: str) -> None:
    """Tie one array to others."""

    def refuse(*_: Any) -> NoReturn:
        raise AliasError(words)

    if x._alias is None:
        x._alias = Tie(owners, refuse)
