"""Networks of every make are trained until they have learned: S29, and what a stranger would try next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.layers.add import Add
from core.layers.batch_norm import BatchNorm
from core.layers.concatenate import Concatenate
from core.layers.conv2d import Conv2D
from core.layers.dense import Dense
from core.layers.embedding import Embedding
from core.layers.flatten import Flatten
from core.layers.lstm import Lstm
from core.layers.max_pool2d import MaxPool2D
from core.losses.half_squared_error import HalfSquaredError
from core.losses.sigmoid_cross_entropy import SigmoidCrossEntropy
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.optimizers.adam import Adam
from core.optimizers.sgd import Sgd
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import EpochReport, Recipe, train

CLASSES = 10


def last_report(sent: dict[str, Any], recipe: Recipe) -> EpochReport:
    *_, last = train(validate(ProblemSpec(seed=3, **sent)), recipe)
    return last.report


def blurred_templates(examples: int, features: int) -> tuple[Array, Array]:
    """Ten patterns, and examples that are one of them under as much noise."""
    generator = np.random.default_rng(5)
    templates, labels = generator.random((CLASSES, features)), generator.integers(0, CLASSES, examples)
    return templates[labels] + generator.normal(scale=0.5, size=(examples, features)), labels


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_784_128_10_learns(dtype: str) -> None:
    inputs, labels = blurred_templates(1500, 784)
    sent: dict[str, Any] = {
        "layers": [Dense(units=128, activation="relu"), Dense(units=CLASSES)],
        "inputs": {"input": inputs},
        "targets": labels,
        "loss": SoftmaxCrossEntropy(),
        "dtype": dtype,
    }
    recipe = Recipe(optimizer=Sgd(learning_rate=0.05), epochs=20, batch_size=64, validation_fraction=0.2)
    report = last_report(sent, recipe)
    assert report.metrics["accuracy"] == 1.0
    assert report.validation_metrics["accuracy"] > 0.97
    assert report.validation_loss is not None
    assert report.validation_loss < 0.1


def test_a_network_with_two_inputs_and_a_fork_learns() -> None:
    """y = u · v summed over features is learned from u and v, which come in under their own names."""
    generator = np.random.default_rng(6)
    left, right = generator.normal(size=(2, 256, 2))
    sent: dict[str, Any] = {
        "layers": [
            Concatenate(inputs=["left", "right"]),
            Dense(units=24, activation="tanh", name="wide"),
            Dense(units=24, activation="tanh", name="deep"),
            Add(inputs=["wide", "deep"]),
            Dense(units=1),
        ],
        "inputs": {"left": left, "right": right},
        "targets": (left * right).sum(axis=1, keepdims=True),
        "loss": HalfSquaredError(),
    }
    recipe = Recipe(optimizer=Adam(learning_rate=0.01), epochs=150, batch_size=32)
    assert last_report(sent, recipe).metrics["r_squared"] > 0.98


def test_a_convolutional_network_learns() -> None:
    """Whether a bar lies or stands, wherever it is."""
    generator = np.random.default_rng(7)
    images, stands = generator.normal(scale=0.3, size=(200, 1, 8, 8)), np.arange(200) % 2
    for image, upright, row in zip(images[:, 0], stands, generator.integers(1, 7, 200), strict=True):
        (image.T if upright else image)[row] += 1
    sent: dict[str, Any] = {
        "layers": [
            Conv2D(filters=4, kernel_size=3, activation="relu"),
            MaxPool2D(size=2),
            Flatten(),
            Dense(units=8),
            BatchNorm(activation="relu"),
            Dense(units=1),
        ],
        "inputs": {"input": images},
        "targets": stands.reshape(-1, 1).astype(float),
        "loss": SigmoidCrossEntropy(),
    }
    recipe = Recipe(optimizer=Adam(learning_rate=0.01), epochs=25, batch_size=20, validation_fraction=0.25)
    report = last_report(sent, recipe)
    assert report.metrics["accuracy"] == 1.0
    assert report.validation_metrics["accuracy"] > 0.9


def test_a_recurrent_network_learns() -> None:
    """Which of two words came first."""
    generator = np.random.default_rng(8)
    words = generator.integers(2, 6, (120, 6))
    first = generator.integers(0, 2, 120)
    words[:, 1], words[:, 4] = first, 1 - first
    sent: dict[str, Any] = {
        "layers": [Embedding(vocabulary_size=6, units=4), Lstm(units=8), Dense(units=2)],
        "inputs": {"input": words.astype(float)},
        "targets": first,
        "loss": SoftmaxCrossEntropy(),
    }
    recipe = Recipe(optimizer=Adam(learning_rate=0.02, gradient_clip_norm=1.0), epochs=30, batch_size=16)
    assert last_report(sent, recipe).metrics["accuracy"] == 1.0
