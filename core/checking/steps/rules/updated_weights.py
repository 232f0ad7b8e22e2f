"""Weights that are updated layer by layer while the errors still come back through them."""

from __future__ import annotations

from dataclasses import replace

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.base import UpdateRule
from core.optimizers import Memory


class UpdatedWeightsUsed(UpdateRule):
    """Δ_{l−1} = f'(Z_{l−1}) ∘ Δ_l (W_l⁺)ᵀ with the weights W⁺ after the update.

    The update of the last layer is right, since its gradient needs no weights. It gives the delta of the layer below,
    that one's update the next delta, and so on: after as many rounds as there are layers every gradient is the program's.
    """

    slug = "updated-weights-used"
    aspect = "gradient"
    said = (
        "Your update changes the weights of a layer before the error has come back through them: the deltas below are "
        "formed with updated weights"
    )
    wrong = r"\Delta_{l-1} = f'(Z_{l-1}) \circ \Delta_l \left( W_l^{+} \right)^\top"
    why = (
        "All gradients are derivatives at one point, the weights of the forward pass. Compute the gradients of every layer "
        "first, and then update all of them."
    )
    unseen = "no error comes back through weights that the update changes"

    def applies(self, now: Moment) -> bool:
        return now.layout.layers > 1

    def gradient(self, now: Moment) -> Array:
        found = super().gradient(now)
        if now.gradient_sent_back_through is None:
            return found
        at = self.point(now)
        for _ in range(now.layout.layers - 1):
            found = now.gradient_sent_back_through(at, self._moved(now, found))
        return found

    def _moved(self, now: Moment, g: Array) -> Array:
        """Return the parameters that the program writes back with this gradient; the state stays as it is."""
        memory = now.memory
        slots = {name: array.copy() for name, array in memory.slots.items()}
        trial = replace(now, memory=Memory(memory.step, slots, dict(memory.scalars)), carried=dict(now.carried))
        g = self.decayed(trial, self.prepared(trial, g))
        return self.finish(trial, self.move(trial, self.shrunk(trial), g))
