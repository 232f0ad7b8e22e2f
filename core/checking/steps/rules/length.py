"""Updates of another length: a constant factor in every step, and parameters that do not move."""

from __future__ import annotations

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.base import UpdateRule


class Scaled(UpdateRule):
    """The right step times a constant that no known mistake has."""

    slug = "wrong-step-length"
    aspect = "rate"
    said = "Your update is right up to a constant factor: the learning rate, or a factor in the gradient, is another"
    wrong = r"\theta - c\, \eta\, \Delta"
    why = "Every number moves by the same multiple of the right step. Compare the learning rate and the factor 1/n."
    factor = 1.0

    def rate(self, now: Moment) -> float | Array:
        return self.factor * super().rate(now)


class NotMoved(UpdateRule):
    """The parameters stay."""

    slug = "parameters-not-moved"
    aspect = "rate"
    said = "Your update leaves the parameters as they are"
    wrong = r"\theta"
    why = "The step has to be written back into the parameters that the network uses, not into a copy."

    def finish(self, now: Moment, theta: Array) -> Array:
        return now.theta
