"""The rule of the L2 loss, derived by hand and applied by pullback in both directions.

ℓ(y, y_ref) = ½‖y − y_ref‖²,   Δ = y − y_ref
pushforward   𝒥(ℓ, (y, y_ref), (ẏ, ẏ_ref)) = (½‖Δ‖², Δᵀẏ − Δᵀẏ_ref)
pullback      ℬ(ℓ, (y, y_ref), z̄)          = (½‖Δ‖², (z̄Δ, −z̄Δ))
"""

from __future__ import annotations

import numpy as np

import pullback as pb


def pushforward_by_hand(y, y_ref, y_dot, y_ref_dot):
    """𝒥(ℓ, (y, y_ref), (ẏ, ẏ_ref))."""
    delta = y - y_ref
    return delta @ delta / 2, delta @ y_dot - delta @ y_ref_dot


def pullback_by_hand(y, y_ref, z_bar):
    """ℬ(ℓ, (y, y_ref), z̄)."""
    delta = y - y_ref
    return delta @ delta / 2, (z_bar * delta, -z_bar * delta)


def composed(y, y_ref):
    """The same loss in plain NumPy; its derivatives come from the rules of its parts."""
    return 0.5 * np.sum((y - y_ref) ** 2)


def main() -> None:
    """Print the rule by hand and by machine, and check it."""
    rng = np.random.default_rng(0)
    y, y_ref, y_dot, y_ref_dot = rng.normal(size=(4, 5))
    z_bar = 2.0

    print("pullback: the loss, and the cotangents of y and y_ref")
    for name, (loss, (y_bar, y_ref_bar)) in {
        "by hand": pullback_by_hand(y, y_ref, z_bar),
        "pb.losses.l2": pb.pullback(pb.losses.l2, (y, y_ref), z_bar),
        "composed": pb.pullback(composed, (y, y_ref), z_bar),
    }.items():
        print(f"  {name:13} {loss:.6f}  {np.round(y_bar, 3)}  {np.round(y_ref_bar, 3)}")

    print("pushforward: the loss and its tangent, along (ẏ, ẏ_ref) and along (ẏ, 0)")
    by_hand = pushforward_by_hand(y, y_ref, y_dot, y_ref_dot)
    by_machine = pb.pushforward(pb.losses.l2, (y, y_ref), (y_dot, y_ref_dot))
    print(f"  by hand       {by_hand[0]:.6f}  {by_hand[1]:.6f}")
    print(f"  pb.losses.l2  {by_machine[0]:.6f}  {by_machine[1]:.6f}")
    loss, loss_dot = pb.pushforward(pb.losses.l2, (y, y_ref), (y_dot, None))
    print(f"  with None     {loss:.6f}  {loss_dot:.6f}")

    _, (y_bar, y_ref_bar) = pb.pullback(pb.losses.l2, (y, y_ref), z_bar)
    adjoint = y_bar @ y_dot + y_ref_bar @ y_ref_dot
    print(f"adjointness: z̄·ℓ̇ = {z_bar * by_machine[1]:.12f}, ȳᵀẏ + ȳ_refᵀẏ_ref = {adjoint:.12f}")
    print(pb.check(pb.losses.l2, y, y_ref))


if __name__ == "__main__":
    main()
