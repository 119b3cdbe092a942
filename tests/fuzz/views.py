"""Random programs of views and writes, in every mode, for as long as there is time."""

from __future__ import annotations

import random
import sys
import time

from tests.programs.views.faults import Tally
from tests.programs.views.modes import MODES

__all__ = ["run"]

EACH = 4
"""In how many modes a program is run."""

SHOWN = 10
"""How many faults are shrunk and printed; all are counted."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def run(seconds: float, seed: int) -> int:
    """Run programs from the number `seed` on, each in some of the modes.

    Prints how many programs and comparisons there were, what was refused, and the smallest programs
    that show the faults.

    Returns
    -------
    int
        The number of faults.
    """
    end = time.monotonic() + seconds
    tally = Tally()
    while time.monotonic() < end:
        rng = random.Random(seed)
        tally.run(seed, rng.sample(list(MODES), EACH))
        seed += 1
    agree = sum(n for (_, kind), n in tally.outcomes.items() if kind == "agrees")
    say(
        f"views: {tally.programs} programs, {agree} comparisons, "
        f"{sum(tally.refusals.values())} refusals, {len(tally.faults)} faults"
    )
    for text, count in tally.refusals.most_common():
        say(f"  refused {count} times: {text}")
    for number, name, _ in tally.faults[:SHOWN]:
        say(tally.report(number, name))
    return len(tally.faults)
