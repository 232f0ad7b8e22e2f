"""Losses: one file each, registered in `AnyLoss`."""

from __future__ import annotations

from typing import get_args

from core.losses.base import Loss, LossContext
from core.losses.binary_cross_entropy import BinaryCrossEntropy
from core.losses.cross_entropy import CrossEntropy
from core.losses.half_squared_error import HalfSquaredError
from core.losses.hinge import Hinge
from core.losses.huber import Huber
from core.losses.kullback_leibler import KullbackLeibler
from core.losses.mean_absolute_error import MeanAbsoluteError
from core.losses.mean_squared_error import MeanSquaredError
from core.losses.normalized_cuts import NormalizedCuts
from core.losses.sigmoid_cross_entropy import SigmoidCrossEntropy
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.losses.upstream import Upstream

AnyLoss = (
    HalfSquaredError
    | MeanSquaredError
    | MeanAbsoluteError
    | Huber
    | CrossEntropy
    | BinaryCrossEntropy
    | SoftmaxCrossEntropy
    | SigmoidCrossEntropy
    | KullbackLeibler
    | Hinge
    | NormalizedCuts
    | Upstream
)
"""Every kind of loss. The request schema, the documentation, the clients and the generic tests are derived from it."""

LOSSES: dict[str, type[Loss]] = {loss.__dataclass_fields__["kind"].default: loss for loss in get_args(AnyLoss)}

__all__ = ["LOSSES", "AnyLoss", "Loss", "LossContext"]
