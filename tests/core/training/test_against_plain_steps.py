"""The training loop, which computes where its parameters lie, against a loop that builds everything anew for every step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.arrays import Array
from core.layers.dense import Dense
from core.losses.mean_squared_error import MeanSquaredError
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.optimizers.sgd import Sgd
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import Recipe, train

RATE, MOMENTUM, EPOCHS = 0.1, 0.5, 3

Parameters = dict[str, dict[str, Array]]


def gradients_of(sent: dict[str, Any], parameters: Parameters) -> Parameters:
    """Gradients of a batch that is sent as any request sends it."""
    plan = validate(ProblemSpec(parameters=parameters, **sent)).plan()
    plan.forward()
    plan.backward()
    return plan.gradients.gradients


def part_of(sent: dict[str, Any], chosen: Array) -> dict[str, Any]:
    parts = {name: sent[name][chosen] for name in ("targets", "sample_weight") if sent.get(name) is not None}
    return {**sent, "inputs": {"input": sent["inputs"]["input"][chosen]}, **parts}


def plainly_trained(sent: dict[str, Any], parameters: Parameters, batch_size: int, frozen: set[str]) -> Parameters:
    """Nesterov's momentum, written down: the gradient at θ − μ v, v ← μ v + η g, θ ← θ − v."""
    theta = {f"{layer}.{name}": array.copy() for layer, named in parameters.items() for name, array in named.items()}
    velocity = {key: np.zeros_like(array) for key, array in theta.items()}
    examples = len(sent["targets"])
    for epoch in range(EPOCHS):
        order = np.random.Generator(np.random.PCG64([11, epoch])).permutation(examples)
        for first in range(0, examples, batch_size):
            ahead: Parameters = {}
            for key, array in theta.items():
                layer, name = key.split(".")
                moved = array - (0 if key in frozen else MOMENTUM * velocity[key])
                ahead.setdefault(layer, {})[name] = moved
            gradients = gradients_of(part_of(sent, order[first : first + batch_size]), ahead)
            for key in theta.keys() - frozen:
                layer, name = key.split(".")
                velocity[key] = MOMENTUM * velocity[key] + RATE * gradients[layer][name]
                theta[key] -= velocity[key]
    return {layer: {name: theta[f"{layer}.{name}"] for name in named} for layer, named in parameters.items()}


@settings(max_examples=60, deadline=None)
@given(
    hidden=st.integers(1, 5),
    examples=st.integers(1, 9),
    batch_size=st.integers(1, 10),
    bias=st.booleans(),
    frozen=st.sampled_from([set(), {"1.bias"}, {"2.weight"}, {"1.weight", "1.bias"}]),
    reduction=st.sampled_from(["mean", "sum"]),
    weighted=st.booleans(),
    classes=st.booleans(),
)
def test_the_loop_does_what_plain_steps_do(
    hidden: int,
    examples: int,
    batch_size: int,
    bias: bool,
    frozen: set[str],
    reduction: Any,
    weighted: bool,
    classes: bool,
) -> None:
    generator = np.random.default_rng(examples)
    loss = SoftmaxCrossEntropy if classes else MeanSquaredError
    sent: dict[str, Any] = {
        "layers": [Dense(units=hidden, activation="relu"), Dense(units=3, bias=bias)],
        "inputs": {"input": generator.normal(size=(examples, 4))},
        "targets": generator.integers(0, 3, examples) if classes else generator.normal(size=(examples, 3)),
        "loss": loss(reduction=reduction, l2=0.01),
        "sample_weight": generator.uniform(0.5, 2, examples) if weighted else None,
    }
    start = validate(ProblemSpec(seed=4, **sent)).parameters
    parameters = {layer: dict(named) for layer, named in start.items()}
    expected = plainly_trained(sent, parameters, batch_size, frozen)

    rule = Sgd(learning_rate=RATE, momentum=MOMENTUM, nesterov=True, variant="ruder")
    recipe = Recipe(optimizer=rule, epochs=EPOCHS, batch_size=batch_size, seed=11, freeze=tuple(frozen))
    *_, end = train(validate(ProblemSpec(parameters=parameters, **sent)), recipe)
    for layer, named in end.state().parameters.items():
        for name, array in named.items():
            np.testing.assert_allclose(array, expected[layer][name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_an_example_counts_as_much_in_a_part_as_its_weight_in_a_sum(batch_size: int) -> None:
    """A part of one example is the case in which its weight could be taken for that of every example."""
    sent: dict[str, Any] = {
        "layers": [Dense(units=1, bias=False)],
        "inputs": {"input": np.array([[1.0], [1.0], [1.0], [1.0]])},
        "targets": np.array([[1.0], [1.0], [1.0], [1.0]]),
        "loss": MeanSquaredError(reduction="sum"),
        "sample_weight": np.array([1.0, 3.0, 1.0, 1.0]),
    }
    problem = validate(ProblemSpec(parameters={"1": {"weight": np.zeros((1, 1))}}, **sent))
    rule = Sgd(learning_rate=1e-6)
    *_, end = train(problem, Recipe(optimizer=rule, epochs=1, batch_size=batch_size, shuffle=False))
    # To first order a step of the whole batch: −η Σ c_i · 2 (0 − 1).
    assert end.state().parameters["1"]["weight"][0, 0] == pytest.approx(1e-6 * 2 * 6, rel=1e-4)
