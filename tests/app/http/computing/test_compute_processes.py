"""Large requests are computed in processes of their own, which end when nobody waits for the answer any more."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.http.body import LARGE
from examples.server import running_server
from tests.server import JSON, examples, refused

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the processes of a server are found in /proc"),
]


STORED = ("/v1/models", "/v1/jobs", "/v1/datasets")


def decomposition(size: int) -> dict[str, Any]:
    """A request of 300 bytes for the singular values of a square matrix of random numbers."""
    layers = [
        {"kind": "dense", "units": size * size, "bias": False},
        {"kind": "reshape", "shape": [size, size]},
        {"kind": "svd", "part": "values"},
    ]
    return {
        "network": {"layers": layers},
        "batch": {"inputs": [[1.0]] * 5},
        "seed": 1,
        "include": [],
        "convention": "row",
    }


def processes(folder: Path, *, idle: bool = False) -> set[int]:
    """Return the compute processes of the server with a data folder: other tests start some at the same time.

    Those that have never taken a request, and so have not loaded NumPy, are left out unless `idle` is true.
    """
    found, own = set(), f"GRADD_DATA_DIR={folder}".encode()
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and b"anyio.to_process" in (entry / "cmdline").read_bytes()
                and own in (entry / "environ").read_bytes().split(b"\0")
                and (idle or b"numpy" in (entry / "maps").read_bytes())
            ):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def wait_until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return the first true value of a condition."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return value


@pytest.fixture
def own(tmp_path: Path) -> Iterator[httpx.Client]:
    settings = {"GRADD_DATA_DIR": str(tmp_path), "GRADD_MAX_SECONDS": "2", "GRADD_MAX_OPERATIONS": "1e15"}
    with running_server(**settings) as address, httpx.Client(base_url=address, timeout=120) as client:
        yield client


def test_a_decomposition_ends_at_its_deadline(own: httpx.Client, tmp_path: Path) -> None:
    """LAPACK does not look at any clock."""
    before = processes(tmp_path)
    start = time.monotonic()
    document = refused(own.post("/v1/forward", json=decomposition(1500)), 504, "timeout")
    assert document.detail == "The computation was stopped after 2 s."
    assert time.monotonic() - start < 25
    wait_until(lambda: not processes(tmp_path) - before)


def send_and_leave(client: httpx.Client, until: Callable[[], Any]) -> None:
    """Send a large request, and close the connection once a condition is true."""
    body = json.dumps(decomposition(1500)).encode()
    parts = urlsplit(str(client.base_url))
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=20) as connection:
        head = f"POST /v1/forward HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        wait_until(until)


def test_nothing_is_computed_for_a_client_that_has_left(own: httpx.Client, tmp_path: Path) -> None:
    before = processes(tmp_path)
    send_and_leave(own, lambda: processes(tmp_path) - before)
    left = time.monotonic()
    wait_until(lambda: not processes(tmp_path) - before, 10)
    assert time.monotonic() - left < 5


def test_a_process_whose_client_leaves_while_it_starts_is_not_lost(tmp_path: Path) -> None:
    settings = {"GRADD_DATA_DIR": str(tmp_path), "GRADD_COMPUTE_PROCESSES": "1", "GRADD_MAX_OPERATIONS": "1e15"}
    with running_server(**settings) as address, httpx.Client(base_url=address, timeout=120) as client:
        send_and_leave(client, lambda: processes(tmp_path, idle=True))
        (first,) = processes(tmp_path, idle=True)
        assert client.post("/v1/forward", json=decomposition(700)).status_code == 200
        assert processes(tmp_path, idle=True) <= {first}


def test_a_process_that_is_killed_is_told_and_replaced(own: httpx.Client, tmp_path: Path) -> None:
    before = processes(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(own.post, "/v1/forward", json=decomposition(1500))
        (process,) = wait_until(lambda: processes(tmp_path) - before)
        time.sleep(1.0)
        os.kill(process, signal.SIGKILL)
        response = asked.result()
    refused(response, 503, "overloaded")
    assert int(response.headers["retry-after"]) >= 1
    assert own.post("/v1/forward", json=decomposition(2)).status_code == 200


def test_a_large_body_has_the_same_answer_and_the_same_refusal(own: httpx.Client) -> None:
    """White space makes it large."""
    plain = json.dumps(
        {
            "network": {"layers": [{"kind": "dense", "units": 2, "activation": "tanh"}]},
            "seed": 1,
            "batch": {"inputs": [[0.1, 0.2]], "targets": [[1, 0]]},
            "loss": {"kind": "mean_squared_error"},
            "convention": "row",
        }
    ).encode()
    headers = {**JSON, "X-Request-Id": "the-request"}
    for body in (plain, plain.replace(b"targets", b"aims")):
        small, large = (
            own.post("/v1/gradients", content=content, headers=headers) for content in (body, b" " * LARGE + body)
        )
        assert (small.status_code, small.content) == (large.status_code, large.content)
    stored = own.post("/v1/models", content=b" " * LARGE + json.dumps(
        {"network": {"layers": [{"kind": "dense", "units": 1}]}, "parameters": {"1": {"weight": [[2.0]], "bias": [1.0]}}}
    ).encode(), headers=JSON)  # fmt: skip
    asked = json.dumps({"model": stored.json()["id"], "batch": {"inputs": [[3.0]]}, "convention": "row"}).encode()
    answer = own.post("/v1/forward", content=b" " * LARGE + asked, headers=JSON)
    assert answer.json()["output"] == [[7.0]]
    assert own.post("/v1/forward", content=asked, headers=JSON).content == answer.content


@pytest.mark.parametrize("name", [name for name, (path, _) in examples().items() if path not in STORED])
def test_every_computation_can_be_sent_to_a_process(client: httpx.Client, name: str) -> None:
    path, example = examples()[name]
    body = json.dumps(example).encode()
    headers = {**JSON, "X-Request-Id": "the-request"}
    small, large = (client.post(path, content=content, headers=headers) for content in (body, b" " * LARGE + body))
    assert (small.status_code, small.content) == (large.status_code, large.content)
    assert small.headers["content-type"] == large.headers["content-type"]


def test_a_small_body_that_is_large_once_it_is_decompressed(own: httpx.Client, tmp_path: Path) -> None:
    """It is read in a process, too: what is computed, and what is stored."""
    network = {"layers": [{"kind": "dense", "units": 1}]}
    parameters = {"1": {"weight": [[2.0]], "bias": [1.0]}}
    sent = {
        "/v1/forward": {
            "network": network,
            "parameters": parameters,
            "batch": {"inputs": [[3.0]]},
            "convention": "row",
        },
        "/v1/models": {"network": network, "parameters": parameters, "convention": "row"},
    }
    for number, (path, document) in enumerate(sent.items(), 1):
        body = gzip.compress(b" " * LARGE + json.dumps(document).encode())
        assert len(body) < LARGE / 100
        response = own.post(path, content=body, headers={**JSON, "Content-Encoding": "gzip"})
        assert response.is_success, response.text
        assert len(processes(tmp_path, idle=True)) == 1, number
    assert own.post("/v1/models", json=sent["/v1/models"]).status_code == 200


def test_a_body_that_is_large_leaves_no_file(own: httpx.Client, tmp_path: Path) -> None:
    own.post("/v1/gradients", content=b" " * LARGE + b"{}", headers=JSON)
    assert list(tmp_path.glob("body-*")) == []


def test_a_file_that_a_killed_server_has_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    left, recent = tmp_path / "body-left", tmp_path / "body-recent"
    for path in (left, recent):
        path.write_bytes(b"{}")
    os.utime(left, (0, 0))
    with running_server(GRADD_DATA_DIR=str(tmp_path)):
        assert [path.name for path in tmp_path.glob("body-*")] == ["body-recent"]


def test_a_folder_that_takes_no_body_is_told(own: httpx.Client, tmp_path: Path) -> None:
    tmp_path.rename(tmp_path.with_name("moved"))
    refused(own.post("/v1/forward", content=b" " * LARGE + b"{}", headers=JSON), 503, "not-ready")
    tmp_path.with_name("moved").rename(tmp_path)


def test_a_process_does_not_keep_the_port(own: httpx.Client, tmp_path: Path) -> None:
    """After the death of a server, a process that still computes would let clients connect and wait."""
    before = processes(tmp_path)
    assert own.post("/v1/gradients", content=b" " * LARGE + b"{}", headers=JSON).status_code == 422
    (process,) = processes(tmp_path) - before
    tables = [Path(f"/proc/self/net/tcp{version}") for version in ("", "6")]
    rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()]
    listening = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
    links = {str(link) for entry in Path(f"/proc/{process}/fd").iterdir() for link in [os.readlink(entry)]}
    assert links
    assert not links & listening


def test_small_requests_are_answered_while_large_ones_are_computed(own: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        large = [pool.submit(own.post, "/v1/forward", json=decomposition(1500)) for _ in range(3)]
        small = 0
        while not all(asked.done() for asked in large):
            assert own.post("/v1/forward", json=decomposition(2)).status_code == 200
            small += 1
    assert small > len(large)
    assert {asked.result().status_code for asked in large} <= {503, 504}
