"""Arrays that a function makes and writes to: in every mode what they are in plain NumPy.

Plain NumPy says what values, dtypes, shapes, layouts and classes are right, and by differences of
the whole program what its derivative is.
"""

from __future__ import annotations

import contextlib
import functools
import itertools

import numpy as np
import pytest

import pullback as pb
from pullback.core.tracing import Tracer
from tests.programs.array_programs import Program, generate

EPSILON = 2.0**-9

FOUND = {
    "a resized array is a copy": "v0 = np.ones((2, 3)); v1 = np.resize(v0, (2, 2)); v0[0] = 7.0",
    "a flat copy is a copy": "v0 = np.ones((1, 3)); v1 = v0.flatten(); v0[0] = s; v1[0] = 3.0",
    "a real array is its own conjugate": "v0 = np.ones(3); v1 = v0.conj(); v1[0] = s",
    "the conjugate of a traced array": "v0 = np.sin(x); v1 = v0.conjugate(); v1[0] = 2.0",
    "without dimensions": "v0 = np.zeros(()); v0[...] = np.sin(s); v0.reshape(-1)[0] = s",
    "a copy without dimensions": "v0 = np.full((), s); v1 = np.array(v0); v1[...] = 2.0; v1 += s",
    "with new dimensions": "v0 = np.array([1.0, 2.0], ndmin=3); v0[0, 0, 0] = s",
    "by another name": "v0 = np.concat([P, P], axis=None); v0[0] = s",
    "tiled": "v0 = np.tile(P, 2); v0[0] = s",
    "chosen": "v0 = np.where(P > 0, 1.0, 0.5); v0[0] = s; v1 = np.select([P > 0], [P]); v1[1] = s",
    "raised": "v0 = np.atleast_1d(1.0); v0[0] = s; v1 = np.atleast_2d([1.0, 2.0]); v1[0, 0] = s",
    "an end made inside": "v0 = np.linspace(0.0, np.array(1.0), 3); v0[1] = s",
    "what it owns": "v0 = np.array([[s, 1.0], [0.5, s]]); v1 = np.require(v0, None, 'O'); v1 += s",
    "what it is itself": "v0 = np.squeeze(x); v1 = np.require(v0, None, 'O'); v1[...] = 1.0",
    "the imaginary part": "v0 = np.zeros((2, 3), order='F'); v0[0] = s; v1 = v0.imag; v2 = s.imag",
    "the flat elements of one": "v0 = np.empty(()); v0.flat = s; np.put(v0, [0], v0 * 2.0)",
    "numbers for none": "v0 = np.array(s); v1 = np.nan_to_num(v0, copy=False)",
    "one truth": "v0 = np.ones(()); v0[v0 > 0] = s; np.copyto(v0, s * 2, where=v0 > 5)",
    "a mask as where": "np.multiply(x, 2.0, out=x, where=x.real > 0); np.place(x, x.real > 1, [s])",
    "padded in Fortran's order": "v0 = np.ones((2, 3), order='F'); v0[0] = s; v1 = np.pad(v0, 1)",
    "interpolated": "v0 = np.interp(s, [0.0, 1.0], [0.0, s])",
    "another view": "v0 = np.zeros(3); v1 = v0.view(); v1[0] = 4.0; v1[1] = s; x.view()[0] *= s",
    "in place twice": "v0 = np.ones(3); v0[1:] *= 2.0; v1 = v0[1:]; v1 += s; v0 *= v0",
    "mapped": "np.copyto(x, s, where=x > 0); v0 = np.ones(3); np.copyto(v0, 2.0, where=I > 0)",
}
"""Small programs that once went wrong."""


def found(text):
    x = np.linspace(-1.3, 1.7, 6).reshape(2, 3)
    outside = {"P": np.arange(-1.0, 2.0), "Q": np.ones((2, 3)), "I": np.array([0, 1, 0])}
    return Program(x, np.float64(0.4), outside, text.split("; "))


