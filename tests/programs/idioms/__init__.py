"""Programs as people write them who know NumPy and nothing of this library.

None of them names anything but NumPy. They fill arrays of zeros element by element, row by row and
block by block, write matrices down, gather results in lists, update in place, ask what type a value
has, and keep parameters in dictionaries.
"""

from tests.programs.idioms import learning, linear_algebra, numerics, simulation, statistics

__all__ = ["PROGRAMS"]

PROGRAMS = [
    *learning.PROGRAMS,
    *linear_algebra.PROGRAMS,
    *numerics.PROGRAMS,
    *simulation.PROGRAMS,
    *statistics.PROGRAMS,
]
