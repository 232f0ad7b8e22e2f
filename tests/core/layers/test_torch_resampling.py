"""Transposed convolution, padding and resampling against torch, where it is installed."""

from __future__ import annotations

from typing import Any

import pytest

from core.layers.average_pool2d import AveragePool2D
from core.layers.conv2d import Conv2D
from core.layers.conv_transpose1d import ConvTranspose1D
from core.layers.conv_transpose2d import ConvTranspose2D
from core.layers.pad import Pad
from core.layers.upsample import Upsample

torch: Any = pytest.importorskip(
    "torch", reason="torch is no dependency; with it, the layers are compared with its own"
)

from tests.core.layers.test_torch_images import assert_same, random  # noqa: E402 - skipped without torch, as this file is

functional: Any = torch.nn.functional


@pytest.mark.parametrize(
    "fields",
    [
        {"kernel_size": 3},
        {"kernel_size": [3, 2], "stride": [2, 3], "padding": [2, 1], "output_padding": [1, 2]},
        {"kernel_size": [2, 3], "dilation": [3, 2], "stride": 2, "padding": 1, "output_padding": [2, 1]},
        {"kernel_size": 3, "padding": 1, "dilation": 3, "output_padding": 2},
        {"kernel_size": 4, "stride": 2, "padding": 1, "groups": 2, "bias": False},
        {"kernel_size": 1, "stride": 2},
    ],
)
def test_transposed_convolution(fields: dict[str, Any]) -> None:
    assert_same(torch.nn.ConvTranspose2d(4, 6, **fields), ConvTranspose2D(filters=6, **fields), random(3, 4, 5, 6))
    along = {name: value[-1] if isinstance(value, list) else value for name, value in fields.items()}
    assert_same(torch.nn.ConvTranspose1d(4, 6, **along), ConvTranspose1D(filters=6, **along), random(3, 4, 5))


class Function(torch.nn.Module):  # type: ignore[misc]
    """A function of torch as a module."""

    def __init__(self, function: Any, *arguments: Any, **named: Any) -> None:
        super().__init__()
        self._function, self._arguments, self._named = function, arguments, named

    def forward(self, x: Any) -> Any:
        return self._function(x, *self._arguments, **self._named)


@pytest.mark.parametrize(("mode", "theirs"), [("constant", "constant"), ("reflect", "reflect"), ("edge", "replicate")])
def test_padding(mode: Any, theirs: str) -> None:
    named: dict[str, Any] = {"value": 1.5} if mode == "constant" else {}
    images = Function(functional.pad, (1, 3, 2, 0), mode=theirs, **named)
    assert_same(images, Pad(padding=[2, 1, 0, 3], mode=mode, **named), random(2, 3, 4, 5))
    sequences = Function(functional.pad, (2, 1), mode=theirs, **named)
    assert_same(sequences, Pad(padding=[2, 1], mode=mode, **named), random(2, 3, 4))


@pytest.mark.parametrize(
    "to", [{"scale": 2}, {"scale": [3.0, 1.5]}, {"scale": 0.6}, {"size": [7, 4]}, {"size": [1, 13]}]
)
@pytest.mark.parametrize("mode", ["nearest", "nearest_exact", "linear", "corners"])
def test_resampling(to: dict[str, Any], mode: str) -> None:
    corners = mode == "corners"
    theirs = {"nearest": "nearest", "nearest_exact": "nearest-exact"}.get(mode, "linear")
    more = {"align_corners": corners} if theirs == "linear" else {}
    fields: Any = {**to, "mode": "linear" if corners else mode, "align_corners": corners}
    named = {"scale_factor" if name == "scale" else name: value for name, value in to.items()}
    images = Function(functional.interpolate, mode="bilinear" if theirs == "linear" else theirs, **named, **more)
    assert_same(images, Upsample(**fields), random(2, 3, 5, 6))
    along = {name: value[-1] if isinstance(value, list) else value for name, value in named.items()}
    ours = {name: value[-1] if isinstance(value, list) else value for name, value in fields.items()}
    assert_same(Function(functional.interpolate, mode=theirs, **along, **more), Upsample(**ours), random(2, 3, 6))


def test_padding_of_each_side() -> None:
    X, sides = random(2, 3, 6, 5), [1, 0, 2, 1]
    padded = Function(functional.pad, (0, 1, 1, 2))
    convolution = torch.nn.Sequential(padded, torch.nn.Conv2d(3, 2, 3, stride=2))
    convolution.register_parameter("weight", convolution[1].weight)
    convolution.register_parameter("bias", convolution[1].bias)
    assert_same(convolution, Conv2D(filters=2, kernel_size=3, stride=2, padding=sides), X)
    pool = torch.nn.Sequential(Function(functional.pad, (0, 1, 1, 2)), torch.nn.AvgPool2d(4, stride=1))
    assert_same(pool, AveragePool2D(size=4, stride=1, padding=sides), X)
