"""Schedules: the factor by which the learning rate is multiplied after t steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from core.spec import Spec, constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Spec):
    """Constant learning rate: the factor is 1 at every step."""

    kind: Literal["constant"] = "constant"

    def factor(self, t: int) -> float:
        """Return 1."""
        return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDecay(Spec):
    """Step decay: the factor γ^⌊t / every⌋ after t steps."""

    kind: Literal["step"] = "step"

    every: int = field(metadata=constraints(gt=0, examples=[100]))
    """Number of steps after which the rate is multiplied by γ."""

    gamma: float = field(default=0.1, metadata=constraints(gt=0, le=1))
    """γ, the factor of each decay."""

    def factor(self, t: int) -> float:
        """Return γ^⌊t / every⌋."""
        return self.gamma ** (t // self.every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential(Spec):
    """Exponential decay: the factor γ^t after t steps."""

    kind: Literal["exponential"] = "exponential"

    gamma: float = field(metadata=constraints(gt=0, le=1, examples=[0.99]))
    """γ, the factor of each step."""

    def factor(self, t: int) -> float:
        """Return γ^t."""
        return self.gamma**t


@dataclass(frozen=True, slots=True, kw_only=True)
class InverseTime(Spec):
    """Inverse time decay: the factor 1 / (1 + k t) after t steps."""

    kind: Literal["inverse_time"] = "inverse_time"

    rate: float = field(metadata=constraints(ge=0, examples=[0.01]))
    """Decay rate k."""

    def factor(self, t: int) -> float:
        """Return 1 / (1 + k t)."""
        return 1 / (1 + self.rate * t)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosine(Spec):
    """Cosine annealing: the factor m + (1 − m) (1 + cos(π t / T)) / 2 after t steps, and m from t = T on.

    Source: Loshchilov & Hutter, SGDR (2017), §3.
    """

    kind: Literal["cosine"] = "cosine"

    steps: int = field(metadata=constraints(gt=0, examples=[1000]))
    """Number of steps T after which the factor reaches m."""

    least: float = field(default=0.0, metadata=constraints(ge=0, le=1))
    """Final factor m."""

    def factor(self, t: int) -> float:
        """Return m + (1 − m) (1 + cos(π t / T)) / 2."""
        return self.least + (1 - self.least) * (1 + math.cos(math.pi * min(t / self.steps, 1.0))) / 2


AnySchedule = Constant | StepDecay | Exponential | InverseTime | Cosine
"""Every kind of schedule."""
