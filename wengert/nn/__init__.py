"""Networks: modules, layers, transfer functions, losses, initialisation.

>>> from wengert import nn
>>> nn.Sequential(nn.Linear(2, 8), nn.Tansig(), nn.Linear(8, 1))
Sequential(
  (0): Linear(2, 8)
  (1): Tansig()
  (2): Linear(8, 1)
)
"""

from . import init
from .activations import (
    elu,
    gelu,
    hardlim,
    hardlims,
    leaky_relu,
    log_softmax,
    logsig,
    poslin,
    purelin,
    radbas,
    relu,
    satlin,
    satlins,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
    tansig,
)
from .layers import Dropout, Flatten, Linear, Sequential, Standardize
from .losses import binary_cross_entropy, cross_entropy, mean_squared_error, sum_squared_error
from .module import Module, Parameter
from .transfer import (
    ELU,
    GELU,
    Hardlim,
    Hardlims,
    LeakyReLU,
    Logsig,
    LogSoftmax,
    Poslin,
    Purelin,
    Radbas,
    ReLU,
    Satlin,
    Satlins,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    Tansig,
)

__all__ = [
    # modules and layers
    "Module",
    "Parameter",
    "Linear",
    "Sequential",
    "Dropout",
    "Flatten",
    "Standardize",
    # transfer functions
    "elu",
    "gelu",
    "hardlim",
    "hardlims",
    "leaky_relu",
    "log_softmax",
    "logsig",
    "poslin",
    "purelin",
    "radbas",
    "relu",
    "satlin",
    "satlins",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
    "tansig",
    # the same as layers
    "ELU",
    "GELU",
    "Hardlim",
    "Hardlims",
    "LeakyReLU",
    "LogSoftmax",
    "Logsig",
    "Poslin",
    "Purelin",
    "Radbas",
    "ReLU",
    "Satlin",
    "Satlins",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "Tansig",
    # losses
    "binary_cross_entropy",
    "cross_entropy",
    "mean_squared_error",
    "sum_squared_error",
    # initial values
    "init",
]
