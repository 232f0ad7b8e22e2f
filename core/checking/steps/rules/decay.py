"""Mistakes in weight decay, and in the penalty of the loss."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.base import UpdateRule


class _Decay(UpdateRule):
    """A mistake that needs a weight decay."""

    aspect = "decay"
    unseen = "the request has no weight decay"

    def applies(self, now: Moment) -> bool:
        return now.optimizer.weight_decay > 0


class DecaySign(_Decay):
    """−λ in place of λ."""

    slug = "decay-with-wrong-sign"
    said = "Your update subtracts the weight decay from the gradient, which makes the weights grow"
    wrong = r"g - \lambda \theta"
    why = "The penalty ½ λ ‖θ‖² has the gradient λ θ, which is added to g; the step then shrinks the weights."

    def decay(self, now: Moment) -> float | Array:
        return -super().decay(now)


class DecayLeftOut(_Decay):
    """No decay."""

    slug = "decay-left-out"
    said = "Your update leaves the weight decay out"
    wrong = r"g"
    why = "With weight_decay λ the gradient is g + λ θ, or, decoupled, every step shrinks θ by η λ θ."

    def decay(self, now: Moment) -> float | Array:
        return 0.0


class DecayDoubled(_Decay):
    """2 λ in place of λ."""

    slug = "decay-doubled"
    said = "Your update decays twice as much as it should"
    wrong = r"g + 2 \lambda \theta"
    why = "The penalty of weight decay is ½ λ ‖θ‖², whose gradient is λ θ and not 2 λ θ."

    def decay(self, now: Moment) -> float | Array:
        return 2 * super().decay(now)


class DecayCoupled(_Decay):
    """g + λ θ where the decay is decoupled."""

    slug = "decay-coupled"
    said = "Your update adds the weight decay to the gradient, so that the moments contain it"
    wrong = r"g + \lambda \theta"
    why = (
        "This optimizer decouples the decay: θ shrinks by η λ θ in every step, apart from the gradient and its moments."
    )

    def applies(self, now: Moment) -> bool:
        return super().applies(now) and now.optimizer.decouples_weight_decay

    def couples(self, now: Moment) -> bool:
        return True


class DecayDecoupled(_Decay):
    """θ − η λ θ where the decay belongs to the gradient."""

    slug = "decay-decoupled"
    said = "Your update shrinks the parameters by the weight decay apart from the gradient"
    wrong = r"(1 - \eta \lambda)\, \theta"
    why = "This optimizer adds λ θ to the gradient, before momentum, moments and scaling; adamw is the decoupled form."
    unseen = "without a state, coupled and decoupled decay are the same"

    def applies(self, now: Moment) -> bool:
        return super().applies(now) and not now.optimizer.decouples_weight_decay

    def couples(self, now: Moment) -> bool:
        return False


class DecayWithoutRate(_Decay):
    """θ − λ θ in place of θ − η λ θ."""

    slug = "decay-without-learning-rate"
    said = "Your update shrinks the parameters by λ θ, without the learning rate"
    wrong = r"(1 - \lambda)\, \theta"
    why = "Decoupled weight decay shrinks θ by η λ θ in every step: the learning rate multiplies it, too."

    def couples(self, now: Moment) -> bool:
        return False

    def shrunk(self, now: Moment) -> Array:
        return np.asarray(now.theta - self.decay(now) * now.theta)


class _Penalty(UpdateRule):
    """A mistake in the gradient of the penalty ½ λ ‖W‖² of the loss."""

    aspect = "penalty"
    unseen = "the loss has no l2"

    def applies(self, now: Moment) -> bool:
        return now.layout.l2 > 0

    def added(self, now: Moment) -> Array:
        """Return what is added to the right gradient."""
        raise NotImplementedError

    def gradient(self, now: Moment) -> Array:
        return np.asarray(super().gradient(now) + self.added(now))


class PenaltySign(_Penalty):
    """g − λ W in place of g + λ W."""

    slug = "penalty-with-wrong-sign"
    said = "Your update subtracts the gradient of the l2 penalty"
    wrong = r"\partial L_{\text{data}} / \partial W - \lambda W"
    why = "The penalty ½ λ ‖W‖² has the gradient λ W, which is added."

    def added(self, now: Moment) -> Array:
        return -2 * now.layout.l2 * np.where(now.layout.weight_like, now.theta, 0.0)


class PenaltyLeftOut(_Penalty):
    """The gradient of the data alone."""

    slug = "penalty-left-out"
    said = "Your update leaves out the gradient of the l2 penalty"
    wrong = r"\partial L_{\text{data}} / \partial W"
    why = "The penalty ½ λ ‖W‖² of the loss has the gradient λ W, which is added."

    def added(self, now: Moment) -> Array:
        return -now.layout.l2 * np.where(now.layout.weight_like, now.theta, 0.0)


class PenaltyOnBiases(_Penalty):
    """λ b added to the gradients of biases."""

    slug = "penalty-on-biases"
    said = "Your update applies the l2 penalty to the biases as well"
    wrong = r"\partial L / \partial b + \lambda b"
    why = "The penalty of the loss contains the weights alone; biases are not penalised."

    def added(self, now: Moment) -> Array:
        return now.layout.l2 * np.where(now.layout.weight_like, 0.0, now.theta)


DECAY: tuple[type[UpdateRule], ...] = (
    DecaySign,
    DecayLeftOut,
    DecayDoubled,
    DecayCoupled,
    DecayDecoupled,
    DecayWithoutRate,
    PenaltySign,
    PenaltyLeftOut,
    PenaltyOnBiases,
)
