"""Test inputs of the primitives in `pullback.rules.losses`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

_rng = np.random.default_rng(11)


def _normal(*shape):
    return _rng.normal(size=shape)


def _inside(*shape):
    """Probabilities well inside (0, 1)."""
    return _rng.uniform(0.1, 0.9, size=shape)


def _distribution(*shape):
    p = _inside(*shape)
    return p / p.sum(axis=-1, keepdims=True)


CASES: dict[str, list[Case]] = {
    "difference": [
        Case((_normal(), _normal())),
        Case((_normal(3), _normal(3))),
        Case((_normal(2, 3), _normal(3))),
        Case((_normal(2, 1), _normal(2, 3))),
        Case((_normal(3) + 1j * _normal(3), _normal(3) + 1j * _normal(3))),
        Case((_normal(3) + 1j * _normal(3), _normal(3))),
    ],
    "product": [
        Case((_normal(), _normal())),
        Case((_normal(3), _normal(3))),
        Case((_normal(2, 3), _normal(3))),
        Case((_normal(2, 1), _normal(2, 3))),
    ],
    "squared_norm": [
        Case((_normal(),), {"scale": 0.5}),
        Case((_normal(4),), {"scale": 1.0}),
        Case((_normal(2, 3),), {"scale": 0.5}),
        Case((_normal(3, 700),), {"scale": 0.01}),
        Case((_normal(2, 3) + 1j * _normal(2, 3),), {"scale": 0.5}),
        Case((_normal(3) + 1j * _normal(3),), {"scale": 1.0}),
    ],
    "total": [
        Case((_normal(),), {"count": 1}),
        Case((_normal(4),), {"count": 4}),
        Case((_normal(2, 3),), {"count": 6}),
    ],
    "zero_one": [Case((np.array(0.5),)), Case((np.array([-0.5, 0.7, 2.0]),))],
    "bounded_reciprocal": [Case((_inside(),)), Case((_inside(3),)), Case((_inside(2, 3),))],
    "bernoulli": [
        Case((_inside(), _inside())),
        Case((_inside(4), _inside(4))),
        Case((_inside(2, 3), _inside(2, 3))),
        Case((_inside(2, 3), _inside(3))),
        Case((_inside(2, 1), _inside(2, 3))),
    ],
    "bernoulli_logits": [
        Case((_normal(), _inside())),
        Case((_normal(4), _inside(4))),
        Case((3 * _normal(2, 3), _inside(2, 3))),
        Case((_normal(2, 3), _inside(1, 3))),
        Case((_normal(3), _inside(2, 3))),
    ],
    "categorical": [
        Case((_normal(3), _distribution(3))),
        Case((3 * _normal(2, 3), _distribution(2, 3))),
        Case((_normal(2, 2, 3), _distribution(2, 2, 3))),
        Case((_normal(2, 1), _distribution(2, 1))),
    ],
}
