"""Losses that are fused with the activation of the output."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.losses import LOSSES, Loss
from core.plan import Retain
from core.problem import Problem
from tests.core.activations.activation_cases import sigmoid, softmax, softplus
from tests.core.losses.loss_cases import bits, chances, distributions, sparse
from tests.core.sample import sampled
from tests.gradient import assert_backward_is_the_derivative, assert_same, backpropagated, gradients_of, solved

FUSED = [
    ("cross_entropy", "softmax", "softmax_cross_entropy", distributions),
    ("cross_entropy", "softmax", "softmax_cross_entropy", sparse),
    ("binary_cross_entropy", "sigmoid", "sigmoid_cross_entropy", bits),
    ("binary_cross_entropy", "sigmoid", "sigmoid_cross_entropy", chances),
    ("kullback_leibler", "softmax", None, distributions),
    ("kullback_leibler", "softmax", None, sparse),
]
every_pair = pytest.mark.parametrize(
    ("kind", "activation", "on_logits", "draw"), FUSED, ids=lambda value: getattr(value, "__name__", value)
)
SHAPE = {"input": (4, 3)}


def loss_of(kind: str, **fields: Any) -> Loss:
    """The loss of that kind."""
    construct: Callable[..., Loss] = LOSSES[kind]
    return construct(**fields)


def targets_by(draw: Callable[..., Array]) -> Array:
    """Targets for four examples of three features."""
    return draw(np.random.default_rng(1), (4, 3))


@pytest.mark.parametrize("fields", [{}, {"sample_weight": np.array([1.0, 0.5, 0, 2])}], ids=["equal", "weighted"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@every_pair
def test_fused_agrees_with_unfused(
    kind: str, activation: str, on_logits: str | None, draw: Any, reduction: str, fields: dict[str, Any]
) -> None:
    more = {"loss": loss_of(kind, reduction=reduction, l2=0.1), "targets": targets_by(draw), **fields}
    fused = sampled([Dense(units=3, activation=activation)], SHAPE, **more)
    apart = sampled([Dense(units=3), ActivationLayer(function=activation)], SHAPE, **more)
    assert fused.objective and fused.objective.loss.on_logits(fused.nodes[-1].function)
    assert apart.objective and not apart.objective.loss.on_logits(apart.nodes[-1].function)
    one, two = solved(fused), solved(apart)
    np.testing.assert_allclose(one.output, two.output, rtol=1e-13)
    assert one.loss.total == pytest.approx(float(two.loss.total), rel=1e-13)
    np.testing.assert_allclose(one.loss.per_example(), two.loss.per_example(), rtol=1e-12, atol=1e-14)
    assert_same(gradients_of(one), gradients_of(two), 1e-12)
    assert_backward_is_the_derivative(fused)
    if on_logits:
        logits = sampled([Dense(units=3)], SHAPE, **(more | {"loss": loss_of(on_logits, reduction=reduction, l2=0.1)}))
        assert_same(backpropagated(logits), gradients_of(one), 1e-14)


@every_pair
def test_the_delta_of_a_fused_output_is_its_error(kind: str, activation: str, on_logits: str | None, draw: Any) -> None:
    problem = sampled(
        [Dense(units=3, activation=activation)], SHAPE, loss=loss_of(kind, reduction="sum"), targets=targets_by(draw)
    )
    plan, Y = solved(problem, Retain(deltas=True)), targets_by(draw)
    total = Y.sum(axis=1, keepdims=True) if activation == "softmax" else 1
    np.testing.assert_allclose(plan.gradients.deltas["1"], plan.output * total - Y, rtol=0, atol=1e-14)


def extreme(kind: str, activation: str, logits: Array, targets: Array) -> Problem:
    """A network whose logits are these: its weight is 1 and its inputs are they."""
    problem = sampled(
        [Dense(units=logits.shape[1], activation=activation)],
        {"input": logits.shape},
        loss=loss_of(kind, reduction="sum"),
        targets=targets,
    )
    problem.inputs["input"][...] = logits
    problem.parameters["1"]["weight"][...] = np.eye(logits.shape[1])
    problem.parameters["1"]["bias"][...] = 0
    return problem


@pytest.mark.parametrize("kind", ["cross_entropy", "kullback_leibler"])
def test_softmax_fused_is_exact_at_extreme_logits(kind: str) -> None:
    logits = np.array([[800.0, -800, 0], [800, -800, 0], [-800, -800, -801], [1e300, 0, -1e300]])
    plan = solved(extreme(kind, "softmax", logits, np.eye(3)[[0, 1, 2, 0]]))
    expected = [0.0, 1600.0, 1 + math.log(2 + math.exp(-1)), 0.0]
    np.testing.assert_allclose(plan.loss.per_example(), expected, rtol=1e-15)
    assert plan.loss.total == pytest.approx(sum(expected), rel=1e-15)
    probabilities = np.array([softmax(row) for row in logits.tolist()])
    found = plan.gradients.input_gradients["input"]
    np.testing.assert_allclose(found, probabilities - np.eye(3)[[0, 1, 2, 0]], rtol=1e-14, atol=1e-300)


def test_sigmoid_fused_is_exact_at_extreme_logits() -> None:
    logits = np.array([[800.0, -800, 800, -800, 40, -40, 40, -40]])
    targets = np.array([[1.0, 0, 0, 1, 1, 0, 0, 1]])
    plan = solved(extreme("binary_cross_entropy", "sigmoid", logits, targets))
    expected = [0.0, 0, 800, 800, softplus(-40), softplus(-40), softplus(40), softplus(40)]
    assert plan.loss.total == pytest.approx(math.fsum(expected), rel=1e-15)
    gradient = [0.0, 0, 1, -1, -0.0, sigmoid(-40), 1, -1]
    np.testing.assert_allclose(plan.gradients.input_gradients["input"], [gradient], rtol=1e-15, atol=1e-300)


def test_a_nearly_perfect_fit_keeps_its_relative_accuracy() -> None:
    """log(1 + e^−40) is 4.2e-18: it must not be lost beside 40."""
    for logit, target in ((40.0, 1.0), (-40.0, 0.0)):
        plan = solved(extreme("binary_cross_entropy", "sigmoid", np.array([[logit]]), np.array([[target]])))
        assert plan.loss.total == pytest.approx(softplus(-40), rel=1e-14, abs=0)


def test_an_activation_with_gain_is_not_fused_and_is_right() -> None:
    layers: Sequence[Layer] = [Dense(units=3), ActivationLayer(function="softmax", gain=0.5)]
    assert_backward_is_the_derivative(
        sampled(layers, SHAPE, loss=loss_of("cross_entropy"), targets=targets_by(distributions))
    )
