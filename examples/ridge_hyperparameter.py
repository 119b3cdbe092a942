"""The penalty of ridge regression by gradient descent through `scipy.optimize.minimize`.

The inner problem finds weights for a penalty, the outer one the penalty for which these weights
predict other data best. Its gradient goes through the inner minimisation; for ridge regression it
can be written down, and the two are compared.

    python ridge_hyperparameter.py [picture.svg]
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import minimize

import pullback as pb


def data(rng, m=40, n=12):
    """Data to fit and data to predict, from sparse weights and noise."""
    weights = rng.normal(size=n) * (np.arange(n) < 4)
    X = rng.normal(size=(2, m, n))
    return X, X @ weights + rng.normal(size=(2, m))


def fitted(log_penalty, X, y):
    """The weights that minimise ‖Xw − y‖² + e^λ ‖w‖²."""

    def cost(w):
        return np.sum((X @ w - y) ** 2) + np.exp(log_penalty) * np.sum(w**2)

    return minimize(cost, np.zeros(X.shape[1]), jac=pb.grad(cost)).x


def in_closed_form(log_penalty, X, y):
    """The same, by the normal equations."""
    return np.linalg.solve(X.T @ X + np.exp(log_penalty) * np.eye(X.shape[1]), X.T @ y)


def error(log_penalty, X, y, solve=fitted):
    """The mean squared error on the second half of the data with weights from the first."""
    return np.mean((X[1] @ solve(log_penalty, X[0], y[0]) - y[1]) ** 2)


def main(picture: str | None = None) -> None:
    """Newton's method on the penalty, with first and second derivatives through the minimiser."""
    X, y = data(np.random.default_rng(2))
    slope, bend = pb.grad(error), pb.grad(pb.grad(error))
    print(f"dE/dλ at 0, through the minimiser  {slope(0.0, X, y):.10f}")
    print(f"dE/dλ at 0, by normal equations    {slope(0.0, X, y, in_closed_form):.10f}")
    penalty, path = 0.0, [0.0]
    for _ in range(20):
        penalty -= slope(penalty, X, y) / abs(bend(penalty, X, y))
        path.append(penalty)
        if abs(path[-1] - path[-2]) < 1e-8:
            break
    print(f"best λ = {penalty:.6f} after {len(path) - 1} steps, where dE/dλ = "
          f"{slope(penalty, X, y, in_closed_form):.0e}")  # fmt: skip
    print(f"error {error(0.0, X, y):.4f} at λ = 0 and {error(penalty, X, y):.4f} at the best")
    if picture:
        from matplotlib import pyplot as plt

        grid = np.linspace(-3, 6, 60)
        plt.plot(grid, [error(each, X, y, in_closed_form) for each in grid])
        plt.plot(path, [error(each, X, y) for each in path], "o-")
        plt.xlabel("λ, the logarithm of the penalty")
        plt.ylabel("mean squared error of the prediction")
        plt.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
