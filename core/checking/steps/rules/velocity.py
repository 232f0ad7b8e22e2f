"""Mistakes in momentum and in Nesterov's method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.families import WithVelocity
from core.optimizers import Optimizer
from core.optimizers.sgd import Sgd


def _momentum(now: Moment) -> float:
    return now.optimizer.momentum if isinstance(now.optimizer, Sgd) else 0.0


class _Plain(WithVelocity):
    """A mistake of momentum without Nesterov."""

    def applies(self, now: Moment) -> bool:
        return super().applies(now) and not (isinstance(now.optimizer, Sgd) and now.optimizer.nesterov)


class _Nesterov(WithVelocity):
    """A mistake of Nesterov's method."""

    def applies(self, now: Moment) -> bool:
        return super().applies(now) and isinstance(now.optimizer, Sgd) and now.optimizer.nesterov


class StaleVelocity(_Plain):
    """θ − η v of the step before."""

    slug = "stale-velocity"
    aspect = "velocity used"
    said = "Your update moves the parameters by the velocity of the step before, so that the first step does nothing"
    wrong = r"\theta - \eta v_{t-1}"
    why = "The velocity takes up the gradient of this step first, v ← μ v + g; then the parameters move by it."

    def used(self, now: Moment, before: Array, after: Array) -> Array:
        return before


class GainDamped(WithVelocity):
    """v ← μ v + (1 − μ) g."""

    slug = "one-minus-momentum"
    aspect = "velocity gain"
    said = "Your velocity takes up (1 − μ) g instead of g: the steps are 1 − μ times as long"
    wrong = r"\mu v + (1 - \mu) g"
    why = (
        "Momentum adds the whole gradient, v ← μ v + g. A running average, μ v + (1 − μ) g, has shorter steps; what it "
        "lacks is a dampening that the request does not have."
    )

    def gained(self, now: Moment, g: Array) -> Array:
        return np.asarray((1 - _momentum(now)) * super().gained(now, g))


class GainDampedTwice(GainDamped):
    """v ← μ v + (1 − μ) g, and then (1 − μ) v moves the parameters."""

    slug = "one-minus-momentum-twice"
    said = "The factor (1 − μ) enters your update twice: in the velocity and once more in the step"
    wrong = r"v = \mu v + (1 - \mu) g, \quad \theta - \eta (1 - \mu) v"
    why = "Momentum adds the whole gradient, v ← μ v + g, and the whole velocity moves the parameters, θ ← θ − η v."

    def direction(self, now: Moment, g: Array, velocity: Array) -> Array:
        return np.asarray((1 - _momentum(now)) * super().direction(now, g, velocity))


class DampeningLeftOut(WithVelocity):
    """v ← μ v + g where the request has a dampening."""

    slug = "dampening-left-out"
    aspect = "velocity gain"
    said = "Your velocity takes up the whole gradient: the dampening d is left out"
    wrong = r"\mu v + g"
    why = "With dampening d the velocity is v ← μ v + (1 − d) g from the second step on."
    unseen = "the first step has no dampening; send two steps"

    def applies(self, now: Moment) -> bool:
        return super().applies(now) and isinstance(now.optimizer, Sgd) and now.optimizer.dampening > 0

    def gained(self, now: Moment, g: Array) -> Array:
        return g


class DampeningInFirstStep(DampeningLeftOut):
    """v ← (1 − d) g in the first step, too."""

    slug = "dampening-in-first-step"
    said = "Your update dampens the gradient in the first step, too"
    wrong = r"v_1 = (1 - d)\, g"
    why = "The velocity of the first step is the whole gradient; the dampening begins with the second step."
    unseen = "the state before these steps is not that of the first step"

    def gained(self, now: Moment, g: Array) -> Array:
        damped = 1 - now.optimizer.dampening if isinstance(now.optimizer, Sgd) else 1.0
        return np.asarray(damped * g)


class MomentumLeftOut(_Plain):
    """v ← g."""

    slug = "momentum-left-out"
    aspect = "velocity kept"
    said = "Your velocity forgets the steps before: it is the gradient alone"
    wrong = r"v = g"
    why = "The velocity must be kept from step to step, v ← μ v + g, for each parameter its own."
    unseen = "in the first step the velocity is the gradient; send two steps"

    def kept(self, now: Moment, velocity: Array) -> Array:
        return np.zeros_like(velocity)


