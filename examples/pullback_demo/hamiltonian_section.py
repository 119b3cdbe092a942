"""The report on part two: the Hamiltonian of a pendulum."""

from __future__ import annotations

from html import escape

from pullback_demo.charts import (
    energy_chart,
    energy_error_chart,
    field_loss_chart,
    portrait_chart,
)
from pullback_demo.markup import (
    Cell,
    check_table,
    figure,
    key,
    pair,
    percent,
    scientific,
    table,
)
from pullback_demo.record import Drift, HamiltonianRecord

__all__ = ["hamiltonian_section"]

INTRODUCTION = """\
<section id="hamiltonian">
<h2>A Hamiltonian learned from trajectories</h2>
<p>A pendulum moves by Hamilton’s equations, with <i>H</i> = ½<i>p</i>² + 1 − cos <i>q</i>. The
network sees points of its trajectories and never <i>H</i>. A residual network
<i>F</i>:&nbsp;ℝ²&nbsp;→&nbsp;ℝ is trained until the field that its own gradient makes is the one
observed,</p>
<p class="formula">(∂<i>F</i>/∂<i>p</i>, −∂<i>F</i>/∂<i>q</i>) ≈ (<i>q̇</i>, <i>ṗ</i>),</p>
<p>so every step of the training differentiates a gradient.</p>
"""

METHOD_KEYS = " ".join(
    [
        key("Störmer–Verlet", "blue"),
        key("symplectic Euler", "orange"),
        key("explicit Euler", "red"),
    ]
)


def hamiltonian_section(record: HamiltonianRecord) -> str:
    """The section as markup; what was not reached is said to be missing."""
    parts = [INTRODUCTION]
    if record.points is not None:
        parts.append(
            f"<p>It is fitted by L-BFGS to {len(record.points):,} points of {record.trajectories} "
            "trajectories, swinging and turning over; their velocities are differences of "
            "positions in time.</p>"
            f'<pre class="output">{escape(record.architecture)}</pre>'
        )
    if record.check is not None:
        parts.append("<h3>The gradient of the gradient, checked</h3>" + check_table(record.check))
    parts.append(_learning(record))
    if record.drifts:
        parts.append(_energy(record))
    parts.append("</section>")
    return "".join(parts)


def _learning(record: HamiltonianRecord) -> str:
    if not record.iterations:
        return "<h3>What it learned</h3><p>The run ended before this part began.</p>"
    loss = figure(
        field_loss_chart(record.iterations),
        f"<b>Error of the field</b> at the observed points: "
        f"{scientific(record.iterations[-1].loss)} after {len(record.iterations) - 1} iterations.",
    )
    if record.portrait is None:
        return f"<h3>What it learned</h3>{pair(loss)}"
    accuracy = ""
    if record.field_error is not None:
        off = percent(record.field_error, 2)
        accuracy = f" Over the whole region the field is off by {off} of its size (RMS)."
    portrait = figure(
        portrait_chart(record.portrait),
        f"<b>Phase portrait.</b> Level curves of {key('the learned F', 'blue')} and of "
        f"{key('the true H', 'orange', 'wide')}, both 0 at rest, over "
        f"{key('the observed points', 'muted', 'dot')}.{accuracy}",
    )
    return f"<h3>What it learned</h3>{pair(portrait, loss)}"


def _energy(record: HamiltonianRecord) -> str:
    drifts, h = record.drifts, record.step
    steps, trajectories = drifts[0].learned.shape
    chosen = trajectories - 1
    over_time = figure(
        energy_chart(drifts, h, chosen),
        f"<b>Energy over time</b> along one trajectory: {METHOD_KEYS}; explicit Euler soon leaves "
        "the picture, and then the region that was observed.",
    )
    errors = figure(
        energy_error_chart(drifts, h),
        f"<b>Energy error</b>, the largest so far over {trajectories} trajectories: {METHOD_KEYS}.",
    )
    head: list[Cell] = [
        "method",
        ("largest |<i>H</i> − <i>H</i>₀|, learned", "number"),
        ("trend per unit time", "number"),
        ("largest |<i>H</i> − <i>H</i>₀|, true field", "number"),
    ]
    rows: list[list[Cell]] = [
        [
            drift.method,
            (scientific(Drift.largest(drift.learned)), "number"),
            (scientific(Drift.rate(drift.learned, h)), "number"),
            (scientific(Drift.largest(drift.true)), "number"),
        ]
        for drift in drifts
    ]
    return (
        f"<h3>Energy under the learned dynamics</h3><p>{trajectories} trajectories are followed to "
        f"<i>t</i> = {h * (steps - 1):.0f} with steps of {h:g}, by the gradient of the learned "
        "<i>F</i>, while the true energy <i>H</i> is recorded. A symplectic method keeps it within "
        "a band, which its order and the step decide; the explicit method of Euler makes it grow. "
        "The last column is each method’s own error, with the true field in place of the learned "
        "one.</p>"
        f"{pair(over_time, errors)}{table(head, rows)}"
    )
