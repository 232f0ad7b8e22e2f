"""Convolution and pooling against torch, where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.layers import Layer
from core.layers.average_pool2d import AveragePool2D
from core.layers.conv1d import Conv1D
from core.layers.conv2d import Conv2D
from core.layers.max_pool2d import MaxPool2D
from core.losses.upstream import Upstream
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.gradient import solved

torch: Any = pytest.importorskip(
    "torch", reason="torch is no dependency; with it, the layers are compared with its own"
)


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def assert_same(module: Any, layer: Layer, X: Array) -> None:
    module = module.double()
    x = torch.tensor(X, requires_grad=True)
    result = module(x)
    upstream = random(*result.shape, seed=9)
    result.backward(torch.tensor(upstream))
    theirs = dict(module.named_parameters())
    parameters = {"1": {name: parameter.detach().numpy() for name, parameter in theirs.items()}}
    sent = ProblemSpec(layers=[layer], inputs={"input": X}, parameters=parameters, loss=Upstream(), upstream=upstream)
    plan = solved(validate(sent))
    np.testing.assert_allclose(plan.output, result.detach().numpy(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(plan.gradients.input_gradients["input"], x.grad.numpy(), rtol=1e-12, atol=1e-13)
    for name, parameter in theirs.items():
        found = plan.gradients.gradients["1"][name]
        np.testing.assert_allclose(found, parameter.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "fields",
    [
        {"kernel_size": 3},
        {"kernel_size": [3, 2], "stride": [2, 3], "padding": [2, 1]},
        {"kernel_size": [2, 3], "dilation": [3, 2], "stride": 2, "padding": 1},
        {"kernel_size": 3, "padding": "same", "dilation": 2},
        {"kernel_size": 4, "padding": "same"},
        {"kernel_size": 3, "groups": 2, "bias": False},
        {"kernel_size": 1, "stride": 2},
    ],
)
def test_convolution(fields: dict[str, Any]) -> None:
    named = {**fields, "kernel_size": fields["kernel_size"]}
    assert_same(torch.nn.Conv2d(4, 6, **named), Conv2D(filters=6, **fields), random(3, 4, 9, 8))
    along = {name: value[-1] if isinstance(value, list) else value for name, value in named.items()}
    assert_same(torch.nn.Conv1d(4, 6, **along), Conv1D(filters=6, **along), random(3, 4, 9))


@pytest.mark.parametrize(
    "sides", [{"size": 2}, {"size": 3, "stride": 1}, {"size": [3, 2], "stride": [2, 1], "padding": 1}]
)
def test_pooling(sides: dict[str, Any]) -> None:
    named = {**sides, "kernel_size": sides["size"]}
    del named["size"]
    ties = np.random.default_rng(0).integers(3, size=(2, 3, 7, 6)).astype(float)
    for X in (random(2, 3, 7, 6), ties):
        assert_same(torch.nn.MaxPool2d(**named), MaxPool2D(**sides), X)
        assert_same(torch.nn.AvgPool2d(**named), AveragePool2D(**sides), X)
