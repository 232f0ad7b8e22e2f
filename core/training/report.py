"""EpochReport: loss, metrics and diagnostics of one epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from core.arrays import Array

Named = Mapping[str, Mapping[str, Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """One epoch in numbers.

    The loss and the metrics of each example are those of the step that trained on it, so the parameters differ between
    examples. Validation is measured at the end of the epoch. Norms are those of the epoch's last step.
    """

    epoch: int
    """Counted from 1."""

    steps: int
    """Number of steps since the beginning of training."""

    loss: float
    """Σ over the steps of (share of the step's examples) · (loss of the step); under "sum" the sum of the steps' losses."""

    validation_loss: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    validation_metrics: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float
    """Learning rate of the last step; the largest one if weights have their own rates."""

    gradient_norms: Mapping[str, float]
    """‖g‖ by layer, over all its trained parameters, after clipping."""

    update_to_weight: Mapping[str, float]
    """‖Δθ‖ / ‖θ‖ by layer; about 0.001 is usual. Layers whose parameters are all 0 have none."""

    dead_units: Mapping[str, int]
    """Number of units by layer whose slope is 0 at all of the first training examples, so that they cannot move."""

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON, without missing and non-finite values: a norm alone may overflow."""
        members: dict[str, Any] = {}
        for name, value in asdict(self).items():
            if isinstance(value, dict):
                members[name] = {key: number for key, number in value.items() if math.isfinite(number)}
            elif value is not None:
                members[name] = value
        return members


def norms(arrays: Named) -> dict[str, float]:
    """Return ‖·‖ by layer."""
    return {
        layer: math.sqrt(sum(float(np.vdot(array, array).real) for array in named.values()))
        for layer, named in arrays.items()
    }


def ratios(above: Mapping[str, float], below: Mapping[str, float]) -> dict[str, float]:
    """Return the quotients by layer, for the layers in which they are defined."""
    return {layer: norm / below[layer] for layer, norm in above.items() if below[layer]}
