"""A valid call of each layer for images and series, and of what switches them."""

from __future__ import annotations

from tests.fuzz.surface import CALLS, Call

__all__ = ["LAYERS"]

IN = "np.ones((5, 2))"
SERIES = "np.ones((4, 3, 2))"
IMAGES = "np.ones((2, 1, 4, 4))"
DRAWN = {"rng": "0", "scheme": "'glorot'", "dtype": "np.float64"}
CONVOLUTION = {"stride": "1", "padding": "1"}

LAYERS: dict[str, list[Call]] = {
    "nn.LayerNorm": [
        Call("pb.nn.LayerNorm", ("np.ones(2)", "np.ones(2)", "1e-5"), {}, f"({IN})"),
        Call("pb.nn.LayerNorm.initialize(2)", (IN,)),
    ],
    "nn.LayerNorm.initialize": [
        Call("pb.nn.LayerNorm.initialize", ("2",), {"dtype": "np.float64"})
    ],
    "nn.BatchNorm": [
        Call("pb.nn.BatchNorm", ("np.ones(2)",) * 4, {"epsilon": "1e-5"}, f"({IN})"),
        Call("pb.nn.BatchNorm.initialize(2)", (IN,)),
    ],
    "nn.BatchNorm.initialize": [
        Call("pb.nn.BatchNorm.initialize", ("2",), {"dtype": "np.float64"})
    ],
    "nn.BatchNorm.observed": [Call("pb.nn.BatchNorm.initialize(2).observed", (IN, "0.5"))],
    "nn.Dropout": [
        Call("pb.nn.Dropout", ("0.5",), {}, f"({IN})"),
        Call("pb.nn.Dropout(0.5)", (IN,)),
    ],
    "nn.training": [Call("pb.nn.training", ("pb.nn.Dropout(0.5)", "3"), {}, f"({IN})")],
    "nn.observe": [
        Call("pb.nn.observe", ("pb.nn.BatchNorm.initialize(2)", IN), {"weight": "0.5", "seed": "1"})
    ],
    "nn.Conv1d": [
        Call("pb.nn.Conv1d", ("np.ones((2, 3, 2))", "np.ones(2)", "np.tanh", "1", "1"), {},
             f"({SERIES})"),
    ],
    "nn.Conv2d": [
        Call("pb.nn.Conv2d", ("np.ones((2, 1, 2, 2))", "np.ones(2)", "np.tanh", "(1, 2)", "1"), {},
             f"({IMAGES})"),
    ],
    "nn.Conv1d.initialize": [
        Call("pb.nn.Conv1d.initialize", ("3", "2", "2", "np.tanh"),
             {**DRAWN, **CONVOLUTION, "bias": "True"}, f"({SERIES})"),
    ],
    "nn.Conv2d.initialize": [
        Call("pb.nn.Conv2d.initialize", ("1", "2", "(2, 3)", "np.tanh"),
             {**DRAWN, **CONVOLUTION, "bias": "True"}, f"({IMAGES})"),
    ],
    "nn.Conv1d.pre_activation": [
        Call("pb.nn.Conv1d(np.ones((2, 3, 2))).pre_activation", (SERIES,))
    ],
    "nn.Conv2d.pre_activation": [
        Call("pb.nn.Conv2d(np.ones((2, 1, 2, 2))).pre_activation", (IMAGES,))
    ],
    "nn.Conv1d.output": [Call("pb.nn.Conv1d(np.ones((2, 3, 2))).output", (SERIES, SERIES))],
    "nn.Conv2d.output": [Call("pb.nn.Conv2d(np.ones((2, 1, 2, 2))).output", (IMAGES, IMAGES))],
    **{
        f"nn.{name}": [
            Call(f"pb.nn.{name}", ("2",), {"stride": "1"}, f"({IMAGES})"),
            Call(f"pb.nn.{name}(2)", (IMAGES,)),
        ]
        for name in ("MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d")
    },
    "nn.Embedding": [
        Call("pb.nn.Embedding", ("np.ones((3, 2))",), {}, "(np.array([0, 2]))"),
        Call("pb.nn.Embedding(np.ones((3, 2)))", ("np.array([0, 2])",)),
    ],
    "nn.Embedding.initialize": [
        Call("pb.nn.Embedding.initialize", ("3", "2"), {"rng": "0", "dtype": "np.float64"})
    ],
    "nn.ElmanCell": [Call("pb.nn.ElmanCell", ("np.ones((3, 2))", "np.eye(3)", "np.ones(3)"))],
    "nn.GRUCell": [
        Call("pb.nn.GRUCell", ("np.ones((9, 2))", "np.ones((9, 3))", "np.ones(9)", "np.ones(3)"))
    ],
    "nn.LSTMCell": [
        Call("pb.nn.LSTMCell", ("np.ones((12, 2))", "np.ones((12, 3))", "np.ones(12)"))
    ],
    **{
        f"nn.{name}.initialize": [Call(f"pb.nn.{name}.initialize", ("2", "3"), DRAWN)]
        for name in ("ElmanCell", "GRUCell", "LSTMCell")
    },
    **{
        f"nn.{name}.begin": [Call(f"pb.nn.{name}.initialize(2, 3, rng=0).begin", (IN,))]
        for name in ("ElmanCell", "GRUCell", "LSTMCell")
    },
    "nn.Recurrent": [
        Call("pb.nn.Recurrent", ("pb.nn.GRUCell.initialize(2, 3, rng=0)", "True"), {},
             f"({SERIES})"),
        Call("pb.nn.Recurrent(pb.nn.LSTMCell.initialize(2, 3, rng=0))", (SERIES,)),
    ],
}  # fmt: skip
CALLS.update(LAYERS)
