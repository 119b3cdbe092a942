"""Logistic regression with `scipy.optimize`: the objective is all that is written down.

The parameters are a dict; `pb.optim.minimize` hands SciPy flat vectors with the exact gradient, and
exact Hessian-vector products to the methods that use them.
"""

from __future__ import annotations

import numpy as np

import pullback as pb


def data(rng, m=400):
    """Points of two classes, and the probabilities that made them."""
    x = rng.normal(size=(m, 3))
    p = 1 / (1 + np.exp(-(x @ np.array([1.5, -2.0, 0.5]) + 0.3)))
    return x, (rng.uniform(size=m) < p).astype(int)


def objective(params, x, labels):
    """The mean cross entropy, and a small penalty on the weights."""
    scores = x @ params["w"] + params["b"]
    loss = pb.losses.binary_cross_entropy(scores, labels, from_logits=True)
    return loss + 0.5e-3 * np.sum(params["w"] ** 2)


def newton(params, x, labels, steps=8):
    """Newton's method by hand: p = σ(Xθ), ∇ = Xᵀ(p − y)/m, H = Xᵀdiag(p(1 − p))X/m."""
    X = np.column_stack([x, np.ones(len(x))])
    ridge = 1e-3 * np.diag([1.0, 1.0, 1.0, 0.0])
    theta = np.array([*params["w"], params["b"]])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-X @ theta))
        gradient = X.T @ (p - labels) / len(x) + ridge @ theta
        hessian = X.T @ (X * (p * (1 - p))[:, np.newaxis]) / len(x) + ridge
        theta = theta - np.linalg.solve(hessian, gradient)
    return theta


def main() -> None:
    """Minimise with three of SciPy's methods, and compare with Newton's by hand."""
    x, labels = data(np.random.default_rng(0))
    start = {"w": np.zeros(3), "b": np.array(0.0)}
    by_hand = newton(start, x, labels)
    print(f"Newton's method by hand   w = {by_hand[:3].round(6)}, b = {by_hand[3]:.6f}")
    there = pb.grad(objective)({"w": by_hand[:3], "b": by_hand[3]}, x, labels)
    size = max(np.max(np.abs(there["w"])), abs(there["b"]))
    print(f"where the gradient by pullback is no larger than {size:.0e}")
    for method in ("L-BFGS-B", "Newton-CG", "trust-exact"):
        result = pb.optim.minimize(objective, start, (x, labels), method=method, tol=1e-9)
        theta = np.array([*result.x["w"], result.x["b"]])
        print(
            f"{method:12} {result.nit:3} steps   w = {theta[:3].round(6)}, b = {theta[3]:.6f}, "
            f"off by {np.max(np.abs(theta - by_hand)):.0e}"
        )

    model = pb.nn.models.logistic_regression(3, penalty=1e-3).fit(x, labels)
    right = np.mean(model.predict(x) == labels)
    print(f"pb.nn.models.logistic_regression: {right:.1%} of the samples on the right side")


if __name__ == "__main__":
    main()
