"""Chain: a network of dense layers and its loss, as arrays of numbers that the compiled function reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.compiled import codes
from app.compiled.unsupported import Unsupported
from core.activations.base import Activation
from core.activations.identity import Identity
from core.activations.leaky_relu import LeakyRelu
from core.activations.relu import Relu
from core.activations.sigmoid import Sigmoid
from core.activations.softplus import Softplus
from core.activations.tanh import Tanh
from core.arrays import Array
from core.layers.dense import Dense
from core.losses import Loss
from core.losses.half_squared_error import HalfSquaredError
from core.losses.mean_squared_error import MeanSquaredError
from core.losses.sigmoid_cross_entropy import SigmoidCrossEntropy
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.network import INPUT, Node
from core.problem import Problem
from core.training.examples import objective_of

FUNCTIONS: dict[type[Activation], int] = {
    Identity: codes.IDENTITY,
    Relu: codes.RELU,
    LeakyRelu: codes.LEAKY_RELU,
    Tanh: codes.TANH,
    Sigmoid: codes.SIGMOID,
    Softplus: codes.SOFTPLUS,
}
LOSSES: dict[type[Loss], int] = {
    SoftmaxCrossEntropy: codes.ON_SOFTMAX,
    SigmoidCrossEntropy: codes.ON_SIGMOID,
    HalfSquaredError: codes.HALF_SQUARES,
    MeanSquaredError: codes.MEAN_SQUARES,
}

FUSED: dict[type[Loss], int] = {SoftmaxCrossEntropy: codes.FUSED_SOFTMAX, SigmoidCrossEntropy: codes.FUSED_SIGMOID}


@dataclass(frozen=True, slots=True)
class Chain:
    """Dense layers, each of which reads the one before it, and the loss of the last."""

    sizes: Array
    """Number of features of the input and of each layer."""

    weights: Array
    """Place of the first element of each layer's weight in θ."""

    biases: Array
    """Place of the first element of each layer's bias in θ; -1 without one."""

    functions: Array
    slopes: Array
    """Slope of leaky_relu, by layer."""

    loss: int
    l2: float

    @classmethod
    def of(cls, problem: Problem) -> Chain:
        """Return the chain of a problem.

        Raises:
            Unsupported: if the problem is not a chain of dense layers with a loss and a dtype that are compiled.
        """
        objective = objective_of(problem)
        if problem.dtype not in (np.float32, np.float64):
            raise Unsupported(f"The precision {problem.dtype} is not compiled.")
        if problem.feedback is not None:
            raise Unsupported("Feedback matrices are not compiled.")
        if not np.all(objective.coefficients == objective.coefficients[0]):
            raise Unsupported("Different sample weights are not compiled.")
        fused = objective.loss.on_logits(problem.nodes[-1].function)
        loss = fused or objective.loss
        if type(loss) not in LOSSES:
            raise Unsupported(
                f"The loss {loss.kind} of an output by {problem.nodes[-1].function.name} is not compiled."
            )
        reads = INPUT
        for node in problem.nodes:
            _refuse(node, reads, is_last_of_fused=fused is not None and node is problem.nodes[-1])
            reads = node.name
        functions = [node.function for node in problem.nodes]
        if fused is not None:
            functions[-1] = Identity()
        parameters = [problem.parameters[node.name] for node in problem.nodes]
        weights, biases, end = [], [], 0
        for named in parameters:
            # In the order of `Trainable`: a layer's weight, then its bias.
            weights.append(end)
            end += named["weight"].size
            biases.append(end if "bias" in named else -1)
            end += named["bias"].size if "bias" in named else 0
        return cls(
            sizes=np.array(
                [problem.nodes[0].parameters["weight"].shape[0], *(node.shape[-1] for node in problem.nodes)]
            ),
            weights=np.array(weights),
            biases=np.array(biases),
            functions=np.array([FUNCTIONS[type(function)] for function in functions]),
            slopes=np.array([getattr(function, "negative_slope", 0.0) for function in functions]),
            loss=(LOSSES if fused is None else FUSED)[type(loss)],
            l2=objective.loss.l2,
        )


def _refuse(node: Node, reads: str, *, is_last_of_fused: bool) -> None:
    """Raise `Unsupported` unless the layer is a dense one of that name's result, with a compiled activation function."""
    if type(node.layer) is not Dense:
        raise Unsupported(f"Layer {node.name!r} ({node.layer.kind}) is not compiled.")
    if len(node.shape) != 2:
        raise Unsupported(
            f"Layer {node.name!r} has a result of rank {len(node.shape)}, and only matrices are compiled."
        )
    if node.reads != (reads,):
        raise Unsupported(f"Layer {node.name!r} does not read the layer before it, and only chains are compiled.")
    function = node.function
    if is_last_of_fused:
        return
    if type(function) not in FUNCTIONS:
        raise Unsupported(f"The activation {function.name} of layer {node.name!r} is not compiled.")
    if isinstance(function, LeakyRelu) and function.negative_slope < 0:
        raise Unsupported(f"The negative slope below 0 of layer {node.name!r} is not compiled.")
