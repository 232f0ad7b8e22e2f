"""Results without a name, which onnx's reference implementation passes to the next node that leaves an input out."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from app.models.formats.onnx.comparison import _output
from tests.app.models.onnx_files.differential import by_onnxruntime
from tests.app.models.onnx_files.sample import model_of
from tests.app.models.onnx_operators.files import imported

random = np.random.default_rng(5)


@pytest.mark.parametrize(("operator", "gates"), [("GRU", 3), ("LSTM", 4), ("RNN", 1)])
def test_a_recurrence_of_which_the_last_state_alone_is_read(operator: str, gates: int) -> None:
    """A clip without a lower end follows: its missing input must not be the states of all steps."""
    constants = {
        "W": random.normal(size=(1, gates * 4, 3)).astype(np.float32),
        "R": random.normal(size=(1, gates * 4, 4)).astype(np.float32),
        "axis": np.array([0]),
        "most": np.array(0.1, np.float32),
    }
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], perm=[1, 0, 2]),
        helper.make_node(operator, ["steps", "W", "R"], ["", "last"], hidden_size=4),
        helper.make_node("Squeeze", ["last", "axis"], ["state"]),
        helper.make_node("Clip", ["state", "", "most"], ["y"]),
    ]
    content = model_of(nodes, constants, {"x": ["n", 5, 3]}, np.float32, opset=14)
    inputs = {"x": random.normal(size=(3, 5, 3)).astype(np.float32)}
    network = imported(content)
    assert not network.warnings  # It was compared with the file.
    np.testing.assert_allclose(_output(network, inputs), by_onnxruntime(content, inputs), atol=1e-6)
