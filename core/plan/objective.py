"""The loss of a plan: the end of its forward pass and the first gradient of its backward pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy import multiply

from core.arrays import Array, Op, column_of, constant, tensor_memory
from core.losses import Loss, LossContext
from core.nonfinite import finite_check, of_loss
from core.plan.forward import ForwardPass
from core.plan.watch import Watch


@dataclass(frozen=True, slots=True)
class Objective:
    """A loss with the targets of a batch, batch-first."""

    loss: Loss
    targets: Array
    """In the shape of the output; for `upstream`, ∂L/∂(output)."""

    coefficients: Array
    """Share c_i of each example in the loss of the batch, shape (n,)."""

    one_hot: bool = False
    """True if the targets of every example, now and in later runs, are 1 at one feature and 0 elsewhere."""


class LossPass:
    """Operations that compute L = Σ_i c_i ℓ_i + ½ λ Σ‖W‖² and ∂L/∂A of the output; ∂L/∂Z if fused with the activation."""

    def __init__(self, objective: Objective, fused: Loss | None, forward: ForwardPass, dA: Array, watch: Watch) -> None:
        node, context = forward.contexts[-1]
        read = context.result if fused else forward.output
        A = read if read.ndim else read.reshape(1)
        dA = dA if dA.ndim else dA.reshape(1)
        self.targets = tensor_memory(A.shape, A.dtype)
        self.targets[...] = objective.targets
        self.coefficients = objective.coefficients.astype(A.dtype)
        probabilities = forward.output.reshape(A.shape) if fused else np.empty_like(A)
        at = LossContext(A, self.targets, self.coefficients, dA, probabilities, objective.one_hot)
        loss = fused or objective.loss
        self._loss, self._read = loss, A
        value = loss.value(at)
        self.terms: dict[str, Any] = {"data": 0.0, "l2": 0.0}
        self.l2 = objective.loss.l2
        self.weights = [
            context.parameters[name]
            for node, context in forward.contexts
            for name, parameter in node.parameters.items()
            if parameter.weight_like
        ]
        terms = self.terms

        def evaluate() -> None:
            terms["data"] = value()

        self.ops: list[Op] = [evaluate]
        if self.l2:
            self.ops.append(self._penalise)
        if watch.check_deadline and objective.loss.needs_targets:  # With upstream there is no loss to report.
            cause = of_loss(objective.loss.kind, A, self.targets, objective.loss.advice_on_logarithms)
            check = partial(finite_check, node.name, node.position, "loss", cause=cause)
            self.ops.append(lambda: math.isfinite(abs(self.total)) or check(array=np.asarray(self.total))())
        self.backward_ops: list[Op] = [loss.gradient(at), *_share_ops(at)]

    @property
    def total(self) -> Any:
        """Loss of the last forward run, all terms together."""
        return self.terms["data"] + self.terms["l2"]

    def per_example(self) -> Array:
        """Return ℓ of each example in the last forward run, before shares and weights."""
        return self._loss.per_example(self._read, self.targets)

    def at_kink(self) -> Array | None:
        """Return where the loss had no derivative in the last forward run, as booleans in the shape of what it reads.

        None for a loss without a kink.
        """
        return self._loss.at_kink(self._read, self.targets)

    def _penalise(self) -> None:
        vectors = [weight.ravel(order="K") for weight in self.weights]
        self.terms["l2"] = 0.5 * self.l2 * sum(vector.dot(vector) for vector in vectors)


def _share_ops(at: LossContext) -> list[Op]:
    """Return the operation that multiplies each example's gradient by its share in the batch loss; none if all are 1."""
    share = at.share
    if share is None:
        return [lambda: multiply(at.dA, column_of(at.coefficients, at.dA), at.dA)]
    if share == 1:
        return []
    factor = constant(share, at.dA)
    return [partial(multiply, at.dA, factor, at.dA)]
