"""Warnings that follow from the layers and the loss alone."""

from __future__ import annotations

import pytest

from core.activations.choice import Function
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.losses import LOSSES, Loss
from core.losses.binary_cross_entropy import BinaryCrossEntropy
from core.losses.cross_entropy import CrossEntropy
from core.losses.sigmoid_cross_entropy import SigmoidCrossEntropy
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.network import Node
from core.problem_warnings import activation_applied_twice, softmax_of_one
from core.shape_inference import infer_shapes


def nodes(*layers: Layer) -> list[Node]:
    found = infer_shapes(layers, {"input": (4, 2)}, {}, "row", seeded=True)
    assert not found.issues
    return found.nodes


def test_the_losses_exist() -> None:
    applying = {kind: loss.applies for kind, loss in LOSSES.items() if loss.applies}
    assert set(applying) == {"softmax_cross_entropy", "sigmoid_cross_entropy"}
    assert {applied.on_probabilities for applied in applying.values()} <= set(LOSSES)


@pytest.mark.parametrize(
    ("activation", "loss", "code", "instead"),
    [
        ("softmax", SoftmaxCrossEntropy(), "double-softmax", "cross_entropy"),
        ("log_softmax", SoftmaxCrossEntropy(), "double-softmax", "cross_entropy"),
        (Function(function="softmax", gain=2.0), SoftmaxCrossEntropy(), "double-softmax", "cross_entropy"),
        ("sigmoid", SigmoidCrossEntropy(), "double-sigmoid", "binary_cross_entropy"),
    ],
)
def test_a_function_that_the_loss_applies_itself(
    activation: str | Function, loss: Loss, code: str, instead: str
) -> None:
    (warning,) = activation_applied_twice(nodes(Dense(units=3, activation=activation)), loss)
    assert (warning.code, warning.path) == (code, ("network", "layers", 0, "activation"))
    assert warning.hint and f'{{"kind": "{instead}"}}' in warning.hint


def test_a_function_as_a_layer_of_its_own() -> None:
    network = nodes(Dense(units=3), ActivationLayer(function="softmax"))
    (warning,) = activation_applied_twice(network, SoftmaxCrossEntropy())
    assert (warning.code, warning.path) == ("double-softmax", ("network", "layers", 1, "function"))


def test_log_softmax_leaves_the_value_right() -> None:
    (warning,) = activation_applied_twice(nodes(Dense(units=3, activation="log_softmax")), SoftmaxCrossEntropy())
    assert "the value is right" in warning.detail


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("softmax", CrossEntropy()),
        ("sigmoid", BinaryCrossEntropy()),
        ("identity", SoftmaxCrossEntropy()),
        ("sigmoid", SoftmaxCrossEntropy()),
        ("softmax", SigmoidCrossEntropy()),
        ("softmax", None),
    ],
)
def test_no_warning_where_each_applies_its_own(activation: str, loss: Loss | None) -> None:
    assert not list(activation_applied_twice(nodes(Dense(units=3, activation=activation)), loss))


@pytest.mark.parametrize(
    ("layers", "loss", "path"),
    [
        ([Dense(units=1, activation="softmax")], CrossEntropy(), (0, "activation")),
        ([Dense(units=1, activation="log_softmax")], None, (0, "activation")),
        ([Dense(units=1)], SoftmaxCrossEntropy(), (0, "activation")),
        ([Dense(units=1), ActivationLayer(function="softmax")], CrossEntropy(), (1, "function")),
    ],
)
def test_softmax_over_one_output(layers: list[Layer], loss: Loss | None, path: tuple[int, str]) -> None:
    (warning,) = softmax_of_one(nodes(*layers), loss)
    assert (warning.code, warning.path) == ("softmax-of-one", ("network", "layers", *path))
    assert warning.hint and "sigmoid" in warning.hint


@pytest.mark.parametrize(
    ("layer", "loss"),
    [
        (Dense(units=2, activation="softmax"), CrossEntropy()),
        (Dense(units=1, activation="sigmoid"), BinaryCrossEntropy()),
        (Dense(units=1), None),
    ],
)
def test_no_warning_where_softmax_chooses(layer: Layer, loss: Loss | None) -> None:
    assert not list(softmax_of_one(nodes(layer), loss))
