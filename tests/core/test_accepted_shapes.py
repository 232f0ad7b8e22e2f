"""Shapes that are accepted besides the documented ones give the same bits; others are refused with the fix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.arrays import Shape
from core.convention import Convention
from core.errors import Issue, Refusal
from core.layers import Layer
from core.layers.dense import Dense
from core.layers.layer_norm import LayerNorm
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.sample import CONVENTIONS, sample

LAYERS: list[Layer] = [Dense(units=3, activation="tanh", name="a"), LayerNorm(name="norm"), Dense(units=1, name="out")]


def problem(convention: Convention, **more: Any) -> ProblemSpec:
    return sample(LAYERS, {"input": (2, 4) if convention == "column" else (4, 2)}, convention=convention, **more)


def reshaped(sent: ProblemSpec, layer: str, name: str, shape: Shape) -> ProblemSpec:
    named = {**sent.parameters[layer], name: sent.parameters[layer][name].reshape(shape)}
    return replace(sent, parameters={**sent.parameters, layer: named})


def assert_same(one: Problem, other: Problem) -> None:
    for layer, named in one.parameters.items():
        for name, array in named.items():
            np.testing.assert_array_equal(array, other.parameters[layer][name], strict=True)
    assert one.objective and other.objective
    np.testing.assert_array_equal(one.objective.targets, other.objective.targets, strict=True)
    assert list(one.warnings) == list(other.warnings)


def refusal(sent: ProblemSpec) -> Issue:
    with pytest.raises(Refusal) as refused:
        validate(sent)
    (issue,) = refused.value.issues
    return issue


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize(
    ("layer", "name", "shape"),
    [("a", "bias", (1, 3)), ("a", "bias", (3, 1)), ("norm", "gamma", (3, 1)), ("norm", "beta", (1, 3)),
     ("out", "bias", ()), ("out", "bias", (1, 1)), ("out", "weight", (3,))],
)  # fmt: skip
def test_an_accepted_shape_of_a_parameter(convention: Convention, layer: str, name: str, shape: Shape) -> None:
    sent = problem(convention)
    accepted = validate(reshaped(sent, layer, name, shape))
    assert_same(accepted, validate(sent))
    assert accepted.sent_shapes == {layer: {name: shape}}
    sent_back = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    assert accepted.documented(layer, name, sent_back).shape == sent.parameters[layer][name].shape


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_flat_targets_of_one_output(convention: Convention) -> None:
    sent = problem(convention)
    assert sent.targets is not None
    assert_same(validate(replace(sent, targets=sent.targets.reshape(4))), validate(sent))


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_flat_targets_of_one_example(convention: Convention) -> None:
    sent = sample([Dense(units=3)], {"input": (2, 1) if convention == "column" else (1, 2)}, convention=convention)
    assert sent.targets is not None
    assert_same(validate(replace(sent, targets=sent.targets.reshape(3))), validate(sent))


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_number_as_the_target_of_one_output_of_one_example(convention: Convention) -> None:
    sent = sample([Dense(units=1)], {"input": (2, 1) if convention == "column" else (1, 2)}, convention=convention)
    assert sent.targets is not None
    assert_same(validate(replace(sent, targets=sent.targets.reshape(()))), validate(sent))


@pytest.mark.parametrize(
    ("convention", "shape"), [("row", (4, 1)), ("torch", (4, 1)), ("column", (4, 1)), ("column", (1, 4))]
)
def test_class_numbers_as_a_column(convention: Convention, shape: Shape) -> None:
    inputs = {"input": (2, 4) if convention == "column" else (4, 2)}
    labels = np.array([2.0, 0, 1, 2])
    sent = sample(
        [Dense(units=3)],
        inputs,
        convention=convention,
        loss=SoftmaxCrossEntropy(),
        targets=labels,
    )
    assert_same(validate(replace(sent, targets=labels.reshape(shape))), validate(sent))


def test_class_numbers_as_a_row_are_refused_with_the_fix() -> None:
    loss = SoftmaxCrossEntropy()
    issue = refusal(sample([Dense(units=3)], {"input": (4, 2)}, loss=loss, targets=np.zeros((1, 4))))
    assert issue.hint == "Send 4 class numbers, or a matrix of shape [4, 3]."


@pytest.mark.parametrize(
    ("layer", "name", "shape", "hint"),
    [
        ("a", "bias", (2, 2), "Send the bias as a list of 3 numbers."),
        ("a", "bias", (), "Send the bias as a list of 3 numbers."),
        ("out", "bias", (2,), "Send the bias as a list of 1 number."),
        ("a", "weight", (6,), "Send the weight as nested lists of shape [2, 3]: 2 rows of 3 numbers."),
        ("a", "weight", (3, 2), "It is transposed."),
    ],
)
def test_another_shape_is_refused_with_the_fix(layer: str, name: str, shape: Shape, hint: str) -> None:
    sent = problem("row")
    parameters = {**sent.parameters, layer: {**sent.parameters[layer], name: np.zeros(shape)}}
    issue = refusal(replace(sent, parameters=parameters))
    assert (issue.code, issue.path) == ("shape-mismatch", ("parameters", layer, name))
    assert issue.hint == hint


def test_a_flat_weight_of_several_units_is_refused() -> None:
    sent = sample([Dense(units=3)], {"input": (4, 1)})
    issue = refusal(reshaped(sent, "1", "weight", (3,)))
    assert issue.hint == "Send the weight as nested lists of shape [1, 3]: 1 row of 3 numbers."


def test_a_flat_weight_and_square_inputs_without_a_convention_are_ambiguous() -> None:
    sent = reshaped(sample([Dense(units=1)], {"input": (3, 3)}, targets=np.zeros(3)), "1", "weight", (3,))
    (warning,) = validate(replace(sent, convention=None)).warnings
    assert warning.code == "ambiguous-convention"
    assert "'column'" in warning.detail
    assert "'torch'" not in warning.detail
    assert not validate(sent).warnings


def test_an_accepted_shape_of_a_bias_warns_of_no_convention() -> None:
    sent = reshaped(sample([Dense(units=3)], {"input": (4, 2)}), "1", "bias", (3, 1))
    assert not validate(replace(sent, convention=None)).warnings
