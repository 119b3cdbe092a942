"""Points for `pullback.rules.fft` and `pullback.rules.cosine_transforms`."""

from __future__ import annotations

import numpy as np
import scipy.fft  # noqa: F401  what serves it enters its rules

from tests.rules.cases.case import Case

RNG = np.random.default_rng(31)


def normal(*shape):
    return RNG.normal(size=shape)


def complex_normal(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def transforms(prefix):
    """Cases of the three transforms of a library."""
    return {
        f"{prefix}fft": [
            Case((complex_normal(5),), {"axes": (-1,), "inverse": False, "norm": "backward"}),
            Case((complex_normal(2, 6),), {"axes": (-2,), "inverse": True, "norm": "backward"}),
            Case((normal(2, 3, 4),), {"axes": (-3, -1), "inverse": False, "norm": "ortho"}),
            Case((normal(4, 1),), {"axes": (-2, -1), "inverse": True, "norm": "forward"}),
        ],
        f"{prefix}rfft": [
            Case((normal(5),), {"axes": (-1,), "norm": "backward"}),
            Case((normal(6, 2),), {"axes": (-2,), "norm": "ortho"}),
            Case((normal(2, 3, 4),), {"axes": (-1, -3), "norm": "forward"}),
            Case((normal(1),), {"axes": (-1,), "norm": "backward"}),
        ],
        f"{prefix}irfft": [
            Case((complex_normal(3),), {"n": 5, "axes": (-1,), "norm": "backward"}),
            Case((complex_normal(4, 2),), {"n": 6, "axes": (-2,), "norm": "ortho"}),
            Case((complex_normal(2, 3, 2),), {"n": 3, "axes": (-3, -1), "norm": "forward"}),
            Case((complex_normal(2, 3),), {"n": 3, "axes": (-1, -2), "norm": "backward"}),
            Case((normal(3),), {"n": 4, "axes": (-1,), "norm": "backward"}),
            Case((complex_normal(1),), {"n": 1, "axes": (-1,), "norm": "backward"}),
        ],
    }


def trigonometric():
    """Each type, in each norm, plain and orthogonal."""
    return [
        Case(
            # SciPy orthogonalises complex arrays as the norm says.
            (normal(2, 4) if flag != (norm == "ortho") else complex_normal(3, 2),),
            {"type": 1 + number % 4, "axes": axes, "norm": norm, "orthogonalize": bool(flag)},
        )
        for number, (axes, norm, flag) in enumerate(
            [
                ((-1,), "backward", 0),
                ((-1,), "backward", 0),
                ((-1,), "backward", 0),
                ((-2,), "backward", 0),
                ((-2, -1), "ortho", 0),
                ((-1, -2), "forward", 0),
                ((-1, -2), "ortho", 0),
                ((-1,), "ortho", 1),
                ((-1,), "forward", 1),
                ((-1,), "ortho", 1),
                ((-2, -1), "backward", 1),
                ((-1,), "ortho", 1),
            ]
        )
    ]


HANKEL = {"dln": 0.1, "mu": 0.5, "offset": 0.05}

CASES = {
    **transforms(""),
    **transforms("scipy_"),
    "dct": trigonometric(),
    "dst": trigonometric(),
    "fht": [
        Case((normal(6),), {"inverse": False, "bias": 0.0, **HANKEL}),
        Case((normal(2, 5),), {"inverse": True, "bias": 0.3, **HANKEL}),
    ],
}
