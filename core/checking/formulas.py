"""The rules of backpropagation, one method each, as a hand-written program has them.

`Formulas` has the right rules. A mistake is a subclass that overrides one of them, and two mistakes at once are a class
that inherits from both, so that a rule that uses another one uses the wrong one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.arrays import Array, column_of
from core.checking.layer_rules import activate, through
from core.checking.trace import Trace
from core.losses import Loss, LossContext
from core.plan import Objective


class Formulas:
    """The right rules.

    forward       Z_l = layer_l(A_j for each j that it reads)        A_l = f_l(Z_l)
    loss          L = Σ_i c_i ℓ(a_i, y_i) + ½ λ Σ‖W‖²
    output delta  Δ_L = f_L'(Z_L) ∘ ∂L/∂A_L
    delta         Δ_l = f_l'(Z_l) ∘ Σ_m (what each layer m that reads A_l sends back from Δ_m)
    gradients     ∂L/∂θ_l from Δ_l and what layer l reads, + λ W_l for weights
    """

    def preactivation(self, trace: Trace, layer: str) -> Array:
        """Return Z of a layer from the tensors that it reads."""
        return trace.network.layer_rules[layer].result(trace.read_by(layer))

    def activation(self, trace: Trace, layer: str) -> Array:
        """Return A of a layer from its Z."""
        return activate(trace.network.nodes[layer].function, trace.preactivations[layer])

    def loss(self, trace: Trace) -> Array:
        """The loss of the batch from the output: from its logits, where that is the stable form and nothing was given."""
        network, objective = trace.network, trace.network.objective
        last = network.last
        fused = None
        if (last, "activations") not in trace.given:
            fused = objective.loss.on_logits(network.nodes[last].function)
        read = trace.preactivations[last] if fused else trace.activations[last]
        data = _evaluate_loss(fused or objective.loss, objective, read)[1]
        return np.asarray(data + self.penalty(trace))

    def penalty(self, trace: Trace) -> Any:
        """½ λ Σ‖W‖²."""
        network, l2 = trace.network, trace.network.objective.loss.l2
        weights = [
            rules.parameters[name]
            for rules in network.layer_rules.values()
            for name, parameter in rules.node.parameters.items()
            if parameter.weight_like
        ]
        return 0.5 * l2 * sum((weight * weight).sum() for weight in weights) if l2 else 0.0

    def loss_gradient(self, trace: Trace) -> Array:
        """Return ∂L/∂A of the output."""
        objective = trace.network.objective
        return loss_gradient(objective.loss, objective, trace.activations[trace.network.last])

    def output_delta(self, trace: Trace) -> Array:
        """Return Δ of the last layer, by the fused form of loss and activation if there is one."""
        network, objective = trace.network, trace.network.objective
        node = network.nodes[network.last]
        fused = objective.loss.on_logits(node.function)
        if fused is None:
            return self.through_activation(trace, network.last, self.loss_gradient(trace))
        return loss_gradient(fused, objective, trace.preactivations[node.name], trace.activations[node.name])

    def through_layer(self, trace: Trace, layer: str, position: int) -> Array:
        """Return the gradient that a layer sends back to one of the tensors that it reads."""
        return trace.backward(layer).inputs[position]

    def arriving(self, trace: Trace, name: str) -> Array:
        """Return ∂L/∂A of a tensor, the sum of the gradients that its readers send back."""
        total = np.zeros(trace.network.shapes[name])
        for reader in trace.network.readers[name]:
            total = total + self.through_layer(trace, reader.layer, reader.position)
        return total

    def through_activation(self, trace: Trace, layer: str, dA: Array) -> Array:
        """Return ∂L/∂Z of a layer from ∂L/∂A."""
        function = trace.network.nodes[layer].function
        return through(function, trace.preactivations[layer], trace.activations[layer], dA)

    def delta(self, trace: Trace, layer: str) -> Array:
        """Return Δ of a layer, from those of its readers or from the loss."""
        if layer == trace.network.last:
            return self.output_delta(trace)
        return self.through_activation(trace, layer, self.arriving(trace, layer))

    def gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        """Return ∂L/∂θ of one parameter, from the layer's Δ and its inputs."""
        found, penalty = self.data_gradient(trace, layer, parameter), self.regularisation(trace, layer, parameter)
        return found + penalty if penalty.any() else found

    def data_gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        """Return ∂L/∂θ without l2."""
        return trace.backward(layer).parameters[parameter]

    def regularisation(self, trace: Trace, layer: str, parameter: str) -> Array:
        """Return λ W for weights, and 0 for other parameters."""
        values = trace.parameters(layer)[parameter]
        weight_like = trace.network.nodes[layer].parameters[parameter].weight_like
        return trace.network.objective.loss.l2 * values if weight_like else np.zeros_like(values)

    def input_gradient(self, trace: Trace, name: str) -> Array:
        """Return ∂L/∂X of an input of the batch."""
        return self.arriving(trace, name)


RIGHT = Formulas()


def loss_gradient(loss: Loss, objective: Objective, read: Array, probabilities: Array | None = None) -> Array:
    """Return the gradient of the loss by its argument. `probabilities` replace those that a loss on logits computes."""
    at, _ = _evaluate_loss(loss, objective, read)
    if probabilities is not None:
        at.probabilities[...] = probabilities.reshape(at.A.shape)
    loss.gradient(at)()
    return np.asarray((at.dA * column_of(at.coefficients, at.dA)).reshape(read.shape))


def _evaluate_loss(loss: Loss, objective: Objective, read: Array) -> tuple[LossContext, Any]:
    """Return the arrays of a loss after it has computed its value, and the value."""
    A = np.ascontiguousarray(read.reshape(read.shape or (1,)))
    targets = objective.targets.reshape(A.shape).astype(A.dtype)
    at = LossContext(A, targets, objective.coefficients.astype(A.dtype), np.empty_like(A), np.empty_like(A))
    return at, loss.value(at)()
