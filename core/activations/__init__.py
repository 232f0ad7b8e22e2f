"""Activation functions: one file each, registered in `FUNCTIONS`."""

from __future__ import annotations

from core.activations.abs import Abs
from core.activations.base import Activation
from core.activations.clip import Clip
from core.activations.elu import Elu
from core.activations.erf import Erf
from core.activations.exp import Exp
from core.activations.gelu import Gelu
from core.activations.hard_sigmoid import HardSigmoid
from core.activations.hard_swish import HardSwish
from core.activations.identity import Identity
from core.activations.leaky_relu import LeakyRelu
from core.activations.log import Log
from core.activations.log_softmax import LogSoftmax
from core.activations.mish import Mish
from core.activations.negate import Negate
from core.activations.power import Power
from core.activations.reciprocal import Reciprocal
from core.activations.relu import Relu
from core.activations.selu import Selu
from core.activations.sigmoid import Sigmoid
from core.activations.silu import Silu
from core.activations.sin import Sin
from core.activations.softmax import Softmax
from core.activations.softplus import Softplus
from core.activations.softsign import Softsign
from core.activations.sqrt import Sqrt
from core.activations.square import Square
from core.activations.tanh import Tanh

FUNCTIONS: dict[str, type[Activation]] = {
    function.name: function
    for function in (
        Identity, Sigmoid, Tanh, Relu, LeakyRelu, Elu, Selu, Gelu, Silu, Softplus, Softsign, Softmax, LogSoftmax,
        Square, Sin, Exp, Log, Negate, HardSigmoid, HardSwish, Mish, Erf, Clip, Sqrt, Reciprocal, Abs, Power,
    )
}  # fmt: skip
"""Every activation function by its name in a request."""

__all__ = ["FUNCTIONS", "Activation"]
