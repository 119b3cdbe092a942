"""Networks: layers, their composition, backpropagation layer by layer, and models made of them.

A network is a pytree whose leaves are its parameters, and is called like a function::

    rng = np.random.default_rng(0)
    layers = [pb.nn.Dense.initialize(2, 8, "tanh", rng=rng), pb.nn.Head.initialize(8, rng=rng)]
    net = pb.nn.Chain(layers)
    gradient = pb.grad(lambda net: pb.losses.mse(net(x), target))(net)
"""

from pullback.nn import activations, models
from pullback.nn.backpropagation import Backpropagation, LayerRecord, backpropagate
from pullback.nn.chain import Chain, Function
from pullback.nn.convolution import Conv1d, Conv2d
from pullback.nn.dropout import Dropout
from pullback.nn.embedding import Embedding
from pullback.nn.initialization import glorot, he
from pullback.nn.layers import Dense, Head, Layer, Residual
from pullback.nn.model import Model
from pullback.nn.modes import observe, training
from pullback.nn.normalization import BatchNorm, LayerNorm
from pullback.nn.pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from pullback.nn.recurrent import ElmanCell, GRUCell, LSTMCell, Recurrent

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "Backpropagation",
    "BatchNorm",
    "Chain",
    "Conv1d",
    "Conv2d",
    "Dense",
    "Dropout",
    "ElmanCell",
    "Embedding",
    "Function",
    "GRUCell",
    "Head",
    "LSTMCell",
    "Layer",
    "LayerNorm",
    "LayerRecord",
    "MaxPool1d",
    "MaxPool2d",
    "Model",
    "Recurrent",
    "Residual",
    "activations",
    "backpropagate",
    "glorot",
    "he",
    "models",
    "observe",
    "training",
]
