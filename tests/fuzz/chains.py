"""Random chains of functions whose derivatives vanish, or are infinite, at the point.

A chain is cut into parts, and some of these are put into the bodies of loops, choices and
checkpoints, which nest. Where a derivative that vanishes meets an infinite one, on whichever sides
of a border they are, the product is NaN; an element that was not taken, or not read, stays zero.
The same chain with Python's loops and conditions says which it is.
"""

from __future__ import annotations

import functools
import itertools
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb

__all__ = [
    "MODES",
    "POINTS",
    "Chain",
    "derivative_of",
    "draw",
    "fault_of",
    "run",
    "same",
    "shrunk",
]

Function = Callable[[Any], Any]


# -- functions ------------------------------------------------------------------------------------


def _pair(y: Any) -> Any:
    return np.stack([y, 2 * y])


def _written(y: Any) -> Any:
    v = np.zeros((3, *np.shape(y))) + y
    v[1] = 2 * y
    v[0] += y
    return v[0] - v[1] + v[2]


def _overwritten(y: Any) -> Any:
    v = np.sqrt(_pair(y))
    v[0] = y
    return v[0]


def _one_of(y: Any) -> Any:
    return np.stack([y, np.sqrt(y)])[0]


PIECES: dict[str, Function] = {
    # The derivative is infinite at 0.
    "root": np.sqrt,
    "cbrt": np.cbrt,
    "log": np.log,
    "inverse": lambda y: 1 / y,
    "arcsin": lambda y: np.arcsin(1 - y),
    "xlogy": lambda y: y * np.log(y),
    # It vanishes there, or that of the derivative does.
    "square": lambda y: y**2,
    "product": lambda y: y * y,
    "cube": lambda y: y**3,
    "cosine": lambda y: 1 - np.cos(y),
    "power": lambda y: np.abs(y) ** 1.5,
    "norm": lambda y: np.linalg.norm(_pair(y), axis=0),
    "nothing": lambda y: 0.0 * y,
    # Elements are chosen, read or written.
    "guarded": lambda y: np.where(y > 0, np.sqrt(y), 0.0),
    "two sides": lambda y: np.where(y > 0, y**2, 3 * y),
    "rectified": lambda y: np.maximum(y, 0.0),
    "max": lambda y: np.max(_pair(y), axis=0),
    "max of square": lambda y: np.max(_pair(y**2), axis=0),
    "read": lambda y: _pair(y)[0],
    "one of": _one_of,
    "written": _written,
    "overwritten": _overwritten,
    # Neither.
    "twice": lambda y: 2 * y,
    "sine": np.sin,
}

VECTORS: dict[str, Function] = {
    "reversed": lambda y: y[::-1],
    "shifted": lambda y: np.concatenate([y[1:], y[:1] * 0 + y[-1:]]),
    "first": lambda y: y[0] + 0 * y[1:2] + np.zeros(3),
    "summed": lambda y: np.cumsum(y),
    "kept": lambda y: np.where(np.array([True, False, True]), y, 0.0),
    "padded": lambda y: np.concatenate([y[:2], np.zeros(1)]),
}


def _alternative(y: Any) -> Any:
    return 7.0 * y


def _scanned(f: Function, x: Any, *, loop: Any) -> Any:
    return loop(lambda c, x: (c, f(x)), 0.0, np.stack([x]))[1][0]


def _folded(f: Function, x: Any, *, loop: Any) -> Any:
    return loop(lambda c, _: (f(c), None), x, np.zeros(2))[0]


def _closed_over(f: Function, x: Any, *, loop: Any) -> Any:
    return loop(lambda c, _: (c + f(x), None), 0 * x, np.zeros(2))[0]


def _stacked(f: Function, x: Any, *, loop: Any) -> Any:
    return np.sum(loop(lambda c, _: (f(c), c), x, np.zeros(2))[1], axis=0)


def _replaced(f: Function, x: Any, *, loop: Any) -> Any:
    return loop(0, 3, lambda _, c: (c[0], f(c[0])), (x, np.zeros(np.shape(x))))[1]


def _repeated(f: Function, x: Any, *, loop: Any) -> Any:
    return loop(0, 2, lambda _, c: f(c), x)


def _once(f: Function, x: Any, *, loop: Any) -> Any:
    return loop(0, 1, lambda _, c: f(c), x)


def _placed(f: Function, x: Any, *, loop: Any) -> Any:
    def body(i: Any, c: Any) -> Any:
        c[i] = f(x)
        return c

    return loop(0, 2, body, np.zeros((3, *np.shape(x))))[1]


