"""Calls of compiled functions with arguments of every kind, in any order: as the function itself.

One compiled function is called again and again, so that what a call leaves behind meets the next
one. A call gives what the function gives for plain arrays of these values, or raises an error.
"""

from __future__ import annotations

import random
import sys
import threading
import time
import traceback
import warnings
from typing import Any

import numpy as np
import scipy.special

import pullback as pb

__all__ = ["Calls", "run"]

SHAPES = [(), (1,), (3,), (4,), (3, 3), (2, 3), (0,), (0, 3), (3, 0, 2), (2, 1, 3), (17,), (40, 3)]
DTYPES = ["f8"] * 6 + ["f4", "f4", "i8", "i4", "u1", "?", "c16", "c8", "f2", "u8", "i2", "g"]


class Own(np.ndarray):
    """A class of arrays that adds nothing."""


def misaligned(x):
    made = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    made[...] = x
    return made


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "plain": lambda x: x,
    "Fortran": np.asfortranarray,
    "turned": lambda x: x.T.copy().T,
    "reversed": lambda x: x[::-1].copy()[::-1] if x.ndim else x,
    "strided": lambda x: np.repeat(x, 2, -1)[..., ::2] if x.ndim else x,
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape) if x.ndim and len(x) else x,
    "swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "misaligned": misaligned,
    "read-only": read_only,
    "subclass": lambda x: x.view(Own),
    "scalar": lambda x: x[()] if x.ndim == 0 else x,
    "number": lambda x: x.item() if x.ndim == 0 and x.dtype.kind in "bifc" else x,
    "list": lambda x: x.tolist(),
    "wrapped": lambda x: {"a": x, "b": (x, None)},
}  # fmt: skip


def total(tree: Any) -> Any:
    """A function of any tree."""
    if isinstance(tree, dict):
        return total(tree["a"]) * 2.0
    if isinstance(tree, list | tuple):
        return sum((total(x) for x in tree if x is not None), 0.0)
    return np.sum(np.sin(tree)) if np.result_type(tree).kind in "fc" else np.sum(tree) * 0.5


def _loop(x):
    return pb.fori_loop(0, 3, lambda i, y: y * 0.5 + i, np.ravel(x) * 1.0)


FUNCTIONS = {
    "total": lambda x, y: total(x) + total(y),
    "broadcast": lambda x, y: np.add(x, y) * 2 + x,
    "moved": lambda x, y: (np.transpose(x), np.ravel(y)[::-1]),
    "both": lambda x, y: {"sum": np.add(x, y), "last": (x, np.multiply(y, 2))},
    "product": lambda x, y: np.tanh(x) @ y,
    "gathered": lambda x, y: np.ravel(x)[1:] * 3 - np.ravel(y)[:1],
    "loop": lambda x, y: (_loop(x), np.shape(y)[0] if np.ndim(y) else 0.5),
    "falls back": lambda x, y: np.median(np.sort(np.ravel(x))) + np.sum(scipy.special.j0(y)),
    "inverted": lambda x, y: np.linalg.inv(x) + y,
    "gradient": lambda x, y: pb.grad(lambda z: np.sum(np.sin(z) * np.sum(y)))(x),
    "compared": lambda x, y: (np.equal(x, y), np.where(np.less(x, y), x, y), np.any(x)),
    "handed on": lambda x, y: (y, x),
}


class Calls:
    """A compiled function, and random calls of it.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.name = self.rng.choice(sorted(FUNCTIONS))
        self.function = FUNCTIONS[self.name]
        self.compiled = pb.compile(self.function)
        self.pool = [self.argument() for _ in range(4)]

    def argument(self) -> Any:
        dtype, shape = self.rng.choice(DTYPES), self.rng.choice(SHAPES)
        numbers = np.random.default_rng(self.rng.randrange(2**32)).uniform(0.1, 3.0, shape)
        return np.asarray(numbers).astype(dtype)

    def draw(self) -> tuple[Any, ...]:
        """Arguments, most of them like earlier ones, in some layout."""
        given = []
        for _ in range(2):
            if self.rng.random() < 0.1:
                self.pool[self.rng.randrange(len(self.pool))] = self.argument()
            layout = "plain" if self.rng.random() < 0.5 else self.rng.choice(sorted(LAYOUTS))
            given.append(LAYOUTS[layout](self.rng.choice(self.pool)))
        return tuple(given)

    def check(self, args: tuple[Any, ...]) -> None:
        """One call against the function itself."""
        kept = [np.array(x) for x in args if isinstance(x, np.ndarray)]
        expected = outcome(self.function, args)
        got = outcome(self.compiled, args)
        if isinstance(got, Exception):
            # Some can't be recorded, which the error says; a wrong call raises what NumPy raises.
            refused = isinstance(got, pb.PullbackError | TypeError)
            assert refused or isinstance(expected, Exception), (got, expected)
            return
        assert not isinstance(expected, Exception), (got, expected)
        if any(np.asarray(x).dtype == object for x in leaves(expected)):
            return  # the function took a dict for an array of one object
        same(got, expected, least_precision(args))
        arrays = [x for x in args if isinstance(x, np.ndarray)]
        for x, before in zip(arrays, kept, strict=True):
            np.testing.assert_array_equal(x, before, err_msg="an argument was written to")
        for x in arrays:
            for y in leaves(got):
                assert not (isinstance(y, np.ndarray) and np.shares_memory(x, y)), "not fresh"


def outcome(function: Any, args: tuple[Any, ...]) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(*args)
        except Exception as error:
            return error


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for each in tree for leaf in leaves(each)]
    return [] if tree is None else [tree]


def least_precision(args: Any) -> float:
    """The largest rounding error of a dtype among the arguments."""
    dtypes = [np.result_type(x) for x in leaves(list(args))]
    return max((float(np.finfo(d).eps) for d in dtypes if d.kind in "fc"), default=2.0**-52)


def same(got: Any, expected: Any, rounding: float) -> None:
    one, other = leaves(got), leaves(expected)
    assert len(one) == len(other), (got, expected)
    for a, b in zip(one, other, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype.newbyteorder("="), b.shape), (a, b)
        if b.dtype.kind not in "fc":
            np.testing.assert_array_equal(a, b)
            continue
        bound = 256 * max(rounding, float(np.finfo(b.dtype).eps))
        size = np.max(np.abs(b[np.isfinite(b)]), initial=1.0)
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(a, b, rtol=bound, atol=bound * size)


def fault_of(seed: int, calls: int = 25) -> str | None:
    """What is wrong with the calls of a number: those of two threads, after one another's."""
    subject = Calls(seed)
    drawn = [subject.draw() for _ in range(calls)]
    faults: list[str] = []

    def run(rows: list[Any]) -> None:
        for args in rows:
            try:
                subject.check(args)
            except Exception:
                faults.append(f"{subject.name}{args!r}\n{traceback.format_exc()}")

    if seed % 3:
        run(drawn)
    else:
        threads = [threading.Thread(target=run, args=(drawn[k::2],)) for k in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return faults[0] if faults else None


def run(seconds: float, seed: int) -> int:
    """Call functions from the number `seed` on, and print what goes wrong."""
    end = time.monotonic() + seconds
    first, faults = seed, 0
    while seed == first or time.monotonic() < end:
        text = fault_of(seed)
        if text is not None:
            faults += 1
            sys.stdout.write(f"compiled_calls: number {seed}\n{text}\n")
            sys.stdout.flush()
        seed += 1
    sys.stdout.write(f"compiled_calls: {seed - first} functions, {faults} faults\n")
    return faults
