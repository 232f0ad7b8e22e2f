"""The mistakes in λ W."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Fitted, Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class _Penalty(Mistake):
    """∂L/∂W with another multiple of W than λ."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    unseen = "the weights are 0"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        parameter = trace.network.nodes[quantity.layer].parameters[quantity.name]
        return trace.network.objective.loss.l2 > 0 and parameter.weight_like


class PenaltyMissing(_Penalty):
    """No λ W."""

    slug = "penalty-missing"
    said = "lacks the term λ W of the l2 penalty"
    wrong = r"\frac{\partial L}{\partial W} = \outer{A}{\delta} \quad \text{without} \quad + \lambda W"
    why = "The loss has the penalty ½ λ ‖W‖², whose gradient is λ W."

    def regularisation(self, trace: Trace, layer: str, parameter: str) -> Array:
        return np.zeros_like(trace.parameters(layer)[parameter])


class PenaltyDoubled(_Penalty):
    """2 λ W."""

    slug = "penalty-doubled"
    said = "contains 2 λ W instead of λ W"
    wrong = r"\dots + 2 \lambda W"
    why = "The penalty is ½ λ ‖W‖², whose gradient is λ W. The gradient of λ ‖W‖², without the ½, would be 2 λ W."

    def regularisation(self, trace: Trace, layer: str, parameter: str) -> Array:
        return 2 * super().regularisation(trace, layer, parameter)


class PenaltyDividedByBatchSize(_Penalty):
    """λ W / n."""

    slug = "penalty-divided-by-batch-size"
    said = "contains λ W / n instead of λ W (n = $n)"
    wrong = r"\dots + \tfrac{\lambda}{n} W"
    why = (
        "The penalty is added after the mean over the examples and is not divided by n. Some courses define it as "
        "λ/2n ‖W‖²."
    )
    unseen = "with one example λ and λ/n are the same"

    def regularisation(self, trace: Trace, layer: str, parameter: str) -> Array:
        return super().regularisation(trace, layer, parameter) / trace.network.examples


class PenaltySubtracted(Mistake):
    """−λ W, and −λ b for a bias."""

    slug = "penalty-subtracted"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    said = "has the l2 penalty subtracted instead of added"
    wrong = r"\dots - \lambda W"
    why = (
        "The gradient of the penalty ½ λ ‖W‖² is + λ W, for the weights alone. It is added to the gradient; the minus "
        "sign of the update is applied once, to the sum. A bias has no penalty."
    )
    unseen = "the weights are 0"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return trace.network.objective.loss.l2 > 0

    def regularisation(self, trace: Trace, layer: str, parameter: str) -> Array:
        return -trace.network.objective.loss.l2 * trace.parameters(layer)[parameter]


class PenaltyOnEveryParameter(Mistake):
    """λ b added to ∂L/∂b."""

    slug = "penalty-on-bias"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    said = "contains λ times the $parameter as an extra term"
    wrong = r"\frac{\partial L}{\partial b} = \overexamples{\delta} + \lambda \, b"
    why = "The penalty applies to the weights only, not to biases: a bias shifts the output without making it steeper."
    unseen = "the biases are 0"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        parameter = trace.network.nodes[quantity.layer].parameters[quantity.name]
        return trace.network.objective.loss.l2 > 0 and not parameter.weight_like

    def regularisation(self, trace: Trace, layer: str, parameter: str) -> Array:
        return np.asarray(trace.network.objective.loss.l2 * trace.parameters(layer)[parameter])


class _Multiple(Fitted):
    """c θ added to the right gradient of some of the parameters θ."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)

    def regularisation(self, trace: Trace, layer: str, parameter: str) -> Array:
        found = super().regularisation(trace, layer, parameter)
        return found + self.factor * trace.parameters(layer)[parameter] if parameter in self.parameters else found


class PenaltyOnBias(_Multiple):
    """c b added to ∂L/∂b."""

    slug = "penalty-on-bias"
    parameters: ClassVar[tuple[str, ...]] = ("bias", "beta")
    said = "contains $factor times the bias as an extra term"
    wrong = r"\frac{\partial L}{\partial b} = \overexamples{\delta} + c \, b"
    why = "The penalty applies to the weights only, not to biases: a bias shifts the output without making it steeper."
    unseen = "the biases are 0"

    def named(self, trace: Trace) -> tuple[float, ...]:
        l2 = trace.network.objective.loss.l2
        return (l2, -l2)


class PenaltyOfAnotherSize(_Multiple):
    """c W added to the right gradient."""

    slug = "penalty-of-another-size"
    parameters: ClassVar[tuple[str, ...]] = (
        "weight",
        "recurrent_weight",
        "weight_reverse",
        "recurrent_weight_reverse",
        "gamma",
    )
    said = "contains $factor W as an extra term"
    wrong = r"\dots + c \, W"
    why = (
        "The difference from the right gradient is a multiple of W, as an l2 penalty of another strength than λ "
        "would give."
    )
    unseen = "the weights are 0"

    def named(self, trace: Trace) -> tuple[float, ...]:
        """Return the multiples that are mistakes of their own: 0, −λ, 2 λ and λ/n instead of λ."""
        l2, n = trace.network.objective.loss.l2, trace.network.examples
        return (-l2, -2 * l2, l2, l2 / n - l2)


PENALTIES: tuple[type[Mistake], ...] = (
    PenaltyMissing,
    PenaltyDoubled,
    PenaltyDividedByBatchSize,
    PenaltySubtracted,
    PenaltyOnEveryParameter,
    PenaltyOnBias,
    PenaltyOfAnotherSize,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
