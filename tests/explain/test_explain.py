"""Explanations: every line holds, the end is the gradient, and what cannot be is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.explain.writers import to_text
from tests.explain.functions import FUNCTIONS

NOT_EVALUATED = {"kernel": 1}
"""Lines that are not evaluated: those without a form in matrices."""


def total(f):
    """The sum of all real results, whose gradient has cotangents of ones."""

    def summed(*args):
        leaves = trees.flatten(f(*args))[0]
        return sum(np.sum(np.real(x)) for x in leaves)

    return summed


@pytest.mark.filterwarnings("ignore::pullback.errors.IndependentOutputWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_line_holds_and_the_end_is_the_derivative(name: str) -> None:
    f, args = FUNCTIONS[name]
    e = pb.explain(f, *args)
    assert e.count.wrong == []
    assert e.count.evaluated == e.count.lines - NOT_EVALUATED.get(name, 0)
    places = tuple(i for i, x in enumerate(args) if getattr(x, "dtype", None) != np.int64)
    gradients = pb.grad(total(f), argnums=places)(*args)
    expected = trees.flatten(gradients)[0]
    for ours, theirs in zip(e.derivatives.values(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    forward = pb.explain(f, *args, mode="forward")
    assert forward.count.wrong == []
    for text in (str(e), e.latex(), e.html(), forward.html()):
        assert text


def test_a_wrong_line_is_counted_as_such() -> None:
    e = pb.explain(lambda x: np.sum(np.sin(x)), np.ones(2))
    assert "all agree" in str(e.count)
    e.count.wrong.append("this one")
    assert "1 do not agree" in str(e.count)
    assert "this one" in e.html()


def test_what_is_differentiated_by_is_chosen_by_place_or_name() -> None:
    f, args = FUNCTIONS["two_layers"]
    assert list(pb.explain(f, *args, wrt=0).derivatives) == ["W1"]
    assert list(pb.explain(f, *args, wrt=("W1", -1)).derivatives) == ["W1", "y"]
    with pytest.raises(
        ArgumentValueError, match="wrt is 'V', which is no real or complex argument"
    ):
        pb.explain(f, *args, wrt="V")
    with pytest.raises(ArgumentValueError, match="there are W1, W2, x, y"):
        pb.explain(f, *args, wrt=7)


def test_names_and_the_output_are_as_asked() -> None:
    text = str(pb.explain(lambda x: np.sum(x**2), np.ones(2), names={"x": "theta"}, output="L"))
    assert "θ̄ = 2·L̄·θ" in text


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (
            lambda: pb.explain(np.sum, np.array([1, 2])),
            ArgumentTypeError,
            "write 1.0 in place of 1",
        ),
        (lambda: pb.explain(np.sum, 1.0, mode="back"), Exception, "mode is 'back'"),
        (lambda: pb.explain(np.sum, 1.0, output="a b"), Exception, "output is 'a b'"),
        (lambda: pb.explain(np.sum, 1.0, names=3), Exception, "names is 3"),
        (lambda: pb.explain(3, 1.0), ArgumentTypeError, "explain"),
    ],
)
def test_what_cannot_be_used_is_refused(call, kind, words) -> None:
    with pytest.raises(kind, match=words):
        call()


def test_save_takes_three_kinds_of_files(tmp_path) -> None:
    e = pb.explain(lambda x: x**2, 3.0)
    for ending, text in ((".html", e.html()), (".tex", e.latex()), (".txt", str(e))):
        e.save(tmp_path / f"e{ending}")
        assert (tmp_path / f"e{ending}").read_text(encoding="utf-8") == text
    with pytest.raises(ArgumentValueError, match=r"wanted a file that ends in \.html"):
        e.save(tmp_path / "e.pdf")


def test_a_tracer_of_the_users_is_put_back() -> None:
    def look(_frame, _event, _arg):
        return None

    before = sys.gettrace()
    sys.settrace(look)
    try:
        pb.explain(lambda x: x**2, 3.0)
        assert sys.gettrace() is look
    finally:
        sys.settrace(before)


def test_equal_layers_are_folded_and_the_page_is_short() -> None:
    rng = np.random.default_rng(0)
    layers = [pb.nn.Residual(rng.normal(size=(4, 4)), rng.normal(size=4), 0.1, "tanh")] * 30
    net = pb.nn.Chain([*layers, pb.nn.Head(rng.normal(size=4), 0.1)])
    e = pb.explain(lambda net, x: net(x), net, rng.normal(size=4))
    assert e.count.wrong == []
    assert len(e.html().encode()) < 60_000
    assert str(e).count("\n") < 220


def test_a_long_sum_of_what_comes_back_is_shortened() -> None:
    def f(A, x):
        for _ in range(8):
            x = np.tanh(A @ x)
        return np.sum(x)

    e = pb.explain(f, np.diag([0.5, 2.0]) + 0.1, np.ones(2))
    assert e.count.wrong == []
    assert "⋯" in str(e)
    assert "\\cdots" in e.latex()
    assert "likewise from" in str(e)


def test_a_loop_is_explained_by_one_round() -> None:
    f, args = FUNCTIONS["scanned"]
    e = pb.explain(f, *args)
    (step,) = [s for s in e.definitions if s.inner]
    ((title, inner),) = step.inner
    assert title.startswith("One round of the loop, which runs 5 times; in the next round c is c⁺")
    results = [to_text(s.result) for s in inner if s.kind == "cotangent"]
    assert "c̄⁺ + 0.1·Aᵀ (c̄⁺ ⊙ tanh′(A c))" in results


def test_only_the_branch_that_is_taken_is_explained() -> None:
    f, _ = FUNCTIONS["branching"]
    above, below = (str(pb.explain(f, np.full(3, x))) for x in (1.0, -1.0))
    assert "the condition holds" in above
    assert "E = ‖x‖²" in above
    assert "the condition does not hold" in below
    assert "E = 𝟏ᵀ exp(x)" in below


def test_primitives_of_the_users_are_told_by_their_rule() -> None:
    @pb.primitive
    def twice(x):
        return 2 * x

    @twice.rule
    def twice_rule(_y, _x):
        """∂y/∂x = 2."""
        return 2.0

    text = str(pb.explain(lambda x: np.sum(twice(x)), np.ones(2)))
    assert "by the rule of twice: ∂y/∂x = 2." in text


def test_large_arrays_are_shown_by_their_shape() -> None:
    e = pb.explain(lambda A, x: np.sum((A @ x) ** 2), np.ones((60, 50)), np.ones(50))
    assert e.count.wrong == []
    assert e.arguments[0].value == ""
    assert "A ∈ ℝ^(60×50)" in str(e) or "A ∈ ℝ⁶⁰ˣ⁵⁰" in str(e)
