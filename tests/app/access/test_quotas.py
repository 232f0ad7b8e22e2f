"""Quotas: requests, requests at a time, operations, bytes and jobs."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from app.access.quotas import owned_bytes
from app.access.rates import Rates, window_of
from app.computations.gradients.cost import gradients_cost
from app.computations.gradients.schemas import GradientsRequest
from app.examples import XOR
from app.http.body import LARGE
from app.http.caller import Caller, Quota
from app.settings import Settings
from app.wire.decode import decode
from tests.app.access.service import DATASET, JOB, MODEL, Keyed, made
from tests.server import JSON, refused


def limited(response: httpx.Response) -> None:
    refused(response, 429, "rate-limited")
    assert int(response.headers["Retry-After"]) >= 1


def test_a_rate_with_its_burst_is_a_window() -> None:
    for quota, expected in (
        (Quota(rate=10), (10, 1)), (Quota(rate=10, burst=30), (30, 3)), (Quota(rate=0.5), (1, 2)), (Quota(rate=0.1), (1, 10)),
        (Quota(rate=10, burst=15), (20, 2)), (Quota(rate=100, burst=5), (100, 1)),
    ):  # fmt: skip
        window = window_of(quota)
        assert window is not None
        assert (window.amount, window.get_expiry()) == expected
    assert window_of(Quota()) is None


def test_requests_beyond_the_rate_are_told_when_to_come_again(keyed: Keyed) -> None:
    with keyed.client(quota=Quota(rate=0.01, burst=2)) as client, keyed.client() as other:
        for left in (1, 0):
            response = client.get("/v1/models")
            assert response.status_code == 200
            assert response.headers["RateLimit-Policy"] == '"requests";q=2;w=200'
            assert re.fullmatch(rf'"requests";r={left};t=\d+', response.headers["RateLimit"])
        for path in ("/v1/models", "/v1/jobs"):
            response = client.get(path)
            limited(response)
            assert 1 <= int(response.headers["Retry-After"]) <= 200
            assert response.headers["RateLimit"].startswith('"requests";r=0;t=')
        assert "RateLimit" not in other.get("/v1/models").headers
        assert client.get("/v1").status_code == 200


def test_requests_at_the_same_time_are_limited(keyed: Keyed) -> None:
    with keyed.client(quota=Quota(concurrency=1)) as client, ThreadPoolExecutor(1) as thread:
        job = made(client.post("/v1/jobs", json=JOB))
        waiting = thread.submit(client.get, f"/v1/jobs/{job}", params={"wait": 3})
        seen = set()
        while not waiting.done():
            response = client.get("/v1/models")
            seen.add(response.status_code)
            if response.status_code == 429:
                limited(response)
        seen.add(waiting.result().status_code)  # Whichever of the two came second was refused.
        assert seen == {200, 429}
        assert client.get("/v1/models").status_code == 200


def test_one_request_after_the_other_is_one_at_a_time(keyed: Keyed) -> None:
    """A deletion frees space after its answer."""
    with keyed.client(quota=Quota(concurrency=1)) as client:
        for _ in range(20):
            model = made(client.post("/v1/models", json=MODEL))
            assert client.delete(f"/v1/models/{model}").status_code == 204


def test_operations_are_charged(keyed: Keyed) -> None:
    body = {key: XOR[key] for key in ("network", "parameters", "convention", "batch", "loss")}
    asked = decode(json.dumps(body).encode(), GradientsRequest)
    with keyed.client(quota=Quota(operations=3 * gradients_cost(asked, Settings()).operations)) as client:
        statuses = [client.post("/v1/gradients", json=body).status_code for _ in range(8)]
        assert statuses[:3] == [200, 200, 200]
        assert 429 in statuses
        limited(client.post("/v1/gradients", json=body))
        assert client.get("/v1/models").status_code == 200
    with keyed.client(quota=Quota(operations=1e6)) as client:
        refusal = refused(client.post("/v1/gradients", json=body), 413, "too-large")
        assert refusal.errors[0].expected == 1e6, "waiting would not help"


def test_operations_of_large_bodies_are_charged(keyed: Keyed) -> None:
    """What they cost is known in the process alone that reads them. White space makes them large."""
    network = {"layers": [{"kind": "dense", "units": 100}]}
    body = {"network": network, "seed": 1, "batch": {"inputs": [[1.0] * 100]}, "convention": "row"}
    content = b" " * LARGE + json.dumps(body).encode()
    asked = decode(json.dumps(body).encode(), GradientsRequest)
    with keyed.client(quota=Quota(operations=1.5 * gradients_cost(asked, Settings()).operations)) as client:
        assert client.post("/v1/forward", content=content, headers=JSON).status_code == 200
        for _ in range(2):
            limited(client.post("/v1/forward", content=content, headers=JSON))
        assert client.get("/v1/models").status_code == 200
    with keyed.client(quota=Quota(operations=1000)) as client:
        refused(client.post("/v1/forward", content=content, headers=JSON), 413, "too-large")


def test_no_thread_takes_more_than_there_is() -> None:
    rates, caller = Rates(), Caller("a", quota=Quota(operations=50))
    start = threading.Barrier(4)

    def charge() -> int:
        start.wait()
        charged = 0
        for _ in range(50):
            try:
                rates.charge(caller, 1.0)
                charged += 1
            except Exception:
                continue
        return charged

    with ThreadPoolExecutor(4) as threads:
        total = sum(future.result() for future in [threads.submit(charge) for _ in range(4)])
    assert 0 < total <= 2 * 50, "a minute may begin in between"


def test_storage_is_limited(keyed: Keyed) -> None:
    weights = [[float(number)] for number in range(2000)]
    large = {
        "network": {"layers": [{"kind": "dense", "units": 1, "bias": False}]},
        "parameters": {"1": {"weight": weights}},
    }
    with keyed.client(quota=Quota(storage_bytes=10_000)) as client:
        refusal = refused(client.post("/v1/models", json=large), 403, "quota-exceeded")
        assert refusal.errors[0].expected == 10_000
        refused(client.post("/v1/datasets", json={"inputs": weights}), 403, "quota-exceeded")
        assert client.get("/v1/models").json()["data"] == client.get("/v1/datasets").json()["data"] == []
        model = made(client.post("/v1/models", json=MODEL))
        assert made(client.post("/v1/models", json=MODEL)) == model
        made(client.post("/v1/datasets", json=DATASET))
        with keyed.database.read() as session:
            assert 0 < owned_bytes(session, client.headers["X-Key-Id"]) < 10_000
    with keyed.client() as other:
        made(other.post("/v1/models", json=large))


def test_jobs_are_limited(keyed: Keyed) -> None:
    with keyed.client(quota=Quota(jobs=2)) as client:
        first, _ = (made(client.post("/v1/jobs", json=JOB)) for _ in range(2))
        limited(client.post("/v1/jobs", json=JOB))
        assert len(client.get("/v1/jobs").json()["data"]) == 2
        client.post(f"/v1/jobs/{first}/cancel")
        limited(client.post("/v1/jobs", json=JOB | {"sweep": {"seed": [1, 2]}}))
        made(client.post("/v1/jobs", json=JOB))


def test_the_default_of_a_limit_is_a_setting(tmp_path: Path) -> None:
    from app.access.authenticator import Authenticator
    from app.access.repository import create_key, find_key
    from app.settings import Settings
    from app.storage import Database

    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    database.migrate()
    authenticator = Authenticator(database, Settings(key_rate=3, key_jobs=4))
    row, _ = create_key(database, "a", quota=Quota(jobs=9))
    found = find_key(database, row.id)
    assert found is not None
    assert authenticator._key_of(found).caller.quota == Quota(rate=3, jobs=9)
    database.close()
