"""The mistakes in what goes back through the weights of the layer above."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.recursion import WrongRecursion
from core.checking.trace import Trace


class ErrorInsteadOfDelta(WrongRecursion):
    """∂L/∂A_m Wᵀ: the error of the layer above before it has passed the activation of that layer."""

    slug = "error-instead-of-delta"
    said = "sends the error of layer '$above' back through its weights before it has passed the layer's activation"
    wrong = r"\delta_l = \left( \back{\frac{\partial L}{\partial A_m}}{W_m} \right) \circ f'(Z_l)"
    why = (
        "The error of layer '$above' reaches its weights through its activation function: multiply by f'(z) of that "
        "layer first. What goes back through the weights is the delta, ∂L/∂Z."
    )
    unseen = "f'(z) of layer '$above' is 1 for every number that counts here"

    def sent_back(self, trace: Trace, layer: str, D: Array, W: Array) -> Array | None:
        network = trace.network
        if network.nodes[layer].function.is_identity:
            return None
        error = self.loss_gradient(trace) if layer == network.last else self.arriving(trace, layer)
        return error @ W.T


class DifferenceInsteadOfDelta(ErrorInsteadOfDelta):
    """(A − Y) Wᵀ: the raw error of the output, in whatever way the loss weighs it."""

    said = "sends the raw error a − y back through the weights of layer '$above' instead of that layer's delta"
    wrong = r"\delta_l = \left( \back{A_L - Y}{W_L} \right) \circ f'(Z_l)"

    def sent_back(self, trace: Trace, layer: str, D: Array, W: Array) -> Array | None:
        objective = trace.network.objective
        if layer != trace.network.last or not objective.loss.needs_targets:
            return None
        shares = objective.coefficients.reshape(-1, *(1 for _ in D.shape[1:]))
        return np.asarray(shares * (trace.activations[layer] - objective.targets.reshape(D.shape)) @ W.T)


class ActivationInsteadOfDelta(WrongRecursion):
    """A_m Wᵀ: the output of the layer above."""

    slug = "activation-instead-of-delta"
    said = "sends the activations of layer '$above' back through its weights instead of its delta"
    wrong = r"\delta_l = (\back{A_m}{W_m}) \circ f'(Z_l)"
    why = "What goes back through the weights of layer '$above' is that layer's delta, ∂L/∂Z, not its output."
    unseen = "the delta of layer '$above' equals its activations"

    def sent_back(self, trace: Trace, layer: str, D: Array, W: Array) -> Array | None:
        return trace.activations[layer] @ W.T


ERRORS: tuple[type[Mistake], ...] = (
    ErrorInsteadOfDelta,
    DifferenceInsteadOfDelta,
    ActivationInsteadOfDelta,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
