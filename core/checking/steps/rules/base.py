"""The rule of an update, in equations that a mistake overrides one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.optimizers import Memory, Optimizer


class UpdateRule:
    """One step of any optimizer, from the gradient to the new parameters.

        g  the gradient of the loss, with noise, after clipping
        g' = g + λ θ           coupled weight decay
        θ' = θ − η λ θ         decoupled weight decay
        θ⁺ = move(θ', g')      the equations of the optimizer

    A mistake is a subclass that overrides one of these equations and says in words what is wrong. It is named only if the
    replay of its equations on the submitted parameters gives the submitted numbers.
    """

    slug: ClassVar[str] = "right"
    """Name of the mistake in an answer."""

    said: ClassVar[str] = ""
    """Description of the mistake: a sentence without its full stop, which begins with "Your update"."""

    wrong: ClassVar[str] = ""
    """The wrong formula in LaTeX."""

    why: ClassVar[str] = ""
    """The reason why the formula is wrong, and the right one."""

    unseen: ClassVar[str] = "the wrong rule gives the same numbers in these steps"
    """The reason why the steps may not reveal the mistake."""

    separate: ClassVar[str] = "Send the optimizer_state after each step, and one step more."
    """What to send so that another mistake gives other numbers."""

    aspect: ClassVar[str] = ""
    """The equation that is wrong. Two mistakes in one equation are not combined."""

    is_form: ClassVar[bool] = False
    """True for a form of the same method that is in use elsewhere, which is no mistake."""

    def applies(self, now: Moment) -> bool:
        """Return whether the mistake is possible with the optimizer of this step."""
        return True

    def optimizer(self, optimizer: Optimizer) -> Optimizer:
        """Return the optimizer whose equations are used."""
        return optimizer

    def start(self, optimizer: Optimizer) -> dict[str, float]:
        """Return the values of slots before the first step where they are not 0."""
        return {}

    def rate(self, now: Moment) -> float | Array:
        """Return the learning rate η of this step."""
        return now.base_rate * now.optimizer.factor(now.t - 1)

    def count(self, now: Moment) -> int | Array:
        """Return the number of this step that enters the equations, t."""
        return now.t

    def point(self, now: Moment) -> Array:
        """Return the parameters at which the gradient is taken."""
        return now.optimizer.look_ahead(now.theta, now.memory)

    def gradient(self, now: Moment) -> Array:
        """Return ∂L/∂θ as it enters the update, before noise and clipping."""
        return now.gradient_at(self.point(now))

    def prepared(self, now: Moment, g: Array) -> Array:
        """Return the gradient with noise, after clipping. Parameters that are not trained have none."""
        g = np.where(now.layout.trained, g, 0.0)
        if now.optimizer.gradient_noise:
            g = g + np.where(
                now.layout.trained,
                now.optimizer.gradient_noise.draw(now.t - 1, int(now.layout.trained.sum()))[
                    np.cumsum(now.layout.trained) - 1
                ],
                0.0,
            )
        limit = now.optimizer.gradient_clip_norm
        return g if limit is None else self.clipped(now, g, limit)

    def clipped(self, now: Moment, g: Array, limit: float) -> Array:
        """Return the gradient, scaled down where the norm of all of it exceeds the limit."""
        return np.asarray(g * min(1.0, limit / (float(np.linalg.norm(g)) + 1e-6)))

    def decay(self, now: Moment) -> float | Array:
        """Return λ, the weight decay."""
        return now.optimizer.weight_decay

    def couples(self, now: Moment) -> bool:
        """Return whether the decay is added to the gradient; otherwise it shrinks the parameters themselves."""
        return not now.optimizer.decouples_weight_decay

    def decayed(self, now: Moment, g: Array) -> Array:
        """Return g + λ θ."""
        return np.asarray(g + self.decay(now) * now.theta) if self.couples(now) else g

    def shrunk(self, now: Moment) -> Array:
        """Return θ − η λ θ."""
        if self.couples(now):
            return now.theta
        return np.asarray(now.theta - self.rate(now) * self.decay(now) * now.theta)

    def move(self, now: Moment, theta: Array, g: Array) -> Array:
        """Return the parameters after the equations of the optimizer itself, which update the state in place."""
        memory, found = now.memory, theta.copy()
        counted = Memory(int(np.max(self.count(now))), memory.slots, memory.scalars)
        replace(now.optimizer, weight_decay=0.0).update(found, g, self.rate(now), counted)
        return found

    def finish(self, now: Moment, theta: Array) -> Array:
        """Return the parameters after the step: those that are not trained stay."""
        return np.where(now.layout.trained, theta, now.theta)

    def step(self, now: Moment) -> Array:
        """Take one step: return the parameters after it, and update the state."""
        g = self.decayed(now, self.prepared(now, self.gradient(now)))
        return self.finish(now, self.move(now, self.shrunk(now), g))


def combined(mistakes: Sequence[type[UpdateRule]], family: type[UpdateRule]) -> UpdateRule:
    """Return the rule with several mistakes in it, with the equations of a family of optimizers for the rest."""
    bases = tuple(mistakes) if any(issubclass(each, family) for each in mistakes) else (*mistakes, family)
    found: UpdateRule = type("Combined", bases, {})()
    return found
