"""The report's diagrams: drawn by matplotlib, as SVG that takes its colours from the page.

Every colour is drawn as a stand-in and then replaced by a custom property of the page's style
sheet, so one picture serves the light and the dark theme; text stays text, in the page's font.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback_demo.record import Array, Drift, Epoch, Iteration, Portrait

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "accuracy_chart",
    "energy_chart",
    "energy_error_chart",
    "field_loss_chart",
    "loss_chart",
    "portrait_chart",
]

COLOURS = {
    "ink": "#000001",
    "muted": "#000002",
    "rule": "#000003",
    "blue": "#000004",
    "orange": "#000005",
    "green": "#000006",
    "red": "#000007",
}
"""Stand-ins for the style sheet's custom properties of the same names."""

METHOD_COLOURS = {
    "Störmer–Verlet": "blue",
    "symplectic Euler": "orange",
    "explicit Euler": "red",
}

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pullback",
    "font.size": 9.0,
    "text.color": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.6,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "ytick.minor.size": 0.0,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "path.simplify_threshold": 0.5,
    "figure.constrained_layout.w_pad": 0.02,
    "figure.constrained_layout.h_pad": 0.02,
}

LEVELS = [0.1, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8]
"""Energies whose level curves make the phase portrait; 2 is the upright pendulum's."""

WIDTH, HEIGHT = 4.2, 2.75
"""Inches; the page scales every picture to its column."""


GROUPS = "figure|axes|patch|text|matplotlib|line2d|xtick|ytick"
"""Parts that matplotlib numbers afresh in each picture; nothing refers to them."""

# -- part one ---------------------------------------------------------------------------------


def loss_chart(epochs: Sequence[Epoch]) -> str:
    """Mean training loss of each epoch, on a logarithmic scale."""

    def draw(axes: Axes) -> None:
        number = np.arange(1, len(epochs) + 1)
        axes.plot(number, [epoch.loss for epoch in epochs], color=COLOURS["blue"], **_dots(epochs))
        axes.set_yscale("log")
        axes.set_xlabel("epoch")
        axes.set_ylabel("cross-entropy")
        axes.locator_params(axis="x", integer=True)

    return _draw(draw, "Training loss by epoch")


def accuracy_chart(epochs: Sequence[Epoch], wanted: float = 0.97) -> str:
    """Accuracy on training and test images after each epoch, and the accuracy aimed at."""

    def draw(axes: Axes) -> None:
        number = np.arange(1, len(epochs) + 1)
        train = [100 * epoch.train for epoch in epochs]
        test = [100 * epoch.test for epoch in epochs]
        axes.axhline(100 * wanted, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (2, 2)))
        axes.plot(number, train, color=COLOURS["blue"], **_dots(epochs))
        axes.plot(number, test, color=COLOURS["orange"], **_dots(epochs))
        lowest = min(*test, *train)
        axes.set_ylim(min(95.0, max(lowest - 2, 80.0 if len(epochs) > 5 else 0.0)), 100.5)
        axes.set_xlabel("epoch")
        axes.set_ylabel("accuracy, %")
        axes.locator_params(axis="x", integer=True)

    return _draw(draw, "Accuracy on training and test images by epoch")


def _dots(points: Sequence[Any]) -> dict[str, Any]:
    """A line through one or two points cannot be seen without markers."""
    return {"marker": "o", "markersize": 3.5} if len(points) < 3 else {}


# -- part two ---------------------------------------------------------------------------------


def field_loss_chart(iterations: Sequence[Iteration]) -> str:
    """Mean squared error of the field after each iteration."""
    losses = [iteration.loss for iteration in iterations]

    def draw(axes: Axes) -> None:
        axes.plot(np.arange(len(losses)), losses, color=COLOURS["blue"], **_dots(losses))
        axes.set_yscale("log")
        axes.set_xlabel("iteration")
        axes.set_ylabel("mean squared error of the field")
        axes.locator_params(axis="x", integer=True)

    return _draw(draw, "Error of the learned field by iteration")