def summary(v):
    """What a program can see of a value without looking at its elements."""
    flags = None
    if isinstance(v, np.ndarray):
        with contextlib.suppress(pb.AliasError):  # how it lies in memory is not known
            flags = v.flags.c_contiguous, v.flags.f_contiguous, v.flags.writeable
    return v.__class__, v.shape if flags else np.shape(v), np.result_type(v), flags


class Run:
    """A program, with what plain NumPy makes of it at its point."""

    def __init__(self, program):
        self.log = []
        note = lambda v: self.log.append(summary(v))  # noqa: E731
        self.f, self.on_copy = program.compiled(note), program.compiled(note, copied=True)
        self.x, self.s = program.x, program.s
        self.expected = self.plain(self.x, self.s)
        self.summaries = self.log[:]
        rng = np.random.default_rng(1)
        self.weights = [np.asarray(self.direction(rng, v)) for v in self.expected]
        self.x_dot, self.s_dot = self.direction(rng, self.x), self.direction(rng, self.s)

    @staticmethod
    def direction(rng, v):
        d = rng.uniform(-1.0, 1.0, np.shape(v))
        if np.iscomplexobj(v):
            d = d + 1j * rng.uniform(-1.0, 1.0, np.shape(v))
        return np.asarray(d, np.result_type(v))[()]

    def plain(self, x, s):
        """Results in plain NumPy, which later writes don't change."""
        with np.errstate(all="ignore"):
            return [v.copy() if isinstance(v, np.ndarray) else v for v in self.f(x.copy(), s)]

    def scalar(self, x, s):
        """A real number that depends on all elements of all results."""
        total = 0.0
        for v, w in zip(self.on_copy(x, s), self.weights, strict=True):
            total = total + np.sum(np.sin(np.real(v)) * w.real) + np.sum(np.imag(v) * w.imag)
        return total

    def gradient(self, x, s):
        return list(pb.vjp(self.scalar, x, s)[1](1.0))

    def differences(self, f):
        """df along the direction by extrapolated differences; `None` where it has a kink."""

        def row(h):
            there = f(self.x + h * self.x_dot, type(self.s)(self.s + h * self.s_dot))
            here = f(self.x - h * self.x_dot, type(self.s)(self.s - h * self.s_dot))
            return [(np.asarray(a) - b) / (2 * h) for a, b in zip(there, here, strict=True)]

        table = [row(EPSILON / 2**k) for k in range(3)]
        once = [
            [(4 * b - a) / 3 for a, b in zip(*pair, strict=True)]
            for pair in itertools.pairwise(table)
        ]
        best = [(16 * b - a) / 15 for a, b in zip(*once, strict=True)]
        steady = all(
            np.all(np.abs(a - b) <= 1e-5 * (1 + np.abs(a)))
            for a, b in zip(best, once[1], strict=True)
        )
        return best if steady else None

    def pairs(self):
        """Two points, stacked."""
        return np.stack([self.x, 0.9 * self.x]), np.array([self.s, self.s])


def agree(got, expected, tolerance):
    for a, b in zip(got, expected, strict=True):
        assert type(a) is not Tracer
        scale = 1 + np.max(np.abs(b), initial=0.0)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)
        assert np.shape(a) == np.shape(b)


def exactly(run, results):
    """Results are those of plain NumPy, and what the program saw on the way was too."""
    agree(results, run.expected, 1e-12)
    assert [type(v) for v in results] == [type(v) for v in run.expected]
    assert [np.result_type(v) for v in results] == [np.result_type(v) for v in run.expected]
    assert run.log == run.summaries


def first_order(run):
    run.log.clear()
    out, out_dot = pb.pushforward(run.f, (run.x.copy(), run.s), (run.x_dot, run.s_dot))
    exactly(run, out)
    differences = run.differences(run.plain)
    if differences is not None:
        agree(out_dot, differences, 1e-6)
    run.log.clear()
    out, pull = pb.vjp(run.f, run.x.copy(), run.s)
    exactly(run, out)
    x_bar, s_bar = pull([w[()] for w in run.weights])
    forward = sum(np.sum((np.conj(w) * d).real) for w, d in zip(run.weights, out_dot, strict=True))
    backward = np.sum((np.conj(x_bar) * run.x_dot).real) + s_bar * run.s_dot
    np.testing.assert_allclose(backward, forward, rtol=1e-9, atol=1e-9)


