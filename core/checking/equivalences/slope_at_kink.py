"""slope-at-kink: relu'(0) = 1 or ½."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.activations.base import Activation
from core.activations.relu import Relu
from core.arrays import Array, Op
from core.checking.equivalences.base import Equivalence, Reading
from core.checking.submission import SubmissionSpec
from core.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ReluWithSlope(Activation):
    """relu with another slope at its kink: any number from 0 to 1 is a subgradient there."""

    at_zero: float

    name = "relu"
    reads = "preactivation"
    formula = Relu.formula
    derivative = r"[z > 0] + s\,[z = 0]"

    def forward(self, Z: Array, A: Array) -> Op:
        return Relu().forward(Z, A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        return lambda: np.multiply(np.where(Z > 0, 1.0, np.where(Z == 0, self.at_zero, 0.0)), dA, dZ)


class SlopeAtKink(Equivalence):
    """Another slope of relu at exactly 0."""

    slug = "slope-at-kink"

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        nodes = reading.problem.nodes
        if not any(isinstance(node.function, Relu) for node in nodes):
            return
        for slope in (1.0, 0.5):
            changed = [
                replace(node, function=ReluWithSlope(at_zero=slope)) if isinstance(node.function, Relu) else node
                for node in nodes
            ]
            said = (
                f"Your relu has the slope {slope:g} at exactly 0; this service uses 0. Both are valid subgradients "
                "at the kink."
            )
            yield replace(reading.problem, nodes=changed), reading.sent, said
