"""Random loops: bodies with several carries, scanned inputs, slices, branches and inner loops.

The state of a loop is a dictionary of a vector `a`, a scalar `b`, an integer `k` and, in some
programs, an array `m` that is read and written by element, a matrix `r` that is so by row, and a
truth value `flag`. A program is a list of steps on it, which the body carries out in turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

import pullback as pb
from pullback.core.tracing import Tracer

__all__ = ["Program", "programs"]

TABLE = np.array([0.3, -0.7, 0.5, 0.1])


def row(array, i):
    """`array[i]`; a plain array has to be made one that a traced integer can index."""
    plain = type(array) is np.ndarray and isinstance(i, Tracer)
    return np.asarray(array, like=i)[i] if plain else array[i]


# Each step takes the loops to use, the state, the scanned x (3,), and the free variables w (3,)
# and c (), and changes the state.


def rotate(loops, s, x, w, c):
    s["a"] = np.sin(s["a"][np.array([1, 2, 0])]) + 0.5 * w * x


def damp(loops, s, x, w, c):
    s["a"] = s["a"] * np.tanh(s["b"]) + c


def divide(loops, s, x, w, c):
    s["a"] = (s["a"] + x) / (2.0 + np.cos(s["b"] * w))


def accumulate(loops, s, x, w, c):
    s["b"] = 0.5 * s["b"] + np.sum(s["a"] * x) * 0.3


def project(loops, s, x, w, c):
    s["b"] = np.dot(s["a"], w) * c * 0.2 + s["b"]


def choose(loops, s, x, w, c):
    s["a"] = np.where(s["a"] > 0.1, np.exp(0.3 * s["a"]), w * s["a"])


def clamp(loops, s, x, w, c):
    s["a"] = np.clip(s["a"], -0.8, 0.8)


def reset(loops, s, x, w, c):
    s["b"] = 0.4 * c


def swap(loops, s, x, w, c):
    s["a"], s["b"] = s["a"] * 0.0 + s["b"] * x, np.sum(s["a"]) * 0.4


def look_up(loops, s, x, w, c):
    s["b"] = s["b"] + row(TABLE, s["k"] % 4) * s["a"][s["k"] % 3]


def count(loops, s, x, w, c):
    s["k"] = s["k"] * 3 + 1


def scale_by_count(loops, s, x, w, c):
    s["a"] = s["a"] * ((s["k"] % 3) * 0.2 + 0.5)


def branch(loops, s, x, w, c):
    s["b"] = loops.cond(
        s["b"] > 0.1,
        lambda a, b: np.cos(b) * c + a[0],
        lambda a, b: b * b - np.sum(w) * 0.1,
        s["a"],
        s["b"],
    )


def branch_on_count(loops, s, x, w, c):
    s["a"], s["b"] = loops.switch(
        s["k"] % 4 - 1,
        [lambda a: (a * w, np.sum(a)), lambda a: (a + c, a[1]), lambda a: (np.sin(a), 0.1 * c)],
        s["a"],
    )


def inner_loop(loops, s, x, w, c):
    s["a"] = loops.fori_loop(0, 3, lambda j, a: np.cos(a) * w + 0.1 * j + c * x, s["a"])


def inner_scan(loops, s, x, w, c):
    def body(b, e):
        b = np.sin(b) + e * c
        return b, b * b

    s["b"], squares = loops.scan(body, s["b"], s["a"], reverse=True)
    s["a"] = 0.5 * squares + x


def inner_while(loops, s, x, w, c):
    """As many halvings as it takes; their number depends on the value."""
    s["b"] = loops.while_loop(lambda b: b * b > 0.3, lambda b: 0.5 * b + 0.01 * c, s["b"])


def inner_gradient(loops, s, x, w, c):
    s["a"] = pb.grad(lambda a: np.sum(np.sin(a) * w) * s["b"] + 0.1 * np.sum(a**3))(s["a"])


def inner_gradient_of_loop(loops, s, x, w, c):
    b = s["b"]
    s["a"] = 0.5 * pb.grad(
        lambda a: np.sum(loops.fori_loop(0, 2, lambda j, a: np.sin(a * b) + w, a)) * c
    )(s["a"])


def forget(loops, s, x, w, c):
    s["a"] = loops.checkpoint(lambda a: np.tanh(np.sin(a * w) + x) * c)(s["a"])


def write(loops, s, x, w, c):
    s["m"][s["k"] % 5] = np.sin(s["b"]) + x[0]


def read(loops, s, x, w, c):
    s["b"] = 0.5 * s["b"] + s["m"][(s["k"] + 2) % 5] * c


def recur(loops, s, x, w, c):
    m, i = s["m"], s["k"] % 4
    m[i + 1] = np.cos(m[i]) * s["b"] + m[-1]


def increase(loops, s, x, w, c):
    s["m"][s["k"] % 5] += 0.2 * c * s["b"]
    s["m"] *= 0.9


def write_row(loops, s, x, w, c):
    s["r"][s["k"] % 2] = np.sin(s["a"]) * x


def read_row(loops, s, x, w, c):
    s["a"] = s["a"] + s["r"][(s["k"] + 1) % 2] * w


def row_view(loops, s, x, w, c):
    view = s["r"][s["k"] % 2]
    view[1:] *= 0.5 + s["b"] * 0.1
    s["a"] = s["a"] - view


def test_flag(loops, s, x, w, c):
    s["b"] = np.where(s["flag"], s["b"] * c, s["b"] + 0.1)
    s["flag"] = s["b"] > s["a"][0]


test_flag.__test__ = False

STEPS = [
    rotate, damp, divide, accumulate, project, choose, clamp, reset, swap, look_up, count,
    scale_by_count, branch, branch_on_count, inner_loop, inner_scan, inner_while, inner_gradient,
    inner_gradient_of_loop, forget,
]  # fmt: skip
STEPS_ON = {"m": [write, read, recur, increase], "r": [write_row, read_row, row_view]}
STEPS_ON["flag"] = [test_flag]

RESULTS = {
    "nothing": lambda s, x: None,
    "vector": lambda s, x: s["a"] * x,
    "tree": lambda s, x: {"b": s["b"], "pair": (s["a"], s["k"])},
    "input": lambda s, x: x,
    "constant": lambda s, x: 2.0,
}

KINDS = ["scan", "scan, reversed", "fori_loop", "while_loop"]


@dataclass(frozen=True)
class Program:
    """A loop as a function of (xs, a, b, w, c): of scanned inputs, carries and free variables."""

    arguments: tuple
    kind: str
    steps: tuple
    extras: tuple[str, ...]
    result: str
    checkpoint: int | str | None

    def __repr__(self):
        names = ", ".join(step.__name__ for step in self.steps)
        return f"{self.kind} of [{names}] with {self.extras}, {self.result}, {self.checkpoint}"

    def run(self, loops, xs, a, b, w, c):
        """The final state and the stacked results."""
        state = {"a": a, "b": b, "k": 1}
        if "m" in self.extras:
            state["m"] = np.zeros(5, like=a) + b * TABLE[0]
        if "r" in self.extras:
            state["r"] = np.stack([a, w])
        if "flag" in self.extras:
            state["flag"] = True

        steps, result = self.steps, RESULTS[self.result]  # of which a body can tell what they are

        def body(carry, x):
            s = dict(carry)
            for step in steps:
                step(loops, s, x, w, c)
            s["k"] = s["k"] + 1
            return s, result(s, x)

        if self.kind == "fori_loop":
            n = len(xs)
            return loops.fori_loop(
                0, n, lambda i, s: body(s, row(xs, i))[0], state, checkpoint=self.checkpoint
            ), None
        if self.kind == "while_loop":
            state["t"] = 0

            def on(s):
                return (s["t"] < len(xs)) & (s["b"] < 2.0)

            def next_state(s):
                t = s.pop("t")
                s = body(s, row(xs, t))[0]
                return {**s, "t": t + 1}

            return loops.while_loop(on, next_state, state), None
        return loops.scan(
            body, state, xs, reverse="reversed" in self.kind, checkpoint=self.checkpoint
        )

    def vector(self, loops):
        """The function of the arguments whose result is all floating values in one vector."""

        def f(xs, a, b, w, c):
            state, ys = self.run(loops, xs, a, b, w, c)
            parts = [state["a"], state["b"], *(state[e] for e in self.extras if e != "flag")]
            if self.result == "tree" and ys is not None:
                parts += [ys["b"], ys["pair"][0]]
            elif ys is not None:
                parts.append(ys)
            return np.concatenate([np.ravel(part) for part in parts])

        return f

    def scalar(self, loops):
        """The same, summed with weights."""
        f = self.vector(loops)

        def g(*args):
            v = f(*args)
            return np.sum(np.sin(v) * np.linspace(0.5, 1.5, len(v)))

        return g


@st.composite
def programs(draw, *, longest=5, most=5):
    """A program and the point it is run at.

    All but its size is drawn from a seed: draws that are independent of each other make programs
    of more variety than those that hypothesis varies one at a time.
    """
    n, size = draw(st.integers(1, longest)), draw(st.integers(1, most))
    rng = np.random.default_rng([draw(st.integers(0, 2**32 - 1)), n, size])
    arguments = tuple(
        np.asarray(rng.uniform(-1.0, 1.0, shape)) for shape in [(n, 3), (3,), (), (3,), ()]
    )
    extras = tuple(extra for extra in STEPS_ON if rng.random() < 0.5)
    available = STEPS + [step for extra in extras for step in STEPS_ON[extra] * 2]
    return Program(
        arguments,
        _one_of(rng, KINDS),
        tuple(_one_of(rng, available) for _ in range(size)),
        extras,
        _one_of(rng, list(RESULTS)),
        _one_of(rng, [None, None, "sqrt", 1, 2]),
    )


def _one_of(rng, options):
    return options[rng.integers(len(options))]
