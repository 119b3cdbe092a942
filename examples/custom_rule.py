"""A function with a rule of one's own: the solution of an equation, differentiated implicitly.

Kepler's equation E − e sin E = M has no solution in closed form. It is solved by Newton's method, a
loop that pullback could follow step by step; but by the implicit function theorem

    ∂E/∂M = 1/(1 − e cos E),   ∂E/∂e = sin E/(1 − e cos E)

are known once E is, at the cost of one division. The rule says so, and `pb.check` tests it.
"""

from __future__ import annotations

import numpy as np

import pullback as pb


@pb.primitive
def eccentric_anomaly(M, e):
    """The solution E of Kepler's equation, element by element."""
    E = M + e * np.sin(M)
    for _ in range(50):
        E = E - (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    return E


@eccentric_anomaly.rule
def rule(E, _M, e):
    """∂E/∂M and ∂E/∂e at the solution E."""
    slope = 1 / (1 - e * np.cos(E))
    return slope, np.sin(E) * slope


@pb.primitive
def wrong(M, e):
    """The same function, with a slip in its rule: a cosine for a sine."""
    return eccentric_anomaly(M, e)


@wrong.rule
def wrong_rule(E, _M, e):
    """As above, but for the slip."""
    slope = 1 / (1 - e * np.cos(E))
    return slope, np.cos(E) * slope


def main() -> None:
    """Use the rule, to second order, and check it and a wrong one."""
    M, e = np.linspace(0.2, 3.0, 5), np.array(0.4)
    print("E =", eccentric_anomaly(M, e).round(6))
    print("∂E/∂M =", np.diag(pb.jacobian(eccentric_anomaly)(M, e)).round(6))

    # The rule is written in NumPy calls, so it can be differentiated in its turn.
    second = pb.grad(pb.grad(lambda m: eccentric_anomaly(m, e)))(0.7)
    E = eccentric_anomaly(0.7, e)
    print(f"∂²E/∂M² = {second:.9f}, by hand {-e * np.sin(E) / (1 - e * np.cos(E)) ** 3:.9f}")

    print(pb.check(eccentric_anomaly, M, e))
    try:
        pb.check(wrong, M, e)
    except pb.CheckError as error:
        print("a wrong rule is found:", str(error).splitlines()[0])


if __name__ == "__main__":
    main()
