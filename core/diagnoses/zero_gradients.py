"""Zero gradients: every weight of the network has the gradient 0, so that no step changes any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from core.errors import Issue
from core.plan import Plan


def zero_gradients(plan: Plan) -> Callable[[], Iterator[Issue]]:
    """Bind to a plan: a warning if all gradients of its weights are exactly 0, and the loss is not 0 already."""
    weights = [
        (context.parameters[name], context.gradients[name])
        for node, context in plan.contexts
        for name, parameter in node.parameters.items()
        if parameter.weight_like and name in context.gradients
    ]

    def find() -> Iterator[Issue]:
        # Nearly always the first number of all answers.
        if not weights or any(gradient.item(0) or gradient.any() for _, gradient in weights):
            return
        if not np.any(plan.loss.total):
            return
        are_zero = not any(weight.any() for weight, _ in weights)
        reason = (
            "all weights are 0, so that nothing passes a layer forward or backward"
            if are_zero
            else "nothing passes backward at this point"
        )
        yield Issue(
            code="zero-gradients",
            path=("parameters",) if are_zero else ("network", "layers"),
            detail=f"Nothing can be learned from here: the gradient of every weight is exactly 0, because {reason}. "
            "The gradients are right, and every step leaves the weights as they are.",
            hint='Initialise the weights at random ("seed"); biases may start at 0.',
        )

    return find
