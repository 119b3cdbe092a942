"""Points for the distribution functions of `scipy.special` and their inverses."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.cases.gamma import MIDDLE, POSITIVE, PROPER, points, single

_PAIR = [((2,), (2, 1)), ((0, 2), (1, 2))]
_TRIPLE = [((3,), (3,), (3,)), ((3,), (), (2, 1))]
_BROADCAST = [((2,), (), (2, 1))]
_LARGER = (2, 5)
_EXACT = [([1.694, 2.358], np.array([0.7068, 0.2302]), np.array([0.2276, 0.6846])),
          ([3.482], np.array(0.2358), np.array(0.7025))]  # fmt: skip
"""Around which SciPy's search for a count ends at rounding, and differences make sense."""


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
    "gdtr": points([POSITIVE, POSITIVE, POSITIVE], _BROADCAST),
    "gdtrc": points([POSITIVE, POSITIVE, POSITIVE], _BROADCAST),
    "gdtrix": points([POSITIVE, POSITIVE, PROPER], _BROADCAST),
    "gdtria": points([PROPER, POSITIVE, POSITIVE], _BROADCAST),
    "gdtrib": points([POSITIVE, PROPER, POSITIVE], _BROADCAST),
    "pdtr": counted(POSITIVE),
    "pdtrc": counted(POSITIVE),
    "pdtri": counted(PROPER),
    "pdtrik": points([MIDDLE, _LARGER], _PAIR),
    "btdtria": points([PROPER, POSITIVE, MIDDLE], _BROADCAST),
    "btdtrib": points([POSITIVE, PROPER, MIDDLE], _BROADCAST),
    "bdtr": counted(PROPER, n=5),
    "bdtrc": counted(PROPER, n=5),
    "bdtri": counted(PROPER, n=5),
    "bdtrik": points([MIDDLE, (8, 12), MIDDLE], _BROADCAST),
    "bdtrin": [Case((np.array(each[0]), *each[1:])) for each in _EXACT],
    "nbdtr": counted(PROPER, n=5),
    "nbdtrc": counted(PROPER, n=5),
    "nbdtri": counted(PROPER, n=5),
    "nbdtrik": points([MIDDLE, (4, 6), MIDDLE], _BROADCAST),
    "nbdtrin": points([(4, 6), MIDDLE, MIDDLE], _BROADCAST),
    "fdtr": points([POSITIVE, POSITIVE, POSITIVE], _BROADCAST),
    "fdtrc": points([POSITIVE, POSITIVE, POSITIVE], _BROADCAST),
    "fdtri": points([_LARGER, _LARGER, PROPER], _BROADCAST),
    "fdtridfd": points([_LARGER, (0.8, 0.85), (3, 4)], _BROADCAST),
    "stdtr": points([POSITIVE, (-3, 3)], _PAIR),
    "stdtrit": points([POSITIVE, PROPER], _PAIR),
    "stdtridf": points([(0.8, 0.82), (1.4, 1.5)], _PAIR),
    "stdtr_in_df": points([POSITIVE, (-3, 3)], _PAIR, order=1),
    "t_ratio": points([POSITIVE, (-3, 3)], _PAIR, order=1),
    "t_density": points([POSITIVE, (-3, 3)], _PAIR),
    "t_constant": [*points([POSITIVE], [((3,),)], n=0), *points([POSITIVE], [((3,),)], n=2)],
    "t_kernel": [
        *points([POSITIVE, (-3, 3)], _PAIR, n=0),
        *points([POSITIVE, (-3, 3)], _PAIR, n=1),
        *points([POSITIVE, (-3, 3)], _PAIR[:1], n=2),
    ],
    "chndtr": points([(1, 6), (2, 5), (1, 4)], _BROADCAST),
    "chndtrix": points([PROPER, (2, 5), (1, 4)], _BROADCAST),
    "chndtrinc": points([(1, 4), (3, 4), (0.1, 0.2)], _BROADCAST),
    "chndtridf": points([(2, 4), (0.3, 0.4), (0.5, 1)], _BROADCAST),
    "chi_density": [
        *points([(1, 6), (2, 5), (1, 4)], _BROADCAST),
        *points([(1, 6), (2, 5), (1, 4)], _BROADCAST[:1], order=1),
    ],
    "chi_in_df": points([(1, 6), (2, 5), (1, 4)], _BROADCAST, order=1),
    "ncfdtr": [Case((3, 5, *case.args)) for case in points([(1, 4), (1, 4)], _PAIR)],
    "ncfdtri": [Case((3, 5, *case.args)) for case in points([(1, 4), PROPER], _PAIR)],
    "mixture_density": [Case((2, 3, *case.args)) for case in points([PROPER, POSITIVE], _PAIR)],
    "mixture_weight": [Case((2, 3, *case.args)) for case in points([PROPER, POSITIVE], _PAIR)],
    "kolmogorov": [*single(0.6, 1.05), *points([(1.15, 2)], [((3,),)])],
    "kolmogi": single(0.2, 0.6),
    "smirnov": [Case((4, x)) for x in (np.array([0.1, 0.3]), 0.6)],
    "smirnovi": [Case((4, np.array([0.3, 0.55])))],
    "smirnov_density": [Case((4, x), {"order": 1}) for x in (np.array([0.1, 0.3]), 0.6)],
    "nrdtrimn": points([PROPER, POSITIVE, POSITIVE], _TRIPLE),
    "nrdtrisd": points([POSITIVE, (0.6, 0.9), (5, 6)], _TRIPLE),
}
