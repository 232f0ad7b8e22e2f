"""Files of models are received beyond the limit of a body, up to their own, and are stored piece by piece."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import safetensors.numpy
from onnx import TensorProto, helper, numpy_helper

from app.wire import safetensors_file
from tests.app.http.served import Answer, Served

WEIGHT = np.random.default_rng(1).normal(size=(50, 60))
NETWORK: dict[str, Any] = {"layers": [{"kind": "dense", "units": 60, "bias": False}]}


def files() -> dict[str, bytes]:
    """The same model in the formats that have no limit but that of a model."""
    archive = io.BytesIO()
    arrays: dict[str, Any] = {"1.weight": WEIGHT.T}
    np.savez(archive, **arrays)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", size]) for name, size in (("x", 50), ("y", 60))
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [numpy_helper.from_array(WEIGHT, "w")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return {
        "safetensors": safetensors.numpy.save({"1.weight": np.ascontiguousarray(WEIGHT.T)}),
        "npz": archive.getvalue(),
        "onnx": model.SerializeToString(),
    }


def send(served: Served, body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    return served.post("/v1/models/import", body, headers)


def test_files_have_a_limit_of_their_own(tmp_path: Path) -> None:
    served = Served(tmp_path, max_body_bytes=2_000, max_model_bytes=30_000)
    for form, body in files().items():
        answer = send(served, body)
        assert answer.status in (200, 201), (form, answer.body)
        [tensor] = answer.document["tensors"]
        assert tensor["shape"] == [50, 60], form
    answer = send(served, files()["safetensors"] + b" " * 30_000)
    assert (answer.status, answer.document["errors"][0]["expected"]) == (413, 30_000)


def test_what_is_read_in_memory_has_the_limit_of_a_body(tmp_path: Path) -> None:
    served = Served(tmp_path, max_body_bytes=2_000, max_model_bytes=300_000)
    written = json.dumps({"network": NETWORK, "parameters": {"1": {"weight": WEIGHT.tolist()}}}).encode()
    packed = gzip.compress(files()["safetensors"])
    for answer in (send(served, written), send(served, packed, (b"content-encoding", b"gzip"))):
        assert (answer.status, answer.document["errors"][0]["expected"]) == (413, 2_000), answer.body


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (700, 900), (1, 1, 600_000), (3, 400_000)])
def test_tensors_written_in_pieces_are_a_file(shape: tuple[int, ...], dtype: str) -> None:
    random = np.random.default_rng(5)
    array, small = random.normal(size=shape[::-1]).astype(dtype).T, np.arange(3, dtype="f4")
    file = safetensors_file.Writing({"a": array, "é": small})
    pieces = list(file.pieces(100_000))
    body = b"".join(pieces)
    assert len(body) == file.size
    assert {len(piece) for piece in pieces[:-1]} <= {100_000}
    found = safetensors.numpy.load(body)
    assert found["a"].dtype == array.dtype
    np.testing.assert_array_equal(found["a"], array)
    np.testing.assert_array_equal(found["é"], small)
    assert b"".join(safetensors_file.blocks(array)) == array.tobytes()
