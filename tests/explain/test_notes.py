"""The derivations of the lecture notes, as golden files in all three forms.

``PULLBACK_REWRITE_GOLDEN=1`` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import pullback as pb
from pullback.explain.notes import NOTES
from pullback.explain.writers import to_text

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", NOTES)
def test_notes_come_out_as_written(name: str) -> None:
    e = NOTES[name].explanation()
    assert e.count.wrong == []
    assert e.count.evaluated == e.count.lines
    for ending, text in ((".txt", f"{e}\n"), (".tex", e.latex()), (".html", e.html())):
        path = GOLDEN / f"{name}{ending}"
        if os.environ.get("PULLBACK_REWRITE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), path.name


def derivation(e: pb.Explanation, place: int, route: int = 0) -> list[str]:
    return [to_text(x.right) for x in e.passes[place].routes[route].lines]


def results(e: pb.Explanation) -> list[str]:
    return [f"{to_text(s.left)} = {to_text(s.result)}" for s in e.passes if s.kind != "seed"]


def test_the_l2_loss_comes_out_line_by_line() -> None:
    """As the notes have it, by hand."""
    e = NOTES["l2"].explanation()
    assert derivation(e, 1) == [
        "∂/∂y_i (½·Σ_j (y_j − yʳ_j)²)",
        "½·Σ_j ∂/∂y_i (y_j − yʳ_j)²",
        "½·Σ_j 2·(y_j − yʳ_j)·∂y_j/∂y_i",
        "½·Σ_j 2·(y_j − yʳ_j)·δ_ji",
        "½·2·(y_i − yʳ_i)",
        "y_i − yʳ_i",
    ]
    assert results(e) == ["ȳ = L̄·(y − yʳ)", "ȳʳ = −L̄·(y − yʳ)"]
    assert results(NOTES["l2_forward"].explanation()) == ["L̇ = (y − yʳ)ᵀ ẏ − (y − yʳ)ᵀ ẏʳ"]


def test_products_in_the_matrix_have_three_indices() -> None:
    """D_ij g_k is x_j where i = k."""
    e = NOTES["product"].explanation()
    assert derivation(e, 1)[-1] == "δ_ki·x_j"
    assert results(e) == ["W̄ = ḡ xᵀ", "x̄ = Wᵀ ḡ"]


def test_the_residual_layer_is_pulled_back_as_in_the_notes() -> None:
    """A ← A + Wᵀ(hσ′(Wy + b) ⊙ A)."""
    e = NOTES["residual"].explanation()
    assert "ȳ = Φ̄ + h·Wᵀ (Φ̄ ⊙ tanh′(W y + b))" in results(e)
    assert derivation(e, 1)[-1] == "δ_ji + h·tanh′(v_j)·W_ji"


def test_the_textbooks_delta_is_the_cotangent_of_v() -> None:
    e = NOTES["textbook"].explanation()
    found = results(e)
    assert "v̄⁽²⁾ = ȳ⁽²⁾ ⊙ (1 − (y⁽²⁾)²)" in found
    assert "W̄⁽¹⁾ = v̄⁽¹⁾ xᵀ" in found
    assert "ȳ⁽¹⁾ = W⁽²⁾ᵀ v̄⁽²⁾" in found


def test_softmax_with_cross_entropy() -> None:
    found = results(NOTES["softmax"].explanation())
    assert found[:2] == ["p̄ = −L̄·y/p", "z̄ = p̄ ⊙ p − (p̄ᵀ p)·p"]


def test_the_sweep_is_folded() -> None:
    text = str(NOTES["sweep"].explanation())
    assert "The same as for" in text


def test_a_kink_is_said_with_the_rules_own_sentence() -> None:
    e = NOTES["hinge"].explanation()
    (step,) = [s for s in e.definitions if s.notes]
    assert "maximum is at a singular point" in step.notes[0]
    np.testing.assert_allclose(e.derivatives["y_hat"], [-1 / 3, -1 / 6, 1 / 3])


def test_layers_have_their_delta() -> None:
    rng = np.random.default_rng(0)
    net = pb.nn.Chain(
        [
            pb.nn.Dense.initialize(3, 4, "tanh", rng=rng),
            pb.nn.Dense.initialize(4, 2, "tanh", rng=rng),
        ]
    )
    x, target = rng.normal(size=3), rng.normal(size=2)
    e = pb.explain(lambda net: pb.losses.l2(net(x), target), net)
    deltas = {to_text(s.left): s.array for s in e.passes if "δ" in to_text(s.left)}
    record = pb.nn.backpropagate(net, pb.losses.l2, x, target)
    for r, layer in enumerate(record.layers, start=1):
        mark = "⁽" + "⁰¹²³"[r] + "⁾"
        np.testing.assert_allclose(deltas[f"δ{mark}"], layer.delta, rtol=1e-12)
