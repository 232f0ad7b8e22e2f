"""Pools whose padding differs between the sides, which onnx's reference implementation reads in another order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.models.formats.onnx.comparison import _output
from tests.app.models.onnx_files.differential import by_onnxruntime
from tests.app.models.onnx_operators.files import file_of, imported, refusal_of

X = {"x": np.random.default_rng(3).normal(size=(3, 2, 5, 6)).astype(np.float32)}
SEQUENCE = {"x": X["x"][:, :, 0]}
COUNTED = {"count_include_pad": 1}
POOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "behind": ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1]}),
    "above and right": ("MaxPool", {"kernel_shape": [3, 2], "pads": [1, 0, 0, 1]}),
    "upper": ("MaxPool", {"kernel_shape": [2, 3], "strides": [1, 2], "auto_pad": "SAME_UPPER"}),
    "lower": ("MaxPool", {"kernel_shape": [2, 3], "strides": [1, 2], "auto_pad": "SAME_LOWER"}),
    "means behind": ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1], **COUNTED}),
    "means above": ("AveragePool", {"kernel_shape": [2, 3], "pads": [1, 0, 0, 1], **COUNTED}),
}


@pytest.mark.parametrize("name", POOLS)
def test_every_side_has_its_own_padding(name: str) -> None:
    operator, attributes = POOLS[name]
    content = file_of([(operator, "x", "y", attributes)], {}, X, opset=19)
    network = imported(content)
    assert not network.warnings  # It was compared with the file.
    np.testing.assert_allclose(_output(network, X), by_onnxruntime(content, X), atol=1e-6)


@pytest.mark.parametrize("pads", [[0, 1], [1, 0], [1, 1]])
def test_a_sequence_is_padded_on_each_side(pads: list[int]) -> None:
    content = file_of(
        [("MaxPool", "x", "y", {"kernel_shape": [3], "strides": [2], "pads": pads})], {}, SEQUENCE, opset=19
    )
    np.testing.assert_allclose(_output(imported(content), SEQUENCE), by_onnxruntime(content, SEQUENCE), atol=1e-6)


def test_more_than_half_a_window() -> None:
    content = file_of([("MaxPool", "x", "y", {"kernel_shape": [3, 3], "pads": [0, 0, 2, 2]})], {}, X, opset=19)
    assert "it pads by more than half a window" in refusal_of(content)
