"""Optimizers: one kind a file, registered in `AnyOptimizer`."""

from __future__ import annotations

from typing import get_args

from core.optimizers.adadelta import Adadelta
from core.optimizers.adagrad import Adagrad
from core.optimizers.adam import Adam
from core.optimizers.adamax import Adamax
from core.optimizers.adamw import AdamW
from core.optimizers.base import GradientNoise, Memory, Optimizer
from core.optimizers.lion import Lion
from core.optimizers.nadam import Nadam
from core.optimizers.rmsprop import Rmsprop
from core.optimizers.sgd import Sgd

AnyOptimizer = Sgd | Adagrad | Adadelta | Rmsprop | Adam | AdamW | Adamax | Nadam | Lion
"""Every kind of optimizer. The request schema, the documentation, the clients and the generic tests follow from it."""

OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__dataclass_fields__["kind"].default: kind for kind in get_args(AnyOptimizer)
}

__all__ = ["OPTIMIZERS", "AnyOptimizer", "GradientNoise", "Memory", "Optimizer"]
