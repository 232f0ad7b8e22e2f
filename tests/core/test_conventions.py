"""The same mathematics whatever the convention, and however the examples are put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.convention import Convention, layer_parameters, tensor
from core.layers import Layer
from core.layers.add import Add
from core.layers.dense import Dense
from core.layers.flatten import Flatten
from core.losses import Loss
from core.losses.cross_entropy import CrossEntropy
from core.losses.half_squared_error import HalfSquaredError
from core.losses.mean_squared_error import MeanSquaredError
from core.losses.upstream import Upstream
from core.plan import Retain
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.sample import sample
from tests.gradient import assert_same, by_path, gradients_of, solved

ALL = Retain(preactivations=True, deltas=True, input_gradients=True)


@st.composite
def networks(draw: st.DrawFn) -> Sequence[Layer]:
    """Some dense layers, with or without a skip connection around the last hidden one."""
    activations = st.sampled_from(["tanh", "relu", "identity", "gelu", "softmax"])
    layers: list[Layer] = [
        Dense(units=draw(st.integers(1, 4)), activation=draw(activations), bias=draw(st.booleans()))
        for _ in range(draw(st.integers(1, 2)))
    ]
    if draw(st.booleans()):
        last = layers[-1]
        layers += [replace(last, name="again", activation=draw(activations)), Add(inputs=[str(len(layers)), "again"])]
    return [*layers, Dense(units=draw(st.integers(1, 3)), activation=draw(activations))]


def rewritten(sent: ProblemSpec, problem: Problem, convention: Convention) -> ProblemSpec:
    """A problem of the row convention as another one writes it."""
    parameters = {
        node.name: {
            name: array.copy()
            for name, array in layer_parameters(sent.parameters[node.name], node.parameters, convention).items()
        }
        for node in problem.nodes
    }
    assert sent.targets is not None
    return replace(
        sent,
        inputs={name: tensor(array, convention).copy() for name, array in sent.inputs.items()},
        parameters=parameters,
        targets=tensor(sent.targets, convention).copy(),
        convention=convention,
    )


@pytest.mark.parametrize("convention", ["column", "torch"])
@given(layers=networks(), examples=st.integers(1, 5), features=st.integers(1, 4), seed=st.integers(0, 9))
@example(layers=[Dense(units=3), Dense(units=3)], examples=3, features=3, seed=0)
def test_every_convention_gives_the_same_numbers_transposed(
    convention: Convention, layers: Sequence[Layer], examples: int, features: int, seed: int
) -> None:
    loss = MeanSquaredError(l2=0.1)
    by_row = sample(layers, {"input": (examples, features)}, loss=loss, seed=seed)
    row = validate(by_row)
    other = validate(rewritten(by_row, row, convention))
    one, two = solved(row, ALL), solved(other, ALL)
    assert two.loss.total == pytest.approx(float(one.loss.total), rel=1e-13)
    assert_same(two.activations, one.activations, 1e-13)
    assert_same(two.preactivations, one.preactivations, 1e-13)
    assert_same(two.gradients.deltas, one.gradients.deltas, 1e-12)
    assert_same(gradients_of(two), gradients_of(one), 1e-12)
    for node in other.nodes:
        written = layer_parameters(two.gradients.gradients[node.name], node.parameters, convention)
        for name, array in written.items():
            expected = one.gradients.gradients[node.name][name]
            assert array.shape == (expected.T if name == "weight" else expected).shape


def test_a_tensor_is_transposed_in_rank_2_of_column_alone() -> None:
    matrix, stack, vector = np.ones((2, 3)), np.ones((2, 3, 4)), np.ones(2)
    assert tensor(matrix, "column").shape == (3, 2)
    assert np.shares_memory(tensor(matrix, "column"), matrix)
    for array, convention in ((matrix, "row"), (matrix, "torch"), (stack, "column"), (vector, "column")):
        assert tensor(array, convention) is array  # type: ignore[arg-type]


def some_of(problem: Problem, chosen: Sequence[int]) -> Problem:
    """The problem of some of its examples, each with the share that it would have in a batch of these alone."""
    assert problem.objective is not None
    objective = problem.objective
    share = 1 / len(chosen) if objective.loss.reduction == "mean" and objective.loss.needs_targets else 1.0
    return replace(
        problem,
        inputs={name: array[chosen] for name, array in problem.inputs.items()},
        nodes=[replace(node, shape=(len(chosen), *node.shape[1:])) for node in problem.nodes],
        objective=replace(
            objective, targets=objective.targets[chosen], coefficients=np.full(len(chosen), share, problem.dtype)
        ),
    )


SEQUENCES: Sequence[Layer] = [
    Dense(units=3, activation="tanh", name="a"),
    Dense(units=3, activation="softmax"),
    Add(inputs=["a", "2"]),
    Flatten(),
    Dense(units=2, activation="softmax"),
]
LOSSES: list[Loss] = [
    HalfSquaredError(reduction="sum"),
    HalfSquaredError(reduction="mean"),
    CrossEntropy(reduction="mean"),
    Upstream(),
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss.kind}-{loss.reduction}")
@given(examples=st.integers(1, 5), seed=st.integers(0, 9))
def test_the_gradient_of_a_batch_is_the_sum_or_mean_over_its_examples(loss: Loss, examples: int, seed: int) -> None:
    targets = {"targets": np.arange(examples) % 2 * 1.0} if isinstance(loss, CrossEntropy) else {}
    problem = validate(sample(SEQUENCES, {"input": (examples, 2, 3)}, loss=loss, seed=seed, **targets))  # type: ignore[arg-type]
    whole, alone = solved(problem), [solved(some_of(problem, [i])) for i in range(examples)]
    averaged = loss.reduction == "mean" and loss.needs_targets
    share = 1 / examples if averaged else 1.0
    together = {
        path: share * np.sum([by_path(plan.gradients.gradients, {})[path] for plan in alone], axis=0)
        for path in by_path(problem.parameters, {})
    }
    assert_same(by_path(whole.gradients.gradients, {}), together, 1e-12)
    assert whole.loss.total == pytest.approx(share * sum(float(plan.loss.total) for plan in alone), rel=1e-12)
    found = whole.gradients.input_gradients["input"]
    for i, plan in enumerate(alone):
        np.testing.assert_allclose(found[i], share * plan.gradients.input_gradients["input"][0], rtol=1e-10, atol=1e-15)


def test_the_order_of_the_examples_does_not_matter() -> None:
    problem = validate(sample(SEQUENCES, {"input": (5, 2, 3)}))
    order = [3, 0, 4, 1, 2]
    one, two = solved(problem), solved(some_of(problem, order))
    np.testing.assert_allclose(two.output, one.output[order], rtol=1e-14)
    assert_same(by_path(two.gradients.gradients, {}), by_path(one.gradients.gradients, {}), 1e-13)
