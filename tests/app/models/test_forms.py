"""Files in forms, as curl -F sends them, come in like bodies."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import safetensors.numpy

from tests.server import refused

# A blank line and a delimiter of another form are within the content.
TENSORS = {"0.weight": np.frombuffer(b"\r\n\r\n--boundary\r\n" * 3, "<f4").reshape(3, 4).astype(np.float64)}
FILE = safetensors.numpy.save(TENSORS)


def test_a_file_in_a_form_is_the_file(client: httpx.Client) -> None:
    plain = client.post("/v1/models/import", content=FILE)
    for files in ({"file": ("m.safetensors", FILE)}, {"anything": ("x", FILE, "application/octet-stream")}):
        answer = client.post("/v1/models/import", files=files)
        assert answer.status_code in (200, 201), answer.text
        assert answer.json()["id"] == plain.json()["id"]


def test_a_dataset_in_a_form(client: httpx.Client) -> None:
    answer = client.post("/v1/datasets", files={"file": ("d.csv", b"a,b\n1,2\n3,4\n")}, params={"format": "csv"})
    assert answer.status_code in (200, 201), answer.text
    assert answer.json()["inputs"]["input"]["shape"] == [2, 2]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(server: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(FILE)
    command = ["curl", "-sf", "-F", f"file=@{tmp_path}/model.safetensors", f"{server}/v1/models/import"]
    assert b'"id":"mdl_' in subprocess.run(command, capture_output=True, check=True).stdout


def test_options_belong_in_the_query(client: httpx.Client) -> None:
    response = client.post("/v1/models/import", files={"file": ("m", FILE)}, data={"activation": "relu"})
    assert refused(response, 422).errors[0].hint == "Options belong in the query: ?activation=VALUE."


HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="m"\r\n\r\n'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", HEAD + FILE + b"\r\n--b--\r\n"),
        ("multipart/form-data; boundary=other", HEAD + FILE + b"\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        ("multipart/form-data; boundary=b", HEAD + FILE),
        ("multipart/form-data; boundary=b", HEAD[:-4] + b"\r\n" * 20_000),
        ("multipart/form-data; boundary=b", (HEAD + FILE + b"\r\n") * 2 + b"--b--\r\n"),
        ("multipart/form-data; boundary=b", HEAD + b"\r\n--b--\r\n"),
    ],
)
def test_a_form_that_is_malformed_is_refused(client: httpx.Client, content_type: str, body: bytes) -> None:
    headers = {"Content-Type": content_type}
    refused(client.post("/v1/models/import", content=body, headers=headers), 422, "invalid-request")


def test_a_form_may_be_compressed_and_have_a_preamble(client: httpx.Client) -> None:
    body: Any = gzip.compress(b"preamble\r\n" + HEAD + FILE + b"\r\n--b--\r\n")
    headers = {"Content-Type": 'multipart/form-data; boundary="b"', "Content-Encoding": "gzip"}
    assert client.post("/v1/models/import", content=body, headers=headers).status_code in (200, 201)
