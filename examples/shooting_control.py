"""Optimal control by shooting: a pendulum is swung up, by a torque that is to be small.

The torque is a cubic spline through a few values, `scipy.interpolate.CubicSpline`; the pendulum is
integrated by `scipy.integrate.solve_ivp`, and the values are found by `scipy.optimize.minimize`
with the final state as a constraint. All derivatives go through the integrator and the spline.

    python shooting_control.py [picture.svg]
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize

import pullback as pb

DURATION, KNOTS = 3.0, np.linspace(0, 3.0, 9)


def swing(values, times=None):
    """Angles and angular velocities, from rest, hanging down, under the torque."""
    torque = CubicSpline(KNOTS, values)

    def velocity(t, y):
        return np.stack([y[1], torque(t) - np.sin(y[0]) - 0.1 * y[1]])

    return solve_ivp(velocity, (0, DURATION), [0.0, 0.0], t_eval=times, rtol=1e-6, atol=1e-8).y


def effort(values):
    """A measure of the torque, its square at the knots."""
    return np.sum(values**2) * DURATION / len(values)


def mismatch(values):
    """How far the end is from standing still on top."""
    return swing(values)[:, -1] - np.array([np.pi, 0.0])


def main(picture: str | None = None) -> None:
    """Minimise the effort, with exact gradients and Jacobians."""
    top = {"type": "eq", "fun": mismatch, "jac": pb.jacobian(mismatch)}
    start = np.full(KNOTS.size, 1.0)
    result = minimize(effort, start, jac=pb.grad(effort), constraints=top, method="SLSQP")
    angle, speed = swing(result.x)[:, -1]
    print(f"{result.nit} iterations, effort {effort(start):.3f} before and {result.fun:.3f} after")
    print(f"angle / π = {angle / np.pi:.8f}, angular velocity {speed:.1e} at the end")
    J, gradient = pb.jacobian(mismatch)(result.x), pb.grad(effort)(result.x)
    multipliers = np.linalg.lstsq(J.T, gradient, rcond=None)[0]
    print(f"the gradient is Jᵀλ up to {np.max(np.abs(gradient - J.T @ multipliers)):.1e}")
    if picture:
        from matplotlib import pyplot as plt

        times = np.linspace(0, DURATION, 200)
        plt.plot(times, swing(result.x, times)[0] / np.pi, label="angle / π")
        plt.plot(times, CubicSpline(KNOTS, result.x)(times), label="torque")
        plt.xlabel("time")
        plt.legend()
        plt.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
