"""Requests of web pages: of the server's own, of foreign ones, and of those that a setting allows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.examples import XOR
from tests.app.http.edge.served import EdgeServer, edge_server

CSV = "a,b\n1,2\n"
COURSE = "https://course.example"


def post_dataset(server: EdgeServer, **headers: str) -> httpx.Response:
    """Post a dataset as a page can without asking first, and as curl does."""
    fields = {"Content-Type": "text/plain", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return httpx.post(f"{server.address}/v1/datasets?format=csv&targets=b", content=CSV, headers=fields)


def stored(server: EdgeServer) -> int:
    return len(httpx.get(f"{server.address}/v1/datasets").json()["data"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://attacker.example"}, {"Origin": "null"}, {"Origin": "http://localhost"}, {"Origin": "file://"},
        {"Origin": "http://127.0.0.1:1"}, {"Origin": ""}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)  # fmt: skip
def test_a_foreign_page_changes_nothing(plain: EdgeServer, headers: dict[str, str]) -> None:
    before = stored(plain)
    for content_type in ("text/plain", "text/csv", "application/x-www-form-urlencoded"):
        response = post_dataset(plain, **headers, **{"Content-Type": content_type})
        assert response.status_code == 403
        assert response.json()["type"] == "/problems/forbidden-origin"
        assert "GRADD_ALLOWED_ORIGINS" in response.json()["errors"][0]["hint"]
        assert "access-control-allow-origin" not in response.headers
    for method, path in (
        ("DELETE", "/v1/datasets/dst_1"),
        ("PATCH", "/v1/models/mdl_1"),
        ("POST", "/v1/jobs/job_1/cancel"),
    ):
        assert httpx.request(method, plain.address + path, headers=headers).status_code == 403
    assert stored(plain) == before


def test_own_pages_and_programs(plain: EdgeServer) -> None:
    assert post_dataset(plain).status_code in (200, 201), "curl"
    assert post_dataset(plain, Origin=plain.address, Sec_Fetch_Site="same-origin").status_code == 200, "the playground"
    # A proxy with TLS in front: the page is at https, and the request comes by http.
    assert post_dataset(plain, Origin="https://localhost", Host="localhost").status_code == 200
    assert post_dataset(plain, Origin="https://localhost:443", Host="localhost").status_code == 200
    assert post_dataset(plain, Sec_Fetch_Site="none").status_code == 200, "an extension, a bookmark"


def test_without_the_setting_nothing_is_shared(plain: EdgeServer) -> None:
    ask = {"Origin": COURSE, "Access-Control-Request-Method": "POST"}
    for method, path in (("GET", "/v1"), ("OPTIONS", "/v1/gradients")):
        response = httpx.request(method, plain.address + path, headers=ask)
        assert response.is_success
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.fixture(scope="module", params=[f" {COURSE}/ , http://localhost:8888", "*"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeServer]:
    """A server that lets pages of a course use it."""
    with edge_server(tmp_path_factory.mktemp("shared"), GRADD_ALLOWED_ORIGINS=request.param) as server:
        yield server


def test_an_allowed_page_asks_first(shared: EdgeServer) -> None:
    ask = {
        "Origin": COURSE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true",
        "Access-Control-Request-Headers": "content-type, idempotency-key, authorization",
    }  # fmt: skip
    response = httpx.options(f"{shared.address}/v1/gradients", headers=ask)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] in (COURSE, "*")
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "idempotency-key" in response.headers["access-control-allow-headers"]
    assert response.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-credentials" not in response.headers


def test_an_allowed_page_reads_answers_and_refusals(shared: EdgeServer) -> None:
    for body, status in ((XOR, 200), ({}, 422)):
        response = httpx.post(f"{shared.address}/v1/gradients", json=body, headers={"Origin": COURSE})
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] in (COURSE, "*")
        exposed = set(response.headers["access-control-expose-headers"].split(", "))
        assert {"Location", "Retry-After", "ETag", "RateLimit", "X-Request-Id"} <= exposed


def test_a_page_that_is_not_listed(tmp_path: Path) -> None:
    foreign = {"Origin": "https://other.example"}
    with edge_server(tmp_path, GRADD_ALLOWED_ORIGINS=COURSE) as server:
        refused = httpx.options(server.address + "/v1", headers={**foreign, "Access-Control-Request-Method": "POST"})
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/forbidden-origin"
        posted = post_dataset(server, **foreign)
        assert posted.status_code == 403
        read = httpx.get(server.address + "/v1", headers=foreign)
        assert read.status_code == 200
        assert "Origin" in read.headers["vary"], "a cache must not hand the answer on"
    for response in (refused, posted, read):
        assert "access-control-allow-origin" not in response.headers
