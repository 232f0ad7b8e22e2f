"""A server with small limits: what is too much is refused, and refused early."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from app.examples import XOR
from examples.server import running_server

pytestmark = pytest.mark.slow

LIMITS = {
    "GRADD_MAX_SECONDS": "0.3",
    "GRADD_MAX_BODY_SECONDS": "1",
    "GRADD_COMPUTE_THREADS": "1",
    "GRADD_MAX_WAITING": "0",
    "GRADD_MAX_LAYERS": "40",
    "GRADD_MAX_ANSWER_ELEMENTS": "4000000",
}
LAYERS = [{"kind": "dense", "units": 300} for _ in range(40)]
LONG = {
    "network": {"layers": LAYERS},
    "seed": 1,
    "batch": {"inputs": [[1.0, 2.0]] * 4000, "targets": [[0.0] * 300] * 4000},
    "loss": {"kind": "half_squared_error"},
    "include": ["loss"],
}


@pytest.fixture(scope="module")
def small() -> Iterator[httpx.Client]:
    with running_server(**LIMITS) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def test_publishes_its_limits(small: httpx.Client) -> None:
    limits = small.get("/v1").json()["limits"]
    assert limits["layers"] == 40
    assert limits["seconds"] == 0.3


def test_too_many_layers(small: httpx.Client) -> None:
    layers = [{"kind": "activation", "function": "tanh"}] * 41
    response = small.post("/v1/gradients", json={**XOR, "network": {"layers": layers}})
    assert response.status_code == 413
    assert response.json()["errors"][0]["pointer"] == "#/network/layers"


def test_an_answer_that_would_be_too_large_is_refused_before_it_is_computed(small: httpx.Client) -> None:
    problem = {
        **LONG,
        "network": {"layers": LAYERS[:1]},
        "include": ["output", "activations", "preactivations", "deltas"],
    }
    response = small.post("/v1/gradients", json=problem)
    assert response.status_code == 413, response.text
    assert response.json()["errors"][0]["pointer"] == "#/include"


def test_drawn_parameters_are_a_part_of_the_answer(small: httpx.Client) -> None:
    """They come back whatever `include` says, so they count."""
    layers = [{"kind": "dense", "units": 2_000_001, "bias": False}]
    problem = {"network": {"layers": layers}, "batch": {"inputs": [[1.0, 2.0]]}, "seed": 1, "include": []}
    response = small.post("/v1/forward", json=problem)
    assert response.status_code == 413, response.text
    assert response.json()["errors"][0]["got"] == 4_000_002


def test_a_long_computation_is_ended(small: httpx.Client) -> None:
    response = small.post("/v1/gradients", json=LONG)
    assert response.status_code == 504, response.text
    assert response.json()["type"] == "/problems/timeout"


def test_a_full_queue_is_answered_with_when_to_come_back(small: httpx.Client) -> None:
    body = json.dumps(LONG).encode()
    statuses: list[int] = []
    retries: list[str] = []

    def ask() -> None:
        response = small.post("/v1/gradients", content=body, headers={"Content-Type": "application/json"})
        statuses.append(response.status_code)
        retries.extend([response.headers["retry-after"]] if response.status_code == 503 else [])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {503, 504}
    assert 503 in statuses
    assert all(int(seconds) >= 1 for seconds in retries)


def test_alive_answers_while_requests_compute(small: httpx.Client) -> None:
    thread = threading.Thread(target=small.post, args=("/v1/gradients",), kwargs={"json": LONG})
    thread.start()
    answers = 0
    while thread.is_alive():
        assert httpx.get(f"{small.base_url}".rstrip("/") + "/livez", timeout=5).status_code == 200
        answers += 1
    assert answers > 2


def test_a_body_that_drips_is_given_up(small: httpx.Client) -> None:
    parts = urlsplit(str(small.base_url))
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=20) as connection:
        fields = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 100"
        head = f"POST /v1/gradients HTTP/1.1\r\n{fields}\r\n\r\n"
        connection.sendall(head.encode() + b"{")
        start = time.monotonic()
        answer = connection.recv(65536)
    assert b" 408 " in answer.splitlines()[0]
    assert time.monotonic() - start >= 0.9
