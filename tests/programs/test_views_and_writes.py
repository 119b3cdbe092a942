"""Views, and writes through them and beside them: every mode against NumPy and differences.

Programs are drawn from a table of NumPy's ways to look into arrays and to write to them. A fault is
shown as the smallest program that has it, in plain NumPy.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.programs.views.faults import Tally, run_in
from tests.programs.views.modes import MODES
from tests.programs.views.program import Program, Statement
from tests.programs.views.subject import Subject

X = np.array([[0.3, -0.8, 1.1], [0.7, 0.4, -0.5]])
Z = X[:, ::-1] + 1j * X

FOUND = {
    "a view without dimensions": "v0 = x[0, 0, ...]; v0 += 1.0; v0 *= x[1, 1]",
    "a view of a view without dimensions": "v0 = x[0][1, ...].view(); v1 = v0[()]; v0[...] = 2.0",
    "squeezed to no dimensions": "v0 = np.squeeze(x[:1, :1]); v0 += x[1, 0]; v1 = np.asarray(v0)",
    "reshaped to no dimensions": "v0 = x[:1, 2:].reshape(()); v0[()] = np.sin(v0); v1 = v0.T",
    "no dimensions, of a constant": "v0 = np.zeros(3); v1 = v0[1, ...]; v1 += x[0, 0]; v1 *= 2.0",
    "the real part without dimensions": "v0 = z[0, 0, ...].real; v0 += x[0, 0]; v1 = z[0, 0]",
    "an array of a scalar": "v0 = x[0, 0][...]; v0 += 1.0; np.sin(v0, out=v0); v1 = x[0, 0]",
    "another name for an array of a scalar": "v0 = x[0, 0][...]; v1 = np.asarray(v0); v1 += 1.0",
    "a scalar that may be real": "v0 = np.real_if_close(x[0, 0]); v0 += 0.5",
    "another view of a constant": "v0 = np.zeros(3); v1 = v0.view(); v1[0] = 4.0; v1[1] = x[0, 0]",
    "a view of its own dtype": "v0 = np.zeros(3); v1 = v0.view(float); v0[0] = x[0, 0]",
    "a part of the elements in order": "v0 = x.flat[1:3]; v0 *= 2.0; v1 = x.T.flat[:2]; v1[0] = 9",
    "elements in order, over and over": "x.flat[1:6] = [x[0, 0], 0.5]; x.flat[[0, 1]] += x[1, :2]",
    "one truth for all": "v0 = x[True]; v1 = x[:, np.array(False)]; v2 = x[True, [0, 1, 1]]",
    "written under one truth": "x[np.array(True)] *= 2.0; x[:, True] += 1.0; x[False] = 5.0",
    "under a truth without dimensions": "v0 = x[0, 0, ...]; np.add(v0, 1.0, out=v0, where=v0 < 9)",
    "as it is, in Fortran's order": "v0 = x.astype(float, order='F', copy=False); v0[0, 0] = 5.0",
    "as it is, in some order": "v0 = x.T.astype(float, order='A', copy=False); v0[0, 0] = 5.0",
    "in an order and then in line": "v0 = x.astype(complex, order='F').reshape(-1); v0[0] = 2.0",
    "the diagonal by einsum": "v0 = np.einsum('ii->i', x[:, :2]); v0 *= x[0, 2]; v0[0] = x[1, 2]",
    "the diagonal of a constant": "v0 = np.ones((3, 3)); v1 = np.einsum('ii->i', v0); v1 *= x[0]",
    "the imaginary part of real numbers": "v0 = np.imag(x) * 1.0; v0[0] = x[1]",
    "resized from nothing": "v0 = np.resize(x[:0], (2, 2)); v0[0] = x[0, 0]",
    "nested, turned": "v0 = np.array([x.T, x.T]); v1 = np.ascontiguousarray(v0); v0[0] = x[0, 0]",
    "no part of the elements in order": "x[:1, :1].flat[1:] *= 2.0; v0 = x[:0]; v0.flat = 1.0",
    "nothing, from a smaller constant": "v0 = x[:0]; np.sin(np.ones((1, 3)), out=v0); v0 *= v0",
    "to an element of a number": "v0 = np.ones(()) * 1.0; v0.flat[-1] += x[0, 0]",
    "a number, flipped": "v0 = x[0, 0].item(); v0 += np.flip(v0)",
}
"""Small programs that once went wrong."""

TESTS, PROGRAMS = 20, 100


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_what_once_went_wrong(text):
    lines = text.split("; ")
    names = dict.fromkeys(line.partition(" = ")[0] for line in lines if line[0] == "v")
    results = [name for name in names if name[1:].isdigit()]
    program = Program({"x": X, "z": Z}, tuple(map(Statement, lines)), ("x", "z", *results))
    subject = Subject(program)
    for name in MODES:
        came = run_in(name, subject)
        assert came.kind in ("agrees", "skipped") or _is_honest(name, came), (name, came)


def _is_honest(mode, came):
    """Whether it is one of the refusals that the documentation announces."""
    return came.kind == "refusal" and any(text in came.text for text in HONEST)


HONEST = (
    "the body writes to",  # an array from outside, in a loop
    "may share memory: that depends on a layout",
    "lies in memory is not known while a graph is recorded",
    "a traced boolean array",  # as an index: the shape would depend on values
    "x[mask] has as many elements as the mask has True",
    "the number of elements under the mask is not known",
    "numpy.real_if_close",  # the dtype depends on values
    "the truth of a mapped value",
    "the condition of an if",
    "the value to write to is a scalar",
    "plain ndarray",  # one that was handed over whole, or of a plain scalar
    "could not be stored in a plain array",
    "a read-only view",
    "was about to become",
    "differs from one exam",
)
"""What refusals say: of shapes and branches that depend on values, of memory that is not known."""


@pytest.mark.parametrize("part", range(TESTS))
def test_random_programs(part):
    tally = Tally()
    for seed in range(part * PROGRAMS, (part + 1) * PROGRAMS):
        tally.run(seed, random.Random(seed).sample(list(MODES), 2 + seed % 2))
    assert not tally.faults, tally.report(*tally.faults[0][:2])
    unknown = [text for text in tally.refusals if not any(part in text for part in HONEST)]
    assert not unknown
    counts = dict.fromkeys(("agrees", "refusal", "skipped"), 0)
    for (_, kind), count in tally.outcomes.items():
        counts[kind] += count
    assert counts["agrees"] > 0.7 * sum(counts.values())