def _exchanged(f: Function, x: Any, *, loop: Any) -> Any:
    return loop(0, 2, lambda _, c: (c[1], f(c[0])), (x, 3 * x))[1]


def _while_replaced(f: Function, x: Any, *, loop: Any) -> Any:
    first = x, 0, np.zeros(np.shape(x))
    return loop(lambda c: c[1] < 2, lambda c: (c[0], c[1] + 1, f(c[0])), first)[2]


def _while_repeated(f: Function, x: Any, *, loop: Any) -> Any:
    return loop(lambda c: c[1] < 2, lambda c: (f(c[0]), c[1] + 1), (x, 0))[0]


def _chosen(f: Function, x: Any, *, choose: Any) -> Any:
    return choose(np.sum(x) > -5, f, _alternative, x)


def _not_chosen(f: Function, x: Any, *, choose: Any) -> Any:
    return choose(np.sum(x) > 1e9, np.sqrt, f, x)


def _checkpointed(f: Function, x: Any, *, wrap: Any) -> Any:
    return wrap(f)(x)


# -- bodies, and Python in their place ------------------------------------------------------------


def _scan(body: Any, carry: Any, xs: Any) -> Any:
    ys = []
    for x in xs:
        carry, y = body(carry, x)
        ys.append(y)
    return carry, None if ys[0] is None else np.stack(ys)


def _fori_loop(lower: int, upper: int, body: Any, carry: Any) -> Any:
    carry = carry if isinstance(carry, tuple) else carry + 0.0
    for i in range(lower, upper):
        carry = body(i, carry)
    return carry


def _while_loop(condition: Any, body: Any, carry: Any) -> Any:
    while condition(carry):
        carry = body(carry)
    return carry


def _cond(predicate: Any, if_true: Function, if_false: Function, *operands: Any) -> Any:
    return (if_true if predicate else if_false)(*operands)


BODIES: dict[str, tuple[Any, str, Any, Any]] = {
    name: (function, keyword, ours, pythons)
    for keyword, ours, pythons, functions in (
        ("loop", pb.scan, _scan, (_scanned, _folded, _closed_over, _stacked)),
        ("loop", functools.partial(pb.scan, checkpoint=1), _scan, (("kept few", _folded),)),
        ("loop", pb.fori_loop, _fori_loop, (_replaced, _repeated, _once, _placed, _exchanged)),
        ("loop", pb.while_loop, _while_loop, (_while_replaced, _while_repeated)),
        ("choose", pb.cond, _cond, (_chosen, _not_chosen)),
        ("wrap", pb.checkpoint, lambda f: f, (_checkpointed,)),
    )
    for name, function in (
        each if isinstance(each, tuple) else (each.__name__[1:], each) for each in functions
    )
}


class Chain:
    """Functions one after the other; a pair is a body and what is in it.

    It starts from the point of this name, in a mode.
    """

    def __init__(self, steps: tuple[Any, ...], point: str, mode: str) -> None:
        self.steps, self.point, self.mode = steps, point, mode

    def __repr__(self) -> str:
        return f"Chain({self.steps!r}, {self.point!r}, {self.mode!r})"

    @property
    def start(self) -> Any:
        """The point."""
        return POINTS[self.point]

    def function(self, *, recorded: bool) -> Function:
        """The chain with bodies that are recorded, or with Python in their place."""
        return _function(self.steps, recorded)


def _function(steps: tuple[Any, ...], recorded: bool) -> Function:
    functions = [_of_step(step, recorded) for step in steps]

    def chain(x: Any) -> Any:
        for function in functions:
            x = function(x)
        return x

    return chain


def _of_step(step: Any, recorded: bool) -> Function:
    if isinstance(step, str):
        return PIECES.get(step) or VECTORS[step]
    kind, inside = step
    function, keyword, ours, pythons = BODIES[kind]
    f = _function(inside, recorded)
    return lambda x: function(f, x, **{keyword: ours if recorded else pythons})


# -- modes ----------------------------------------------------------------------------------------

POINTS: dict[str, Any] = {
    "0": np.float64(0.0),
    "1": np.float64(1.0),
    "zeros and one": np.array([0.0, 0.0, 1.0]),
}

SEEDS = np.array([1.0, 0.0, 2.0])
"""With a zero, which nothing depends on."""


def _seed(x: Any) -> Any:
    return np.float64(1.0) if not np.shape(x) else SEEDS


