"""Every request of docs/systems.md is answered, and the certificates in the answers are small."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from tests import ROOT

TEXT = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
REQUESTS = [
    (int(number), path, body)
    for number, path, body in re.findall(r"^## S(\d+) .*?^POST (\S+)\n\n```json\n(.*?)\n```", TEXT, re.M | re.S)
]


def test_every_system_has_its_request() -> None:
    assert [number for number, _, _ in REQUESTS] == list(range(1, 30))


@pytest.mark.parametrize(("number", "path", "body"), REQUESTS, ids=[f"S{number}" for number, _, _ in REQUESTS])
def test_the_request_is_answered(client: httpx.Client, number: int, path: str, body: str) -> None:
    response = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 200, response.text
    answer = response.json()
    if json.loads(body).get("verify"):
        assert answer["certificate"]["relative_error"] < 1e-12
    if number == 29:
        assert answer["loss"] < 0.01
    if number == 23:
        assert answer["verdict"] == "wrong"
    if number == 26:
        assert [warning["code"] for warning in answer["warnings"]] == ["symmetric-units"]
