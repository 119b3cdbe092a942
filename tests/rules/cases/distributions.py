"""Points for the distribution functions of `scipy.special` and their inverses."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.cases.gamma import MIDDLE, POSITIVE, PROPER, points

_PAIR = [((), ()), ((3,), (2, 1)), ((0, 2), (1, 2))]
_TRIPLE = [((3,), (3,), (3,)), ((3,), (), (2, 1))]
_LARGER = (2, 5)


def counted(*intervals, k=2, n=None):
    """Cases with a count, or two, before the arguments from the intervals."""
    counts = (np.array([k, k + 1]),) if n is None else (np.array([k, k + 1]), n)
    return [
        Case((*counts, *case.args)) for case in points(intervals, [((2,),) * len(intervals)] * 2)
    ]


CASES = {
    "chdtr": points([POSITIVE, POSITIVE], _PAIR),
    "chdtrc": points([POSITIVE, POSITIVE], _PAIR),
    "chdtri": points([POSITIVE, PROPER], _PAIR),
    "chdtriv": points([PROPER, POSITIVE], _PAIR),
    "gdtr": points([POSITIVE, POSITIVE, POSITIVE], _TRIPLE),
    "gdtrc": points([POSITIVE, POSITIVE, POSITIVE], _TRIPLE),
    "gdtrix": points([POSITIVE, POSITIVE, PROPER], _TRIPLE),
    "gdtria": points([PROPER, POSITIVE, POSITIVE], _TRIPLE),
    "gdtrib": points([POSITIVE, PROPER, POSITIVE], _TRIPLE),
    "pdtr": counted(POSITIVE),
    "pdtrc": counted(POSITIVE),
    "pdtri": counted(PROPER),
    "pdtrik": points([MIDDLE, _LARGER], _PAIR),
    "btdtria": points([PROPER, POSITIVE, MIDDLE], _TRIPLE),
    "btdtrib": points([POSITIVE, PROPER, MIDDLE], _TRIPLE),
    "bdtr": counted(PROPER, n=5),
    "bdtrc": counted(PROPER, n=5),
    "bdtri": counted(PROPER, n=5),
    "bdtrik": points([MIDDLE, (8, 12), MIDDLE], _TRIPLE),
    "bdtrin": points([(2, 3), MIDDLE, (0.6, 0.8)], _TRIPLE),
    "nbdtr": counted(PROPER, n=5),
    "nbdtrc": counted(PROPER, n=5),
    "nbdtri": counted(PROPER, n=5),
    "nbdtrik": points([MIDDLE, (4, 6), MIDDLE], _TRIPLE),
    "nbdtrin": points([(4, 6), MIDDLE, MIDDLE], _TRIPLE),
    "fdtr": points([POSITIVE, POSITIVE, POSITIVE], _TRIPLE),
    "fdtrc": points([POSITIVE, POSITIVE, POSITIVE], _TRIPLE),
    "fdtri": points([_LARGER, _LARGER, PROPER], _TRIPLE),
    "fdtridfd": points([_LARGER, (0.8, 0.85), (3, 4)], _TRIPLE),
}
