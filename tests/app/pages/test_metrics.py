"""GET /metrics: what the server process uses, in the format of Prometheus."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.examples import XOR


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


def test_the_caches_are_shown(client: httpx.Client) -> None:
    before = samples(client)
    for _ in range(3):
        assert client.post("/v1/gradients", json=XOR).status_code == 200
    after = samples(client)
    assert after["gradd_cache_entries", "forms"] == before["gradd_cache_entries", "forms"] + 1
    assert after["gradd_cache_bytes", "forms"] > before["gradd_cache_bytes", "forms"]
    assert after["gradd_cache_lookups_total", "forms", "hit"] == before["gradd_cache_lookups_total", "forms", "hit"] + 2
    assert after["gradd_cache_lookups_total", "models", "hit"] == 0


def test_a_stored_model_is_counted(client: httpx.Client) -> None:
    stored = client.post("/v1/models", json={key: XOR[key] for key in ("network", "parameters")}).json()["id"]
    body = {"model": stored, **{key: XOR[key] for key in ("batch", "loss")}}
    for _ in range(2):
        assert client.post("/v1/gradients", json=body).status_code == 200
    after = samples(client)
    assert after["gradd_cache_entries", "models"] == 1
    assert after["gradd_cache_bytes", "models"] > 0
    assert after["gradd_cache_lookups_total", "models", "hit"] == 1
