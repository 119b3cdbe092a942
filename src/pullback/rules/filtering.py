"""Linear filters with rational transfer functions.

A filter answers an input x by the y with yₙ + Σₖ aₖyₙ₋ₖ = Σₖ bₖxₙ₋ₖ + zₙ, from rest before n = 0; z
is the initial state, and zero after its end. The final state z′ is what the same equation gives for
zₙ beyond the end of x and y. See A. V. Oppenheim and R. W. Schafer, *Discrete-Time Signal
Processing*, 3rd edition, 2010, chapter 6.
"""

from __future__ import annotations

import numpy as np
import scipy.signal

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.structure import rowwise
from pullback.errors import ArgumentTypeError
from pullback.rules.complex import conjugated
from pullback.rules.registration import rule
from pullback.rules.shaping import concatenate

__all__ = ["linear_filter"]


def _linear_filter(b, a, x, z):
    dtype = np.result_type(b, a, x, z)
    if dtype.char not in "fdgFDG":
        raise ArgumentTypeError(
            f"scipy.signal.lfilter: got coefficients and a signal whose dtype is {dtype}, wanted "
            "single, double or extended precision; convert the signal, with x.astype(np.float32)"
        )
    if b.ndim == a.ndim == 1:
        return _filtered(b, a, x, z)
    lead = np.broadcast_shapes(*(each.shape[:-1] for each in (b, a, x, z)))
    b, a, x, z = (np.broadcast_to(each, (*lead, each.shape[-1])) for each in (b, a, x, z))
    y, end = np.empty(x.shape, dtype), np.empty((*lead, _order(b, a)), dtype)
    for place in np.ndindex(lead):  # SciPy takes one filter at a time
        y[place], end[place] = _filtered(b[place], a[place], x[place], z[place])
    return y, end


def _filtered(b, a, x, z):
    lead = np.broadcast_shapes(x.shape[:-1], z.shape[:-1])
    x = np.broadcast_to(x, (*lead, x.shape[-1]))
    z = np.broadcast_to(z, (*lead, z.shape[-1]))[..., : _order(b, a)]
    return scipy.signal.lfilter(b, np.concatenate([np.ones(1, a.dtype), a]), x, zi=z)


def _order(b, a):
    return max(b.shape[-1] - 1, a.shape[-1])


def _count(k, m, n, **_):
    return 2 * n * (k + m)


@rule(
    _linear_filter,
    rowwise("(k),(m),(n),(j)->(n),(j)", _count, multiple=True, generic=True),
)
def linear_filter(y, b, a, x, _z):
    """(y, z′) with yₙ + Σₖ aₖyₙ₋ₖ = Σₖ bₖxₙ₋ₖ + zₙ, along the last axis.

    The first element of a is a₁, that of b is b₀; the state has as many elements as the longer one
    of both has after the time 0. The answer is linear in b, x and z, and ẏ for a tangent of a is
    the answer to −ȧ∗y. Backward, let v be the solution of vₙ + Σₖ conj(aₖ)vₙ₊ₖ = ȳₙ from the end,
    where v beyond the end is z̄′. Then x̄ₙ = Σₖ conj(bₖ)vₙ₊ₖ, z̄ is the beginning of v,
    b̄ₖ = Σₙ conj(xₙ)vₙ₊ₖ and āₖ = −Σₙ conj(yₙ)vₙ₊ₖ.
    """
    answer, order = y[0], shape_of(_z)[-1]
    taps, poles, n = shape_of(b)[-1], shape_of(a)[-1], shape_of(x)[-1]
    one, none = np.ones(1, answer.dtype), np.zeros(0, answer.dtype)

    def rest(count):
        return np.zeros(count, answer.dtype)

    def adjoint(bars):
        y_bar, end_bar = bars
        if y_bar is None:
            y_bar = np.zeros((*shape_of(end_bar)[:-1], n), end_bar.dtype)
        if end_bar is None:
            end_bar = np.zeros((*shape_of(y_bar)[:-1], order), y_bar.dtype)
            start = rest(poles)
        else:
            start = -_reached(conjugated(a), end_bar[..., :poles])
        backward = np.flip(y_bar, -1)
        if poles:
            backward = linear_filter(one, conjugated(a), backward, start)[0]
        return concatenate(np.flip(backward, -1), end_bar, axis=-1)

    def push_a(a_dot):
        before = np.zeros((*shape_of(a_dot)[:-1], 1), a_dot.dtype)
        b_dot = concatenate(before, -a_dot, axis=-1)
        y_dot, end_dot = linear_filter(b_dot, a, answer, rest(poles))
        missing = np.zeros((*shape_of(end_dot)[:-1], order - poles), end_dot.dtype)
        return y_dot, concatenate(end_dot, missing, axis=-1)

    def pull_a(bars):
        return -_lagged(adjoint(bars), conjugated(answer), poles + 1)[..., 1:]

    def pull_x(bars):
        if bars[1] is None:
            back = linear_filter(conjugated(b), conjugated(a), np.flip(bars[0], -1), rest(order))
            return np.flip(back[0], -1)
        back = linear_filter(conjugated(b), none, np.flip(adjoint(bars), -1), rest(taps - 1))
        return np.flip(back[0][..., order:], -1)

    def push_z(z_dot):
        return linear_filter(b, a, np.zeros((*shape_of(z_dot)[:-1], n), answer.dtype), z_dot)

    return (
        Linear(
            lambda b_dot: linear_filter(b_dot, a, x, rest(order)),
            lambda bars: _lagged(adjoint(bars), conjugated(x), taps),
        ),
        Linear(push_a, pull_a),
        Linear(lambda x_dot: linear_filter(b, a, x_dot, rest(order)), pull_x),
        Linear(push_z, lambda bars: adjoint(bars)[..., :order]),
    )


def _reached(a, past):
    """Σₖ aₖvₜ₋ₖ over k > t, where ``past`` is v₋₁, v₋₂, …: what the past adds to the present."""
    count = shape_of(past)[-1]
    later = concatenate(a, np.zeros_like(a), axis=-1)
    places = np.arange(count)[:, None] + np.arange(count)
    return np.squeeze(later[..., places] @ np.expand_dims(past, -1), -1)


def _lagged(v, x, count):
    """Σₙ xₙvₙ₊ₖ for each k < `count`."""
    n = shape_of(x)[-1]
    if not n:
        return np.zeros((*shape_of(x)[:-1], count), x.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(v[..., : n + count - 1], n, axis=-1)
    return np.squeeze(windows @ np.expand_dims(x, -1), -1)
