"""Programs at many sizes: right at each, most of them with the same machine code."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.compiler import stages
from pullback.compiler.runtime import compile_text
from tests.compiler.agreement import assert_agree

RNG = np.random.default_rng(11)


def of(*shapes):
    """Arrays of random numbers, of shapes that may contain ``n``."""

    def arguments(n):
        return [RNG.uniform(0.2, 1.5, [n if e == "n" else e for e in shape]) for shape in shapes]

    return arguments


def logistic(x, w, y):
    p = 1 / (1 + np.exp(-x @ w))
    return -np.sum(y * np.log(p) + (1 - y) * np.log1p(-p))


def normalised(x):
    return np.sum(((x - np.mean(x, 0)) / (np.std(x, 0) + 0.1)) ** 3 * np.arange(len(x))[:, None])


def softmax(x):
    e = np.exp(x - np.max(x, -1, keepdims=True))
    return np.sum(np.log(e / np.sum(e, -1, keepdims=True))[:, 0])


def neighbours(x):
    return np.sum((np.roll(x, 1) - x) ** 2) + np.sum(np.diff(x) ** 3) + np.sum(x[::-1] * x)


def pieces(x):
    return np.sum(np.sin(np.concatenate([x[1:], 2 * x, np.zeros(3), x[:-1]])) * 0.5)


def padded(x):
    return np.sum(np.pad(x, 2) ** 2) + np.sum(np.stack([x, x * x])[:, ::2] ** 2)


def running(x):
    return np.sum(np.cumsum(np.sin(x)) * x) + np.sum(np.cumprod(0.9 + 0.01 * x))


def products(a, b):
    return np.sum(np.tanh(a @ b) @ np.ones((len(b.T), 2))) + np.sum((a.T * b) ** 2)


def batched(a, v):
    return np.sum(np.einsum("nij,nj->ni", a, v) ** 2) + np.sum(np.matmul(a, a))


def gathered(x):
    places = np.arange(0, len(x), 2)
    y = np.zeros(4)
    np.add.at(y, np.arange(len(x)) % 4, x * x)
    return np.sum(np.sin(x[places])) + np.sum(y**2)


def recurrent(x, w):
    last, ys = pb.scan(lambda h, v: (np.tanh(w @ h + v),) * 2, np.zeros(3), x)
    return np.sum(last) + np.sum(ys**2)


def counted(x):
    return np.sum(pb.fori_loop(0, len(x), lambda i, y: y * 0.9 + x[i] * np.sin(y), np.ones(2)))


def swept(x):
    def body(i, y):
        y[i] = 0.5 * (y[i - 1] + np.sin(y[i]))
        return y

    return np.sum(pb.fori_loop(1, len(x), body, x * 1.0) ** 2)


def ordered(x):
    return np.sum(np.sort(x) * np.arange(len(x))) + np.max(x) * np.min(x)


def grid(x):
    return np.sum(np.diff(x, axis=0) ** 2) + np.sum(np.diff(x, axis=1) ** 2) + np.mean(x[1:, :-1])


def outer(x, y):
    return np.sum(np.exp(-((x[:, None] - y[None, :]) ** 2))) + np.sum(np.subtract.outer(y, x) ** 3)


PROGRAMS = {
    logistic: of(("n", 3), (3,), ("n",)),
    normalised: of(("n", 2)),
    softmax: of(("n", 4)),
    neighbours: of(("n",)),
    pieces: of(("n",)),
    padded: of(("n",)),
    running: of(("n",)),
    products: of((4, "n"), ("n", 4)),
    batched: of(("n", 3, 3), ("n", 3)),
    gathered: of(("n",)),
    recurrent: of(("n", 3), (3, 3)),
    counted: of(("n",)),
    swept: of(("n",)),
    ordered: of(("n",)),
    grid: of(("n", "n")),
    outer: of(("n",), (6,)),
}
SEVERAL = {padded, gathered, ordered}
"""Programs that are split along other samples at other sizes, or that sort short rows in another
way than long ones: there is more code for them."""

SIZES = (7, 12, 33, 2, 64, 5, 1, 0, 17, 100)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.filterwarnings("ignore:.*empty.*:RuntimeWarning", "ignore:.*freedom.*:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_every_size(program, monkeypatch):
    """The value and the gradient; sizes 0 and 1 may have code of their own."""
    monkeypatch.setenv("PULLBACK_CACHE", "off")
    made = []

    def counting(text):
        made.append(text)
        return compile_text(text)

    monkeypatch.setattr(stages, "compile_text", counting)
    arguments = PROGRAMS[program]
    function = pb.value_and_grad(program, argnums=tuple(range(len(arguments(2)))))
    compiled = pb.compile(function)
    large = 0
    for n in SIZES:
        given = arguments(n)
        try:
            with np.errstate(all="ignore"):
                expected = function(*given)
        except ValueError:
            assert n <= 1  # no largest element, or no mean
            continue
        before = len(made)
        assert_agree(compiled(*given), expected, f"{program.__name__} at {n}")
        large += len(made) - before if n > 2 else 0
    assert program in SEVERAL or large <= 2