def portrait_chart(portrait: Portrait) -> str:
    """Level curves of the learned Hamiltonian and of the true one, over the observed points."""

    def draw(axes: Axes) -> None:
        axes.plot(*portrait.data.T, ".", color=COLOURS["muted"], markersize=1.1, alpha=0.55)
        curves: list[tuple[Array, str, float, float]] = [
            (portrait.true, "orange", 4.0, 0.45),
            (portrait.learned, "blue", 1.2, 1.0),
        ]
        for values, colour, width, alpha in curves:
            axes.contour(
                portrait.q,
                portrait.p,
                values,
                levels=LEVELS,
                colors=COLOURS[colour],
                linewidths=width,
                alpha=alpha,
            )
        axes.set_xlim(portrait.q[0], portrait.q[-1])
        axes.set_ylim(portrait.p[0], portrait.p[-1])
        axes.set_xticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], ["−π", "−π/2", "0", "π/2", "π"])
        axes.set_xlabel("angle q")
        axes.set_ylabel("momentum p")
        axes.grid(visible=False)

    return _draw(draw, "Phase portrait of the learned and the true pendulum", height=3.4)


def energy_chart(drifts: Sequence[Drift], h: float, trajectory: int) -> str:
    """True energy along one trajectory of the learned flow, for each method."""

    def draw(axes: Axes) -> None:
        initial = float(drifts[0].learned[0, trajectory])
        room = max(
            float(np.max(np.abs(drift.learned[:, trajectory] - initial)))
            for drift in drifts
            if drift.method != "explicit Euler"
        )
        lowest, highest = initial - 1.3 * room, initial + 2.6 * room
        for drift in reversed(drifts):
            energy = drift.learned[:, trajectory]
            beyond = np.flatnonzero(energy > highest)
            shown = energy[: beyond[0] + 1] if len(beyond) else energy
            colour = COLOURS[METHOD_COLOURS[drift.method]]
            axes.plot(h * np.arange(len(shown)), shown, color=colour, linewidth=1.0)
        axes.set_ylim(lowest, highest)
        axes.set_xlim(0, h * (len(drifts[0].learned) - 1))
        axes.set_xlabel("time t")
        axes.set_ylabel("energy H(q(t), p(t))")

    return _draw(draw, "Energy over time for three integrators")


def energy_error_chart(drifts: Sequence[Drift], h: float) -> str:
    """Largest departure of the energy so far, over all trajectories, for each method."""

    def draw(axes: Axes) -> None:
        for drift in drifts:
            error = np.max(np.abs(drift.learned - drift.learned[0]), axis=1)[1:]
            times = h * np.arange(1, len(error) + 1)
            colour = COLOURS[METHOD_COLOURS[drift.method]]
            axes.plot(times, np.maximum.accumulate(error), color=colour)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.margins(x=0)
        axes.set_xlabel("time t")
        axes.set_ylabel("largest |H − H₀| so far")
        axes.minorticks_off()

    return _draw(draw, "Largest energy error so far, over time, for three integrators")


# -- from matplotlib to the page --------------------------------------------------------------


def _draw(draw: Callable[[Axes], None], label: str, height: float = HEIGHT) -> str:
    """The picture that `draw` puts on a pair of axes, as an ``<svg>`` element.

    Parameters
    ----------
    draw : callable
    label : str
        What the picture shows, for readers who hear the page.
    height : float
    """
    # Matplotlib is there for the demo alone.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _inline(buffer.getvalue(), label)


def _inline(document: str, label: str) -> str:
    """An SVG document as an element of an HTML page, without references to the outside."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    opening, _, rest = svg.partition(">")
    box = re.search(r'viewBox="([^"]*)"', opening)
    view = box.group(1) if box else f"0 0 {72 * WIDTH} {72 * HEIGHT}"
    rest = re.sub(r"font: (italic )?(?:[a-z]+ )*([\d.]+)px [^;\"]*", r"font-size: \2px", rest)
    for name, colour in COLOURS.items():
        rest = rest.replace(colour, f"var(--{name})")
    rest = re.sub(rf'\bid="(?:{GROUPS})[^"]*"', "", rest)
    prefix = re.sub(r"\W+", "-", label.lower())
    rest = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', rest)
    rest = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', rest)
    rest = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", rest)
    return f'<svg viewBox="{view}" role="img" aria-label="{label}">{rest}'
