"""Names that a choice or a loop has left bound to arrays that others stand for, too.

After ``if c: a = 2 * a``, with `c` not known, `a` is a new array or the old one, and whether it
shares memory with a view of the old one isn't known. As long as neither is written to, that is no
matter. So what `a` stands for afterwards is tied to the old array: it can't be written to, nor be
used once the old one was written to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from pullback.core import trees
from pullback.core.tracing import Tracer
from pullback.errors import AliasError
from pullback.lifting.held import is_held
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


def tie(tree: Any, owners: Iterable[Tracer], words: str, *, always: Iterable[int] = ()) -> None:
    """Tie arrays to those that they may be, so far as others hold these.

    Parameters
    ----------
    tree : pytree
        What a choice or a loop has left.
    owners : iterable of Tracer
        What owns its memory, if the arrays are no new ones.
    words : str
        The error for what would need to know.
    always : iterable of int
        The ids of owners to which they are tied whether others hold them or not.
    """
    leaves = [x for x in trees.flatten(tree)[0] if type(x) is Tracer and x._mutable]
    owners = [each for each in owners if each._mutable] if leaves else []
    forced = set(always)
    held = [each for each in owners if id(each) in forced or is_held(each)]
    for leaf in leaves:
        let_own(leaf, owners)
        if held:
            tied(leaf, held, words)


def tied(x: Tracer, owners: list[Tracer], words: str) -> None:
    """Tie one array to others."""

    def refuse(*_: Any) -> NoReturn:
        raise AliasError(words)

    if x._alias is None:
        x._alias = Tie(owners, refuse)
