"""The gradient of a residual network, by its recursion and by pullback.

    F(y) = G ∘ Φ_{K−1} ∘ … ∘ Φ_0 (y),   Φ_k(y) = y + hσ(W_k y + b_k),   G(y) = η(wᵀy + μ)

From A = ∇G = η′(wᵀz + μ) w the recursion A ← DΦ_kᵀA = A + W_kᵀ(hσ′(W_k z_k + b_k) ⊙ A) walks back
to ∇F. No Jacobian is formed.
"""

from __future__ import annotations

import numpy as np

import pullback as pb

K, D = 20, 4


def gradient_by_recursion(net: pb.nn.Chain, y: np.ndarray) -> np.ndarray:
    """∇F(y): a forward sweep for the z_k, then A ← A + W_kᵀ(hσ′(W_k z_k + b_k) ⊙ A)."""
    *layers, head = net.layers
    z = [y]
    for layer in layers:
        z.append(z[-1] + layer.h * np.tanh(layer.W @ z[-1] + layer.b))
    A = (1 - np.tanh(head.w @ z[-1] + head.mu) ** 2) * head.w
    for k in range(len(layers), 0, -1):
        W, b, h = layers[k - 1].W, layers[k - 1].b, layers[k - 1].h
        A = A + W.T @ (h * (1 - np.tanh(W @ z[k - 1] + b) ** 2) * A)
    return A


def main() -> None:
    """Print the gradient by recursion and in both modes, and the backward pass."""
    rng = np.random.default_rng(0)
    net = pb.nn.models.residual_network(D, K, output="tanh", rng=rng).network
    y = rng.normal(size=D)

    by_hand = gradient_by_recursion(net, y)
    by_machine = pb.grad(lambda y: net(y))(y)
    by_columns = pb.jacobian(lambda y: net(y), mode="forward")(y)
    print(f"a residual network of K = {K} layers on ℝ^{D}, F(y) = {net(y):.6f}")
    print(f"  by the recursion  {by_hand}")
    print(f"  reverse mode      {by_machine}")
    print(f"  forward mode      {by_columns}")
    print(f"largest relative difference: {np.max(np.abs(by_machine / by_hand - 1)):.1e}")

    gradient = pb.grad(lambda net: net(y))(net)
    print(f"gradients in the parameters: {len(gradient)} layers, shaped like the network")
    for layer in (gradient.layers[0], gradient.layers[-1]):
        print(f"  {type(layer).__name__:9}", {k: np.shape(v) for k, v in parameters(layer).items()})

    record = pb.nn.backpropagate(net, pb.losses.l2, y, np.array(0.5))
    print("‖∂E/∂y_r‖ on its way back:")
    for r in (20, 15, 10, 5, 1):
        print(f"  r = {r:2}  {np.linalg.norm(record.layers[r - 1].y_bar):.6f}")


def parameters(layer: pb.nn.Layer) -> dict[str, np.ndarray]:
    """A layer's parameters by name."""
    return {name: value for name, value in vars(layer).items() if name != "activation"}


if __name__ == "__main__":
    main()
