"""Files that were once answered wrongly: each has onnxruntime's numbers now, or is refused with a sentence that says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest

from tests import ROOT
from tests.app.models.onnx_files.sample import normal, output_of
from tests.server import refused

pytestmark = pytest.mark.slow

FOLDER = ROOT / "tests" / "app" / "models" / "files"
VALID = sorted(FOLDER.glob("*.onnx"))
MALFORMED = sorted((FOLDER / "malformed").glob("*.onnx"))

READ = {
    "A_gap_softmax_opset9_squeezenet_tail",
    "C_se_block_1d",
    "E_matmul_add_scalar_bias_500",
    "diff_SHAPE_s_1_13",
    "diff_SHAPE_s_1_4",
    "diff_SHAPE_s_1_8",
    "diff_VALUE_w_1_11",
    "diff_VALUE_w_1_2",
    "diff_VALUE_w_1_6",
    "softmax13_axis1_rank4",
    "squeeze_rank5",
}
"""Files that have to come in; of the others, as many as can."""


def send(client: httpx.Client, file: Path) -> httpx.Response:
    return client.post("/v1/models/import", content=file.read_bytes(), params={"format": "onnx"})


def by_onnxruntime(file: Path, examples: int) -> tuple[dict[str, Any], Any]:
    """Random inputs, and what onnxruntime computes from them."""
    runtime: Any = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    inputs = {
        value.name: normal(*(n if isinstance(n, int) else examples for n in value.shape), dtype=np.float32)
        for value in session.get_inputs()
    }
    return inputs, session.run(None, inputs)[0]


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_valid_file_has_the_numbers_of_onnxruntime_or_is_refused(client: httpx.Client, file: Path) -> None:
    response = send(client, file)
    if response.status_code == 422:
        assert file.stem not in READ, response.text
        (error, *_) = refused(response, 422, "unsupported-operator").errors
        assert error.pointer.startswith("#/graph")
        assert error.detail.endswith(".")
        return
    model = response.json()
    inputs, expected = by_onnxruntime(file, 3)
    sent = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    found = output_of(client, model["id"], sent)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("file", MALFORMED, ids=lambda file: file.stem)
def test_malformed_attributes_are_refused_by_their_node(client: httpx.Client, file: Path) -> None:
    (error, *_) = refused(send(client, file), 422).errors
    assert error.code in ("unsupported-operator", "invalid-request")
    (node,) = [node for node in onnx.load(file).graph.node if node.op_type == file.stem.rpartition("_")[2]]
    assert node.op_type in error.detail
    assert node.output[0] in error.detail


def test_a_chain_of_matrices_in_x_out(client: httpx.Client) -> None:
    file = FOLDER / "row_chain.npz"
    query = {"format": "npz", "convention": "row", "activation": "relu"}
    model = client.post("/v1/models/import", content=file.read_bytes(), params=query).json()
    arrays, X = np.load(file), normal(5, 4)
    hidden = np.maximum(X @ arrays["1.weight"] + arrays["1.bias"], 0)
    np.testing.assert_allclose(
        output_of(client, model["id"], X), hidden @ arrays["2.weight"] + arrays["2.bias"], rtol=1e-12
    )
