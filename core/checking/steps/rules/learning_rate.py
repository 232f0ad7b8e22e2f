"""Mistakes in the length and the direction of the step."""

from __future__ import annotations

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.base import UpdateRule


class LearningRateSign(UpdateRule):
    """θ ← θ + η Δ."""

    slug = "step-uphill"
    aspect = "rate"
    said = "Your update adds the step instead of subtracting it, so that the loss rises"
    wrong = r"\theta + \eta\, \Delta"
    why = (
        "The gradient points to where the loss grows: the step against it is subtracted. Either the sign of the learning "
        "rate or the sign of the step is wrong."
    )

    def rate(self, now: Moment) -> float | Array:
        return -super().rate(now)


class ScheduleLeftOut(UpdateRule):
    """η without schedule and warm-up."""

    slug = "schedule-left-out"
    aspect = "rate"
    said = "Your update uses the learning rate without its schedule"
    wrong = r"\eta_t = \eta"
    why = "The schedule and the warm-up multiply the learning rate of every step by a factor, which depends on t."
    unseen = "the factor of the schedule is 1 in these steps"

    def applies(self, now: Moment) -> bool:
        return now.optimizer.schedule is not None or now.optimizer.warmup_steps > 0

    def rate(self, now: Moment) -> float | Array:
        return now.base_rate


class ScheduleOneStepLate(UpdateRule):
    """η · factor(t) in step t in place of factor(t − 1)."""

    slug = "schedule-one-step-ahead"
    aspect = "rate"
    said = "Your update uses the learning rate of the next step: the schedule was moved on before the update"
    wrong = r"\eta_t = \eta \cdot \mathrm{factor}(t)"
    why = "The factor of a step follows from the number of steps completed before it, 0 for the first one."
    unseen = "the factor of the schedule does not change in these steps"

    def applies(self, now: Moment) -> bool:
        return now.optimizer.schedule is not None or now.optimizer.warmup_steps > 0

    def rate(self, now: Moment) -> float | Array:
        return now.base_rate * now.optimizer.factor(now.t)


LEARNING_RATE: tuple[type[UpdateRule], ...] = (LearningRateSign, ScheduleLeftOut, ScheduleOneStepLate)
