"""Mistakes in the gradient that enters the update: its sign, its scale, and the parameters at which it was taken."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.base import UpdateRule


class GradientSign(UpdateRule):
    """−g in place of g."""

    slug = "gradient-with-wrong-sign"
    aspect = "gradient"
    said = "Your update uses the gradient with the wrong sign"
    wrong = r"-g"
    why = "Every rule here takes g = ∂L/∂θ and subtracts the step; a gradient of the other sign leads uphill."

    def gradient(self, now: Moment) -> Array:
        return -super().gradient(now)


class _Scaled(UpdateRule):
    """A multiple of g in place of g."""

    aspect = "gradient"
    unseen = "this optimizer divides by the size of the gradient, so that a constant factor in it cancels"

    def scale(self, now: Moment) -> float:
        """Return the wrong factor."""
        raise NotImplementedError

    def gradient(self, now: Moment) -> Array:
        return self.scale(now) * super().gradient(now)


class GradientSummed(_Scaled):
    """n g: the sum over the examples in place of the mean."""

    slug = "gradient-summed"
    said = "Your update uses the gradient summed over the examples instead of averaged: it is n times too large"
    wrong = r"n\, g"
    why = "The loss is the mean over the n examples, so that its gradient is the mean of the gradients of the examples."

    def applies(self, now: Moment) -> bool:
        return now.layout.is_mean and now.layout.examples > 1

    def scale(self, now: Moment) -> float:
        return float(now.layout.examples)


class GradientAveraged(_Scaled):
    """g / n: divided by the number of examples once too often."""

    slug = "gradient-averaged-again"
    said = "Your update divides the gradient by the number of examples n once too often"
    wrong = r"\frac{1}{n}\, g"
    why = "The reduction of the loss decides whether its gradient has a factor 1/n; the update adds none."

    def applies(self, now: Moment) -> bool:
        return now.layout.examples > 1

    def scale(self, now: Moment) -> float:
        return 1.0 / now.layout.examples


class GradientDoubled(_Scaled):
    """2 g."""

    slug = "gradient-doubled"
    said = "Your update uses twice the gradient"
    wrong = r"2\, g"
    why = "The ½ of a squared error cancels the 2 of its derivative; without one of them the gradient is off by 2."

    def scale(self, now: Moment) -> float:
        return 2.0


class GradientHalved(_Scaled):
    """g / 2."""

    slug = "gradient-halved"
    said = "Your update uses half the gradient"
    wrong = r"\tfrac{1}{2}\, g"
    why = "The ½ of a squared error cancels the 2 of its derivative; without one of them the gradient is off by 2."

    def scale(self, now: Moment) -> float:
        return 0.5


class GradientNotRecomputed(UpdateRule):
    """The gradient at the first parameters, in every step."""

    slug = "gradient-not-recomputed"
    aspect = "gradient"
    said = "Your update uses the gradient of the first step in every step"
    wrong = r"\nabla L(\theta_0)"
    why = "Each step needs the gradient at the parameters as they are before it: run forward and backward again."
    unseen = "in the first step there is only one gradient; send two steps"

    def gradient(self, now: Moment) -> Array:
        first = now.carried.setdefault("first gradient", super().gradient(now))
        return first


class GradientOfStepBefore(UpdateRule):
    """The gradient of the step before; in the first step that of the first parameters."""

    slug = "gradient-of-step-before"
    aspect = "gradient"
    said = "Your update uses the gradient of the step before: it was computed before the parameters moved"
    wrong = r"\nabla L(\theta_{t-2})"
    why = "Each step needs the gradient at the parameters as they are before it: run forward and backward again."
    unseen = "in the first step there is no gradient of a step before; send three steps"

    def gradient(self, now: Moment) -> Array:
        present = super().gradient(now)
        before = now.carried.get("gradient before", present)
        now.carried["gradient before"] = present
        return before


class GradientsNotReset(UpdateRule):
    """The sum of all gradients so far."""

    slug = "gradients-not-reset"
    aspect = "gradient"
    said = "Your update uses the sum of the gradients of all steps so far: they are added up and never set to 0"
    wrong = r"\sum_{k \le t} g_k"
    why = "A backward pass that adds to the stored gradients needs them set to 0 before it, in every step."
    unseen = "in the first step there is only one gradient; send two steps"

    def gradient(self, now: Moment) -> Array:
        total = now.carried.get("sum of gradients", 0.0) + super().gradient(now)
        now.carried["sum of gradients"] = total
        return np.asarray(total)


class ClippingLeftOut(UpdateRule):
    """The gradient without the limit of its norm."""

    slug = "clipping-left-out"
    aspect = "clipping"
    said = "Your update does not limit the norm of the gradient"
    wrong = r"g"
    why = "With gradient_clip_norm c the gradient is multiplied by min(1, c / ‖g‖), the norm taken over all parameters."
    unseen = "the norm of the gradient is below the limit"

    def applies(self, now: Moment) -> bool:
        return now.optimizer.gradient_clip_norm is not None

    def clipped(self, now: Moment, g: Array, limit: float) -> Array:
        return g


class ClippedByParameter(UpdateRule):
    """Each gradient limited by its own norm."""

    slug = "clipped-by-parameter"
    aspect = "clipping"
    said = "Your update limits the norm of each parameter's gradient by itself"
    wrong = r"g_k \min(1, c / \lVert g_k \rVert)"
    why = "gradient_clip_norm limits the norm of all gradients together, so that their direction is kept."
    unseen = "the norm of the gradient is below the limit"

    def applies(self, now: Moment) -> bool:
        return now.optimizer.gradient_clip_norm is not None

    def clipped(self, now: Moment, g: Array, limit: float) -> Array:
        found = g.copy()
        for part in now.layout.slices.values():
            found[part] *= min(1.0, limit / (float(np.linalg.norm(g[part])) + 1e-6))
        return found


class FrozenMoved(UpdateRule):
    """Parameters that are not to be trained are."""

    slug = "frozen-parameters-moved"
    aspect = "frozen"
    said = "Your update moves parameters that the request freezes"
    wrong = r"\theta - \eta\, \Delta"
    why = "Parameters named in `freeze` keep their values."
    unseen = "no parameter is frozen"

    def applies(self, now: Moment) -> bool:
        return not bool(now.layout.trained.all())

    def prepared(self, now: Moment, g: Array) -> Array:
        limit = now.optimizer.gradient_clip_norm
        return g if limit is None else self.clipped(now, g, limit)

    def finish(self, now: Moment, theta: Array) -> Array:
        return theta


GRADIENT: tuple[type[UpdateRule], ...] = (
    GradientSummed,
    GradientAveraged,
    GradientDoubled,
    GradientHalved,
    GradientSign,
    GradientNotRecomputed,
    GradientOfStepBefore,
    GradientsNotReset,
    ClippingLeftOut,
    ClippedByParameter,
    FrozenMoved,
)
