"""Part two: a residual network that learns the Hamiltonian of a pendulum.

A pendulum obeys Hamilton's equations q̇ = ∂H/∂p, ṗ = −∂H/∂q with H = ½p² + 1 − cos q. Given points
of its trajectories, a network F: ℝ² → ℝ is sought whose own gradient makes the observed field,
(∂F/∂p, −∂F/∂q) = (q̇, ṗ). The loss contains a gradient, and training differentiates the loss.

F is not taken to be separable: that ∂²F/∂q∂p vanishes is for the data to say. The symplectic
integrators are implicit for such an F; see :mod:`pullback_demo.integrators`.

Source: S. Greydanus, M. Dzamba and J. Yosinski, "Hamiltonian neural networks", NeurIPS 2019.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import pullback as pb
from pullback_demo.integrators import METHODS, Gradient, flow
from pullback_demo.progress import Progress
from pullback_demo.record import (
    Array,
    Drift,
    HamiltonianRecord,
    Iteration,
    Portrait,
    Stopwatch,
    check,
)

__all__ = [
    "assess",
    "energy",
    "field_of",
    "gradient_of",
    "learn",
    "network",
    "objective",
    "observe",
    "true_gradient",
]

WIDTH, DEPTH, STEP = 16, 3, 0.5
TRAJECTORIES, SAMPLING, DURATION = 24, 0.1, 8.0
HIGHEST = 2.6
"""Energy of the fastest trajectory: above 2 the pendulum turns over."""

TIME_STEP, HORIZON = 0.1, 100.0
LEARNING = "learning the Hamiltonian"
ANGLES = np.array([0.5, 1.0, 1.5, 2.0, 2.5])
"""Where the integrated trajectories start, at rest."""


# -- the pendulum -----------------------------------------------------------------------------


def energy(q: Array, p: Array) -> Array:
    """H(q, p) = ½p² + 1 − cos q."""
    return p**2 / 2 + 1 - np.cos(q)


def true_gradient(q: Array, p: Array) -> tuple[Array, Array]:
    """(∂H/∂q, ∂H/∂p) = (sin q, p)."""
    return np.sin(q), p


def observe(rng: np.random.Generator, trajectories: int = TRAJECTORIES) -> tuple[Array, Array]:
    """Points (q, p) on trajectories of the pendulum, and how fast each of them moves.

    All that is used of a trajectory is where it is at equidistant times. The velocities are
    differences of the positions, of fourth order:
    ẋ(t) ≈ (x(t−2δ) − 8x(t−δ) + 8x(t+δ) − x(t+2δ)) / 12δ.

    Returns
    -------
    points, velocities : array (n, 2)
        Angles are between −π and π.
    """
    # SciPy's integrators are loaded when they are first needed.
    from scipy.integrate import solve_ivp

    times = np.arange(0.0, DURATION, SAMPLING)
    points, velocities = [], []
    for level in np.linspace(0.05, HIGHEST, trajectories):
        turning = min(level, 2.0)
        start = [np.arccos(1 - turning), np.sqrt(2 * (level - turning))]
        sign = rng.choice([-1.0, 1.0])
        solution = solve_ivp(
            lambda _, z: (z[1], -np.sin(z[0])),
            (0.0, DURATION),
            sign * np.array(start),
            method="DOP853",
            t_eval=times,
            rtol=1e-11,
            atol=1e-11,
        )
        x = solution.y.T
        points.append(x[2:-2])
        velocities.append((x[:-4] - 8 * x[1:-3] + 8 * x[3:-1] - x[4:]) / (12 * SAMPLING))
    seen = np.concatenate(points)
    seen[:, 0] = np.remainder(seen[:, 0] + np.pi, 2 * np.pi) - np.pi
    return seen, np.concatenate(velocities)


# -- the network ------------------------------------------------------------------------------


def network(rng: np.random.Generator) -> Any:
    """A residual network F: ℝ² → ℝ at its initial parameters."""
    lift = pb.nn.Dense.initialize(2, WIDTH, "tanh", rng=rng)
    steps = [pb.nn.Residual.initialize(WIDTH, STEP, "tanh", rng=rng) for _ in range(DEPTH)]
    return pb.nn.Chain((lift, *steps, pb.nn.Head.initialize(WIDTH, rng=rng)))


def field_of(net: Any, points: Any) -> Any:
    """∇F at each of the points.

    F maps the points one by one, so the gradient of the sum is made of the gradients of each.

    Parameters
    ----------
    net : callable
        F, from an array (n, 2) of points to an array (n,).
    points : array (n, 2)

    Returns
    -------
    array (n, 2)
        (∂F/∂q, ∂F/∂p) in each row.
    """
    return pb.grad(lambda x: np.sum(net(x)))(points)


def objective(net: Any, points: Array, velocities: Array) -> Any:
    """Mean squared distance of (∂F/∂p, −∂F/∂q) from the observed velocities (q̇, ṗ)."""
    gradient = field_of(net, points)
    q_dot, p_dot = velocities[:, 0], velocities[:, 1]
    return np.mean((gradient[:, 1] - q_dot) ** 2 + (gradient[:, 0] + p_dot) ** 2)


def gradient_of(net: Any, count: int) -> Gradient:
    """∇F as the integrators want it: (q, p) ↦ (∂F/∂q, ∂F/∂p), for so many trajectories.

    It is recorded once, for it is evaluated some ten thousand times.
    """
    field = pb.simplify(pb.trace(lambda x: field_of(net, x), pb.ShapeDtype((count, 2))))

    def gradient(q: Array, p: Array) -> tuple[Array, Array]:
        rows = field(np.stack([q, p], axis=-1))
        return rows[..., 0], rows[..., 1]

    return gradient


# -- the run ----------------------------------------------------------------------------------


def learn(
    record: HamiltonianRecord,
    stopwatch: Stopwatch,
    progress: Progress,
    seed: int,
    trajectories: int = TRAJECTORIES,
    horizon: float = HORIZON,
) -> None:
    """Check the gradient, fit the network and integrate, filling the record as it goes.

    Parameters
    ----------
    record : HamiltonianRecord
        Says how many iterations at most.
    stopwatch : Stopwatch
    progress : Progress
    seed : int
    trajectories : int
        How many to observe.
    horizon : float
        How long to integrate.
    """
    with stopwatch.phase("observing the pendulum"):
        rng = np.random.default_rng(seed)
        points, velocities = observe(rng, trajectories)
        net = network(rng)
        record.points = points
        record.architecture = str(net)
        record.trajectories = trajectories

    with stopwatch.phase("checking the Hamiltonian’s gradient"):
        few = rng.choice(len(points), size=8, replace=False)

        def field_loss(net: Any) -> Any:
            return objective(net, points[few], velocities[few])

        check(record, field_loss, net)
        progress.say(f"gradient of the field's loss: {record.check.title}")

    with (
        stopwatch.phase(LEARNING),
        progress.task("pendulum", "iteration", record.planned) as advance,
    ):

        def keep(net: Any) -> None:
            loss = float(objective(net, points, velocities))
            record.iterations.append(Iteration(loss, net))

        def step(net: Any) -> None:
            keep(net)
            advance(f"mean squared error of the field {record.iterations[-1].loss:.2e}")

        keep(net)
        pb.optim.minimize(
            objective,
            net,
            (points, velocities),
            method="L-BFGS-B",
            options={"maxiter": record.planned, "maxcor": 30, "ftol": 0.0, "gtol": 1e-9},
            callback=step,
        )

    with stopwatch.phase("integrating"), progress.task("energy", "method", len(METHODS)) as advance:
        record.step = TIME_STEP
        gradient = gradient_of(record.iterations[-1].network, len(ANGLES))
        for name in METHODS:
            drift = follow(name, gradient, horizon)
            record.drifts.append(drift)
            advance(f"{name}: largest energy error {Drift.largest(drift.learned):.1e}")


def follow(method: str, gradient: Gradient, horizon: float) -> Drift:
    """The true energy along the trajectories that a method makes of the learned gradient."""
    steps = round(horizon / TIME_STEP)
    rest = np.zeros_like(ANGLES)
    learned, true = (
        np.array(list(flow(METHODS[method], field, ANGLES, rest, TIME_STEP, steps)))
        for field in (gradient, true_gradient)
    )
    return Drift(method, energy(learned[:, 0], learned[:, 1]), energy(true[:, 0], true[:, 1]))


def assess(record: HamiltonianRecord) -> None:
    """What the latest network makes of the phase plane; nothing before the first iteration."""
    if not record.iterations or record.points is None:
        return
    net = record.iterations[-1].network
    q, p = np.linspace(-np.pi, np.pi, 121), np.linspace(-2.4, 2.4, 97)
    plane = np.stack(np.meshgrid(q, p), axis=-1)
    true = energy(plane[..., 0], plane[..., 1])
    learned = net(plane.reshape(-1, 2)).reshape(true.shape) - net(np.zeros(2))
    record.portrait = Portrait(q, p, learned, true, record.points)

    inside = plane[true < HIGHEST]
    field = field_of(net, inside)
    exact = np.stack(true_gradient(inside[:, 0], inside[:, 1]), axis=-1)
    record.field_error = float(np.sqrt(np.mean((field - exact) ** 2) / np.mean(exact**2)))
