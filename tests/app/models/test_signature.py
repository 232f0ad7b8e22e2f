"""The first bytes of a file tell its format, and what is not read is refused with the line that converts it."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile

import httpx
import numpy as np
import pytest
import safetensors.numpy

from app.models.formats.signature import FOREIGN, recognise
from tests.server import refused


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name in names:
            target.writestr(name, b"content")
    return file.getvalue()


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.eye(2))
    return file.getvalue()


FILES = {
    "torch": archive("model/data.pkl", "model/data/0", "model/version"),
    "torchscript": archive("model/data.pkl", "model/constants.pkl"),
    "pickle": pickle.dumps({"weight": np.eye(2)}),
    "joblib": b"\x80\x04\x95\x99\0\0\0\0\0\0\0\x8c\x13joblib.numpy_pickle\x94\x8c\x11NumpyArrayWrapper",
    "mat": b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(128) + b"\x0e\0\0\0",
    "mat73": b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n",
    "savedmodel": b'\x08\x01\x12\x80\x08\n\xff\x07"\x05serve',
    "graphdef": b"\x0a\x30\x0a\x01x\x12\x0bPlaceholder",
    "tflite": b"\x1c\0\0\0TFL3\x14\0 \0",
    "gguf": b"GGUF\x03\0\0\0",
    "npy": npy(),
    "gzip": gzip.compress(b"model"),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("query", [{}, {"format": "onnx"}])
def test_a_file_that_is_not_read_is_refused_with_the_line_that_converts_it(
    client: httpx.Client, kind: str, query: dict[str, str]
) -> None:
    response = client.post("/v1/models/import", content=FILES[kind], params=query)
    error = refused(response, 422, "unsupported-operator").errors[0]
    assert error.pointer == "#/query/format"
    assert FOREIGN[kind][0] in error.detail
    assert FOREIGN[kind][1] in (error.hint or "")


def test_the_older_files_of_torch_and_compressed_ones_of_joblib() -> None:
    assert recognise(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.") == "torch"
    assert recognise(b"\x78\x5e\xed\x5a") == "joblib"


def test_without_a_format_the_first_bytes_choose_it(client: httpx.Client) -> None:
    tensors = {"0.weight": np.ones((2, 3)), "0.bias": np.zeros(2)}
    file = io.BytesIO()
    np.savez(file, **tensors)  # type: ignore[arg-type]
    network = {"layers": [{"kind": "dense", "units": 2, "name": "0"}]}
    of_json = {"network": network, "convention": "torch"}
    of_json["parameters"] = {"0": {"weight": [[1.0] * 3] * 2, "bias": [0.0] * 2}}
    bodies = [safetensors.numpy.save(tensors), file.getvalue(), json.dumps(of_json).encode()]
    answers = [client.post("/v1/models/import", content=body) for body in bodies]
    assert len({answer.json()["id"] for answer in answers}) == 1
    onnx = client.get(f"/v1/models/{answers[0].json()['id']}/export", params={"format": "onnx"})
    assert recognise(onnx.content) == "onnx"
    assert client.post("/v1/models/import", content=onnx.content).status_code in (200, 201)


def test_a_wrong_format_is_refused_with_the_right_one(client: httpx.Client) -> None:
    body = safetensors.numpy.save({"0.weight": np.ones((2, 3))})
    error = refused(client.post("/v1/models/import", content=body, params={"format": "npz"}), 422).errors[0]
    assert (error.expected, error.hint) == ("safetensors", "Send ?format=safetensors.")


def test_text_and_what_nobody_knows_are_refused(client: httpx.Client) -> None:
    error = refused(client.post("/v1/models/import", content=b"a,b\n1,2\n"), 422, "invalid-request").errors[0]
    assert "/v1/datasets" in (error.hint or "")
    error = refused(client.post("/v1/models/import", content=b"\xff\x00" * 9), 422, "invalid-request").errors[0]
    assert "do not tell its format" in error.detail