class VelocityNotShrunk(WithVelocity):
    """v ← v + g."""

    slug = "momentum-factor-left-out"
    aspect = "velocity kept"
    said = "Your velocity keeps all of the step before: the factor μ is left out"
    wrong = r"v + g"
    why = "The velocity before is multiplied by the momentum, v ← μ v + g; without it, old gradients never fade."
    unseen = "in the first step there is no velocity yet; send two steps"

    def kept(self, now: Moment, velocity: Array) -> Array:
        return velocity.copy()


class VelocitySubtracted(WithVelocity):
    """v ← g − μ v."""

    slug = "velocity-with-wrong-sign"
    aspect = "velocity kept"
    said = "Your velocity subtracts that of the step before from the gradient"
    wrong = r"g - \mu v"
    why = (
        "Velocity and gradient must have the same sign where they are added: v ← μ v + g and θ ← θ − η v, or v ← μ v − η g "
        "and θ ← θ + v."
    )
    unseen = "in the first step there is no velocity yet; send two steps"

    def kept(self, now: Moment, velocity: Array) -> Array:
        return -super().kept(now, velocity)


class InterimStepKept(_Nesterov):
    """Nesterov's gradient is taken at the point ahead, and the step ahead is not taken back."""

    slug = "interim-step-kept"
    aspect = "nesterov"
    said = "Your update keeps Nesterov's interim step: the parameters move by μ v to look ahead, and that is not taken back"
    wrong = r"\theta - \eta \mu v_{t-1} - \eta v_t, \quad v_t = \mu v_{t-1} + \nabla L(\theta - \eta \mu v_{t-1})"
    why = "The point ahead is only where the gradient is taken. The velocity contains μ v already, which then counts twice."
    unseen = "in the first step there is no velocity yet; send two steps"

    def _ahead(self, now: Moment) -> Array:
        length = 1.0 if now.optimizer.variant == "ruder" else self.rate(now)
        return np.asarray(length * _momentum(now) * now.memory.slots["velocity"])

    def point(self, now: Moment) -> Array:
        return np.asarray(now.theta - self._ahead(now))

    def direction(self, now: Moment, g: Array, velocity: Array) -> Array:
        return velocity

    def move(self, now: Moment, theta: Array, g: Array) -> Array:
        return super().move(now, np.asarray(theta - self._ahead(now)), g)


class NesterovLeftOut(_Nesterov):
    """θ − η v in place of θ − η (g + μ v)."""

    slug = "nesterov-left-out"
    aspect = "nesterov"
    said = "Your update is that of plain momentum: nothing looks ahead"
    wrong = r"\theta - \eta v"
    why = "Nesterov's method takes the gradient one step of momentum ahead, or, in its other form, moves by g + μ v."

    def optimizer(self, optimizer: Optimizer) -> Optimizer:
        found = super().optimizer(optimizer)
        return replace(found, nesterov=False) if isinstance(found, Sgd) else found


class NesterovAdded(_Plain):
    """θ − η (g + μ v) in place of θ − η v."""

    slug = "nesterov-added"
    aspect = "nesterov"
    said = "Your update is that of Nesterov's method, and the request has plain momentum"
    wrong = r"\theta - \eta (g + \mu v)"
    why = 'Plain momentum moves by the velocity alone; send "nesterov": true if Nesterov\'s method is meant.'

    def optimizer(self, optimizer: Optimizer) -> Optimizer:
        found = super().optimizer(optimizer)
        return replace(found, nesterov=True, dampening=0.0) if isinstance(found, Sgd) else found


VELOCITY: tuple[type[WithVelocity], ...] = (
    StaleVelocity,
    GainDamped,
    GainDampedTwice,
    DampeningLeftOut,
    DampeningInFirstStep,
    MomentumLeftOut,
    VelocityNotShrunk,
    VelocitySubtracted,
    InterimStepKept,
    NesterovLeftOut,
    NesterovAdded,
)
