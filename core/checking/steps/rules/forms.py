"""Forms of the same optimizers that other books and libraries have, and that are no mistakes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.base import UpdateRule
from core.checking.steps.rules.families import WithMoments, WithSquares, WithVelocity
from core.optimizers import Optimizer
from core.optimizers.adagrad import Adagrad
from core.optimizers.moments import ByMoments


class RuderForm(UpdateRule):
    """The equations of Ruder's survey, where the request has torch's."""

    slug = "ruder-form"
    aspect = "form"
    is_form = True
    said = 'Your update has the form of Ruder\'s survey ("variant": "ruder"), the request that of torch'
    wrong = r"\text{the form of Ruder's survey}"
    why = "Both forms are in use; they differ in where ε, the learning rate or the step ahead is."
    unseen = "both forms give the same numbers in these steps"

    def applies(self, now: Moment) -> bool:
        return now.optimizer.variant == "torch"

    def optimizer(self, optimizer: Optimizer) -> Optimizer:
        return replace(super().optimizer(optimizer), variant="ruder")


class TorchForm(UpdateRule):
    """torch's equations, where the request has those of Ruder's survey."""

    slug = "torch-form"
    aspect = "form"
    is_form = True
    said = 'Your update has torch\'s form ("variant": "torch"), the request that of Ruder\'s survey'
    wrong = r"\text{the form of torch}"
    why = "Both forms are in use; they differ in where ε, the learning rate or the step ahead is."
    unseen = "both forms give the same numbers in these steps"

    def applies(self, now: Moment) -> bool:
        return now.optimizer.variant == "ruder"

    def optimizer(self, optimizer: Optimizer) -> Optimizer:
        return replace(super().optimizer(optimizer), variant="torch")


class KerasVelocity(WithVelocity):
    """v ← μ v − η g, θ ← θ + v: the velocity with the learning rate and the sign in it."""

    slug = "keras-form"
    aspect = "form"
    is_form = True
    said = "Your velocity has Keras' form: it contains the learning rate and the sign of the step"
    wrong = r"v = \mu v - \eta g, \quad \theta + v"
    why = "v ← μ v − η g and θ ← θ + v move the parameters as v ← μ v + g and θ ← θ − η v do, if η is constant."

    def kept(self, now: Moment, velocity: Array) -> Array:
        momentum = super().kept(now, np.ones_like(velocity))
        return np.asarray(momentum * velocity)

    def gained(self, now: Moment, g: Array) -> Array:
        gained = super().gained(now, g)
        return -gained if now.optimizer.variant == "ruder" else np.asarray(-self.rate(now) * gained)

    def direction(self, now: Moment, g: Array, velocity: Array) -> Array:
        if now.optimizer.variant == "ruder":
            return -velocity
        return super().direction(now, g, np.asarray(-velocity / self.rate(now)))


class KerasAdam(WithMoments):
    """θ − η √c₂ / c₁ · m / (√v + ε): ε is added before the correction."""

    slug = "keras-form"
    aspect = "denominator"
    is_form = True
    said = "Your update has Keras' form: ε is added to √v before the bias correction"
    wrong = r"\theta - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \frac{m}{\sqrt{v} + \epsilon}"
    why = (
        "The end of §2 of Kingma & Ba and Keras correct the learning rate instead of the moments, which divides ε by "
        "√(1 − β₂^t)."
    )
    unseen = "ε is far below the size of the moments"

    def denominator(self, now: Moment, v: Array) -> Array:
        optimizer = now.optimizer
        epsilon, beta = (optimizer.epsilon, optimizer.beta2) if isinstance(optimizer, ByMoments) else (0.0, 0.0)
        return np.asarray(np.sqrt(v) + epsilon / math.sqrt(1 - beta**now.t))


class KerasAdagrad(WithSquares):
    """s starts at 0.1, and ε is inside the root."""

    slug = "keras-form"
    aspect = "form"
    is_form = True
    said = "Your update has Keras' form: the sum of squares starts at 0.1, and ε is inside the root"
    wrong = r"s_0 = 0.1, \quad \theta - \eta\, g / \sqrt{s + \epsilon}"
    why = "Keras starts Adagrad's sum of squares at initial_accumulator_value, 0.1; torch and Ruder's survey at 0."

    def applies(self, now: Moment) -> bool:
        return isinstance(now.optimizer, Adagrad)

    def optimizer(self, optimizer: Optimizer) -> Optimizer:
        return replace(super().optimizer(optimizer), variant="ruder")

    def start(self, optimizer: Optimizer) -> dict[str, float]:
        return {"squares": 0.1}


class DecayOfWeights(UpdateRule):
    """λ θ for weights alone."""

    slug = "decay-of-weights-alone"
    aspect = "decay"
    is_form = True
    said = "Your update decays the weights alone and leaves biases as they are"
    wrong = r"\lambda_b = 0"
    why = "torch decays every parameter; many programs leave biases, gains and shifts out."
    unseen = "the request has no weight decay"

    def applies(self, now: Moment) -> bool:
        return now.optimizer.weight_decay > 0 and not bool(now.layout.weight_like.all())

    def decay(self, now: Moment) -> float | Array:
        return np.where(now.layout.weight_like, super().decay(now), 0.0)


class DecayAfterStep(UpdateRule):
    """The decoupled decay acts on the parameters after the step."""

    slug = "decay-after-step"
    aspect = "decay"
    is_form = True
    said = "Your update shrinks the parameters after the step and not before it"
    wrong = r"(1 - \eta \lambda)(\theta - \eta\, \Delta)"
    why = "The two orders differ by η² λ Δ; torch shrinks first."

    def applies(self, now: Moment) -> bool:
        return now.optimizer.weight_decay > 0 and now.optimizer.decouples_weight_decay

    def shrunk(self, now: Moment) -> Array:
        return now.theta

    def finish(self, now: Moment, theta: Array) -> Array:
        return super().finish(now, np.asarray(theta - self.rate(now) * self.decay(now) * theta))


FORMS: tuple[type[UpdateRule], ...] = (
    RuderForm,
    TorchForm,
    KerasVelocity,
    KerasAdam,
    KerasAdagrad,
    DecayOfWeights,
    DecayAfterStep,
)
