"""GET /metrics: what the server process uses, in the format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.examples import XOR
from examples.server import running_server


def samples(client: httpx.Client) -> dict[tuple[str, ...], float]:
    """The samples by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
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


def test_a_stored_model_is_counted(own: httpx.Client) -> None:
    stored = own.post("/v1/models", json={key: XOR[key] for key in ("network", "parameters")}).json()["id"]
    body = {"model": stored, **{key: XOR[key] for key in ("batch", "loss")}}
    for _ in range(2):
        assert own.post("/v1/gradients", json=body).status_code == 200
    after = samples(own)
    assert after["gradd_cache_entries", "models"] == 1
    assert after["gradd_cache_bytes", "models"] > 0
    assert after["gradd_cache_lookups_total", "models", "hit"] == 1
