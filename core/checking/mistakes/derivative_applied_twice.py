"""derivative-applied-twice: f'(z) times a delta that contains it already."""

from __future__ import annotations

from core.activations.base import Activation
from core.arrays import Array
from core.checking.formulas import RIGHT
from core.checking.layer_rules import through
from core.checking.mistakes.shared.derivative import WrongDerivative
from core.checking.trace import Trace


class DerivativeAppliedTwice(WrongDerivative):
    """f'(Z) ∘ (A − Y) for cross-entropy: A − Y is the delta already; or a Jacobian applied to what has passed it."""

    slug = "derivative-applied-twice"
    said = "contains the derivative of its activation function twice"
    wrong = r"\delta = J_f(Z)^\top \, \delta_{\text{right}}"
    why = (
        "For cross-entropy after softmax, and for binary cross-entropy after sigmoid, a − y is already ∂L/∂z: the "
        "derivative of the activation cancels against that of the loss. Do not multiply by f'(z) again."
    )
    unseen = "f'(z) is 0 or 1 for every number that counts here"

    def output_delta(self, trace: Trace) -> Array:
        last = trace.network.last
        function = trace.network.nodes[last].function
        return through(function, trace.preactivations[last], trace.activations[last], RIGHT.output_delta(trace))

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        return through(function, Z, A, through(function, Z, A, dA))
