"""The families of optimizers whose equations are written out, so that mistakes can override one of them."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.base import UpdateRule
from core.optimizers import Optimizer
from core.optimizers.adagrad import Adagrad
from core.optimizers.moments import ByMoments
from core.optimizers.rmsprop import Rmsprop
from core.optimizers.sgd import Sgd


class WithVelocity(UpdateRule):
    """Gradient descent with momentum.

        v ← μ v + (1 − d) g        v = g in the first step
        θ ← θ − η v                with Nesterov θ ← θ − η (g + μ v)

    In Ruder's form η enters the velocity, and Nesterov takes the gradient at θ − μ v.
    """

    def applies(self, now: Moment) -> bool:
        return isinstance(now.optimizer, Sgd) and now.optimizer.momentum > 0

    def gained(self, now: Moment, g: Array) -> Array:
        """Return what the gradient adds to the velocity."""
        optimizer = _sgd(now)
        if optimizer.variant == "ruder":
            return np.asarray(self.rate(now) * g)
        return g if now.t == 1 else np.asarray((1 - optimizer.dampening) * g)

    def kept(self, now: Moment, velocity: Array) -> Array:
        """Return what remains of the velocity of the step before."""
        optimizer = _sgd(now)
        first = optimizer.variant != "ruder" and now.t == 1
        return np.asarray((0.0 if first else optimizer.momentum) * velocity)

    def used(self, now: Moment, before: Array, after: Array) -> Array:
        """Return the velocity that moves the parameters."""
        return after

    def direction(self, now: Moment, g: Array, velocity: Array) -> Array:
        """Return the step in units of the gradient."""
        optimizer = _sgd(now)
        if optimizer.nesterov and optimizer.variant != "ruder":
            return np.asarray(g + optimizer.momentum * velocity)
        return velocity

    def move(self, now: Moment, theta: Array, g: Array) -> Array:
        optimizer = _sgd(now)
        if not optimizer.momentum:
            return super().move(now, theta, g)
        velocity = now.memory.slots["velocity"]
        before = velocity.copy()
        velocity[...] = self.kept(now, before) + self.gained(now, g)
        step = self.direction(now, g, self.used(now, before, velocity))
        return np.asarray(theta - (step if optimizer.variant == "ruder" else self.rate(now) * step))


class WithMoments(UpdateRule):
    """Adam and AdamW.

    m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
    θ ← θ − η m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁^t),   v̂ = v / (1 − β₂^t)
    """

    def applies(self, now: Moment) -> bool:
        return isinstance(now.optimizer, ByMoments)

    def first_moment(self, now: Moment, m: Array, g: Array) -> Array:
        """Return β₁ m + (1 − β₁) g."""
        beta = _moments(now).beta1
        return np.asarray(beta * m + (1 - beta) * g)

    def second_moment(self, now: Moment, v: Array, g: Array) -> Array:
        """Return β₂ v + (1 − β₂) g²."""
        beta = _moments(now).beta2
        return np.asarray(beta * v + (1 - beta) * g * g)

    def corrected(self, now: Moment, moment: Array, beta: float, order: int) -> Array:
        """Return a moment divided by 1 − β^t; `order` is 1 for m and 2 for v."""
        optimizer = _moments(now)
        if optimizer.amsgrad and optimizer.variant == "ruder":
            return moment
        return np.asarray(moment / (1 - beta ** self.count(now)))

    def denominator(self, now: Moment, v: Array) -> Array:
        """Return √v̂ + ε."""
        return np.asarray(np.sqrt(v) + _moments(now).epsilon)

    def store(self, now: Moment, m: Array, v: Array) -> None:
        """Take note of the corrected moments; the right rule forgets them."""

    def move(self, now: Moment, theta: Array, g: Array) -> Array:
        optimizer, slots = _moments(now), now.memory.slots
        m = slots["first_moment"][...] = self.first_moment(now, slots["first_moment"], g)
        v = slots["second_moment"][...] = self.second_moment(now, slots["second_moment"], g)
        if optimizer.amsgrad:
            v = slots["largest_second_moment"][...] = np.maximum(slots["largest_second_moment"], v)
        m, v = self.corrected(now, m, optimizer.beta1, 1), self.corrected(now, v, optimizer.beta2, 2)
        self.store(now, m, v)
        return np.asarray(theta - self.rate(now) * m / self.denominator(now, v))


class WithSquares(UpdateRule):
    """RMSprop and Adagrad.

    s ← α s + (1 − α) g²       Adagrad: s ← s + g²
    θ ← θ − η g / (√s + ε)     in Ruder's form √(s + ε)
    """

    def applies(self, now: Moment) -> bool:
        return isinstance(now.optimizer, Rmsprop | Adagrad)

    def squares(self, now: Moment, s: Array, g: Array) -> Array:
        """Return the running average or the sum of the squared gradients."""
        if isinstance(now.optimizer, Rmsprop):
            alpha = now.optimizer.alpha
            return np.asarray(alpha * s + (1 - alpha) * g * g)
        return np.asarray(s + g * g)

    def denominator(self, now: Moment, size: Array) -> Array:
        """Return √s + ε, in Ruder's form √(s + ε)."""
        optimizer = now.optimizer
        epsilon = optimizer.epsilon if isinstance(optimizer, Rmsprop | Adagrad) else 0.0
        return np.asarray(np.sqrt(size + epsilon) if optimizer.variant == "ruder" else np.sqrt(size) + epsilon)

    def move(self, now: Moment, theta: Array, g: Array) -> Array:
        optimizer, slots = now.optimizer, now.memory.slots
        size = slots["squares"][...] = self.squares(now, slots["squares"], g)
        if isinstance(optimizer, Rmsprop) and optimizer.centered:
            mean = slots["mean"][...] = optimizer.alpha * slots["mean"] + (1 - optimizer.alpha) * g
            size = size - mean * mean
        step = np.divide(g, self.denominator(now, size))
        if isinstance(optimizer, Rmsprop) and optimizer.momentum:
            step = slots["velocity"][...] = optimizer.momentum * slots["velocity"] + step
        return np.asarray(theta - self.rate(now) * step)


def family_of(optimizer: Optimizer) -> type[UpdateRule]:
    """Return the family of an optimizer; one without a family of its own has only the general equations."""
    match optimizer:
        case Sgd():
            return WithVelocity
        case ByMoments():
            return WithMoments
        case Rmsprop() | Adagrad():
            return WithSquares
        case _:
            return UpdateRule


def _sgd(now: Moment) -> Sgd:
    assert isinstance(now.optimizer, Sgd)  # noqa: S101  # The family of the optimizer.
    return now.optimizer


def _moments(now: Moment) -> ByMoments:
    assert isinstance(now.optimizer, ByMoments)  # noqa: S101  # The family of the optimizer.
    return now.optimizer
