"""The mistakes in what stands beside the delta in ∂L/∂W, and in which delta it is."""

from __future__ import annotations

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.outer_product import WrongProduct
from core.checking.trace import Trace


class OwnOutputInsteadOfInput(WrongProduct):
    """A_lᵀ Δ_l: the layer's own activations."""

    slug = "own-output-instead-of-input"
    said = "is formed with the layer's own activations instead of those it reads"
    wrong = r"\frac{\partial L}{\partial W_l} = \outer{A_l}{\delta_l}"
    why = "W_l multiplies A_(l−1), so its gradient contains A_(l−1). A_l is one layer too far up."
    unseen = "the layer's input and output are equal"

    def factors(self, trace: Trace, layer: str) -> tuple[Array | None, Array | None]:
        return trace.activations[layer], trace.deltas[layer]


class PreactivationInsteadOfActivation(WrongProduct):
    """Z_(l−1)ᵀ Δ_l: what the layer below computed before its activation."""

    slug = "preactivation-instead-of-activation"
    said = "is formed with the preactivations z of layer '$below' instead of its activations a"
    wrong = r"\frac{\partial L}{\partial W_l} = \outer{Z_{l-1}}{\delta_l}"
    why = "The layer multiplies W by a = f(z) of the layer below, so the gradient contains a, not z."
    unseen = "a and z of layer '$below' are equal here"

    def factors(self, trace: Trace, layer: str) -> tuple[Array | None, Array | None]:
        below = trace.network.nodes[layer].reads[0]
        return trace.preactivations.get(below), trace.deltas[layer]


class NetworkInputInsteadOfActivation(WrongProduct):
    """Xᵀ Δ_l in a layer that does not read X."""

    slug = "network-input-instead-of-activation"
    said = "is formed with the inputs of the network instead of the layer's own input"
    wrong = r"\frac{\partial L}{\partial W_l} = \outer{X}{\delta_l}"
    why = "Only the first layer reads the batch; this layer reads the activations of layer '$below'."

    def factors(self, trace: Trace, layer: str) -> tuple[Array | None, Array | None]:
        inputs = trace.network.inputs
        if trace.network.nodes[layer].reads[0] in inputs:
            return None, None
        return next(iter(inputs.values())), trace.deltas[layer]


class DeltaOfLayerAbove(WrongProduct):
    """A_(l−1)ᵀ Δ_(l+1): the index of the delta is one too high."""

    slug = "delta-of-layer-above"
    said = "is formed with the delta of layer '$above' instead of the layer's own"
    wrong = r"\frac{\partial L}{\partial W_l} = \outer{A_{l-1}}{\delta_{l+1}}"
    why = (
        "The gradient of W_l is formed with the delta at Z_l. The delta of layer '$above' belongs to the next layer up."
    )

    def factors(self, trace: Trace, layer: str) -> tuple[Array | None, Array | None]:
        readers = trace.network.readers[layer]
        return trace.read_by(layer)[0], trace.deltas.get(readers[0].layer) if readers else None


class GradientAtActivation(WrongProduct):
    """A_(l−1)ᵀ ∂L/∂A_l: the error before it has passed the activation."""

    slug = "gradient-at-activation"
    said = "is formed with ∂L/∂A of the layer instead of its delta ∂L/∂Z"
    wrong = r"\frac{\partial L}{\partial W_l} = \outer{A_{l-1}}{\frac{\partial L}{\partial A_l}}"
    why = (
        "The activation function lies between W_l and A_l: ∂L/∂A has to be multiplied by f'(Z) before it multiplies "
        "the input."
    )
    unseen = "f'(z) is 1 for every number that counts here"

    def factors(self, trace: Trace, layer: str) -> tuple[Array | None, Array | None]:
        network = trace.network
        if network.nodes[layer].function.is_identity:
            return None, None
        dA = self.loss_gradient(trace) if layer == network.last else self.arriving(trace, layer)
        return trace.read_by(layer)[0], dA


WRONG_FACTORS: tuple[type[Mistake], ...] = (
    OwnOutputInsteadOfInput,
    PreactivationInsteadOfActivation,
    NetworkInputInsteadOfActivation,
    DeltaOfLayerAbove,
    GradientAtActivation,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
