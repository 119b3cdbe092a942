"""Rates of the Lotka–Volterra equations from noisy data, by `scipy.optimize.least_squares`.

The residuals integrate the equations by `scipy.integrate.solve_ivp`, and their Jacobian, which
`least_squares` is given, is exact: it goes through the integrator. The standard errors follow from
the same Jacobian. Robertson's stiff reactions are fitted in the same way, by an implicit method.

    python lotka_volterra_fit.py [picture.svg]
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

import pullback as pb


def populations(log_rates, times):
    """Prey and predators at these times, for the logarithms of the four rates."""
    a, b, c, d = np.exp(log_rates)

    def velocity(_t, y):
        return np.stack([a * y[0] - b * y[0] * y[1], c * y[0] * y[1] - d * y[1]])

    return solve_ivp(velocity, (0, times[-1]), [1.0, 1.0], t_eval=times, rtol=1e-7, atol=1e-9).y


def reactions(log_rates, times):
    """Robertson's three substances at these times; the rates span nine orders of magnitude."""
    a, b, c = np.exp(log_rates)

    def velocity(_t, y):
        slow, fast, middle = a * y[0], b * y[1] ** 2, c * y[1] * y[2]
        return np.stack([middle - slow, slow - middle - fast, fast])

    return solve_ivp(
        velocity, (0, times[-1]), [1.0, 0.0, 0.0], "Radau", times, rtol=1e-7, atol=1e-10
    ).y


def fit(model, rates, start, times, noise, scale=1.0):
    """Fit a model to its own values at these rates, with noise; the rates and their errors."""
    data = model(np.log(rates), times) + noise

    def residuals(log_rates):
        return np.ravel((model(log_rates, times) - data) / scale)

    # The limits keep the rates where the equations can be integrated.
    low, high = np.log(start) - 3, np.log(start) + 3
    result = least_squares(
        residuals, np.log(start), jac=pb.jacobian(residuals), bounds=(low, high), x_scale="jac"
    )
    J = pb.jacobian(residuals)(result.x)
    variance = np.sum(result.fun**2) / (result.fun.size - result.x.size)
    errors = np.sqrt(np.diag(variance * np.linalg.inv(J.T @ J)))
    return result, data, errors


def main(picture: str | None = None) -> None:
    """Fit both systems."""
    rng = np.random.default_rng(0)
    times = np.linspace(0, 6, 25)
    rates = np.array([1.5, 1.0, 1.0, 3.0])
    noise = 0.05 * rng.normal(size=(2, times.size))
    result, data, errors = fit(populations, rates, 1.3 * rates, times, noise)
    print("Lotka–Volterra, by RK45")
    for name, rate, found, error in zip("abcd", rates, result.x, errors, strict=True):
        off = (found - np.log(rate)) / error
        print(f"  {name} = {rate:.3f}, fitted {np.exp(found):.3f}: {off:.2f} standard errors off")
    print(f"  {result.nfev} evaluations, {result.njev} Jacobians")

    late = np.geomspace(0.1, 400, 15)
    robertson = np.array([0.04, 3e7, 1e4])
    scale = np.array([[1.0], [3e-5], [0.5]])
    noise = 0.01 * scale * rng.normal(size=(3, late.size))
    stiff, _, errors = fit(reactions, robertson, robertson * [1.5, 0.7, 1.3], late, noise, scale)
    print("Robertson, by Radau")
    for name, rate, found, error in zip("abc", robertson, stiff.x, errors, strict=True):
        off = (found - np.log(rate)) / error
        print(f"  {name} = {rate:.2e}, fitted {np.exp(found):.2e}: {off:.2f} standard errors off")

    if picture:
        from matplotlib import pyplot as plt

        fine = np.linspace(0, 6, 300)
        plt.plot(fine, populations(result.x, fine).T)
        plt.gca().set_prop_cycle(None)
        plt.plot(times, data.T, "o")
        plt.xlabel("time")
        plt.legend(["prey", "predators"])
        plt.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
