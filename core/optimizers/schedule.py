"""Schedules: the share of the learning rate that holds after t steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from core.spec import Spec, constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Spec):
    """The same at every step."""

    kind: Literal["constant"] = "constant"

    def factor(self, t: int) -> float:
        """1."""
        return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDecay(Spec):
    """γ^⌊t / every⌋: a fall after every so many steps."""

    kind: Literal["step"] = "step"

    every: int = field(metadata=constraints(gt=0, examples=[100]))
    """Steps from fall to fall."""

    gamma: float = field(default=0.1, metadata=constraints(gt=0, le=1))
    """γ: what is left after a fall."""

    def factor(self, t: int) -> float:
        """γ^⌊t / every⌋."""
        return self.gamma ** (t // self.every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential(Spec):
    """γ^t."""

    kind: Literal["exponential"] = "exponential"

    gamma: float = field(metadata=constraints(gt=0, le=1, examples=[0.99]))
    """γ: what is left after a step."""

    def factor(self, t: int) -> float:
        """γ^t."""
        return self.gamma**t


@dataclass(frozen=True, slots=True, kw_only=True)
class InverseTime(Spec):
    """1 / (1 + k t)."""

    kind: Literal["inverse_time"] = "inverse_time"

    rate: float = field(metadata=constraints(ge=0, examples=[0.01]))
    """k."""

    def factor(self, t: int) -> float:
        """1 / (1 + k t)."""
        return 1 / (1 + self.rate * t)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosine(Spec):
    """m + (1 − m) (1 + cos(π t / T)) / 2, and m from t = T on.

    Source: Loshchilov & Hutter, SGDR (2017), §3.
    """

    kind: Literal["cosine"] = "cosine"

    steps: int = field(metadata=constraints(gt=0, examples=[1000]))
    """T: steps to the least."""

    least: float = field(default=0.0, metadata=constraints(ge=0, le=1))
    """m: the share that is left in the end."""

    def factor(self, t: int) -> float:
        """m + (1 − m) (1 + cos(π t / T)) / 2."""
        return self.least + (1 - self.least) * (1 + math.cos(math.pi * min(t / self.steps, 1.0))) / 2


AnySchedule = Constant | StepDecay | Exponential | InverseTime | Cosine
"""Every kind of schedule."""

SCHEDULES = ("constant", "step", "exponential", "inverse_time", "cosine")
