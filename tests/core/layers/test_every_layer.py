"""Every kind of layer against two numerical derivatives, in every convention, for many sizes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.activations.choice import Function
from core.convention import Convention
from core.layers import KINDS, Layer
from core.layers.activation import ActivationLayer
from core.losses import Loss
from core.losses.half_squared_error import HalfSquaredError
from core.losses.mean_squared_error import MeanSquaredError
from core.losses.upstream import Upstream
from core.problem import Problem
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.sample import CONVENTIONS, sampled
from tests.gradient import assert_backward_is_the_derivative, assert_same, backpropagated, central_differences

pytestmark = pytest.mark.slow

ACTIVATIONS = ("identity", "tanh", "gelu", Function(function="sigmoid", gain=-1.5), "softmax")
LOSSES = (Upstream(), HalfSquaredError(reduction="sum"), MeanSquaredError(l2=0.3))
SMALL = Sizes(2, 3, 2, 3)

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
every_convention = pytest.mark.parametrize("convention", CONVENTIONS)
lengths = st.integers(1, 4)


def problem_of(
    case: Case,
    sizes: Sizes,
    convention: Convention,
    *,
    activation: str | Function = "identity",
    loss: Loss | None = None,
    behind: bool = False,
) -> Problem:
    """The layer alone, or behind a layer for each thing that it reads."""
    (*layers, layer), inputs = case.built(sizes, convention)
    if behind and not layer.reads_classes:
        *layers, layer = [_reading_primed(one, inputs) for one in (*layers, layer)]
        layers = [*(ActivationLayer(function="sin", inputs=[name], name=f"{name}'") for name in inputs), *layers]
    plain = sampled([*layers, layer], inputs, convention=convention)
    if activation == "softmax" and len(plain.output_shape) < 2:
        activation = "tanh"
    return sampled([*layers, replace(layer, activation=activation)], inputs, convention=convention, loss=loss)


def _reading_primed(layer: Layer, inputs: Collection[str]) -> Layer:
    """The same layer behind the layers a', b' ... that read the inputs."""
    return replace(layer, inputs=[f"{name}'" if name in inputs else name for name in layer.inputs or []])


def test_no_layer_is_left_out() -> None:
    assert {case.layer(SMALL).kind for case in CASES} == set(KINDS)


@every_convention
@every_case
@settings(max_examples=8)
@given(
    sizes=st.builds(Sizes, lengths, lengths, lengths, lengths),
    activation=st.sampled_from(ACTIVATIONS),
    loss=st.sampled_from(LOSSES),
    behind=st.booleans(),
)
@example(sizes=Sizes(1, 1, 1, 1), activation="tanh", loss=LOSSES[2], behind=True)
@example(sizes=Sizes(2, 3, 2, 4), activation="softmax", loss=LOSSES[0], behind=True)
def test_backward_is_the_derivative(
    case: Case, convention: Convention, sizes: Sizes, activation: str | Function, loss: Loss, behind: bool
) -> None:
    assert_backward_is_the_derivative(
        problem_of(case, sizes, convention, activation=activation, loss=loss, behind=behind)
    )


@every_convention
@every_case
def test_backward_agrees_with_central_differences(case: Case, convention: Convention) -> None:
    problem = problem_of(case, SMALL, convention, activation="tanh", behind=True)
    assert_same(backpropagated(problem), central_differences(problem), 1e-7)


@every_case
def test_float32_agrees_with_float64(case: Case) -> None:
    layers, inputs = case.built(SMALL, "row")
    wide, narrow = (sampled(layers, inputs, dtype=dtype) for dtype in ("float64", "float32"))
    found = backpropagated(narrow)
    assert {array.dtype for array in found.values()} == {np.dtype("float32")}
    assert_same(found, backpropagated(wide), 1e-5)
