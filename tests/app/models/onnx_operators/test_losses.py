"""A loss at the end of a file is left out, with a warning."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from app.models.formats.onnx.comparison import _output
from core.errors import Refusal
from tests.app.models.onnx_files.sample import nodes_of, normal
from tests.app.models.onnx_operators.files import imported

X, W = normal(4, 3), normal(3, 5)
WRITTEN: dict[str, list[Any]] = {
    "of logits": [("MatMul", "x w", "scores"), ("SoftmaxCrossEntropyLoss", "scores labels", "loss")],
    "of log-probabilities": [
        ("MatMul", "x w", "scores"),
        ("LogSoftmax", "scores", "logs", {"axis": 1}),
        ("NegativeLogLikelihoodLoss", "logs labels", "loss", {"reduction": "sum"}),
    ],
}


def file_with(name: str, *outputs: str) -> bytes:
    nodes = nodes_of(WRITTEN[name])
    if "logs" in outputs:
        nodes[-1].output.append("logs")
    values = [helper.make_tensor_value_info("x", 11, ["n", 3]), helper.make_tensor_value_info("labels", 7, ["n"])]
    results = [helper.make_tensor_value_info(output, 11, None) for output in outputs]
    graph = helper.make_graph(nodes, "test", values, results, [numpy_helper.from_array(W, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("name", WRITTEN)
def test_a_loss_is_left_out_with_a_warning_that_names_it(name: str) -> None:
    network = imported(file_with(name, "loss"))
    (warning,) = network.warnings
    assert warning.code == "loss-left-out"
    assert "softmax_cross_entropy" in warning.detail
    assert ("sum of" in warning.detail) == (name == "of log-probabilities")
    np.testing.assert_allclose(_output(network, {"x": X}), X @ W, rtol=1e-14)


def test_a_loss_that_is_asked_for_names_its_scores() -> None:
    with pytest.raises(Refusal, match="output=scores"):
        imported(file_with("of logits", "loss"), "loss")


def test_the_log_probabilities_of_a_loss_come_in_alone() -> None:
    content = file_with("of logits", "loss", "logs")
    labels = np.array([0, 1, 2, 4])
    _, expected = ReferenceEvaluator(onnx.load_from_string(content)).run(None, {"x": X, "labels": labels})
    found = _output(imported(content, "logs"), {"x": X, "labels": labels})
    assert found.shape == (4, 5)
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-12)
