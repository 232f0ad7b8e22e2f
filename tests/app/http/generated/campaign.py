"""A campaign: many generated requests to a running server, and a count of what came of them."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from app.examples import XOR
from tests.app.http.generated.judge import Judge
from tests.app.http.generated.requests import Request, Requests

MODELS = Path(__file__).parents[2] / "models"
TABLE = b"a,b,class\n1,2,x\n3.5,-1e3,y\n0,0,x\n"
EVERY_PIECE = 1000
"""Number of requests of one seed."""

LIMITS = httpx.Limits(keepalive_expiry=2)
"""Connections are given up before the server does so."""


@dataclass
class Outcome:
    """What came of a campaign."""

    statuses: Counter[int] = field(default_factory=Counter)
    operations: Counter[tuple[str, int]] = field(default_factory=Counter)
    complaints: dict[str, list[str]] = field(default_factory=dict)
    """Descriptions of requests by what was wrong with their answers."""

    refused: Counter[str] = field(default_factory=Counter)
    """Sentences with which bodies were refused that the schema allows."""

    errors: int = 0
    hints: int = 0

    def complain(self, request: Request, complaint: str, told: str) -> None:
        """Add a complaint about the answer to a request."""
        self.complaints.setdefault(f"{request.operation['operationId']}: {complaint}", []).append(told)

    def lines(self) -> Iterator[str]:
        """Yield the figures."""
        yield f"{sum(self.statuses.values()):,} requests"
        yield ", ".join(f"{status}: {count:,}" for status, count in sorted(self.statuses.items()))
        yield f"{self.hints:,} of {self.errors:,} errors with a hint"
        yield f"{sum(map(len, self.complaints.values())):,} complaints of {len(self.complaints)} kinds"


def run(client: httpx.Client, document: Mapping[str, Any], seed: int, count: int) -> Outcome:
    """Send generated requests and return what came of them."""
    requests, judge, outcome = Requests(document, seed, files_of(client)), Judge(document), Outcome()
    for number in range(count):
        request = requests.request(number)
        try:
            response = client.request(request.method, request.url, content=request.content, headers=request.headers)
        except httpx.TransportError as error:
            outcome.complain(request, type(error).__name__, _told(request))
            continue
        _record(outcome, request, response)
        for complaint in judge.complaints(request, response):
            outcome.complain(request, complaint, f"{_told(request)} -> {response.status_code} {response.text[:600]}")
        _learn(requests, request, response)
    outcome.refused = judge.refused
    return outcome


def _record(outcome: Outcome, request: Request, response: httpx.Response) -> None:
    outcome.statuses[response.status_code] += 1
    outcome.operations[request.operation["operationId"], response.status_code] += 1
    if response.headers.get("content-type") == "application/problem+json":
        errors = response.json()["errors"]
        outcome.errors += len(errors)
        outcome.hints += sum("hint" in error for error in errors)


def _told(request: Request) -> str:
    return f"{request.method} {request.url} {request.headers} {request.content[:1500]!r}"


def _learn(requests: Requests, request: Request, response: httpx.Response) -> None:
    """Keep the ids that later requests can name."""
    kind = request.path.split("/")[2] if request.path.startswith("/v1/") else ""
    is_json = response.headers.get("content-type", "") == "application/json"
    if (
        response.is_success
        and is_json
        and kind in requests.ids
        and request.method == "POST"
        and "id" in response.json()
    ):
        known = requests.ids["ended" if request.path.endswith("cancel") else kind]
        known.append(response.json()["id"])
        del known[:-20]


def files_of(client: httpx.Client) -> dict[str, list[bytes]]:
    """Files of every format that a model or a dataset comes in."""
    model = client.post(
        "/v1/models", json={name: XOR[name] for name in ("network", "parameters", "convention")}
    ).json()["id"]
    files = {
        name: [
            client.get(f"/v1/models/{model}/export", params={"format": name, "convention": convention}).content
            for convention in ("row", "torch")
        ]
        for name in ("safetensors", "npz", "onnx", "json")
    }
    table = io.BytesIO()
    np.savez(table, inputs=np.ones((3, 2)), targets=np.arange(3))
    files["npz"].append(table.getvalue())
    files["csv"] = [TABLE, TABLE.replace(b",", b";"), b"1,2,3\n4,5,6\n"]
    kept = MODELS / "keras_files"
    files["keras"] = [(kept / "words.keras").read_bytes(), gzip.decompress((kept / "words.h5.gz").read_bytes())]
    return files
