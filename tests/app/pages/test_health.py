"""/livez answers while large requests are read, computed and written; /readyz says what is missing."""

from __future__ import annotations

import base64
import json
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from core.arrays import Array
from examples.server import running_server
from tests.server import JSON, refused

pytestmark = pytest.mark.slow

LONGEST = 5.0
"""Seconds that an answer of /livez may take on a slow machine that does other things besides."""


def encoded(array: Array) -> dict[str, Any]:
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(array.tobytes()).decode(),
    }


def to_read() -> tuple[bytes, Any]:
    """20 MB of numbers in nested lists; the loss is that of zeros against ones."""
    rows = 2**16
    row = b"[" + b",".join([b"0.0000000000000000"] * 16) + b"],"
    inputs = b"[" + (row * rows)[:-1] + b"]"
    targets = b"[" + b",".join([b"[1]"] * rows) + b"]"
    network = b'{"layers":[{"kind":"dense","units":1,"bias":false}]}'
    loss = b'{"kind":"half_squared_error","reduction":"sum"}'
    body = (
        b'{"network":%s,"seed":1,"batch":{"inputs":%s,"targets":%s},"loss":%s,"convention":"row","include":["loss"]}'
        % (network, inputs, targets, loss)
    )
    return body, lambda answer: answer["loss"] == rows / 2


def to_compute() -> tuple[bytes, Any]:
    """Two products of matrices of 1500 x 1500; every element of the gradient is n."""
    size = 1500
    ones = np.ones((size, size), np.float32)
    problem = {
        "network": {"layers": [{"kind": "dense", "units": size, "bias": False}]},
        "parameters": {"1": {"weight": encoded(ones)}},
        "batch": {"inputs": encoded(ones), "upstream": encoded(ones[:, :1] * ones[:1])},
        "loss": {"kind": "upstream"},
        "convention": "row",
        "include": ["input_gradient"],
        "encoding": "base64",
    }
    gradient = base64.b64encode(np.full((size, size), float(size)).tobytes()).decode()
    return json.dumps(problem).encode(), lambda answer: answer["input_gradient"]["data"] == gradient


def to_write() -> tuple[bytes, Any]:
    """Three million numbers of an answer."""
    problem = {
        "network": {"layers": [{"kind": "dense", "units": 1732, "bias": False}]},
        "parameters": {"1": {"weight": encoded(np.ones((1, 1732)))}},
        "batch": {"inputs": encoded(np.arange(1, 1733.0)[:, np.newaxis] / 7)},
        "include": ["output"],
        "convention": "row",
    }
    return json.dumps(problem).encode(), lambda answer: answer["output"][2] == [3 / 7] * 1732


def test_alive_answers_while_large_requests_are_read_computed_and_written(server: str, client: httpx.Client) -> None:
    requests = [("/v1/gradients", *to_read()), ("/v1/gradients", *to_compute()), ("/v1/forward", *to_write())]
    large: list[tuple[Future[httpx.Response], Any]] = []
    seen_running: set[int] = set()
    longest = 0.0
    with ThreadPoolExecutor(len(requests)) as pool:
        for path, body, expected in requests:
            work = pool.submit(httpx.post, f"{server}{path}", content=body, headers=JSON, timeout=120)
            large.append((work, expected))
        while not all(work.done() for work, _ in large):
            running = {number for number, (work, _) in enumerate(large) if not work.done()}
            start = time.monotonic()
            assert client.get("/livez").json() == {"status": "alive"}
            longest = max(longest, time.monotonic() - start)
            seen_running |= {number for number in running if not large[number][0].done()}
            time.sleep(0.005)
    assert seen_running == set(range(len(large))), "each was still running when /livez had answered"
    assert longest < LONGEST
    for work, expected in large:
        assert work.result().status_code == 200, work.result().text[:500]
        assert expected(work.result().json())


def test_not_ready_without_its_data_folder(tmp_path: Path) -> None:
    """The folder is taken away from a service that runs."""
    folder = tmp_path / "data"
    with running_server(GRADD_DATA_DIR=str(folder)) as address, httpx.Client(base_url=address) as client:
        checks = {"data_dir": "writable", "space": "free", "database": "current"}
        assert client.get("/readyz").json() == {"status": "ready", "checks": checks}
        shutil.rmtree(folder)
        document = refused(client.get("/readyz"), 503, "not-ready")
        assert document.errors[0].hint == "Set GRADD_DATA_DIR to a folder that the server may write to."
        assert client.get("/livez").status_code == 200
