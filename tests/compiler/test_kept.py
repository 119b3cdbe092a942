"""Machine code that is found on disk by a recording: for that very one, and with all it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback.compiler import linkage
from pullback.compiler.identity import identity
from pullback.compiler.llvm import Area

X = np.linspace(0.1, 1.3, 6)
MATRIX = np.cos(np.arange(16.0)).reshape(4, 4) + 3 * np.eye(4)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PULLBACK_CACHE", str(tmp_path / "objects"))


def found(function, *args, **options):
    """The results, in a function that another one of the same recordings was compiled before."""
    for _ in range(2):
        compiled = pb.compile(function, **options)
        out = compiled(*args)
    return compiled, out


def stages_of(compiled):
    (version,) = compiled._versions.values()
    return version.stages


def was_found(compiled) -> bool:
    stages = stages_of(compiled)
    return stages.cached and "graph" not in stages.__dict__


def fixed_loop(x):
    return pb.fori_loop(0, 5, lambda i, y: np.sin(y) + x[i], x)


TABLE = np.random.default_rng(0).normal(size=(40, 6))
PROGRAMS = {
    "scalars": (lambda x: (np.sum(x), x[0], float(2), x > 1), X),
    "trees": (pb.value_and_grad(lambda p: np.sum(p["a"] * np.tanh(p["b"]))), {"a": X, "b": X}),
    "constants": (lambda x: np.tanh(TABLE @ x), X),
    "a loop": (pb.grad(lambda x: np.sum(fixed_loop(x) ** 2)), X),
    "a library": (lambda a: np.linalg.solve(a, np.eye(60)[0]), np.ones((60, 60)) + np.eye(60)),
    "a static argument": (lambda x, how: np.max(x) if how == "max" else np.min(x), X, "max"),
    "an order in memory": (lambda x: x.ravel("K") * np.arange(6.0), X.reshape(2, 3).T),
    "single precision": (lambda x: np.exp(x) / np.float32(3), X.astype(np.float32)),
}  # fmt: skip


def test_what_is_found_gives_the_same_bits_and_can_be_looked_at():
    for name, (function, *args) in PROGRAMS.items():
        first = pb.compile(function)(*args)
        compiled, out = found(function, *args)
        assert was_found(compiled), name
        one, other = map(pb.core.trees.flatten, (first, out))
        assert one[1] == other[1]
        for a, b in zip(one[0], other[0], strict=True):
            assert type(a) is type(b), name
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes(), name
        report = compiled.report(*args)
        assert report.cached and report.kernels + report.equations > 0
        assert list(report.seconds) == ["look up", "load"]
        assert "define i32 @run" in compiled.llvm(*args)
        assert compiled.loops(*args) and compiled.assembly(*args)
        assert compiled.graph(*args).verify() is None


PROCESS = """
import json
import numpy as np
import pullback as pb

matrix = np.cos(np.arange(16.0)).reshape(4, 4) + 3 * np.eye(4)

def loss(x, table):
    y, _ = pb.scan(lambda y, row: (np.tanh(y * row) + x, None), x, table)
    return np.sum(np.linalg.solve(matrix, y) ** 2)

