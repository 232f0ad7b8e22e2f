"""Every activation function with every loss, over random shapes and conventions: backward against complex steps."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.activations import FUNCTIONS
from core.convention import CONVENTIONS, Convention, tensor
from core.layers.dense import Dense
from core.losses import AnyLoss, Loss
from core.losses.normalized_cuts import NormalizedCuts
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.activations.activation_cases import OF_POSITIVE_NUMBERS
from tests.gradient import backpropagated, complex_steps

LOSSES: list[type[Loss]] = [loss for loss in get_args(AnyLoss) if loss is not NormalizedCuts]
"""All that read the features of a dense layer."""
PROBABILITIES = {"cross_entropy", "binary_cross_entropy", "kullback_leibler"}
"""Losses that read probabilities, so that the output before them is a sigmoid or a softmax."""

sizes = st.integers(1, 4)


def outputs_for(kind: str) -> list[str]:
    """The activation functions of the output that make sense before a loss."""
    return ["sigmoid", "softmax"] if kind in PROBABILITIES else ["identity", "tanh"]


def targets_for(kind: str, shape: tuple[int, int], generator: np.random.Generator) -> Any:
    """Targets that the loss accepts."""
    if kind == "hinge":
        return generator.choice([-1.0, 1.0], shape)
    if "entropy" in kind or kind == "kullback_leibler":
        values = generator.random(shape) + 0.1
        return values / values.sum(1, keepdims=True)
    return generator.standard_normal(shape)


def problem_of(
    loss: Loss, hidden: str, output: str, size: tuple[int, int, int, int], convention: Convention, weighted: bool
) -> Problem:
    """A network with one hidden layer; log and sqrt read a square, so that they are defined."""
    examples, inputs, units, outputs = size
    generator = np.random.default_rng([*size, len(hidden), len(loss.kind)])
    positive = hidden in OF_POSITIVE_NUMBERS
    first = "square" if positive else "identity"
    layers = [
        Dense(units=units, activation=first),
        Dense(units=units, activation=hidden, initializer="zeros" if positive else "default"),
        Dense(units=outputs, activation=output),
    ]
    parameters = {
        "1": {"weight": generator.standard_normal((inputs, units)), "bias": np.full(units, 0.3)},
        "2": {"weight": generator.standard_normal((units, units)), "bias": generator.standard_normal(units)},
        "3": {"weight": generator.standard_normal((units, outputs)), "bias": generator.standard_normal(outputs)},
    }
    if positive:
        parameters["2"]["weight"], parameters["2"]["bias"] = np.abs(parameters["2"]["weight"]), np.full(units, 0.5)
    if convention != "row":
        for named in parameters.values():
            named["weight"] = named["weight"].T
    targets = tensor(targets_for(loss.kind, (examples, outputs), generator), convention)
    return validate(
        ProblemSpec(
            layers=layers,
            inputs={"input": tensor(generator.standard_normal((examples, inputs)), convention)},
            parameters=parameters,
            loss=loss,
            targets=targets if loss.needs_targets else None,
            upstream=None if loss.needs_targets else targets,
            sample_weight=generator.random(examples) + 0.1 if weighted and loss.needs_targets else None,
            convention=convention,
        )
    )


def assert_gradients_are_right(problem: Problem) -> None:
    found, expected = backpropagated(problem), complex_steps(problem)
    assert found.keys() == expected.keys()
    for path, gradient in found.items():
        scale = float(np.abs(expected[path]).max())
        np.testing.assert_allclose(gradient, expected[path], rtol=1e-9, atol=1e-12 * max(scale, 1e-3), err_msg=path)


@pytest.mark.parametrize("hidden", FUNCTIONS)
@given(size=st.tuples(sizes, sizes, sizes, sizes), convention=st.sampled_from(CONVENTIONS))
def test_backward_of_every_activation_function(
    hidden: str, size: tuple[int, int, int, int], convention: Convention
) -> None:
    loss = LOSSES[0]()  # type: ignore[call-arg]
    assert_gradients_are_right(problem_of(loss, hidden, "identity", size, convention, weighted=False))


@pytest.mark.parametrize("kind", LOSSES, ids=lambda kind: kind.__name__)
@given(
    size=st.tuples(sizes, sizes, sizes, sizes),
    convention=st.sampled_from(CONVENTIONS),
    reduction=st.sampled_from(["mean", "sum"]),
    l2=st.sampled_from([0.0, 0.3]),
    weighted=st.booleans(),
    which=st.integers(0, 1),
)
def test_backward_of_every_loss(
    kind: type[Loss],
    size: tuple[int, int, int, int],
    convention: Convention,
    reduction: Any,
    l2: float,
    weighted: bool,
    which: int,
) -> None:
    loss = kind(reduction=reduction, l2=l2)  # type: ignore[call-arg]
    output = outputs_for(loss.kind)[which]
    assert_gradients_are_right(problem_of(loss, "tanh", output, size, convention, weighted))
