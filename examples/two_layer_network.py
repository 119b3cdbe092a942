"""A network of two layers, its derivatives by hand and by machine, and what it learns.

    z = φ(W₁x),   ŷ = φ(W₂z),   E = ½‖ŷ − y‖²

By hand, with the three-dimensional array D_ij g_k = ∂g_k/∂W_ij of g(W, x) = Wx, which is x_j where
i = k and 0 elsewhere:

    ∂E/∂W₂ = Σ_k (dE/dŷ_k) φ′(g_k(W₂, z)) D g_k(W₂, z)
    ∂E/∂W₁ = Σ_kl (dE/dŷ_k) φ′(g_k(W₂, z)) W₂_kl φ′(g_l(W₁, x)) D g_l(W₁, x)
"""

from __future__ import annotations

import numpy as np

import pullback as pb


def slope(v):
    """The derivative of φ = tanh."""
    return 1 - np.tanh(v) ** 2


def by_hand(W1, W2, x, y):
    """∂E/∂W₁ and ∂E/∂W₂."""
    z = np.tanh(W1 @ x)
    y_hat = np.tanh(W2 @ z)
    dE = y_hat - y
    D1 = np.einsum("ki,j->kij", np.eye(len(W1)), x)
    D2 = np.einsum("ki,j->kij", np.eye(len(W2)), z)
    in_W2 = np.einsum("k,k,kij->ij", dE, slope(W2 @ z), D2)
    in_W1 = np.einsum("k,k,kl,l,lij->ij", dE, slope(W2 @ z), W2, slope(W1 @ x), D1)
    return in_W1, in_W2


def main() -> None:
    """Compare the derivatives, look at the backward pass, and fit a network."""
    rng = np.random.default_rng(0)
    W1, W2 = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
    x, y = rng.normal(size=3), rng.normal(size=2)

    def loss(W1, W2):
        return pb.losses.l2(np.tanh(W2 @ np.tanh(W1 @ x)), y)

    net = pb.nn.Chain([pb.nn.Dense(W1, activation="tanh"), pb.nn.Dense(W2, activation="tanh")])
    record = pb.nn.backpropagate(net, pb.losses.l2, x, y, jacobians=True)
    in_W1, in_W2 = by_hand(W1, W2, x, y)
    print("∂E/∂W₂ by hand, by pb.grad, by pb.nn.backpropagate:")
    print(np.array2string(in_W2, precision=6))
    machine = pb.grad(loss, argnums=(0, 1))(W1, W2)
    layers = record.gradient.layers
    for name, found in {"pb.grad": machine, "backpropagate": (layers[0].W, layers[1].W)}.items():
        difference = max(np.max(np.abs(found[0] - in_W1)), np.max(np.abs(found[1] - in_W2)))
        print(f"  {name}: largest difference {difference:.1e}")

    print("the record of the backward pass:")
    for r, layer in enumerate(record.layers, start=1):
        shape = layer.jacobian.shape
        print(f"  layer {r}: δ = {np.round(layer.delta, 4)}, [J_y J_θ] has shape {shape}")
        theta_bar = layer.jacobian[:, layer.x.size :].T @ layer.y_bar
        agrees = np.allclose(theta_bar, layer.theta_bar.W.ravel(), rtol=1e-12)
        print(f"           (J_θ)ᵀ ∂E/∂y = ∂E/∂θ: {agrees}")

    print("and it learns the exclusive or:")
    samples = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    classes = np.array([0, 1, 1, 0])
    model = pb.nn.models.two_layer_network(
        2, 4, 2, rng=np.random.default_rng(1), loss=pb.losses.softmax_cross_entropy
    )
    fitted = model.fit(samples, classes, method=pb.optim.Adam(0.05), epochs=200)
    for name, state in {"before": model, "after": fitted}.items():
        value = state.loss(state.score(samples), classes)
        print(f"  {name:6} loss {value:.4f}, classes {state.predict(samples)}")


if __name__ == "__main__":
    main()