def _forward(f: Function) -> Function:
    return lambda x: pb.pushforward(f, (x,), (_seed(x),))[1]


def _reverse(f: Function) -> Function:
    return lambda x: pb.pullback(f, (x,), _seed(x))[1][0]


def _linearized(f: Function) -> Function:
    return lambda x: pb.linearize(f, x)[1](_seed(x))


_ONE: dict[str, Callable[[Function], Function]] = {"f": _forward, "r": _reverse, "l": _linearized}

ORDERS = [*_ONE, *("".join(row) for row in itertools.product("fr", repeat=2))]

MODES = [*ORDERS, *(f"trace {name}" for name in ("f", "r", "rf", "rr"))]
"""Each letter is a derivative of what the letters before it give."""


def _derivative(f: Function, mode: str) -> Function:
    return functools.reduce(lambda g, letter: _ONE[letter](g), mode, f)


def derivative_of(chain: Chain, *, recorded: bool) -> Function:
    """The derivative of a chain that its mode says, of a function of where it starts."""
    return _derivative(chain.function(recorded=recorded), chain.mode.rpartition(" ")[2])


def fault_of(chain: Chain) -> str | None:
    """What is wrong with a derivative of a chain, if something is."""
    x = chain.start
    with np.errstate(all="ignore"):
        wanted = derivative_of(chain, recorded=False)(x)
        derivative = derivative_of(chain, recorded=True)
        got = pb.trace(derivative, x)(x) if "trace" in chain.mode else derivative(x)
    return None if same(got, wanted) else f"got {got}, wanted {wanted}"


def same(got: Any, wanted: Any) -> bool:
    """Whether all elements are the same, or neither is finite."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    finite = np.isfinite(wanted)
    near = np.abs(np.where(finite, got, 0) - np.where(finite, wanted, 0))
    bound = 1e-9 * (1 + np.abs(np.where(finite, wanted, 0)))
    return bool(np.all(np.where(finite, near <= bound, ~np.isfinite(got))))


# -- drawing --------------------------------------------------------------------------------------


def draw(seed: int) -> Chain:
    """The chain of this number."""
    rng = random.Random(seed)
    point = rng.choice([*POINTS])
    names = [*PIECES, *VECTORS] if "zeros" in point else [*PIECES]
    steps = tuple(rng.choice(names) for _ in range(rng.randrange(2, 5)))
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        steps = _enclosed(rng, steps, rng.randrange(2))
    return Chain(steps, point, rng.choice(MODES))


def _enclosed(rng: random.Random, steps: tuple[Any, ...], depth: int) -> tuple[Any, ...]:
    """The same, with some of them in a body, or some of what is in a body there."""
    places = [i for i, step in enumerate(steps) if not isinstance(step, str)]
    if depth and places:
        i = rng.choice(places)
        kind, inside = steps[i]
        return (*steps[:i], (kind, _enclosed(rng, inside, depth - 1)), *steps[i + 1 :])
    start = rng.randrange(len(steps))
    stop = rng.randrange(start, len(steps)) + 1
    return (*steps[:start], (rng.choice([*BODIES]), steps[start:stop]), *steps[stop:])


def shrunk(chain: Chain) -> Chain:
    """A smaller chain that is wrong, too."""
    while True:
        for steps in _smaller(chain.steps):
            small = Chain(steps, chain.point, chain.mode)
            if steps and fault_of(small) is not None:
                chain = small
                break
        else:
            return chain


def _smaller(steps: tuple[Any, ...]) -> Any:
    for i, step in enumerate(steps):
        before, after = steps[:i], steps[i + 1 :]
        yield (*before, *after)
        if not isinstance(step, str):
            yield (*before, *step[1], *after)
            for inside in _smaller(step[1]):
                if inside:
                    yield (*before, (step[0], inside), *after)


def run(seconds: float, seed: int) -> int:
    """Run chains from the number `seed` on, and print the smallest that show the faults.

    Returns
    -------
    int
        The number of faults.
    """
    end = time.monotonic() + seconds
    first, faults = seed, 0
    while seed == first or time.monotonic() < end:
        chain = draw(seed)
        text = fault_of(chain)
        if text is not None:
            faults += 1
            small = shrunk(chain)
            sys.stdout.write(f"chains: number {seed}\n{small}\n{fault_of(small) or text}\n")
            sys.stdout.flush()
        seed += 1
    sys.stdout.write(f"chains: {seed - first} chains, {faults} faults\n")
    return faults
