"""Where to keep snapshots while a chain of steps is reversed: the binomial schedule.

A chain of n steps takes state 0 to state n. Its reversal visits the steps n − 1, …, 0, and for
each of them needs the state that the step starts from. With room for s states, the others are
evaluated again from the nearest earlier one that was kept.

If no step may be evaluated more than r times, at most β(s, r) = C(s + r, s) steps can be reversed:
the first snapshot after the start is best set where the steps before it form such a chain for
(s, r − 1) and those behind it one for (s − 1, r), and β(s, r) = β(s, r − 1) + β(s − 1, r).

Counted from a run that produces state n, and needs all n steps for it, a reversal is that of a
chain of n + 1 steps of which the last belongs to whoever asks for the derivative: when its turn
comes, state n is at hand, and what it has to say is the cotangent.

Source: A. Griewank and A. Walther, Algorithm 799: revolve, ACM Trans. Math. Software 26 (2000).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, isqrt

__all__ = [
    "Action",
    "Advance",
    "Restore",
    "Reverse",
    "Store",
    "actions",
    "evaluations",
    "first_sweep",
    "square_root",
]


@dataclass(frozen=True, slots=True)
class Store:
    """Keep the state at hand, which is that before `step`, in `slot`."""

    slot: int
    step: int


@dataclass(frozen=True, slots=True)
class Restore:
    """Take the state before `step` from `slot`, which keeps it."""

    slot: int
    step: int


@dataclass(frozen=True, slots=True)
class Advance:
    """Evaluate the steps ``start, …, stop - 1`` from the state at hand."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Reverse:
    """Apply the pullback of `step`, linearised at the state at hand, to the cotangent."""

    step: int


Action = Store | Restore | Advance | Reverse


def first_sweep(length: int, snapshots: int) -> list[int]:
    """The steps before which the run that produces state n keeps its state.

    Parameters
    ----------
    length : int
        Number of steps n.
    snapshots : int
        Number of states s ≥ 1 that may be kept at a time, state 0 among them.

    Returns
    -------
    list of int
        Increasing, from 0, of at most `snapshots` entries. The state before the k-th of them goes
        into slot k, from which `actions` starts.
    """
    kept = [0] if length else []
    _descend(kept, length + 1, min(snapshots, length))
    return kept


def actions(length: int, snapshots: int) -> Iterator[Action]:
    """What to do, in turn, to reverse a chain of which `first_sweep` has kept the states.

    Parameters
    ----------
    length : int
        Number of steps n.
    snapshots : int
        Number of states s ≥ 1 that may be kept at a time, state 0 among them.

    Yields
    ------
    Action
        Every step is reversed once, from the last to the first. A state that is kept stays in its
        slot until another one is stored there; the slots are ``0, …, min(snapshots, length) - 1``.

    Notes
    -----
    The generator itself remembers no more than the numbers of the states that are kept.

    Examples
    --------
    >>> first_sweep(4, 2)
    [0, 3]
    >>> for action in actions(4, 2):
    ...     print(action)
    Restore(slot=1, step=3)
    Reverse(step=3)
    Restore(slot=0, step=0)
    Advance(start=0, stop=1)
    Store(slot=1, step=1)
    Advance(start=1, stop=2)
    Reverse(step=2)
    Restore(slot=1, step=1)
    Reverse(step=1)
    Restore(slot=0, step=0)
    Reverse(step=0)
    """
    snapshots = min(snapshots, length)
    kept = first_sweep(length, snapshots)
    for step in reversed(range(length)):
        if kept[-1] > step:
            kept.pop()
        top, at = len(kept) - 1, kept[-1]
        yield Restore(top, at)
        _descend(kept, step + 1, snapshots)
        for slot in range(top + 1, len(kept)):
            yield Advance(at, kept[slot])
            at = kept[slot]
            yield Store(slot, at)
        if at < step:
            yield Advance(at, step)
        yield Reverse(step)


def evaluations(length: int, snapshots: int) -> int:
    """How often a step is evaluated, in all, to produce state n and to reverse the chain.

    Parameters
    ----------
    length : int
        Number of steps n.
    snapshots : int
        Number of states s ≥ 1 that may be kept at a time, state 0 among them.

    Returns
    -------
    int
        r (n + 1) − C(s + r, r − 1), where r is the least number with n + 1 ≤ C(s + r, r). This is
        the fewest possible. It counts the n evaluations of the run that produces state n, and
        those of every `Advance`; it does not count what each `Reverse` evaluates of its step, once
        for each of the n steps, to linearise it.
    """
    if not length:
        return 0
    r = _repetitions(length + 1, snapshots)
    return r * (length + 1) - comb(snapshots + r, r - 1)


def square_root(length: int) -> int:
    """The fewest snapshots with which every step is evaluated at most once more than it must.

    Parameters
    ----------
    length : int
        Number of steps n.

    Returns
    -------
    int
        The least s ≥ 1 with n + 1 ≤ C(s + 2, 2), about √(2n). Snapshots at equal distances √n
        and, on the way back, every state between two of them would be 2√n states for the same
        number of evaluations.
    """
    # C(s + 2, 2) ≥ n + 1 says (2s + 3)² ≥ 8n + 9.
    return max(1, (isqrt(8 * length + 8) - 1) // 2)


def _descend(kept: list[int], stop: int, snapshots: int) -> None:
    """Append the states to keep on the way from the last of `kept` to the step before `stop`."""
    while len(kept) < snapshots and stop - kept[-1] > 1:
        kept.append(kept[-1] + _distance(stop - kept[-1], snapshots - len(kept) + 1))


def _distance(length: int, snapshots: int) -> int:
    """How far behind the start of a chain the next of at least two snapshots is best set.

    As far as it can be: the steps before it are at most the β(s, r − 1) that do with fewer than r
    repetitions, those behind it at least the β(s − 1, r − 1) that r repetitions are worth.
    """
    repetitions = _repetitions(length, snapshots)
    before, behind = (comb(s + repetitions - 1, s) for s in (snapshots, snapshots - 1))
    return min(before, length - behind)


def _repetitions(length: int, snapshots: int) -> int:
    """The least r with length ≤ β(s, r)."""
    repetitions, reach = 0, 1
    while reach < length:
        repetitions += 1
        reach = reach * (snapshots + repetitions) // repetitions
    return repetitions
