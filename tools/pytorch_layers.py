"""Write `tests/nn/pytorch.json`: outputs and gradients of PyTorch's layers.

    python tools/pytorch_layers.py

For each layer of the table its parameters, an input and the weights of a loss Σ weight · output
are drawn; what PyTorch makes of them is stored, and the tests compare with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

__all__ = ["LAYERS", "PATH"]

PATH = Path(__file__).parents[1] / "tests" / "nn" / "pytorch.json"

F = torch.nn.functional


def recurrent(kind: Any) -> Callable[..., Any]:
    """A recurrent network of one layer, with parameters in the order W, U, b and, of some, c."""

    def run(x: Any, W: Any, U: Any, b: Any, c: Any = None) -> Any:
        net = kind(W.shape[1], U.shape[1], batch_first=True, dtype=torch.float64)
        second = torch.zeros_like(b)
        if c is not None:
            second = torch.cat([torch.zeros(2 * len(c), dtype=torch.float64), c])
        given = {"weight_ih_l0": W, "weight_hh_l0": U, "bias_ih_l0": b, "bias_hh_l0": second}
        return torch.func.functional_call(net, given, (x,))[0]

    return run


LAYERS: dict[str, tuple[Callable[..., Any], tuple[int, ...], dict[str, tuple[int, ...]]]] = {
    # A function of the input and of the parameters, the input's shape, and theirs.
    "LayerNorm": (
        lambda x, gamma, beta: F.layer_norm(x, gamma.shape, gamma, beta),
        (4, 5), {"gamma": (5,), "beta": (5,)},
    ),
    "BatchNorm": (
        lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, training=True),
        (6, 3), {"gamma": (3,), "beta": (3,)},
    ),
    "BatchNorm images": (
        lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, training=True),
        (2, 3, 2, 4), {"gamma": (3,), "beta": (3,)},
    ),
    "Conv1d": (F.conv1d, (2, 3, 7), {"W": (4, 3, 3), "b": (4,)}),
    "Conv1d strided": (
        lambda x, W: F.conv1d(x, W, stride=2, padding=2), (2, 3, 8), {"W": (4, 3, 3)},
    ),
    "Conv2d": (F.conv2d, (2, 3, 5, 6), {"W": (2, 3, 2, 3), "b": (2,)}),
    "Conv2d strided": (
        lambda x, W, b: F.conv2d(x, W, b, stride=(2, 1), padding=(1, 2)),
        (2, 2, 6, 5), {"W": (3, 2, 3, 3), "b": (3,)},
    ),
    "MaxPool1d": (lambda x: F.max_pool1d(x, 3, 2), (2, 3, 8), {}),
    "MaxPool2d": (lambda x: F.max_pool2d(x, (2, 3)), (2, 2, 5, 6), {}),
    "AvgPool1d": (lambda x: F.avg_pool1d(x, 3, 1), (2, 3, 5), {}),
    "AvgPool2d": (lambda x: F.avg_pool2d(x, 2), (2, 2, 4, 5), {}),
    "ElmanCell": (recurrent(torch.nn.RNN), (2, 5, 3), {"W": (4, 3), "U": (4, 4), "b": (4,)}),
    "GRUCell": (
        recurrent(torch.nn.GRU), (2, 5, 3), {"W": (12, 3), "U": (12, 4), "b": (12,), "c": (4,)},
    ),
    "LSTMCell": (recurrent(torch.nn.LSTM), (2, 5, 3), {"W": (16, 3), "U": (16, 4), "b": (16,)}),
}  # fmt: skip


def rows(x: Any) -> Any:
    return np.round(np.asarray(x), 12).tolist()


def main() -> None:
    """Draw, run and write."""
    rng = np.random.default_rng(0)
    out = {}
    for name, (run, shape, parameters) in LAYERS.items():
        shapes = {"x": shape, **parameters}
        drawn = {key: rng.normal(size=each).round(3) for key, each in shapes.items()}
        given = {key: torch.tensor(each, requires_grad=True) for key, each in drawn.items()}
        y = run(*given.values())
        weight = rng.normal(size=tuple(y.shape)).round(3)
        (y * torch.tensor(weight)).sum().backward()
        out[name] = {
            "given": {key: rows(each) for key, each in drawn.items()},
            "weight": rows(weight),
            "output": rows(y.detach()),
            "gradient": {key: rows(each.grad) for key, each in given.items()},
        }
    PATH.write_text(json.dumps(out, separators=(",", ":")).replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main()
