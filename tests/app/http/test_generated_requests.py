"""Thousands of generated requests to a real server: no 5xx, and no disagreement between schema and service."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from examples.server import running_server
from tests.app.http.generated.campaign import LIMITS, Outcome, run
from tests.app.http.generated.judge import Judge
from tests.app.http.generated.requests import Requests
from tests.server import operations, published

pytestmark = pytest.mark.slow

COUNT, PIECES = 1000, 1


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of a server without a worker, whose jobs stay in the queue."""
    with (
        running_server(GRADD_MAX_SECONDS="5") as address,
        httpx.Client(base_url=address, timeout=60, limits=LIMITS) as connection,
    ):
        yield connection


@pytest.mark.parametrize("seed", range(PIECES))
def test_every_answer_is_declared_and_agrees_with_the_schema(client: httpx.Client, seed: int) -> None:
    outcome = run(client, published(), seed, COUNT)
    print(*outcome.lines(), sep="\n")
    assert not outcome.complaints, "\n\n".join(f"{what}\n{told[0]}" for what, told in outcome.complaints.items())
    assert {operation["operationId"] for _, _, operation in operations()} == {name for name, _ in outcome.operations}
    assert _share(outcome, 200, 201, 202, 204) > 0.15, "too few requests are answered for the others to mean anything"
    assert _share(outcome, 422) > 0.25


def _share(outcome: Outcome, *statuses: int) -> float:
    return sum(outcome.statuses[status] for status in statuses) / outcome.statuses.total()


def test_the_same_seed_gives_the_same_requests() -> None:
    one, other = (Requests(published(), 7, {"csv": [b"1,2"], "npz": [b"PK"]}) for _ in range(2))
    for number in range(300):
        assert one.request(number) == other.request(number)


def _response(status: int, document: object, media_type: str = "application/json") -> httpx.Response:
    return httpx.Response(status, json=document, headers={"content-type": media_type})


@pytest.mark.parametrize(
    ("status", "document", "media_type", "complaint"),
    [
        (500, {}, "application/problem+json", "status 500"),
        (418, {}, "application/problem+json", "status 418 is not declared"),
        (200, {"status": "alive"}, "text/plain", "content type 'text/plain' of status 200 is not declared"),
        (200, {"status": 1}, "application/json", "the answer does not fit its schema"),
    ],
)
def test_the_judge_sees_what_is_wrong(status: int, document: object, media_type: str, complaint: str) -> None:
    requests = Requests(published(), 0, {"csv": [b"1,2"], "npz": [b"PK"]})
    request = next(one for one in map(requests.request, range(1000)) if one.path == "/livez")
    found = list(Judge(published()).complaints(request, _response(status, document, media_type)))
    assert any(each.startswith(complaint) for each in found), found


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        ({"pointer": "#/nowhere/at/all", "code": "invalid-request", "detail": "No."}, "pointer"),
        ({"pointer": "#", "code": "nonsense", "detail": "No."}, "unknown code"),
        ({"pointer": "#", "code": "invalid-request", "detail": "<class 'int'> is wrong."}, "a text speaks Python"),
        ({"pointer": "#", "code": "invalid-request", "detail": "KeyError: 3."}, "a text speaks Python"),
        ({"pointer": "#/units", "code": "invalid-request", "detail": "'units' is required."}, "the schema allows it"),
    ],
)
def test_the_judge_reads_refusals(error: dict[str, str], complaint: str) -> None:
    requests = Requests(published(), 0, {"csv": [b"1,2"], "npz": [b"PK"]})
    made = map(requests.request, range(1000))
    request = next(one for one in made if one.path == "/v1/datasets" and one.document is not None and not one.invalid)
    request.document = {"inputs": [[1]]}
    document = {"type": "/problems/invalid-request", "title": "The request is not valid", "status": 422, "detail": "No.",
                "instance": "/v1/datasets", "errors": [error]}  # fmt: skip
    found = list(Judge(published()).complaints(request, _response(422, document, "application/problem+json")))
    assert any(each.startswith(complaint) for each in found), found
    accepted = _response(200, {"id": 1})
    request.document = {"inputs": [[1]], "nonsense": 1}
    found = list(Judge(published()).complaints(request, accepted))
    assert any(each.startswith("accepted, and the schema does not allow it") for each in found), found
