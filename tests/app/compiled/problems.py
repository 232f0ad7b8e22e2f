"""Random chains, losses and optimizers that are compiled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from app.compiled import jit
from app.compiled.choice import Choice, choose_engine
from core.layers.dense import Dense
from core.losses import Loss
from core.losses.binary_cross_entropy import BinaryCrossEntropy
from core.losses.cross_entropy import CrossEntropy
from core.losses.half_squared_error import HalfSquaredError
from core.losses.mean_squared_error import MeanSquaredError
from core.losses.sigmoid_cross_entropy import SigmoidCrossEntropy
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.optimizers import Optimizer
from core.optimizers.adam import Adam
from core.optimizers.adamw import AdamW
from core.optimizers.schedule import Cosine
from core.optimizers.sgd import Sgd
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import Epoch, Recipe, TrainingState, train

needs_numba = pytest.mark.skipif(
    not jit.is_installed(),
    reason="numba is not installed: it is the extra `fast`",
)

Precision = Literal["float32", "float64"]
FUNCTIONS = ("identity", "relu", "leaky_relu", "tanh", "sigmoid", "softplus")
LOSSES: dict[str, tuple[Loss, str]] = {
    "softmax_cross_entropy": (SoftmaxCrossEntropy(), "identity"),
    "cross_entropy of softmax": (CrossEntropy(l2=0.01), "softmax"),
    "sigmoid_cross_entropy, sum": (SigmoidCrossEntropy(reduction="sum"), "identity"),
    "binary_cross_entropy of sigmoid": (BinaryCrossEntropy(), "sigmoid"),
    "half_squared_error of tanh": (HalfSquaredError(l2=0.1), "tanh"),
    "mean_squared_error, sum": (MeanSquaredError(reduction="sum"), "identity"),
}
OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Sgd(learning_rate=0.05),
    "weight decay": Sgd(learning_rate=0.05, weight_decay=0.01),
    "momentum": Sgd(learning_rate=0.02, momentum=0.9, dampening=0.5, weight_decay=0.01),
    "nesterov": Sgd(learning_rate=0.02, momentum=0.9, nesterov=True),
    "ruder's momentum": Sgd(learning_rate=0.02, momentum=0.9, variant="ruder"),
    "adam": Adam(learning_rate=0.01, weight_decay=0.01),
    "amsgrad": Adam(learning_rate=0.01, amsgrad=True),
    "ruder's amsgrad": Adam(learning_rate=0.001, amsgrad=True, variant="ruder"),
    "adamw": AdamW(learning_rate=0.01),
    "clipped, with warm-up and a schedule": Adam(
        learning_rate=0.01, gradient_clip_norm=0.3, warmup_steps=4, schedule=Cosine(steps=30)
    ),
}


def problem(
    generator: np.random.Generator, loss: str = "softmax_cross_entropy", dtype: Precision = "float64"
) -> Problem:
    """A random chain of up to four layers for 23 examples."""
    found, last = LOSSES[loss]
    layers = [
        Dense(
            units=int(generator.integers(1, 40)),
            activation=str(generator.choice(FUNCTIONS)),
            bias=bool(generator.integers(2)),
        )
        for _ in range(generator.integers(0, 4))
    ]
    units = int(generator.integers(2, 12))
    targets: Any = generator.dirichlet(np.ones(units), 23)
    inputs = generator.normal(size=(23, int(generator.integers(1, 70)))).astype(dtype)
    return validate(
        ProblemSpec(
            layers=[*layers, Dense(units=units, activation=last)],
            inputs={"input": inputs},
            targets=targets,
            loss=found,
            seed=int(generator.integers(100)),
            dtype=dtype,
        )
    )


def compiled(sent: Problem, recipe: Recipe, folder: Path, start: TrainingState | None = None) -> Iterator[Epoch]:
    """The epochs of the compiled engine."""
    choice: Choice = choose_engine("compiled", sent, recipe, folder)
    assert choice.recorded["name"] == "compiled", choice.recorded
    return train(sent, recipe, start, engine=choice.factory)
