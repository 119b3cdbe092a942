"""A pendulum, from its Hamiltonian alone: the equations of motion are derivatives.

    H(q, p) = p²/2 − cos q,   q̇ = ∂H/∂p,   ṗ = −∂H/∂q

Explicit Euler lets the energy grow; symplectic Euler and Störmer–Verlet keep it close to its value
for all times, with an error of first and second order in the step. Then H is learned: a residual
network is trained so that its derivatives match the motion, which takes the gradient of a gradient.

E. Hairer, C. Lubich and G. Wanner, *Geometric Numerical Integration*, 2nd ed., Springer 2006.
"""

from __future__ import annotations

import numpy as np

import pullback as pb


def pendulum(q, p):
    """The energy H: kinetic and potential."""
    return p**2 / 2 - np.cos(q)


def explicit_euler(dH, q, p, h):
    """A step of first order that keeps nothing."""
    dq, dp = dH(q, p)
    return q + h * dp, p - h * dq


def symplectic_euler(dH, q, p, h):
    """A symplectic step of first order: q moves with the new p."""
    p = p - h * dH(q, p)[0]
    return q + h * dH(q, p)[1], p


def stormer_verlet(dH, q, p, h):
    """A symplectic step of second order, for an energy T(p) + U(q)."""
    p = p - h / 2 * dH(q, p)[0]
    q = q + h * dH(q, p)[1]
    return q, p - h / 2 * dH(q, p)[0]


def drift(method, dH, h, time=50.0):
    """Largest deviation of the pendulum's energy along a trajectory."""
    q, p = np.array(1.0), np.array(0.0)
    start, worst = pendulum(q, p), 0.0
    for _ in range(round(time / h)):
        q, p = method(dH, q, p, h)
        worst = max(worst, abs(pendulum(q, p) - start))
    return worst


def learned(rng):
    """A network F with (∂F/∂p, −∂F/∂q) close to the pendulum's field on |q| ≤ 2, |p| ≤ 1.5."""
    net = pb.nn.Chain(
        [
            pb.nn.Dense.initialize(2, 16, "tanh", rng=rng),
            pb.nn.Residual.initialize(16, 0.5, "tanh", rng=rng),
            pb.nn.Head.initialize(16, rng=rng),
        ]
    )
    points = rng.uniform([-2.0, -1.5], [2.0, 1.5], size=(300, 2))
    field = np.stack([np.sin(points[:, 0]), points[:, 1]], axis=-1)

    def mismatch(net, x, target):
        return pb.losses.mse(pb.grad(lambda x: np.sum(net(x)))(x), target)

    result = pb.optim.minimize(mismatch, net, (points, field), options={"maxiter": 300})
    return result.x, mismatch(net, points, field), result.fun


def main() -> None:
    """Compare the energy's drift, then learn the energy from the motion."""
    dH = pb.grad(pendulum, argnums=(0, 1))
    print("largest energy error up to t = 50")
    print(f"  {'step':18}{'h = 0.1':>12}{'h = 0.05':>12}{'ratio':>8}")
    for method in (explicit_euler, symplectic_euler, stormer_verlet):
        coarse, fine = drift(method, dH, 0.1), drift(method, dH, 0.05)
        print(f"  {method.__name__:18}{coarse:12.2e}{fine:12.2e}{coarse / fine:8.2f}")

    H = pb.hessian(lambda x: pendulum(x[0], x[1]))(np.array([1.0, 0.5]))
    print(f"the Hessian at (1, ½) is diag(cos 1, 1): {np.allclose(H, np.diag([np.cos(1), 1]))}")

    net, before, after = learned(np.random.default_rng(0))
    print(f"a learned Hamiltonian: mismatch of its field {before:.3f} before, {after:.1e} after")

    def derivatives(q, p):
        dq, dp = pb.grad(lambda x: net(x))(np.stack([q, p]))
        return dq, dp

    error = drift(stormer_verlet, derivatives, 0.05)
    print(f"Störmer–Verlet along the learned one changes the true energy by at most {error:.3f}")


if __name__ == "__main__":
    main()
