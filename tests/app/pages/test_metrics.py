"""GET /metrics: what the server process uses, in the format of Prometheus."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.examples import XOR
from examples.server import running_server
from tests.app.http.served import Served
from tests.server import JSON


def samples(client: httpx.Client) -> dict[tuple[str, ...], float]:
    """The samples by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def own() -> Iterator[httpx.Client]:
    """A server that has answered nothing yet."""
    with running_server() as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def test_the_caches_are_shown(own: httpx.Client) -> None:
    assert samples(own)["gradd_cache_entries", "forms"] == 0
    for _ in range(3):
        assert own.post("/v1/gradients", json=XOR).status_code == 200
    after = samples(own)
    assert after["gradd_cache_entries", "forms"] == 1
    assert after["gradd_cache_bytes", "forms"] > 0
    assert after["gradd_cache_lookups_total", "forms", "miss"] == 1
    assert after["gradd_cache_lookups_total", "forms", "hit"] == 2
    assert after["gradd_cache_lookups_total", "models", "hit"] == 0


DURATION = "http_server_request_duration_seconds_count"


def test_requests_are_counted_by_route_method_and_status(own: httpx.Client) -> None:
    """Direct answers too; a path that there is not has no label of its own."""
    content = json.dumps(XOR).encode()
    plain = {**JSON, "Accept-Encoding": "identity"}
    sizes = [len(own.post("/v1/gradients", content=content, headers=plain).content) for _ in range(20)]
    own.post("/v1/gradients", content=b"{", headers=JSON)
    own.get("/v1/models/mdl_000000000000000000000000")
    own.get("/v1/gradients")
    own.get("/no/such/path/1")
    own.get("/no/such/path/2")
    own.request("PROPFIND", "/v1")
    after = samples(own)
    counts = {key[1:]: value for key, value in after.items() if key[0] == DURATION and key[3] != "/livez"}
    assert counts == {
        ("POST", "200", "/v1/gradients"): 20,
        ("POST", "400", "/v1/gradients"): 1,
        ("GET", "404", "/v1/models/{id}"): 1,
        ("GET", "405", "/v1/gradients"): 1,
        ("GET", "404", ""): 2,
        ("_OTHER", "405", "/v1"): 1,
    }
    assert after["http_server_request_body_size_bytes_sum", "POST", "/v1/gradients"] == 20 * len(content) + 1
    assert after["http_server_request_body_size_bytes_bucket", "POST", "/v1/gradients", "256.0"] == 1
    assert after["http_server_response_body_size_bytes_sum", "POST", "/v1/gradients"] > sum(sizes)
    assert after["http_server_active_requests",] == 1  # The scrape itself.
    assert after["gradd_compute_seconds_count", "/v1/gradients"] == 21
    assert 1 <= after["gradd_queue_seconds_count", "/v1/gradients"] <= 21
    durations = sum(value for key, value in after.items() if key[0] == "http_server_request_duration_seconds_sum")
    assert 0 < after["gradd_compute_seconds_sum", "/v1/gradients"] < durations


def test_a_computation_that_takes_too_long_is_counted() -> None:
    layers = [{"kind": "dense", "units": 500, "activation": "tanh"} for _ in range(30)]
    inputs = [[0.1] * 500] * 100
    batch = {"inputs": inputs, "targets": inputs}
    body = {
        "include": ["loss"],
        "network": {"layers": layers},
        "seed": 1,
        "batch": batch,
        "loss": {"kind": "half_squared_error"},
    }
    with running_server(GRADD_MAX_SECONDS="0.01") as address, httpx.Client(base_url=address, timeout=60) as client:
        assert client.post("/v1/gradients", json=body).status_code == 504
        assert samples(client)["gradd_computations_killed_total", "timeout"] == 1


def test_jobs_are_counted_by_status(own: httpx.Client) -> None:
    assert samples(own)["gradd_jobs", "queued"] == 0
    job = {"network": XOR["network"], "data": XOR["batch"], "loss": XOR["loss"], "seed": 1,
           "optimizer": {"kind": "sgd", "learning_rate": 0.1}, "epochs": 3}  # fmt: skip
    for _ in range(3):
        last = own.post("/v1/jobs", json=job).json()["id"]
    own.post(f"/v1/jobs/{last}/cancel")
    deadline = time.monotonic() + 60
    while (found := samples(own))["gradd_jobs", "queued"] != 2 and time.monotonic() < deadline:
        time.sleep(0.5)  # The numbers are read from the database every few seconds.
    assert found["gradd_jobs", "queued"] == 2
    assert found["gradd_jobs", "cancelled"] == 1
    assert found["gradd_jobs", "running"] == found["gradd_workers",] == 0
    assert found["gradd_jobs_oldest_queued_seconds",] > 0


def test_a_database_that_does_not_answer_takes_no_other_metrics_along() -> None:
    with (
        running_server(GRADD_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing") as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        found = samples(client)
    assert not any(name == "gradd_jobs" for name, *_ in found)
    assert ("gradd_cache_bytes", "forms") in found


def test_applications_count_apart(tmp_path: Path) -> None:
    first, second = (Served(tmp_path / name) for name in ("first", "second"))
    first.post("/v1/gradients", XOR)
    count = b'http_server_request_duration_seconds_count{http_request_method="POST"'
    assert count in first.app.state.metrics.text()
    assert count not in second.app.state.metrics.text()


def test_a_stored_model_is_counted(own: httpx.Client) -> None:
    stored = own.post("/v1/models", json={key: XOR[key] for key in ("network", "parameters")}).json()["id"]
    body = {"model": stored, **{key: XOR[key] for key in ("batch", "loss")}}
    for _ in range(2):
        assert own.post("/v1/gradients", json=body).status_code == 200
    after = samples(own)
    assert after["gradd_cache_entries", "models"] == 1
    assert after["gradd_cache_bytes", "models"] > 0
    assert after["gradd_cache_lookups_total", "models", "hit"] == 1