compiled = pb.compile(pb.value_and_grad(loss))
args = np.linspace(0, 1, 4), np.sin(np.arange(80.0)).reshape(20, 4)
value, slope = compiled(*args)
(version,) = compiled._versions.values()
looked_up = "graph" not in version.stages.__dict__
print(json.dumps([looked_up, [float(x).hex() for x in (value, *slope)]]))
"""


def test_another_process_finds_it():
    answers = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", PROCESS],
                capture_output=True,
                text=True,
                env=os.environ | {"PYTHONHASHSEED": seed},
                check=True,
            ).stdout
        )
        for seed in ("1", "2")
    ]
    assert [looked_up for looked_up, _ in answers] == [False, True]
    assert answers[0][1] == answers[1][1]


def variants():
    """Functions and arguments that differ in one thing each."""
    for factor in (2.0, 3.0, 2, np.float32(2), -0.0, 0.0, float("nan"), True):
        yield lambda x, factor=factor: np.exp(x * factor), (X,)
    for table in (
        TABLE,
        TABLE * (1 + 1e-16) + 1e-15,
        TABLE[:39],
        np.broadcast_to(TABLE[:1], (40, 6)),
    ):
        yield lambda x, table=table: table @ x, (X,)
    for steps in (2, 3, 4):
        yield lambda x, steps=steps: pb.fori_loop(0, steps, lambda _, y: np.sin(y), x), (X,)
    for axis in (0, 1, -1):
        yield lambda x, axis=axis: np.sum(x, axis) if axis >= 0 else np.cumsum(x), (TABLE,)
    for x in (
        X,
        X[:5],
        X.astype(np.float32),
        X.reshape(2, 3),
        X.reshape(3, 2),
        X[:1],
        np.arange(6),
    ):
        yield lambda x: x + np.sum(x * 2), (x,)
    for x in (0.5, np.float64(0.5), np.array(0.5), 1, True):
        yield lambda x: (x * 2, np.exp(x)), (x,)
    for start in (0, 1, 2, 3):
        yield lambda x, start=start: x[start : start + 3], (X,)
    yield lambda x: [x, x * 2], (X,)
    yield lambda x: (x, x * 2), (X,)
    yield lambda x: np.where(x > 1, x, 0), (X,)
    yield lambda x: np.where(x < 1, x, 0), (X,)


def test_no_recording_finds_what_is_another_ones():
    cases = list(variants())
    for _ in range(2):
        for function, args in cases:
            out, expected = pb.compile(function)(*args), function(*args)
            one, other = map(pb.core.trees.flatten, (out, expected))
            assert one[1] == other[1]
            for a, b in zip(one[0], other[0], strict=True):
                assert type(a) is type(b)
                dtype = np.asarray(a).dtype
                assert dtype == np.asarray(b).dtype
                np.testing.assert_allclose(a, b, rtol=1e-6 if dtype == np.float32 else 1e-14)
    known = [identity(pb.trace(function, *args)).whole for function, args in cases]
    assert None not in known
    assert len(set(known)) == len(known)


def test_donations_are_others():
    def step(x, g):
        return x - 0.1 * g, np.sum(g)

    g = np.arange(1000.0)
    for donate in ((), (0,), (1,), (0, 1)) * 2:
        given = np.ones(1000), g.copy()
        out, _ = pb.compile(step, donate=donate)(*given)
        np.testing.assert_allclose(out, 1 - 0.1 * g, rtol=1e-12, atol=1e-12)
        assert [out is x for x in given] == [0 in donate, donate == (1,)]


def test_errors_and_other_sizes_after_a_find():
    compiled, _ = found(np.linalg.inv, MATRIX)
    assert was_found(compiled)
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        compiled(np.ones((4, 4)))
    compiled, _ = found(lambda x: np.sum(np.exp(x)) + x[-1], np.ones(40))
    for size in (50, 7, 200, 40):
        x = np.linspace(0, 1, size)
        np.testing.assert_allclose(compiled(x), compiled.function(x), rtol=1e-14)
    assert len({version.function.address for version in compiled._versions.values()}) == 2


def test_what_reads_something_from_elsewhere_is_not_looked_up():
    @pb.primitive
    def doubled(x):
        return 2 * x

    doubled.shape(lambda x: x)
    assert identity(pb.trace(lambda x: doubled(x) + 1, X)).whole is None
    big = np.zeros(1 << 22)
    big[0] = 1
    assert identity(pb.trace(lambda x: x + big, big)).whole is None
    repeated = np.broadcast_to(big[:1], big.shape)
    assert identity(pb.trace(lambda x: x + repeated, big)).whole is not None
    for function in (lambda x: doubled(x) + 1, scipy.special.j0):
        compiled, out = found(function, X)
        assert not was_found(compiled)
        np.testing.assert_allclose(out, function(X), rtol=1e-12)


def test_a_linkage_is_read_as_it_was_kept():
    constants = np.arange(6.0).reshape(2, 3), np.array([True, False]), np.zeros((0, 3), np.float32)
    errors = (IndexError, "outside"), (np.linalg.LinAlgError, "a line\nand another")
    given = linkage.Linkage(("a.b",), constants, errors, ((0, 1),), 64, (Area(9, 4, 2, 8, 16),), 7)
    read, code = linkage.unpack(linkage.pack(given, "key"))
    assert code == "key"
    for name in ("symbols", "errors", "donated", "scratch", "areas", "operations"):
        assert getattr(read, name) == getattr(given, name)
    for one, other in zip(read.constants, constants, strict=True):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
        assert one.flags.c_contiguous and one.flags.aligned

    class OtherError(Exception):
        pass

    assert linkage.pack(linkage.Linkage((), (), ((OtherError, ""),), (), 0, (), 0), "") is None
    assert linkage.pack(linkage.Linkage((), (np.zeros(1 << 18),), (), (), 0, (), 0), "") is None
