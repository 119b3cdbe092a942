"""What an iteration stored for the next one is handed on, where the places are those."""

from __future__ import annotations

import numpy as np
import pytest

from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.recurrences import with_recurrences
from pullback.compiler.loops import Copy, For, Store
from tests.compiler.fusion.written import (
    INT,
    F,
    agrees,
    at,
    buffers,
    let,
    lines,
    load,
    name,
    number,
    op,
    program,
    with_body,
)

SIZE = 20


def loop(*body, extent=6, reverse=False):
    return For("n", number(extent, INT), (), body, (), (), reverse)


def run(*body):
    """The statements with recurrences, which do the same, without the copies before them."""
    declared = buffers(x=f"input {SIZE}", y=f"output {SIZE}", z=f"output {SIZE}")
    copies = Copy(at("y"), at("x"), SIZE), Copy(at("z"), at("x"), SIZE)
    before = program(declared, *copies, *body)
    after = with_body(before, with_recurrences(before.body, Names(before)))
    return agrees(before, after).body[2:]


def doubled(of, to, *, step=1, source=0, target=1):
    value = op("add", name(of, F), number(1.0))
    return [
        let(of, load("y", ("n", step), offset=source)),
        let(to, value),
        Store(at("y", ("n", step), offset=target), name(to)),
    ]


def test_forwards():
    assert lines(run(loop(*doubled("a", "b")))) == [
        "for n < 6; w0: float64 = y[0]:",
        "  a: float64 = w0",
        "  b: float64 = a + 1.0",
        "  y[1 + n] = b",
        "  next b",
        "  giving w1",
    ]


def test_backwards_by_steps_of_two_and_with_a_number():
    inner = [
        *doubled("a", "b", step=2, source=5, target=3),
        let("c", load("y", ("n", 2), offset=6)),
        Store(at("y", ("n", 2), offset=4), number(7.0)),
        Store(at("z", ("n", 1)), name("c")),
    ]
    (found,) = run(loop(*inner, reverse=True))
    assert lines([found])[0] == "for n < 6, reverse; w0: float64 = y[15], w1: float64 = y[16]:"
    assert found.nexts == (name("b"), number(7.0))


def against_the_order():
    return loop(*doubled("a", "b"), reverse=True)


def two_iterations_ago():
    return loop(*doubled("a", "b", target=2))


def stored_before_it_is_read():
    inner = doubled("a", "b")
    return loop(Store(at("y", ("n", 1)), number(3.0)), *inner)


def in_another_step():
    return loop(*doubled("a", "b"), Store(at("y", ("n", 2), offset=1), number(3.0)))


def at_an_index():
    place = let("k", op("convert", op("floor", op("absolute", load("x"))), dtype=INT))
    return loop(place, *doubled("a", "b"), Store(at("y", ("k", 1), offset=2), number(3.0)))


def in_no_iteration():
    return loop(*doubled("a", "b"), extent=0)


@pytest.mark.parametrize("made", [against_the_order, two_iterations_ago, stored_before_it_is_read,
                                  in_another_step, at_an_index, in_no_iteration])  # fmt: skip
def test_what_stays_in_memory(made):
    (found,) = run(made())
    assert not found.carries


def random_body(random):
    """Loads, sums and stores of three buffers; two of them are written."""
    step = int(random.choice([-2, -1, 1, 2]))
    known = [number(1.0)]
    body = []
    for n in range(int(random.integers(4, 12))):
        offset = int(random.integers(0, 4)) + (0 if step > 0 else -5 * step)
        if random.random() < 0.5:
            body.append(let(f"v{n}", load(str(random.choice(["x", "y", "z"])), ("n", step),
                                          offset=offset)))  # fmt: skip
            known.append(name(f"v{n}"))
        elif random.random() < 0.3:
            term = load(str(random.choice(["y", "z"])), ("n", step), offset=offset)
            body.append(let(f"v{n}", op("multiply", op("add", known[-1], term), number(0.5))))
            known.append(name(f"v{n}"))
        else:
            buffer = str(random.choice(["y", "z"]))
            value = known[int(random.integers(len(known)))]
            body.append(Store(at(buffer, ("n", step), offset=offset), value))
    return body


def test_random_loops():
    carries = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        inner = loop(*random_body(random), reverse=bool(random.integers(2)))
        (outer,) = run(For("m", number(2, INT), (), (inner,), (), ()))
        carries += len(outer.body[0].carries)
    assert carries > 50
