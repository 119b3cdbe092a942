"""What is measured: one computation, and the libraries that contend in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["OURS", "Workload"]

OURS = "pullback"
"""The contender whose ratio to each peer is printed."""


@dataclass(frozen=True)
class Workload:
    """One computation, written for each library.

    Parameters
    ----------
    name : str
        As it is called on the command line.
    title : str
        What is computed, with its sizes.
    contenders : mapping of str to callable
        Each evaluates the computation once and returns its arrays, in one and the same order.
        The first is the reference for the values.
    peers : sequence of str
        The eager libraries that the targets speak of.
    rtol : float
        How far the values may be from the reference.
    most, aim : float
        The targets: at most this ratio to the slower of the peers; to the faster at best.
    """

    name: str
    title: str
    contenders: Mapping[str, Callable[[], Sequence[Any]]]
    peers: Sequence[str] = ("autograd", "PyTorch")
    rtol: float = 1e-9
    most: float = 1.0
    aim: float = 0.6

    def verify(self) -> None:
        """Raise unless every contender computes the same arrays: shapes, dtypes and values."""
        (first, reference), *others = self.contenders.items()
        expected = [np.asarray(array) for array in reference()]
        wanted_kinds = [(array.shape, array.dtype) for array in expected]
        for name, contender in others:
            arrays = [np.asarray(array) for array in contender()]
            kinds = [(array.shape, array.dtype) for array in arrays]
            if kinds != wanted_kinds:
                raise AssertionError(f"{self.name}: {name} returns {kinds}, {first} {wanted_kinds}")
            for position, (array, wanted) in enumerate(zip(arrays, expected, strict=True)):
                np.testing.assert_allclose(
                    array,
                    wanted,
                    rtol=self.rtol,
                    atol=self.rtol * (np.abs(wanted).max() or 1.0),
                    err_msg=f"{self.name}: array {position} of {name} against {first}",
                )
