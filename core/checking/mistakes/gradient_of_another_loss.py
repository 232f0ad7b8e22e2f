"""gradient-of-another-loss: the output delta of a loss other than the request's."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.formulas import loss_gradient
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.losses import LOSSES, Loss

COMMON = ("half_squared_error", "mean_squared_error", "binary_cross_entropy", "cross_entropy", "mean_absolute_error")
"""Losses that are often confused."""


class GradientOfAnotherLoss(Mistake):
    """Δ_L of the squared error for a cross-entropy loss, or vice versa."""

    slug = "gradient-of-another-loss"
    strikes: ClassVar[tuple[str, ...]] = ("deltas",)
    other: ClassVar[str]
    separate = "Send the value of the loss too: it shows which loss your program computes."
    unseen = "both losses have the same gradient here"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        loss = trace.network.objective.loss
        return quantity.layer == trace.network.last and loss.needs_targets and loss.kind != self.other

    def output_delta(self, trace: Trace) -> Array:
        network, objective = trace.network, trace.network.objective
        last, kind = network.last, LOSSES[self.other]
        other: Loss = kind(reduction=objective.loss.reduction)  # type: ignore[call-arg]
        fused = other.on_logits(network.nodes[last].function)
        if fused is not None:
            return loss_gradient(fused, objective, trace.preactivations[last], trace.activations[last])
        return self.through_activation(trace, last, loss_gradient(other, objective, trace.activations[last]))


def _of(name: str) -> type[GradientOfAnotherLoss]:
    return type(
        f"GradientOf{name.title().replace('_', '')}",
        (GradientOfAnotherLoss,),
        {
            "other": name,
            "said": f"is that of the loss {name} instead of $loss",
            "wrong": rf"\delta \text{{ of }} \mathrm{{{name}}}".replace("_", r"\_"),
            "why": f"The loss of the request is $loss; your delta is that of {name}.",
        },
    )


OTHER_LOSSES = tuple(_of(name) for name in COMMON)
"""One for each loss."""