def mapped(run):
    xs, ss = run.pairs()
    run.log.clear()
    got = pb.vmap(run.f)(xs, ss)
    if isinstance(run.s, np.generic):
        seen = [entry if entry[3] else (*entry[:3], None) for entry in run.log]
        assert seen == run.summaries
    each = [run.plain(x, s) for x, s in zip(xs, ss, strict=True)]
    agree(got, [np.stack(column) for column in zip(*each, strict=True)], 1e-12)


def recorded(run):
    run.log.clear()
    graph = pb.trace(run.on_copy, run.x, run.s)
    known = [entry if entry[3] else (*entry[:3], None) for entry in run.log]
    for got, expected in zip(known, run.summaries, strict=True):
        assert got[:3] == expected[:3]
    agree(graph(run.x, run.s), run.expected, 1e-12)


def second_order(run):
    dots = run.x_dot, run.s_dot
    along = functools.partial(pb.pushforward, tangents=dots)
    _, turned = along(run.gradient, (run.x, run.s))
    twice = pb.pushforward(
        lambda x, s: pb.pushforward(run.scalar, (x, s), dots)[1], (run.x, run.s), dots
    )[1]
    product = np.sum((np.conj(turned[0]) * run.x_dot).real) + turned[1] * run.s_dot
    np.testing.assert_allclose(product, twice, rtol=1e-8, atol=1e-8)
    differences = run.differences(run.gradient)
    if differences is not None:
        agree(turned, differences, 1e-5)


def gradients_elsewhere(run):
    """The gradient, mapped, recorded, of a map, of a graph, and through the body of a loop."""
    xs, ss = run.pairs()
    gradient = run.gradient(run.x, run.s)
    each = [run.gradient(x, s) for x, s in zip(xs, ss, strict=True)]
    stacked = [np.stack(column) for column in zip(*each, strict=True)]
    agree(pb.vmap(run.gradient)(xs, ss), stacked, 1e-9)
    agree(pb.vjp(pb.vmap(run.scalar), xs, ss)[1](np.ones(2)), stacked, 1e-9)
    agree(pb.trace(run.gradient, run.x, run.s)(run.x, run.s), gradient, 1e-9)
    graph = pb.trace(run.scalar, run.x, run.s)
    agree(pb.vjp(graph, run.x, run.s)[1](1.0), gradient, 1e-9)

    def looped(x, s):
        step = lambda _, carry: 0.5 * carry + run.scalar(x * 1.0, s * 1.0)  # noqa: E731
        return pb.fori_loop(0, 2, step, 0.0 * np.sum(np.real(x)))

    agree(pb.vjp(looped, run.x, run.s)[1](1.0), [1.5 * g for g in gradient], 1e-8)


LAYOUT_UNKNOWN = "not known while a graph is recorded"


def where_the_layout_is_known(check, run):
    """Whether a view is one can depend on a layout that a recording does not know, and says."""
    try:
        check(run)
    except pb.AliasError as error:
        if LAYOUT_UNKNOWN not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_what_once_went_wrong(text):
    run = Run(found(text))
    for check in (first_order, mapped, recorded, second_order, gradients_elsewhere):
        check(run)


def test_first_order_and_maps():
    for seed in range(200):
        run = Run(generate(seed, 6 + seed % 9, complex_numbers=seed % 4 == 0))
        first_order(run)
        mapped(run)


def test_recordings():
    known = 0
    for seed in range(200, 280):
        run = Run(generate(seed, 10, complex_numbers=seed % 4 == 0))
        known += where_the_layout_is_known(recorded, run)
    assert known >= 72


def test_nested_transformations():
    known = 0
    for seed in range(280, 340):
        run = Run(generate(seed, 8))
        second_order(run)
        known += where_the_layout_is_known(gradients_elsewhere, run)
    assert known >= 54
